/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_FLIGHT_H
#define DIME_POLICY_FLIGHT_H

#include "base/clock.h"
#include "policy/memory.h"

/*
 * One flight a name: however many callers ask for something that is not known
 * yet, the work is done once, and each caller waits for it with a deadline of
 * his own. The work goes on when they have given up, so that the next one finds
 * what came of it.
 */
struct flights;
struct flight;

/*
 * Begins the work for a flight, in the thread of the caller who asked first,
 * and returns soon. flight_land() must follow some time, from any thread, or
 * from within.
 */
typedef void flight_start(void *context, struct flight *flight);

/* `limit` is how many may be in the air. ERR_MEMORY. */
int flights_new(size_t limit, flight_start *start, void *context,
    struct flights **out);

/* Nothing may be in the air. */
void flights_free(struct flights *flights);

/*
 * Joins the flight of `key`, which is started when there is none, and waits for
 * it. 0 and a value held for the caller; ERR_TIMEOUT at the deadline (one that
 * has passed starts the work and returns); ERR_BUSY over the limit; ERR_MEMORY.
 */
int flights_join(struct flights *flights, struct span key,
    struct deadline deadline, struct memory_value **value);

/* Good until it lands. */
struct span flight_key(const struct flight *flight);

/* Ends the flight: every waiter gets a hold of `value`. The caller's own goes
 * over to the flight, which is gone afterwards. NULL: ERR_MEMORY for them. */
void flight_land(struct flight *flight, struct memory_value *value);

/* From now on nobody waits: who does, or comes, gets ERR_TIMEOUT. */
void flights_stop(struct flights *flights);

/* For tests, which wait until others do: how many flights there are, and how
 * many wait for that of `key`, its work counted as one (0: there is none). */
size_t flights_in_the_air(struct flights *flights);
size_t flights_people(struct flights *flights, struct span key);

/* Waits until nothing is in the air; false at the deadline. */
bool flights_drain(struct flights *flights, struct deadline deadline);

#endif
