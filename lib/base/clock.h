/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_BASE_CLOCK_H
#define DIME_BASE_CLOCK_H

#include <stdint.h>

/*
 * Time comes in as an argument wherever a test must move it. `wall` is for what
 * is written down (expiry, pins, logs), in seconds since 1970; `monotonic` is
 * for waiting, in milliseconds from an arbitrary start.
 */
struct clock {
	int64_t (*wall)(const struct clock *clock);
	int64_t (*monotonic)(const struct clock *clock);
};

/* The machine's own clock. */
extern const struct clock clock_system;

static inline int64_t
clock_wall(const struct clock *clock)
{
	return clock->wall(clock);
}

static inline int64_t
clock_monotonic(const struct clock *clock)
{
	return clock->monotonic(clock);
}

/*
 * A point of the machine's monotonic time at which waiting ends. It is set
 * once, at the start of a command or session, and handed down; no read resets
 * it.
 */
struct deadline {
	int64_t at; /* milliseconds */
};

/* The point `milliseconds` from now. */
struct deadline deadline_in(int64_t milliseconds);

/* The earlier of two. */
struct deadline deadline_earlier(struct deadline a, struct deadline b);

/* Milliseconds left, never below 0, at most INT_MAX: fit for poll(2). */
int deadline_left(struct deadline deadline);

#endif
