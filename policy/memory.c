/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>

#include "base/error.h"
#include "crypto/crypto.h"
#include "crypto/random.h"
#include "policy/memory.h"

enum {
	/* Octets that a typical entry takes; sizes the table once, so that it
	 * never has to be rebuilt while others wait. */
	TYPICAL = 512,
	LARGEST_SHARE = 4,
	/* Of a lifetime: when refreshing begins, and has begun everywhere. */
	REFRESH_FIRST = 5,
	REFRESH_LAST = 10,
	NEW = 10, /* the first tenth */
	JITTER = 1024, /* moments between the two */
	/* What is looked at, or found, while others wait. */
	SLICE = 512,
	DUE = 16,
	DUE_KEY = 768, /* longer keys are not refreshed */
	CLOCK_BACK = 60, /* seconds that a clock may be set back by, before what
	                    was put ahead of it is nothing that it can date */
};

struct entry {
	struct entry *chain;         /* next in its bucket */
	struct entry *newer, *older; /* by last use */
	uint64_t hash;
	struct memory_value *value;
	int64_t refresh; /* from when on it is due; INT64_MAX: never */
	int64_t counting; /* from when on uses count */
	bool used;
	int64_t put; /* when */
	size_t octets;
	size_t key_length;
	uint8_t key[];
};

struct memory {
	pthread_mutex_t lock;
	const struct clock *clock;
	uint8_t hash_key[CRYPTO_SHORT_KEY];
	size_t limit;
	size_t bucket_count; /* a power of two */
	struct entry **buckets;
	struct entry *newest, *oldest;
	size_t swept; /* the bucket that memory_sweep() goes on with */
	struct memory_counters counters;
};

/* ---- values ---- */

void
memory_value_start(struct memory_value *value, size_t octets, int64_t expires,
    void (*destroy)(struct memory_value *value))
{
	atomic_init(&value->holders, 1);
	value->octets = octets;
	value->expires = expires;
	value->lifetime = 0;
	value->destroy = destroy;
}

bool
memory_value_is_ageing(const struct memory_value *value, int64_t now)
{
	return value->lifetime > 0 &&
	    now >= value->expires - value->lifetime / REFRESH_FIRST;
}

struct memory_value *
memory_hold(struct memory_value *value)
{
	atomic_fetch_add(&value->holders, 1);
	return value;
}

void
memory_release(struct memory_value *value)
{
	if (value != NULL && atomic_fetch_sub(&value->holders, 1) == 1)
		value->destroy(value);
}

/* ---- the table ---- */

int
memory_new(size_t limit, const struct clock *clock, struct memory **out)
{
	struct memory *memory = calloc(1, sizeof(*memory));
	struct random_source random;

	*out = NULL;
	if (memory == NULL)
		return ERR_MEMORY;
	memory->clock = clock;
	memory->limit = limit;
	memory->bucket_count = 64;
	while (memory->bucket_count < limit / TYPICAL)
		memory->bucket_count *= 2;
	memory->buckets = calloc(memory->bucket_count, sizeof(struct entry *));
	if (memory->buckets == NULL) {
		free(memory);
		return ERR_MEMORY;
	}
	pthread_mutex_init(&memory->lock, NULL);
	random_start(&random);
	random_fill(&random, memory->hash_key, sizeof(memory->hash_key));
	random_end(&random);
	*out = memory;
	return 0;
}

static struct entry **
find(struct memory *memory, uint64_t hash, struct span key)
{
	struct entry **at = &memory->buckets[hash & (memory->bucket_count - 1)];

	while (*at != NULL &&
	    ((*at)->hash != hash ||
	        !span_equal(span_of((*at)->key, (*at)->key_length), key)))
		at = &(*at)->chain;
	return at;
}

static void
unlink_use(struct memory *memory, struct entry *entry)
{
	if (entry->newer != NULL)
		entry->newer->older = entry->older;
	else
		memory->newest = entry->older;
	if (entry->older != NULL)
		entry->older->newer = entry->newer;
	else
		memory->oldest = entry->newer;
}

