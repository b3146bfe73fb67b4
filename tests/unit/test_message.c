/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "tests/unit/message_world.h"

#include "dime/armor.h"
#include "dime/headers.h"

#define OCTETS(text) {(const uint8_t *)(text), sizeof(text) - 1}

static const struct span letter = OCTETS("Received: by alpha.test\r\n"
    "From: Alice <alice@alpha.test>\r\nTo: bob@beta.test\r\n"
    "Subject: Caf\xc3\xa9\r\n at nine\r\nMessage-ID: <1@alpha.test>\r\n\r\n"
    "Bring the papers.\r\n");

static void
expect_open(struct span binary, struct span mime)
{
	struct message_parties parties = world_parties();
	struct buffer opened = buffer_make(WORLD_LIMIT);

	assert_int_equal(world_open(binary, &parties, &opened), 0);
	assert_true(span_equal(buffer_span(&opened), mime));
	buffer_free(&opened);
}

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
		expect_open(buffer_span(&sealed), cases[i].mime);
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

		expect_open(buffer_span(&sealed), buffer_span(&mime));
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
	struct buffer first = world_sealed(letter, "one", 3);
	struct buffer again = world_sealed(letter, "one", 3);
	struct buffer other = world_sealed(letter, "two", 3);
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
		struct buffer sealed = world_sealed(letter, label, 0);

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
		assert_int_equal(message_seal(&seal, letter, &sealed, NULL), 0);
		message = world_message(buffer_span(&sealed),
		    MESSAGE_RECIPIENT);
		assert_int_equal(message_open(message, &parties, WORLD_LIMIT,
		    &mime, sender, NULL), 0);
		assert_string_equal(sender, cases[i].found);
		assert_true(span_equal(buffer_span(&mime), letter));
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
		assert_int_equal(message_seal(&seal, letter, &sealed, NULL), 0);
		expect_open(buffer_span(&sealed), letter);
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
	assert_int_equal(message_seal(&seal, letter, &sealed, NULL),
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
		assert_int_equal(message_seal(&seal, letter, &out, &fault),
		    errors[i]);
		if (errors[i] == 0)
			expect_open(buffer_span(&out), letter);
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
	struct buffer sealed = world_sealed(letter, "parties", 0);

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
	struct buffer sealed = world_sealed(letter, "addressee", 0);
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
			assert_true(span_equal(buffer_span(&mime), letter));
		else
			assert_int_equal(mime.length, 0);
		buffer_reset(&mime);
		message_free(message);
	}
	buffer_free(&sealed);
	buffer_free(&mime);
}

