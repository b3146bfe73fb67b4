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
	size_t connections; /* open at most */
};

/* Every lookup is a hit or a miss; the others tell why, and count what was stored.
 * `skipped` are operations that the breaker, or a full pool, kept from Redis. */
struct cache_counters {
	uint64_t hits, misses, errors, skipped, tampered, stored;
};

/* Connects lazily: a Redis that is down, or a host name that has no address yet, is
 * no error. Strings are copied. ERR_MEMORY; ERR_CONFIG for too long a socket. */
int cache_new(const struct cache_settings *settings, struct cache **out);
void cache_free(struct cache *cache);

/*
 * Appends the payload stored under `kind` (at most 32 octets of ours) and `name`
 * (at most 4096) and sets *expires (seconds since 1970, in the future). False for
 * a miss of whatever reason. One round trip, never longer than the time-out. Any
 * thread, as all below.
 */
bool cache_get(struct cache *cache, const char *kind, struct span name,
    struct buffer *payload, int64_t *expires);

/* Stores until `expires`, never without a TTL; not at all what has expired or is
 * larger than 1 MiB. Failures are only counted. */
void cache_put(struct cache *cache, const char *kind, struct span name,
    struct span payload, int64_t expires);

void cache_delete(struct cache *cache, const char *kind, struct span name);

void cache_count(struct cache *cache, struct cache_counters *out);

#endif
