/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CACHE_CACHE_VALUE_H
#define DIME_CACHE_CACHE_VALUE_H

#include "base/buffer.h"
#include "crypto/mac.h"

/* How things are named and written in Redis (cache.h). `site` is the site's
 * cache key. */

enum {
	CACHE_KIND_LIMIT = 32,
	CACHE_NAME_LIMIT = 4096,
	CACHE_PAYLOAD_LIMIT = 1 << 20, /* larger ones are not worth the way */
	CACHE_KEY_SIZE = sizeof("dime:1::") + CACHE_KIND_LIMIT + 2 * CRYPTO_MAC,
	CACHE_VALUE_OVERHEAD = 1 + 8 + CRYPTO_MAC,
};

/* The name under which Redis knows a thing. False when kind or name are too
 * long, or there is no memory. */
bool cache_value_key(struct mac_key *site, const char *kind, struct span name,
    char out[static CACHE_KEY_SIZE]);

enum cache_verdict {
	CACHE_GOOD,
	CACHE_ODD,      /* expired, another version, no memory */
	CACHE_TAMPERED, /* nobody with the site's key wrote that there */
};

/* Takes apart what Redis gives under `key`; *payload is within `value`. */
enum cache_verdict cache_value_open(struct mac_key *site, const char *key,
    struct span value, int64_t now, struct span *payload, int64_t *expires);

/* Appends the value to be kept under `key`. False when it is too large, or
 * without memory. */
bool cache_value_close(struct mac_key *site, const char *key,
    struct span payload, int64_t expires, struct buffer *out);

/* As cache_derive(). */
bool cache_value_secret(struct mac_key *site, const char *label,
    uint8_t out[static CRYPTO_MAC]);

#endif
