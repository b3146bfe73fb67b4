/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CACHE_REDIS_H
#define DIME_CACHE_REDIS_H

#include <hiredis/hiredis.h>

#include "cache/cache.h"

/*
 * Connections to one Redis, kept in a small pool. The I/O is ours, so that the
 * time-out bounds a whole question however the answer trickles in; hiredis
 * writes the commands and reads the replies. Any thread.
 */
struct redis;

enum { REDIS_WORDS = 8 /* of a command, at most */ };

struct redis_command {
	const struct span *words;
	size_t count;
};

/* "" for NULL. */
static inline const char *
cache_text(const char *text)
{
	return text == NULL ? "" : text;
}

/* ERR_MEMORY, ERR_CONFIG. Connects nowhere yet. */
int redis_new(const struct cache_settings *settings, struct redis **out);
void redis_free(struct redis *redis);

/*
 * Asks `count` commands, in one round trip, and sets replies[i], which the
 * caller gives to freeReplyObject() in any case: a string, status, integer, nil
 * or error; NULL where none came. ERR_BUSY when all connections were in use all
 * the time; anything else is Redis's failure, an error reply included (the
 * first is named), and stands in `fault`.
 */
int redis_ask(struct redis *redis, const struct redis_command *commands,
    size_t count, redisReply **replies, struct fault *fault);

#endif
