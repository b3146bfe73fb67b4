/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "client/facts.h"

/* Reads `text` and appends what it says; false when it says nothing. */
static bool
rewrite_request(struct span text, struct buffer *out)
{
	struct buffer storage = buffer_make(FUZZ_LIMIT);
	struct facts_request request;
	bool good = facts_request_read(text, &request, &storage, NULL) == 0;

	if (good)
		facts_request_write(&request, out);
	buffer_free(&storage);
	return good;
}

static bool
rewrite_answer(struct span text, struct buffer *out)
{
	struct facts_answer answer;
	struct org_signet *org = NULL;
	struct user_signet *user = NULL;
	bool good;

	facts_answer_init(&answer);
	good = facts_answer_read(text, &answer, NULL) == 0;
	if (good) {
		facts_answer_write(&answer, out);
		facts_verify(&answer, "b@beta.test", &org, &user, NULL);
	}
	org_signet_free(org);
	user_signet_free(user);
	facts_answer_free(&answer);
	return good;
}

/* What was read and written reads as the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool (*const sides[])(struct span text, struct buffer *out) = {
	    rewrite_request, rewrite_answer};

	for (int i = 0; i < 2; i++) {
		struct buffer first = buffer_make(FUZZ_LIMIT);
		struct buffer second = buffer_make(FUZZ_LIMIT);

		if (sides[i](span_of(data, size), &first)) {
			FUZZ_CHECK(sides[i](buffer_span(&first), &second));
			FUZZ_CHECK(span_equal(buffer_span(&first),
			    buffer_span(&second)));
		}
		buffer_free(&first);
		buffer_free(&second);
	}
	return 0;
}
