/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CRYPTO_CRYPTO_H
#define DIME_CRYPTO_CRYPTO_H

#include "base/error.h"
#include "base/span.h"

/*
 * The primitives that DIME names, with sizes in the types: Ed25519, secp256k1
 * ECDH, AES-256-CBC, SHA-512; and those that protect our own files and cache:
 * HMAC-SHA-256, XChaCha20-Poly1305. This directory is the only one that calls
 * libsodium, libsecp256k1 and OpenSSL's EVP. Functions neither allocate nor
 * block unless they say so, and may be called from any thread once
 * crypto_start() has returned.
 */

enum {
	CRYPTO_SEED = 32,        /* Ed25519 private key, RFC 8032 */
	CRYPTO_SIGN_PUBLIC = 32, /* Ed25519 public key */
	CRYPTO_SIGNATURE = 64,
	CRYPTO_SCALAR = 32,       /* secp256k1 private key, big endian */
	CRYPTO_POINT = 33,        /* secp256k1 public key, compressed */
	CRYPTO_SHA512 = 64,
	CRYPTO_SHA256 = 32,
	CRYPTO_AES_KEY = 32,
	CRYPTO_AES_BLOCK = 16,
	CRYPTO_AEAD_KEY = 32,
	CRYPTO_AEAD_NONCE = 24,
	CRYPTO_AEAD_TAG = 16,
	CRYPTO_MAC_KEY = 32,
	CRYPTO_MAC = 32,
	CRYPTO_SHORT_KEY = 16,
};

/*
 * Sets the libraries up, fetches ciphers once and runs every primitive against
 * a known answer. Call once, before threads start. ERR_INTERNAL names the
 * primitive that failed: the program must not go on.
 */
int crypto_start(struct fault *fault);

/* ---- Ed25519 (RFC 8032) ---- */

/* The public key of a seed. */
void crypto_ed25519_public(const uint8_t seed[static CRYPTO_SEED],
    uint8_t public_key[static CRYPTO_SIGN_PUBLIC]);

/* Allocates inside OpenSSL for long messages; so does the next one. */
void crypto_ed25519_sign(const uint8_t seed[static CRYPTO_SEED],
    struct span message, uint8_t signature[static CRYPTO_SIGNATURE]);

/*
 * The same, when the public key is at hand; to derive it takes as long as to
 * sign a short message. It must be that of the seed, from
 * crypto_ed25519_public(): a signature under another key gives the seed away.
 */
void crypto_ed25519_sign_as(const uint8_t seed[static CRYPTO_SEED],
    const uint8_t public_key[static CRYPTO_SIGN_PUBLIC], struct span message,
    uint8_t signature[static CRYPTO_SIGNATURE]);

/*
 * The key must be good (below). Strict: refused are a signature whose S is not
 * canonical, and one whose R is the neutral element. Allocates inside OpenSSL
 * for long messages.
 */
bool crypto_ed25519_verify(const uint8_t public_key[static CRYPTO_SIGN_PUBLIC],
    struct span message, const uint8_t signature[static CRYPTO_SIGNATURE]);

/* Whether the key is canonical, on the curve and not of small order. */
bool crypto_ed25519_is_good(
    const uint8_t public_key[static CRYPTO_SIGN_PUBLIC]);

/* ---- secp256k1 ---- */

/* ERR_FORMAT for a scalar that is 0 or not below the group order. */
int crypto_point_public(const uint8_t scalar[static CRYPTO_SCALAR],
    uint8_t point[static CRYPTO_POINT]);

/* Whether it is a compressed point of the curve. */
bool crypto_point_is_good(const uint8_t point[static CRYPTO_POINT]);

/*
 * What Part 6 leaves open and our register (doc/dmime.md) fixes: h is the
 * SHA-512 of the 32-octet x coordinate of scalar * point, the IV is
 * h[0..15] xor h[16..31], the key h[32..63]. ERR_FORMAT for a bad operand.
 */
struct crypto_kek {
	uint8_t key[CRYPTO_AES_KEY];
	uint8_t iv[CRYPTO_AES_BLOCK];
};

int crypto_agree(const uint8_t scalar[static CRYPTO_SCALAR],
    const uint8_t point[static CRYPTO_POINT], struct crypto_kek *kek);

/* ---- SHA-512, HMAC-SHA-256 ---- */

/* Allocates inside OpenSSL. */
void crypto_sha512(struct span data, uint8_t digest[static CRYPTO_SHA512]);

/* The same over data that comes in pieces. */
struct crypto_hash {
	_Alignas(16) uint8_t state[256];
};
void crypto_hash_start(struct crypto_hash *hash);
void crypto_hash_add(struct crypto_hash *hash, struct span data);
void crypto_hash_end(struct crypto_hash *hash,
    uint8_t digest[static CRYPTO_SHA512]);

/* HMAC-SHA-256. */
void crypto_mac(const uint8_t key[static CRYPTO_MAC_KEY], struct span data,
    uint8_t mac[static CRYPTO_MAC]);

/* SipHash-2-4: a hash for tables whose keys strangers choose. */
uint64_t crypto_short_hash(const uint8_t key[static CRYPTO_SHORT_KEY],
    struct span data);

/* Comparison in constant time. */
bool crypto_equal(const void *a, const void *b, size_t length);

/* ---- AES-256-CBC, no padding ---- */

/*
 * Encrypts in place; decrypts to `plain`, which is sealed.data or does not
 * overlap it. The octets are a multiple of 16. Allocates inside OpenSSL.
 * ERR_INTERNAL when the library fails, ERR_MEMORY, ERR_FORMAT for another
 * length.
 */
int crypto_cbc_encrypt(const uint8_t key[static CRYPTO_AES_KEY],
    const uint8_t iv[static CRYPTO_AES_BLOCK], uint8_t *data, size_t length);
int crypto_cbc_decrypt(const uint8_t key[static CRYPTO_AES_KEY],
    const uint8_t iv[static CRYPTO_AES_BLOCK], struct span sealed,
    uint8_t *plain);

/* ---- XChaCha20-Poly1305 ---- */

/*
 * Writes nonce | ciphertext | tag, in all plain.length + CRYPTO_AEAD_NONCE +
 * CRYPTO_AEAD_TAG octets, to `sealed`; the nonce is random.
 */
void crypto_seal(const uint8_t key[static CRYPTO_AEAD_KEY],
    struct span associated, struct span plain, uint8_t *sealed);

/*
 * Writes the plain text of `sealed`, which is 40 octets shorter, to `plain`.
 * ERR_CORRUPT when it is too short or does not authenticate.
 */
int crypto_unseal(const uint8_t key[static CRYPTO_AEAD_KEY],
    struct span associated, struct span sealed, uint8_t *plain);

#endif
