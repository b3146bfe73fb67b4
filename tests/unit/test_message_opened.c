/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/message_world.h"

#include "dime/armor.h"
#include "dime/headers.h"

/* Who opens what, with which keys. */

static void
wrong_keys_open_nothing(void **state)
{
	struct message_parties parties = world_parties();
	struct buffer sealed = world_sealed(world_letter, "keys", 0);
	struct buffer mime = buffer_make(WORLD_LIMIT);
	char sender[ADDRESS_SIZE];

	for (int i = 0; i < WORLD_KEYS; i++) {
		struct fault fault = {0};
		struct message *message;

		assert_int_equal(message_parse(buffer_span(&sealed), &message,
		    NULL), 0);
		assert_int_equal(message_unlock(message, MESSAGE_RECIPIENT,
		    agreer_of_scalar(world.keys[i]), NULL), 0);
		assert_int_equal(message_open(message, &parties, WORLD_LIMIT,
		    &mime, sender, &fault),
		    i == WORLD_BOB ? 0 : ERR_SIGNATURE);
		message_free(message);
		buffer_reset(&mime);
	}
	buffer_free(&sealed);
	buffer_free(&mime);
}

/* Keys that may not sign messages are not tried. */
static void
keys_are_tried_in_order(void **state)
{
	static const struct {
		const char *name;
		bool own; /* verified as alpha's, who has two SOKs */
		enum world_key signer;
		int err;
		size_t in_vain;
	} cases[] = {
	    {"the POK", true, WORLD_ALPHA, 0, 0},
	    {"a SOK", true, WORLD_SOK_MESSAGES, 0, 1},
	    {"nobody's", false, WORLD_ALPHA, ERR_SIGNATURE, 1},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct random_source random;
		struct message_seal seal = world_seal(&random);
		struct buffer sealed = buffer_make(WORLD_LIMIT);
		struct message *message;
		size_t in_vain = 99;

		unit_case(cases[i].name);
		random_start(&random);
		seal.origin_signer =
		    signer_of_seed(world.keys[cases[i].signer]);
		assert_int_equal(message_seal(&seal, world_letter, &sealed,
		    NULL), 0);
		message = world_message(buffer_span(&sealed),
		    MESSAGE_DESTINATION);
		assert_int_equal(message_verify_organization(message,
		    cases[i].own ? world.alpha : world.beta, &in_vain, NULL),
		    cases[i].err);
		assert_int_equal(in_vain, cases[i].in_vain);
		message_free(message);
		buffer_free(&sealed);
	}
}

/* What each actor can read, and only that. */
static void
actors_see_their_part(void **state)
{
	struct message_parties parties = world_parties();
	struct buffer sealed = world_sealed(world_letter, "actors", 3);

	for (int i = 0; i < MESSAGE_ACTORS; i++) {
		struct message *message = world_message(buffer_span(&sealed),
		    (enum message_actor)i);
		struct buffer mime = buffer_make(WORLD_LIMIT);
		struct message_envelope envelope;
		char sender[ADDRESS_SIZE];
		bool may_read = i == MESSAGE_AUTHOR || i == MESSAGE_RECIPIENT;

		unit_case(message_actor_name((enum message_actor)i));
		assert_int_equal(message_verify_organization(message,
		    world.alpha, NULL, NULL), 0);
		assert_int_equal(message_verify_organization(message,
		    world.beta, NULL, NULL), ERR_SIGNATURE);
		assert_int_equal(message_origin_envelope(message, &envelope,
		    NULL), i == MESSAGE_DESTINATION ? ERR_NO_ACCESS : 0);
		assert_int_equal(message_destination_envelope(message,
		    &envelope, NULL), i == MESSAGE_ORIGIN ? ERR_NO_ACCESS : 0);
		assert_int_equal(message_open(message, &parties, WORLD_LIMIT,
		    &mime, sender, NULL), may_read ? 0 : ERR_NO_ACCESS);
		assert_int_equal(message_check_as_origin(message, &parties,
		    &envelope, NULL),
		    i == MESSAGE_ORIGIN ? 0 : ERR_NO_ACCESS);
		assert_int_equal(message_check_as_destination(message, &parties,
		    &envelope, NULL),
		    i == MESSAGE_DESTINATION ? 0 : ERR_NO_ACCESS);
		message_free(message);
		buffer_free(&mime);
	}
	buffer_free(&sealed);
}

