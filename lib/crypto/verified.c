/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>

#include "crypto/verified.h"

enum {
	SETS = 1024,         /* a power of two */
	WAYS = 4,
	KEPT = 32,           /* octets of a hash that are compared */
	MESSAGE_LIMIT = 65536,
};

static struct {
	pthread_mutex_t lock;
	struct {
		uint8_t ways[WAYS][KEPT]; /* zeroes: free */
		unsigned int next;        /* that makes room */
	} sets[SETS];
} good = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
identify(const uint8_t *public_key, struct span message,
    const uint8_t *signature, uint8_t out[static CRYPTO_SHA512])
{
	struct crypto_hash hash;

	crypto_hash_start(&hash);
	crypto_hash_add(&hash, span_of(public_key, CRYPTO_SIGN_PUBLIC));
	crypto_hash_add(&hash, span_of(signature, CRYPTO_SIGNATURE));
	crypto_hash_add(&hash, message);
	crypto_hash_end(&hash, out);
}

static size_t
set_of(const uint8_t *identifier)
{
	/* Octets that are not compared. */
	return (identifier[KEPT] | (size_t)identifier[KEPT + 1] << 8) % SETS;
}

static bool
is_known(const uint8_t *identifier)
{
	const size_t set = set_of(identifier);
	bool known = false;

	pthread_mutex_lock(&good.lock);
	for (size_t i = 0; i < WAYS && !known; i++)
		known = memcmp(good.sets[set].ways[i], identifier, KEPT) == 0;
	pthread_mutex_unlock(&good.lock);
	return known;
}

static void
remember(const uint8_t *identifier)
{
	const size_t set = set_of(identifier);

	pthread_mutex_lock(&good.lock);
	memcpy(good.sets[set].ways[good.sets[set].next++ % WAYS], identifier,
	    KEPT);
	pthread_mutex_unlock(&good.lock);
}

bool
crypto_ed25519_verify_again(
    const uint8_t public_key[static CRYPTO_SIGN_PUBLIC], struct span message,
    const uint8_t signature[static CRYPTO_SIGNATURE])
{
	uint8_t identifier[CRYPTO_SHA512];

	if (message.length > MESSAGE_LIMIT)
		return crypto_ed25519_verify(public_key, message, signature);
	identify(public_key, message, signature, identifier);
	if (is_known(identifier))
		return true;
	if (!crypto_ed25519_verify(public_key, message, signature))
		return false;
	remember(identifier);
	return true;
}

/* Of a key alone; no signature has an identifier over so few octets, and keys of
 * the two curves differ in length. */
static bool
is_good_again(const uint8_t *key, size_t length,
    bool (*is_good)(const uint8_t *key))
{
	uint8_t identifier[CRYPTO_SHA512];

	crypto_sha512(span_of(key, length), identifier);
	if (is_known(identifier))
		return true;
	if (!is_good(key))
		return false;
	remember(identifier);
	return true;
}

bool
crypto_ed25519_is_good_again(
    const uint8_t public_key[static CRYPTO_SIGN_PUBLIC])
{
	return is_good_again(public_key, CRYPTO_SIGN_PUBLIC,
	    crypto_ed25519_is_good);
}

bool
crypto_point_is_good_again(const uint8_t point[static CRYPTO_POINT])
{
	return is_good_again(point, CRYPTO_POINT, crypto_point_is_good);
}
