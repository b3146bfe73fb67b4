/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/unit/unit_host.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include "base/condition.h"

enum {
	CONNECTIONS = 256,
	LINE = 1024,
	PATIENCE = 40000, /* milliseconds, for a machine under load; less than
	                     sessions are idle */
};

struct connection {
	struct unit_host *host;
	int fd, wakes[2];
	pthread_t thread;
	bool open, told; /* told: to blurt */
	bool reset;
	SSL *session;
	char line[LINE];
	size_t length;
};

struct unit_host {
	SSL_CTX *context;
	int listener;
	unsigned int port;
	pthread_t thread;
	pthread_mutex_t lock; /* guards all below, but what is a thread's own */
	pthread_cond_t changed;
	struct unit_host_count count;
	const char *verb, *answer;
	const char *blurt;
	bool late; /* the answer */
	bool holds, ends, turns_away;
	struct connection connections[CONNECTIONS];
	size_t used;
};

static void
change(struct unit_host *host, unsigned int *number)
{
	pthread_mutex_lock(&host->lock);
	++*number;
	pthread_cond_broadcast(&host->changed);
	pthread_mutex_unlock(&host->lock);
}

/* ---- a connection ---- */

static bool
say(struct connection *connection, const char *text)
{
	return SSL_write(connection->session, text, (int)strlen(text)) > 0;
}

/* False when the connection is to end. */
static bool
do_as_told(struct connection *connection)
{
	struct unit_host *host = connection->host;
	bool told, goes_on = true;
	const char *text;

	pthread_mutex_lock(&host->lock);
	told = connection->told;
	text = host->blurt;
	goes_on = !host->ends;
	pthread_mutex_unlock(&host->lock);
	if (told && *text != '\0')
		say(connection, text);
	else if (told)
		goes_on = false;
	return goes_on;
}

static void
has_done(struct connection *connection)
{
	struct unit_host *host = connection->host;

	pthread_mutex_lock(&host->lock);
	connection->told = false;
	pthread_cond_broadcast(&host->changed);
	pthread_mutex_unlock(&host->lock);
}

/* Waits for octets, and does as it is told meanwhile. */
static bool
wait_input(struct connection *connection)
{
	char octet;

	for (;;) {
		struct pollfd waits[2] = {{connection->fd, POLLIN, 0},
		    {connection->wakes[0], POLLIN, 0}};

		if (SSL_pending(connection->session) > 0)
			return true;
		if (poll(waits, 2, PATIENCE) <= 0)
			return false;
		if (waits[1].revents == 0)
			return true;
		if (read(connection->wakes[0], &octet, 1) != 1 ||
		    !do_as_told(connection))
			return false;
		has_done(connection);
	}
}

static bool
read_line(struct connection *connection)
{
	char octet;

	connection->length = 0;
	while (wait_input(connection) &&
	    SSL_read(connection->session, &octet, 1) == 1) {
		if (octet == '\n') {
			connection->line[connection->length] = '\0';
			return true;
		}
		if (octet != '\r' && connection->length < LINE - 1)
			connection->line[connection->length++] = octet;
	}
	return false;
}

static void
wait_until_released(struct unit_host *host)
{
	const struct deadline patience = deadline_in(PATIENCE);

	pthread_mutex_lock(&host->lock);
	while (host->holds && !host->ends &&
	    condition_wait(&host->changed, &host->lock, patience))
		;
	pthread_mutex_unlock(&host->lock);
}

static bool
is_verb(const struct connection *connection, const char *verb)
{
	return strncmp(connection->line, verb, strlen(verb)) == 0;
}

static const char *
usual(struct connection *connection)
{
	struct unit_host *host = connection->host;

	if (is_verb(connection, "QUIT")) {
		change(host, &host->count.goodbyes);
		return "221 BYE\n";
	}
	if (is_verb(connection, "RSET")) {
		change(host, &host->count.resets);
		connection->reset = true;
	}
	return is_verb(connection, "DATA") ? "354 GO\n"
	    : is_verb(connection, ".")     ? "254 ACCEPTED=x\n"
	                                   : "250 OK\n";
}

