/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "crypto/random.h"
#include "dmtpd/rates.h"

enum {
	SETS = 1024, /* a power of two */
	WAYS = 8,    /* places in a set; a key stands in one of one set */
	PLACES = SETS * WAYS,
	KINDS = RATE_KNOWN + 1,
	SECOND = 1000 * 1000, /* microseconds, in which everything is counted */
	MINUTE = 60 * SECOND,
};

/*
 * A rate needs one number a key: the time at which all that was taken so far
 * would have been due, had it come evenly ("generic cell rate algorithm"). One
 * that lies in the past is an account without debts, as good as none.
 */
struct entry {
	uint64_t hash;
	int64_t due;
	uint32_t fresh; /* what other nodes have not been told of */
	uint32_t rate;
};

struct rates {
	const struct clock *clock;
	pthread_mutex_t lock; /* guards the rest */
	uint8_t hash_keys[KINDS][CRYPTO_SHORT_KEY];
	size_t next; /* place from which to collect */
	struct entry places[PLACES];
};

struct rates *
rates_new(const struct clock *clock)
{
	struct rates *rates = calloc(1, sizeof(*rates));
	struct random_source random;

	if (rates == NULL)
		return NULL;
	rates->clock = clock;
	pthread_mutex_init(&rates->lock, NULL);
	random_start(&random);
	random_fill(&random, rates->hash_keys, sizeof(rates->hash_keys));
	random_end(&random);
	return rates;
}

void
rates_free(struct rates *rates)
{
	if (rates == NULL)
		return;
	pthread_mutex_destroy(&rates->lock);
	free(rates);
}

static int64_t
now(const struct rates *rates)
{
	return clock_monotonic(rates->clock) * 1000;
}

/* Where the key stands, or that which is due first and makes room for it. */
static struct entry *
find(struct rates *rates, uint64_t hash)
{
	struct entry *set = &rates->places[hash % SETS * WAYS], *first = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].hash == hash)
			return &set[i];
		if (set[i].due < first->due)
			first = &set[i];
	}
	return first;
}

/* The time up to which the key has taken, not before `since`. */
static int64_t
due(struct rates *rates, uint64_t hash, int64_t since)
{
	const struct entry *entry = find(rates, hash);

	return entry->hash == hash && entry->due > since ? entry->due : since;
}

/* Its place, where another may have to go. */
static struct entry *
enter(struct rates *rates, enum rate rate, uint64_t hash)
{
	struct entry *entry = find(rates, hash);

	if (entry->hash != hash)
		*entry = (struct entry){.hash = hash, .rate = rate};
	return entry;
}

static uint64_t
hash_of(const struct rates *rates, enum rate rate, struct span key)
{
	return crypto_short_hash(rates->hash_keys[rate], key);
}

/* Under the lock. */
static void
put(struct entry *entry, int64_t at, int64_t times)
{
	entry->due = at;
	entry->fresh = times < UINT32_MAX - entry->fresh
	    ? entry->fresh + (uint32_t)times : UINT32_MAX;
}

static bool
ask(struct rates *rates, enum rate rate, struct span key, int64_t per_minute,
    bool take)
{
	const int64_t since = now(rates);
	uint64_t hash;
	int64_t step, at;
	bool may;

	if (per_minute <= 0)
		return true;
	step = MINUTE / per_minute;
	pthread_mutex_lock(&rates->lock);
	hash = hash_of(rates, rate, key);
	at = due(rates, hash, since) + step;
	may = at - since <= MINUTE;
	if (may && take)
		put(enter(rates, rate, hash), at, 1);
	pthread_mutex_unlock(&rates->lock);
	return may;
}

bool
rates_take(struct rates *rates, enum rate rate, struct span key,
    int64_t per_minute)
{
	return ask(rates, rate, key, per_minute, true);
}

bool
rates_left(struct rates *rates, enum rate rate, struct span key,
    int64_t per_minute)
{
	return ask(rates, rate, key, per_minute, false);
}

void
rates_charge(struct rates *rates, enum rate rate, struct span key,
    int64_t per_minute, int64_t times)
{
	const int64_t since = now(rates);
	uint64_t hash;
	int64_t at;

	if (per_minute <= 0 || times <= 0)
		return;
	if (times > per_minute)
		times = per_minute;
	pthread_mutex_lock(&rates->lock);
	hash = hash_of(rates, rate, key);
	at = due(rates, hash, since) + times * (MINUTE / per_minute);
	if (at > since + MINUTE)
		at = since + MINUTE;
	put(enter(rates, rate, hash), at, times);
	pthread_mutex_unlock(&rates->lock);
}

void
rates_remember(struct rates *rates, enum rate rate, struct span key,
    int64_t seconds)
{
	pthread_mutex_lock(&rates->lock);
	enter(rates, rate, hash_of(rates, rate, key))->due =
	    now(rates) + seconds * SECOND;
	pthread_mutex_unlock(&rates->lock);
}

bool
rates_remembers(struct rates *rates, enum rate rate, struct span key)
{
	const int64_t since = now(rates);
	bool remembers;

	pthread_mutex_lock(&rates->lock);
	remembers = due(rates, hash_of(rates, rate, key), since) > since;
	pthread_mutex_unlock(&rates->lock);
	return remembers;
}

/* ---- other nodes ---- */

void
rates_share(struct rates *rates, const uint8_t secret[static CRYPTO_MAC_KEY])
{
	uint8_t macs[RATES][CRYPTO_MAC];
	bool same = true;

	for (uint8_t i = 0; i < RATES; i++)
		crypto_mac(secret, span_of(&i, sizeof(i)), macs[i]);
	pthread_mutex_lock(&rates->lock);
	for (size_t i = 0; i < RATES; i++) {
		same &= memcmp(rates->hash_keys[i], macs[i],
		            CRYPTO_SHORT_KEY) == 0;
		memcpy(rates->hash_keys[i], macs[i], CRYPTO_SHORT_KEY);
	}
	/* Under their old hashes nobody would find them. */
	for (size_t i = 0; i < PLACES && !same; i++)
		if (rates->places[i].rate < RATES)
			rates->places[i] = (struct entry){0};
	pthread_mutex_unlock(&rates->lock);
}

size_t
rates_collect(struct rates *rates, struct rate_count *counts, size_t most)
{
	size_t count = 0;

	pthread_mutex_lock(&rates->lock);
	for (size_t i = 0; i < PLACES && count < most; i++) {
		struct entry *entry = &rates->places[rates->next];

		rates->next = (rates->next + 1) % PLACES;
		if (entry->fresh == 0)
			continue;
		counts[count++] = (struct rate_count){
		    (enum rate)entry->rate, entry->hash, entry->fresh};
		entry->fresh = 0;
	}
	pthread_mutex_unlock(&rates->lock);
	return count;
}

void
rates_add(struct rates *rates, const struct rate_count *count,
    int64_t per_minute, int64_t age)
{
	const int64_t since = now(rates);
	int64_t taken, at;

	if (per_minute <= 0)
		return;
	taken = count->count < per_minute ? count->count : per_minute;
	pthread_mutex_lock(&rates->lock);
	at = due(rates, count->hash, since - age * 1000) +
	    taken * (MINUTE / per_minute);
	if (at > since + MINUTE)
		at = since + MINUTE;
	if (at > since)
		enter(rates, count->rate, count->hash)->due = at;
	pthread_mutex_unlock(&rates->lock);
}
