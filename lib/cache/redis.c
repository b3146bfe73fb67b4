/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cache/redis_address.h"
#include "cache/redis_connection.h"

struct redis {
	struct redis_address *address;
	char *user, *password;
	char database[12]; /* "" for the one that Redis starts with */
	unsigned int timeout;
	size_t limit;
	pthread_mutex_t mutex;
	pthread_cond_t given;
	struct redis_connection *idle;
	size_t open;
};

int
redis_new(const struct cache_settings *settings, struct redis **out)
{
	struct redis *redis = calloc(1, sizeof(*redis));
	pthread_condattr_t attributes;
	int err;

	*out = NULL;
	if (redis == NULL)
		return ERR_MEMORY;
	pthread_mutex_init(&redis->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&redis->given, &attributes);
	pthread_condattr_destroy(&attributes);
	redis->timeout = settings->timeout;
	redis->limit = settings->connections == 0 ? 1 : settings->connections;
	if (settings->database != 0)
		snprintf(redis->database, sizeof(redis->database), "%u",
		    settings->database);
	redis->user = strdup(cache_text(settings->user));
	redis->password = strdup(cache_text(settings->password));
	err = redis->user == NULL || redis->password == NULL
	    ? ERR_MEMORY
	    : redis_address_new(settings, &redis->address);
	if (err != 0)
		redis_free(redis);
	else
		*out = redis;
	return err;
}

void
redis_free(struct redis *redis)
{
	struct redis_connection *connection;

	if (redis == NULL)
		return;
	while ((connection = redis->idle) != NULL) {
		redis->idle = connection->next;
		redis_connection_free(connection);
	}
	redis_address_free(redis->address);
	pthread_cond_destroy(&redis->given);
	pthread_mutex_destroy(&redis->mutex);
	if (redis->password != NULL)
		explicit_bzero(redis->password, strlen(redis->password));
	free(redis->password);
	free(redis->user);
	free(redis);
}

/* ---- the pool ---- */

/* An idle connection, or the right to open one (*out is then NULL). False when
 * neither was to be had in time. */
static bool
take(struct redis *redis, struct deadline deadline,
    struct redis_connection **out)
{
	const struct timespec at = {deadline.at / 1000,
	    deadline.at % 1000 * 1000000};
	bool good = true;

	pthread_mutex_lock(&redis->mutex);
	while (redis->idle == NULL && redis->open == redis->limit &&
	    pthread_cond_timedwait(&redis->given, &redis->mutex, &at) == 0)
		;
	*out = redis->idle;
	if (*out != NULL)
		redis->idle = (*out)->next;
	else if (redis->open < redis->limit)
		redis->open++;
	else
		good = false;
	pthread_mutex_unlock(&redis->mutex);
	return good;
}

/* Gives a good connection back, or with NULL the right to have one. */
static void
give(struct redis *redis, struct redis_connection *connection)
{
	pthread_mutex_lock(&redis->mutex);
	if (connection == NULL) {
		redis->open--;
	} else {
		connection->next = redis->idle;
		redis->idle = connection;
	}
	pthread_cond_signal(&redis->given);
	pthread_mutex_unlock(&redis->mutex);
}

/* ---- one connection ---- */

/* Password and database go ahead of the first question, whose round trip they
 * share. */
static int
greet(const struct redis *redis, struct redis_connection *connection,
    struct fault *fault)
{
	const bool named = *redis->user != '\0';
	const struct span auth[] = {span_string("AUTH"),
	    span_string(named ? redis->user : redis->password),
	    span_string(redis->password)};
	const struct span select[] = {span_string("SELECT"),
	    span_string(redis->database)};
	int err = 0;

	if (named || *redis->password != '\0')
		err = redis_connection_greet(connection,
		    &(struct redis_command){auth, named ? 3 : 2}, fault);
	if (err == 0 && *redis->database != '\0')
		err = redis_connection_greet(connection,
		    &(struct redis_command){select, 2}, fault);
	return err;
}

static int
open_connection(struct redis *redis, struct deadline deadline,
    struct redis_connection **out, struct fault *fault)
{
	struct redis_endpoint endpoints[REDIS_ADDRESSES];
	unsigned int place;
	size_t count = redis_address_get(redis->address, endpoints, &place);
	int err = ERR_UNREACHABLE;

	*out = NULL;
	if (count == 0)
		return fault_set(fault, err, "Redis: its host is not known");
	for (size_t i = 0; i < count && err != 0; i++)
		err = redis_connection_open(&endpoints[i], deadline, out,
		    fault);
	if (err != 0)
		return err;
	(*out)->place = place;
	err = greet(redis, *out, fault);
	if (err != 0) {
		redis_connection_free(*out);
		*out = NULL;
	}
	return err;
}

/* Names the first reply that is an error. */
static int
find_error(redisReply *const *replies, size_t count, struct fault *fault)
{
	for (size_t i = 0; i < count; i++)
		if (replies[i]->type == REDIS_REPLY_ERROR)
			return fault_set(fault, ERR_REFUSED, "Redis: %s",
			    replies[i]->str);
	return 0;
}

/* A master that was demoted refuses to write (READONLY); one that is loading,
 * or a replica cut off from its master, to read. Then another may be it. */
static bool
is_master(int err, const struct fault *fault)
{
	static const char *const words[] = {"READONLY", "MASTERDOWN",
	    "LOADING"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (err == ERR_REFUSED && strstr(fault->text, words[i]) != NULL)
			return false;
	return true;
}

/* Asks on `*connection`, which is gone, and NULL, when it is no good any more.
 */
static int
ask_here(struct redis_connection **connection,
    const struct redis_command *commands, size_t count,
    struct deadline deadline, redisReply **replies, struct fault *fault)
{
	int err = redis_connection_ask(*connection, commands, count, deadline,
	    replies, fault);
	bool good = err == 0 && redis_connection_is_quiet(*connection);

	if (err == 0)
		err = find_error(replies, count, fault);
	if (!good || !is_master(err, fault)) {
		redis_connection_free(*connection);
		*connection = NULL;
	}
	return err;
}

static void
free_replies(redisReply **replies, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		freeReplyObject(replies[i]);
		replies[i] = NULL;
	}
}

/* Leads to where the master was. */
static bool
is_astray(const struct redis *redis, const struct redis_connection *connection)
{
	return connection != NULL &&
	    connection->place != redis_address_place(redis->address);
}

int
redis_ask(struct redis *redis, const struct redis_command *commands,
    size_t count, redisReply **replies, struct fault *fault)
{
	struct deadline deadline = deadline_in(redis->timeout);
	struct redis_connection *connection;
	struct fault local;
	bool stale;
	int err;

	if (fault == NULL)
		fault = &local;
	memset(replies, 0, count * sizeof(*replies));
	if (!take(redis, deadline, &connection))
		return fault_set(fault, ERR_BUSY,
		    "Redis: all connections are in use");
	if (is_astray(redis, connection)) {
		redis_connection_free(connection);
		connection = NULL;
	}
	/* One that lay idle may have been closed: a new one tells. */
	do {
		stale = false;
		free_replies(replies, count);
		err = connection != NULL
		    ? 0
		    : open_connection(redis, deadline, &connection, fault);
		if (err != 0)
			break;
		stale = connection->used;
		err = ask_here(&connection, commands, count, deadline, replies,
		    fault);
	} while (err == ERR_UNREACHABLE && stale);
	give(redis, connection);
	if (err != 0)
		redis_address_doubt(redis->address, err == ERR_UNREACHABLE);
	return err;
}
