/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_NET_SERVER_H
#define DIME_NET_SERVER_H

#include "net/source.h"
#include "net/stream.h"

/*
 * The frame of a daemon of ours: listeners, a thread a connection, limits, and
 * the signals SIGTERM and SIGINT (finish), SIGHUP (reload).
 *
 *	server_new -> server_listen_* -> server_run, until a signal ->
 *	server_free
 */
struct server;

/* One connection, in a thread of its own; the stream is freed after it returns.
 * `context` is the listener's. When the server stops, a handler that outlives
 * the grace finds its stream aborted: every call answers ERR_UNREACHABLE. */
typedef void server_handler(struct stream *stream, void *context);

struct server_limits {
	size_t connections; /* per listener; 0: no limit */
	size_t source_connections; /* from one source, TCP only; 0: no limit */
	struct source_prefixes prefixes;
	size_t stack_size;  /* of a connection's thread; 0: 256 KiB */
};

/*
 * Blocks the signals in this and all later threads, has the process ignore
 * SIGPIPE, and raises its limit of descriptors as far as it may; call it before
 * any other thread starts. `on_reload` (may be NULL) runs in the thread of
 * server_run(). `on_refuse` (may be NULL) gets, there too, a stream that is
 * over a limit or found no thread, for a last line; it must not block: a write
 * with a deadline that has passed sends what can be sent at once. `context` is
 * for these two. ERR_MEMORY, ERR_SYSTEM.
 */
int server_new(const struct server_limits *limits, void (*on_reload)(void *),
    server_handler *on_refuse, void *context, struct server **out);

/* `on_stop` runs in the thread of server_run(), with the context of
 * server_new(), when the server begins to stop: it wakes handlers that wait for
 * something else than their stream. Call it before server_run(). */
void server_set_on_stop(struct server *server, void (*on_stop)(void *));

/* Ends the input of all connections: who waits for a question finds the end,
 * who answers one can do so. For `on_stop`. */
void server_end_input(struct server *server);

/* Puts new limits into force for connections to come; fit for `on_reload`.
 * Call it only in the thread of server_run(), or before that. Like
 * server_run() it says in the log when the process may not have the
 * descriptors that they need. */
void server_set_limits(struct server *server,
    const struct server_limits *limits);

/*
 * A unix socket at `path` with `mode` (chmod, not umask) and, unless "",
 * `group`, a name or a decimal number. A stale socket is replaced; one that
 * answers, or anything else at `path`, is ERR_CREATE. The socket is removed
 * when the server stops.
 */
int server_listen_unix(struct server *server, const char *path,
    unsigned int mode, const char *group, server_handler *handler,
    void *context, struct fault *fault);

/*
 * A TCP socket at a numeric address; IPv6 ones take no IPv4. ERR_CREATE names
 * address and reason. On a machine without IPv6, "::" is passed over with a
 * warning in the log if the server already has another listener, so that one
 * preset serves every machine.
 */
int server_listen_tcp(struct server *server, const char *address,
    unsigned int port, server_handler *handler, void *context,
    struct fault *fault);

/*
 * Accepts until SIGTERM, SIGINT or server_stop(); then no more, and the
 * connections get up to `grace` milliseconds to end before their streams are
 * aborted; a second signal ends the grace. Returns when all have ended. Without
 * descriptors or memory for a new connection it leaves callers in the backlog
 * for a tenth of a second at a time.
 */
void server_run(struct server *server, int64_t grace);

/* Asks server_run() to return, from any thread. */
void server_stop(struct server *server);

/* True once the server is stopping; long conversations ask between commands. */
bool server_stopping(const struct server *server);

void server_free(struct server *server);

#endif
