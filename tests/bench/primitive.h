/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_BENCH_PRIMITIVE_H
#define DIME_TESTS_BENCH_PRIMITIVE_H

#include "crypto/crypto.h"

/*
 * The libraries' primitives with nothing around them: keys, contexts and
 * streams are set up once by primitive_start(). Any failure ends the program.
 * One thread.
 */
void primitive_start(void);
void primitive_end(void);

/* Seconds of processor time of this thread. */
double primitive_now(void);

typedef void primitive_sign(struct span data,
    uint8_t signature[static CRYPTO_SIGNATURE]);
typedef void primitive_verify(struct span data,
    const uint8_t signature[static CRYPTO_SIGNATURE]);
typedef void primitive_hash(struct span data,
    uint8_t digest[static CRYPTO_SHA512]);

primitive_sign primitive_sign_sodium, primitive_sign_openssl;
primitive_verify primitive_verify_sodium, primitive_verify_openssl;
primitive_hash primitive_hash_sodium, primitive_hash_openssl;

/* The faster one for `data`, found by trying. */
primitive_sign *primitive_fastest_sign(struct span data);
primitive_verify *primitive_fastest_verify(struct span data);
primitive_hash *primitive_fastest_hash(struct span data);

/* A secp256k1 key pair; ECDH with a compressed point, and the key that our
 * register derives from it. */
void primitive_pair(void);
void primitive_agree(void);

/* AES-256-CBC in place; with `rekey` the key is scheduled anew. */
void primitive_encrypt(uint8_t *data, size_t length, bool rekey);
void primitive_decrypt(uint8_t *data, size_t length, bool rekey);

/* gzip of level 1 into `out` of `room` octets; returns what it takes. */
size_t primitive_deflate(struct span data, uint8_t *out, size_t room);
size_t primitive_inflate(struct span packed, uint8_t *out, size_t room);

void primitive_random(uint8_t *out, size_t length);

#endif
