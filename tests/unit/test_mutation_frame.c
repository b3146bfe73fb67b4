/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/message_model.h"

/*
 * What is done to a message on its way, by somebody who has no key: every cut,
 * every length, type and bit. What must come of it is told by a model of the
 * frame that knows where each chunk and its parts lie in the good message.
 */
enum { HEADER = MODEL_HEADER, SLOT = MODEL_SLOT, TYPES = 256 };

static struct model small, full;

/* ---- cuts ---- */

/* Which required chunk is the first that is not among the first `count`. */
static uint8_t
first_missing(const struct model *model, size_t count)
{
	static const uint8_t required[] = {2, 4, 5, 33, 225, 226, 255};

	for (size_t i = 0; i < COUNT(required); i++) {
		size_t at = 0;

		while (at < count && model->pieces[at].type != required[i])
			at++;
		if (at == count)
			return required[i];
	}
	return 0;
}

/* Cut to `length` octets, with a size that fits. */
static void
expect_cut(const struct model *model, size_t length)
{
	struct buffer cut = buffer_make(WORLD_LIMIT);
	const struct piece *piece = model->pieces;
	struct fault fault;
	uint8_t missing;
	int err;

	buffer_append(&cut, model->binary.data, length);
	model_set_size(&cut);
	err = model_open_bad(buffer_span(&cut), &fault);
	while (length >= piece->end)
		piece++;
	if (length == piece->start) {
		missing = first_missing(model, (size_t)(piece - model->pieces));
		refusal_expect(err, &fault, missing == 255 ? ERR_SIGNATURE
		                                           : ERR_FORMAT,
		    "chunk %u (%s) is missing", missing,
		    message_chunk_name(missing));
	} else {
		refusal_expect(err, &fault, ERR_FORMAT,
		    "chunk %u (%s) at offset %zu: %s past the end of the "
		    "message", piece->type, piece->name, piece->start,
		    length < piece->payload     ? "header"
		        : length < piece->slots ? "payload"
		                                : "keyslots");
	}
	buffer_free(&cut);
}

static void
cut_everywhere(const struct model *model)
{
	struct span whole = buffer_span(&model->binary);
	struct fault fault;
	int err;

	for (size_t length = 0; length < whole.length; length++) {
		err = model_open_bad(span_slice(whole, 0, length), &fault);
		if (length < HEADER) {
			refusal_expect(err, &fault, ERR_FORMAT, "message: "
			    "header at offset 0: runs past the end, at %zu "
			    "octets", length);
			continue;
		}
		refusal_expect(err, &fault, ERR_FORMAT,
		    "message: header at offset 2: says %zu octets of chunks, "
		    "%zu follow", whole.length - HEADER, length - HEADER);
		expect_cut(model, length);
	}
}

static void
every_cut_is_named(void **state)
{
	cut_everywhere(&small);
	cut_everywhere(&full);
}

static void
octets_behind_are_named(void **state)
{
	struct buffer longer = buffer_make(WORLD_LIMIT);
	struct fault fault;
	int err;

	buffer_append_span(&longer, buffer_span(&small.binary));
	buffer_u8(&longer, 0);
	err = model_open_bad(buffer_span(&longer), &fault);
	refusal_expect(err, &fault, ERR_FORMAT, "message: header at offset 2: "
	    "says %zu octets of chunks, %zu follow", longer.length - 7,
	    longer.length - 6);
	model_set_size(&longer);
	err = model_open_bad(buffer_span(&longer), &fault);
	refusal_expect(err, &fault, ERR_FORMAT, "chunk 0 (Tracing) at offset "
	    "%zu: header past the end", longer.length - 1);
	buffer_free(&longer);
}

/* ---- lengths and types ---- */

/* What a payload of another length breaks by itself, or NULL. */
static const char *
rule_of_length(uint8_t type, size_t length)
{
	if (type == 0 || type == 3)
		return NULL;
	if (type == 2)
		return length == 33 ? NULL
		                    : "not a compressed secp256k1 point";
	if (type >= 225)
		return length == 64
		    ? NULL
		    : "payload is not the 64 octets of a signature";
	return length >= 80 && length % 16 == 0
	    ? NULL
	    : "payload is not a multiple of 16 from 80 octets on";
}

static void
expect_length(const struct model *model, const struct piece *piece,
    size_t length)
{
	struct buffer changed = buffer_make(WORLD_LIMIT);
	size_t left = model->binary.length - piece->payload;
	const char *rule = rule_of_length(piece->type, length);
	struct fault fault;
	int err;

	buffer_append_span(&changed, buffer_span(&model->binary));
	for (int i = 0; i < 3; i++)
		changed.data[piece->start + 1 + (size_t)i] =
		    (uint8_t)(length >> (16 - 8 * i));
	err = model_open_bad(buffer_span(&changed), &fault);
	if (length > left || length + forge_slots(piece->type) * SLOT > left)
		refusal_expect(err, &fault, ERR_FORMAT, "chunk %u (%s) at "
		    "offset %zu: %s past the end of the message, payload "
		    "length %zu", piece->type, piece->name, piece->start,
		    length > left ? "payload" : "keyslots", length);
	else if (rule != NULL)
		refusal_expect(err, &fault, ERR_FORMAT,
		    "chunk %u (%s) at offset %zu: %s", piece->type,
		    piece->name, piece->start, rule);
	else /* What follows is read from the wrong place. */
		refusal_expect(err, &fault, ERR_FORMAT, "chunk ");
	buffer_free(&changed);
}

