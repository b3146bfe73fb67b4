/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "tests/unit/explain_cover.h"
#include "tests/unit/message_world.h"

static const enum world_key actor_keys[MESSAGE_ACTORS] = {
    WORLD_ALICE, WORLD_ALPHA, WORLD_BETA, WORLD_BOB};

/* What is told covers the message, unless it has another magic number. */
static void
explain(const struct message *message)
{
	struct cover cover;

	cover_start(&cover);
	FUZZ_CHECK(message_explain(message, &cover.explainer, NULL) == 0);
	if (cover.count > 0)
		cover_end(&cover, span_of(message->blob - message->tracing,
		    message->tracing + message->length));
	cover_free(&cover);
}

static void
describe(struct message *message)
{
	struct buffer text = buffer_make(FUZZ_LIMIT);
	int refusal;

	message_describe(message, &text, &refusal, NULL);
	buffer_reset(&text);
	for (int i = 0; i < MESSAGE_ACTORS; i++)
		message_unlock(message, (enum message_actor)i,
		    agreer_of_scalar(world.keys[actor_keys[i]]), NULL);
	message_describe(message, &text, &refusal, NULL);
	buffer_free(&text);
	explain(message);
}

/* A good message holds its octets; one that can be surveyed can be shown. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message *message = NULL, *survey = NULL;
	struct span input = span_of(data, size);

	message_survey(input, FUZZ_LIMIT, &survey, NULL);
	if (message_read(input, FUZZ_LIMIT, &message, NULL) == 0) {
		FUZZ_CHECK(survey != NULL);
		FUZZ_CHECK(span_equal(message_binary(message),
		    message_binary(survey)));
	}
	if (survey != NULL)
		describe(survey);
	message_free(message);
	message_free(survey);
	return 0;
}
