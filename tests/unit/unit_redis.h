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

/* Skips the test where it does not run. */
#define UNIT_REDIS_NEEDED(redis)                                               \
	do {                                                                   \
		if ((redis)->pid == 0)                                         \
			skip();                                                \
	} while (0)

/* Asks over `raw`; free the reply. It must be of the type, or for 0 of any but
 * an error. */
redisReply *unit_redis_ask(struct unit_redis *redis, int type,
    const char *format, ...);

/* The same for any reply but an error, which nobody reads. */
void unit_redis_do(struct unit_redis *redis, const char *format, ...);

/* The only key of ours that there is; free it. */
char *unit_redis_only_key(struct unit_redis *redis);

#endif
