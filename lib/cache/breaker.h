/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CACHE_BREAKER_H
#define DIME_CACHE_BREAKER_H

#include <pthread.h>
#include <stdbool.h>

#include "base/clock.h"

/*
 * A circuit breaker: after a few failures in a row nothing is tried for a
 * pause; then one caller may try, and the pause doubles each time that fails,
 * up to a limit. Any thread.
 */
struct breaker {
	pthread_mutex_t mutex;
	const struct clock *clock;
	unsigned int failures; /* in a row */
	bool open;
	bool probing; /* someone is trying */
	int64_t pause; /* milliseconds */
	int64_t again; /* monotonic: when one may try */
};

enum breaker_change { BREAKER_SAME, BREAKER_OPENED, BREAKER_CLOSED };

void breaker_start(struct breaker *breaker, const struct clock *clock);
void breaker_end(struct breaker *breaker);

/* Whether the caller may try. *probe, which goes to breaker_done(), tells that
 * it is the one who finds out. */
bool breaker_allows(struct breaker *breaker, bool *probe);

/* What came of it; for the log, whether that changed something. */
enum breaker_change breaker_done(struct breaker *breaker, bool probe,
    bool good);

/* The caller did not get so far as to find out. */
void breaker_withdraw(struct breaker *breaker, bool probe);

#endif
