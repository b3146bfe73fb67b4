/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_SIGNET_WORLD_H
#define DIME_TESTS_UNIT_SIGNET_WORLD_H

#include "tests/unit/unit.h"

#include "dime/signet.h"

/*
 * One organization, alpha.test, with a SOK for users and one for messages and
 * every kind of informational field; its user alice, first and rotated; its
 * user bob, signed by the SOK. Keys are seeds of one repeated octet. The first
 * of them once more in the libdime layout.
 */
enum { POK = 1, SOK_USERS, SOK_MESSAGES, ALICE, ALICE_NEXT, STRANGER };

/* Binary signets, and the organizational one verified. */
struct signet_world {
	struct buffer org, ssr, alice, next_ssr, alice_next, bob;
	struct buffer libdime_org, libdime_ssr, libdime_alice;
	struct buffer libdime_next_ssr, libdime_alice_next;
	struct org_signet *verified, *libdime_verified;
};

extern struct signet_world world;

/* Group fixtures: make and free all of it, the crypto library included. */
int world_start(void **state);
int world_end(void **state);

const uint8_t *world_seed(int who);
const uint8_t *world_public_key(int who);
const uint8_t *world_point(int who);

/* A public key in the shape of a record's keys. */
struct one_key {
	uint8_t keys[1][CRYPTO_SIGN_PUBLIC];
};
const struct one_key *world_only(int who);

/* A span of a string literal, as an initializer. */
#define TEXT(text) {(const uint8_t *)(text), sizeof(text) - 1}

/* The fields of the organization, not in order: signets sort. The last one is
 * no field of users. */
enum { WORLD_EXTRAS = 8 };
extern const struct signet_extra world_extras[WORLD_EXTRAS];

/* Parses what must parse. The caller frees. */
struct signet *world_parse(const struct buffer *binary);

/* A signet of fields that are given by letters, and what must come of it. */
struct letters_case {
	enum signet_magic magic;
	const char *letters;
	int state;
	const char *complaint; /* NULL: it is good */
};

/* Parses them all; `put` appends the field of a letter. */
void world_try_letters(const struct letters_case *cases, size_t count,
    enum layout layout, void (*put)(struct buffer *fields, char letter));

/* Signs a request by the key of `signer`; `previous_binary` may be NULL. */
void world_make_user(const struct buffer *request,
    const struct buffer *previous_binary, int signer, const char *address,
    struct buffer *out);

#endif
