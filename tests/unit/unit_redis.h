/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_UNIT_REDIS_H
#define DIME_TESTS_UNIT_UNIT_REDIS_H

#include <stdbool.h>
#include <sys/types.h>

#include <hiredis/hiredis.h>

/* A Redis of the test's own, and a connection past all that we do to it: what
 * an attacker has. */
struct unit_redis {
	char directory[64], socket[80];
	unsigned int port;
	pid_t pid; /* 0: not running */
	redisContext *raw;
};

/* Whether redis-server is installed. */
bool unit_redis_exists(void);

/* Makes the directory (unit_directory()) and finds a free port. */
void unit_redis_prepare(struct unit_redis *redis);

/* Returns when it answers. Started anew it holds nothing. */
void unit_redis_start(struct unit_redis *redis, const char *password);

/* One that does not run is fine. */
void unit_redis_stop(struct unit_redis *redis);

#endif
