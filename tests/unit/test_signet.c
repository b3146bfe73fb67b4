/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/signet_world.h"

#include <stdlib.h>

#include "dime/armor.h"

static void
org_holds_what_it_was_made_of(void **state)
{
	static const uint8_t order[] = {1, 2, 2, 3, 16, 21, 21, 160, 200, 251,
	    251, 252, 253, 254, 255};
	const struct org_signet *org = world.verified;
	const struct signet *signet = org->signet;
	const struct signet_field *field;

	assert_string_equal(org->domain, "alpha.test");
	assert_memory_equal(org->pok, world_public_key(POK),
	    CRYPTO_SIGN_PUBLIC);
	assert_memory_equal(org->encryption, world_point(POK), CRYPTO_POINT);
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
	assert_memory_equal(at + 6, world_public_key(ALICE), 32);
	assert_int_equal(at[38], 2);
	assert_memory_equal(at + 39, world_point(ALICE), 33);
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
		struct signet *signet = world_parse(cases[i].binary);
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
		world_make_user(&world.ssr, NULL, cases[i].signer,
		    cases[i].address, &binary);
		signet = world_parse(&binary);
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
	struct signet *signet = world_parse(&world.org);
	struct org_signet *org;

	assert_int_equal(signet_verify_org(signet, NULL, 0, NULL, &org, NULL),
	    ERR_MISMATCH);
	assert_int_equal(signet_verify_org(signet,
	    world_only(STRANGER)->keys, 1, NULL, &org, NULL), ERR_MISMATCH);
	assert_int_equal(signet_verify_org(signet, world_only(POK)->keys, 1,
	    "beta.test", &org, NULL), ERR_MISMATCH);
	assert_null(org);
	signet_free(signet);
	signet = world_parse(&world.alice);
	assert_int_equal(signet_verify_org(signet, world_only(POK)->keys, 1,
	    NULL, &org, NULL), ERR_FORMAT);
	signet_free(signet);
}

static void
custody(void **state)
{
	struct signet *first = world_parse(&world.alice);
	struct signet *next = world_parse(&world.alice_next);
	struct signet *bob = world_parse(&world.bob);
	struct signet *ssr = world_parse(&world.next_ssr);
	struct signet *plain = world_parse(&world.ssr);
	struct buffer out = buffer_make(10000);
	struct signer pok = signer_of_seed(world_seed(POK));

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

/* A request with an alternate key, which nothing of ours makes: its field 3 is
 * covered by custody and kept in the signet. */
static void
alternate_keys_are_carried(void **state)
{
	static const uint8_t alternate[] = {3, 5, 4, 1, 'k', 'e', 'y'};
	struct buffer fields = buffer_make(1000), binary = buffer_make(1000);
	struct signet *first = world_parse(&world.alice), *ssr, *made;
	uint8_t signature[CRYPTO_SIGNATURE];
	struct user_signet *user;

	buffer_append(&fields, world.next_ssr.data + 5, 67);
	buffer_append(&fields, alternate, sizeof(alternate));
	crypto_ed25519_sign(world_seed(ALICE), buffer_span(&fields), signature);
	buffer_u8(&fields, SIGNET_USER_CUSTODY);
	buffer_append(&fields, signature, sizeof(signature));
	crypto_ed25519_sign(world_seed(ALICE_NEXT), buffer_span(&fields),
	    signature);
	buffer_u8(&fields, SIGNET_USER_SIGNATURE);
	buffer_append(&fields, signature, sizeof(signature));
	buffer_u16(&binary, SIGNET_SSR);
	buffer_u24(&binary, (uint32_t)fields.length);
	buffer_append_span(&binary, buffer_span(&fields));
	ssr = world_parse(&binary);
	buffer_reset(&binary);
	assert_int_equal(signet_make_user(ssr, first,
	    signer_of_seed(world_seed(POK)), "alice@alpha.test", NULL, 0,
	    &binary, NULL), 0);
	made = world_parse(&binary);
	assert_memory_equal(binary.data + 5, fields.data, fields.length);
	assert_true(span_equal(signet_find(made, SIGNET_USER_ALTERNATE)->whole,
	    span_of(alternate, sizeof(alternate))));
	assert_int_equal(signet_verify_custody(made, first, NULL), 0);
	assert_int_equal(signet_verify_user(made, world.verified, NULL, &user,
	    NULL), 0);
	user_signet_free(user);
	signet_free(ssr);
	signet_free(first);
	buffer_free(&fields);
	buffer_free(&binary);
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
	struct signet *alice = world_parse(&world.alice), *part;
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
	part = world_parse(&cut);
	assert_int_equal(part->state, SIGNET_STATE_FULL);
	assert_true(signet_full_fingerprint(part, expected));
	assert_string_equal(full, expected);
	buffer_reset(&cut);
	assert_int_equal(signet_split(part, SIGNET_STATE_CORE, &cut, NULL), 0);
	signet_free(part);
	assert_int_equal(cut.length, 5 + 197);
	part = world_parse(&cut);
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
		assert_int_equal(signet_make_org(LAYOUT_STANDARD,
		    world_public_key(POK),
		    signer_of_seed(world_seed(POK)), NULL, 0, world_point(POK),
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
		    LAYOUT_STANDARD, cases[i].magic,
		    span_string(cases[i].label));

		unit_case(cases[i].label);
		assert_int_equal(row == NULL ? 0 : row->type, cases[i].type);
	}
}

static void
armored_form(void **state)
{
	struct signet *alice = world_parse(&world.alice), *back;
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

/* As many undefined fields as make the longest signet that the header can tell
 * of, and an octet more. */
static void
largest_signet(void **state)
{
	const size_t around = 33 + 34 + 65 + 13 + 65, head = 5;
	struct buffer out = buffer_make(SIGNET_MAX_LENGTH + 100);
	uint8_t *value = calloc(1, UINT16_MAX);
	struct signet_extra extras[256];
	struct fault fault = {0};
	struct signet *signet;

	for (size_t i = 0; i < COUNT(extras); i++)
		extras[i] = (struct signet_extra){SIGNET_UNDEFINED,
		    TEXT("A"), {value, UINT16_MAX}};
	extras[255].value.length = 0xffffff - around -
	    255 * (head + UINT16_MAX) - head;
	assert_int_equal(signet_make_org(LAYOUT_STANDARD, world_public_key(POK),
	    signer_of_seed(world_seed(POK)), NULL, 0, world_point(POK),
	    "alpha.test", extras, 256, &out, &fault), 0);
	assert_int_equal(out.length, SIGNET_MAX_LENGTH);
	signet = world_parse(&out);
	assert_int_equal(signet->field_count, 256 + 5);
	signet_free(signet);
	buffer_reset(&out);
	extras[255].value.length++;
	assert_int_equal(signet_make_org(LAYOUT_STANDARD, world_public_key(POK),
	    signer_of_seed(world_seed(POK)), NULL, 0, world_point(POK),
	    "alpha.test", extras, 256, &out, &fault), ERR_TOO_LARGE);
	free(value);
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
	    cmocka_unit_test(alternate_keys_are_carried),
	    cmocka_unit_test(fingerprints_and_splits),
	    cmocka_unit_test(extras_are_checked),
	    cmocka_unit_test(labels_find_fields),
	    cmocka_unit_test(armored_form),
	    cmocka_unit_test(largest_signet),
	};

	return cmocka_run_group_tests(tests, world_start, world_end);
}
