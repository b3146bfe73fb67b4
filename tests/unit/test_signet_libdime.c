/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/signet_world.h"

#include "dime/armor.h"

static void
wire_layout(void **state)
{
	const uint8_t *at = world.libdime_org.data;

	assert_memory_equal(at, "\x06\xf0", 2);
	at += 5;
	assert_memory_equal(at, "\1\x21\x40", 3);
	assert_memory_equal(at + 3, world_public_key(POK), 32);
	at += 35;
	assert_memory_equal(at, "\2\x22\1\x40", 4);
	assert_memory_equal(at + 4, world_public_key(SOK_USERS), 32);
	at += 36;
	assert_memory_equal(at, "\2\x22\2\x40", 4);
	at += 36;
	assert_memory_equal(at, "\3\0\x21", 3);
	assert_memory_equal(at + 3, world_point(POK), CRYPTO_POINT);
	at += 36;
	assert_int_equal(at[0], 4);
	assert_true(crypto_ed25519_verify(world_public_key(POK),
	    span_of(world.libdime_org.data + 5, 35 + 36 + 36 + 36), at + 1));
	assert_memory_equal(at + 65, "\x10\5Alpha", 7);
	at = world.libdime_org.data + world.libdime_org.length - 65 - 12;
	assert_memory_equal(at, "\xfe\x0a" "alpha.test\xff", 13);
	at = world.libdime_ssr.data;
	assert_int_equal(world.libdime_ssr.length, 5 + 35 + 36 + 65);
	assert_memory_equal(at, "\x04\xbf\0\0\x88\1\x21\x40", 8);
	assert_memory_equal(at + 40, "\2\0\x21", 3);
	assert_int_equal(at[76], 5);
	at = world.libdime_alice.data;
	assert_memory_equal(at, "\x06\xfd", 2);
	assert_memory_equal(at + 5, world.libdime_ssr.data + 5,
	    world.libdime_ssr.length - 5);
}

static void
views_are_those_of_the_standard_layout(void **state)
{
	const struct org_signet *a = world.verified, *b =
	    world.libdime_verified;
	struct signet *signet = world_parse(&world.libdime_alice);
	struct user_signet *user;

	assert_int_equal(a->signet->layout, LAYOUT_STANDARD);
	assert_int_equal(b->signet->layout, LAYOUT_LIBDIME);
	assert_string_equal(a->domain, b->domain);
	assert_memory_equal(a->pok, b->pok, sizeof(a->pok));
	assert_memory_equal(a->encryption, b->encryption,
	    sizeof(a->encryption));
	assert_int_equal(a->sok_count, b->sok_count);
	for (size_t i = 0; i < a->sok_count; i++) {
		assert_int_equal(a->soks[i].permissions,
		    b->soks[i].permissions);
		assert_memory_equal(a->soks[i].key, b->soks[i].key,
		    sizeof(a->soks[i].key));
	}
	assert_string_equal(a->core, "");
	assert_int_equal(strlen(b->core), 86);
	assert_string_not_equal(b->core, b->fingerprint);
	assert_int_equal(signet_verify_user(signet, b, "alice@alpha.test",
	    &user, NULL), 0);
	assert_memory_equal(user->signing, world_public_key(ALICE),
	    sizeof(user->signing));
	assert_memory_equal(user->encryption, world_point(ALICE),
	    sizeof(user->encryption));
	user_signet_free(user);
}

/* ---- what is refused ---- */

static void
put(struct buffer *fields, const char *head, size_t head_length,
    const void *value, size_t length)
{
	buffer_append(fields, head, head_length);
	buffer_append(fields, value, length);
}

/*
 * A letter a field. P: signing key; F: with another format octet; Q: a bad one;
 * L: with another length. S: SOK; R: with a reserved bit; T: with another
 * format octet; l: with another length. E, e: encryption key of an
 * organization, a user; U: not compressed. a: alternate key, b: as a request
 * has it. 4 5 6 X Y: signatures of zeros. n: name, u U+: unknown, x: type 100,
 * r: reserved, d: domain, D: in upper case, m: address.
 */
