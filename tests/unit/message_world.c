/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/message_world.h"

struct world world;

const struct span world_letter = OCTETS("Received: by alpha.test\r\n"
    "From: Alice <alice@alpha.test>\r\nTo: bob@beta.test\r\n"
    "Subject: Caf\xc3\xa9\r\n at nine\r\nMessage-ID: <1@alpha.test>\r\n\r\n"
    "Bring the papers.\r\n");

static struct org_signet *
make_org(enum layout layout, int key, const char *domain,
    const struct signet_sok *soks,
    size_t sok_count)
{
	struct one_key {
		uint8_t keys[1][CRYPTO_SIGN_PUBLIC];
	} pok;
	const struct one_key *poks = &pok;
	struct buffer binary = buffer_make(SIGNET_MAX_LENGTH);
	uint8_t point[CRYPTO_POINT];
	struct org_signet *org;
	struct signet *signet;

	crypto_ed25519_public(world.keys[key], pok.keys[0]);
	assert_int_equal(crypto_point_public(world.keys[key], point), 0);
	assert_int_equal(signet_make_org(layout, pok.keys[0],
	    signer_of_seed(world.keys[key]), soks, sok_count, point, domain,
	    NULL, 0, &binary, NULL), 0);
	assert_int_equal(signet_parse(buffer_span(&binary), &signet, NULL), 0);
	assert_int_equal(signet_verify_org(signet, poks->keys, 1, domain, &org,
	    NULL), 0);
	buffer_free(&binary);
	return org;
}

static struct user_signet *
make_user(enum layout layout, int key, const char *address, int org_key,
    const struct org_signet *org)
{
	struct buffer ssr = buffer_make(SIGNET_MAX_LENGTH);
	struct buffer binary = buffer_make(SIGNET_MAX_LENGTH);
	uint8_t public_key[CRYPTO_SIGN_PUBLIC], point[CRYPTO_POINT];
	struct user_signet *user;
	struct signet *request, *signet;

	crypto_ed25519_public(world.keys[key], public_key);
	assert_int_equal(crypto_point_public(world.keys[key], point), 0);
	assert_int_equal(signet_make_ssr(layout, public_key,
	    signer_of_seed(world.keys[key]), point, NULL, &ssr, NULL), 0);
	assert_int_equal(signet_parse(buffer_span(&ssr), &request, NULL), 0);
	assert_int_equal(signet_make_user(request, NULL,
	    signer_of_seed(world.keys[org_key]), address, NULL, 0, &binary,
	    NULL), 0);
	assert_int_equal(signet_parse(buffer_span(&binary), &signet, NULL), 0);
	assert_int_equal(signet_verify_user(signet, org, address, &user, NULL),
	    0);
	signet_free(request);
	buffer_free(&ssr);
	buffer_free(&binary);
	return user;
}

static void
make_signets(enum layout layout, struct world_signets *out)
{
	struct signet_sok soks[2] = {
	    {.permissions = SIGNET_MAY_SIGN_MESSAGES},
	    {.permissions = SIGNET_MAY_SIGN_USERS},
	};

	crypto_ed25519_public(world.keys[WORLD_SOK_MESSAGES], soks[0].key);
	crypto_ed25519_public(world.keys[WORLD_SOK_USERS], soks[1].key);
	out->alpha = make_org(layout, WORLD_ALPHA, "alpha.test", soks, 2);
	out->beta = make_org(layout, WORLD_BETA, "beta.test", NULL, 0);
	out->alice = make_user(layout, WORLD_ALICE, "alice@alpha.test",
	    WORLD_ALPHA, out->alpha);
	out->mallory = make_user(layout, WORLD_MALLORY, "mallory@alpha.test",
	    WORLD_SOK_USERS, out->alpha);
	out->bob = make_user(layout, WORLD_BOB, "bob@beta.test", WORLD_BETA,
	    out->beta);
	out->carol = make_user(layout, WORLD_CAROL, "carol@beta.test",
	    WORLD_BETA, out->beta);
}

