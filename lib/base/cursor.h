/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_BASE_CURSOR_H
#define DIME_BASE_CURSOR_H

#include "base/span.h"

/*
 * Reads a binary format from front to back. The first read past the end makes
 * the cursor fail for good: later reads answer 0 or an empty span and move
 * nothing, so that a parser reads a run of fields and tests `failed` once. A
 * parse ends with cursor_done(), which asks "consumed exactly?".
 */
struct cursor {
	struct span rest;
	size_t offset; /* octets consumed so far, for messages */
	bool failed;
};

struct cursor cursor_start(struct span whole);

/* Big-endian unsigned numbers of 1, 2, 3 and 4 octets. */
uint8_t cursor_u8(struct cursor *cursor);
uint16_t cursor_u16(struct cursor *cursor);
uint32_t cursor_u24(struct cursor *cursor);
uint32_t cursor_u32(struct cursor *cursor);
uint64_t cursor_u64(struct cursor *cursor);

/* A view of the next `length` octets; empty on failure. */
struct span cursor_take(struct cursor *cursor, size_t length);

/* True when nothing failed and nothing is left. */
bool cursor_done(const struct cursor *cursor);

#endif
