/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cache/redis.h"
#include "cache/redis_address.h"

enum {
	WORDS = 8,             /* of one command */
	REPLY_LIMIT = 4 << 20, /* octets; more is no value of ours */
};

struct connection {
	int fd;
	redisReader *reader;
	unsigned int greeting; /* replies that come before the next one's */
	bool used;             /* has answered before */
	struct connection *next;
};

struct redis {
	struct redis_address *address;
	char *password;
	char database[12]; /* "" for the one that Redis starts with */
	unsigned int timeout;
	size_t limit;
	pthread_mutex_t mutex;
	pthread_cond_t given;
	struct connection *idle;
	size_t open;
};

static void
connection_free(struct connection *connection)
{
	if (connection == NULL)
		return;
	if (connection->fd >= 0)
		close(connection->fd);
	if (connection->reader != NULL)
		redisReaderFree(connection->reader);
	free(connection);
}

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
	redis->password = strdup(settings->password);
	err = redis->password == NULL
	    ? ERR_MEMORY
	    : redis_address_new(settings->socket, settings->host,
	          settings->port, &redis->address);
	if (err != 0)
		redis_free(redis);
	else
		*out = redis;
	return err;
}

void
redis_free(struct redis *redis)
{
	struct connection *connection;

	if (redis == NULL)
		return;
	while ((connection = redis->idle) != NULL) {
		redis->idle = connection->next;
		connection_free(connection);
	}
	redis_address_free(redis->address);
	pthread_cond_destroy(&redis->given);
	pthread_mutex_destroy(&redis->mutex);
	if (redis->password != NULL)
		explicit_bzero(redis->password, strlen(redis->password));
	free(redis->password);
	free(redis);
}

/* ---- the pool ---- */

/* An idle connection, or the right to open one (*out is then NULL). False when
 * neither was to be had in time. */
static bool
take(struct redis *redis, struct deadline deadline, struct connection **out)
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
give(struct redis *redis, struct connection *connection)
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

static int
wait_for(int fd, short events, struct deadline deadline, struct fault *fault)
{
	struct pollfd poller = {fd, events, 0};
	int left, ready;

	do {
		left = deadline_left(deadline);
		ready = left == 0 ? 0 : poll(&poller, 1, left);
	} while (ready < 0 && errno == EINTR);
	if (ready > 0)
		return 0;
	return fault_set(fault, ERR_TIMEOUT, "Redis: no answer in time");
}

static int
system_fault(struct fault *fault, const char *what)
{
	return fault_set(fault, ERR_UNREACHABLE, "Redis: %s: %s", what,
	    strerror(errno));
}

static int
connect_to(const struct redis_endpoint *endpoint, struct deadline deadline,
    int *out, struct fault *fault)
{
	const int family = endpoint->address.ss_family;
	int error = 0, on = 1, err, fd;
	socklen_t length = sizeof(error);

	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return system_fault(fault, "socket");
	if (family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	err = 0;
	if (connect(fd, (const struct sockaddr *)&endpoint->address,
	    endpoint->length) != 0) {
		if (errno != EINPROGRESS)
			err = system_fault(fault, "connect");
		else if ((err = wait_for(fd, POLLOUT, deadline, fault)) == 0 &&
		    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) ==
		    0 && (errno = error) != 0)
			err = system_fault(fault, "connect");
	}
	if (err != 0)
		close(fd);
	else
		*out = fd;
	return err;
}

static int
connect_any(struct redis *redis, struct deadline deadline, int *fd,
    struct fault *fault)
{
	struct redis_endpoint endpoints[REDIS_ADDRESSES];
	size_t count = redis_address_get(redis->address, endpoints);
	int err = ERR_UNREACHABLE;

	if (count == 0)
		return fault_set(fault, err, "Redis: its host is not known");
	for (size_t i = 0; i < count && err != 0; i++)
		err = connect_to(&endpoints[i], deadline, fd, fault);
	if (err != 0)
		redis_address_refresh(redis->address);
	return err;
}

static int
send_all(int fd, const char *data, size_t length, struct deadline deadline,
    struct fault *fault)
{
	while (length > 0) {
		ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
		int err;

		if (sent >= 0) {
			data += sent;
			length -= (size_t)sent;
		} else if (errno == EAGAIN) {
			err = wait_for(fd, POLLOUT, deadline, fault);
			if (err != 0)
				return err;
		} else if (errno != EINTR) {
			return system_fault(fault, "send");
		}
	}
	return 0;
}

static int
send_command(struct connection *connection, const struct span *words,
    size_t count, struct deadline deadline, struct fault *fault)
{
	const char *texts[WORDS];
	size_t lengths[WORDS];
	char *command;
	int length, err;

	for (size_t i = 0; i < count; i++) {
		texts[i] = (const char *)words[i].data;
		lengths[i] = words[i].length;
	}
	length = redisFormatCommandArgv(&command, (int)count, texts, lengths);
	if (length < 0)
		return fault_set(fault, ERR_MEMORY, "Redis: out of memory");
	err = send_all(connection->fd, command, (size_t)length, deadline,
	    fault);
	explicit_bzero(command, (size_t)length);
	redisFreeCommand(command);
	return err;
}