static void
link_newest(struct memory *memory, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = memory->newest;
	if (memory->newest != NULL)
		memory->newest->newer = entry;
	else
		memory->oldest = entry;
	memory->newest = entry;
}

/* Takes the entry at *at out; the caller frees it, outside the lock where it
 * can, since that may be the end of the value. */
static struct entry *
take_out(struct memory *memory, struct entry **at)
{
	struct entry *entry = *at;

	*at = entry->chain;
	unlink_use(memory, entry);
	memory->counters.entries--;
	memory->counters.octets -= entry->octets;
	return entry;
}

static void
entry_free(struct entry *entry)
{
	if (entry == NULL)
		return;
	memory_release(entry->value);
	free(entry);
}

void
memory_free(struct memory *memory)
{
	if (memory == NULL)
		return;
	while (memory->newest != NULL) {
		struct entry *entry = memory->newest;

		memory->newest = entry->older;
		entry_free(entry);
	}
	pthread_mutex_destroy(&memory->lock);
	free(memory->buckets);
	free(memory);
}

static bool
is_good(const struct entry *entry, int64_t now)
{
	return entry->value->expires > now && entry->put - now <= CLOCK_BACK;
}

static struct memory_value *
get(struct memory *memory, struct span key, bool is_use)
{
	const uint64_t hash = crypto_short_hash(memory->hash_key, key);
	const int64_t now = clock_wall(memory->clock);
	struct memory_value *value = NULL;
	struct entry *expired = NULL;
	struct entry **at;

	pthread_mutex_lock(&memory->lock);
	at = find(memory, hash, key);
	if (*at != NULL && !is_good(*at, now)) {
		expired = take_out(memory, at);
	} else if (*at != NULL) {
		if (is_use) {
			unlink_use(memory, *at);
			link_newest(memory, *at);
			(*at)->used |= now >= (*at)->counting;
		}
		value = memory_hold((*at)->value);
	}
	if (value != NULL)
		memory->counters.hits++;
	else
		memory->counters.misses++;
	pthread_mutex_unlock(&memory->lock);
	entry_free(expired);
	return value;
}

struct memory_value *
memory_get(struct memory *memory, struct span key)
{
	return get(memory, key, true);
}

struct memory_value *
memory_look(struct memory *memory, struct span key)
{
	return get(memory, key, false);
}

/* The table's hash is another one on each node: they do not ask together. */
static int64_t
refresh_time(uint64_t hash, const struct memory_value *value)
{
	const int64_t first = value->lifetime / REFRESH_FIRST;
	const int64_t spread = first - value->lifetime / REFRESH_LAST;

	if (value->lifetime <= 0)
		return INT64_MAX;
	return value->expires - first +
	    spread * (int64_t)(hash >> 32 & (JITTER - 1)) / JITTER;
}

static struct entry *
entry_new(uint64_t hash, struct span key, struct memory_value *value,
    int64_t now)
{
	struct entry *entry = malloc(sizeof(*entry) + key.length);

	if (entry == NULL)
		return NULL;
	entry->hash = hash;
	entry->put = now;
	entry->value = memory_hold(value);
	entry->refresh = refresh_time(hash, value);
	entry->counting = value->expires - value->lifetime +
	    value->lifetime / NEW;
	entry->used = false;
	entry->octets = sizeof(*entry) + key.length + value->octets;
	entry->key_length = key.length;
	memcpy(entry->key, key.data, key.length);
	return entry;
}

void
memory_put(struct memory *memory, struct span key, struct memory_value *value)
{
	const uint64_t hash = crypto_short_hash(memory->hash_key, key);
	struct entry *gone = NULL, *entry;
	struct entry **at;

	if (value->octets > memory->limit / LARGEST_SHARE)
		return;
	entry = entry_new(hash, key, value, clock_wall(memory->clock));
	if (entry == NULL)
		return;
	pthread_mutex_lock(&memory->lock);
	at = find(memory, hash, key);
	if (*at != NULL) {
		gone = take_out(memory, at);
		gone->chain = NULL;
	}
	while (memory->oldest != NULL &&
	    memory->counters.octets + entry->octets > memory->limit) {
		struct entry *oldest = memory->oldest;

		at = find(memory, oldest->hash,
		    span_of(oldest->key, oldest->key_length));
		take_out(memory, at);
		oldest->chain = gone;
		gone = oldest;
		memory->counters.evicted++;
	}
	at = &memory->buckets[hash & (memory->bucket_count - 1)];
	entry->chain = *at;
	*at = entry;
	link_newest(memory, entry);
	memory->counters.entries++;
	memory->counters.octets += entry->octets;
	pthread_mutex_unlock(&memory->lock);
	while (gone != NULL) {
		struct entry *next = gone->chain;

		entry_free(gone);
		gone = next;
	}
}

