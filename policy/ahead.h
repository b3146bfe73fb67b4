/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_AHEAD_H
#define DIME_POLICY_AHEAD_H

#include "policy/policyd.h"

/*
 * All that a mail to somebody asks Redis for, the record, the organization's
 * signet and the user's, asked for in one round trip. What comes is put aside
 * in memory for AHEAD_SECONDS, misses included, for whoever would have asked
 * Redis.
 */

enum { AHEAD_SECONDS = 2 };

/* For a domain or address in normal form, unless memory knows the domain.
 * `fingerprint` is of a signet that will be asked for, or "". */
void ahead_read(struct policyd *policyd, const char *name,
    const char *fingerprint);

/* As cache_get(), from what was put aside, once, or else from Redis. `cache`
 * may be NULL. */
bool ahead_get(struct memory *memory, struct cache *cache, const char *kind,
    struct span name, struct buffer *payload, int64_t *expires);

/* Drops all that was put aside. */
void ahead_drop(struct memory *memory);

#endif