static const char *
find_answer(struct connection *connection)
{
	struct unit_host *host = connection->host;
	const char *answer = usual(connection);

	pthread_mutex_lock(&host->lock);
	if (host->verb != NULL && is_verb(connection, host->verb) &&
	    (connection->reset || !host->late))
		answer = host->answer;
	pthread_mutex_unlock(&host->lock);
	return answer;
}

static bool
read_message(struct connection *connection)
{
	struct unit_host *host = connection->host;

	do {
		if (!read_line(connection))
			return false;
	} while (strcmp(connection->line, ".") != 0);
	change(host, &host->count.messages);
	wait_until_released(host);
	return true;
}

static void
converse(struct connection *connection)
{
	bool goes_on = say(connection, "220 <dx.beta.test> DMTP\n");

	while (goes_on && read_line(connection)) {
		const char *answer = find_answer(connection);

		goes_on = *answer != '\0' && say(connection, answer) &&
		    strncmp(answer, "221", 3) != 0;
		if (goes_on && strncmp(answer, "354", 3) == 0)
			goes_on = read_message(connection) &&
			    *(answer = find_answer(connection)) != '\0' &&
			    say(connection, answer);
	}
}

static void
begin(struct connection *connection)
{
	struct unit_host *host = connection->host;
	struct unit_host_count *count = &host->count;

	pthread_mutex_lock(&host->lock);
	count->connections++;
	count->resumed += SSL_session_reused(connection->session) == 1;
	if (++count->open > count->most_open)
		count->most_open = count->open;
	connection->open = true;
	pthread_cond_broadcast(&host->changed);
	pthread_mutex_unlock(&host->lock);
}

static void
end(struct connection *connection)
{
	struct unit_host *host = connection->host;

	pthread_mutex_lock(&host->lock);
	host->count.open--;
	connection->open = connection->told = false;
	pthread_cond_broadcast(&host->changed);
	pthread_mutex_unlock(&host->lock);
}

static void *
run_connection(void *argument)
{
	struct connection *connection = argument;

	connection->session = SSL_new(connection->host->context);
	SSL_set_fd(connection->session, connection->fd);
	if (SSL_accept(connection->session) == 1) {
		begin(connection);
		converse(connection);
		SSL_shutdown(connection->session);
		shutdown(connection->fd, SHUT_RDWR);
		end(connection);
	}
	SSL_free(connection->session);
	close(connection->fd);
	return NULL;
}

/* ---- the host ---- */

static void *
run_host(void *argument)
{
	struct unit_host *host = argument;
	int fd;

	while ((fd = accept(host->listener, NULL, NULL)) >= 0) {
		struct connection *connection;

		pthread_mutex_lock(&host->lock);
		if (host->turns_away) {
			pthread_mutex_unlock(&host->lock);
			close(fd);
			continue;
		}
		assert_true(host->used < CONNECTIONS);
		connection = &host->connections[host->used];
		connection->host = host;
		connection->fd = fd;
		assert_int_equal(pipe(connection->wakes), 0);
		assert_int_equal(pthread_create(&connection->thread, NULL,
		    run_connection, connection), 0);
		host->used++;
		pthread_mutex_unlock(&host->lock);
	}
	return NULL;
}

struct unit_host *
unit_host_start(const struct unit_certificate *certificate)
{
	struct unit_host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	host->context = SSL_CTX_new(TLS_server_method());
	assert_non_null(host->context);
	SSL_CTX_set_max_proto_version(host->context, TLS1_2_VERSION);
	SSL_CTX_use_certificate(host->context, certificate->certificate);
	SSL_CTX_use_PrivateKey(host->context, certificate->key);
	pthread_mutex_init(&host->lock, NULL);
	condition_start(&host->changed);
	host->listener = unit_listen(&host->port);
	assert_int_equal(pthread_create(&host->thread, NULL, run_host, host),
	    0);
	return host;
}

