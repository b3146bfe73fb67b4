/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "dime/armor.h"
#include "dime/signet.h"

/*
 * One organization with a SOK for users (perm 1), one for messages (perm 2) and
 * every kind of informational field; its user alice, first and rotated; a user
 * signed by the SOK. Keys are seeds of one repeated octet.
 */
enum { POK = 1, SOK_USERS, SOK_MESSAGES, ALICE, ALICE_NEXT, STRANGER };

struct world {
	struct buffer org, ssr, alice, next_ssr, alice_next, bob;
	struct org_signet *verified;
};

static struct world world;

static const uint8_t *
seed(int who)
{
	static uint8_t seeds[8][CRYPTO_SEED];

	memset(seeds[who], who, CRYPTO_SEED);
	return seeds[who];
}

static const uint8_t *
public_key(int who)
{
	static uint8_t keys[8][CRYPTO_SIGN_PUBLIC];

	crypto_ed25519_public(seed(who), keys[who]);
	return keys[who];
}

/* The same in the shape of a record's keys. */
struct one_key {
	uint8_t keys[1][CRYPTO_SIGN_PUBLIC];
};

static const struct one_key *
only(int who)
{
	static struct one_key made[8];

	crypto_ed25519_public(seed(who), made[who].keys[0]);
	return &made[who];
}

static const uint8_t *
point(int who)
{
	static uint8_t points[8][CRYPTO_POINT];

	assert_int_equal(crypto_point_public(seed(who), points[who]), 0);
	return points[who];
}

static struct signet_sok
sok(int who, uint8_t permissions)
{
	struct signet_sok made = {.permissions = permissions};

	memcpy(made.key, public_key(who), sizeof(made.key));
	return made;
}

#define TEXT(text) {(const uint8_t *)(text), sizeof(text) - 1}

/* Not in order: signets sort. */
static const struct signet_extra extras[] = {
    {SIGNET_IMAGE, {NULL, 0}, TEXT("\x89PNG\r\n\x1a\nnot really")},
    {SIGNET_UNDEFINED, TEXT("Zebra"), TEXT("\0\1binary")},
    {160, {NULL, 0}, TEXT("https://alpha.test/")},
    {21, {NULL, 0}, TEXT("4108546334; OFFICE")},
    {16, {NULL, 0}, TEXT("Alpha")},
    {21, {NULL, 0}, TEXT("1")},
    {SIGNET_UNDEFINED, TEXT("Apple"), TEXT("")},
    {200, {NULL, 0}, TEXT("abuse@alpha.test")},
};

static void
make_org(struct buffer *out)
{
	const struct signet_sok soks[] = {sok(SOK_USERS, 1),
	    sok(SOK_MESSAGES, 2)};

	assert_int_equal(signet_make_org(public_key(POK),
	    signer_of_seed(seed(POK)), soks, COUNT(soks), point(POK),
	    "alpha.test", extras, COUNT(extras), out, NULL), 0);
}

static void
make_ssr(int who, int previous, struct buffer *out)
{
	struct signer signer = signer_of_seed(seed(previous));

	assert_int_equal(signet_make_ssr(public_key(who),
	    signer_of_seed(seed(who)), point(who),
	    previous == 0 ? NULL : &signer, out, NULL), 0);
}

static struct signet *
parse(const struct buffer *binary)
{
	struct fault fault = {0};
	struct signet *signet;
	int err = signet_parse(buffer_span(binary), &signet, &fault);

	if (err != 0)
		print_error("%s\n", fault.text);
	assert_int_equal(err, 0);
	return signet;
}

static void
make_user(const struct buffer *request, const struct buffer *previous_binary,
    int signer, const char *address, struct buffer *out)
{
	struct signet *ssr = parse(request);
	struct signet *previous = previous_binary == NULL
	    ? NULL
	    : parse(previous_binary);

	assert_int_equal(signet_make_user(ssr, previous,
	    signer_of_seed(seed(signer)), address, extras, COUNT(extras) - 1,
	    out, NULL), 0);
	signet_free(ssr);
	signet_free(previous);
}