static void
put_letter(struct buffer *fields, char letter)
{
	static const uint8_t small_order[CRYPTO_SIGN_PUBLIC] = {1};
	static const uint8_t zeros[CRYPTO_POINT + 32];
	const uint8_t *key = world_public_key(POK);

	switch (letter) {
	case 'P': put(fields, "\1\x21\x40", 3, key, 32); break;
	case 'F': put(fields, "\1\x21\x41", 3, key, 32); break;
	case 'Q': put(fields, "\1\x21\x40", 3, small_order, 32); break;
	case 'L': put(fields, "\1\x22\x40\0", 4, key, 32); break;
	case 'S': put(fields, "\2\x22\1\x40", 4, key, 32); break;
	case 'R': put(fields, "\2\x22\x11\x40", 4, key, 32); break;
	case 'T': put(fields, "\2\x22\1\x41", 4, key, 32); break;
	case 'l': put(fields, "\2\x21\1", 3, key, 32); break;
	case 'E': put(fields, "\3\0\x21", 3, world_point(POK), 33); break;
	case 'e': put(fields, "\2\0\x21", 3, world_point(POK), 33); break;
	case 'U': put(fields, "\3\0\x41\4", 4, zeros, 64); break;
	case 'a': put(fields, "\3\0\3key", 6, NULL, 0); break;
	case 'b': put(fields, "\3\3key", 5, NULL, 0); break;
	case '4': put(fields, "\4", 1, zeros, 64); break;
	case '5': put(fields, "\5", 1, zeros, 64); break;
	case '6': put(fields, "\6", 1, zeros, 64); break;
	case 'n': put(fields, "\x10\4Name", 6, NULL, 0); break;
	case 'u': put(fields, "\x1c\1?", 3, NULL, 0); break;
	case 'v': put(fields, "\xa1\0\1?", 4, NULL, 0); break;
	case 'x': put(fields, "\x64\1?", 3, NULL, 0); break;
	case 'r': put(fields, "\x09\1?", 3, NULL, 0); break;
	case 'X': put(fields, "\xfd", 1, zeros, 64); break;
	case 'd': put(fields, "\xfe\x0a" "alpha.test", 12, NULL, 0); break;
	case 'D': put(fields, "\xfe\x0a" "Alpha.test", 12, NULL, 0); break;
	case 'm': put(fields, "\xfe\x0c" "a@alpha.test", 14, NULL, 0); break;
	case 'Y': put(fields, "\xff", 1, zeros, 64); break;
	default: fail();
	}
}

static const struct letters_case layout_cases[] = {
    {SIGNET_ORG, "PE4", SIGNET_STATE_CORE, NULL},
    {SIGNET_ORG, "PE4X", SIGNET_STATE_FULL, NULL},
    {SIGNET_ORG, "PSSE4nXdY", SIGNET_STATE_COMPLETE, NULL},
    {SIGNET_ORG, "PRE4X", SIGNET_STATE_FULL, NULL},
    {SIGNET_ORG, "PE4uuxvvXdY", SIGNET_STATE_COMPLETE, NULL},
    {SIGNET_ORG, "PEX", -1, "field 4 (Organizational-Signature) is"},
    {SIGNET_ORG, "P4X", -1, "field 3 (Encryption-Key) is missing"},
    {SIGNET_ORG, "QE4X", -1, "layout: field 1 (Primary-Organizational-"
     "Key) at offset 5: not a valid Ed25519 key"},
    {SIGNET_ORG, "PTE4X", -1, "offset 40: the octet before the key"},
    {SIGNET_ORG, "PlE4X", -1, "offset 40: has another length"},
    {SIGNET_ORG, "PU4X", -1, "offset 40: has another length"},
    {SIGNET_ORG, "PE44X", -1, "stands more than once"},
    {SIGNET_ORG, "PPE4X", -1, "stands more than once"},
    {SIGNET_ORG, "PE45", -1, "field 5 at offset 141: the type is res"},
    {SIGNET_ORG, "PE4r", -1, "field 9 at offset 141: the type is res"},
    {SIGNET_ORG, "PE4n", -1, "field 253"},
    {SIGNET_ORG, "PE4Xd", -1, "field 255"},
    {SIGNET_ORG, "PE4XDY", -1, "not a lower-case domain name"},
    {SIGNET_ORG, "PE4XmY", -1, "not a lower-case domain name"},
    /* These do not begin as the layout does. */
    {SIGNET_ORG, "FE4X", -1, "signet: field"},
    {SIGNET_ORG, "LE4X", -1, "signet: field"},
    {SIGNET_ORG, "E4X", -1, "signet: field"},
    {SIGNET_SSR, "Pe5", SIGNET_STATE_SSR, NULL},
    {SIGNET_SSR, "Pebb45", SIGNET_STATE_SSR, NULL},
    {SIGNET_SSR, "Pea45", -1, "layout: field"},
    {SIGNET_SSR, "Pe", -1, "field 5 (User-Signature) is missing"},
    {SIGNET_SSR, "Pe56", -1, "ends with field 5"},
    {SIGNET_USER, "Pe56", SIGNET_STATE_CORE, NULL},
    {SIGNET_USER, "Peaa456nXmY", SIGNET_STATE_COMPLETE, NULL},
    {SIGNET_USER, "Peb56", -1, "layout: field"},
    {SIGNET_USER, "Pe6", -1, "field 5 (User-Signature) is missing"},
    {SIGNET_USER, "Pe56XdY", -1, "not a lower-case mail address"},
};

