/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/message_model.h"

/*
 * What is done with whole chunks and their keyslots: by somebody on the way,
 * and by an author and an origin who sign what they should not.
 */
enum { SLOT = MODEL_SLOT, SEQUENCE = MODEL_PIECES + 1 };

static struct model full;

/* ---- another order ---- */

static int
section_of(uint8_t type)
{
	return type < 32 ? 1 : type < 64 ? 2 : type < 128 ? 3
	    : type < 224 ? 4
	                 : 5;
}

/* What is wrong with a chunk behind another. */
static const char *
order_rule(uint8_t before, uint8_t type)
{
	int last = section_of(before), section = section_of(type);

	if (section != last)
		return section > last ? NULL
		                      : "out of order: its section is over";
	if (section == 3 || section == 4 || type > before ||
	    (type == before && type == 34))
		return NULL;
	return type == before ? "stands twice" : "out of order";
}

static bool
is_among(const size_t *sequence, size_t count, uint8_t type)
{
	for (size_t i = 0; i < count; i++)
		if (full.pieces[sequence[i]].type == type)
			return true;
	return false;
}

/* The chunks of the full message in this sequence must be refused for what the
 * rules say of it. */
static void
expect_sequence(const size_t *sequence, size_t count)
{
	static const uint8_t required[] = {2, 4, 5, 33, 225, 226, 255};
	struct buffer binary = buffer_make(WORLD_LIMIT);
	const char *rule = NULL;
	size_t bad = 0, offset = 0;
	struct fault fault;
	int err;

	buffer_append(&binary, full.binary.data, MODEL_HEADER);
	for (size_t i = 0; i < count; i++) {
		const struct piece *piece = &full.pieces[sequence[i]];

		if (i > 0 && rule == NULL) {
			rule = order_rule(full.pieces[sequence[i - 1]].type,
			    piece->type);
			bad = sequence[i];
			offset = binary.length;
		}
		buffer_append(&binary, full.binary.data + piece->start,
		    piece->end - piece->start);
	}
	model_set_size(&binary);
	err = model_open_bad(buffer_span(&binary), &fault);
	if (rule != NULL) {
		refusal_expect(err, &fault, ERR_FORMAT,
		    "chunk %u (%s) at offset %zu: %s", full.pieces[bad].type,
		    full.pieces[bad].name, offset, rule);
		goto out;
	}
	for (size_t i = 0; i < COUNT(required); i++)
		if (!is_among(sequence, count, required[i])) {
			refusal_expect(err, &fault, required[i] == 255
			        ? ERR_SIGNATURE
			        : ERR_FORMAT,
			    "chunk %u (%s) is missing", required[i],
			    message_chunk_name(required[i]));
			goto out;
		}
	model_expect_unsigned(buffer_span(&binary));
out:
	buffer_free(&binary);
}

static void
missing_chunks_are_named(void **state)
{
	for (size_t missing = 0; missing < full.count; missing++) {
		size_t sequence[SEQUENCE], count = 0;

		for (size_t i = 0; i < full.count; i++)
			if (i != missing)
				sequence[count++] = i;
		expect_sequence(sequence, count);
	}
}

static void
repeated_chunks_are_named(void **state)
{
	for (size_t twice = 0; twice < full.count; twice++)
		for (size_t where = twice; where < full.count; where++) {
			size_t sequence[SEQUENCE], count = 0;

			for (size_t i = 0; i < full.count; i++) {
				sequence[count++] = i;
				if (i == where)
					sequence[count++] = twice;
			}
			expect_sequence(sequence, count);
		}
}

static void
chunks_out_of_order_are_named(void **state)
{
	for (size_t first = 0; first < full.count; first++)
		for (size_t second = first + 1; second < full.count;
		     second++) {
			size_t sequence[SEQUENCE];

			for (size_t i = 0; i < full.count; i++)
				sequence[i] = i;
			sequence[first] = second;
			sequence[second] = first;
			expect_sequence(sequence, full.count);
		}
}

