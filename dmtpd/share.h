/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_SHARE_H
#define DIME_DMTPD_SHARE_H

#include <pthread.h>

#include "base/clock.h"
#include "net/source.h"

/*
 * What there is only so much of for all sessions together: memory for messages,
 * questions to dime-policyd. A source may hold as much as it leaves free, so
 * that none takes all of it from the others: one alone gets half, of two each a
 * third, and who comes next finds as much as each of those before him. Any
 * thread.
 */
struct share {
	pthread_mutex_t lock;
	pthread_cond_t given; /* some of it came back */
	struct share_holder *first;
	size_t held; /* by all of them */
};

/* What one session holds; the owner's. It starts with `held` 0 and must have
 * come back to that before it goes. A source that is not counted is one by
 * itself. */
struct share_holder {
	struct source source;
	size_t held;
	struct share_holder *next;
};

void share_start(struct share *share);
void share_end(struct share *share);

/* Has the holder hold `amount` from now on, of `limit` in all. False: that is
 * too much, and it holds what it held. Less than before is never too much. */
bool share_hold(struct share *share, struct share_holder *holder,
    size_t amount, size_t limit);

/* Likewise, but waits until it is not too much. False at the deadline. */
bool share_wait(struct share *share, struct share_holder *holder,
    size_t amount, size_t limit, struct deadline deadline);

#endif
