/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CACHE_CACHE_H
#define DIME_CACHE_CACHE_H

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"

/*
 * The Redis tier that a site's nodes share. It can make us slower, never wrong:
 * every value is version | absolute expiry | payload | HMAC-SHA-256 under the
 * site's cache key over key name and value, and key names are
 * `dime:1:<kind>:` + HMAC of the name, so that Redis can forge and learn nothing.
 * Anything odd is a miss. A value whose MAC fails is a miss, a log line
 * (event=cache-tampered), a count, and is deleted. After failures a circuit
 * breaker skips Redis for a while, so that a dead or frozen Redis costs next to
 * nothing. This directory is the only one that calls hiredis.
 */
struct cache;

struct cache_settings {
	const char *socket; /* unix socket, or "" */
	const char *host;   /* used when socket is "" */
	unsigned int port;
	unsigned int database;
	const char *password; /* or "" */
	unsigned int timeout; /* milliseconds for one operation */
	const uint8_t *key;   /* 32 octets that outlive the cache */
	const struct clock *clock;
	size_t connections; /* kept open at most */
};

struct cache_counters {
	uint64_t hits, misses, errors, skipped, tampered, stored;
};

/* Connects lazily: a Redis that is down is no error. ERR_MEMORY. */
int cache_new(const struct cache_settings *settings, struct cache **out);
void cache_free(struct cache *cache);

/*
 * Appends the payload stored under kind and name and sets *expires (seconds since
 * 1970, in the future). False for a miss of whatever reason. Any thread.
 */
bool cache_get(struct cache *cache, const char *kind, struct span name,
    struct buffer *payload, int64_t *expires);

/* Stores until `expires`, never without a TTL. Failures are only counted. */
void cache_put(struct cache *cache, const char *kind, struct span name,
    struct span payload, int64_t expires);

void cache_delete(struct cache *cache, const char *kind, struct span name);

void cache_count(struct cache *cache, struct cache_counters *out);

#endif
