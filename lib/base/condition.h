/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_BASE_CONDITION_H
#define DIME_BASE_CONDITION_H

#include <pthread.h>
#include <stdbool.h>

#include "base/clock.h"

/* Condition variables that wait until a deadline of the monotonic clock. */

/* For pthread_cond_destroy(). */
void condition_start(pthread_cond_t *condition);

/* False when the deadline came first. */
bool condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock,
    struct deadline deadline);

#endif
