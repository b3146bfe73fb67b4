/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/condition.h"
#include "base/error.h"
#include "crypto/random.h"
#include "policy/flight.h"

enum { BUCKETS = 1024 };

struct flight {
	struct flights *flights;
	struct flight *chain;
	pthread_cond_t landed_now;
	bool landed;
	size_t people; /* waiters, and the work itself */
	struct memory_value *value;
	size_t key_length;
	uint8_t key[];
};

struct flights {
	pthread_mutex_t lock;
	pthread_cond_t all_landed;
	uint8_t hash_key[CRYPTO_SHORT_KEY];
	flight_start *start;
	void *context;
	size_t limit;
	size_t count; /* in the air */
	bool stopping;
	struct flight *buckets[BUCKETS];
};

int
flights_new(size_t limit, flight_start *start, void *context,
    struct flights **out)
{
	struct flights *flights = calloc(1, sizeof(*flights));
	struct random_source random;

	*out = flights;
	if (flights == NULL)
		return ERR_MEMORY;
	pthread_mutex_init(&flights->lock, NULL);
	condition_start(&flights->all_landed);
	random_start(&random);
	random_fill(&random, flights->hash_key, sizeof(flights->hash_key));
	random_end(&random);
	flights->limit = limit;
	flights->start = start;
	flights->context = context;
	return 0;
}

void
flights_free(struct flights *flights)
{
	if (flights == NULL)
		return;
	pthread_cond_destroy(&flights->all_landed);
	pthread_mutex_destroy(&flights->lock);
	free(flights);
}

static struct flight **
find(struct flights *flights, struct span key)
{
	const uint64_t hash = crypto_short_hash(flights->hash_key, key);
	struct flight **at = &flights->buckets[hash % BUCKETS];

	while (*at != NULL &&
	    !span_equal(span_of((*at)->key, (*at)->key_length), key))
		at = &(*at)->chain;
	return at;
}

/* Under the lock; two people: the caller and the work. */
static int
take_off(struct flights *flights, struct flight **at, struct span key,
    struct flight **out)
{
	struct flight *flight;

	if (flights->count == flights->limit)
		return ERR_BUSY;
	flight = calloc(1, sizeof(*flight) + key.length);
	if (flight == NULL)
		return ERR_MEMORY;
	flight->flights = flights;
	condition_start(&flight->landed_now);
	flight->people = 2;
	flight->key_length = key.length;
	memcpy(flight->key, key.data, key.length);
	*at = flight;
	flights->count++;
	*out = flight;
	return 0;
}

/* Under the lock. The last one frees it. */
static void
leave(struct flight *flight)
{
	if (--flight->people > 0)
		return;
	memory_release(flight->value);
	pthread_cond_destroy(&flight->landed_now);
	free(flight);
}

int
flights_join(struct flights *flights, struct span key,
    struct deadline deadline, struct memory_value **value)
{
	struct flight *flight;
	struct flight **at;
	int err = 0;

	*value = NULL;
	pthread_mutex_lock(&flights->lock);
	at = find(flights, key);
	flight = *at;
	if (flight != NULL) {
		flight->people++;
	} else if ((err = take_off(flights, at, key, &flight)) == 0) {
		pthread_mutex_unlock(&flights->lock);
		flights->start(flights->context, flight);
		pthread_mutex_lock(&flights->lock);
	}
	if (err == 0) {
		while (!flight->landed && !flights->stopping &&
		    condition_wait(&flight->landed_now, &flights->lock,
		        deadline))
			;
		if (!flight->landed)
			err = ERR_TIMEOUT;
		else if (flight->value == NULL)
			err = ERR_MEMORY;
		else
			*value = memory_hold(flight->value);
		leave(flight);
	}
	pthread_mutex_unlock(&flights->lock);
	return err;
}

struct span
flight_key(const struct flight *flight)
{
	return span_of(flight->key, flight->key_length);
}

void
flight_land(struct flight *flight, struct memory_value *value)
{
	struct flights *flights = flight->flights;

	pthread_mutex_lock(&flights->lock);
	*find(flights, flight_key(flight)) = flight->chain;
	flight->value = value;
	flight->landed = true;
	pthread_cond_broadcast(&flight->landed_now);
	leave(flight);
	if (--flights->count == 0)
		pthread_cond_broadcast(&flights->all_landed);
	pthread_mutex_unlock(&flights->lock);
}

void
flights_stop(struct flights *flights)
{
	pthread_mutex_lock(&flights->lock);
	flights->stopping = true;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct flight *flight = flights->buckets[i];
		     flight != NULL; flight = flight->chain)
			pthread_cond_broadcast(&flight->landed_now);
	pthread_mutex_unlock(&flights->lock);
}

size_t
flights_in_the_air(struct flights *flights)
{
	size_t count;

	pthread_mutex_lock(&flights->lock);
	count = flights->count;
	pthread_mutex_unlock(&flights->lock);
	return count;
}

size_t
flights_people(struct flights *flights, struct span key)
{
	struct flight **at;
	size_t people;

	pthread_mutex_lock(&flights->lock);
	at = find(flights, key);
	people = *at == NULL ? 0 : (*at)->people;
	pthread_mutex_unlock(&flights->lock);
	return people;
}

bool
flights_drain(struct flights *flights, struct deadline deadline)
{
	bool drained;

	pthread_mutex_lock(&flights->lock);
	while (flights->count > 0 &&
	    condition_wait(&flights->all_landed, &flights->lock, deadline))
		;
	drained = flights->count == 0;
	pthread_mutex_unlock(&flights->lock);
	return drained;
}
