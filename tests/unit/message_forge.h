/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_MESSAGE_FORGE_H
#define DIME_TESTS_UNIT_MESSAGE_FORGE_H

#include "tests/unit/message_world.h"

/*
 * A second writer of messages from alice to bob, chunk by chunk, that signs
 * whatever it is told to: for what message_seal() never makes. It knows nothing
 * of the library's tables.
 */
struct forge {
	struct buffer out;
	struct buffer tree;
	struct crypto_kek keks[MESSAGE_ACTORS];
	size_t metadata_end, display_end;
	const char *recipient; /* in chunk 5; NULL: bob@beta.test */
	bool libdime_tree; /* 225 is signed as libdime does */
	uint8_t malleable; /* the type whose signatures get S + L for S */
	/* What is done to a chunk, whose `length` octets start at `chunk`,
	 * before anything is signed over it; NULL: nothing. */
	void (*mangle)(struct forge *forge, uint8_t *chunk, size_t length);
};

/* How a payload departs from the plain one. */
struct forge_payload {
	uint8_t flags;
	uint8_t pad;       /* the pad octet */
	size_t padding;    /* how many octets of padding there are */
	uint8_t fill;      /* and what they hold */
	int32_t length_by; /* added to the data length that is claimed */
	int signer;        /* WORLD_ALICE where 0 */
};

/* Header and chunk 2. */
void forge_start(struct forge *forge);

/* A chunk as it is, without any care. */
void forge_raw(struct forge *forge, uint8_t type, struct span payload);

/* An encrypted chunk; `how` NULL: plain, padded to the next 16 octets. */
void forge_chunk(struct forge *forge, uint8_t type, struct span data,
    const struct forge_payload *how);

/* Chunks 4 and 5 as they should be, and a chunk 33 without fields. */
void forge_envelope(struct forge *forge);
void forge_common(struct forge *forge);

/* Who signs; 0 makes a signature of zeros, -1 leaves the chunk out. */
struct forge_signers {
	int tree, author, metadata, display, organization;
};

/* The signature chunks, `how` NULL: 225, 226 and 255 as they should be. */
void forge_sign(struct forge *forge, const struct forge_signers *how);

/* One signature chunk over whatever it is; `signer` as in struct
 * forge_signers. */
void forge_sign_over(struct forge *forge, uint8_t type, int signer,
    struct span data);

/* All chunks up to now. */
struct span forge_chunks(const struct forge *forge);

/* How many slots chunks of the type have, and which is the actor's; that number
 * where he has none. */
size_t forge_slots(uint8_t type);
size_t forge_slot_of(uint8_t type, enum message_actor actor);

/* Sets the size in the header and returns the message. */
struct span forge_end(struct forge *forge);

void forge_free(struct forge *forge);

#endif
