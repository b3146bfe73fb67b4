/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "tests/unit/message_world.h"

static void
check_as(struct message *message, enum message_actor actor,
    enum world_key key)
{
	const struct message_parties parties = world_parties();
	struct buffer mime = buffer_make(FUZZ_LIMIT);
	struct message_envelope envelope;
	char sender[ADDRESS_SIZE];

	if (message_unlock(message, actor, agreer_of_scalar(world.keys[key]),
	    NULL) == 0) {
		message_origin_envelope(message, &envelope, NULL);
		message_destination_envelope(message, &envelope, NULL);
		message_verify_organization(message, world.alpha, NULL,
		    NULL);
		message_check_as_origin(message, &parties, &envelope, NULL);
		message_check_as_destination(message, &parties, &envelope,
		    NULL);
		if (message_open(message, &parties, FUZZ_LIMIT, &mime, sender,
		    NULL) != 0)
			FUZZ_CHECK(mime.length == 0);
	}
	buffer_free(&mime);
	message->unlocked[actor] = false;
}

/* A message from alice to bob as each of the four would take it, with signets
 * of either layout. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message *message;

	if (message_read(span_of(data, size), FUZZ_LIMIT, &message, NULL) != 0)
		return 0;
	for (int i = 0; i < LAYOUTS; i++) {
		world_choose((enum layout)i);
		check_as(message, MESSAGE_AUTHOR, WORLD_ALICE);
		check_as(message, MESSAGE_ORIGIN, WORLD_ALPHA);
		check_as(message, MESSAGE_DESTINATION, WORLD_BETA);
		check_as(message, MESSAGE_RECIPIENT, WORLD_BOB);
	}
	message_free(message);
	return 0;
}
