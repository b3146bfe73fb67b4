/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_MILTER_CROWD_H
#define DIME_MILTER_CROWD_H

#include <pthread.h>
#include <stdbool.h>

#include "base/clock.h"

/*
 * How many connections wait for news of the same domain, so that one whose host
 * does not answer cannot hold all of DIME-OUT's processes. Domains share a
 * counter with others of the same hash, which costs a retry and no more.
 */
enum {
	CROWD_COUNTERS = 1024,
	CROWD_LIMIT = 25, /* a quarter of dimeenc's processes */
	CROWD_PATIENCE = 500, /* milliseconds: answers from a cache take few */
	CROWD_STANDSTILL = 2000, /* milliseconds without coming and going */
};

struct crowd_counter {
	unsigned char waiting;
	struct deadline moves; /* until then it counts as moving */
};

struct crowd {
	pthread_mutex_t lock;
	pthread_cond_t left; /* somebody has */
	int64_t patience; /* milliseconds */
	struct crowd_counter counters[CROWD_COUNTERS];
};

/* `patience`: so long each waits for one of a crowd to leave, as
 * CROWD_PATIENCE. */
void crowd_start(struct crowd *crowd, int64_t patience);
void crowd_end(struct crowd *crowd);

/* False when as many wait as may, and none of them got its news while there was
 * patience; at once when none has for CROWD_STANDSTILL: a host that does not
 * answer shall not have all processes wait for those that wait for it.
 * Otherwise call crowd_leave() afterwards. */
bool crowd_enter(struct crowd *crowd, const char *domain);
void crowd_leave(struct crowd *crowd, const char *domain);

#endif
