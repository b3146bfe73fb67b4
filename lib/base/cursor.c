/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/cursor.h"

struct cursor
cursor_start(struct span whole)
{
	return (struct cursor){whole, 0, false};
}

struct span
cursor_take(struct cursor *cursor, size_t length)
{
	struct span taken = {NULL, 0};

	if (cursor->failed || length > cursor->rest.length) {
		cursor->failed = true;
		return taken;
	}
	if (length == 0)
		return taken;
	taken = span_of(cursor->rest.data, length);
	cursor->rest.data += length;
	cursor->rest.length -= length;
	cursor->offset += length;
	return taken;
}

static uint64_t
take_number(struct cursor *cursor, size_t octets)
{
	struct span taken = cursor_take(cursor, octets);
	uint64_t number = 0;

	for (size_t i = 0; i < taken.length; i++)
		number = number << 8 | taken.data[i];
	return number;
}

uint8_t
cursor_u8(struct cursor *cursor)
{
	return (uint8_t)take_number(cursor, 1);
}

uint16_t
cursor_u16(struct cursor *cursor)
{
	return (uint16_t)take_number(cursor, 2);
}

uint32_t
cursor_u24(struct cursor *cursor)
{
	return (uint32_t)take_number(cursor, 3);
}

uint32_t
cursor_u32(struct cursor *cursor)
{
	return (uint32_t)take_number(cursor, 4);
}

uint64_t
cursor_u64(struct cursor *cursor)
{
	return take_number(cursor, 8);
}

bool
cursor_done(const struct cursor *cursor)
{
	return !cursor->failed && cursor->rest.length == 0;
}
