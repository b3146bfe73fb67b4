/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CRYPTO_MAC_H
#define DIME_CRYPTO_MAC_H

#include "crypto/crypto.h"

/*
 * HMAC-SHA-256 under a key that is used over and over: what can be worked out
 * of the key is worked out once. Any thread.
 */
struct mac_key;

/* ERR_MEMORY. */
int mac_key_new(const uint8_t key[static CRYPTO_MAC_KEY],
    struct mac_key **out);
void mac_key_free(struct mac_key *key);

/* Of all parts, one behind the other. False without memory. */
bool mac_key_make(struct mac_key *key, const struct span *parts, size_t count,
    uint8_t mac[static CRYPTO_MAC]);

#endif
