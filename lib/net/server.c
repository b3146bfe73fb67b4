/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include "base/allocator.h"
#include "base/log.h"
#include "net/descriptors.h"
#include "net/internal.h"
#include "net/listener.h"
#include "net/server.h"

enum {
	LISTENERS = 64,
	STACK_SIZE = 256 * 1024,
	OWN_DESCRIPTORS = 300, /* of databases, libraries, listeners, about */
	PAUSE = 100, /* milliseconds without accepting when resources lack */
	QUIET = 10 * 1000, /* likewise without a line about who is refused */
};

struct connection {
	struct server *server;
	struct stream *stream;
	server_handler *handler;
	void *context;
	int listener; /* its descriptor: which one it came by */
	struct source source;
	pthread_t thread;
	struct connection *next;
};

struct server {
	struct server_limits limits;
	void (*on_reload)(void *);
	void (*on_stop)(void *);
	server_handler *on_refuse;
	void *context;
	int signals; /* signalfd */
	int wakeup;  /* eventfd: a thread has ended, or server_stop() */
	struct listener listeners[LISTENERS];
	size_t listener_count;
	size_t threads; /* started and not joined */
	bool starved;   /* do not accept now: there is no room */
	bool complained; /* and the log knows */
	bool hurried;   /* asked to stop again: no more grace */
	struct deadline quiet; /* until then refusals are only counted */
	size_t refused;        /* so many, since the last line */
	struct deadline trim;  /* not before then */
	atomic_bool stopping;

	pthread_mutex_t lock; /* guards the two lists */
	struct connection *serving;
	struct connection *ended; /* handler and stream done, to be joined */
};

/* ---- making ---- */

static int
take_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* An administrator who allows more connections than the system does would find
 * out on the day when they come. A connection may need a second descriptor for
 * what is done for it. */
static void
compare_descriptors(const struct server *server)
{
	const size_t needed = OWN_DESCRIPTORS +
	    server->limits.connections * server->listener_count * 2;
	struct log_line line;
	size_t most;

	if (server->listener_count == 0 || server->limits.connections == 0 ||
	    descriptors_suffice(needed, &most))
		return;
	log_begin(&line, LOG_WARNING, "descriptors");
	log_number(&line, "connection_limit",
	    (int64_t)server->limits.connections);
	log_number(&line, "needed", (int64_t)needed);
	log_number(&line, "allowed", (int64_t)most);
	log_text(&line, "text", "so many connections at a time need more "
	    "descriptors than the process may have (LimitNOFILE, ulimit -n)");
	log_end(&line);
}

void
server_set_limits(struct server *server, const struct server_limits *limits)
{
	server->limits = *limits;
	if (server->limits.stack_size == 0)
		server->limits.stack_size = STACK_SIZE;
	compare_descriptors(server);
}

int
server_new(const struct server_limits *limits, void (*on_reload)(void *),
    server_handler *on_refuse, void *context, struct server **out)
{
	struct server *server = calloc(1, sizeof(*server));

	*out = NULL;
	if (server == NULL)
		return ERR_MEMORY;
	server_set_limits(server, limits);
	server->on_reload = on_reload;
	server->on_refuse = on_refuse;
	server->context = context;
	descriptors_raise();
	atomic_init(&server->stopping, false);
	pthread_mutex_init(&server->lock, NULL);
	server->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	server->signals = take_signals();
	if (server->wakeup < 0 || server->signals < 0) {
		server_free(server);
		return ERR_SYSTEM;
	}
	*out = server;
	return 0;
}

void
server_set_on_stop(struct server *server, void (*on_stop)(void *))
{
	server->on_stop = on_stop;
}

static void
close_listeners(struct server *server)
{
	while (server->listener_count > 0)
		listener_close(&server->listeners[--server->listener_count]);
}