/* A chunk, or its slots alone, from another message of the same two. */
static void
chunks_of_another_message_are_refused(void **state)
{
	static const char letter[] = "Subject: a\r\n\r\nbody\r\n";
	struct buffer sealed = world_sealed(span_string(letter), "one", 3);
	struct buffer other = world_sealed(span_string(letter), "two", 3);
	struct model one, two;

	model_make(&one, buffer_span(&sealed), letter);
	model_make(&two, buffer_span(&other), letter);
	assert_int_equal(one.count, two.count);
	for (size_t i = 0; i < 2 * one.count; i++) {
		const struct piece *to = &one.pieces[i / 2];
		const struct piece *from = &two.pieces[i / 2];
		struct buffer mixed = buffer_make(WORLD_LIMIT);

		buffer_append(&mixed, one.binary.data,
		    i % 2 == 0 ? to->start : to->slots);
		buffer_append(&mixed, two.binary.data + (i % 2 == 0
		        ? from->start : from->slots),
		    from->end - (i % 2 == 0 ? from->start : from->slots));
		buffer_append_span(&mixed, span_slice(buffer_span(&one.binary),
		    to->end, SIZE_MAX));
		model_set_size(&mixed);
		if (i % 2 == 0 || to->slots < to->end)
			model_expect_unsigned(buffer_span(&mixed));
		buffer_free(&mixed);
	}
	model_free(&one);
	model_free(&two);
	buffer_free(&sealed);
	buffer_free(&other);
}

/* ---- slots that were signed ---- */

enum how {
	SWAPPED,  /* with the one of another actor */
	FOREIGN,  /* of the chunk before */
	FLIPPED,  /* one bit of the slot, or of what it unlocks */
};

/* What mangle() does, and to which chunk. */
static struct {
	uint8_t type;
	enum how how;
	enum message_actor actor;
	size_t octet;
} plan;

static void
mangle(struct forge *forge, uint8_t *chunk, size_t length)
{
	size_t slots = forge_slots(plan.type);
	size_t mine = forge_slot_of(plan.type, plan.actor);
	uint8_t *first = chunk + length - slots * SLOT;
	uint8_t *slot = first + mine * SLOT;
	uint8_t *other = first + (mine + 1) % slots * SLOT;
	uint8_t kept[SLOT];

	if (chunk[0] != plan.type)
		return;
	assert_true(mine < slots);
	switch (plan.how) {
	case SWAPPED:
		memcpy(kept, slot, SLOT);
		memcpy(slot, other, SLOT);
		memcpy(other, kept, SLOT);
		break;
	case FOREIGN:
		memcpy(slot, chunk - SLOT, SLOT);
		break;
	case FLIPPED:
		slot[plan.octet] ^= 1;
		break;
	}
}

static void
forge_mangled(struct forge *forge)
{
	forge_start(forge);
	forge->mangle = mangle;
	forge_envelope(forge);
	forge_common(forge);
	forge_chunk(forge, 34, span_string("X: y\r\n"), NULL);
	forge_chunk(forge, 67, span_string("hello"), NULL);
	forge_chunk(forge, 131, span_string("hello"), NULL);
	forge_sign(forge, &(struct forge_signers){WORLD_ALICE, WORLD_ALICE,
	    WORLD_ALPHA, WORLD_ALPHA, WORLD_ALPHA});
}

/* What an actor finds who checks all that he can. */
static int
check_as(enum message_actor actor, struct span binary, struct fault *fault)
{
	const struct message_parties parties = world_parties();
	struct message *message = world_message(binary, actor);
	struct message_envelope envelope;
	struct buffer mime = buffer_make(WORLD_LIMIT);
	char sender[ADDRESS_SIZE];
	int err;

	if (actor == MESSAGE_ORIGIN)
		err = message_check_as_origin(message, &parties, &envelope,
		    fault);
	else if (actor == MESSAGE_DESTINATION)
		err = message_check_as_destination(message, &parties,
		    &envelope, fault);
	else
		err = message_open(message, &parties, WORLD_LIMIT, &mime,
		    sender, fault);
	message_free(message);
	buffer_free(&mime);
	return err;
}

/* Only he whose slot it is finds that it is damaged: the chunk that he reads
 * with it, or the signature that comes out of it. */
