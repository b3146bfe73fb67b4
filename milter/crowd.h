/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_MILTER_CROWD_H
#define DIME_MILTER_CROWD_H

#include <pthread.h>
#include <stdbool.h>

/*
 * How many connections wait for news of the same domain, so that one whose host
 * does not answer cannot hold all of DIME-OUT's processes. Domains share a
 * counter with others of the same hash, which costs a retry and no more.
 */
enum {
	CROWD_COUNTERS = 1024,
	CROWD_LIMIT = 25, /* a quarter of dimeenc's processes */
	CROWD_PATIENCE = 500, /* milliseconds: answers from a cache take few */
};

struct crowd {
	pthread_mutex_t lock;
	pthread_cond_t left; /* somebody has */
	unsigned char waiting[CROWD_COUNTERS];
};

void crowd_start(struct crowd *crowd);
void crowd_end(struct crowd *crowd);

/* False when as many wait as may, and for CROWD_PATIENCE none of them got its
 * news; otherwise call crowd_leave() afterwards. */
bool crowd_enter(struct crowd *crowd, const char *domain);
void crowd_leave(struct crowd *crowd, const char *domain);

#endif
