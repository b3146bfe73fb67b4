/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/refusal.h"
#include "tests/unit/signet_world.h"

/*
 * Signets whose layout is good, with keys that are none, and with signatures by
 * the wrong people or over something else. What stands behind the bad signature
 * is signed anew by the right ones.
 */
enum { HEADER = 5 };

/* What a signature is over, where it should be the fields below it. */
enum over {
	RIGHT,
	WITH_HEADER,
	FITTING_HEADER, /* with the length that the fields below have */
	VALUES,         /* without types and lengths */
	REVERSED,       /* the fields in the other order */
	LESS_ONE,       /* without the field directly below */
	DIGEST,
	MALLEABLE, /* as it should be, with S + L for S */
};

/* The fields below `type`, written in that way. */
static void
append_signed(const struct signet *signet, uint8_t type, enum over over,
    struct buffer *out)
{
	struct span below = signet_below(signet, type);
	const struct signet_field *fields = signet->fields;
	size_t count = 0;

	while (fields[count].type < type)
		count++;
	switch (over) {
	case WITH_HEADER:
		buffer_append(out, signet->blob, HEADER);
		break;
	case FITTING_HEADER:
		buffer_append(out, signet->blob, 2);
		buffer_u24(out, (uint32_t)below.length);
		break;
	case VALUES:
		for (size_t i = 0; i < count; i++)
			buffer_append_span(out, fields[i].value);
		return;
	case REVERSED:
		for (size_t i = count; i > 0; i--)
			buffer_append_span(out, fields[i - 1].whole);
		return;
	case LESS_ONE:
		below.length -= fields[count - 1].whole.length;
		break;
	case DIGEST:
		crypto_sha512(below, buffer_extend(out, CRYPTO_SHA512));
		return;
	default:
		break;
	}
	buffer_append_span(out, below);
}

/* Signs the field of `type` in place. */
static void
sign_field(struct signet *signet, uint8_t type, int signer, enum over over)
{
	size_t at = (size_t)(signet_find(signet, type)->value.data -
	    signet->blob);
	struct buffer data = buffer_make(100000);

	append_signed(signet, type, over, &data);
	crypto_ed25519_sign(world_seed(signer), buffer_span(&data),
	    signet->blob + at);
	if (over == MALLEABLE)
		unit_malleate(signet->blob + at);
	buffer_free(&data);
}

/* Takes over the signet. */
static int
verify(struct signet *signet, struct fault *fault)
{
	struct org_signet *org = NULL;
	struct user_signet *user = NULL;
	int err;

	if (signet->magic == SIGNET_ORG)
		err = signet_verify_org(signet, world_only(POK)->keys, 1,
		    "alpha.test", &org, fault);
	else
		err = signet_verify_user(signet, world.verified,
		    "alice@alpha.test", &user, fault);
	if (err != 0)
		signet_free(signet);
	org_signet_free(org);
	user_signet_free(user);
	return err;
}

static const char by_own[] = "its own signing key";
static const char by_pok[] = "its POK";
static const char by_org[] =
    "the organization's POK or a SOK that may sign users";

