/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/message_forge.h"

#include <stdlib.h>

#include "dime/message_private.h"

/* Everything here is in the libdime dialect unless a test chooses otherwise. */
static int
start(void **state)
{
	int err = world_start(state);

	world_choose(LAYOUT_LIBDIME);
	return err;
}

/* The data of the only chunk of a type, as bob reads it, which has no flags. */
static void
read_chunk(struct span sealed, uint8_t type, struct buffer *out)
{
	struct message *message = world_message(sealed, MESSAGE_RECIPIENT);
	const struct access access = {.message = message,
	    .actor = MESSAGE_RECIPIENT, .author = world.alice->signing};
	const struct message_chunk *chunk = chunk_find(message, type);
	struct payload payload;

	assert_non_null(chunk);
	assert_int_equal(payload_open(&access, chunk, &payload), 0);
	assert_int_equal(payload.flags, 0);
	buffer_append_span(out, payload.data);
	payload_free(&payload);
	message_free(message);
}

#define PARTS                                                                  \
	"--b\r\n\r\ntext\r\n--b\r\nContent-Disposition: attachment\r\n\r\n"         \
	"attached\r\n--b--\r\n"
#define MULTIPART                                                              \
	"From: a@b.test\r\nSubject: x\r\n"                                      \
	"Content-Type: multipart/mixed; boundary=b\r\n\r\n" PARTS

static void
chunks_that_are_written(void **state)
{
	static const uint8_t none[] = {2, 4, 5, 33, 34, 67, 225, 226, 249, 255};
	static const uint8_t metadata[] = {2, 4, 5, 33, 34, 67, 225, 226, 248,
	    249, 255};
	static const struct {
		const char *name, *mime, *body;
		unsigned int bounce;
		const uint8_t *types;
		size_t count;
	} cases[] = {
	    {"plain", "Subject: x\r\n\r\nhello", "hello", MESSAGE_BOUNCE_NONE,
	        none, sizeof(none)},
	    {"display bounce", "Subject: x\r\n\r\nhello", "hello",
	        MESSAGE_BOUNCE_DISPLAY, none, sizeof(none)},
	    {"metadata bounce", "Subject: x\r\n\r\nhello", "hello",
	        MESSAGE_BOUNCE_METADATA, metadata, sizeof(metadata)},
	    {"no body", "Subject: x\r\n\r\n", "\r\n", 0, none, sizeof(none)},
	    {"nothing at all", "", "\r\n", 0, none, sizeof(none)},
	    {"attachment", MULTIPART, PARTS, 0, none, sizeof(none)},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer sealed = world_sealed(span_string(cases[i].mime),
		    "label", cases[i].bounce);
		struct buffer body = buffer_make(WORLD_LIMIT);
		struct message *message =
		    world_message(buffer_span(&sealed), MESSAGE_RECIPIENT);

		unit_case(cases[i].name);
		assert_int_equal(message->chunk_count, cases[i].count);
		for (size_t k = 0; k < cases[i].count; k++)
			assert_int_equal(message->chunks[k].type,
			    cases[i].types[k]);
		read_chunk(buffer_span(&sealed), 67, &body);
		assert_true(span_equal_string(buffer_span(&body),
		    cases[i].body));
		message_free(message);
		buffer_free(&sealed);
		buffer_free(&body);
	}
}

static void
text_of_envelope_and_headers(void **state)
{
	struct buffer sealed = world_sealed(span_string(
	    "X: y\r\nSubject: hello\r\nDate: now\r\nCc: c\r\n\r\nbody"),
	    "label", 0);
	struct buffer text = buffer_make(WORLD_LIMIT);
	struct buffer wanted = buffer_make(WORLD_LIMIT);

	buffer_printf(&wanted, "Author: <alice@alpha.test>\r\n"
	    "Author-Signet: [%s]\r\nDestination: <beta.test>\r\n"
	    "Destination-Signet: [%s]\r\n", world.alice->core,
	    world.beta->core);
	read_chunk(buffer_span(&sealed), 4, &text);
	assert_true(span_equal(buffer_span(&text), buffer_span(&wanted)));
	buffer_reset(&text);
	buffer_reset(&wanted);
	buffer_printf(&wanted, "Recipient: <bob@beta.test>\r\n"
	    "Recipient-Signet: [%s]\r\nOrigin: <alpha.test>\r\n"
	    "Origin-Signet: [%s]\r\n", world.bob->core, world.alpha->core);
	read_chunk(buffer_span(&sealed), 5, &text);
	assert_true(span_equal(buffer_span(&text), buffer_span(&wanted)));
	buffer_reset(&text);
	read_chunk(buffer_span(&sealed), 33, &text);
	assert_true(span_equal_string(buffer_span(&text),
	    "Date: now\r\nCC: c\r\nSubject: hello\r\n"));
	buffer_free(&sealed);
	buffer_free(&text);
	buffer_free(&wanted);
}

