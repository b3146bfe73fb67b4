/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/explain_cover.h"
#include "tests/unit/message_forge.h"

static const char letter[] =
    "Subject: Papers\r\nX: y\r\n\r\nBring\r\nthem.\r\n";

static const enum world_key keys[MESSAGE_ACTORS] = {
    WORLD_ALICE, WORLD_ALPHA, WORLD_BETA, WORLD_BOB};

/* Tells of a message with the keys of the actors whose bits are set. What is
 * told must cover the octets. Returns what message_survey() says. */
static int
explain(struct span octets, unsigned int actors, struct cover *cover)
{
	struct fault fault = {0};
	struct message *message;
	int err = message_survey(octets, WORLD_LIMIT, &message, NULL);

	assert_non_null(message);
	for (int i = 0; i < MESSAGE_ACTORS; i++)
		if ((actors >> i & 1) != 0)
			message_unlock(message, (enum message_actor)i,
			    agreer_of_scalar(world.keys[keys[i]]), NULL);
	cover_start(cover);
	assert_int_equal(message_explain(message, &cover->explainer, &fault),
	    0);
	if (octets.length >= 2 && (memcmp(octets.data, "\x07\x37", 2) == 0 ||
	    message->tracing > 0))
		cover_end(cover, octets);
	else
		assert_int_equal(cover->count, 0);
	message_free(message);
	return err;
}

static void
must_hold(struct cover *cover, const char *line)
{
	if (strstr(buffer_string(&cover->text), line) == NULL)
		fail_msg("no %s in:\n%s", line, buffer_string(&cover->text));
}

static size_t
count_of(struct cover *cover, const char *text)
{
	const char *rest = buffer_string(&cover->text);
	size_t count = 0;

	while ((rest = strstr(rest, text)) != NULL) {
		count++;
		rest += strlen(text);
	}
	return count;
}

/* Each actor sees inside of his own slots, and of the payloads that they open:
 * that of 9 chunks with slots, bounce signatures included. */
static void
actors_see_what_they_can_open(void **state)
{
	static const struct {
		const char *name;
		unsigned int actors;
		size_t slots, payloads, signatures;
	} cases[] = {
	    {"nobody", 0, 0, 0, 0},
	    {"author", 1 << MESSAGE_AUTHOR, 10, 5, 5},
	    {"origin", 1 << MESSAGE_ORIGIN, 6, 1, 5},
	    {"destination", 1 << MESSAGE_DESTINATION, 4, 1, 3},
	    {"recipient", 1 << MESSAGE_RECIPIENT, 10, 5, 5},
	    {"both ends", 1 << MESSAGE_AUTHOR | 1 << MESSAGE_RECIPIENT, 20, 5,
	        5},
	};
	struct buffer sealed = world_sealed(span_string(letter), "explain", 3);

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cover cover;

		unit_case(cases[i].name);
		assert_int_equal(explain(buffer_span(&sealed), cases[i].actors,
		    &cover), 0);
		assert_int_equal(count_of(&cover, "\n+0 16 R, random"),
		    cases[i].slots);
		assert_int_equal(count_of(&cover, "\n+64 3 length of the data"),
		    cases[i].payloads);
		assert_int_equal(count_of(&cover, "\n+0 64 Ed25519 signature "
		    "by the "), cases[i].payloads + cases[i].signatures);
		assert_int_equal(count_of(&cover, "not read"), 0);
		cover_free(&cover);
	}
	buffer_free(&sealed);
}