unsigned int
unit_host_port(const struct unit_host *host)
{
	return host->port;
}

static void
wake(const struct connection *connection)
{
	assert_int_equal(write(connection->wakes[1], "", 1), 1);
}

void
unit_host_end(struct unit_host *host)
{
	shutdown(host->listener, SHUT_RDWR);
	pthread_join(host->thread, NULL);
	pthread_mutex_lock(&host->lock);
	host->ends = true;
	pthread_cond_broadcast(&host->changed);
	pthread_mutex_unlock(&host->lock);
	for (size_t i = 0; i < host->used; i++) {
		wake(&host->connections[i]);
		pthread_join(host->connections[i].thread, NULL);
		close(host->connections[i].wakes[0]);
		close(host->connections[i].wakes[1]);
	}
	close(host->listener);
	pthread_cond_destroy(&host->changed);
	pthread_mutex_destroy(&host->lock);
	SSL_CTX_free(host->context);
	free(host);
}

static void
set_answer(struct unit_host *host, const char *verb, const char *answer,
    bool late)
{
	pthread_mutex_lock(&host->lock);
	host->verb = answer == NULL ? NULL : verb;
	host->answer = answer;
	host->late = late;
	pthread_mutex_unlock(&host->lock);
}

void
unit_host_answers(struct unit_host *host, const char *verb,
    const char *answer)
{
	set_answer(host, verb, answer, false);
}

void
unit_host_answers_late(struct unit_host *host, const char *verb,
    const char *answer)
{
	set_answer(host, verb, answer, true);
}

void
unit_host_holds(struct unit_host *host, bool holds)
{
	pthread_mutex_lock(&host->lock);
	host->holds = holds;
	pthread_cond_broadcast(&host->changed);
	pthread_mutex_unlock(&host->lock);
}

void
unit_host_turns_away(struct unit_host *host, bool turns_away)
{
	pthread_mutex_lock(&host->lock);
	host->turns_away = turns_away;
	pthread_mutex_unlock(&host->lock);
}

static bool
some_are_told(const struct unit_host *host)
{
	for (size_t i = 0; i < host->used; i++)
		if (host->connections[i].told)
			return true;
	return false;
}

void
unit_host_blurts(struct unit_host *host, const char *text)
{
	const struct deadline patience = deadline_in(PATIENCE);
	bool in_time = true;

	pthread_mutex_lock(&host->lock);
	host->blurt = text;
	for (size_t i = 0; i < host->used; i++)
		if (host->connections[i].open) {
			host->connections[i].told = true;
			wake(&host->connections[i]);
		}
	while (some_are_told(host) && in_time)
		in_time = condition_wait(&host->changed, &host->lock,
		    patience);
	pthread_mutex_unlock(&host->lock);
	assert_true(in_time);
}

struct unit_host_count
unit_host_count(struct unit_host *host)
{
	struct unit_host_count count;

	pthread_mutex_lock(&host->lock);
	count = host->count;
	pthread_mutex_unlock(&host->lock);
	return count;
}

void
unit_host_wait(struct unit_host *host,
    bool (*is_so)(const struct unit_host_count *count, unsigned int number),
    unsigned int number)
{
	const struct deadline patience = deadline_in(PATIENCE);
	bool in_time = true;

	pthread_mutex_lock(&host->lock);
	while (!is_so(&host->count, number) && in_time)
		in_time = condition_wait(&host->changed, &host->lock,
		    patience);
	pthread_mutex_unlock(&host->lock);
	assert_true(in_time);
}

bool
unit_host_has_open(const struct unit_host_count *count, unsigned int number)
{
	return count->open == number;
}

bool
unit_host_has_messages(const struct unit_host_count *count,
    unsigned int number)
{
	return count->messages == number;
}
