/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_MEMORY_H
#define DIME_POLICY_MEMORY_H

#include <stdatomic.h>

#include "base/clock.h"
#include "base/span.h"

/*
 * The first tier of what policyd knows: values under keys, in at most so many
 * octets. What was used longest ago goes first; what has expired is not found.
 * The table's hash is keyed at random, so that strangers who choose the keys
 * cannot make them collide. Any thread.
 */

/*
 * A value that several threads hold and nobody changes. It stands first in the
 * structure that it belongs to, and goes when the last holder lets go.
 */
struct memory_value {
	atomic_uint holders;
	size_t octets;   /* what it takes, for the limit */
	int64_t expires; /* seconds since 1970 */
	/* Seconds for which it holds from when it is kept; 0: it is not asked
	 * for again before it is missed. */
	int64_t lifetime;
	void (*destroy)(struct memory_value *value);
};

/* The caller is the one holder. */
void memory_value_start(struct memory_value *value, size_t octets,
    int64_t expires, void (*destroy)(struct memory_value *value));

/* Whether it is in the last part of its lifetime, where it is refreshed. */
bool memory_value_is_ageing(const struct memory_value *value, int64_t now);

/* One holder more; returns `value`. */
struct memory_value *memory_hold(struct memory_value *value);

/* One holder less. NULL is fine. */
void memory_release(struct memory_value *value);

struct memory;

struct memory_counters {
	uint64_t hits, misses, evicted;
	size_t entries, octets;
};

/* `limit` counts keys, values and what the table needs for them. ERR_MEMORY. */
int memory_new(size_t limit, const struct clock *clock, struct memory **out);
void memory_free(struct memory *memory);

/* The value under `key`, held for the caller, or NULL. */
struct memory_value *memory_get(struct memory *memory, struct span key);

/* Likewise, without that it counts as use. */
struct memory_value *memory_look(struct memory *memory, struct span key);

/* Keeps `value`, in place of what was there, with a hold of its own. A value
 * that takes more than a quarter of the limit, or for which there is no memory,
 * is not kept: this is a cache. */
void memory_put(struct memory *memory, struct span key,
    struct memory_value *value);

/* Forgets the value; who holds it keeps it. None is fine. */
void memory_drop(struct memory *memory, struct span key);

/* Drops every entry whose key `matches`; looks at all of them. */
void memory_drop_matching(struct memory *memory,
    bool (*matches)(void *context, struct span key), void *context);

/*
 * Goes on through the table, a `share`th of it, and hands out the keys of
 * values that were used since they were kept and are near their end: each from
 * a moment of its own on, at random within the last fifth of its lifetime but
 * before the last tenth. The first tenth is not counted as use: that is what it
 * was asked for at all. None is handed out twice. One thread at a time; `due`
 * may call back.
 */
void memory_sweep(struct memory *memory, size_t share,
    void (*due)(void *context, struct span key), void *context);

void memory_count(struct memory *memory, struct memory_counters *out);

#endif
