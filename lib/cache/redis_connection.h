/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CACHE_REDIS_CONNECTION_H
#define DIME_CACHE_REDIS_CONNECTION_H

#include <hiredis/hiredis.h>

#include "base/buffer.h"
#include "cache/redis.h"
#include "cache/wire.h"

/* One connection to Redis. One thread at a time. */
struct redis_connection {
	struct wire wire;
	redisReader *reader;
	struct buffer unsent;  /* commands that go with the next question */
	size_t greeting;       /* of which so many are not the caller's */
	bool used;             /* has answered before */
	unsigned int place;    /* which address it leads to, of the pool's */
	struct redis_connection *next; /* the pool's */
};

/* Connects, and says nothing yet; *out is for redis_connection_free(). The
 * errors of wire_connect(), and ERR_MEMORY. */
int redis_connection_open(const struct redis_endpoint *endpoint,
    struct deadline deadline, struct redis_connection **out,
    struct fault *fault);

/* NULL is fine. */
void redis_connection_free(struct redis_connection *connection);

/* A command whose reply nobody needs but to know that it is no error; goes
 * ahead of the next question. ERR_MEMORY. */
int redis_connection_greet(struct redis_connection *connection,
    const struct redis_command *command, struct fault *fault);

/*
 * Sends the commands and reads their replies, in one round trip. Replies are of
 * the caller from the first to the first failure; those behind it stay NULL. An
 * error reply is a reply. ERR_REFUSED: the greeting is refused.
 */
int redis_connection_ask(struct redis_connection *connection,
    const struct redis_command *commands, size_t count,
    struct deadline deadline, redisReply **replies, struct fault *fault);

/* Whether Redis has said no more than it was asked: otherwise the next answers
 * would be those to other questions. */
bool redis_connection_is_quiet(const struct redis_connection *connection);

#endif