static void
every_length_is_checked(void **state)
{
	for (size_t i = 0; i < full.count; i++) {
		const struct piece *piece = &full.pieces[i];
		size_t good = piece->slots - piece->payload;
		size_t left = full.binary.length - piece->payload;
		const size_t lengths[] = {0, 1, 63, 64, 65, 79, 80, 81, 96,
		    good - 16, good - 1, good + 1, good + 16, good + 64, left,
		    left - 64 * forge_slots(piece->type), left + 1, 0x7fffff,
		    0x800000, 0xfffff0, 0xffffff};

		for (size_t j = 0; j < COUNT(lengths); j++)
			if (lengths[j] != good && lengths[j] <= 0xffffff)
				expect_length(&full, piece, lengths[j]);
	}
}

static void
every_type_is_checked(void **state)
{
	for (size_t i = 0; i < full.count; i++)
		for (unsigned int type = 0; type < TYPES; type++) {
			const struct piece *piece = &full.pieces[i];
			uint8_t *octet = full.binary.data + piece->start;
			struct fault fault;
			int err;

			if (type == piece->type)
				continue;
			*octet = (uint8_t)type;
			err = model_open_bad(buffer_span(&full.binary), &fault);
			*octet = piece->type;
			if (message_chunk_name((uint8_t)type) == NULL)
				refusal_expect(err, &fault, ERR_FORMAT,
				    "chunk %u at offset %zu: the type is not "
				    "known", type, piece->start);
			else
				refusal_expect(err, &fault,
				    err == ERR_SIGNATURE ? err : ERR_FORMAT,
				    "chunk ");
		}
}

/* ---- bits ---- */

static const struct piece *
piece_at(const struct model *model, size_t offset)
{
	const struct piece *piece = model->pieces;

	while (offset >= piece->end)
		piece++;
	return piece;
}

/* The slots of the others in the last signature are what no signature
 * covers. */
static bool
is_covered(const struct model *model, size_t offset)
{
	size_t end = model->binary.length;

	return offset < end - 4 * SLOT || offset >= end - SLOT;
}

/* With one bit of the octet at `offset` flipped. */
static void
expect_flip(const struct model *model, size_t offset)
{
	struct span whole = buffer_span(&model->binary);
	const struct piece *piece;
	struct fault fault;

	if (offset < HEADER) {
		refusal_expect(model_open_bad(whole, &fault), &fault,
		    ERR_FORMAT,
		    "message: header at offset %d: %s", offset < 2 ? 0 : 2,
		    offset < 2 ? "magic number " : "says ");
		return;
	}
	piece = piece_at(model, offset);
	if (!is_covered(model, offset)) {
		model_expect_good(model, whole);
	} else if (offset < piece->payload) {
		int err = model_open_bad(whole, &fault);

		refusal_expect(err, &fault, err == ERR_SIGNATURE ? err
		                                                 : ERR_FORMAT,
		    "chunk ");
	} else if (piece->type == 2 &&
	    !crypto_point_is_good(whole.data + piece->payload)) {
		refusal_expect(model_open_bad(whole, &fault), &fault,
		    ERR_FORMAT,
		    "chunk 2 (Ephemeral) at offset 6: not a compressed");
	} else {
		model_expect_unsigned(whole);
	}
}

/* Every bit of the small message; of the other one every bit of the frame and
 * of chunk 2, and one of each octet that is encrypted. */
static void
every_flip_is_refused(void **state)
{
	struct model *const models[] = {&small, &full};

	for (size_t i = 0; i < COUNT(models); i++)
		for (size_t bit = 0; bit < models[i]->binary.length * 8;
		     bit++) {
			struct model *model = models[i];
			size_t offset = bit / 8;
			uint8_t *octet = model->binary.data + offset;

			if (model == &full && offset >= 43 &&
			    offset >= piece_at(model, offset)->payload &&
			    bit % 8 != offset % 8)
				continue;
			*octet ^= (uint8_t)(1U << bit % 8);
			expect_flip(model, offset);
			*octet ^= (uint8_t)(1U << bit % 8);
		}
}

static int
start(void **state)
{
	int err = world_start(state);

	if (err != 0)
		return err;
	model_make_small(&small);
	model_make_full(&full);
	model_expect_good(&small, buffer_span(&small.binary));
	model_expect_good(&full, buffer_span(&full.binary));
	return 0;
}

static int
end(void **state)
{
	model_free(&small);
	model_free(&full);
	return world_end(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_cut_is_named),
	    cmocka_unit_test(octets_behind_are_named),
	    cmocka_unit_test(every_length_is_checked),
	    cmocka_unit_test(every_type_is_checked),
	    cmocka_unit_test(every_flip_is_refused),
	};

	return cmocka_run_group_tests(tests, start, end);
}
