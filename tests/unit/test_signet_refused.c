/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/signet_world.h"

#include <stdlib.h>

static void
put(struct buffer *fields, uint8_t type)
{
	static const uint8_t zeros[CRYPTO_SIGNATURE];

	buffer_u8(fields, type);
	buffer_append(fields, zeros, sizeof(zeros));
}

static void
put_text(struct buffer *fields, uint8_t type, int octets, const char *text)
{
	buffer_u8(fields, type);
	if (octets == 3)
		buffer_u8(fields, 0);
	if (octets >= 2)
		buffer_u8(fields, (uint8_t)(strlen(text) >> 8));
	buffer_u8(fields, (uint8_t)strlen(text));
	buffer_append_string(fields, text);
}

/* Fields that are text, by the letters of the table below. */
static const struct {
	char letter;
	uint8_t type;
	int octets;
	const char *text;
} texts[] = {
    {'0', 0, 1, ""}, {'9', 9, 1, "x"}, {'!', 15, 1, "x"}, /* reserved */
    {'3', 3, 1, "\1\1key"}, {'#', 3, 1, "\1"}, /* alternate key, bad one */
    {'n', 16, 1, "Name"}, {'o', 17, 1, ""}, {'p', 21, 1, "1"},
    {'u', 28, 1, "?"}, {'U', 161, 2, "?"}, /* unknown */
    {'w', 160, 2, "http://a"}, {'c', 202, 2, "c"}, {'i', 252, 3, "image"},
    {'d', 254, 2, "alpha.test"}, {'D', 254, 2, "Alpha.test"},
    {'a', 254, 2, "a@alpha.test"}, {'A', 254, 2, "a b@alpha.test"},
    {'_', 254, 2, ""},
};

/* A key of 32 octets behind its type, or behind type and permissions. */
static void
put_key(struct buffer *fields, const char *head, size_t head_length,
    const uint8_t *key)
{
	buffer_append(fields, head, head_length);
	buffer_append(fields, key, CRYPTO_SIGN_PUBLIC);
}

/*
 * A letter a field. P, k: signing key, Q a bad one. S: SOK for users, R with a
 * reserved bit, N that may sign nothing, B with a bad key. E: encryption key of
 * an organization, F a bad one, e of a user. v: undefined field, z with an
 * empty name. 4 5 6 X Y: signatures of zeros. The others are above.
 */
static void
put_letter(struct buffer *fields, char letter)
{
	static const uint8_t small_order[CRYPTO_SIGN_PUBLIC] = {1};
	const uint8_t *sok = world_public_key(SOK_USERS);
	uint8_t off_curve[CRYPTO_POINT];

	for (size_t i = 0; i < COUNT(texts); i++)
		if (texts[i].letter == letter) {
			put_text(fields, texts[i].type, texts[i].octets,
			    texts[i].text);
			return;
		}
	memset(off_curve, 0xff, sizeof(off_curve));
	switch (letter) {
	case 'P':
	case 'k': put_key(fields, "\1", 1, world_public_key(POK)); break;
	case 'Q': put_key(fields, "\1", 1, small_order); break;
	case 'S': put_key(fields, "\2\1", 2, sok); break;
	case 'R': put_key(fields, "\2\21", 2, sok); break;
	case 'N': put_key(fields, "\2\10", 2, sok); break;
	case 'B': put_key(fields, "\2\1", 2, small_order); break;
	case 'E':
	case 'e':
		buffer_u8(fields, letter == 'E' ? 3 : 2);
		buffer_append(fields, world_point(POK), CRYPTO_POINT);
		break;
	case 'F': put_key(fields, "\3\2", 2, off_curve); break;
	case '4': put(fields, 4); break;
	case '5': put(fields, 5); break;
	case '6': put(fields, 6); break;
	case 'X': put(fields, 253); break;
	case 'Y': put(fields, 255); break;
	case 'v': buffer_append(fields, "\xfb\1V\0\1\xff", 6); break;
	case 'z': buffer_append(fields, "\xfb\0\0\1\xff", 5); break;
	default: fail();
	}
}