static void
layout_table(void **state)
{
	world_try_letters(layout_cases, COUNT(layout_cases), LAYOUT_LIBDIME,
	    put_letter);
}

/* What libdime lets pass and we do not: S5, S8, S9, S16. */

/* A complete user signet of the layout; `own` signs field 5, POK the rest. */
static void
make_user(int own, const char *address, struct buffer *out)
{
	static const uint8_t types[] = {5, 6, 253, 255};
	struct buffer fields = buffer_make(10000);
	uint8_t signature[CRYPTO_SIGNATURE];

	put(&fields, "\1\x21\x40", 3, world_public_key(ALICE), 32);
	put_letter(&fields, 'e');
	for (size_t i = 0; i < COUNT(types); i++) {
		if (types[i] == 255) {
			buffer_u8(&fields, 254);
			buffer_u8(&fields, (uint8_t)strlen(address));
			buffer_append_string(&fields, address);
		}
		crypto_ed25519_sign(world_seed(types[i] == 5 ? own : POK),
		    buffer_span(&fields), signature);
		buffer_u8(&fields, types[i]);
		buffer_append(&fields, signature, sizeof(signature));
	}
	buffer_u16(out, SIGNET_USER);
	buffer_u24(out, (uint32_t)fields.length);
	buffer_append_span(out, buffer_span(&fields));
	buffer_free(&fields);
}

