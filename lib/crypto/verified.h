/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CRYPTO_VERIFIED_H
#define DIME_CRYPTO_VERIFIED_H

#include "crypto/crypto.h"

/*
 * What is computed again and again: the signatures and the keys in signets,
 * which every message and every answer of a cache brings along, and the
 * signatures of what correspondents say in each message. Whether they are good
 * depends on nothing but their octets, so that what was good once is good: the
 * process remembers a SHA-512 over the octets of some thousand good ones. What
 * was not good, or is large, is computed anew. Any thread.
 */

/* crypto_ed25519_verify(). */
bool crypto_ed25519_verify_again(
    const uint8_t public_key[static CRYPTO_SIGN_PUBLIC], struct span message,
    const uint8_t signature[static CRYPTO_SIGNATURE]);

/* crypto_ed25519_is_good(). */
bool crypto_ed25519_is_good_again(
    const uint8_t public_key[static CRYPTO_SIGN_PUBLIC]);

/* crypto_point_is_good(). */
bool crypto_point_is_good_again(const uint8_t point[static CRYPTO_POINT]);

#endif