static const struct letters_case layout_cases[] = {
    {SIGNET_ORG, "PE", SIGNET_STATE_CORE, NULL},
    {SIGNET_ORG, "PEX", SIGNET_STATE_FULL, NULL},
    {SIGNET_ORG, "PEXdY", SIGNET_STATE_COMPLETE, NULL},
    {SIGNET_ORG, "PSSEnoppuuwUUccvviXdY", -1,
     "field 202 (Contact-Support) at offset "},
    {SIGNET_ORG, "PSSEnoppuuwUUcvviXdY", SIGNET_STATE_COMPLETE, NULL},
    {SIGNET_ORG, "PRNBEzX", SIGNET_STATE_FULL, NULL},
    {SIGNET_ORG, "", -1, "field 1 (Primary-Organizational-Key) is"},
    {SIGNET_ORG, "P", -1, "field 3 (Encryption-Key) is missing"},
    {SIGNET_ORG, "EX", -1, "field 1 (Primary-Organizational-Key) is"},
    {SIGNET_ORG, "QEX", -1, "at offset 5: not a valid Ed25519"},
    {SIGNET_ORG, "PFX", -1, "at offset 38: not a compressed point"},
    {SIGNET_ORG, "PPEX", -1, "field 1 (Primary-Organizational-Key) at "
     "offset 38: stands more than once"},
    {SIGNET_ORG, "PES", -1, "behind a field with a higher type"},
    {SIGNET_ORG, "PE4", -1, "field 4 at offset 72: the type is res"},
    {SIGNET_ORG, "PE!X", -1, "field 15 at offset 72: the type is"},
    {SIGNET_ORG, "0PEX", -1, "field 0 at offset 5: the type is"},
    {SIGNET_ORG, "PEn", -1, "field 253 (Organizational-Signature) is "
     "missing; informational"},
    {SIGNET_ORG, "PEnnX", -1, "field 16 (Name) at offset 78: stands"},
    {SIGNET_ORG, "PEwnX", -1, "field 16 (Name) at offset 83: stands"},
    {SIGNET_ORG, "PEiiX", -1, "stands more than once"},
    {SIGNET_ORG, "PEXd", -1, "field 255 (Organizational-Signature) is "
     "missing; the identifier"},
    {SIGNET_ORG, "PEXY", -1, "field 254 (Signet-Identifier) is"},
    {SIGNET_ORG, "PEdY", -1, "field 253"},
    {SIGNET_ORG, "PEXDY", -1, "not a lower-case domain name"},
    {SIGNET_ORG, "PEXaY", -1, "not a lower-case domain name"},
    {SIGNET_ORG, "PEX_Y", -1, "not a lower-case domain name"},
    {SIGNET_ORG, "PEXdYY", -1, "stands more than once"},
    {SIGNET_SSR, "ke5", SIGNET_STATE_SSR, NULL},
    {SIGNET_SSR, "ke345", SIGNET_STATE_SSR, NULL},
    {SIGNET_SSR, "ke", -1, "field 5 (User-Signature) is missing"},
    {SIGNET_SSR, "k5", -1, "field 2 (Encryption-Key) is missing"},
    {SIGNET_SSR, "ke56", -1, "a signing request ends with field 5"},
    {SIGNET_SSR, "ke5n", -1, "a signing request ends with field 5"},
    {SIGNET_SSR, "ke#5", -1, "too short for security level"},
    {SIGNET_USER, "ke56", SIGNET_STATE_CORE, NULL},
    {SIGNET_USER, "ke3456X", SIGNET_STATE_FULL, NULL},
    {SIGNET_USER, "ke56nccviXaY", SIGNET_STATE_COMPLETE, NULL},
    {SIGNET_USER, "ke5", -1, "field 6 (Organizational-Signature) is"},
    {SIGNET_USER, "ke6X", -1, "field 5 (User-Signature) is missing"},
    {SIGNET_USER, "ke569X", -1, "field 9 at offset 202: the type"},
    {SIGNET_USER, "ke56XdY", -1, "not a lower-case mail address"},
    {SIGNET_USER, "ke56XAY", -1, "not a lower-case mail address"},
    {SIGNET_USER, "ke566", -1, "stands more than once"},
    {SIGNET_USER, "k3e56", -1, "behind a field with a higher type"},
    {(enum signet_magic)1952, "PE", -1, "magic number 1952"},
};

static void
layout_table(void **state)
{
	world_try_letters(layout_cases, COUNT(layout_cases), LAYOUT_STANDARD,
	    put_letter);
}

static void
bad_soks_do_not_count(void **state)
{
	uint8_t value[33] = {1};
	static const uint8_t permissions[] = {0, 8, 16, 17, 128, 255};

	memcpy(value + 1, world_public_key(SOK_USERS), 32);
	assert_true(signet_sok_is_good(span_of(value, 33)));
	for (size_t i = 0; i < COUNT(permissions); i++) {
		value[0] = permissions[i];
		assert_false(signet_sok_is_good(span_of(value, 33)));
	}
	value[0] = 15;
	assert_true(signet_sok_is_good(span_of(value, 33)));
	memset(value + 1, 0xff, 32);
	assert_false(signet_sok_is_good(span_of(value, 33)));
}

