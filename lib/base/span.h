/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_BASE_SPAN_H
#define DIME_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A view of octets that somebody else owns. An empty span may have data
 * NULL. */
struct span {
	const uint8_t *data;
	size_t length;
};

static inline struct span
span_of(const void *data, size_t length)
{
	return (struct span){data, length};
}

/* The octets of a C string, without its terminator. */
static inline struct span
span_string(const char *text)
{
	return (struct span){(const uint8_t *)text, strlen(text)};
}

static inline bool
span_equal(struct span a, struct span b)
{
	return a.length == b.length &&
	    (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static inline bool
span_equal_string(struct span a, const char *text)
{
	return span_equal(a, span_string(text));
}

/* Equal when ASCII letters count without case. */
bool span_equal_nocase(struct span a, struct span b);

/* The part from `from` on, at most `length` octets; clipped, never outside. */
struct span span_slice(struct span whole, size_t from, size_t length);

/* Without leading and trailing spaces and tabs. */
struct span span_trim(struct span text);

/*
 * Takes the line at the front of *rest, which is moved behind it. A line ends
 * with LF; a CR before it goes too. The last line may lack its end. Returns
 * false when *rest is empty.
 */
bool span_next_line(struct span *rest, struct span *line);

/* Reads a decimal number of 1 to 18 digits, nothing else. Returns false, and
 * leaves *value alone, for anything but such a number up to `max`. */
bool span_number(struct span text, uint64_t max, uint64_t *value);

/* Copies as a C string into `out` of `size` octets; false when it does not fit
 * or holds a NUL (out is then the empty string). */
bool span_copy_string(struct span text, char *out, size_t size);

#endif
