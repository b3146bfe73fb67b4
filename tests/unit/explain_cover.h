/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_EXPLAIN_COVER_H
#define DIME_TESTS_UNIT_EXPLAIN_COVER_H

#include "tests/unit/unit.h"

#include "base/buffer.h"
#include "dime/explain.h"

/* An explainer that demands of all elements what explain.h promises. */
struct cover {
	struct explainer explainer;
	size_t at;          /* where the next element of the object must start */
	size_t inside_at;   /* likewise within the plaintext */
	size_t inside_ends; /* the length of the plaintext, 0: none */
	struct span last;   /* the octets of the last element of the object */
	size_t count;
	struct buffer text; /* "offset length what [rule]" lines */
};

void cover_start(struct cover *cover);

/* Fails unless the elements cover the object, whose octets are given,
 * exactly. */
void cover_end(struct cover *cover, struct span whole);

/* Frees the text, after cover_end(). */
void cover_free(struct cover *cover);

#endif