/* The signature in chunk 225, over what libdime signs and over nothing else. */
static void
tree_is_libdimes(void **state)
{
	struct buffer sealed = world_sealed(span_string("A: b\r\n\r\nc"),
	    "label", 0);
	struct message *message =
	    world_message(buffer_span(&sealed), MESSAGE_RECIPIENT);
	const struct access access = {.message = message,
	    .actor = MESSAGE_RECIPIENT};
	uint8_t tree[6 * 64] = {0}, signature[CRYPTO_SIGNATURE];
	size_t digests = 0;

	for (size_t i = 0; message->chunks[i].type <= 131; i++)
		if (message->chunks[i].type != 5)
			crypto_sha512(message->chunks[i].whole,
			    tree + 64 * digests++);
	assert_int_equal(digests, 5); /* of 2 4 33 34 67 */
	assert_int_equal(signature_read(&access, chunk_find(message, 225),
	    signature), 0);
	assert_true(crypto_ed25519_verify(world.alice->signing,
	    span_of(tree, sizeof(tree)), signature));
	message_free(message);
	buffer_free(&sealed);
}

static void
round_trips(void **state)
{
	static const struct {
		const char *name, *mime;
		const char *back; /* NULL: the same */
	} cases[] = {
	    {"plain", "From: a@b.test\r\nX: y\r\nsubject:x\r\n\r\nhello", NULL},
	    {"multipart", MULTIPART, NULL},
	    {"LF", "From: a@b.test\nX: y\n\nhello\n", NULL},
	    {"no header", "\r\nhello", NULL},
	    {"body of a line end", "A: b\r\n\r\n\r\n", NULL},
	    {"header that body text ends", "A: b\r\nhello", NULL},
	    /* There is no chunk for nothing. */
	    {"no body", "A: b\r\n\r\n", "A: b\r\n\r\n\r\n"},
	    {"no empty line either", "A: b\r\n", "A: b\r\n\r\n"},
	    {"no line end either", "A: b", "A: b\r\n"},
	    {"nothing", "", "\r\n"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct message_parties parties = world_parties();
		struct buffer sealed = world_sealed(span_string(cases[i].mime),
		    "label", 0);
		struct buffer mime = buffer_make(WORLD_LIMIT);

		unit_case(cases[i].name);
		assert_int_equal(world_open(buffer_span(&sealed), &parties,
		    &mime), 0);
		assert_true(span_equal_string(buffer_span(&mime),
		    cases[i].back != NULL ? cases[i].back : cases[i].mime));
		buffer_free(&sealed);
		buffer_free(&mime);
	}
}

static void
every_actor_reads(void **state)
{
	struct buffer sealed = world_sealed(span_string("A: b\r\n\r\nc"),
	    "label", MESSAGE_BOUNCE_METADATA);
	struct message_parties parties = world_parties();
	struct message_envelope envelope;
	struct message *message;
	struct buffer mime = buffer_make(WORLD_LIMIT);
	char sender[ADDRESS_SIZE];

	message = world_message(buffer_span(&sealed), MESSAGE_AUTHOR);
	assert_int_equal(message_open(message, &parties, WORLD_LIMIT, &mime,
	    sender, NULL), 0);
	message_free(message);
	message = world_message(buffer_span(&sealed), MESSAGE_ORIGIN);
	parties.recipient = NULL;
	assert_int_equal(message_check_as_origin(message, &parties, &envelope,
	    NULL), 0);
	assert_string_equal(envelope.domain_fingerprint, world.beta->core);
	message_free(message);
	message = world_message(buffer_span(&sealed), MESSAGE_DESTINATION);
	parties = world_parties();
	parties.author = NULL;
	assert_int_equal(message_check_as_destination(message, &parties,
	    &envelope, NULL), 0);
	assert_string_equal(envelope.domain_fingerprint, world.alpha->core);
	assert_int_equal(message_verify_organization(message, world.alpha,
	    NULL, NULL), 0);
	message_free(message);
	buffer_free(&sealed);
	buffer_free(&mime);
}

/* ---- layouts ---- */

static int
seal_with(const struct message_seal *seal, struct fault *fault)
{
	struct buffer out = buffer_make(WORLD_LIMIT);
	int err = message_seal(seal, span_string("A: b\r\n\r\nc"), &out, fault);

	assert_int_equal(out.length > 0, err == 0);
	buffer_free(&out);
	return err;
}

/* Every mixture of layouts but the two pure ones is refused, both ways. */
static void
mixed_layouts_are_refused(void **state)
{
	struct buffer sealed[LAYOUTS];

	for (int i = 0; i < LAYOUTS; i++) {
		world_choose((enum layout)i);
		sealed[i] = world_sealed(span_string("A: b\r\n\r\nc"), "label",
		    0);
	}
	for (int mask = 0; mask < 16; mask++) {
		const struct world_signets *of[MESSAGE_ACTORS];
		struct buffer mime = buffer_make(WORLD_LIMIT);
		struct fault fault = {0};
		struct random_source random;
		struct message_seal seal;
		int mixed = mask == 0 || mask == 15 ? 0 : ERR_MISMATCH;

		for (int i = 0; i < MESSAGE_ACTORS; i++)
			of[i] = &world.layouts[mask >> i & 1];
		seal = world_seal(&random);
		seal.parties = (struct message_parties){of[0]->alice,
		    of[1]->alpha, of[2]->beta, of[3]->bob};
		random_start(&random);
		assert_int_equal(seal_with(&seal, &fault), mixed);
		random_end(&random);
		if (mixed != 0)
			assert_non_null(strstr(fault.text, " layout, the "));
		for (int i = 0; i < LAYOUTS; i++) {
			bool fits = mask == (i == LAYOUT_LIBDIME ? 15 : 0);
			int err;

			buffer_reset(&mime);
			err = world_open(buffer_span(&sealed[i]),
			    &seal.parties, &mime);
			assert_int_equal(err == 0, fits);
			if (mixed != 0)
				assert_int_equal(err, ERR_MISMATCH);
		}
		buffer_free(&mime);
	}
	for (int i = 0; i < LAYOUTS; i++)
		buffer_free(&sealed[i]);
	world_choose(LAYOUT_LIBDIME);
}

/* What origin and destination have must be of one layout, too. */
static void
mixed_layouts_of_some_are_refused(void **state)
{
	struct buffer sealed = world_sealed(span_string("A: b\r\n\r\nc"),
	    "label", 0);
	struct message_parties parties = world_parties();
	struct message_envelope envelope;
	struct message *message;

	message = world_message(buffer_span(&sealed), MESSAGE_ORIGIN);
	parties.recipient = NULL;
	parties.destination = world.layouts[LAYOUT_STANDARD].beta;
	assert_int_equal(message_check_as_origin(message, &parties, &envelope,
	    NULL), ERR_MISMATCH);
	message_free(message);
	message = world_message(buffer_span(&sealed), MESSAGE_DESTINATION);
	parties = world_parties();
	parties.author = NULL;
	parties.origin = world.layouts[LAYOUT_STANDARD].alpha;
	assert_int_equal(message_check_as_destination(message, &parties,
	    &envelope, NULL), ERR_MISMATCH);
	message_free(message);
	buffer_free(&sealed);
}

static void
only_the_pok_signs(void **state)
{
	struct random_source random;
	struct message_seal seal = world_seal(&random);
	struct fault fault = {0};

	random_start(&random);
	seal.origin_signer = signer_of_seed(world.keys[WORLD_SOK_MESSAGES]);
	assert_int_equal(seal_with(&seal, &fault), ERR_MISMATCH);
	assert_non_null(strstr(fault.text, "POK"));
	world_choose(LAYOUT_STANDARD);
	seal.parties = world_parties();
	assert_int_equal(seal_with(&seal, &fault), 0);
	world_choose(LAYOUT_LIBDIME);
	random_end(&random);
}

/* ---- what others write ---- */

static void
trees_table(void **state)
{
	static const struct {
		const char *name;
		enum layout layout;
		bool libdime_tree;
		int signer, origin, err;
	} cases[] = {
	    {"libdime", LAYOUT_LIBDIME, true, WORLD_ALICE, WORLD_ALPHA, 0},
	    {"libdime, right", LAYOUT_LIBDIME, false, WORLD_ALICE, WORLD_ALPHA,
	        0},
	    {"libdime, origin by a SOK", LAYOUT_LIBDIME, true, WORLD_ALICE,
	        WORLD_SOK_MESSAGES, 0},
	    {"libdime, tree by another", LAYOUT_LIBDIME, true, WORLD_MALLORY,
	        WORLD_ALPHA, ERR_SIGNATURE},
	    {"standard", LAYOUT_STANDARD, false, WORLD_ALICE, WORLD_ALPHA, 0},
	    {"standard, as libdime signs", LAYOUT_STANDARD, true, WORLD_ALICE,
	        WORLD_ALPHA, ERR_SIGNATURE},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct message_parties parties;
		struct buffer mime = buffer_make(WORLD_LIMIT);
		struct forge forge;

		unit_case(cases[i].name);
		world_choose(cases[i].layout);
		parties = world_parties();
		forge_start(&forge);
		forge.libdime_tree = cases[i].libdime_tree;
		forge_envelope(&forge);
		forge_common(&forge);
		forge_chunk(&forge, 34, span_string("X: opaque\nY: lines\n"),
		    NULL);
		forge_chunk(&forge, 67, span_string("one "), NULL);
		forge_chunk(&forge, 67, span_string("and two "), NULL);
		forge_chunk(&forge, 131, span_string("attached"), NULL);
		forge_sign(&forge, &(struct forge_signers){cases[i].signer,
		    WORLD_ALICE, WORLD_ALPHA, WORLD_ALPHA, cases[i].origin});
		assert_int_equal(world_open(forge_end(&forge), &parties,
		    &mime), cases[i].err);
		if (cases[i].err == 0)
			assert_true(span_equal_string(buffer_span(&mime),
			    "X: opaque\r\nY: lines\r\n\r\n"
			    "one and two attached"));
		forge_free(&forge);
		buffer_free(&mime);
	}
	world_choose(LAYOUT_LIBDIME);
}

/* ---- limits and damage ---- */

static void
one_chunk_must_hold_it(void **state)
{
	struct random_source random;
	struct message_seal seal = world_seal(&random);
	struct buffer mime = buffer_make(WORLD_LIMIT);
	struct buffer out = buffer_make(WORLD_LIMIT);
	struct message_parties parties = world_parties();
	struct buffer opened = buffer_make(WORLD_LIMIT);
	struct fault fault = {0};

	random_start(&random);
	buffer_append_string(&mime, "A: b\r\n\r\n");
	memset(buffer_extend(&mime, DATA_MOST), 'x', DATA_MOST);
	assert_int_equal(message_seal(&seal, buffer_span(&mime), &out, &fault),
	    0);
	assert_int_equal(world_open(buffer_span(&out), &parties, &opened), 0);
	assert_true(span_equal(buffer_span(&opened), buffer_span(&mime)));
	buffer_reset(&out);
	buffer_u8(&mime, 'x');
	assert_int_equal(message_seal(&seal, buffer_span(&mime), &out, &fault),
	    ERR_TOO_LARGE);
	assert_non_null(strstr(fault.text, "chunk 67 (Display-Content)"));
	assert_int_equal(out.length, 0);
	/* A header as large. */
	buffer_reset(&mime);
	buffer_append_string(&mime, "A: ");
	memset(buffer_extend(&mime, DATA_MOST), 'x', DATA_MOST);
	buffer_append_string(&mime, "\r\n\r\nbody");
	assert_int_equal(message_seal(&seal, buffer_span(&mime), &out, &fault),
	    ERR_TOO_LARGE);
	assert_non_null(strstr(fault.text, "chunk 34 (Headers)"));
	random_end(&random);
	buffer_free(&mime);
	buffer_free(&out);
	buffer_free(&opened);
}

/* Slots of others are no concern of the recipient's, but 226 and 255 cover
 * them. An octet a bit: the table of the standard dialect tries them all. */
static void
flipped_bits_are_refused(void **state)
{
	struct buffer sealed = world_sealed(span_string("A: b\r\n\r\nc"),
	    "label", 0);
	struct message_parties parties = world_parties();
	struct buffer mime = buffer_make(WORLD_LIMIT);
	/* Not covered: the slots of others in the last chunk. */
	size_t end = sealed.length - 4 * 64;

	for (size_t i = 0; i < end; i++) {
		sealed.data[i] ^= (uint8_t)(1U << i % 8);
		assert_int_not_equal(world_open(buffer_span(&sealed), &parties,
		    &mime), 0);
		sealed.data[i] ^= (uint8_t)(1U << i % 8);
	}
	assert_int_equal(world_open(buffer_span(&sealed), &parties, &mime), 0);
	buffer_free(&sealed);
	buffer_free(&mime);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(chunks_that_are_written),
	    cmocka_unit_test(text_of_envelope_and_headers),
	    cmocka_unit_test(tree_is_libdimes),
	    cmocka_unit_test(round_trips),
	    cmocka_unit_test(every_actor_reads),
	    cmocka_unit_test(mixed_layouts_are_refused),
	    cmocka_unit_test(mixed_layouts_of_some_are_refused),
	    cmocka_unit_test(only_the_pok_signs),
	    cmocka_unit_test(trees_table),
	    cmocka_unit_test(one_chunk_must_hold_it),
	    cmocka_unit_test(flipped_bits_are_refused),
	};

	return cmocka_run_group_tests(tests, start, world_end);
}
