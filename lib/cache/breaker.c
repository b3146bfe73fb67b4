/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/breaker.h"

enum {
	FAILURES = 3,
	FIRST_PAUSE = 1000, /* milliseconds */
	LONGEST_PAUSE = 30000,
};

void
breaker_start(struct breaker *breaker, const struct clock *clock)
{
	*breaker = (struct breaker){.clock = clock, .pause = FIRST_PAUSE};
	pthread_mutex_init(&breaker->mutex, NULL);
}

void
breaker_end(struct breaker *breaker)
{
	pthread_mutex_destroy(&breaker->mutex);
}

bool
breaker_allows(struct breaker *breaker, bool *probe)
{
	bool allowed = true;

	*probe = false;
	pthread_mutex_lock(&breaker->mutex);
	if (breaker->open) {
		allowed = !breaker->probing &&
		    clock_monotonic(breaker->clock) >= breaker->again;
		*probe = allowed;
		breaker->probing |= allowed;
	}
	pthread_mutex_unlock(&breaker->mutex);
	return allowed;
}

static enum breaker_change
succeed(struct breaker *breaker)
{
	bool was_open = breaker->open;

	breaker->failures = 0;
	breaker->open = false;
	breaker->pause = FIRST_PAUSE;
	return was_open ? BREAKER_CLOSED : BREAKER_SAME;
}

/* Those who were under way when it opened say nothing new. */
static enum breaker_change
fail(struct breaker *breaker, bool probe)
{
	bool was_open = breaker->open;

	if (was_open && !probe)
		return BREAKER_SAME;
	if (!was_open && ++breaker->failures < FAILURES)
		return BREAKER_SAME;
	if (was_open)
		breaker->pause *= 2;
	if (breaker->pause > LONGEST_PAUSE)
		breaker->pause = LONGEST_PAUSE;
	breaker->open = true;
	breaker->again = clock_monotonic(breaker->clock) + breaker->pause;
	return was_open ? BREAKER_SAME : BREAKER_OPENED;
}

enum breaker_change
breaker_done(struct breaker *breaker, bool probe, bool good)
{
	enum breaker_change change;

	pthread_mutex_lock(&breaker->mutex);
	if (probe)
		breaker->probing = false;
	change = good ? succeed(breaker) : fail(breaker, probe);
	pthread_mutex_unlock(&breaker->mutex);
	return change;
}

void
breaker_withdraw(struct breaker *breaker, bool probe)
{
	pthread_mutex_lock(&breaker->mutex);
	if (probe)
		breaker->probing = false;
	pthread_mutex_unlock(&breaker->mutex);
}
