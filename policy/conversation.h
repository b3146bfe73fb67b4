/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_CONVERSATION_H
#define DIME_POLICY_CONVERSATION_H

#include "net/stream.h"

/*
 * A connection on which netstrings are answered by netstrings until the other
 * side closes, breaks the framing, or is silent for too long.
 */

/* Appends the whole answer, netstring and all, to the question's content. */
typedef void conversation_answer(void *context, struct span question,
    struct buffer *answer);

struct conversation {
	size_t question_limit; /* octets inside a netstring */
	size_t answer_limit;   /* of all of the answer */
	int64_t silence;       /* milliseconds without a question */
	conversation_answer *answer;
	void *context;
};

/* Returns at its end; the stream stays the caller's. */
void conversation_hold(const struct conversation *conversation,
    struct stream *stream);

#endif
