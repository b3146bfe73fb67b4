/* SPDX-License-Identifier: BSD-2-Clause */
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

bool
base64_decode_exact(struct span text, uint8_t *out, size_t out_length)
{
	const char *end;
	size_t length;

	if (text.length != BASE64_LENGTH(out_length))
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

	while (length > 0 && strchr("= \t\r\n", text.data[length - 1]) != NULL &&
	    text.data[length - 1] != '\0')
		pads += text.data[--length] == '=';
	for (size_t i = 0; pads > 0 && i < length; i++)
		symbols += strchr(" \t\r\n", text.data[i]) == NULL ||
		    text.data[i] == '\0';
	*good = pads == 0 || (pads <= 2 && (symbols + pads) % 4 == 0);
	return span_of(text.data, length);
}

int
base64_decode(struct span text, struct buffer *out)
{
	size_t before = out->length, length;
	const char *end;
	uint8_t *start;
	bool good;

	text = without_padding(text, &good);
	if (!good)
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
