/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/corpus/corpus.h"
#include "tests/unit/message_world.h"

#include "dime/armor.h"
#include "dime/headers.h"

enum { LIBDIME_BODY = 16777131 }; /* what its one content chunk can hold */

/* Opens as one actor what came as `data`, binary or armored. */
static bool
opens_to(struct span data, enum message_actor actor, uint8_t scalar,
    const char *name, struct span expected)
{
	struct message_parties parties = world_parties();
	struct buffer opened = buffer_make(WORLD_LIMIT);
	struct message *message = NULL;
	char sender[ADDRESS_SIZE];
	struct fault fault = {0};
	bool same;
	int err;

	err = message_read(data, WORLD_LIMIT, &message, &fault);
	if (err == 0)
		err = message_unlock(message, actor,
		    agreer_of_scalar(world.keys[scalar]), &fault);
	if (err == 0)
		err = message_open(message, &parties, WORLD_LIMIT, &opened,
		    sender, &fault);
	same = err == 0 && span_equal(buffer_span(&opened), expected);
	if (!same)
		print_error("%s, as %s: %s\n", name, message_actor_name(actor),
		    err == 0 ? "other octets" : fault.text);
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
	           message->name, message->mail) &&
	    opens_to(buffer_span(&armored), MESSAGE_RECIPIENT, WORLD_BOB,
	        message->name, message->mail);
	buffer_free(&armored);
	buffer_free(&sealed);
	return good;
}

static void
every_message_comes_back(void **state)
{
	corpus_each(comes_back);
}

/* Whether a message is too large to be sealed, and nothing comes of it. */
static bool
is_refused(const struct corpus_message *message)
{
	static const uint8_t key[32] = {2};
	struct buffer out = buffer_make(WORLD_LIMIT);
	struct random_source random;
	struct message_seal seal = world_seal(&random);
	bool refused;

	random_start_keyed(&random, key, span_string(message->name));
	refused = message_seal(&seal, message->mail, &out, NULL) ==
	        ERR_TOO_LARGE && out.length == 0;
	random_end(&random);
	buffer_free(&out);
	return refused;
}

/* In that dialect a body has at least a line end, and fits in one chunk. */
static bool
comes_back_from_libdime(const struct corpus_message *message)
{
	struct buffer expected = buffer_make(WORLD_LIMIT), sealed;
	struct span block, body;
	bool good = true;

	headers_split(message->mail, &block, &body);
	if (body.length > LIBDIME_BODY)
		return is_refused(message);
	buffer_append_span(&expected, message->mail);
	if (body.length == 0)
		buffer_append_string(&expected, "\r\n");
	sealed = world_sealed(message->mail, message->name,
	    MESSAGE_BOUNCE_DISPLAY);
	good = opens_to(buffer_span(&sealed), MESSAGE_RECIPIENT, WORLD_BOB,
	    message->name, buffer_span(&expected));
	buffer_free(&sealed);
	buffer_free(&expected);
	return good;
}

static void
every_message_comes_back_from_libdime(void **state)
{
	world_choose(LAYOUT_LIBDIME);
	corpus_each(comes_back_from_libdime);
	world_choose(LAYOUT_STANDARD);
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
	    cmocka_unit_test(every_message_comes_back_from_libdime),
	};

	if (!corpus_can_be_made())
		return 77;
	return cmocka_run_group_tests_name("round trip", tests, start,
	    world_end);
}
