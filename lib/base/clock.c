/* SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <time.h>

#include "base/clock.h"

static int64_t
system_wall(const struct clock *clock)
{
	return (int64_t)time(NULL);
}

static int64_t
system_monotonic(const struct clock *clock)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const struct clock clock_system = {system_wall, system_monotonic};

struct deadline
deadline_in(int64_t milliseconds)
{
	return (struct deadline){
	    clock_monotonic(&clock_system) + milliseconds};
}

struct deadline
deadline_earlier(struct deadline a, struct deadline b)
{
	return a.at < b.at ? a : b;
}

int
deadline_left(struct deadline deadline)
{
	int64_t left = deadline.at - clock_monotonic(&clock_system);

	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}
