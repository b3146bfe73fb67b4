/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CRYPTO_RANDOM_H
#define DIME_CRYPTO_RANDOM_H

#include "crypto/crypto.h"

/*
 * Where random octets come from, handed to whatever must be repeatable: either
 * the system's generator or a stream that a key determines. A source is used by
 * one thread at a time.
 */
struct random_source {
	bool keyed;
	uint8_t key[32];
	uint64_t block; /* next block of the stream */
	size_t used;    /* octets of `pool` given out */
	uint8_t pool[1024];
};

/* The system's generator, drawn in blocks. */
void random_start(struct random_source *source);

/*
 * A stream determined by `key` and `label` alone: the same two give the same
 * octets, other ones unrelated octets. `label` is everything that must change
 * the stream (see message_seal()); its parts must be separated unambiguously.
 */
void random_start_keyed(struct random_source *source,
    const uint8_t key[static 32], struct span label);

void random_fill(struct random_source *source, void *out, size_t length);

/* Uniform in 0 .. limit - 1; limit from 1 to 2^31. */
uint32_t random_below(struct random_source *source, uint32_t limit);

/* Wipes. */
void random_end(struct random_source *source);

#endif
