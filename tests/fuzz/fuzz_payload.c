/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "base/cursor.h"
#include "tests/unit/message_forge.h"

enum { PAYLOAD_DATA = 69 }; /* octets before the data */

/* Bits of the first octet: the envelope is made, else it comes with the input;
 * what is signed, and by whom. */
enum {
	ENVELOPE = 1,
	METADATA_BOUNCE = 2,
	DISPLAY_BOUNCE = 4,
	BY_SOK = 8,
	TREE_BY_ANOTHER = 16,
	AUTHOR_BY_ANOTHER = 32,
	BY_SOK_FOR_USERS = 64,
	ALTERNATE = 128,
};

/* Bits of the octet that says how many blocks of padding are added. */
enum { BLOCKS = 31, OTHER_FILL = 64, SIGNED_BY_ANOTHER = 128 };

static void
open_forged(struct span binary)
{
	const struct message_parties parties = world_parties();
	struct buffer mime = buffer_make(FUZZ_LIMIT);
	int err = world_open(binary, &parties, &mime);

	FUZZ_CHECK(err == 0 || mime.length == 0);
	buffer_free(&mime);
}

static void
describe_forged(struct span binary)
{
	struct buffer text = buffer_make(FUZZ_LIMIT);
	struct message *message = NULL;
	int refusal;

	message_survey(binary, FUZZ_LIMIT, &message, NULL);
	FUZZ_CHECK(message != NULL);
	message_unlock(message, MESSAGE_RECIPIENT,
	    agreer_of_scalar(world.keys[WORLD_BOB]), NULL);
	message_describe(message, &text, &refusal, NULL);
	message_free(message);
	buffer_free(&text);
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
	};
	uint8_t blocks = cursor_u8(cursor);
	struct span content;

	how.length_by = (int8_t)cursor_u8(cursor);
	content = cursor_take(cursor, cursor_u16(cursor));
	how.padding = (16 - (PAYLOAD_DATA + content.length) % 16) % 16 +
	    (blocks & BLOCKS) * 16u;
	if (how.pad == 0)
		how.pad = (uint8_t)how.padding;
	how.fill = (blocks & OTHER_FILL) != 0 ? (uint8_t)~how.pad : how.pad;
	if ((blocks & SIGNED_BY_ANOTHER) != 0)
		how.signer = WORLD_MALLORY;
	if (!cursor->failed)
		forge_chunk(forge, type, content, &how);
}

static struct forge_signers
signers_of(uint8_t bits)
{
	struct forge_signers how = {WORLD_ALICE, WORLD_ALICE, -1, -1,
	    WORLD_ALPHA};

	if ((bits & BY_SOK) != 0)
		how.organization = WORLD_SOK_MESSAGES;
	if ((bits & BY_SOK_FOR_USERS) != 0)
		how.organization = WORLD_SOK_USERS;
	if ((bits & METADATA_BOUNCE) != 0)
		how.metadata = WORLD_ALPHA;
	if ((bits & DISPLAY_BOUNCE) != 0)
		how.display = WORLD_SOK_MESSAGES;
	if ((bits & TREE_BY_ANOTHER) != 0)
		how.tree = WORLD_MALLORY;
	if ((bits & AUTHOR_BY_ANOTHER) != 0)
		how.author = WORLD_MALLORY;
	return how;
}

/* In the dialect of the layout. */
static void
forge_in(enum layout layout, const uint8_t *data, size_t size)
{
	struct cursor cursor = cursor_start(span_of(data, size));
	uint8_t bits = cursor_u8(&cursor);
	struct forge_signers how = signers_of(bits);
	struct forge forge;

	world_choose(layout);
	forge_start(&forge);
	forge.libdime_tree = layout == LAYOUT_LIBDIME && (bits & ENVELOPE) != 0;
	if ((bits & ALTERNATE) != 0)
		forge_raw(&forge, MESSAGE_ALTERNATE, span_string("a key"));
	if ((bits & ENVELOPE) != 0)
		forge_envelope(&forge);
	while (!cursor.failed && cursor.rest.length > 0)
		forge_next(&cursor, &forge);
	forge_sign(&forge, &how);
	open_forged(forge_end(&forge));
	describe_forged(buffer_span(&forge.out));
	forge_free(&forge);
}

/* The layer below the signatures, from an author who signs anything. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	forge_in(LAYOUT_STANDARD, data, size);
	forge_in(LAYOUT_LIBDIME, data, size);
	return 0;
}
