/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_BASE_BUFFER_H
#define DIME_BASE_BUFFER_H

#include "base/span.h"

/*
 * Octets that grow up to a limit. The first append that would pass the limit,
 * or that finds no memory, makes the buffer fail for good (`error` is then
 * ERR_TOO_LARGE or ERR_MEMORY); later appends do nothing. A writer appends
 * throughout and tests `error` once. Memory is wiped when it is given back,
 * growing included, since any of it may have held secrets.
 */
struct buffer {
	uint8_t *data;
	size_t length;
	size_t capacity;
	size_t limit;
	int error;
};

/* An empty buffer that may grow to `limit` octets. Allocates nothing yet. */
struct buffer buffer_make(size_t limit);

/* Wipes and frees the octets; the buffer is then empty with the same limit. */
void buffer_free(struct buffer *buffer);

/* Empties without giving back memory, clears the error. Not a wipe. */
void buffer_reset(struct buffer *buffer);

/* Makes room for `length` more octets and returns where they start, counting
 * them as appended; NULL on failure. They are not initialised. */
uint8_t *buffer_extend(struct buffer *buffer, size_t length);

/*
 * Makes room for `length` more octets, or as many as the limit allows, without
 * appending any. Returns how many buffer_extend() can now give without moving
 * what is there: 0 at the limit, or when memory failed.
 */
size_t buffer_reserve(struct buffer *buffer, size_t length);

void buffer_append(struct buffer *buffer, const void *data, size_t length);
void buffer_append_span(struct buffer *buffer, struct span span);
void buffer_append_string(struct buffer *buffer, const char *text);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Big-endian unsigned numbers of 1, 2, 3, 4 and 8 octets. */
void buffer_u8(struct buffer *buffer, uint8_t value);
void buffer_u16(struct buffer *buffer, uint16_t value);
void buffer_u24(struct buffer *buffer, uint32_t value);
void buffer_u32(struct buffer *buffer, uint32_t value);
void buffer_u64(struct buffer *buffer, uint64_t value);

/* Removes `length` octets from the front (all of them if there are fewer). */
void buffer_consume(struct buffer *buffer, size_t length);

/* A view of the content, good until the next change. */
struct span buffer_span(const struct buffer *buffer);

/* The content as a C string, good until the next change: a NUL is kept behind
 * the content. NULL when the buffer has failed. */
const char *buffer_string(struct buffer *buffer);

#endif
