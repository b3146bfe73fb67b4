/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"

void
text_make_plain(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			*text = '?';
}

void
text_lower_all(char *text)
{
	for (; *text != '\0'; text++)
		*text = text_lower(*text);
}

/* How many octets follow the lead octet, and the smallest code point that may
 * be spelled with that many; -1 for an octet that cannot lead. */
static int
utf8_tail(uint8_t lead, uint32_t *point, uint32_t *least)
{
	if (lead >= 0xc2 && lead <= 0xdf) {
		*point = lead & 0x1fU;
		*least = 0x80;
		return 1;
	}
	if (lead >= 0xe0 && lead <= 0xef) {
		*point = lead & 0x0fU;
		*least = 0x800;
		return 2;
	}
	if (lead >= 0xf0 && lead <= 0xf4) {
		*point = lead & 0x07U;
		*least = 0x10000;
		return 3;
	}
	return -1;
}

bool
text_take(struct span *rest, uint32_t *point)
{
	uint32_t least = 0;
	size_t length;
	int tail = 0;

	if (rest->length == 0)
		return false;
	*point = rest->data[0];
	if (*point >= 0x80)
		tail = utf8_tail(rest->data[0], point, &least);
	length = 1 + (size_t)tail;
	if (tail < 0 || rest->length < length)
		return false;
	for (size_t i = 1; i < length; i++) {
		if ((rest->data[i] & 0xc0) != 0x80)
			return false;
		*point = *point << 6 | (rest->data[i] & 0x3fU);
	}
	if (*point < least || *point > 0x10ffff ||
	    (*point >= 0xd800 && *point <= 0xdfff))
		return false;
	*rest = span_slice(*rest, length, SIZE_MAX);
	return true;
}

bool
text_is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0);
}

bool
text_is_utf8(const char *text, size_t length)
{
	struct span rest = span_of(text, length);
	uint32_t point;

	while (rest.length > 0)
		if (!text_take(&rest, &point) || text_is_control(point))
			return false;
	return true;
}

struct range {
	uint32_t first, last;
};

static bool
is_in(const struct range *ranges, size_t count, uint32_t point)
{
	for (size_t i = 0; i < count; i++)
		if (point >= ranges[i].first && point <= ranges[i].last)
			return true;
	return false;
}

bool
text_is_white_space(uint32_t point)
{
	static const struct range spaces[] = {
	    {0x09, 0x0d}, {0x20, 0x20}, {0x85, 0x85}, {0xa0, 0xa0},
	    {0x1680, 0x1680}, {0x2000, 0x200a}, {0x2028, 0x2029},
	    {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000},
	};

	return is_in(spaces, sizeof(spaces) / sizeof(spaces[0]), point);
}

bool
text_is_invisible(uint32_t point)
{
	/* The blocks that hold the default ignorable and the format characters,
	 * with what is not assigned in them yet, and the ends of lines. */
	static const struct range hidden[] = {
	    {0xad, 0xad}, {0x34f, 0x34f}, {0x600, 0x605}, {0x61c, 0x61c},
	    {0x6dd, 0x6dd}, {0x70f, 0x70f}, {0x890, 0x891}, {0x8e2, 0x8e2},
	    {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180f},
	    {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
	    {0x3164, 0x3164}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
	    {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0x110bd, 0x110bd},
	    {0x110cd, 0x110cd}, {0x13430, 0x1345f}, {0x1bca0, 0x1bca3},
	    {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
	};

	return text_is_control(point) || (point & 0xfffe) == 0xfffe ||
	    is_in(hidden, sizeof(hidden) / sizeof(hidden[0]), point);
}
