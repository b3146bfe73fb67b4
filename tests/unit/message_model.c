/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/forge_expect.h"
#include "tests/unit/message_model.h"

void
model_make(struct model *model, struct span binary, const char *mime)
{
	size_t at = MODEL_HEADER;

	*model = (struct model){buffer_make(WORLD_LIMIT), mime, .count = 0};
	buffer_append_span(&model->binary, binary);
	while (at < binary.length) {
		struct piece *piece = &model->pieces[model->count++];
		const uint8_t *octets = binary.data + at;

		assert_in_range(model->count, 1, MODEL_PIECES);
		piece->type = octets[0];
		piece->name = message_chunk_name(octets[0]);
		piece->start = at;
		piece->payload = at + MODEL_CHUNK_HEADER;
		piece->slots = piece->payload + ((size_t)octets[1] << 16 |
		    (size_t)octets[2] << 8 | octets[3]);
		at = piece->end =
		    piece->slots + forge_slots(octets[0]) * MODEL_SLOT;
	}
	assert_int_equal(at, binary.length);
}

void
model_make_small(struct model *model)
{
	struct forge forge;

	forge_start(&forge);
	forge_envelope(&forge);
	forge_common(&forge);
	forge_sign(&forge, NULL);
	model_make(model, forge_end(&forge), "\r\n");
	forge_free(&forge);
}

void
model_make_full(struct model *model)
{
	enum { GOES_ON = 128 };
	struct forge forge;

	forge_start(&forge);
	forge_raw(&forge, 3, span_string("a key"));
	forge_envelope(&forge);
	forge_common(&forge);
	forge_text(&forge, 34, "X: ", GOES_ON);
	forge_text(&forge, 34, "y\r\n", 0);
	forge_text(&forge, 65, "a", 0);
	forge_text(&forge, 66, "b", 0);
	forge_text(&forge, 67, "c", GOES_ON);
	forge_text(&forge, 67, "d", 0);
	forge_text(&forge, 129, "e", 0);
	forge_text(&forge, 130, "f", 0);
	forge_text(&forge, 131, "g", 0);
	forge_sign(&forge, &(struct forge_signers){WORLD_ALICE, WORLD_ALICE,
	    WORLD_ALPHA, WORLD_ALPHA, WORLD_ALPHA});
	model_make(model, forge_end(&forge), "X: y\r\n\r\nabcdefg");
	forge_free(&forge);
}

void
model_free(struct model *model)
{
	buffer_free(&model->binary);
}

void
model_set_size(struct buffer *binary)
{
	size_t size = binary->length - MODEL_HEADER;

	for (int i = 0; i < 4; i++)
		binary->data[2 + i] = (uint8_t)(size >> (24 - 8 * i));
}

static int
open_binary(struct span binary, struct buffer *mime, struct fault *fault)
{
	struct message_parties parties = world_parties();

	*fault = (struct fault){0};
	return world_open_fault(binary, &parties, mime, fault);
}

void
model_expect_good(const struct model *model, struct span binary)
{
	struct buffer mime = buffer_make(WORLD_LIMIT);
	struct fault fault;
	int err = open_binary(binary, &mime, &fault);

	if (err != 0)
		fail_msg("%s", fault.text);
	assert_true(span_equal_string(buffer_span(&mime), model->mime));
	buffer_free(&mime);
}

int
model_open_bad(struct span binary, struct fault *fault)
{
	struct buffer mime = buffer_make(WORLD_LIMIT);
	int err = open_binary(binary, &mime, fault);

	assert_int_equal(mime.length, 0);
	buffer_free(&mime);
	return err;
}

void
model_expect_unsigned(struct span binary)
{
	const size_t last = MODEL_CHUNK_HEADER + 64 + 4 * MODEL_SLOT;
	struct fault fault;
	int err = model_open_bad(binary, &fault);

	refusal_expect(err, &fault, ERR_SIGNATURE,
	    "chunk 255 (Organizational-Signature) at offset %zu: is not by "
	    "the origin", binary.length - last);
}
