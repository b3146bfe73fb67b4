/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "tests/unit/forge_expect.h"

/*
 * Envelopes that do not fit and signatures that are not what they should be, by
 * people who have the keys.
 */

/* ---- envelopes ---- */

/* Appends the text with #a, #b, #r and #o as the fingerprints of alice, beta,
 * bob and alpha. */
static void
append_text(const char *text, struct buffer *out)
{
	for (; *text != '\0'; text++)
		if (*text != '#')
			buffer_u8(out, (uint8_t)*text);
		else if (*++text == 'a')
			buffer_append_string(out, world.alice->core);
		else if (*text == 'b')
			buffer_append_string(out, world.beta->fingerprint);
		else if (*text == 'r')
			buffer_append_string(out, world.bob->core);
		else
			buffer_append_string(out, world.alpha->fingerprint);
}

static void
append_envelope(struct forge *forge, uint8_t type, const char *text)
{
	struct buffer data = buffer_make(WORLD_LIMIT);

	append_text(text, &data);
	forge_chunk(forge, type, buffer_span(&data), NULL);
	buffer_free(&data);
}

#define A1 "Author: <alice@alpha.test>\r\n"
#define A2 "Author-Signet: [#a]\r\n"
#define A3 "Destination: <beta.test>\r\n"
#define A4 "Destination-Signet: [#b]\r\n"
#define R1 "Recipient: <bob@beta.test>\r\n"
#define R2 "Recipient-Signet: [#r]\r\n"
#define R3 "Origin: <alpha.test>\r\n"
#define R4 "Origin-Signet: [#o]\r\n"
#define KILO(x) x x x x x x x x x x x x x x x x

static const struct envelope_case {
	const char *name;
	uint8_t type;
	const char *text;
	int err;
	const char *rule;
} envelope_cases[] = {
    {"good 4", 4, A1 A2 A3 A4, 0, ""},
    {"good 5", 5, R1 R2 R3 R4, 0, ""},
    {"upper case", 4, "Author: <Alice@alpha.test>\r\n" A2
        "Destination: <Beta.test>\r\n" A4, 0, ""},
    {"author with a tag", 4, "Author: <alice+x@alpha.test>\r\n" A2 A3
        A4, 0, ""},
    {"recipient with a tag", 5, "Recipient: <bob+x@beta.test>\r\n" R2 R3
        R4, 0, ""},
    {"LF", 4, "Author: <alice@alpha.test>\nAuthor-Signet: [#a]\n"
        "Destination: <beta.test>\nDestination-Signet: [#b]\n",
        ERR_FORMAT, "line 1 is not \"Author: <address>\" and CRLF"},
    {"no last line end", 4, A1 A2 A3 "Destination-Signet: [#b]",
        ERR_FORMAT,
        "line 4 is not \"Destination-Signet: [fingerprint]\" and CRLF"},
    {"something behind", 4, A1 A2 A3 A4 "\r\n", ERR_FORMAT,
        "something follows its four lines"},
    {"other label", 4, "author: <alice@alpha.test>\r\n" A2 A3 A4,
        ERR_FORMAT, "line 1 is not \"Author: <address>\""},
    {"no brackets", 4, "Author: alice@alpha.test\r\n" A2 A3 A4,
        ERR_FORMAT, "line 1 is not \"Author: <address>\""},
    {"no address", 5, "Recipient: <bob>\r\n" R2 R3 R4, ERR_FORMAT,
        "line 1 is not \"Recipient: <address>\""},
    {"three lines", 4, A1 A2 A3, ERR_FORMAT,
        "line 4 is not \"Destination-Signet: [fingerprint]\""},
    {"no line", 5, "x", ERR_FORMAT,
        "line 1 is not \"Recipient: <address>\""},
    {"lines in another order", 5, R3 R4 R1 R2, ERR_FORMAT,
        "line 1 is not \"Recipient: <address>\""},
    {"a line twice", 4, A1 A1 A2 A3 A4, ERR_FORMAT,
        "line 2 is not \"Author-Signet: [fingerprint]\""},
    {"short fingerprint", 4, A1 "Author-Signet: [AAAA]\r\n" A3 A4,
        ERR_FORMAT, "line 2 is not \"Author-Signet: [fingerprint]\""},
    {"no domain", 5, R1 R2 "Origin: <alpha>\r\n" R4, ERR_FORMAT,
        "line 3 is not \"Origin: <domain>\""},
    {"long", 4, A1 A2 A3 A4 KILO(KILO("#a")), ERR_FORMAT,
        "more than the four lines of an envelope can be"},
    {"chunk 5 in chunk 4", 4, R1 R2 R3 R4, ERR_FORMAT,
        "line 1 is not \"Author: <address>\""},
    {"chunk 4 in chunk 5", 5, A1 A2 A3 A4, ERR_FORMAT,
        "line 1 is not \"Recipient: <address>\""},
    {"another author", 4, "Author: <mallory@alpha.test>\r\n" A2 A3 A4,
        ERR_MISMATCH, "Author is not that of the signet"},
    {"author elsewhere", 4, "Author: <alice@beta.test>\r\n" A2 A3 A4,
        ERR_MISMATCH, "Author is not that of the signet"},
    {"another author's signet", 4, A1 "Author-Signet: [#r]\r\n" A3 A4,
        ERR_MISMATCH, "Author-Signet is not that of the signet"},
    {"another destination", 4, A1 A2 "Destination: <gamma.test>\r\n" A4,
        ERR_MISMATCH, "Destination is not that of the signet"},
    {"a domain below", 4, A1 A2 "Destination: <x.beta.test>\r\n" A4,
        ERR_MISMATCH, "Destination is not that of the signet"},
    {"another destination's signet", 4, A1 A2 A3
        "Destination-Signet: [#o]\r\n", ERR_MISMATCH,
        "Destination-Signet is not that of the signet"},
    {"another recipient", 5, "Recipient: <carol@beta.test>\r\n" R2 R3
        R4, ERR_MISMATCH, "Recipient is not that of the signet"},
    {"another recipient's signet", 5, R1 "Recipient-Signet: [#a]\r\n" R3
        R4, ERR_MISMATCH, "Recipient-Signet is not that of the signet"},
    {"another origin", 5, R1 R2 "Origin: <beta.test>\r\n" R4,
        ERR_MISMATCH, "Origin is not that of the signet"},
    {"another origin's signet", 5, R1 R2 R3 "Origin-Signet: [#b]\r\n",
        ERR_MISMATCH, "Origin-Signet is not that of the signet"},
};

