/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_BASE_TEXT_H
#define DIME_BASE_TEXT_H

#include "base/span.h"

/* ASCII lower case whatever the locale says; other octets as they are. */
static inline char
text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Lowers the ASCII letters of a C string in place. */
void text_lower_all(char *text);

/* Replaces what is not a printing ASCII character by '?', in place: for what
 * goes onto one line of a log, a terminal or a protocol. */
void text_make_plain(char *text);

/* True when the octets are valid UTF-8 without control characters. */
bool text_is_utf8(const char *text, size_t length);

/* Takes one character of UTF-8 off the front of *rest. False, with nothing
 * taken, at the end and where the octets are no such character. */
bool text_take(struct span *rest, uint32_t *point);

/* Unicode's categories and properties by code point: Cc; White_Space; what has
 * no shape of its own but may change how its neighbours are shown (controls,
 * joiners, changes of direction, ends of lines, tags, non-characters). */
bool text_is_control(uint32_t point);
bool text_is_white_space(uint32_t point);
bool text_is_invisible(uint32_t point);

#endif
