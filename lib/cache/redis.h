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

/* ERR_MEMORY, ERR_CONFIG. Connects nowhere yet. */
int redis_new(const struct cache_settings *settings, struct redis **out);
void redis_free(struct redis *redis);

/*
 * Asks one command and sets *reply, which the caller gives to freeReplyObject():
 * a string, status, integer or nil. One round trip. ERR_BUSY when all connections
 * were in use all the time; anything else is Redis's failure, an error reply
 * included, and is named in `fault`.
 */
int redis_ask(struct redis *redis, const struct span *words, size_t count,
    redisReply **reply, struct fault *fault);

#endif
