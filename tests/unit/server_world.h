/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_SERVER_WORLD_H
#define DIME_TESTS_UNIT_SERVER_WORLD_H

#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "net/server.h"

/* A server that echoes lines, in a thread of the test, and who calls it. */

enum { LONG = 20000 }; /* a time that no test waits for */

/* For files, and of the unix socket in it. */
extern char directory[64];
extern char path[100];

/* What the handlers tell the test. */
struct seen {
	atomic_int reloads;
	atomic_int ended_with; /* the last connection: error, or 0 */
};
extern struct seen seen;

/* A handler: echoes lines behind the context, a string, until "quit"; then, or
 * at an error, the connection ends. */
void echo(struct stream *stream, void *context);

/* One that says "full" to whom it refuses. */
struct server *make(const struct server_limits *limits);
/* On `path`, with the mark "> ". */
void listen_unix(struct server *server);
/* On a port that is returned, with the mark "tcp ". */
unsigned int listen_tcp(struct server *server, const char *address);

struct run {
	struct server *server;
	int64_t grace;
	pthread_t thread;
};

void start(struct run *run, struct server *server, int64_t grace);
/* Stops and frees it. */
void finish(struct run *run);

struct stream *dial_unix(void);
struct stream *dial_tcp(const char *source, unsigned int port);

/* Says it and must hear that line. */
void expect(struct stream *stream, const char *said, const char *answer);
/* Nothing more comes; the server has let go of the connection. Frees it. */
void expect_end(struct stream *stream);
/* Says "quit", to the end. Frees it. */
void hang_up(struct stream *stream);

/* Group fixtures. */
int server_world_start(void **state);
int server_world_end(void **state);

#endif