static void
envelope_table(void **state)
{
	for (size_t i = 0; i < COUNT(envelope_cases); i++) {
		const struct envelope_case *test = &envelope_cases[i];
		bool origin = test->type == 4;
		char words[200];
		struct forge forge;
		size_t offset;

		unit_case(test->name);
		forge_start(&forge);
		append_envelope(&forge, 4, origin ? test->text
		                                  : A1 A2 A3 A4);
		offset = origin ? 43 : forge.out.length;
		append_envelope(&forge, 5, origin ? R1 R2 R3 R4
		                                  : test->text);
		forge_common(&forge);
		forge_sign(&forge, NULL);
		snprintf(words, sizeof(words), "chunk %u (%s) at offset %zu: "
		    "%s", test->type, origin ? "Origin" : "Destination",
		    offset, test->rule);
		forge_expect(&forge, test->err,
		    test->err == 0 ? "\r\n" : words);
	}
}

/* ---- who signs ---- */

/* What is said of the one signature chunk that is bad. */
static void
describe(char *words, size_t size, struct forge *forge, uint8_t type)
{
	size_t after = 0;
	static const uint8_t types[] = {255, 249, 248, 226, 225};
	size_t offset = forge->out.length;

	/* Back from the end, over those that are there. */
	for (size_t i = 0; i < COUNT(types); i++) {
		size_t length = 4 + 64 + 64 * forge_slots(types[i]);

		if (forge->out.data[offset - length] != types[i])
			continue;
		offset -= length;
		if (types[i] == type)
			after = offset;
	}
	snprintf(words, size, "chunk %u (%s) at offset %zu: %s", type,
	    message_chunk_name(type), after, type >= 248
	        ? "is not by the origin"
	        : "is not by the author of the signet");
}

