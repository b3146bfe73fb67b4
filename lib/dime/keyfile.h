/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIME_KEYFILE_H
#define DIME_DIME_KEYFILE_H

#include "base/buffer.h"
#include "base/error.h"
#include "crypto/crypto.h"

/*
 * Private key files (S14): 1952 for organizations, 2013 for users. The
 * structures live in secret memory.
 */
enum keyfile_magic {
	KEYFILE_ORG = 1952,
	KEYFILE_USER = 2013,
};

enum { KEYFILE_MAX_SOKS = 64 };

struct keyfile_sok {
	uint8_t permissions;
	uint8_t seed[CRYPTO_SEED];
};

struct keyfile {
	enum keyfile_magic magic;
	uint8_t seed[CRYPTO_SEED];
	uint8_t scalar[CRYPTO_SCALAR];
	size_t sok_count;
	struct keyfile_sok soks[];
};

/* Fresh random keys; an organization's with room for `sok_count` SOKs, which
 * the caller fills in. NULL without memory, or for more than
 * KEYFILE_MAX_SOKS. */
struct keyfile *keyfile_new(enum keyfile_magic magic, size_t sok_count);

/* Parses armored or binary. ERR_FORMAT names the field and the rule. */
int keyfile_read(struct span data, struct keyfile **out, struct fault *fault);

/* Appends the armored form. */
void keyfile_write(const struct keyfile *keys, struct buffer *out);

void keyfile_free(struct keyfile *keys);

#endif