static struct org_signet *
verify_org(const struct buffer *binary)
{
	struct signet *signet = parse(binary);
	struct org_signet *org;

	assert_int_equal(signet_verify_org(signet,
	    only(POK)->keys, 1, "alpha.test", &org, NULL), 0);
	return org;
}

static int
start(void **state)
{
	struct buffer *all[] = {&world.org, &world.ssr, &world.alice,
	    &world.next_ssr, &world.alice_next, &world.bob};

	unit_start(state);
	for (size_t i = 0; i < COUNT(all); i++)
		*all[i] = buffer_make(100000);
	make_org(&world.org);
	world.verified = verify_org(&world.org);
	make_ssr(ALICE, 0, &world.ssr);
	make_user(&world.ssr, NULL, POK, "alice@alpha.test", &world.alice);
	make_ssr(ALICE_NEXT, ALICE, &world.next_ssr);
	make_user(&world.next_ssr, &world.alice, POK, "alice@alpha.test",
	    &world.alice_next);
	make_user(&world.ssr, NULL, SOK_USERS, "bob@sub.alpha.test",
	    &world.bob);
	return 0;
}

static int
end(void **state)
{
	struct buffer *all[] = {&world.org, &world.ssr, &world.alice,
	    &world.next_ssr, &world.alice_next, &world.bob};

	for (size_t i = 0; i < COUNT(all); i++)
		buffer_free(all[i]);
	org_signet_free(world.verified);
	return unit_end(state);
}

/* ---- what was made ---- */

static void
org_holds_what_it_was_made_of(void **state)
{
	static const uint8_t order[] = {1, 2, 2, 3, 16, 21, 21, 160, 200, 251,
	    251, 252, 253, 254, 255};
	const struct org_signet *org = world.verified;
	const struct signet *signet = org->signet;
	const struct signet_field *field;

	assert_string_equal(org->domain, "alpha.test");
	assert_memory_equal(org->pok, public_key(POK), CRYPTO_SIGN_PUBLIC);
	assert_memory_equal(org->encryption, point(POK), CRYPTO_POINT);
	assert_int_equal(org->sok_count, 2);
	assert_int_equal(org->soks[1].permissions, 2);
	assert_int_equal(signet->state, SIGNET_STATE_COMPLETE);
	assert_int_equal(signet->field_count, COUNT(order));
	for (size_t i = 0; i < COUNT(order); i++)
		assert_int_equal(signet->fields[i].type, order[i]);
	field = &signet->fields[9];
	assert_true(span_equal_string(field->name, "Zebra"));
	assert_int_equal(field->value.length, 8);
	assert_true(span_equal_string(signet->fields[5].value,
	    "4108546334; OFFICE"));
	assert_null(signet_find(signet, 17));
}

static void
wire_layout(void **state)
{
	const uint8_t *at = world.ssr.data;

	assert_int_equal(world.ssr.length, 5 + 33 + 34 + 65);
	assert_memory_equal(at, "\x04\xbf\0\0\x84\1", 6);
	assert_memory_equal(at + 6, public_key(ALICE), 32);
	assert_int_equal(at[38], 2);
	assert_memory_equal(at + 39, point(ALICE), 33);
	assert_int_equal(at[72], 5);
	at = world.org.data + world.org.length - 65 - 13;
	assert_memory_equal(at, "\xfe\0\x0a" "alpha.test\xff", 14);
	assert_memory_equal(world.org.data, "\x06\xf0", 2);
	assert_memory_equal(world.alice.data, "\x06\xfd", 2);
}

