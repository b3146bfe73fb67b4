/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/server_world.h"

#include <pthread.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <netinet/in.h>

char directory[64] = "/tmp/dimegate-unit-XXXXXX";
char path[100];
struct seen seen;

void
echo(struct stream *stream, void *context)
{
	struct span line;
	struct buffer out = buffer_make(1000);
	int err;

	while ((err = stream_read_line(stream, 500, &line,
		    deadline_in(LONG))) == 0 &&
	    !span_equal_string(line, "quit")) {
		buffer_reset(&out);
		buffer_append_string(&out, context);
		buffer_append_span(&out, line);
		buffer_append_string(&out, "\n");
		if ((err = stream_write(stream, buffer_span(&out),
			 deadline_in(LONG))) != 0)
			break;
	}
	buffer_free(&out);
	atomic_store(&seen.ended_with, err);
}

static void
say_full(struct stream *stream, void *context)
{
	assert_string_equal(context, "context");
	stream_write(stream, span_string("full\n"), deadline_in(0));
}

static void
count_reload(void *context)
{
	atomic_fetch_add(&seen.reloads, 1);
}

struct server *
make(const struct server_limits *limits)
{
	static char context[] = "context";
	struct server *server;

	assert_int_equal(server_new(limits, count_reload, say_full, context,
	    &server), 0);
	atomic_store(&seen.reloads, 0);
	atomic_store(&seen.ended_with, 1);
	return server;
}

void
listen_unix(struct server *server)
{
	struct fault fault = {0};
	static char mark[] = "> ";

	assert_int_equal(server_listen_unix(server, path, 0600, "", echo, mark,
	    &fault), 0);
}

/* A port that nobody has; the search is repeated if somebody was faster. */
unsigned int
listen_tcp(struct server *server, const char *address)
{
	static char mark[] = "tcp ";

	for (int tries = 0; tries < 20; tries++) {
		const unsigned int port = unit_port();

		if (server_listen_tcp(server, address, port, echo, mark,
		        NULL) == 0)
			return port;
	}
	fail_msg("no free port");
	return 0;
}

static void *
run_server(void *argument)
{
	const struct run *run = argument;

	server_run(run->server, run->grace);
	return NULL;
}

void
start(struct run *run, struct server *server, int64_t grace)
{
	run->server = server;
	run->grace = grace;
	assert_int_equal(pthread_create(&run->thread, NULL, run_server, run),
	    0);
}

void
finish(struct run *run)
{
	server_stop(run->server);
	pthread_join(run->thread, NULL);
	server_free(run->server);
}

struct stream *
dial_unix(void)
{
	struct stream *stream;
	struct fault fault = {0};

	assert_int_equal(stream_connect_unix(path, deadline_in(LONG), &stream,
	    &fault), 0);
	return stream;
}

struct stream *
dial_tcp(const char *source, unsigned int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct stream *stream;

	to.sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	inet_pton(AF_INET, source, &from.sin_addr);
	assert_int_equal(stream_connect((struct sockaddr *)&to, sizeof(to),
	    (struct sockaddr *)&from, sizeof(from), deadline_in(LONG), &stream,
	    NULL), 0);
	return stream;
}

void
expect(struct stream *stream, const char *said, const char *answer)
{
	struct span line;

	stream_write(stream, span_string(said), deadline_in(LONG));
	assert_int_equal(stream_read_line(stream, 500, &line,
	    deadline_in(LONG)), 0);
	assert_true(span_equal_string(line, answer));
}

void
expect_end(struct stream *stream)
{
	struct span line;

	assert_int_equal(stream_read_line(stream, 500, &line,
	    deadline_in(LONG)), ERR_UNREACHABLE);
	stream_free(stream);
}

void
hang_up(struct stream *stream)
{
	stream_write(stream, span_string("quit\n"), deadline_in(LONG));
	expect_end(stream);
}

int
server_world_start(void **state)
{
	if (unit_start(state) != 0)
		return -1;
	unit_directory(directory);
	snprintf(path, sizeof(path), "%s/socket", directory);
	return 0;
}

int
server_world_end(void **state)
{
	return unit_end(state);
}
