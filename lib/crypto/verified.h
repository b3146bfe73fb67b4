/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CRYPTO_VERIFIED_H
#define DIME_CRYPTO_VERIFIED_H

#include "crypto/crypto.h"

/*
 * crypto_ed25519_verify() for what is verified again and again: the signatures
 * in signets, which every message and every answer of a cache brings along.
 * Whether a signature is good depends on nothing but key, octets and signature,
 * so that what was good once is good: the process remembers a SHA-512 over the
 * three of some thousand good ones. What was not good, or is large, is computed
 * anew. Any thread.
 */
bool crypto_ed25519_verify_again(
    const uint8_t public_key[static CRYPTO_SIGN_PUBLIC], struct span message,
    const uint8_t signature[static CRYPTO_SIGNATURE]);

#endif