static void
users_verify(void **state)
{
	static const struct {
		const char *name;
		const struct buffer *binary;
		const char *address; /* asked for */
		int err;
	} cases[] = {
	    {"nothing asked", &world.alice, NULL, 0},
	    {"the address", &world.alice, "alice@alpha.test", 0},
	    {"with a tag", &world.alice, "alice+x@alpha.test", 0},
	    {"another user", &world.alice, "bob@alpha.test", ERR_MISMATCH},
	    {"another domain", &world.alice, "alice@beta.test", ERR_MISMATCH},
	    {"rotated", &world.alice_next, "alice@alpha.test", 0},
	    {"by a SOK, in a subdomain", &world.bob, "bob@sub.alpha.test", 0},
	    {"organization", &world.org, NULL, ERR_FORMAT},
	    {"request", &world.ssr, NULL, ERR_FORMAT},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct signet *signet = parse(cases[i].binary);
		struct user_signet *user;

		unit_case(cases[i].name);
		assert_int_equal(signet_verify_user(signet, world.verified,
		    cases[i].address, &user, NULL), cases[i].err);
		if (cases[i].err != 0) {
			assert_null(user);
			signet_free(signet);
			continue;
		}
		assert_int_equal(strlen(user->core), 86);
		assert_int_equal(strlen(user->full), 86);
		assert_string_not_equal(user->core, user->full);
		user_signet_free(user);
	}
}

