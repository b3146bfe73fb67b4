/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/corpus/corpus.h"
#include "tests/unit/message_world.h"

#include "dime/armor.h"

/* Opens as one actor what came as `data`, binary or armored. */
static bool
opens_to(struct span data, enum message_actor actor, uint8_t scalar,
    const struct corpus_message *expected)
{
	struct message_parties parties = world_parties();
	struct buffer opened = buffer_make(WORLD_LIMIT);
	struct message *message = NULL;
	char sender[ADDRESS_SIZE];
	struct fault fault = {0};
	bool same;

	if (message_read(data, WORLD_LIMIT, &message, &fault) == 0 &&
	    message_unlock(message, actor,
	    agreer_of_scalar(world.keys[scalar]), &fault) == 0)
		message_open(message, &parties, WORLD_LIMIT, &opened, sender,
		    &fault);
	same = fault.err == 0 &&
	    span_equal(buffer_span(&opened), expected->mail);
	if (!same)
		print_error("%s, as %s: %s\n", expected->name,
		    message_actor_name(actor),
		    fault.err == 0 ? "other octets" : fault.text);
	message_free(message);
	buffer_free(&opened);
	return same;
}

/* The author has it back from the binary form, the recipient from armor. */
static bool
comes_back(const struct corpus_message *message)
{
	struct buffer sealed = world_sealed(message->mail, message->name,
	    MESSAGE_BOUNCE_METADATA | MESSAGE_BOUNCE_DISPLAY);
	struct buffer armored = buffer_make(2 * (size_t)WORLD_LIMIT);
	bool good;

	armor_write(ARMOR_MESSAGE, buffer_span(&sealed), &armored);
	assert_int_equal(armored.error, 0);
	good = opens_to(buffer_span(&sealed), MESSAGE_AUTHOR, WORLD_ALICE,
	           message) &&
	    opens_to(buffer_span(&armored), MESSAGE_RECIPIENT, WORLD_BOB,
	        message);
	buffer_free(&armored);
	buffer_free(&sealed);
	return good;
}

static void
every_message_comes_back(void **state)
{
	corpus_each(comes_back);
}

static int
start(void **state)
{
	corpus_make();
	return world_start(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_message_comes_back),
	};

	if (!corpus_can_be_made())
		return 77;
	return cmocka_run_group_tests_name("round trip", tests, start,
	    world_end);
}
