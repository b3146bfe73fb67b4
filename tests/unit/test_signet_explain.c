/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/explain_cover.h"
#include "tests/unit/signet_world.h"

/* Tells of `octets`, which must be covered exactly unless they do not begin as
 * a signet does. Returns what signet_survey() says. */
static int
explain(struct span octets, struct cover *cover)
{
	struct fault fault = {0};
	struct signet *signet, *parsed;
	int err = signet_survey(octets, &signet, &fault);

	assert_int_equal(signet_parse(octets, &parsed, NULL), err);
	signet_free(parsed);
	assert_true(err == 0 || fault.text[0] != '\0');
	cover_start(cover);
	if (signet == NULL) {
		assert_int_not_equal(err, 0);
		return err;
	}
	signet_explain(signet, &cover->explainer);
	cover_end(cover, octets);
	signet_free(signet);
	return err;
}

static const struct buffer *const vectors[] = {&world.org, &world.ssr,
    &world.alice, &world.next_ssr, &world.alice_next, &world.bob,
    &world.libdime_org, &world.libdime_ssr, &world.libdime_alice,
    &world.libdime_next_ssr, &world.libdime_alice_next};

static void
every_vector_is_covered(void **state)
{
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct cover cover;

		assert_int_equal(explain(buffer_span(vectors[i]), &cover), 0);
		assert_null(strstr(buffer_string(&cover.text), "not read"));
		cover_free(&cover);
	}
}

static void
broken_signets_are_covered(void **state)
{
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct span whole = buffer_span(vectors[i]);
		uint8_t *octets = vectors[i]->data;
		size_t most = 0;
		struct cover cover;

		for (size_t cut = 0; cut < whole.length; cut++) {
			assert_int_not_equal(explain(span_slice(whole, 0, cut),
			    &cover), 0);
			/* The more there is, the more is told, but for the
			 * two elements that a cut field becomes. */
			assert_true(cover.count + 2 >= most);
			if (cover.count > most)
				most = cover.count;
			cover_free(&cover);
		}
		for (size_t at = 0; at < whole.length; at++) {
			octets[at] ^= (uint8_t)(1 << at % 8);
			explain(whole, &cover);
			cover_free(&cover);
			octets[at] ^= (uint8_t)(1 << at % 8);
		}
	}
}

/* A user signet of which each kind of element is known. */
static void
elements_are_named(void **state)
{
	static const char *const lines[] = {
	    "0 2 magic number: 1789, a user signet [S1]\n",
	    "5 1 field 1: Signing-Key [S2, S6]\n6 32 Ed25519 public key [S15]\n",
	    ("38 1 field 2: Encryption-Key [S2, S6]\n"
	     "39 33 secp256k1 public key, compressed point [S15]\n"),
	    ("72 1 field 4: Custody-Signature [S2, S6]\n"
	     "73 64 Ed25519 signature by the signing key of the signet before "
	     "this one over the 67 octets from 5 on [S7, S8]\n"),
	    ("137 1 field 5: User-Signature [S2, S6]\n"
	     "138 64 Ed25519 signature by the signing key of field 1 over the "
	     "132 octets from 5 on [S8]\n"),
	    ("202 1 field 6: Organizational-Signature [S2, S6]\n"
	     "203 64 Ed25519 signature by the POK, or a SOK that may sign users "
	     "over the 197 octets from 5 on [S8]\n"),
	    ("267 1 field 16: Name [S6]\n268 1 length of the value: 5 [S4]\n"
	     "269 5 value [S15]\n"),
	    " 1 field 251: Undefined-Fields [S6]\n",
	    " 1 length of the name: 5 [S4]\n",
	    " 5 name [S4]\n",
	    " 3 length of the value: 67 [S4]\n",
	    " 67 image [S15]\n",
	    " 2 length of the value: 16 [S4]\n",
	    " 16 value [S16]\n",
	};
	struct cover cover;

	assert_int_equal(explain(buffer_span(&world.alice_next), &cover), 0);
	for (size_t i = 0; i < COUNT(lines); i++)
		if (strstr(buffer_string(&cover.text), lines[i]) == NULL)
			fail_msg("no %s in:\n%s", lines[i],
			    buffer_string(&cover.text));
	cover_free(&cover);
	assert_int_equal(explain(buffer_span(&world.org), &cover), 0);
	assert_non_null(strstr(buffer_string(&cover.text),
	    " 1 permissions 1 users [S9]\n"));
	cover_free(&cover);
	assert_int_equal(explain(buffer_span(&world.libdime_org), &cover), 0);
	assert_non_null(strstr(buffer_string(&cover.text),
	    "0 2 magic number: 1776, an organizational signet in the libdime "
	    "layout [S1]\n"));
	assert_non_null(strstr(buffer_string(&cover.text),
	    "6 1 length of the value: 33 [S4]\n7 1 format of the key [S15]\n"
	    "8 32 Ed25519 public key [S15]\n"));
	cover_free(&cover);
}