static const struct {
	const char *name;
	const struct buffer *binary;
	uint8_t type;
	int signer;
	enum over over;
	const char *by; /* whose it should be; NULL: it is good */
} cases[] = {
    {"user", &world.alice, 253, POK, RIGHT, NULL},
    {"user's own by a stranger", &world.alice, 5, STRANGER, RIGHT, by_own},
    {"user's own by the POK", &world.alice, 5, POK, RIGHT, by_own},
    {"core by a SOK for users", &world.alice, 6, SOK_USERS, RIGHT, NULL},
    {"core by a SOK for messages", &world.alice, 6, SOK_MESSAGES, RIGHT,
        by_org},
    {"core by the user", &world.alice, 6, ALICE, RIGHT, by_org},
    {"core by a stranger", &world.alice, 6, STRANGER, RIGHT, by_org},
    {"full by a SOK for users", &world.alice, 253, SOK_USERS, RIGHT, NULL},
    {"full by a SOK for messages", &world.alice, 253, SOK_MESSAGES, RIGHT,
        by_org},
    {"full by the user", &world.alice, 253, ALICE, RIGHT, by_org},
    {"identifier by the user", &world.alice, 255, ALICE, RIGHT, by_org},
    {"identifier by a stranger", &world.alice, 255, STRANGER, RIGHT, by_org},
    {"own with the header", &world.alice, 5, ALICE, WITH_HEADER, by_own},
    {"own with a header that fits", &world.alice, 5, ALICE, FITTING_HEADER,
        by_own},
    {"own over values", &world.alice, 5, ALICE, VALUES, by_own},
    {"own over less", &world.alice, 5, ALICE, LESS_ONE, by_own},
    {"own over a digest", &world.alice, 5, ALICE, DIGEST, by_own},
    {"own with another S", &world.alice, 5, ALICE, MALLEABLE, by_own},
    {"core with the header", &world.alice, 6, POK, WITH_HEADER, by_org},
    {"core over fields reversed", &world.alice, 6, POK, REVERSED, by_org},
    {"core over less", &world.alice, 6, POK, LESS_ONE, by_org},
    {"core with another S", &world.alice, 6, POK, MALLEABLE, by_org},
    {"full over values", &world.alice, 253, POK, VALUES, by_org},
    {"full over fields reversed", &world.alice, 253, POK, REVERSED, by_org},
    {"full with another S", &world.alice, 253, POK, MALLEABLE, by_org},
    {"identifier over less", &world.alice, 255, POK, LESS_ONE, by_org},
    {"identifier with another S", &world.alice, 255, POK, MALLEABLE, by_org},
    {"organization", &world.org, 253, POK, RIGHT, NULL},
    {"organization by its SOK", &world.org, 253, SOK_USERS, RIGHT, by_pok},
    {"organization by a stranger", &world.org, 253, STRANGER, RIGHT, by_pok},
    {"its identifier by its SOK", &world.org, 255, SOK_MESSAGES, RIGHT,
        by_pok},
    {"organization with the header", &world.org, 253, POK, WITH_HEADER,
        by_pok},
    {"organization over values", &world.org, 253, POK, VALUES, by_pok},
    {"organization over fields reversed", &world.org, 253, POK, REVERSED,
        by_pok},
    {"organization over less", &world.org, 253, POK, LESS_ONE, by_pok},
    {"organization over a digest", &world.org, 253, POK, DIGEST, by_pok},
    {"organization with another S", &world.org, 253, POK, MALLEABLE, by_pok},
    {"its identifier with the header", &world.org, 255, POK, FITTING_HEADER,
        by_pok},
    {"its identifier with another S", &world.org, 255, POK, MALLEABLE,
        by_pok},
};

static void
signer_table(void **state)
{
	static const uint8_t signatures[] = {5, 6, 253, 255};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct signet *signet = world_parse(cases[i].binary);
		const struct signet_field *field =
		    signet_find(signet, cases[i].type);
		size_t offset = (size_t)(field->whole.data - signet->blob);
		struct fault fault = {0};
		int err;

		unit_case(cases[i].name);
		for (size_t j = 0; j < COUNT(signatures); j++) {
			uint8_t type = signatures[j];

			if (type == cases[i].type)
				sign_field(signet, type, cases[i].signer,
				    cases[i].over);
			else if (type > cases[i].type)
				sign_field(signet, type, POK, RIGHT);
		}
		err = verify(signet, &fault);
		if (cases[i].by == NULL)
			assert_int_equal(err, 0);
		else
			refusal_expect(err, &fault, ERR_SIGNATURE,
			    "signet: field %u (%s) at offset %zu: not a "
			    "signature by %s", cases[i].type,
			    cases[i].type == 5 ? "User-Signature"
			                       : "Organizational-Signature",
			    offset, cases[i].by);
	}
}

static void
custody_by_others_is_refused(void **state)
{
	static const struct {
		const char *name;
		int signer;
		enum over over;
	} chains[] = {
	    {"good", ALICE, RIGHT}, {"stranger", STRANGER, RIGHT},
	    {"the key itself", ALICE_NEXT, RIGHT}, {"the POK", POK, RIGHT},
	    {"with the header", ALICE, WITH_HEADER},
	    {"over less", ALICE, LESS_ONE}, {"another S", ALICE, MALLEABLE},
	};
	struct signet *previous = world_parse(&world.alice);

	for (size_t i = 0; i < COUNT(chains); i++) {
		struct signet *next = world_parse(&world.next_ssr);
		struct fault fault = {0};
		int err;

		unit_case(chains[i].name);
		sign_field(next, SIGNET_USER_CUSTODY, chains[i].signer,
		    chains[i].over);
		err = signet_verify_custody(next, previous, &fault);
		if (i == 0)
			assert_int_equal(err, 0);
		else
			refusal_expect(err, &fault, ERR_CUSTODY,
			    "signet: field 4 (Custody-Signature) at offset 72: "
			    "not a signature by the previous signing key");
		signet_free(next);
	}
	signet_free(previous);
}

