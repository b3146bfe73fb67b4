/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/crowd.h"

#include <string.h>

#include "base/condition.h"
#include "crypto/crypto.h"

static struct crowd_counter *
counter_of(struct crowd *crowd, const char *domain)
{
	uint8_t digest[CRYPTO_SHA512];

	crypto_sha512(span_string(domain), digest);
	return &crowd->counters[(digest[0] << 8 | digest[1]) % CROWD_COUNTERS];
}

void
crowd_start(struct crowd *crowd, int64_t patience)
{
	pthread_mutex_init(&crowd->lock, NULL);
	condition_start(&crowd->left);
	crowd->patience = patience;
	memset(crowd->counters, 0, sizeof(crowd->counters));
}

void
crowd_end(struct crowd *crowd)
{
	pthread_cond_destroy(&crowd->left);
	pthread_mutex_destroy(&crowd->lock);
}

/* It is full, but moves. */
static bool
is_worth_waiting(const struct crowd_counter *counter)
{
	return counter->waiting == CROWD_LIMIT &&
	    deadline_left(counter->moves) > 0;
}

bool
crowd_enter(struct crowd *crowd, const char *domain)
{
	const struct deadline deadline = deadline_in(crowd->patience);
	struct crowd_counter *counter = counter_of(crowd, domain);
	bool enter;

	pthread_mutex_lock(&crowd->lock);
	while (is_worth_waiting(counter) && condition_wait(&crowd->left,
	    &crowd->lock, deadline_earlier(deadline, counter->moves)))
		;
	enter = counter->waiting < CROWD_LIMIT;
	counter->waiting += enter;
	if (enter)
		counter->moves = deadline_in(CROWD_STANDSTILL);
	pthread_mutex_unlock(&crowd->lock);
	return enter;
}

void
crowd_leave(struct crowd *crowd, const char *domain)
{
	struct crowd_counter *counter = counter_of(crowd, domain);

	pthread_mutex_lock(&crowd->lock);
	counter->moves = deadline_in(CROWD_STANDSTILL);
	if (counter->waiting-- == CROWD_LIMIT)
		pthread_cond_broadcast(&crowd->left);
	pthread_mutex_unlock(&crowd->lock);
}
