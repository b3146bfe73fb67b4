/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_MESSAGE_MODEL_H
#define DIME_TESTS_UNIT_MESSAGE_MODEL_H

#include "tests/unit/message_forge.h"
#include "tests/unit/refusal.h"

/*
 * A good message from alice to bob and where each chunk and its parts lie in
 * it, for tests that take it to pieces. The model knows nothing of the
 * library's tables.
 */
enum { MODEL_HEADER = 6, MODEL_CHUNK_HEADER = 4, MODEL_SLOT = 64,
	MODEL_PIECES = 24 };

struct piece {
	uint8_t type;
	const char *name;
	size_t start, payload, slots, end; /* offsets of its parts */
};

struct model {
	struct buffer binary;
	const char *mime; /* what it opens to */
	struct piece pieces[MODEL_PIECES];
	size_t count;
};

/* Of a copy of a good message. */
void model_make(struct model *model, struct span binary, const char *mime);

/* Without header fields and body: what a message needs and no more. */
void model_make_small(struct model *model);

/* With every type but tracing, and two that go on. */
void model_make_full(struct model *model);

void model_free(struct model *model);

/* Makes the size in the header fit. */
void model_set_size(struct buffer *binary);

/* Opens for bob what must come to the model's mail. */
void model_expect_good(const struct model *model, struct span binary);

/* Opens for bob what must be refused. Returns the error. */
int model_open_bad(struct span binary, struct fault *fault);

/* Opens for bob what 255, the last chunk, must be found not to cover, so that
 * nothing that it says is looked at. */
void model_expect_unsigned(struct span binary);

#endif