void
server_free(struct server *server)
{
	if (server == NULL)
		return;
	close_listeners(server);
	if (server->wakeup >= 0)
		close(server->wakeup);
	if (server->signals >= 0)
		close(server->signals);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

static int
add(struct server *server, struct listener *made, server_handler *handler,
    void *context, struct fault *fault)
{
	if (server->listener_count == LISTENERS) {
		listener_close(made);
		return fault_set(fault, ERR_CREATE, "more than %d listeners",
		    LISTENERS);
	}
	made->handler = handler;
	made->context = context;
	server->listeners[server->listener_count++] = *made;
	return 0;
}

int
server_listen_unix(struct server *server, const char *path, unsigned int mode,
    const char *group, server_handler *handler, void *context,
    struct fault *fault)
{
	struct listener made;
	int err = listener_open_unix(path, mode, group, &made, fault);

	return err != 0 ? err : add(server, &made, handler, context, fault);
}

int
server_listen_tcp(struct server *server, const char *address,
    unsigned int port, server_handler *handler, void *context,
    struct fault *fault)
{
	struct listener made;
	struct fault why;
	bool no_family;
	int err = listener_open_tcp(address, port, &made, &no_family, &why);

	if (err == 0)
		return add(server, &made, handler, context, fault);
	if (no_family && server->listener_count > 0 &&
	    strcmp(address, "::") == 0) {
		log_note(LOG_WARNING, "listen", "passed over: %s", why.text);
		return 0;
	}
	return fault_set(fault, err, "%s", why.text);
}

/* ---- stopping ---- */

static void
wake(struct server *server)
{
	const uint64_t one = 1;

	/* It fails only when the counter is full, and then it is awake. */
	if (write(server->wakeup, &one, sizeof(one)) < 0)
		return;
}

void
server_stop(struct server *server)
{
	atomic_store(&server->stopping, true);
	wake(server);
}

bool
server_stopping(const struct server *server)
{
	return atomic_load(&server->stopping);
}

/* ---- connections ---- */

/* The reason why one more connection like this is too many, or NULL. */
static const char *
over_limit(struct server *server, const struct connection *candidate)
{
	const struct server_limits *limits = &server->limits;
	size_t by_listener = 0, by_source = 0;

	pthread_mutex_lock(&server->lock);
	for (const struct connection *each = server->serving; each != NULL;
	     each = each->next) {
		by_listener += each->listener == candidate->listener;
		by_source += source_is_same(&each->source, &candidate->source);
	}
	pthread_mutex_unlock(&server->lock);
	if (limits->connections != 0 && by_listener >= limits->connections)
		return "too many connections";
	if (limits->source_connections != 0 &&
	    by_source >= limits->source_connections)
		return "too many connections from this source";
	return NULL;
}

static void
link_in(struct connection **list, struct connection *connection)
{
	connection->next = *list;
	*list = connection;
}

static void
unlink_from(struct connection **list, const struct connection *connection)
{
	while (*list != connection)
		list = &(*list)->next;
	*list = connection->next;
}

/* Off the list first: shutdown aborts the streams that are on it. */
static void
retire(struct connection *connection)
{
	struct server *server = connection->server;

	pthread_mutex_lock(&server->lock);
	unlink_from(&server->serving, connection);
	pthread_mutex_unlock(&server->lock);
	stream_free(connection->stream);
}

static void *
serve(void *argument)
{
	struct connection *connection = argument;
	struct server *server = connection->server;

	connection->handler(connection->stream, connection->context);
	retire(connection);
	pthread_mutex_lock(&server->lock);
	link_in(&server->ended, connection);
	pthread_mutex_unlock(&server->lock);
	wake(server);
	return NULL;
}

/* Threads are joined, not detached: none must be left in a library's clean-up
 * code when the process exits. */
static void
join_ended(struct server *server)
{
	struct connection *connection, *next;

	pthread_mutex_lock(&server->lock);
	connection = server->ended;
	server->ended = NULL;
	pthread_mutex_unlock(&server->lock);
	for (; connection != NULL; connection = next) {
		next = connection->next;
		pthread_join(connection->thread, NULL);
		free(connection);
		server->threads--;
	}
}

static int
start_thread(struct connection *connection)
{
	struct server *server = connection->server;
	size_t size = server->limits.stack_size;
	pthread_attr_t attributes;
	int number;

	if (size < (size_t)PTHREAD_STACK_MIN)
		size = (size_t)PTHREAD_STACK_MIN;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, size);
	number = pthread_create(&connection->thread, &attributes, serve,
	    connection);
	pthread_attr_destroy(&attributes);
	return number;
}

/* Those who have no line of their own: strangers choose how many there are. */
static void
end_refusals(struct server *server, struct log_line *line)
{
	if (server->refused > 0)
		log_number(line, "more", (int64_t)server->refused);
	log_end(line);
	server->refused = 0;
}

static void
note_refusal(struct server *server, const char *client, const char *reason)
{
	struct log_line line;

	if (deadline_left(server->quiet) > 0) {
		server->refused++;
		return;
	}
	server->quiet = deadline_in(QUIET);
	log_begin(&line, LOG_WARNING, "refused");
	log_text(&line, "client", client);
	log_text(&line, "reason", reason);
	end_refusals(server, &line);
}

/* At the end. */
static void
note_rest(struct server *server)
{
	struct log_line line;

	if (server->refused == 0)
		return;
	log_begin(&line, LOG_WARNING, "refused");
	end_refusals(server, &line);
}

static void
refuse(struct connection *connection, const char *reason)
{
	struct server *server = connection->server;

	note_refusal(server, stream_peer(connection->stream), reason);
	if (server->on_refuse != NULL)
		server->on_refuse(connection->stream, server->context);
}

