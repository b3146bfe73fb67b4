/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/message_forge.h"

enum { CHUNKS = 9 }; /* of the message that is operated on */

/* A sealed message, parsed, and what is made of its chunks. */
struct surgery {
	struct buffer sealed;
	struct message *message;
	struct forge forge;
};

static void
surgery_start(struct surgery *surgery, const char *label)
{
	surgery->sealed = world_sealed(
	    span_string("Subject: a\r\n\r\nbody\r\n"), label, 0);
	surgery->message = world_message(buffer_span(&surgery->sealed),
	    MESSAGE_RECIPIENT);
	assert_int_equal(surgery->message->chunk_count, CHUNKS);
	surgery->forge.out = buffer_make(WORLD_LIMIT);
	surgery->forge.tree = buffer_make(WORLD_LIMIT);
	buffer_append(&surgery->forge.out, surgery->sealed.data, 6);
}

/* Opens for bob, who must be told `err`. */
static void
expect(struct surgery *surgery, int err)
{
	struct message_parties parties = world_parties();
	struct buffer opened = buffer_make(WORLD_LIMIT);

	message_free(surgery->message);
	buffer_free(&surgery->sealed);
	assert_int_equal(world_open(forge_end(&surgery->forge), &parties,
	    &opened), err);
	buffer_free(&opened);
	forge_free(&surgery->forge);
}

static void
graft(struct surgery *surgery, const struct message_chunk *chunk)
{
	buffer_append_span(&surgery->forge.out, chunk->whole);
}

/* Only the two that a message may lack, or have again, pass the parser. */
static int
refusal_of(uint8_t type)
{
	return type == MESSAGE_HEADERS || type == MESSAGE_DISPLAY_CONTENT
	    ? ERR_SIGNATURE
	    : ERR_FORMAT;
}

static void
missing_chunks_are_refused(void **state)
{
	for (size_t missing = 0; missing < CHUNKS; missing++) {
		struct surgery surgery;
		uint8_t type;

		surgery_start(&surgery, "missing");
		type = surgery.message->chunks[missing].type;
		unit_case(message_chunk_name(type));
		for (size_t i = 0; i < CHUNKS; i++)
			if (i != missing)
				graft(&surgery, &surgery.message->chunks[i]);
		expect(&surgery, type == MESSAGE_ORGANIZATION_SIGNATURE
		    ? ERR_SIGNATURE : refusal_of(type));
	}
}

static void
repeated_chunks_are_refused(void **state)
{
	for (size_t twice = 0; twice < CHUNKS; twice++) {
		struct surgery surgery;
		uint8_t type;

		surgery_start(&surgery, "repeated");
		type = surgery.message->chunks[twice].type;
		unit_case(message_chunk_name(type));
		for (size_t i = 0; i < CHUNKS; i++) {
			graft(&surgery, &surgery.message->chunks[i]);
			if (i == twice)
				graft(&surgery, &surgery.message->chunks[i]);
		}
		expect(&surgery, refusal_of(type));
	}
}

static void
chunks_in_other_order_are_refused(void **state)
{
	for (size_t first = 0; first < CHUNKS; first++)
		for (size_t second = first + 1; second < CHUNKS; second++) {
			struct surgery surgery;

			surgery_start(&surgery, "order");
			for (size_t i = 0; i < CHUNKS; i++) {
				size_t from = i == first ? second
				    : i == second        ? first
				                         : i;

				graft(&surgery, &surgery.message->chunks[from]);
			}
			expect(&surgery, ERR_FORMAT);
		}
}

static void
mixed_messages_are_refused(void **state)
{
	for (size_t mixed = 0; mixed < CHUNKS; mixed++) {
		struct surgery surgery, other;

		surgery_start(&surgery, "first");
		surgery_start(&other, "second");
		unit_case(message_chunk_name(
		    surgery.message->chunks[mixed].type));
		for (size_t i = 0; i < CHUNKS; i++)
			graft(&surgery, i == mixed
			        ? &other.message->chunks[i]
			        : &surgery.message->chunks[i]);
		message_free(other.message);
		buffer_free(&other.sealed);
		forge_free(&other.forge);
		expect(&surgery, ERR_SIGNATURE);
	}
}

static void
swapped_slots_are_refused(void **state)
{
	for (size_t swapped = 1; swapped < CHUNKS; swapped++) {
		struct surgery surgery;
		size_t first, last;
		uint8_t slot[64];

		surgery_start(&surgery, "swapped");
		unit_case(message_chunk_name(
		    surgery.message->chunks[swapped].type));
		for (size_t i = 0; i < CHUNKS; i++) {
			const struct message_chunk *chunk =
			    &surgery.message->chunks[i];
			uint8_t *data;

			graft(&surgery, chunk);
			if (i != swapped)
				continue;
			data = surgery.forge.out.data;
			last = surgery.forge.out.length - 64;
			first = last + 64 - chunk->slots.length;
			memcpy(slot, data + first, 64);
			memcpy(data + first, data + last, 64);
			memcpy(data + last, slot, 64);
		}
		expect(&surgery, ERR_SIGNATURE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(missing_chunks_are_refused),
	    cmocka_unit_test(repeated_chunks_are_refused),
	    cmocka_unit_test(chunks_in_other_order_are_refused),
	    cmocka_unit_test(mixed_messages_are_refused),
	    cmocka_unit_test(swapped_slots_are_refused),
	};

	return cmocka_run_group_tests(tests, world_start, world_end);
}
