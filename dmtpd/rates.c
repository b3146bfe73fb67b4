/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "crypto/random.h"
#include "dmtpd/rates.h"

enum {
	SETS = 1024, /* a power of two */
	WAYS = 8,    /* places in a set; a key stands in one of one set */
	KINDS = RATE_KNOWN + 1,
	SECOND = 1000 * 1000, /* microseconds, in which everything is counted */
	MINUTE = 60 * SECOND,
};

/*
 * A rate needs one number a key: the time at which all that was taken so far would
 * have been due, had it come evenly ("generic cell rate algorithm"). One that lies
 * in the past is an account without debts, as good as none.
 */
struct entry {
	uint64_t hash;
	int64_t due;
};

struct rates {
	const struct clock *clock;
	uint8_t hash_keys[KINDS][CRYPTO_SHORT_KEY];
	pthread_mutex_t lock; /* guards the sets */
	struct entry sets[SETS][WAYS];
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
	struct entry *set = rates->sets[hash % SETS], *first = &set[0];

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

static void
set_due(struct rates *rates, uint64_t hash, int64_t at)
{
	*find(rates, hash) = (struct entry){hash, at};
}

static bool
ask(struct rates *rates, enum rate rate, struct span key, int64_t per_minute,
    bool take)
{
	const uint64_t hash = crypto_short_hash(rates->hash_keys[rate], key);
	const int64_t since = now(rates);
	int64_t step, at;
	bool may;

	if (per_minute <= 0)
		return true;
	step = MINUTE / per_minute;
	pthread_mutex_lock(&rates->lock);
	at = due(rates, hash, since) + step;
	may = at - since <= MINUTE;
	if (may && take)
		set_due(rates, hash, at);
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
rates_remember(struct rates *rates, enum rate rate, struct span key,
    int64_t seconds)
{
	const uint64_t hash = crypto_short_hash(rates->hash_keys[rate], key);

	pthread_mutex_lock(&rates->lock);
	set_due(rates, hash, now(rates) + seconds * SECOND);
	pthread_mutex_unlock(&rates->lock);
}

bool
rates_remembers(struct rates *rates, enum rate rate, struct span key)
{
	const uint64_t hash = crypto_short_hash(rates->hash_keys[rate], key);
	const int64_t since = now(rates);
	bool remembers;

	pthread_mutex_lock(&rates->lock);
	remembers = due(rates, hash, since) > since;
	pthread_mutex_unlock(&rates->lock);
	return remembers;
}