static void
users_are_bound(void **state)
{
	static const struct {
		const char *name;
		int own, err;
		const char *address;
	} cases[] = {
	    {"good", ALICE, 0, "alice@alpha.test"},
	    {"field 5 by a stranger", STRANGER, ERR_SIGNATURE,
	     "alice@alpha.test"},
	    {"of another domain", ALICE, ERR_MISMATCH, "alice@beta.test"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer binary = buffer_make(10000);
		struct user_signet *user;
		struct signet *signet;

		unit_case(cases[i].name);
		make_user(cases[i].own, cases[i].address, &binary);
		signet = world_parse(&binary);
		assert_int_equal(signet_verify_user(signet,
		    world.libdime_verified, NULL, &user, NULL), cases[i].err);
		if (cases[i].err == 0)
			user_signet_free(user);
		else
			signet_free(signet);
		buffer_free(&binary);
	}
}

/* An organization with one SOK of these permissions. */
static size_t
good_soks(char letter)
{
	static const uint8_t types[] = {4, 253};
	struct buffer fields = buffer_make(1000), binary = buffer_make(1000);
	uint8_t signature[CRYPTO_SIGNATURE];
	struct org_signet *org;
	size_t count;

	put_letter(&fields, 'P');
	put_letter(&fields, letter);
	put_letter(&fields, 'E');
	for (size_t i = 0; i < COUNT(types); i++) {
		crypto_ed25519_sign(world_seed(POK), buffer_span(&fields),
		    signature);
		buffer_u8(&fields, types[i]);
		buffer_append(&fields, signature, sizeof(signature));
	}
	buffer_u16(&binary, SIGNET_ORG);
	buffer_u24(&binary, (uint32_t)fields.length);
	buffer_append_span(&binary, buffer_span(&fields));
	assert_int_equal(signet_verify_org(world_parse(&binary),
	    world_only(POK)->keys, 1, NULL, &org, NULL), 0);
	count = org->sok_count;
	org_signet_free(org);
	buffer_free(&fields);
	buffer_free(&binary);
	return count;
}

static void
reserved_permissions_do_not_count(void **state)
{
	assert_int_equal(good_soks('S'), 1);
	assert_int_equal(good_soks('R'), 0);
}

/* ---- making ---- */

static void
what_has_no_form_is_not_made(void **state)
{
	const struct signet_extra extensions = {100, {NULL, 0}, TEXT("x")};
	struct buffer binary = buffer_make(1000), out = buffer_make(1000);
	uint8_t signature[CRYPTO_SIGNATURE];
	struct signer pok = signer_of_seed(world_seed(POK));
	struct signet *ssr = world_parse(&world.libdime_ssr);
	struct fault fault = {0};

	assert_int_equal(signet_make_user(ssr, NULL, pok, "a@alpha.test",
	    &extensions, 1, &out, &fault), ERR_USAGE);
	assert_non_null(strstr(fault.text, "field 100 is not"));
	signet_free(ssr);
	/* A request with an alternate key. */
	buffer_u16(&binary, SIGNET_SSR);
	buffer_u24(&binary, 35 + 36 + 5 + 65);
	put_letter(&binary, 'P');
	put_letter(&binary, 'e');
	put_letter(&binary, 'b');
	crypto_ed25519_sign(world_seed(POK), span_slice(buffer_span(&binary),
	    5, SIZE_MAX), signature);
	put(&binary, "\5", 1, signature, sizeof(signature));
	ssr = world_parse(&binary);
	assert_int_equal(signet_verify_own(ssr, NULL), 0);
	assert_int_equal(signet_make_user(ssr, NULL, pok, "a@alpha.test", NULL,
	    0, &out, &fault), ERR_FORMAT);
	assert_non_null(strstr(fault.text, "field 3"));
	assert_int_equal(out.length, 0);
	signet_free(ssr);
	buffer_free(&binary);
	buffer_free(&out);
}

static void
armor_labels(void **state)
{
	static const struct {
		const struct buffer *binary;
		enum armor_kind written, also_read; /* ARMOR_KINDS: none */
	} cases[] = {
	    {&world.libdime_org, ARMOR_ORG_SIGNET, ARMOR_KINDS},
	    {&world.libdime_alice, ARMOR_USER_SIGNET, ARMOR_KINDS},
	    {&world.libdime_ssr, ARMOR_ORG_SIGNET, ARMOR_SSR},
	    {&world.ssr, ARMOR_SSR, ARMOR_KINDS},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct signet *signet = world_parse(cases[i].binary), *back;
		struct buffer text = buffer_make(10000), own;

		own = buffer_make(10000);
		signet_write(signet, &own);
		for (int kind = 0; kind < ARMOR_KINDS; kind++) {
			bool fits = kind == (int)cases[i].written ||
			    kind == (int)cases[i].also_read;

			buffer_reset(&text);
			armor_write((enum armor_kind)kind,
			    buffer_span(cases[i].binary), &text);
			assert_int_equal(signet_read(buffer_span(&text), &back,
			    NULL), fits ? 0 : ERR_FORMAT);
			signet_free(back);
			if (kind == (int)cases[i].written)
				assert_true(span_equal(buffer_span(&text),
				    buffer_span(&own)));
		}
		signet_free(signet);
		buffer_free(&text);
		buffer_free(&own);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wire_layout),
	    cmocka_unit_test(views_are_those_of_the_standard_layout),
	    cmocka_unit_test(layout_table),
	    cmocka_unit_test(users_are_bound),
	    cmocka_unit_test(reserved_permissions_do_not_count),
	    cmocka_unit_test(what_has_no_form_is_not_made),
	    cmocka_unit_test(armor_labels),
	};

	return cmocka_run_group_tests(tests, world_start, world_end);
}