static void
wrong_keys_open_nothing(void **state)
{
	struct message_parties parties = world_parties();
	struct buffer sealed = world_sealed(letter, "keys", 0);
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

/* What each actor can read, and only that. */
static void
actors_see_their_part(void **state)
{
	struct message_parties parties = world_parties();
	struct buffer sealed = world_sealed(letter, "actors", 3);

	for (int i = 0; i < MESSAGE_ACTORS; i++) {
		struct message *message = world_message(buffer_span(&sealed),
		    (enum message_actor)i);
		struct buffer mime = buffer_make(WORLD_LIMIT);
		struct message_envelope envelope;
		char sender[ADDRESS_SIZE];
		bool may_read = i == MESSAGE_AUTHOR || i == MESSAGE_RECIPIENT;

		unit_case(message_actor_name((enum message_actor)i));
		assert_int_equal(message_verify_organization(message,
		    world.alpha, NULL), 0);
		assert_int_equal(message_verify_organization(message,
		    world.beta, NULL), ERR_SIGNATURE);
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
	struct buffer sealed = world_sealed(letter, "header", 3);
	struct span wanted, body;

	headers_split(letter, &wanted, &body);
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
	struct buffer sealed = world_sealed(letter, "header", 0);
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
	struct buffer sealed = world_sealed(letter, "limit", 0);
	struct buffer mime = buffer_make(WORLD_LIMIT);
	struct message *message = world_message(buffer_span(&sealed),
	    MESSAGE_RECIPIENT);
	char sender[ADDRESS_SIZE];

	buffer_append_string(&mime, "kept");
	for (size_t i = 0; i < letter.length; i++) {
		assert_int_equal(message_open(message, &parties, i, &mime,
		    sender, NULL), ERR_TOO_LARGE);
		assert_true(span_equal_string(buffer_span(&mime), "kept"));
	}
	assert_int_equal(message_open(message, &parties, letter.length, &mime,
	    sender, NULL), 0);
	assert_int_equal(mime.length, 4 + letter.length);
	message_free(message);
	buffer_free(&mime);
	buffer_free(&sealed);
}

static void
read_takes_both_forms(void **state)
{
	struct buffer sealed = world_sealed(letter, "armor", 0);
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

/* Octets that do not compress, or one octet all over. */
static void
fill_body(struct span body, bool packs)
{
	static const uint8_t key[32] = {1};
	struct random_source random;
	uint8_t *octets = (uint8_t *)(uintptr_t)body.data;

	random_start_keyed(&random, key, span_string("body"));
	if (packs && body.length > 0)
		memset(octets, 'a', body.length);
	else if (!packs)
		random_fill(&random, octets, body.length);
	random_end(&random);
}

/* The chunks of a sealed body: cut into its parts, each compressed by
 * itself. */
static void
bodies_are_cut_and_compressed(void **state)
{
	enum { LONG = 100000, SAMPLE = 65536 };
	static const struct {
		const char *name;
		size_t random; /* octets that do not compress, */
		size_t same;   /* and behind them octets that do */
		bool packs;
	} cases[] = {{"nothing", 0, 0, false}, {"short", 20, 0, false},
	    {"long, all the same", 0, LONG, true},
	    {"random", LONG, 0, false}, {"first half random", 500, 500, true},
	    {"begins random", SAMPLE, LONG, false},
	    {"begins shrinking", SAMPLE - 1000, LONG, true},
	    {"random, as long as the sample", SAMPLE, 0, false}};
	static const struct span top = OCTETS(
	    "Content-Type: multipart/mixed; boundary=a\r\n\r\n"),
	    text = OCTETS("--a\r\n\r\nx\r\n"),
	    part = OCTETS("\r\n--a\r\nContent-Type: image/png\r\n\r\n");

	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t all = cases[i].random + cases[i].same;
		struct buffer mime = buffer_make(WORLD_LIMIT), sealed;
		struct message *message;
		const struct message_chunk *chunk;
		size_t found;

		unit_case(cases[i].name);
		buffer_append_span(&mime, top);
		assert_non_null(buffer_extend(&mime, all));
		fill_body(span_slice(buffer_span(&mime), top.length,
		    cases[i].random), false);
		fill_body(span_slice(buffer_span(&mime), top.length +
		    cases[i].random, SIZE_MAX), true);
		buffer_append_span(&mime, part);
		buffer_append_span(&mime, text);
		sealed = world_sealed(buffer_span(&mime), "cut", 3);
		message = world_message(buffer_span(&sealed),
		    MESSAGE_RECIPIENT);
		chunk = &message->chunks[5];
		assert_int_equal(chunk[0].type, 65);
		assert_int_equal(chunk[1].type, 131);
		assert_int_equal(chunk[2].type, 131);
		assert_int_equal(chunk[3].type, MESSAGE_TREE_SIGNATURE);
		assert_int_equal(message_try_chunk(message, chunk,
		    MESSAGE_RECIPIENT, &found, NULL), 0);
		if (cases[i].packs)
			assert_true(found < all + 2);
		else
			assert_int_equal(found, all + 2);
		message_free(message);
		expect_open(buffer_span(&sealed), buffer_span(&mime));
		buffer_free(&mime);
		buffer_free(&sealed);
	}
}

/* A body that needs three chunks, one that just does not need two, and one that
 * needs but one since it is compressed. */
static void
large_bodies_are_split(void **state)
{
	enum { PIECE = 16777131, HEADER = 14 };
	static const struct {
		size_t body;
		bool packs;
		size_t chunks;
	} cases[] = {{PIECE, false, 1}, {2 * PIECE + 1, false, 3},
	    {2 * PIECE + 1, true, 1}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer mime = buffer_make(WORLD_LIMIT), sealed;
		struct message *message;
		size_t found = 0;

		buffer_append_string(&mime, "Subject: b\r\n\r\n");
		assert_non_null(buffer_extend(&mime, cases[i].body));
		fill_body(span_slice(buffer_span(&mime), HEADER, SIZE_MAX),
		    cases[i].packs);
		sealed = world_sealed(buffer_span(&mime), "large", 0);
		message = world_message(buffer_span(&sealed),
		    MESSAGE_RECIPIENT);
		for (size_t j = 0; j < message->chunk_count; j++)
			found += message->chunks[j].type ==
			    MESSAGE_DISPLAY_CONTENT;
		assert_int_equal(found, cases[i].chunks);
		message_free(message);
		expect_open(buffer_span(&sealed), buffer_span(&mime));
		buffer_free(&mime);
		buffer_free(&sealed);
	}
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
	    cmocka_unit_test(bodies_are_cut_and_compressed),
	    cmocka_unit_test(wrong_parties_are_refused),
	    cmocka_unit_test(an_author_needs_no_addressee),
	    cmocka_unit_test(wrong_keys_open_nothing),
	    cmocka_unit_test(actors_see_their_part),
	    cmocka_unit_test(header_opens_alone),
	    cmocka_unit_test(flipped_bits_refuse_the_header),
	    cmocka_unit_test(limit_holds),
	    cmocka_unit_test(read_takes_both_forms),
	    cmocka_unit_test(large_bodies_are_split),
	};

	return cmocka_run_group_tests(tests, world_start, world_end);
}
