/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_MESSAGE_WORLD_H
#define DIME_TESTS_UNIT_MESSAGE_WORLD_H

#include "tests/unit/unit.h"

#include "dime/message.h"

/*
 * Two organizations and their users, with signets, for the tests of messages:
 * alice and mallory at alpha.test, bob and carol at beta.test. Alpha has a SOK
 * that may sign messages and one that may sign users only. The keys of each are
 * its number repeated. All signets are there in both layouts.
 */
enum world_key {
	WORLD_ALPHA = 1,
	WORLD_BETA,
	WORLD_ALICE,
	WORLD_MALLORY,
	WORLD_BOB,
	WORLD_CAROL,
	WORLD_SOK_MESSAGES,
	WORLD_SOK_USERS,
	WORLD_KEYS
};

enum { WORLD_LIMIT = 128 << 20 };

/* A span of a string literal, as an initializer. */
#define OCTETS(text) {(const uint8_t *)(text), sizeof(text) - 1}

struct world_signets {
	struct org_signet *alpha, *beta;
	struct user_signet *alice, *mallory, *bob, *carol;
};

struct world {
	uint8_t keys[WORLD_KEYS][CRYPTO_SEED]; /* seeds and scalars alike */
	struct world_signets layouts[LAYOUTS];
	/* Those of the layout chosen, at first the standard one. */
	struct org_signet *alpha, *beta;
	struct user_signet *alice, *mallory, *bob, *carol;
};
extern struct world world;

/* Chooses the layout of the signets that everybody uses from now on. */
void world_choose(enum layout layout);

/* Group fixtures, on top of unit_start() and unit_end(). */
int world_start(void **state);
int world_end(void **state);

/* alice to bob, and what is needed to seal for them. */
struct message_parties world_parties(void);
struct message_seal world_seal(struct random_source *random);

/* What alice writes, whole. */
extern const struct span world_letter;

/* Seals from alice to bob with randomness that `label` determines. */
struct buffer world_sealed(struct span mime, const char *label,
    unsigned int bounce);

/* Parses and unlocks for one actor of alice's and bob's messages; must work. */
struct message *world_message(struct span binary, enum message_actor actor);

/* Parses, unlocks and opens for bob: 0 or what refused it; then `mime` must be
 * empty, and there must be a reason. */
int world_open(struct span binary, const struct message_parties *parties,
    struct buffer *mime);

/* The same, and what it says. */
int world_open_fault(struct span binary,
    const struct message_parties *parties, struct buffer *mime,
    struct fault *fault);

/* Bob must find just this in it. */
void world_expect_open(struct span binary, struct span mime);

#endif