/* What we ask is never answered by an array, and hiredis's reader of arrays
 * believes any number of elements. */
static int
check_reply_start(const redisReader *reader, struct fault *fault)
{
	if (reader->len > REPLY_LIMIT)
		return fault_set(fault, ERR_TOO_LARGE,
		    "Redis: a reply of more than %d octets", REPLY_LIMIT);
	if (reader->len > reader->pos && reader->buf[reader->pos] == '*')
		return fault_set(fault, ERR_PROTOCOL,
		    "Redis: an array for a reply");
	return 0;
}

static int
receive(struct connection *connection, struct deadline deadline,
    struct fault *fault)
{
	char block[16384];
	ssize_t got;
	int err;

	do {
		err = wait_for(connection->fd, POLLIN, deadline, fault);
		if (err != 0)
			return err;
		got = recv(connection->fd, block, sizeof(block), 0);
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	if (got < 0)
		return system_fault(fault, "receive");
	if (got == 0)
		return fault_set(fault, ERR_UNREACHABLE,
		    "Redis: connection closed");
	if (redisReaderFeed(connection->reader, block, (size_t)got) != REDIS_OK)
		return fault_set(fault, ERR_MEMORY, "Redis: out of memory");
	return 0;
}

static int
read_reply(struct connection *connection, struct deadline deadline,
    redisReply **out, struct fault *fault)
{
	redisReader *reader = connection->reader;
	void *reply = NULL;
	int err;

	for (;;) {
		if (reader->ridx < 0 &&
		    (err = check_reply_start(reader, fault)) != 0)
			return err;
		if (reader->len > REPLY_LIMIT)
			return check_reply_start(reader, fault);
		if (redisReaderGetReply(reader, &reply) != REDIS_OK)
			return fault_set(fault, ERR_PROTOCOL, "Redis: %s",
			    reader->errstr);
		if (reply != NULL)
			break;
		if ((err = receive(connection, deadline, fault)) != 0)
			return err;
	}
	*out = reply;
	if ((*out)->type != REDIS_REPLY_ERROR)
		return 0;
	err = fault_set(fault, ERR_REFUSED, "Redis: %s", (*out)->str);
	freeReplyObject(reply);
	*out = NULL;
	return err;
}

/* Password and database go ahead of the first question, whose round trip they
 * share. */
static int
greet(struct redis *redis, struct connection *connection,
    struct deadline deadline, struct fault *fault)
{
	struct span words[2];
	int err = 0;

	if (*redis->password != '\0') {
		words[0] = span_string("AUTH");
		words[1] = span_string(redis->password);
		connection->greeting++;
		err = send_command(connection, words, 2, deadline, fault);
	}
	if (err == 0 && *redis->database != '\0') {
		words[0] = span_string("SELECT");
		words[1] = span_string(redis->database);
		connection->greeting++;
		err = send_command(connection, words, 2, deadline, fault);
	}
	return err;
}

static int
open_connection(struct redis *redis, struct deadline deadline,
    struct connection **out, struct fault *fault)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	int err;

	*out = NULL;
	if (connection == NULL)
		return fault_set(fault, ERR_MEMORY, "Redis: out of memory");
	connection->fd = -1;
	connection->reader = redisReaderCreate();
	err = connection->reader == NULL
	    ? fault_set(fault, ERR_MEMORY, "Redis: out of memory")
	    : connect_any(redis, deadline, &connection->fd, fault);
	if (err == 0)
		err = greet(redis, connection, deadline, fault);
	if (err != 0)
		connection_free(connection);
	else
		*out = connection;
	return err;
}

static int
converse(struct connection *connection, const struct span *words, size_t count,
    struct deadline deadline, redisReply **reply, struct fault *fault)
{
	int err = send_command(connection, words, count, deadline, fault);

	for (; connection->greeting > 0 && err == 0; connection->greeting--) {
		err = read_reply(connection, deadline, reply, fault);
		freeReplyObject(*reply);
		*reply = NULL;
	}
	if (err == 0)
		err = read_reply(connection, deadline, reply, fault);
	connection->used = true;
	return err;
}

int
redis_ask(struct redis *redis, const struct span *words, size_t count,
    redisReply **reply, struct fault *fault)
{
	struct deadline deadline = deadline_in(redis->timeout);
	struct connection *connection;
	bool stale;
	int err;

	*reply = NULL;
	if (!take(redis, deadline, &connection))
		return fault_set(fault, ERR_BUSY,
		    "Redis: all connections are in use");
	/* One that lay idle may have been closed: a new one tells. */
	do {
		stale = false;
		err = connection != NULL
		    ? 0
		    : open_connection(redis, deadline, &connection, fault);
		if (err != 0)
			break;
		stale = connection->used;
		err = converse(connection, words, count, deadline, reply,
		    fault);
		if (err != 0) {
			connection_free(connection);
			connection = NULL;
		}
	} while (err == ERR_UNREACHABLE && stale);
	give(redis, connection);
	return err;
}
