/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "base/cursor.h"
#include "tests/unit/message_forge.h"

enum { PAYLOAD_DATA = 69 }; /* octets before the data */

static void
open_forged(struct span binary)
{
	const struct message_parties parties = world_parties();
	struct buffer mime = buffer_make(FUZZ_LIMIT);
	int err = world_open(binary, &parties, &mime);

	FUZZ_CHECK(err == 0 || mime.length == 0);
	buffer_free(&mime);
}

/* The next chunk that the input describes: type, flags, pad octet (0: the right
 * one), further blocks of padding, what the length claims too much, and data
 * behind its length of 2 octets. */
static void
forge_next(struct cursor *cursor, struct forge *forge)
{
	uint8_t type = cursor_u8(cursor);
	struct forge_payload how = {
	    .flags = cursor_u8(cursor),
	    .pad = cursor_u8(cursor),
	    .padding = cursor_u8(cursor) % 16u * 16u,
	    .length_by = (int8_t)cursor_u8(cursor),
	};
	struct span content = cursor_take(cursor, cursor_u16(cursor));

	how.padding += (16 - (PAYLOAD_DATA + content.length) % 16) % 16;
	if (how.pad == 0)
		how.pad = (uint8_t)how.padding;
	how.fill = how.pad;
	if (!cursor->failed)
		forge_chunk(forge, type, content, &how);
}

/* The layer below the signatures, from an author who signs anything. The first
 * octet says whether the envelope is made, or comes with the input. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor cursor = cursor_start(span_of(data, size));
	struct forge forge;

	forge_start(&forge);
	if ((cursor_u8(&cursor) & 1) != 0)
		forge_envelope(&forge);
	while (!cursor.failed && cursor.rest.length > 0)
		forge_next(&cursor, &forge);
	forge_sign(&forge, NULL);
	open_forged(forge_end(&forge));
	forge_free(&forge);
	return 0;
}
