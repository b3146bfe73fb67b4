/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>

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
text_is_utf8(const char *text, size_t length)
{
	const uint8_t *octet = (const uint8_t *)text;
	const uint8_t *end = octet + length;

	while (octet < end) {
		uint32_t point, least;
		int tail;

		if (*octet < 0x80) {
			if (*octet < 0x20 || *octet == 0x7f)
				return false;
			octet++;
			continue;
		}
		tail = utf8_tail(*octet++, &point, &least);
		if (tail < 0 || end - octet < tail)
			return false;
		for (; tail > 0; tail--, octet++) {
			if ((*octet & 0xc0) != 0x80)
				return false;
			point = point << 6 | (*octet & 0x3fU);
		}
		if (point < least || point > 0x10ffff ||
		    (point >= 0xd800 && point <= 0xdfff) ||
		    (point >= 0x80 && point < 0xa0))
			return false;
	}
	return true;
}
