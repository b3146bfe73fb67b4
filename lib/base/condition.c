/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <time.h>

#include "base/condition.h"

void
condition_start(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

bool
condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock,
    struct deadline deadline)
{
	const struct timespec until = {deadline.at / 1000,
	    deadline.at % 1000 * 1000000};

	return pthread_cond_timedwait(condition, lock, &until) != ETIMEDOUT;
}