static void
elements_are_named(void **state)
{
	static const char *const lines[] = {
	    "0 2 magic number: 1847, a D/MIME message [M1]\n",
	    ("6 1 chunk 2: Ephemeral [M2]\n7 3 length of the payload: 33 [M1]\n"
	     "10 33 ephemeral secp256k1 key, compressed point [M10]\n"),
	    "43 1 chunk 4: Origin [M2]\n",
	    " line of the envelope [M13]\n",
	    " line of the envelope [M14]\n",
	    "+69 17 common header field [M15]\n",
	    " line of the other header fields [M16]\n",
	    "+69 7 line of the body [M17]\n+76 7 line of the body [M17]\n",
	    " 64 keyslot of the author, encrypted [M3, M5]\n",
	    "+67 1 flags 0 [M8]\n",
	    "+16 16 R xor the payload's IV, which is ",
	    "+32 32 the payload's AES-256 key [M5]\n",
	    "over the SHA-512 of each chunk from 2 up to 131, one after",
	    "by the author over chunks 2 up to 225: ",
	    "by the origin over chunks 2 up to 34: ",
	    "by the origin over chunks 2 up to 67: ",
	    "by the origin over chunks 2 up to 249: ",
	};
	struct buffer sealed = world_sealed(span_string(letter), "names", 3);
	struct cover cover;

	assert_int_equal(explain(buffer_span(&sealed), 1 << MESSAGE_RECIPIENT,
	    &cover), 0);
	for (size_t i = 0; i < COUNT(lines); i++)
		must_hold(&cover, lines[i]);
	cover_free(&cover);
	buffer_free(&sealed);
}

/* A tracing block is covered, and moves all offsets, those of faults too. */
static void
tracing_is_covered(void **state)
{
	struct buffer sealed = world_sealed(span_string(letter), "tracing", 0);
	struct buffer traced = buffer_make(WORLD_LIMIT);
	struct fault fault = {0};
	struct message *message;
	struct cover cover;

	buffer_append(&traced, "\x07\x2d\0\3abc", 7);
	buffer_append_span(&traced, buffer_span(&sealed));
	assert_int_equal(explain(buffer_span(&traced), 0, &cover), 0);
	must_hold(&cover, "0 2 magic number: 1837, a tracing block [M1]\n"
	    "2 2 length of the tracing: 3 [M1]\n"
	    "4 3 tracing, no part of the message [M1]\n"
	    "7 2 magic number: 1847, a D/MIME message [M1]\n");
	must_hold(&cover, "\n50 1 chunk 4: Origin [M2]\n");
	cover_free(&cover);
	traced.data[53]++;
	assert_int_equal(message_parse(buffer_span(&traced), &message, &fault),
	    ERR_FORMAT);
	assert_non_null(strstr(fault.text, "chunk 4 (Origin) at offset 50"));
	buffer_free(&traced);
	buffer_free(&sealed);
}

static void
broken_messages_are_covered(void **state)
{
	struct buffer sealed = world_sealed(span_string(letter), "broken", 3);
	struct span whole = buffer_span(&sealed);
	struct cover cover;

	for (size_t cut = 0; cut < whole.length; cut++) {
		assert_int_not_equal(explain(span_slice(whole, 0, cut),
		    1 << MESSAGE_RECIPIENT, &cover), 0);
		cover_free(&cover);
	}
	for (size_t i = 0; i < whole.length; i++) {
		sealed.data[i] ^= (uint8_t)(1 << i % 8);
		explain(whole, 1 << MESSAGE_RECIPIENT, &cover);
		cover_free(&cover);
		sealed.data[i] ^= (uint8_t)(1 << i % 8);
	}
	buffer_free(&sealed);
}

