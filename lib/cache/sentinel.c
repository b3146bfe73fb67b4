/* SPDX-License-Identifier: BSD-2-Clause */
#include <netdb.h>
#include <stdio.h>

#include <hiredis/hiredis.h>

#include "base/buffer.h"
#include "cache/sentinel.h"

enum {
	REPLY_LIMIT = 256, /* octets: a greeting, an address and a port */
	HOST_SIZE = 64,
	PORT_SIZE = 8,
	QUESTION_LIMIT = 4096,
};

/* ---- what it says ---- */

/* The line at the front of *rest, which ends with CR LF. */
static bool
take_line(struct span *rest, struct span *line)
{
	const uint8_t *end = rest->length == 0
	    ? NULL
	    : memchr(rest->data, '\n', rest->length);
	size_t length;

	if (end == NULL)
		return false;
	length = (size_t)(end - rest->data);
	*line = span_slice(*rest, 0, length);
	*rest = span_slice(*rest, length + 1, rest->length);
	if (length > 0 && end[-1] == '\r')
		line->length--;
	return true;
}

/* A string of `size` - 1 octets at most; its length stands in front. */
static enum sentinel_reply
take_string(struct span *rest, char *out, size_t size)
{
	struct span line;
	uint64_t length;

	if (!take_line(rest, &line))
		return SENTINEL_MORE;
	if (line.length < 2 || line.data[0] != '$' ||
	    !span_number(span_slice(line, 1, line.length), size - 1, &length))
		return SENTINEL_ODD;
	if (!take_line(rest, &line))
		return SENTINEL_MORE;
	return line.length == length && span_copy_string(line, out, size)
	    ? SENTINEL_MASTER
	    : SENTINEL_ODD;
}

static enum sentinel_reply
read_place(const char *host, const char *port, struct redis_endpoint *out)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *list;
	uint64_t number;

	if (!span_number(span_string(port), UINT16_MAX, &number) ||
	    number == 0 || getaddrinfo(host, port, &hints, &list) != 0)
		return SENTINEL_ODD;
	*out = (struct redis_endpoint){.length = list->ai_addrlen};
	memcpy(&out->address, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	return SENTINEL_MASTER;
}

enum sentinel_reply
sentinel_read(struct span text, bool greeted, struct redis_endpoint *out)
{
	char host[HOST_SIZE], port[PORT_SIZE];
	enum sentinel_reply reply;
	struct span line;

	if (greeted && !take_line(&text, &line))
		return SENTINEL_MORE;
	if (greeted && !span_equal_string(line, "+OK"))
		return SENTINEL_ODD;
	if (!take_line(&text, &line))
		return SENTINEL_MORE;
	if (span_equal_string(line, "*-1"))
		return SENTINEL_UNKNOWN;
	if (!span_equal_string(line, "*2"))
		return SENTINEL_ODD;
	reply = take_string(&text, host, sizeof(host));
	if (reply == SENTINEL_MASTER)
		reply = take_string(&text, port, sizeof(port));
	return reply == SENTINEL_MASTER ? read_place(host, port, out) : reply;
}

/* ---- asking ---- */

static int
append(struct buffer *out, int count, const char **words)
{
	char *octets;
	int length = redisFormatCommandArgv(&octets, count, words, NULL);

	if (length < 0)
		return ERR_MEMORY;
	buffer_append(out, octets, (size_t)length);
	explicit_bzero(octets, (size_t)length);
	redisFreeCommand(octets);
	return out->error;
}

static int
send_question(const struct wire *wire, const char *password, const char *master,
    struct deadline deadline, struct fault *fault)
{
	const char *auth[] = {"AUTH", password};
	const char *question[] = {"SENTINEL", "get-master-addr-by-name",
	    master};
	struct buffer text = buffer_make(QUESTION_LIMIT);
	int err = 0;

	if (*password != '\0')
		err = append(&text, 2, auth);
	if (err == 0)
		err = append(&text, 3, question);
	err = err != 0
	    ? fault_set(fault, err, "sentinel: the question is too long")
	    : wire_send(wire, buffer_span(&text), deadline, fault);
	buffer_free(&text);
	return err;
}

static int
read_answer(const struct wire *wire, bool greeted, struct deadline deadline,
    struct redis_endpoint *out, struct fault *fault)
{
	enum sentinel_reply reply = SENTINEL_MORE;
	char text[REPLY_LIMIT];
	size_t length = 0, got;
	int err;

	while (reply == SENTINEL_MORE && length < sizeof(text)) {
		err = wire_receive(wire, text + length, sizeof(text) - length,
		    deadline, &got, fault);
		if (err != 0)
			return err;
		length += got;
		reply = sentinel_read(span_of(text, length), greeted, out);
	}
	if (reply == SENTINEL_MASTER)
		return 0;
	if (reply == SENTINEL_UNKNOWN)
		return fault_set(fault, ERR_REFUSED,
		    "sentinel: it knows no such master");
	return fault_set(fault, ERR_PROTOCOL,
	    "sentinel: its answer names no address: %.*s",
	    (int)(length < 80 ? length : 80), text);
}

int
sentinel_ask(const struct redis_endpoint *sentinel, const char *password,
    const char *master, struct deadline deadline, struct redis_endpoint *out,
    struct fault *fault)
{
	struct wire wire;
	int err;

	err = wire_connect(sentinel, deadline, &wire, fault);
	if (err != 0)
		return err;
	err = send_question(&wire, password, master, deadline, fault);
	if (err == 0)
		err = read_answer(&wire, *password != '\0', deadline, out,
		    fault);
	wire_close(&wire);
	return err;
}
