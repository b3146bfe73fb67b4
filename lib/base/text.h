/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_BASE_TEXT_H
#define DIME_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* ASCII lower case whatever the locale says; other octets as they are. */
static inline char
text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Lowers the ASCII letters of a C string in place. */
void text_lower_all(char *text);

/* Replaces what is not a printing ASCII character by '?', in place: for what goes
 * onto one line of a log, a terminal or a protocol. */
void text_make_plain(char *text);

/* True when the C string is valid UTF-8 without control characters. */
bool text_is_utf8(const char *text, size_t length);

#endif