static const struct signature_case {
	const char *name;
	struct forge_signers signers;
	uint8_t recipient, author; /* the chunk that they find bad */
} signature_cases[] = {
    {"good", {WORLD_ALICE, WORLD_ALICE, -1, -1, WORLD_ALPHA}, 0, 0},
    {"SOK", {WORLD_ALICE, WORLD_ALICE, -1, -1, WORLD_SOK_MESSAGES}, 0,
        0},
    {"bounces", {WORLD_ALICE, WORLD_ALICE, WORLD_ALPHA, WORLD_ALPHA,
        WORLD_ALPHA}, 0, 0},
    {"bounces by a SOK", {WORLD_ALICE, WORLD_ALICE, WORLD_SOK_MESSAGES,
        WORLD_SOK_MESSAGES, WORLD_ALPHA}, 0, 0},
    {"SOK for users", {WORLD_ALICE, WORLD_ALICE, -1, -1,
        WORLD_SOK_USERS}, 255, 255},
    {"another origin", {WORLD_ALICE, WORLD_ALICE, -1, -1, WORLD_BETA},
        255, 255},
    {"origin by the author", {WORLD_ALICE, WORLD_ALICE, -1, -1,
        WORLD_ALICE}, 255, 255},
    {"not signed yet", {WORLD_ALICE, WORLD_ALICE, 0, 0, 0}, 255, 0},
    {"metadata bounce not signed", {WORLD_ALICE, WORLD_ALICE, 0, -1,
        WORLD_ALPHA}, 248, 0},
    {"display bounce not signed", {WORLD_ALICE, WORLD_ALICE, -1, 0,
        WORLD_ALPHA}, 249, 0},
    {"metadata bounce by another", {WORLD_ALICE, WORLD_ALICE,
        WORLD_BETA, -1, WORLD_ALPHA}, 248, 248},
    {"metadata bounce by a SOK for users", {WORLD_ALICE, WORLD_ALICE,
        WORLD_SOK_USERS, -1, WORLD_ALPHA}, 248, 248},
    {"display bounce by another", {WORLD_ALICE, WORLD_ALICE, -1,
        WORLD_BETA, WORLD_ALPHA}, 249, 249},
    {"tree by another", {WORLD_MALLORY, WORLD_ALICE, -1, -1,
        WORLD_ALPHA}, 225, 225},
    {"tree by nobody", {0, WORLD_ALICE, -1, -1, WORLD_ALPHA}, 225,
        225},
    {"author by another", {WORLD_ALICE, WORLD_MALLORY, -1, -1,
        WORLD_ALPHA}, 226, 226},
    {"author by nobody", {WORLD_ALICE, 0, -1, -1, WORLD_ALPHA}, 226,
        226},
    {"author by the origin", {WORLD_ALICE, WORLD_ALPHA, -1, -1,
        WORLD_ALPHA}, 226, 226},
};

static void
signature_table(void **state)
{
	struct message_parties parties = world_parties();

	for (size_t i = 0; i < COUNT(signature_cases); i++) {
		const struct signature_case *test = &signature_cases[i];
		struct buffer mime = buffer_make(WORLD_LIMIT);
		int err = test->author == 0 ? 0 : ERR_SIGNATURE;
		struct message_envelope envelope;
		char sender[ADDRESS_SIZE], words[200];
		struct message *message;
		struct forge forge;

		unit_case(test->name);
		forge_start_content(&forge);
		forge_text(&forge, 67, "a", 0);
		forge_text(&forge, 131, "b", 0);
		forge_sign(&forge, &test->signers);
		message = world_message(forge_end(&forge), MESSAGE_AUTHOR);
		assert_int_equal(message_open(message, &parties, WORLD_LIMIT,
		    &mime, sender, NULL), err);
		message_free(message);
		buffer_reset(&mime);
		message = world_message(forge_end(&forge), MESSAGE_ORIGIN);
		assert_int_equal(message_check_as_origin(message, &parties,
		    &envelope, NULL), err);
		message_free(message);
		describe(words, sizeof(words), &forge, test->recipient);
		if (test->recipient == 0)
			forge_expect(&forge, 0, "\r\nab");
		else
			forge_expect(&forge, ERR_SIGNATURE, words);
		buffer_free(&mime);
	}
}

