/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/evp.h>
#include <sodium.h>

#include "base/error.h"
#include "crypto/base64.h"

enum {
	COLUMNS = 64,
	COLUMN_OCTETS = COLUMNS / 4 * 3,
};

void
base64_encode(struct span data, char *out)
{
	sodium_bin2base64(out, BASE64_LENGTH(data.length) + 1, data.data,
	    data.length, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}

void
base64_append_lines(struct buffer *out, struct span data, bool padding)
{
	const int variant = padding ? sodium_base64_VARIANT_ORIGINAL
	                            : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
	char line[COLUMNS + 1];

	buffer_reserve(out, BASE64_LINES_MOST(data.length));
	while (data.length > 0) {
		struct span piece = span_slice(data, 0, COLUMN_OCTETS);

		sodium_bin2base64(line, sizeof(line), piece.data, piece.length,
		    variant);
		buffer_append_string(out, line);
		buffer_u8(out, '\n');
		data = span_slice(data, piece.length, SIZE_MAX);
	}
}

/* libsodium passes over NUL, which ends its list of blanks, and takes FF for
 * one of the alphabet. Does not tell by its time which octets there are. */
static bool
has_odd_octet(struct span text)
{
	unsigned int odd = 0;

	for (size_t i = 0; i < text.length; i++)
		odd |= (text.data[i] | (text.data[i] - 1u)) & 0x80;
	return odd != 0;
}

bool
base64_decode_exact(struct span text, uint8_t *out, size_t out_length)
{
	const char *end;
	size_t length;

	if (text.length != BASE64_LENGTH(out_length) || has_odd_octet(text))
		return false;
	return sodium_base642bin(out, out_length, (const char *)text.data,
	    text.length, NULL, &length, &end,
	    sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
	    length == out_length &&
	    end == (const char *)text.data + text.length;
}

/* Padding fills up the last group of four and nothing else. */
static struct span
without_padding(struct span text, bool *good)
{
	size_t symbols = 0, pads = 0, length = text.length;

	while (length > 0 && text.data[length - 1] != '\0' &&
	    strchr("= \t\r\n", text.data[length - 1]) != NULL)
		pads += text.data[--length] == '=';
	for (size_t i = 0; pads > 0 && i < length; i++)
		symbols += strchr(" \t\r\n", text.data[i]) == NULL ||
		    text.data[i] == '\0';
	*good = pads == 0 || (pads <= 2 && (symbols + pads) % 4 == 0);
	return span_of(text.data, length);
}

int
base64_decode_secret(struct span text, struct buffer *out)
{
	size_t before = out->length, length;
	const char *end;
	uint8_t *start;
	bool good;

	text = without_padding(text, &good);
	if (!good || has_odd_octet(text))
		return ERR_FORMAT;
	if (text.length == 0)
		return 0;
	start = buffer_extend(out, text.length / 4 * 3 + 3);
	if (start == NULL)
		return out->error;
	good = sodium_base642bin(start, text.length / 4 * 3 + 3,
	    (const char *)text.data, text.length, " \t\r\n", &length, &end,
	    sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
	    end == (const char *)text.data + text.length;
	out->length = before + (good ? length : 0);
	return good ? 0 : ERR_FORMAT;
}

/* ---- what is no secret ---- */

enum { PIECE = 1 << 20 };

/* To OpenSSL '-' is the end of all, and '=' padding wherever it stands. */
static bool
has_end(struct span text)
{
	return memchr(text.data, '-', text.length) != NULL ||
	    memchr(text.data, '=', text.length) != NULL;
}

/* Of the last group; OpenSSL refuses what is neither a symbol nor a blank. */
static size_t
count_rest(struct span text)
{
	size_t symbols = 0;

	for (size_t i = 0; i < text.length; i++)
		symbols += text.data[i] > ' ';
	return symbols % 4;
}

/* Whether the last symbol, the last octet of the text, has bits that belong to
 * no octet. OpenSSL lets that pass. */
static bool
has_unused_bits(struct span text, size_t rest)
{
	const int last = text.data[text.length - 1];

	return rest == 2 ? strchr("AQgw", last) == NULL
	    : rest == 3  ? strchr("AEIMQUYcgkosw048", last) == NULL
	                 : rest == 1;
}

static bool
decode(EVP_ENCODE_CTX *work, struct span text, size_t rest, uint8_t *out,
    size_t *length)
{
	static const uint8_t padding[] = "==";
	int got, more;

	*length = 0;
	EVP_DecodeInit(work);
	while (text.length > 0) {
		struct span piece = span_slice(text, 0, PIECE);

		if (EVP_DecodeUpdate(work, out + *length, &got, piece.data,
		        (int)piece.length) < 0)
			return false;
		*length += (size_t)got;
		text = span_slice(text, piece.length, SIZE_MAX);
	}
	if (EVP_DecodeUpdate(work, out + *length, &got, padding,
	        rest == 0 ? 0 : 4 - (int)rest) < 0 ||
	    EVP_DecodeFinal(work, out + *length + got, &more) != 1)
		return false;
	*length += (size_t)got + (size_t)more;
	return true;
}

int
base64_decode(struct span text, struct buffer *out)
{
	size_t before = out->length, length, rest;
	EVP_ENCODE_CTX *work;
	uint8_t *start;
	bool good;

	text = without_padding(text, &good);
	if (!good)
		return ERR_FORMAT;
	if (text.length == 0)
		return 0;
	rest = count_rest(text);
	if (has_end(text) || has_unused_bits(text, rest))
		return ERR_FORMAT;
	start = buffer_extend(out, text.length / 4 * 3 + 3);
	if (start == NULL)
		return out->error;
	work = EVP_ENCODE_CTX_new();
	good = work != NULL && decode(work, text, rest, start, &length);
	out->length = before + (good ? length : 0);
	EVP_ENCODE_CTX_free(work);
	return good ? 0 : work == NULL ? ERR_MEMORY : ERR_FORMAT;
}