/* Payloads that no good message has, and what is told of them. */
static void
odd_payloads_are_told_apart(void **state)
{
	static const struct {
		const char *name, *text;
		struct forge_payload how;
		const char *line;
	} cases[] = {
	    {"plain", "hello", {.pad = 6, .padding = 6, .fill = 6},
	        "+68 1 pad 6 [M7]\n+69 5 line of the body [M17]\n+74 6 padding "
	        "[M7]\n"},
	    {"gzip", "hello", {.flags = 4, .pad = 6, .padding = 6, .fill = 6},
	        "+67 1 flags 4 gzip [M8]\n+68 1 pad 6 [M7]\n"
	        "+69 5 data, compressed (RFC 1952) [M8]\n"},
	    {"alternate key", "hello", {.flags = 2, .pad = 6, .padding = 6},
	        "+69 5 data, encrypted once more for the alternate key [M12]"},
	    {"every flag", "hello", {.flags = 255, .pad = 6, .padding = 6},
	        "flags 255 alternate-padding alternate-key gzip continues and "
	        "reserved ones [M8]\n"},
	    {"too long", "hello", {.padding = 6, .length_by = 7},
	        "+64 3 length of the data: 12 [M6]\n+67 1 flags 0 [M8]\n"
	        "+68 1 pad 0 [M7]\n"
	        "+69 11 not read: the data would pass the payload [M19]\n"},
	    {"no line end", "a\nb\r\nc\r", {.pad = 4, .padding = 4},
	        "+69 2 line of the body [M17]\n+71 3 line of the body [M17]\n"
	        "+74 2 line of the body [M17]\n+76 4 padding [M7]\n"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct forge forge;
		struct cover cover;

		unit_case(cases[i].name);
		forge_start(&forge);
		forge_envelope(&forge);
		forge_common(&forge);
		forge_chunk(&forge, MESSAGE_DISPLAY_CONTENT,
		    span_string(cases[i].text), &cases[i].how);
		forge_sign(&forge, NULL);
		assert_int_equal(explain(forge_end(&forge),
		    1 << MESSAGE_RECIPIENT, &cover), 0);
		must_hold(&cover, cases[i].line);
		cover_free(&cover);
		forge_free(&forge);
	}
}

/* A chunk of more lines than anybody reads costs no more than so many. */
static void
lines_are_bounded(void **state)
{
	struct buffer mail = buffer_make(WORLD_LIMIT);
	struct forge_payload how = {.padding = 11, .pad = 11, .fill = 11};
	struct forge forge;
	struct cover cover;

	for (int i = 0; i < 5000; i++)
		buffer_append_string(&mail, "\n");
	forge_start(&forge);
	forge_envelope(&forge);
	forge_common(&forge);
	how.padding += (16 - (69 + mail.length + how.padding) % 16) % 16;
	forge_chunk(&forge, MESSAGE_DISPLAY_CONTENT, buffer_span(&mail), &how);
	forge_sign(&forge, NULL);
	assert_int_equal(explain(forge_end(&forge), 1 << MESSAGE_RECIPIENT,
	    &cover), 0);
	assert_int_equal(count_of(&cover, "1 line of the body"), 1000);
	must_hold(&cover, "+1069 4000 further lines [M17]\n");
	cover_free(&cover);
	forge_free(&forge);
	buffer_free(&mail);
}

static void
zeros_are_no_signature(void **state)
{
	struct forge forge;
	struct cover cover;

	forge_start(&forge);
	forge_envelope(&forge);
	forge_common(&forge);
	forge_sign(&forge, &(struct forge_signers){WORLD_ALICE, WORLD_ALICE, -1,
	    -1, 0});
	assert_int_equal(explain(forge_end(&forge), 1 << MESSAGE_ORIGIN,
	    &cover), 0);
	must_hold(&cover, "+0 64 zeros: not signed yet [M11]\n");
	cover_free(&cover);
	forge_free(&forge);
}

/* A message in which the chunks that are told apart break rules of their
 * own. */
static void
rules_of_chunks_do_not_end_the_telling(void **state)
{
	static const struct {
		const char *name;
		uint8_t type;
		const char *payload, *line;
	} cases[] = {
	    {"tracing", 0, "abc", "3 tracing, in clear [M1]\n"},
	    {"alternate", 3, "abc", "3 payload, stepped over [M12]\n"},
	    {"short payload", 4, "abc", "3 payload, encrypted [M6]\n"},
	    {"short signature", 255, "abc", "3 signature, encrypted [M11]\n"},
	    {"empty", 67, "", "chunk 67: Display-Content [M2]\n"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct forge forge;
		struct cover cover;

		unit_case(cases[i].name);
		forge_start(&forge);
		forge_raw(&forge, cases[i].type,
		    span_string(cases[i].payload));
		explain(forge_end(&forge), 1 << MESSAGE_RECIPIENT, &cover);
		must_hold(&cover, cases[i].line);
		cover_free(&cover);
		forge_free(&forge);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(actors_see_what_they_can_open),
	    cmocka_unit_test(elements_are_named),
	    cmocka_unit_test(tracing_is_covered),
	    cmocka_unit_test(broken_messages_are_covered),
	    cmocka_unit_test(odd_payloads_are_told_apart),
	    cmocka_unit_test(lines_are_bounded),
	    cmocka_unit_test(zeros_are_no_signature),
	    cmocka_unit_test(rules_of_chunks_do_not_end_the_telling),
	};

	return cmocka_run_group_tests(tests, world_start, world_end);
}