static void
begin(struct connection *connection)
{
	struct server *server = connection->server;
	const char *reason = over_limit(server, connection);
	int number;

	if (reason != NULL) {
		refuse(connection, reason);
		stream_free(connection->stream);
		free(connection);
		return;
	}
	pthread_mutex_lock(&server->lock);
	link_in(&server->serving, connection);
	pthread_mutex_unlock(&server->lock);
	if ((number = start_thread(connection)) != 0) {
		refuse(connection, strerror(number));
		retire(connection);
		free(connection);
		return;
	}
	server->threads++;
}

/* Takes over `fd`. */
static int
take(struct server *server, const struct listener *listener, int fd,
    const struct sockaddr_storage *address, socklen_t length)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	const struct sockaddr *peer = (const struct sockaddr *)address;
	struct stream *stream = stream_of_socket(fd, peer, length);

	if (connection == NULL || stream == NULL) {
		free(connection);
		stream_free(stream);
		return ENOMEM;
	}
	*connection = (struct connection){
	    .server = server,
	    .stream = stream,
	    .handler = listener->handler,
	    .context = listener->context,
	    .listener = listener->fd,
	    .source = source_of_address(peer, &server->limits.prefixes),
	};
	begin(connection);
	return 0;
}

/* ---- the loop ---- */

/* What came to nothing through the caller, not through us. */
static bool
is_callers_fault(int number)
{
	return number == EAGAIN || number == EWOULDBLOCK || number == EINTR ||
	    number == ECONNABORTED || number == EPROTO || number == EPERM ||
	    number == ENETDOWN || number == ENETUNREACH ||
	    number == EHOSTDOWN || number == EHOSTUNREACH ||
	    number == ENONET || number == ENOPROTOOPT || number == EOPNOTSUPP;
}

static void
accept_one(struct server *server, const struct listener *listener)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t length = sizeof(address);
	int fd = accept4(listener->fd, (struct sockaddr *)&address, &length,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);
	int number =
	    fd < 0 ? errno : take(server, listener, fd, &address, length);

	if (number != 0 && is_callers_fault(number))
		return;
	if (number != 0 && !server->complained)
		log_note(LOG_ERR, "starved",
		    "accepting connections is held up: %s", strerror(number));
	server->starved = server->complained = number != 0;
}

static void
read_signals(struct server *server)
{
	struct signalfd_siginfo info;

	while (read(server->signals, &info, sizeof(info)) ==
	    (ssize_t)sizeof(info)) {
		if (info.ssi_signo != SIGHUP) {
			server->hurried = server_stopping(server);
			server_stop(server);
		} else if (server->on_reload != NULL &&
		    !server_stopping(server)) {
			server->on_reload(server->context);
		}
	}
}

/* Waits for callers, signals, ended threads, or the time-out. */
static void
turn(struct server *server, int timeout)
{
	size_t listeners = server->starved ? 0 : server->listener_count;
	struct pollfd waits[2 + LISTENERS];
	uint64_t count;
	int ready;

	waits[0] = (struct pollfd){.fd = server->signals, .events = POLLIN};
	waits[1] = (struct pollfd){.fd = server->wakeup, .events = POLLIN};
	for (size_t i = 0; i < listeners; i++)
		waits[2 + i] = (struct pollfd){
		    .fd = server->listeners[i].fd, .events = POLLIN};
	ready = poll(waits, 2 + listeners, timeout);
	if (ready < 0)
		poll(NULL, 0, PAUSE); /* no memory, then: do not spin */
	/* Also a thread that has ended may have made room. */
	server->starved = false;
	if (ready <= 0)
		return;
	if (waits[1].revents != 0 &&
	    read(server->wakeup, &count, sizeof(count)) > 0) {
		join_ended(server);
		allocator_give_back(&server->trim);
	}
	if (waits[0].revents != 0)
		read_signals(server);
	for (size_t i = 0; i < listeners && !server_stopping(server); i++)
		if (waits[2 + i].revents != 0)
			accept_one(server, &server->listeners[i]);
}

static void
do_to_all(struct server *server, void (*act)(struct stream *stream))
{
	pthread_mutex_lock(&server->lock);
	for (struct connection *each = server->serving; each != NULL;
	     each = each->next)
		act(each->stream);
	pthread_mutex_unlock(&server->lock);
}

void
server_end_input(struct server *server)
{
	do_to_all(server, stream_end_input);
}

void
server_run(struct server *server, int64_t grace)
{
	struct deadline deadline;

	compare_descriptors(server);
	while (!server_stopping(server))
		turn(server, server->starved ? PAUSE : -1);
	close_listeners(server);
	note_rest(server);
	if (server->on_stop != NULL)
		server->on_stop(server->context);
	deadline = deadline_in(grace);
	join_ended(server);
	while (server->threads > 0 && !server->hurried &&
	    deadline_left(deadline) > 0)
		turn(server, deadline_left(deadline));
	do_to_all(server, stream_abort);
	while (server->threads > 0)
		turn(server, -1);
}
