/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_RATES_H
#define DIME_DMTPD_RATES_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/span.h"
#include "crypto/crypto.h"

/*
 * How often things happen, by what they happen to: a source, an origin. Any
 * thread. The memory is bounded: with more keys at once than there is room for,
 * those that have the least to their account are forgotten.
 */
struct rates;

/* What is counted, each apart from the others. */
enum rate {
	RATE_SIGNETS, /* questions for signets, by source */
	RATE_MAIL,    /* MAIL, by source */
	RATE_ORIGIN,  /* messages that an origin has signed, by its domain */
	RATE_KNOWN,   /* no rate: origins that were accepted of late */
	RATES = RATE_KNOWN
};

/* NULL without memory. */
struct rates *rates_new(const struct clock *clock);
void rates_free(struct rates *rates);

/*
 * Whether `key` may do it once more, which then counts. After a rest
 * `per_minute` are had at once, and from then on one each minute/per_minute. 0:
 * no limit.
 */
bool rates_take(struct rates *rates, enum rate rate, struct span key,
    int64_t per_minute);

/* The same question without counting. */
bool rates_left(struct rates *rates, enum rate rate, struct span key,
    int64_t per_minute);

/* Puts `times` more to the account, as far as a minute goes: what was done was
 * so much more work than usual. */
void rates_charge(struct rates *rates, enum rate rate, struct span key,
    int64_t per_minute, int64_t times);

/* Remembers the key for so many seconds; and whether it is remembered. */
void rates_remember(struct rates *rates, enum rate rate, struct span key,
    int64_t seconds);
bool rates_remembers(struct rates *rates, enum rate rate, struct span key);

/* ---- what other nodes count ---- */

/* How often something was done by a key, of which only a hash is told. */
struct rate_count {
	enum rate rate;
	uint64_t hash;
	uint32_t count;
};

/* Has keys hashed with this secret from now on, as other nodes do. With another
 * one than before, all rates begin anew. */
void rates_share(struct rates *rates,
    const uint8_t secret[static CRYPTO_MAC_KEY]);

/* What was counted here since it was last asked: up to `most` counts, and how
 * many they are. What does not fit comes the next time. */
size_t rates_collect(struct rates *rates, struct rate_count *counts,
    size_t most);

/* Puts to the account what another node has counted so many milliseconds ago.
 * It can use the account up, which is then as if all had been taken here; no
 * more. */
void rates_add(struct rates *rates, const struct rate_count *count,
    int64_t per_minute, int64_t age);

#endif
