/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/message_world.h"

struct world world;

static struct org_signet *
make_org(int key, const char *domain, const struct signet_sok *soks,
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
	assert_int_equal(signet_make_org(LAYOUT_STANDARD, pok.keys[0],
	    signer_of_seed(world.keys[key]), soks, sok_count, point, domain,
	    NULL, 0, &binary, NULL), 0);
	assert_int_equal(signet_parse(buffer_span(&binary), &signet, NULL), 0);
	assert_int_equal(signet_verify_org(signet, poks->keys, 1, domain, &org,
	    NULL), 0);
	buffer_free(&binary);
	return org;
}

static struct user_signet *
make_user(int key, const char *address, int org_key,
    const struct org_signet *org)
{
	struct buffer ssr = buffer_make(SIGNET_MAX_LENGTH);
	struct buffer binary = buffer_make(SIGNET_MAX_LENGTH);
	uint8_t public_key[CRYPTO_SIGN_PUBLIC], point[CRYPTO_POINT];
	struct user_signet *user;
	struct signet *request, *signet;

	crypto_ed25519_public(world.keys[key], public_key);
	assert_int_equal(crypto_point_public(world.keys[key], point), 0);
	assert_int_equal(signet_make_ssr(LAYOUT_STANDARD, public_key,
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

int
world_start(void **state)
{
	struct signet_sok soks[2] = {
	    {.permissions = SIGNET_MAY_SIGN_MESSAGES},
	    {.permissions = SIGNET_MAY_SIGN_USERS},
	};
	int err = unit_start(state);

	if (err != 0)
		return err;
	for (int i = 0; i < WORLD_KEYS; i++)
		memset(world.keys[i], i + 1, CRYPTO_SEED);
	crypto_ed25519_public(world.keys[WORLD_SOK_MESSAGES], soks[0].key);
	crypto_ed25519_public(world.keys[WORLD_SOK_USERS], soks[1].key);
	world.alpha = make_org(WORLD_ALPHA, "alpha.test", soks, 2);
	world.beta = make_org(WORLD_BETA, "beta.test", NULL, 0);
	world.alice = make_user(WORLD_ALICE, "alice@alpha.test", WORLD_ALPHA,
	    world.alpha);
	world.mallory = make_user(WORLD_MALLORY, "mallory@alpha.test",
	    WORLD_SOK_USERS, world.alpha);
	world.bob = make_user(WORLD_BOB, "bob@beta.test", WORLD_BETA,
	    world.beta);
	world.carol = make_user(WORLD_CAROL, "carol@beta.test", WORLD_BETA,
	    world.beta);
	return 0;
}

int
world_end(void **state)
{
	org_signet_free(world.alpha);
	org_signet_free(world.beta);
	user_signet_free(world.alice);
	user_signet_free(world.mallory);
	user_signet_free(world.bob);
	user_signet_free(world.carol);
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
world_open(struct span binary, const struct message_parties *parties,
    struct buffer *mime)
{
	char sender[ADDRESS_SIZE];
	struct fault fault = {0};
	struct message *message;
	int err;

	err = message_parse(binary, &message, &fault);
	if (err == 0)
		err = message_unlock(message, MESSAGE_RECIPIENT,
		    agreer_of_scalar(world.keys[WORLD_BOB]), &fault);
	if (err == 0)
		err = message_open(message, parties, WORLD_LIMIT, mime, sender,
		    &fault);
	message_free(message);
	if (err != 0) {
		assert_int_equal(fault.err, err);
		assert_true(fault.text[0] != '\0');
		assert_int_equal(mime->length, 0);
	}
	return err;
}
