/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/signet_world.h"

struct signet_world world;

const uint8_t *
world_seed(int who)
{
	static uint8_t seeds[8][CRYPTO_SEED];

	memset(seeds[who], who, CRYPTO_SEED);
	return seeds[who];
}

const uint8_t *
world_public_key(int who)
{
	static uint8_t keys[8][CRYPTO_SIGN_PUBLIC];

	crypto_ed25519_public(world_seed(who), keys[who]);
	return keys[who];
}

const struct one_key *
world_only(int who)
{
	static struct one_key made[8];

	crypto_ed25519_public(world_seed(who), made[who].keys[0]);
	return &made[who];
}

const uint8_t *
world_point(int who)
{
	static uint8_t points[8][CRYPTO_POINT];

	assert_int_equal(crypto_point_public(world_seed(who), points[who]), 0);
	return points[who];
}

static struct signet_sok
sok(int who, uint8_t permissions)
{
	struct signet_sok made = {.permissions = permissions};

	memcpy(made.key, world_public_key(who), sizeof(made.key));
	return made;
}

/* Of one black point. */
#define PICTURE                                                                \
	"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x8\0\0\0\0:~\x9bU"       \
	"\0\0\0\nIDATx\x9c" "c`\0\0\0\2\0\1H\xaf\xa4q\0\0\0\0IEND\xae" "B`\x82"

const struct signet_extra world_extras[WORLD_EXTRAS] = {
    {SIGNET_IMAGE, {NULL, 0}, TEXT(PICTURE)},
    {SIGNET_UNDEFINED, TEXT("Zebra"), TEXT("\0\1binary")},
    {160, {NULL, 0}, TEXT("https://alpha.test/")},
    {21, {NULL, 0}, TEXT("4108546334; OFFICE")},
    {16, {NULL, 0}, TEXT("Alpha")},
    {21, {NULL, 0}, TEXT("1")},
    {SIGNET_UNDEFINED, TEXT("Apple"), TEXT("")},
    {200, {NULL, 0}, TEXT("abuse@alpha.test")},
};

static void
make_org(enum layout layout, struct buffer *out)
{
	const struct signet_sok soks[] = {sok(SOK_USERS, 1),
	    sok(SOK_MESSAGES, 2)};

	assert_int_equal(signet_make_org(layout, world_public_key(POK),
	    signer_of_seed(world_seed(POK)), soks, COUNT(soks),
	    world_point(POK), "alpha.test", world_extras, WORLD_EXTRAS, out,
	    NULL), 0);
}

static void
make_ssr(enum layout layout, int who, int previous, struct buffer *out)
{
	struct signer signer = signer_of_seed(world_seed(previous));

	assert_int_equal(signet_make_ssr(layout, world_public_key(who),
	    signer_of_seed(world_seed(who)), world_point(who),
	    previous == 0 ? NULL : &signer, out, NULL), 0);
}

struct signet *
world_parse(const struct buffer *binary)
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
try_letters(const struct letters_case *test, enum layout layout,
    struct span fields)
{
	struct buffer binary = buffer_make(10000);
	struct fault fault = {0};
	struct signet *signet;
	int err;

	buffer_u16(&binary, (uint16_t)test->magic);
	buffer_u24(&binary, (uint32_t)fields.length);
	buffer_append_span(&binary, fields);
	err = signet_parse(buffer_span(&binary), &signet, &fault);
	if (test->complaint == NULL) {
		assert_int_equal(err, 0);
		assert_int_equal(signet->state, test->state);
		assert_int_equal(signet->layout, layout);
	} else {
		assert_int_equal(err, ERR_FORMAT);
		assert_null(signet);
		if (strstr(fault.text, test->complaint) == NULL)
			fail_msg("%s", fault.text);
	}
	signet_free(signet);
	buffer_free(&binary);
}

void
world_try_letters(const struct letters_case *cases, size_t count,
    enum layout layout, void (*put)(struct buffer *fields, char letter))
{
	for (size_t i = 0; i < count; i++) {
		struct buffer fields = buffer_make(10000);

		unit_case(cases[i].letters);
		for (const char *at = cases[i].letters; *at != '\0'; at++)
			put(&fields, *at);
		try_letters(&cases[i], layout, buffer_span(&fields));
		buffer_free(&fields);
	}
}

void
world_make_user(const struct buffer *request,
    const struct buffer *previous_binary, int signer, const char *address,
    struct buffer *out)
{
	struct signet *ssr = world_parse(request);
	struct signet *previous = previous_binary == NULL
	    ? NULL
	    : world_parse(previous_binary);

	assert_int_equal(signet_make_user(ssr, previous,
	    signer_of_seed(world_seed(signer)), address, world_extras,
	    WORLD_EXTRAS - 1, out, NULL), 0);
	signet_free(ssr);
	signet_free(previous);
}

static struct org_signet *
verify_org(const struct buffer *binary)
{
	struct signet *signet = world_parse(binary);
	struct org_signet *org;

	assert_int_equal(signet_verify_org(signet,
	    world_only(POK)->keys, 1, "alpha.test", &org, NULL), 0);
	return org;
}

static struct buffer *const all[] = {&world.org, &world.ssr, &world.alice,
    &world.next_ssr, &world.alice_next, &world.bob, &world.libdime_org,
    &world.libdime_ssr, &world.libdime_alice, &world.libdime_next_ssr,
    &world.libdime_alice_next};

static void
start_libdime(void)
{
	make_org(LAYOUT_LIBDIME, &world.libdime_org);
	world.libdime_verified = verify_org(&world.libdime_org);
	make_ssr(LAYOUT_LIBDIME, ALICE, 0, &world.libdime_ssr);
	world_make_user(&world.libdime_ssr, NULL, POK, "alice@alpha.test",
	    &world.libdime_alice);
	make_ssr(LAYOUT_LIBDIME, ALICE_NEXT, ALICE, &world.libdime_next_ssr);
	world_make_user(&world.libdime_next_ssr, &world.libdime_alice, POK,
	    "alice@alpha.test", &world.libdime_alice_next);
}

int
world_start(void **state)
{
	unit_start(state);
	for (size_t i = 0; i < COUNT(all); i++)
		*all[i] = buffer_make(100000);
	make_org(LAYOUT_STANDARD, &world.org);
	world.verified = verify_org(&world.org);
	make_ssr(LAYOUT_STANDARD, ALICE, 0, &world.ssr);
	world_make_user(&world.ssr, NULL, POK, "alice@alpha.test",
	    &world.alice);
	make_ssr(LAYOUT_STANDARD, ALICE_NEXT, ALICE, &world.next_ssr);
	world_make_user(&world.next_ssr, &world.alice, POK, "alice@alpha.test",
	    &world.alice_next);
	world_make_user(&world.ssr, NULL, SOK_USERS, "bob@sub.alpha.test",
	    &world.bob);
	start_libdime();
	return 0;
}

int
world_end(void **state)
{
	for (size_t i = 0; i < COUNT(all); i++)
		buffer_free(all[i]);
	org_signet_free(world.verified);
	org_signet_free(world.libdime_verified);
	return unit_end(state);
}