void
memory_drop(struct memory *memory, struct span key)
{
	struct entry *entry = NULL;
	struct entry **at;

	pthread_mutex_lock(&memory->lock);
	at = find(memory, crypto_short_hash(memory->hash_key, key), key);
	if (*at != NULL)
		entry = take_out(memory, at);
	pthread_mutex_unlock(&memory->lock);
	entry_free(entry);
}

/* Under the lock; what is taken out is put in front of *gone. */
static void
take_out_matching(struct memory *memory, struct entry **at,
    bool (*matches)(void *context, struct span key), void *context,
    struct entry **gone)
{
	while (*at != NULL) {
		struct entry *entry = *at;

		if (!matches(context,
		        span_of(entry->key, entry->key_length))) {
			at = &entry->chain;
			continue;
		}
		take_out(memory, at);
		entry->chain = *gone;
		*gone = entry;
	}
}

void
memory_drop_matching(struct memory *memory,
    bool (*matches)(void *context, struct span key), void *context)
{
	struct entry *gone = NULL;

	for (size_t i = 0; i < memory->bucket_count; i += SLICE) {
		pthread_mutex_lock(&memory->lock);
		for (size_t j = i; j < i + SLICE && j < memory->bucket_count;
		     j++)
			take_out_matching(memory, &memory->buckets[j], matches,
			    context, &gone);
		pthread_mutex_unlock(&memory->lock);
	}
	while (gone != NULL) {
		struct entry *next = gone->chain;

		entry_free(gone);
		gone = next;
	}
}

/* ---- refreshing ---- */

struct due {
	size_t count;
	size_t lengths[DUE];
	uint8_t keys[DUE][DUE_KEY];
};

/* Under the lock. */
static void
collect_due(struct entry *entry, int64_t now, struct due *due)
{
	for (; entry != NULL && due->count < DUE; entry = entry->chain) {
		if (!entry->used || now < entry->refresh ||
		    entry->key_length > DUE_KEY)
			continue;
		entry->refresh = INT64_MAX;
		if (entry->value->expires <= now)
			continue;
		due->lengths[due->count] = entry->key_length;
		memcpy(due->keys[due->count++], entry->key,
		    entry->key_length);
	}
}

/* Some buckets, fewer when enough is due. Returns how many. */
static size_t
sweep_slice(struct memory *memory, int64_t now, struct due *due)
{
	size_t looked = 0;

	due->count = 0;
	pthread_mutex_lock(&memory->lock);
	for (; looked < SLICE && due->count < DUE; looked++) {
		collect_due(memory->buckets[memory->swept], now, due);
		/* A bucket may hold more than there was room for. */
		if (due->count < DUE)
			memory->swept =
			    (memory->swept + 1) & (memory->bucket_count - 1);
	}
	pthread_mutex_unlock(&memory->lock);
	return looked;
}

void
memory_sweep(struct memory *memory, size_t share,
    void (*due)(void *context, struct span key), void *context)
{
	const int64_t now = clock_wall(memory->clock);
	const size_t most = memory->bucket_count / share + 1;
	struct due *found = malloc(sizeof(*found));

	for (size_t looked = 0; looked < most && found != NULL;) {
		looked += sweep_slice(memory, now, found);
		for (size_t i = 0; i < found->count; i++)
			due(context,
			    span_of(found->keys[i], found->lengths[i]));
	}
	free(found);
}

void
memory_count(struct memory *memory, struct memory_counters *out)
{
	pthread_mutex_lock(&memory->lock);
	*out = memory->counters;
	pthread_mutex_unlock(&memory->lock);
}
