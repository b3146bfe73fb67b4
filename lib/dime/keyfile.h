/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIME_KEYFILE_H
#define DIME_DIME_KEYFILE_H

#include "base/buffer.h"
#include "base/error.h"
#include "crypto/crypto.h"
#include "dime/layout.h"

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
	enum layout layout;
	enum keyfile_magic magic;
	uint8_t seed[CRYPTO_SEED];
	uint8_t scalar[CRYPTO_SCALAR];
	size_t sok_count;
	struct keyfile_sok soks[];
};

/* Fresh random keys, of the standard layout; an organization's with room for
 * `sok_count` SOKs, which the caller fills in. NULL without memory, or for more
 * than KEYFILE_MAX_SOKS. */
struct keyfile *keyfile_new(enum keyfile_magic magic, size_t sok_count);

/* Parses armored or binary, either layout. ERR_FORMAT names the field and the
 * rule. */
int keyfile_read(struct span data, struct keyfile **out, struct fault *fault);

/* Appends the armored form. The libdime layout has no place for SOKs and leaves
 * them out. */
void keyfile_write(const struct keyfile *keys, struct buffer *out);

void keyfile_free(struct keyfile *keys);

#endif
