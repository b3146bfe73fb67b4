/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CACHE_CACHE_H
#define DIME_CACHE_CACHE_H

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"

/*
 * The Redis tier that a site's nodes share. It can make us slower, never wrong:
 * every value is version | absolute expiry | payload | HMAC-SHA-256 under the
 * site's cache key over key name and value, and key names are `dime:1:<kind>:`
 * + HMAC of the name, so that Redis can forge and learn nothing. Anything odd
 * is a miss. A value whose MAC fails is a miss, a log line
 * (event=cache-tampered), a count, and is deleted. After failures a circuit
 * breaker skips Redis for a while, so that a dead or frozen Redis costs next to
 * nothing. This directory is the only one that calls hiredis.
 */
struct cache;

enum {
	CACHE_ITEMS = 64,      /* of one question, at most */
	CACHE_LIST_LENGTH = 256, /* values that a list keeps */
	CACHE_SENTINEL_PORT = 26379,
};

/* Texts may be NULL where they may be "". */
struct cache_settings {
	const char *socket; /* unix socket, or "" */
	const char *host;   /* used when socket is "" */
	unsigned int port;
	/* `HOST` or `HOST@PORT`; used in place of both when there are any: they
	 * tell where the Redis is that goes by the name `master`. */
	const char *const *sentinels;
	size_t sentinel_count;
	const char *master;
	const char *sentinel_password; /* or "" */
	unsigned int database;
	const char *user;     /* of Redis's access control lists, or "" */
	const char *password; /* or "" */
	unsigned int timeout; /* milliseconds for one operation */
	const uint8_t *key;   /* 32 octets */
	const struct clock *clock;
	size_t connections; /* open at most */
};

/* Every lookup is a hit or a miss; the others tell why, and count what was
 * stored. `skipped` are operations that the breaker, or a full pool, kept from
 * Redis; `asked` are those that were not: round trips. */
struct cache_counters {
	uint64_t hits, misses, asked, errors, skipped, tampered, stored;
};

/* Connects lazily: a Redis that is down, or a host name that has no address
 * yet, is no error. Strings are copied. ERR_MEMORY; ERR_CONFIG for too long a
 * socket, or a sentinel that is neither HOST nor HOST@PORT. */
int cache_new(const struct cache_settings *settings, struct cache **out);
void cache_free(struct cache *cache);

/* One of several things that are looked for. */
struct cache_item {
	const char *kind; /* ours, at most 32 octets */
	struct span name; /* at most 4096 octets */
	struct buffer payload; /* made by the caller; appended to when found */
	int64_t expires;  /* seconds since 1970, in the future */
	bool found;       /* false is a miss, for whatever reason */
};

/* Looks for all, at most CACHE_ITEMS, in one round trip that is never longer
 * than the time-out. Any thread, as all below. */
void cache_get_all(struct cache *cache, struct cache_item *items,
    size_t count);

/* Likewise for one: appends its payload and sets *expires. */
bool cache_get(struct cache *cache, const char *kind, struct span name,
    struct buffer *payload, int64_t *expires);

/* Stores until `expires`, never without a TTL; not at all what has expired or
 * is larger than 1 MiB. Failures are only counted, and false. */
bool cache_put(struct cache *cache, const char *kind, struct span name,
    struct span payload, int64_t expires);

/*
 * Stores `payload` under the item's kind and name unless something stands
 * there, and looks at what then does, in one round trip. *item is as after
 * cache_get_all(): a miss when neither is known to stand there.
 */
void cache_claim(struct cache *cache, struct span payload, int64_t expires,
    struct cache_item *item);

/* As for the others, a Redis that does not answer is no error: then the value
 * stays until it expires. */
void cache_delete(struct cache *cache, const char *kind, struct span name);

/*
 * A list under one name, newest first. It keeps CACHE_LIST_LENGTH values, each
 * until it expires; the order, and what is missing, is Redis's word.
 * cache_push() is as cache_put(); cache_list() sets items[i] to the value at
 * `first` + i, all of that kind and name, which only the first item needs to
 * give.
 */
bool cache_push(struct cache *cache, const char *kind, struct span name,
    struct span payload, int64_t expires);
void cache_list(struct cache *cache, size_t first, struct cache_item *items,
    size_t count);

enum { CACHE_SECRET = 32 };

/* A secret that all nodes have in common and Redis does not know: the same for
 * the same `label`, and of no use for finding the site's key, or any other.
 * False without memory, or for a label of more than 255 octets. */
bool cache_derive(struct cache *cache, const char *label,
    uint8_t out[static CACHE_SECRET]);

void cache_count(struct cache *cache, struct cache_counters *out);

#endif
