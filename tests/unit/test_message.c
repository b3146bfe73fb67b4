/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/message_world.h"

static void
messages_come_back(void **state)
{
	static const struct {
		const char *name;
		struct span mime;
		unsigned int bounce;
	} cases[] = {
	    {"letter", OCTETS("From: a\r\nSubject: b\r\n\r\nbody\r\n"), 0},
	    {"empty", OCTETS(""), 0},
	    {"empty body", OCTETS("Subject: b\r\n\r\n"), 0},
	    {"body only", OCTETS("no header here\n"), 0},
	    {"no empty line", OCTETS("Subject: b\r\nX: y\nbody"), 0},
	    {"any octets", OCTETS("\0\1\2\xff\r\n\r\r\n\n"), 0},
	    {"bounce signatures", OCTETS("Subject: b\r\n\r\nbody\r\n"),
	        MESSAGE_BOUNCE_METADATA | MESSAGE_BOUNCE_DISPLAY},
	    {"bounce signature on metadata", OCTETS("Subject: b\r\n\r\nx"),
	        MESSAGE_BOUNCE_METADATA},
	    {"bounce signature on display", OCTETS("Subject: b\r\n\r\n"),
	        MESSAGE_BOUNCE_DISPLAY},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer sealed = world_sealed(cases[i].mime,
		    cases[i].name, cases[i].bounce);
		struct message *message = world_message(buffer_span(&sealed),
		    MESSAGE_AUTHOR);

		unit_case(cases[i].name);
		world_expect_open(buffer_span(&sealed), cases[i].mime);
		for (size_t j = 0; j < message->chunk_count; j++)
			assert_in_set(message->chunks[j].type,
			    ((unsigned long[]){2, 4, 5, 33, 34, 67, 225, 226,
			    248, 249, 255}), 11);
		message_free(message);
		buffer_free(&sealed);
	}
}

/* Bodies around the borders of blocks and padding, with their chunk lengths. */
static void
every_length_comes_back(void **state)
{
	struct buffer mime = buffer_make(WORLD_LIMIT);

	buffer_append_string(&mime, "Subject: b\r\n\r\n");
	for (int i = 0; i < 600; i++) {
		struct buffer sealed =
		    world_sealed(buffer_span(&mime), "length", 0);
		struct message *message = world_message(buffer_span(&sealed),
		    MESSAGE_RECIPIENT);

		world_expect_open(buffer_span(&sealed), buffer_span(&mime));
		for (size_t j = 0; j < message->chunk_count; j++)
			if (message->chunks[j].type == MESSAGE_DISPLAY_CONTENT)
				assert_in_range(
				    message->chunks[j].payload.length, 256,
				    69 + (size_t)i + 255);
		message_free(message);
		buffer_free(&sealed);
		buffer_u8(&mime, (uint8_t)i);
	}
	buffer_free(&mime);
}

static void
sealing_repeats(void **state)
{
	struct buffer first = world_sealed(world_letter, "one", 3);
	struct buffer again = world_sealed(world_letter, "one", 3);
	struct buffer other = world_sealed(world_letter, "two", 3);
	char first_name[SIGNET_FINGERPRINT_SIZE];
	char other_name[SIGNET_FINGERPRINT_SIZE];
	struct message *message;

	assert_true(span_equal(buffer_span(&first), buffer_span(&again)));
	assert_false(span_equal(buffer_span(&first), buffer_span(&other)));
	message = world_message(buffer_span(&first), MESSAGE_RECIPIENT);
	message_identifier(message, first_name);
	message_free(message);
	message = world_message(buffer_span(&other), MESSAGE_RECIPIENT);
	message_identifier(message, other_name);
	message_free(message);
	assert_string_not_equal(first_name, other_name);
	buffer_free(&first);
	buffer_free(&again);
	buffer_free(&other);
}

/* Padding counts are drawn: equal messages have chunks of several lengths. */
static void
padding_varies(void **state)
{
	size_t least = SIZE_MAX, most = 0;
	char label[] = "padding a";

	for (; label[8] < 'a' + 20; label[8]++) {
		struct buffer sealed = world_sealed(world_letter, label, 0);

		if (sealed.length < least)
			least = sealed.length;
		if (sealed.length > most)
			most = sealed.length;
		buffer_free(&sealed);
	}
	assert_true(most - least >= 64);
}

