/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "cache/redis_connection.h"

enum {
	REPLY_LIMIT = 4 << 20, /* octets; more is no value of ours */
	UNSENT_LIMIT = 8 << 20,
};

int
redis_connection_open(const struct redis_endpoint *endpoint,
    struct deadline deadline, struct redis_connection **out,
    struct fault *fault)
{
	struct redis_connection *connection = calloc(1, sizeof(*connection));
	int err;

	*out = NULL;
	if (connection == NULL)
		return fault_set(fault, ERR_MEMORY, "Redis: out of memory");
	connection->wire.fd = -1;
	connection->unsent = buffer_make(UNSENT_LIMIT);
	connection->reader = redisReaderCreate();
	err = connection->reader == NULL
	    ? fault_set(fault, ERR_MEMORY, "Redis: out of memory")
	    : wire_connect(endpoint, deadline, &connection->wire, fault);
	if (err != 0)
		redis_connection_free(connection);
	else
		*out = connection;
	return err;
}

void
redis_connection_free(struct redis_connection *connection)
{
	if (connection == NULL)
		return;
	wire_close(&connection->wire);
	if (connection->reader != NULL)
		redisReaderFree(connection->reader);
	buffer_free(&connection->unsent);
	free(connection);
}

/* ---- asking ---- */

static int
append_command(struct redis_connection *connection,
    const struct redis_command *command, struct fault *fault)
{
	const char *texts[REDIS_WORDS];
	size_t lengths[REDIS_WORDS];
	char *octets;
	int length;

	for (size_t i = 0; i < command->count; i++) {
		texts[i] = (const char *)command->words[i].data;
		lengths[i] = command->words[i].length;
	}
	length = redisFormatCommandArgv(&octets, (int)command->count, texts,
	    lengths);
	if (length < 0)
		return fault_set(fault, ERR_MEMORY, "Redis: out of memory");
	buffer_append(&connection->unsent, octets, (size_t)length);
	explicit_bzero(octets, (size_t)length);
	redisFreeCommand(octets);
	return connection->unsent.error == 0
	    ? 0
	    : fault_set(fault, connection->unsent.error,
	          "Redis: too much to ask");
}

int
redis_connection_greet(struct redis_connection *connection,
    const struct redis_command *command, struct fault *fault)
{
	connection->greeting++;
	return append_command(connection, command, fault);
}

/* ---- replies ---- */

/* What we ask is never answered by an array or the like, and hiredis's reader
 * of arrays believes any number of elements. */
static int
check_reply_start(const redisReader *reader, struct fault *fault)
{
	if (reader->len > reader->pos &&
	    memchr("+-:$", reader->buf[reader->pos], 4) == NULL)
		return fault_set(fault, ERR_PROTOCOL,
		    "Redis: neither text nor number for a reply");
	return 0;
}

static int
receive(struct redis_connection *connection, struct deadline deadline,
    struct fault *fault)
{
	char block[16384];
	size_t got;
	int err;

	if (connection->reader->len > REPLY_LIMIT)
		return fault_set(fault, ERR_TOO_LARGE,
		    "Redis: a reply of more than %d octets", REPLY_LIMIT);
	err = wire_receive(&connection->wire, block, sizeof(block), deadline,
	    &got, fault);
	if (err == 0 &&
	    redisReaderFeed(connection->reader, block, got) != REDIS_OK)
		err = fault_set(fault, ERR_MEMORY, "Redis: out of memory");
	return err;
}

static int
read_reply(struct redis_connection *connection, struct deadline deadline,
    redisReply **out, struct fault *fault)
{
	redisReader *reader = connection->reader;
	void *reply = NULL;
	int err;

	for (;;) {
		if (reader->ridx < 0 &&
		    (err = check_reply_start(reader, fault)) != 0)
			return err;
		if (redisReaderGetReply(reader, &reply) != REDIS_OK)
			return fault_set(fault, ERR_PROTOCOL, "Redis: %s",
			    reader->errstr);
		if (reply != NULL)
			break;
		if ((err = receive(connection, deadline, fault)) != 0)
			return err;
	}
	*out = reply;
	return 0;
}

static int
read_greeting(struct redis_connection *connection, struct deadline deadline,
    struct fault *fault)
{
	redisReply *reply = NULL;
	int err = read_reply(connection, deadline, &reply, fault);

	if (err == 0 && reply->type == REDIS_REPLY_ERROR)
		err = fault_set(fault, ERR_REFUSED, "Redis: %s", reply->str);
	freeReplyObject(reply);
	return err;
}

int
redis_connection_ask(struct redis_connection *connection,
    const struct redis_command *commands, size_t count,
    struct deadline deadline, redisReply **replies, struct fault *fault)
{
	int err = 0;

	for (size_t i = 0; i < count && err == 0; i++)
		err = append_command(connection, &commands[i], fault);
	if (err == 0)
		err = wire_send(&connection->wire,
		    buffer_span(&connection->unsent), deadline, fault);
	buffer_free(&connection->unsent);
	for (; connection->greeting > 0 && err == 0; connection->greeting--)
		err = read_greeting(connection, deadline, fault);
	for (size_t i = 0; i < count && err == 0; i++)
		err = read_reply(connection, deadline, &replies[i], fault);
	connection->used = true;
	return err;
}

bool
redis_connection_is_quiet(const struct redis_connection *connection)
{
	return connection->reader->pos == connection->reader->len;
}