/* Whether these octets pass as what `kind` says: the whole way that a signet
 * from a peer goes. */
static bool
passes(struct span binary)
{
	struct org_signet *org = NULL;
	struct user_signet *user = NULL;
	struct signet *signet;
	bool good = false;

	if (signet_parse(binary, &signet, NULL) != 0)
		return false;
	if (signet->magic == SIGNET_ORG)
		good = signet_verify_org(signet, world_only(POK)->keys, 1, NULL,
		    &org, NULL) == 0;
	else if (signet->magic == SIGNET_USER)
		good = signet_verify_user(signet, world.verified, NULL, &user,
		    NULL) == 0;
	else
		good = signet_verify_own(signet, NULL) == 0;
	if (org == NULL && user == NULL)
		signet_free(signet);
	org_signet_free(org);
	user_signet_free(user);
	return good;
}

/* Those in the standard layout are in test_mutation_signet.c. */
static const struct {
	const char *name;
	const struct buffer *binary;
} wholes[] = {
    {"libdime organization", &world.libdime_org},
    {"libdime request", &world.libdime_ssr},
    {"libdime request with custody", &world.libdime_next_ssr},
    {"libdime user", &world.libdime_alice},
    {"libdime user with custody", &world.libdime_alice_next},
};

/*
 * Field 4 of a user signet is no concern of signet_verify_user(), but 5 covers
 * it: so a flipped bit anywhere, custody included, must not pass.
 */
static void
every_bit_flip_is_refused(void **state)
{
	for (size_t i = 0; i < COUNT(wholes); i++) {
		size_t length = wholes[i].binary->length;
		uint8_t *copy = malloc(length);

		unit_case(wholes[i].name);
		memcpy(copy, wholes[i].binary->data, length);
		assert_true(passes(span_of(copy, length)));
		for (size_t bit = 0; bit < length * 8; bit++) {
			copy[bit / 8] ^= (uint8_t)(1U << bit % 8);
			assert_false(passes(span_of(copy, length)));
			copy[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
		free(copy);
	}
}

/* Cut anywhere, as is and with the length made to fit: only the places where
 * Part 5 lets a signet be split give one that passes. */
static void
every_truncation_is_refused(void **state)
{
	for (size_t i = 0; i < COUNT(wholes); i++) {
		const struct buffer *whole = wholes[i].binary;
		int splits = 0;

		unit_case(wholes[i].name);
		for (size_t length = 0; length < whole->length; length++) {
			uint8_t *copy = malloc(length + 1);

			memcpy(copy, whole->data, length);
			assert_false(passes(span_of(copy, length)));
			if (length >= 5) {
				copy[2] = 0;
				copy[3] = (uint8_t)((length - 5) >> 8);
				copy[4] = (uint8_t)(length - 5);
				splits += passes(span_of(copy, length));
			}
			free(copy);
		}
		/* An organization's full form; a user's core and full. */
		assert_int_equal(splits, whole->data[1] == 0xf0 ? 1
		    : whole->data[1] == 0xfd ? 2 : 0);
	}
}

static void
too_many_are_refused(void **state)
{
	struct buffer binary = buffer_make(400000);
	struct fault fault = {0};
	struct signet *signet;

	buffer_u16(&binary, SIGNET_ORG);
	buffer_u24(&binary, 2 * (SIGNET_MAX_FIELDS + 1));
	for (size_t i = 0; i <= SIGNET_MAX_FIELDS; i++)
		buffer_u16(&binary, 21 << 8);
	assert_int_equal(signet_parse(buffer_span(&binary), &signet, &fault),
	    ERR_FORMAT);
	assert_non_null(strstr(fault.text, "more than 4096 fields"));
	buffer_reset(&binary);
	buffer_u16(&binary, SIGNET_ORG);
	buffer_u24(&binary, 34 * (SIGNET_MAX_SOKS + 1));
	for (size_t i = 0; i <= SIGNET_MAX_SOKS; i++)
		put_letter(&binary, 'S');
	assert_int_equal(signet_parse(buffer_span(&binary), &signet, &fault),
	    ERR_FORMAT);
	assert_non_null(strstr(fault.text, "more than 64 SOKs"));
	buffer_free(&binary);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(layout_table),
	    cmocka_unit_test(bad_soks_do_not_count),
	    cmocka_unit_test(every_bit_flip_is_refused),
	    cmocka_unit_test(every_truncation_is_refused),
	    cmocka_unit_test(too_many_are_refused),
	};

	return cmocka_run_group_tests(tests, world_start, world_end);
}