static void
envelope_sender_travels(void **state)
{
	static const struct {
		const char *name, *given, *found;
	} cases[] = {
	    {"the author", NULL, "alice@alpha.test"},
	    {"null", "", ""},
	    {"another", "list-bounces@alpha.test", "list-bounces@alpha.test"},
	    {"upper case", "List@Alpha.TEST", "List@alpha.test"},
	    {"SRS", "SRS0=aB+c=3D=orig.example=User@alpha.test",
	        "SRS0=aB+c=3D=orig.example=User@alpha.test"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct random_source random;
		struct message_seal seal = world_seal(&random);
		struct message_parties parties = world_parties();
		struct buffer sealed = buffer_make(WORLD_LIMIT);
		struct buffer mime = buffer_make(WORLD_LIMIT);
		char sender[ADDRESS_SIZE];
		struct message *message;

		unit_case(cases[i].name);
		random_start(&random);
		seal.sender = cases[i].given;
		assert_int_equal(message_seal(&seal, world_letter, &sealed,
		    NULL), 0);
		message = world_message(buffer_span(&sealed),
		    MESSAGE_RECIPIENT);
		assert_int_equal(message_open(message, &parties, WORLD_LIMIT,
		    &mime, sender, NULL), 0);
		assert_string_equal(sender, cases[i].found);
		assert_true(span_equal(buffer_span(&mime), world_letter));
		message_free(message);
		buffer_free(&sealed);
		buffer_free(&mime);
	}
}

static void
tagged_recipient_fits_the_signet(void **state)
{
	static const struct {
		const char *name, *sender, *given, *spelled;
	} cases[] = {
	    {"mail", NULL, "Bob+News@BETA.test", "bob+news@beta.test"},
	    {"bounce", "", "Bob+News@BETA.test", "Bob+News@beta.test"},
	    {"bounce without a tag", "", "Bob@BETA.test", "bob@beta.test"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct random_source random;
		struct message_seal seal = world_seal(&random);
		struct message_envelope envelope;
		struct buffer sealed = buffer_make(WORLD_LIMIT);
		struct message *message;

		unit_case(cases[i].name);
		random_start(&random);
		seal.sender = cases[i].sender;
		seal.recipient = cases[i].given;
		assert_int_equal(message_seal(&seal, world_letter, &sealed,
		    NULL), 0);
		world_expect_open(buffer_span(&sealed), world_letter);
		message = world_message(buffer_span(&sealed),
		    MESSAGE_DESTINATION);
		assert_int_equal(message_destination_envelope(message,
		    &envelope, NULL), 0);
		assert_string_equal(envelope.spelled, cases[i].spelled);
		message_free(message);
		buffer_free(&sealed);
	}
}

static void
another_recipient_does_not_fit(void **state)
{
	struct random_source random;
	struct message_seal seal = world_seal(&random);
	struct buffer sealed = buffer_make(WORLD_LIMIT);

	random_start(&random);
	seal.recipient = "carol@beta.test";
	assert_int_equal(message_seal(&seal, world_letter, &sealed, NULL),
	    ERR_MISMATCH);
	assert_int_equal(sealed.length, 0);
	buffer_free(&sealed);
}

static void
what_does_not_fit_is_not_sealed(void **state)
{
	enum { CASES = 8 };
	static const char *const names[CASES] = {
	    "author's key", "origin's key", "key of a SOK for users",
	    "foreign author", "foreign recipient", "sender that is no address",
	    "no room", "SOK for messages"};
	static const int errors[CASES] = {ERR_MISMATCH, ERR_MISMATCH,
	    ERR_MISMATCH, ERR_MISMATCH, ERR_MISMATCH, ERR_FORMAT,
	    ERR_TOO_LARGE, 0};

	for (size_t i = 0; i < CASES; i++) {
		struct random_source random;
		struct message_seal seal = world_seal(&random);
		struct buffer out = buffer_make(i == 6 ? 3000 : WORLD_LIMIT);
		struct fault fault = {0};

		unit_case(names[i]);
		random_start(&random);
		if (i == 0)
			seal.author_signer =
			    signer_of_seed(world.keys[WORLD_BOB]);
		if (i == 1)
			seal.origin_signer =
			    signer_of_seed(world.keys[WORLD_BETA]);
		if (i == 2)
			seal.origin_signer =
			    signer_of_seed(world.keys[WORLD_SOK_USERS]);
		if (i == 3)
			seal.parties.origin = world.beta;
		if (i == 4)
			seal.parties.destination = world.alpha;
		if (i == 5)
			seal.sender = "nobody";
		if (i == 7)
			seal.origin_signer =
			    signer_of_seed(world.keys[WORLD_SOK_MESSAGES]);
		assert_int_equal(message_seal(&seal, world_letter, &out,
		    &fault),
		    errors[i]);
		if (errors[i] == 0)
			world_expect_open(buffer_span(&out), world_letter);
		else
			assert_true(out.length == 0 && fault.text[0] != '\0');
		buffer_free(&out);
	}
}

static void
wrong_parties_are_refused(void **state)
{
	enum { CASES = 4 };
	static const char *const names[CASES] = {
	    "author", "origin", "destination", "recipient"};
	static const int errors[CASES] = {
	    ERR_SIGNATURE, ERR_MISMATCH, ERR_MISMATCH, ERR_MISMATCH};
	struct buffer sealed = world_sealed(world_letter, "parties", 0);

	for (size_t i = 0; i < CASES; i++) {
		struct message_parties parties = world_parties();
		struct buffer mime = buffer_make(WORLD_LIMIT);

		unit_case(names[i]);
		if (i == 0)
			parties.author = world.mallory;
		if (i == 1)
			parties.origin = world.beta;
		if (i == 2)
			parties.destination = world.alpha;
		if (i == 3)
			parties.recipient = world.carol;
		assert_int_equal(world_open(buffer_span(&sealed), &parties,
		    &mime), errors[i]);
		buffer_free(&mime);
	}
	buffer_free(&sealed);
}

/* Later, when nobody has the signets that were sealed for. */
static void
an_author_needs_no_addressee(void **state)
{
	struct message_parties parties = world_parties();
	struct buffer sealed = world_sealed(world_letter, "addressee", 0);
	struct buffer mime = buffer_make(WORLD_LIMIT);
	char sender[ADDRESS_SIZE];

	parties.destination = NULL;
	parties.recipient = NULL;
	for (int i = 0; i < MESSAGE_ACTORS; i++) {
		struct message *message = world_message(buffer_span(&sealed),
		    (enum message_actor)i);

		unit_case(message_actor_name((enum message_actor)i));
		assert_int_equal(message_open(message, &parties, WORLD_LIMIT,
		    &mime, sender, NULL), i == MESSAGE_AUTHOR ? 0 :
		    i == MESSAGE_RECIPIENT ? ERR_USAGE : ERR_NO_ACCESS);
		if (i == MESSAGE_AUTHOR)
			assert_true(span_equal(buffer_span(&mime),
			    world_letter));
		else
			assert_int_equal(mime.length, 0);
		buffer_reset(&mime);
		message_free(message);
	}
	buffer_free(&sealed);
	buffer_free(&mime);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages_come_back),
	    cmocka_unit_test(every_length_comes_back),
	    cmocka_unit_test(sealing_repeats),
	    cmocka_unit_test(padding_varies),
	    cmocka_unit_test(envelope_sender_travels),
	    cmocka_unit_test(tagged_recipient_fits_the_signet),
	    cmocka_unit_test(another_recipient_does_not_fit),
	    cmocka_unit_test(what_does_not_fit_is_not_sealed),
	    cmocka_unit_test(wrong_parties_are_refused),
	    cmocka_unit_test(an_author_needs_no_addressee),
	};

	return cmocka_run_group_tests(tests, world_start, world_end);
}