void
world_choose(enum layout layout)
{
	const struct world_signets *signets = &world.layouts[layout];

	world.alpha = signets->alpha;
	world.beta = signets->beta;
	world.alice = signets->alice;
	world.mallory = signets->mallory;
	world.bob = signets->bob;
	world.carol = signets->carol;
}

int
world_start(void **state)
{
	int err = unit_start(state);

	if (err != 0)
		return err;
	for (int i = 0; i < WORLD_KEYS; i++)
		memset(world.keys[i], i + 1, CRYPTO_SEED);
	for (int i = 0; i < LAYOUTS; i++)
		make_signets((enum layout)i, &world.layouts[i]);
	world_choose(LAYOUT_STANDARD);
	return 0;
}

int
world_end(void **state)
{
	for (int i = 0; i < LAYOUTS; i++) {
		org_signet_free(world.layouts[i].alpha);
		org_signet_free(world.layouts[i].beta);
		user_signet_free(world.layouts[i].alice);
		user_signet_free(world.layouts[i].mallory);
		user_signet_free(world.layouts[i].bob);
		user_signet_free(world.layouts[i].carol);
	}
	return unit_end(state);
}

struct message_parties
world_parties(void)
{
	return (struct message_parties){
	    .author = world.alice,
	    .origin = world.alpha,
	    .destination = world.beta,
	    .recipient = world.bob,
	};
}

struct message_seal
world_seal(struct random_source *random)
{
	return (struct message_seal){
	    .parties = world_parties(),
	    .author_signer = signer_of_seed(world.keys[WORLD_ALICE]),
	    .origin_signer = signer_of_seed(world.keys[WORLD_ALPHA]),
	    .random = random,
	};
}

struct buffer
world_sealed(struct span mime, const char *label, unsigned int bounce)
{
	static const uint8_t key[32] = {1};
	struct buffer out = buffer_make(WORLD_LIMIT);
	struct fault fault = {0};
	struct random_source random;
	struct message_seal seal = world_seal(&random);

	seal.bounce = bounce;
	random_start_keyed(&random, key, span_string(label));
	if (message_seal(&seal, mime, &out, &fault) != 0)
		fail_msg("%s", fault.text);
	random_end(&random);
	return out;
}

static const enum world_key actor_keys[MESSAGE_ACTORS] = {
    WORLD_ALICE, WORLD_ALPHA, WORLD_BETA, WORLD_BOB};

struct message *
world_message(struct span binary, enum message_actor actor)
{
	struct fault fault = {0};
	struct message *message;

	if (message_parse(binary, &message, &fault) != 0 ||
	    message_unlock(message, actor, agreer_of_scalar(
	    world.keys[actor_keys[actor]]), &fault) != 0)
		fail_msg("%s", fault.text);
	return message;
}

int
world_open_fault(struct span binary, const struct message_parties *parties,
    struct buffer *mime, struct fault *fault)
{
	char sender[ADDRESS_SIZE];
	struct message *message;
	int err;

	err = message_parse(binary, &message, fault);
	if (err == 0)
		err = message_unlock(message, MESSAGE_RECIPIENT,
		    agreer_of_scalar(world.keys[WORLD_BOB]), fault);
	if (err == 0)
		err = message_open(message, parties, WORLD_LIMIT, mime, sender,
		    fault);
	message_free(message);
	if (err != 0) {
		assert_int_equal(fault->err, err);
		assert_true(fault->text[0] != '\0');
		assert_int_equal(mime->length, 0);
	}
	return err;
}

int
world_open(struct span binary, const struct message_parties *parties,
    struct buffer *mime)
{
	struct fault fault = {0};

	return world_open_fault(binary, parties, mime, &fault);
}

void
world_expect_open(struct span binary, struct span mime)
{
	struct message_parties parties = world_parties();
	struct buffer opened = buffer_make(WORLD_LIMIT);

	assert_int_equal(world_open(binary, &parties, &opened), 0);
	assert_true(span_equal(buffer_span(&opened), mime));
	buffer_free(&opened);
}
