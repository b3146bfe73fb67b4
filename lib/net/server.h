/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_NET_SERVER_H
#define DIME_NET_SERVER_H

#include "net/stream.h"

/*
 * The frame of a daemon of ours: listeners, a thread a connection, limits, and
 * the signals SIGTERM and SIGINT (finish), SIGHUP (reload).
 *
 *	server_new -> server_listen_* -> server_run (until a signal) -> server_free
 */
struct server;

/* One connection, in a thread of its own; the stream is freed after it returns.
 * `context` is the listener's. */
typedef void server_handler(struct stream *stream, void *context);

struct server_limits {
	size_t connections;        /* per listener; 0: no limit */
	size_t source_connections; /* from one address, TCP only; 0: no limit */
	size_t stack_size;         /* of a connection's thread; 0: 256 KiB */
};

/*
 * Blocks the signals in this and all later threads; call it before any other
 * thread starts. `on_reload` (may be NULL) runs in the thread of server_run().
 * `on_refuse` (may be NULL) gets a stream that is over a limit, for a last line;
 * it must not block. ERR_MEMORY, ERR_SYSTEM.
 */
int server_new(const struct server_limits *limits, void (*on_reload)(void *),
    server_handler *on_refuse, void *context, struct server **out);

/*
 * A unix socket at `path` with `mode` (chmod, not umask) and, unless "", `group`.
 * A stale socket is replaced; one that answers is ERR_CREATE.
 */
int server_listen_unix(struct server *server, const char *path,
    unsigned int mode, const char *group, server_handler *handler,
    void *context, struct fault *fault);

/* A TCP socket at a numeric address. ERR_CREATE names address and reason. */
int server_listen_tcp(struct server *server, const char *address,
    unsigned int port, server_handler *handler, void *context,
    struct fault *fault);

/* Accepts until SIGTERM or SIGINT; then no more, and the connections get up to
 * `grace` milliseconds to end before their streams are aborted. */
void server_run(struct server *server, int64_t grace);

/* Asks server_run() to return, from any thread. */
void server_stop(struct server *server);

/* True once the server is stopping; long conversations ask between commands. */
bool server_stopping(const struct server *server);

void server_free(struct server *server);

#endif