/* ---- what is signed ---- */

enum over { RIGHT, FRAME, LESS, DIGEST, OCTETS, MORE };

/* What the signature in chunk `type` is over. */
static struct span
signed_data(struct forge *forge, uint8_t type, enum over over,
    uint8_t digest[static CRYPTO_SHA512])
{
	struct span chunks = forge_chunks(forge);

	if (type == 225)
		chunks = buffer_span(&forge->tree);
	if (type == 248)
		chunks = span_slice(chunks, 0, forge->metadata_end - 6);
	if (type == 249)
		chunks = span_slice(chunks, 0, forge->display_end - 6);
	switch (over) {
	case FRAME:
		return span_slice(forge_end(forge), 0, chunks.length + 6);
	case LESS: /* the last chunk, or its digest, is not covered */
		return span_slice(chunks, 0, chunks.length - (type == 225
		        ? CRYPTO_SHA512
		        : 212));
	case DIGEST:
		crypto_sha512(chunks, digest);
		return span_of(digest, CRYPTO_SHA512);
	case OCTETS: /* of the chunks, where their digests should be signed */
	case MORE:
		return forge_chunks(forge);
	default:
		return chunks;
	}
}

static void
signatures_over_something_else_are_refused(void **state)
{
	static const struct {
		const char *name;
		uint8_t type;
		enum over over;
	} cases[] = {
	    {"as it should be", 0, RIGHT},
	    {"tree less one", 225, LESS}, {"tree of digests once more", 225,
	        DIGEST}, {"tree of octets", 225, OCTETS},
	    {"author with the frame", 226, FRAME}, {"author less a chunk", 226,
	        LESS}, {"author over a digest", 226, DIGEST},
	    {"metadata with the frame", 248, FRAME}, {"metadata less a chunk",
	        248, LESS}, {"metadata and more", 248, MORE},
	    {"display with the frame", 249, FRAME}, {"display less a chunk",
	        249, LESS}, {"display and more", 249, MORE},
	    {"origin with the frame", 255, FRAME}, {"origin less a chunk", 255,
	        LESS}, {"origin over a digest", 255, DIGEST},
	};
	static const uint8_t types[] = {225, 226, 248, 249, 255};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t digest[CRYPTO_SHA512];
		struct forge forge;
		char words[200];

		unit_case(cases[i].name);
		forge_start_content(&forge);
		forge_text(&forge, 67, "a", 0);
		forge_text(&forge, 131, "b", 0);
		for (size_t j = 0; j < COUNT(types); j++)
			forge_sign_over(&forge, types[j], types[j] < 248
			        ? WORLD_ALICE
			        : WORLD_ALPHA,
			    signed_data(&forge, types[j],
			    types[j] == cases[i].type ? cases[i].over : RIGHT,
			    digest));
		describe(words, sizeof(words), &forge, cases[i].type);
		if (cases[i].type == 0)
			forge_expect(&forge, 0, "\r\nab");
		else
			forge_expect(&forge, ERR_SIGNATURE, words);
	}
}

/* The same signature with another S is another signature. */
static void
malleable_signatures_are_refused(void **state)
{
	static const uint8_t types[] = {67, 225, 226, 248, 249, 255};

	for (size_t i = 0; i < COUNT(types); i++) {
		struct forge forge;
		char words[200] = "chunk 67 (Display-Content) at offset 1335: "
				  "plaintext signature is not the author's";

		forge_start_content(&forge);
		forge.malleable = types[i];
		forge_text(&forge, 67, "a", 0);
		forge_sign(&forge, &(struct forge_signers){WORLD_ALICE,
		    WORLD_ALICE, WORLD_ALPHA, WORLD_ALPHA, WORLD_ALPHA});
		if (types[i] != 67)
			describe(words, sizeof(words), &forge, types[i]);
		forge_expect(&forge, types[i] == 67 ? ERR_CORRUPT
		                                    : ERR_SIGNATURE,
		    words);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(envelope_table),
	    cmocka_unit_test(signature_table),
	    cmocka_unit_test(signatures_over_something_else_are_refused),
	    cmocka_unit_test(malleable_signatures_are_refused),
	};

	return cmocka_run_group_tests(tests, world_start, world_end);
}