static void
only_a_permitted_key_signs(void **state)
{
	static const struct {
		const char *name;
		int signer, err;
		const char *address;
	} cases[] = {
	    {"POK", POK, 0, "a@alpha.test"},
	    {"SOK for users", SOK_USERS, 0, "a@alpha.test"},
	    {"SOK for messages", SOK_MESSAGES, ERR_SIGNATURE, "a@alpha.test"},
	    {"stranger", STRANGER, ERR_SIGNATURE, "a@alpha.test"},
	    {"outside the domain", POK, ERR_MISMATCH, "a@beta.test"},
	    {"domain that only ends alike", POK, ERR_MISMATCH,
	     "a@xalpha.test"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer binary = buffer_make(10000);
		struct user_signet *user;
		struct signet *signet;

		unit_case(cases[i].name);
		make_user(&world.ssr, NULL, cases[i].signer, cases[i].address,
		    &binary);
		signet = parse(&binary);
		assert_int_equal(signet_verify_user(signet, world.verified,
		    NULL, &user, NULL), cases[i].err);
		if (cases[i].err == 0)
			user_signet_free(user);
		else
			signet_free(signet);
		buffer_free(&binary);
	}
}

static void
org_checks_the_key_and_the_name(void **state)
{
	struct signet *signet = parse(&world.org);
	struct org_signet *org;

	assert_int_equal(signet_verify_org(signet, NULL, 0, NULL, &org, NULL),
	    ERR_MISMATCH);
	assert_int_equal(signet_verify_org(signet, only(STRANGER)->keys, 1,
	    NULL, &org, NULL), ERR_MISMATCH);
	assert_int_equal(signet_verify_org(signet, only(POK)->keys, 1,
	    "beta.test", &org, NULL), ERR_MISMATCH);
	assert_null(org);
	signet_free(signet);
	signet = parse(&world.alice);
	assert_int_equal(signet_verify_org(signet, only(POK)->keys, 1, NULL,
	    &org, NULL), ERR_FORMAT);
	signet_free(signet);
}

static void
custody(void **state)
{
	struct signet *first = parse(&world.alice);
	struct signet *next = parse(&world.alice_next);
	struct signet *bob = parse(&world.bob);
	struct signet *ssr = parse(&world.next_ssr);
	struct signet *plain = parse(&world.ssr);
	struct buffer out = buffer_make(10000);
	struct signer pok = signer_of_seed(seed(POK));

	assert_int_equal(signet_verify_custody(next, first, NULL), 0);
	assert_int_equal(signet_verify_custody(next, next, NULL), ERR_CUSTODY);
	assert_int_equal(signet_verify_custody(first, bob, NULL), ERR_CUSTODY);
	assert_int_equal(signet_make_user(ssr, NULL, pok, "a@alpha.test", NULL,
	    0, &out, NULL), ERR_CUSTODY);
	assert_int_equal(signet_make_user(plain, first, pok, "a@alpha.test",
	    NULL, 0, &out, NULL), ERR_CUSTODY);
	assert_int_equal(signet_make_user(first, NULL, pok, "a@alpha.test",
	    NULL, 0, &out, NULL), ERR_FORMAT);
	assert_int_equal(out.length, 0);
	signet_free(first);
	signet_free(next);
	signet_free(bob);
	signet_free(ssr);
	signet_free(plain);
	buffer_free(&out);
}

static void
hash_of(struct span data, char out[static SIGNET_FINGERPRINT_SIZE])
{
	uint8_t digest[CRYPTO_SHA512];

	crypto_sha512(data, digest);
	base64_encode(span_of(digest, sizeof(digest)), out);
}

static void
fingerprints_and_splits(void **state)
{
	char core[SIGNET_FINGERPRINT_SIZE], full[SIGNET_FINGERPRINT_SIZE];
	char expected[SIGNET_FINGERPRINT_SIZE];
	const size_t tail = 3 + strlen("alice@alpha.test") + 65;
	struct signet *alice = parse(&world.alice), *part;
	struct buffer cut = buffer_make(10000);

	/* Fields 1, 2, 5, 6: 33 + 34 + 65 + 65 octets. */
	assert_true(signet_core_fingerprint(alice, core));
	hash_of(span_of(world.alice.data + 5, 197), expected);
	assert_string_equal(core, expected);
	assert_true(signet_full_fingerprint(alice, full));
	hash_of(span_of(world.alice.data + 5, world.alice.length - 5 - tail),
	    expected);
	assert_string_equal(full, expected);
	assert_false(signet_org_fingerprint(alice, expected));
	assert_string_equal(expected, "");
	assert_true(signet_is_fingerprint(span_string(core)));
	assert_false(signet_is_fingerprint(span_string("abc")));

	assert_int_equal(signet_split(alice, SIGNET_STATE_FULL, &cut, NULL), 0);
	assert_int_equal(cut.length, world.alice.length - tail);
	part = parse(&cut);
	assert_int_equal(part->state, SIGNET_STATE_FULL);
	assert_true(signet_full_fingerprint(part, expected));
	assert_string_equal(full, expected);
	buffer_reset(&cut);
	assert_int_equal(signet_split(part, SIGNET_STATE_CORE, &cut, NULL), 0);
	signet_free(part);
	assert_int_equal(cut.length, 5 + 197);
	part = parse(&cut);
	assert_true(signet_core_fingerprint(part, expected));
	assert_string_equal(core, expected);
	assert_false(signet_full_fingerprint(part, expected));
	assert_int_equal(signet_split(part, SIGNET_STATE_FULL, &cut, NULL),
	    ERR_FORMAT);
	assert_int_equal(signet_split(world.verified->signet,
	    SIGNET_STATE_CORE, &cut, NULL), ERR_FORMAT);
	signet_free(part);
	signet_free(alice);
	buffer_free(&cut);
}

static void
extras_are_checked(void **state)
{
	static const uint8_t big[256];
	static const struct {
		const char *name;
		struct signet_extra extra[2];
		size_t count;
		const char *complaint;
	} cases[] = {
	    {"key", {{1, {NULL, 0}, TEXT("x")}}, 1, "field 1 is not"},
	    {"signature", {{253, {NULL, 0}, TEXT("x")}}, 1, "field 253 is not"},
	    {"identifier", {{254, {NULL, 0}, TEXT("x")}}, 1,
	     "field 254 is not"},
	    {"unknown type", {{28, {NULL, 0}, TEXT("x")}}, 1, "field 28 is"},
	    {"of users only", {{93, {NULL, 0}, TEXT("x")}}, 1, "field 93 is"},
	    {"unique twice", {{16, {NULL, 0}, TEXT("x")},
	     {16, {NULL, 0}, TEXT("y")}}, 2, "only once"},
	    {"too long", {{16, {NULL, 0}, {big, 256}}}, 1, "at most 255"},
	    {"name empty", {{251, {NULL, 0}, TEXT("x")}}, 1, "field 251: the"},
	    {"name with a space", {{251, TEXT("A b"), TEXT("x")}}, 1,
	     "field 251: the"},
	    {"name with a wide space",
	     {{251, TEXT("A\xe3\x80\x80" "b"), TEXT("x")}}, 1,
	     "field 251: the"},
	    {"name not UTF-8", {{251, TEXT("A\xff"), TEXT("x")}}, 1,
	     "field 251: the"},
	    {"name too long", {{251, {big, 256}, TEXT("x")}}, 1,
	     "field 251: the"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer out = buffer_make(10000);
		struct fault fault = {0};

		unit_case(cases[i].name);
		assert_int_equal(signet_make_org(public_key(POK),
		    signer_of_seed(seed(POK)), NULL, 0, point(POK),
		    "alpha.test", cases[i].extra, cases[i].count, &out, &fault),
		    ERR_USAGE);
		assert_non_null(strstr(fault.text, cases[i].complaint));
		assert_int_equal(out.length, 0);
	}
}

static void
labels_find_fields(void **state)
{
	static const struct {
		const char *label;
		enum signet_magic magic;
		int type; /* 0: none */
	} cases[] = {
	    {"Name", SIGNET_ORG, 16}, {"Name", SIGNET_USER, 16},
	    {"name", SIGNET_ORG, 0}, {"Image", SIGNET_USER, 252},
	    {"Contact-Abuse", SIGNET_ORG, 200},
	    {"Contact-Abuse", SIGNET_USER, 0},
	    {"Alternate-Address", SIGNET_USER, 200},
	    {"Signing-Key", SIGNET_USER, 0},
	    {"Signet-Identifier", SIGNET_ORG, 0},
	    {"Undefined-Fields", SIGNET_ORG, 0}, {"", SIGNET_ORG, 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct signet_field_row *row = signet_field_by_label(
		    cases[i].magic, span_string(cases[i].label));

		unit_case(cases[i].label);
		assert_int_equal(row == NULL ? 0 : row->type, cases[i].type);
	}
}

/* ---- what is refused ---- */

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
	case 'k': put_key(fields, "\1", 1, public_key(POK)); break;
	case 'Q': put_key(fields, "\1", 1, small_order); break;
	case 'S': put_key(fields, "\2\1", 2, public_key(SOK_USERS)); break;
	case 'R': put_key(fields, "\2\21", 2, public_key(SOK_USERS)); break;
	case 'N': put_key(fields, "\2\10", 2, public_key(SOK_USERS)); break;
	case 'B': put_key(fields, "\2\1", 2, small_order); break;
	case 'E':
	case 'e':
		buffer_u8(fields, letter == 'E' ? 3 : 2);
		buffer_append(fields, point(POK), CRYPTO_POINT);
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

static void
layout_table(void **state)
{
	static const struct {
		enum signet_magic magic;
		const char *letters;
		int state; /* -1: refused */
		const char *complaint;
	} cases[] = {
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

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer fields = buffer_make(10000);
		struct buffer binary = buffer_make(10000);
		struct fault fault = {0};
		struct signet *signet;
		int err;

		unit_case(cases[i].letters);
		for (const char *letter = cases[i].letters; *letter != '\0';
		     letter++)
			put_letter(&fields, *letter);
		buffer_u16(&binary, (uint16_t)cases[i].magic);
		buffer_u24(&binary, (uint32_t)fields.length);
		buffer_append_span(&binary, buffer_span(&fields));
		err = signet_parse(buffer_span(&binary), &signet, &fault);
		if (cases[i].complaint == NULL) {
			assert_int_equal(err, 0);
			assert_int_equal(signet->state, cases[i].state);
		} else {
			assert_int_equal(err, ERR_FORMAT);
			assert_null(signet);
			if (strstr(fault.text, cases[i].complaint) == NULL)
				print_error("%s\n", fault.text);
			assert_non_null(strstr(fault.text, cases[i].complaint));
		}
		signet_free(signet);
		buffer_free(&fields);
		buffer_free(&binary);
	}
}

static void
bad_soks_do_not_count(void **state)
{
	uint8_t value[33] = {1};
	static const uint8_t permissions[] = {0, 8, 16, 17, 128, 255};

	memcpy(value + 1, public_key(SOK_USERS), 32);
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
		good = signet_verify_org(signet, only(POK)->keys, 1, NULL,
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

static const struct {
	const char *name;
	const struct buffer *binary;
} wholes[] = {
    {"organization", &world.org}, {"request", &world.ssr},
    {"request with custody", &world.next_ssr}, {"user", &world.alice},
    {"user with custody", &world.alice_next}, {"user by a SOK", &world.bob},
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
	assert_non_null(strstr(fault.text, "more than 65536 fields"));
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

static void
armored_form(void **state)
{
	struct signet *alice = parse(&world.alice), *back;
	struct buffer text = buffer_make(10000);
	struct fault fault = {0};

	signet_write(alice, &text);
	assert_int_equal(signet_read(buffer_span(&text), &back, NULL), 0);
	assert_true(span_equal(signet_binary(back), signet_binary(alice)));
	signet_free(back);
	assert_int_equal(signet_read(buffer_span(&world.alice), &back, NULL),
	    0);
	signet_free(back);
	buffer_reset(&text);
	armor_write(ARMOR_ORG_SIGNET, signet_binary(alice), &text);
	assert_int_equal(signet_read(buffer_span(&text), &back, &fault),
	    ERR_FORMAT);
	assert_null(back);
	assert_non_null(strstr(fault.text, "magic number 1789"));
	signet_free(alice);
	buffer_free(&text);
}

/* The longest signet that the header can tell of. */
static void
largest_signet(void **state)
{
	struct buffer out = buffer_make(SIGNET_MAX_LENGTH + 100);
	const size_t around = 33 + 34 + 4 + 65 + 13 + 65;
	size_t length = 0xffffff - around;
	uint8_t *image = calloc(1, length + 1);
	struct signet_extra extra = {SIGNET_IMAGE, {NULL, 0}, {image, length}};
	struct fault fault = {0};
	struct signet *signet;

	assert_int_equal(signet_make_org(public_key(POK),
	    signer_of_seed(seed(POK)), NULL, 0, point(POK), "alpha.test",
	    &extra, 1, &out, &fault), 0);
	assert_int_equal(out.length, SIGNET_MAX_LENGTH);
	signet = parse(&out);
	assert_int_equal(signet_find(signet, SIGNET_IMAGE)->value.length,
	    length);
	signet_free(signet);
	buffer_reset(&out);
	extra.value.length++;
	assert_int_equal(signet_make_org(public_key(POK),
	    signer_of_seed(seed(POK)), NULL, 0, point(POK), "alpha.test",
	    &extra, 1, &out, &fault), ERR_TOO_LARGE);
	free(image);
	buffer_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(org_holds_what_it_was_made_of),
	    cmocka_unit_test(wire_layout),
	    cmocka_unit_test(users_verify),
	    cmocka_unit_test(only_a_permitted_key_signs),
	    cmocka_unit_test(org_checks_the_key_and_the_name),
	    cmocka_unit_test(custody),
	    cmocka_unit_test(fingerprints_and_splits),
	    cmocka_unit_test(extras_are_checked),
	    cmocka_unit_test(labels_find_fields),
	    cmocka_unit_test(layout_table),
	    cmocka_unit_test(bad_soks_do_not_count),
	    cmocka_unit_test(every_bit_flip_is_refused),
	    cmocka_unit_test(every_truncation_is_refused),
	    cmocka_unit_test(too_many_are_refused),
	    cmocka_unit_test(armored_form),
	    cmocka_unit_test(largest_signet),
	};

	return cmocka_run_group_tests(tests, start, end);
}