/* Fields that no good signet has, and what is told of them. */
static void
odd_fields_are_told_apart(void **state)
{
	static const struct {
		const char *name;
		struct span octets;
		const char *line;
	} cases[] = {
	    {"empty", TEXT("\x06\xfd\0\0\0"), "2 3 length of what follows: 0 "},
	    {"too short", TEXT("\x06\xfd\0\0\2\x10\0"), "6 1 length of the "
	        "value: 0 [S4]\n"},
	    {"breaks its rule", TEXT("\x06\xfd\0\0\3\x17\1x"), "7 1 value, "
	        "ignored, not a list of currency codes of three capital "
	        "letters [S15]\n"},
	    {"breaks its rule in part", TEXT("\x06\xfd\0\0\7\x15\5" "1;a b"),
	        "7 5 value, partly ignored, the label is not up to 16 "},
	    {"not defined", TEXT("\x06\xfd\0\0\3\x20\1x"), "5 1 field 32: not "
	        "defined [S5]\n6 1 length of the value: 1 [S5]\n7 1 value of a "
	        "field that is not defined: stepped over [S5]\n"},
	    {"not in order", TEXT("\x06\xfd\0\0\6\x11\1x\x10\1y"),
	        "8 1 field 16: Name [S6]\n"},
	    {"reserved", TEXT("\x06\xfd\0\0\5\x10\1y\x07x"), "8 2 not read: no "
	        "further field can be told apart [S1]\n"},
	    {"wrong length", TEXT("\x06\xfd\0\0\x09\x10\1y"), "2 3 length of "
	        "what follows: 9, which is not so [S1]\n5 1 field 16: Name "},
	    {"alternate key", TEXT("\x06\xfd\0\0\5\3\3\1\2k"), "7 1 security "
	        "level 1 [S3]\n8 1 scheme 2 [S3]\n9 1 alternate key, never "
	        "used to encrypt [S3]\n"},
	    {"no scheme", TEXT("\x06\xfd\0\0\3\3\1\1"),
	     "7 1 security level 1 "},
	    {"bad SOK", TEXT("\x06\xf0\0\0\x22\2\x11\0\0\0\0\0\0\0\0\0\0\0\0\0"
	        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "6 1 permissions 17 "
	        "users: ignored, not valid [S9]\n"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cover cover;

		unit_case(cases[i].name);
		assert_int_equal(explain(cases[i].octets, &cover), ERR_FORMAT);
		if (strstr(buffer_string(&cover.text), cases[i].line) == NULL)
			fail_msg("no %s in:\n%s", cases[i].line,
			    buffer_string(&cover.text));
		cover_free(&cover);
	}
}

/* Nothing is told of what is no signet: it may be a private key. */
static void
other_things_are_not_told(void **state)
{
	static const struct {
		const char *name;
		struct span octets;
	} cases[] = {
	    {"organization's keys", TEXT("\x07\xa0\0\0\2\1x")},
	    {"user's keys", TEXT("\x07\xdd\0\0\2\1x")},
	    {"message", TEXT("\x07\x37\0\0\0\0")},
	    {"nothing", TEXT("")},
	    {"cut header", TEXT("\x06\xfd\0\0")},
	    {"armored keys", TEXT("-----BEGIN USER KEYS-----\nBv0AAAA=\n"
	        "-----END USER KEYS-----\n")},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = {0};
		struct signet *signet;

		unit_case(cases[i].name);
		assert_int_equal(signet_survey(cases[i].octets, &signet,
		    &fault), ERR_FORMAT);
		assert_null(signet);
		assert_true(fault.text[0] != '\0');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_vector_is_covered),
	    cmocka_unit_test(broken_signets_are_covered),
	    cmocka_unit_test(elements_are_named),
	    cmocka_unit_test(odd_fields_are_told_apart),
	    cmocka_unit_test(other_things_are_not_told),
	};

	return cmocka_run_group_tests(tests, world_start, world_end);
}