static void
expect_mangled(struct forge *forge, enum message_actor actor)
{
	struct span binary = forge_end(forge);
	bool reads = actor != MESSAGE_DESTINATION || plan.type == 5 ||
	    plan.type >= 248;
	struct fault fault = {0};
	int err = check_as(actor, binary, &fault);

	reads = reads && (actor != MESSAGE_ORIGIN || plan.type != 5);
	if (forge_slot_of(plan.type, actor) == forge_slots(plan.type))
		reads = false;
	if (!reads || (actor != plan.actor && plan.how != SWAPPED)) {
		if (err != 0)
			fail_msg("%s", fault.text);
	} else if (actor == plan.actor && plan.type < 225) {
		refusal_expect(err, &fault, ERR_CORRUPT,
		    "chunk %u (%s) at offset ", plan.type,
		    message_chunk_name(plan.type));
	} else if (actor == plan.actor) {
		refusal_expect(err, &fault, ERR_SIGNATURE,
		    "chunk %u (%s) at offset ", plan.type,
		    message_chunk_name(plan.type));
		assert_non_null(strstr(fault.text, plan.type < 248
		        ? ": is not by the author of the signet"
		        : ": is not by the origin"));
	}
}

static void
mangled_slots_are_found(void **state)
{
	static const uint8_t types[] = {4, 5, 33, 34, 67, 131, 225, 226, 248,
	    249, 255};

	for (size_t i = 0; i < COUNT(types); i++)
		for (int actor = 0; actor < MESSAGE_ACTORS; actor++)
			for (int how = SWAPPED; how <= FLIPPED; how++) {
				struct forge forge;

				plan.type = types[i];
				plan.how = (enum how)how;
				plan.actor = (enum message_actor)actor;
				plan.octet = 40; /* of the chunk's key */
				if (forge_slot_of(plan.type, plan.actor) ==
				    forge_slots(plan.type) ||
				    (types[i] == 4 && how == FOREIGN))
					continue;
				forge_mangled(&forge);
				for (int reader = 0; reader < MESSAGE_ACTORS;
				     reader++)
					expect_mangled(&forge,
					    (enum message_actor)reader);
				forge_free(&forge);
			}
}

/* Every octet of the recipient's slot of a chunk counts. R and the IV give back
 * the first block, which is in the plaintext signature. */
static void
every_octet_of_a_slot_counts(void **state)
{
	for (size_t octet = 0; octet < SLOT; octet++) {
		struct fault fault = {0};
		struct forge forge;
		int err;

		plan.type = 67;
		plan.how = FLIPPED;
		plan.actor = MESSAGE_RECIPIENT;
		plan.octet = octet;
		forge_mangled(&forge);
		err = check_as(MESSAGE_RECIPIENT, forge_end(&forge), &fault);
		refusal_expect(err, &fault, ERR_CORRUPT, "chunk 67 "
		    "(Display-Content) at offset %d: %s", 1547,
		    octet < 16 ? "plaintext signature is not the author's"
		               : "");
		forge_free(&forge);
	}
}

/* ---- payloads that were signed ---- */

static size_t flipped;

static void
flip_payload(struct forge *forge, uint8_t *chunk, size_t length)
{
	if (chunk[0] == 67)
		chunk[MODEL_CHUNK_HEADER + flipped] ^= 1;
}

static void
every_octet_of_a_payload_counts(void **state)
{
	for (flipped = 0; flipped < 80; flipped++) {
		struct fault fault = {0};
		struct forge forge;
		int err;

		forge_start(&forge);
		forge.mangle = flip_payload;
		forge_envelope(&forge);
		forge_common(&forge);
		forge_chunk(&forge, 67, span_string("hello"), NULL);
		forge_sign(&forge, NULL);
		err = check_as(MESSAGE_RECIPIENT, forge_end(&forge), &fault);
		refusal_expect(err, &fault, ERR_CORRUPT,
		    "chunk 67 (Display-Content) at offset ");
		forge_free(&forge);
	}
}

static int
start(void **state)
{
	int err = world_start(state);

	if (err == 0)
		model_make_full(&full);
	return err;
}

static int
end(void **state)
{
	model_free(&full);
	return world_end(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(missing_chunks_are_named),
	    cmocka_unit_test(repeated_chunks_are_named),
	    cmocka_unit_test(chunks_out_of_order_are_named),
	    cmocka_unit_test(chunks_of_another_message_are_refused),
	    cmocka_unit_test(mangled_slots_are_found),
	    cmocka_unit_test(every_octet_of_a_slot_counts),
	    cmocka_unit_test(every_octet_of_a_payload_counts),
	};

	return cmocka_run_group_tests(tests, start, end);
}