/* The header comes without the content, to those who can read it. */
static void
header_opens_alone(void **state)
{
	struct message_parties parties = world_parties();
	struct buffer sealed = world_sealed(world_letter, "header", 3);
	struct span wanted, body;

	headers_split(world_letter, &wanted, &body);
	for (int i = 0; i < MESSAGE_ACTORS; i++) {
		struct message *message = world_message(buffer_span(&sealed),
		    (enum message_actor)i);
		struct buffer block = buffer_make(WORLD_LIMIT);
		char sender[ADDRESS_SIZE];
		bool may_read = i == MESSAGE_AUTHOR || i == MESSAGE_RECIPIENT;

		unit_case(message_actor_name((enum message_actor)i));
		assert_int_equal(message_open_header(message, &parties,
		    wanted.length - 1, &block, sender, NULL),
		    may_read ? ERR_TOO_LARGE : ERR_NO_ACCESS);
		assert_int_equal(block.length, 0);
		assert_int_equal(message_open_header(message, &parties,
		    wanted.length, &block, sender, NULL),
		    may_read ? 0 : ERR_NO_ACCESS);
		assert_true(!may_read ||
		    span_equal(buffer_span(&block), wanted));
		assert_string_equal(sender, may_read ? "alice@alpha.test" : "");
		message_free(message);
		buffer_free(&block);
	}
	buffer_free(&sealed);
}

/* Any bit of what the signatures cover, the content included, refuses it. */
static void
flipped_bits_refuse_the_header(void **state)
{
	struct message_parties parties = world_parties();
	struct buffer sealed = world_sealed(world_letter, "header", 0);
	size_t end = sealed.length - 4 * 64; /* the slots of 255 */

	for (size_t i = 6; i < end; i++) {
		struct buffer block = buffer_make(WORLD_LIMIT);
		struct message *message;
		char sender[ADDRESS_SIZE];

		sealed.data[i] ^= (uint8_t)(1 << i % 8);
		if (message_parse(buffer_span(&sealed), &message, NULL) == 0) {
			int err = message_unlock(message, MESSAGE_RECIPIENT,
			    agreer_of_scalar(world.keys[WORLD_BOB]), NULL);

			if (err == 0)
				err = message_open_header(message, &parties,
				    WORLD_LIMIT, &block, sender, NULL);
			assert_int_not_equal(err, 0);
			assert_int_equal(block.length, 0);
			message_free(message);
		}
		sealed.data[i] ^= (uint8_t)(1 << i % 8);
		buffer_free(&block);
	}
	buffer_free(&sealed);
}

static void
limit_holds(void **state)
{
	struct message_parties parties = world_parties();
	struct buffer sealed = world_sealed(world_letter, "limit", 0);
	struct buffer mime = buffer_make(WORLD_LIMIT);
	struct message *message = world_message(buffer_span(&sealed),
	    MESSAGE_RECIPIENT);
	char sender[ADDRESS_SIZE];

	buffer_append_string(&mime, "kept");
	for (size_t i = 0; i < world_letter.length; i++) {
		assert_int_equal(message_open(message, &parties, i, &mime,
		    sender, NULL), ERR_TOO_LARGE);
		assert_true(span_equal_string(buffer_span(&mime), "kept"));
	}
	assert_int_equal(message_open(message, &parties, world_letter.length,
	    &mime,
	    sender, NULL), 0);
	assert_int_equal(mime.length, 4 + world_letter.length);
	message_free(message);
	buffer_free(&mime);
	buffer_free(&sealed);
}

static void
read_takes_both_forms(void **state)
{
	struct buffer sealed = world_sealed(world_letter, "armor", 0);
	struct buffer armored = buffer_make(WORLD_LIMIT);
	struct message *message;

	armor_write(ARMOR_MESSAGE, buffer_span(&sealed), &armored);
	assert_int_equal(message_read(buffer_span(&armored), sealed.length,
	    &message, NULL), 0);
	assert_true(span_equal(message_binary(message), buffer_span(&sealed)));
	message_free(message);
	assert_int_equal(message_read(buffer_span(&sealed), sealed.length,
	    &message, NULL), 0);
	message_free(message);
	assert_int_equal(message_read(buffer_span(&armored), sealed.length - 1,
	    &message, NULL), ERR_TOO_LARGE);
	assert_null(message);
	assert_int_equal(message_read(buffer_span(&sealed), sealed.length - 1,
	    &message, NULL), ERR_TOO_LARGE);
	buffer_reset(&armored);
	armor_write(ARMOR_USER_SIGNET, buffer_span(&sealed), &armored);
	assert_int_equal(message_read(buffer_span(&armored), WORLD_LIMIT,
	    &message, NULL), ERR_FORMAT);
	assert_int_equal(message_read(span_string(""), WORLD_LIMIT, &message,
	    NULL), ERR_FORMAT);
	assert_int_equal(message_read(span_string(
	    "-----BEGIN ENCRYPTED MESSAGE-----\n"
	    "-----END ENCRYPTED MESSAGE-----\n"), WORLD_LIMIT, &message, NULL),
	    ERR_FORMAT);
	buffer_free(&armored);
	buffer_free(&sealed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wrong_keys_open_nothing),
	    cmocka_unit_test(keys_are_tried_in_order),
	    cmocka_unit_test(actors_see_their_part),
	    cmocka_unit_test(header_opens_alone),
	    cmocka_unit_test(flipped_bits_refuse_the_header),
	    cmocka_unit_test(limit_holds),
	    cmocka_unit_test(read_takes_both_forms),
	};

	return cmocka_run_group_tests(tests, world_start, world_end);
}