/* ---- keys that are none ---- */

#define FF7 "\xff\xff\xff\xff\xff\xff\xff"
#define ZERO7 "\0\0\0\0\0\0\0"

/* Every point of small order in both its encodings where there are two, one
 * that is not canonical though its order is right, and one that is off the
 * curve. */
static const char *const bad_ed25519[] = {
    "\0" ZERO7 ZERO7 ZERO7 ZERO7 "\0\0\0",
    "\0" ZERO7 ZERO7 ZERO7 ZERO7 "\0\0\x80",
    "\1" ZERO7 ZERO7 ZERO7 ZERO7 "\0\0\0",
    "\1" ZERO7 ZERO7 ZERO7 ZERO7 "\0\0\x80",
    "\xec" FF7 FF7 FF7 FF7 "\xff\xff\x7f",
    "\xec" FF7 FF7 FF7 FF7 "\xff\xff\xff",
    "\xed" FF7 FF7 FF7 FF7 "\xff\xff\x7f",
    "\xed" FF7 FF7 FF7 FF7 "\xff\xff\xff",
    "\xee" FF7 FF7 FF7 FF7 "\xff\xff\x7f",
    "\xee" FF7 FF7 FF7 FF7 "\xff\xff\xff",
    "\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0"
    "\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
    "\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0"
    "\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x85",
    "\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f"
    "\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
    "\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f"
    "\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\xfa",
    "\xf1" FF7 FF7 FF7 FF7 "\xff\xff\x7f",
    "\2" ZERO7 ZERO7 ZERO7 ZERO7 "\0\0\0",
};

/* The field p, 0 and all ones, no prefix, the other form, infinity. */
static const char *const bad_points[] = {
    "\2" FF7 FF7 FF7 "\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xfc\x2f",
    "\2" ZERO7 ZERO7 ZERO7 ZERO7 "\0\0\0\0",
    "\3" FF7 FF7 FF7 FF7 "\xff\xff\xff\xff",
    "\0" ZERO7 ZERO7 ZERO7 ZERO7 "\0\0\0\1",
    "\4" ZERO7 ZERO7 ZERO7 ZERO7 "\0\0\0\1",
    "\0" ZERO7 ZERO7 ZERO7 ZERO7 "\0\0\0\0",
};

static void
expect_key(const struct buffer *binary, uint8_t type, const char *key,
    size_t length, const char *rule)
{
	struct signet *good = world_parse(binary), *signet;
	const struct signet_field *field = signet_find(good, type);
	size_t offset = (size_t)(field->whole.data - good->blob);
	struct fault fault = {0};
	int err;

	assert_int_equal(field->value.length, length);
	memcpy(good->blob + offset + 1, key, length);
	err = signet_parse(signet_binary(good), &signet, &fault);
	refusal_expect(err, &fault, ERR_FORMAT,
	    "signet: field %u (%s) at offset %zu: %s", type,
	    signet_field_row(LAYOUT_STANDARD, good->magic, type)->label,
	    offset, rule);
	signet_free(good);
}

static void
keys_that_are_none_are_refused(void **state)
{
	for (size_t i = 0; i < COUNT(bad_ed25519); i++) {
		expect_key(&world.org, 1, bad_ed25519[i], CRYPTO_SIGN_PUBLIC,
		    "not a valid Ed25519 key");
		expect_key(&world.alice, 1, bad_ed25519[i], CRYPTO_SIGN_PUBLIC,
		    "not a valid Ed25519 key");
	}
	for (size_t i = 0; i < COUNT(bad_points); i++) {
		expect_key(&world.org, 3, bad_points[i], CRYPTO_POINT,
		    "not a compressed point of secp256k1");
		expect_key(&world.ssr, 2, bad_points[i], CRYPTO_POINT,
		    "not a compressed point of secp256k1");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signer_table),
	    cmocka_unit_test(custody_by_others_is_refused),
	    cmocka_unit_test(keys_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, world_start, world_end);
}
