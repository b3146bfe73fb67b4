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

/* libsodium passes over NUL, which ends its list of blanks, and takes FF for one of
 * the alphabet. Does not tell by its time which octets there are. */
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

enum { SYMBOL = 64, BLANK = 1 };

/* SYMBOL and what it stands for, BLANK, or 0. */
static const uint8_t kinds[256] = {
	    [' '] = BLANK, ['\t'] = BLANK, ['\r'] = BLANK, ['\n'] = BLANK,
	    ['A'] = 64, ['B'] = 65, ['C'] = 66, ['D'] = 67, ['E'] = 68,
	    ['F'] = 69, ['G'] = 70, ['H'] = 71, ['I'] = 72, ['J'] = 73,
	    ['K'] = 74, ['L'] = 75, ['M'] = 76, ['N'] = 77, ['O'] = 78,
	    ['P'] = 79, ['Q'] = 80, ['R'] = 81, ['S'] = 82, ['T'] = 83,
	    ['U'] = 84, ['V'] = 85, ['W'] = 86, ['X'] = 87, ['Y'] = 88,
	    ['Z'] = 89, ['a'] = 90, ['b'] = 91, ['c'] = 92, ['d'] = 93,
	    ['e'] = 94, ['f'] = 95, ['g'] = 96, ['h'] = 97, ['i'] = 98,
	    ['j'] = 99, ['k'] = 100, ['l'] = 101, ['m'] = 102, ['n'] = 103,
	    ['o'] = 104, ['p'] = 105, ['q'] = 106, ['r'] = 107, ['s'] = 108,
	    ['t'] = 109, ['u'] = 110, ['v'] = 111, ['w'] = 112, ['x'] = 113,
	    ['y'] = 114, ['z'] = 115, ['0'] = 116, ['1'] = 117, ['2'] = 118,
	    ['3'] = 119, ['4'] = 120, ['5'] = 121, ['6'] = 122, ['7'] = 123,
	    ['8'] = 124, ['9'] = 125, ['+'] = 126, ['/'] = 127,
};

size_t
base64_symbols(struct span text)
{
	size_t i = 0;

	while (i < text.length && (kinds[text.data[i]] & SYMBOL) != 0)
		i++;
	return i;
}

static uint8_t *
put(uint8_t *out, uint32_t group, size_t octets)
{
	for (size_t i = 0; i < octets; i++)
		out[i] = (uint8_t)(group >> (16 - 8 * i));
	return out + octets;
}

/* The octets of a group that the text has not filled: one or two, with no bits
 * left over. */
static bool
put_rest(uint8_t **out, uint32_t group, size_t symbols)
{
	if (symbols == 1)
		return false;
	group <<= 6 * (4 - symbols);
	if (symbols == 2 && (group & 0xffff) == 0)
		*out = put(*out, group, 1);
	else if (symbols == 3 && (group & 0xff) == 0)
		*out = put(*out, group, 2);
	else
		return symbols == 0;
	return true;
}

/* Octets written, or SIZE_MAX. */
static size_t
decode(struct span text, uint8_t *start)
{
	const uint8_t *at = text.data, *end = text.data + text.length;
	uint8_t *out = start, kind;
	uint32_t group = 0;
	size_t symbols = 0;

	while (at < end) {
		/* Four at a time, as long as nothing else comes. */
		while (symbols == 0 && end - at >= 4 && (kinds[at[0]] &
		    kinds[at[1]] & kinds[at[2]] & kinds[at[3]] & SYMBOL) != 0) {
			group = (uint32_t)(kinds[at[0]] - SYMBOL) << 18 |
			    (uint32_t)(kinds[at[1]] - SYMBOL) << 12 |
			    (uint32_t)(kinds[at[2]] - SYMBOL) << 6 |
			    (uint32_t)(kinds[at[3]] - SYMBOL);
			out = put(out, group, 3);
			at += 4;
			group = 0;
		}
		if (at == end)
			break;
		kind = kinds[*at++];
		if (kind == BLANK)
			continue;
		if (kind == 0)
			return SIZE_MAX;
		group = group << 6 | (uint32_t)(kind - SYMBOL);
		if (++symbols == 4) {
			out = put(out, group, 3);
			group = 0;
			symbols = 0;
		}
	}
	return put_rest(&out, group, symbols) ? (size_t)(out - start)
	                                      : SIZE_MAX;
}

int
base64_decode(struct span text, struct buffer *out)
{
	size_t before = out->length, length;
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
	length = decode(text, start);
	good = length != SIZE_MAX;
	out->length = before + (good ? length : 0);
	return good ? 0 : ERR_FORMAT;
}
