/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/unit/odd_policyd.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "base/condition.h"
#include "client/facts.h"
#include "dmtp/netstring.h"

enum {
	PATIENCE = 60 * 1000, /* milliseconds that no test waits for */
	CONNECTIONS = 64,
	ANSWER_LIMIT = 4096,
};

struct connection {
	int fd; /* -1: none */
	bool holds;
	struct netstring_reader reader;
};

struct odd_policyd_counts odd_policyd; /* under the lock, too */

static struct {
	int listener;
	pthread_t thread;
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t changed;
	enum manner manners[ODD_MANNERS];
	bool holding;
	struct connection connections[CONNECTIONS];
} policyd;

static void
write_answer(struct span question, struct buffer *out)
{
	struct buffer storage = buffer_make(FACTS_REQUEST_LIMIT);
	struct buffer text = buffer_make(ANSWER_LIMIT);
	struct facts_request request;
	struct facts_answer answer;

	facts_answer_init(&answer);
	assert_int_equal(facts_request_read(question, &request, &storage,
	    NULL), 0);
	snprintf(answer.reason, sizeof(answer.reason), "%s", request.to);
	facts_answer_write(&answer, &text);
	netstring_write(buffer_span(&text), out);
	facts_answer_free(&answer);
	buffer_free(&storage);
	buffer_free(&text);
}

static void
say(const struct connection *connection, const void *data, size_t length)
{
	assert_int_equal(send(connection->fd, data, length, MSG_NOSIGNAL),
	    length);
}

static void
hang_up(struct connection *connection)
{
	close(connection->fd);
	connection->fd = -1;
	connection->holds = false;
	netstring_free(&connection->reader);
	odd_policyd.open--;
}

static void
say_answer(struct connection *connection, enum manner manner)
{
	struct buffer out = buffer_make(ANSWER_LIMIT);

	write_answer(netstring_content(&connection->reader), &out);
	if (manner == ANSWERED_AND_MORE)
		buffer_append_string(&out, "1");
	say(connection, out.data,
	    manner == BROKEN_OFF ? out.length / 2 : out.length);
	netstring_next(&connection->reader);
	buffer_free(&out);
}

static enum manner
next_manner(void)
{
	const unsigned int number = odd_policyd.asked++;

	if (policyd.holding)
		return HELD;
	return number < COUNT(policyd.manners) ? policyd.manners[number]
					       : ANSWERED;
}

static void
treat(struct connection *connection)
{
	const enum manner manner = next_manner();

	if (manner == HELD) {
		connection->holds = true;
		odd_policyd.held++;
	} else if (manner == MISUNDERSTOOD) {
		say(connection, "5:what?,", 8);
	} else if (manner != DROPPED && manner != UNANSWERED) {
		say_answer(connection, manner);
	}
	if (manner == ANSWERED_AT_LAST || manner == DROPPED ||
	    manner == BROKEN_OFF)
		hang_up(connection);
}

static void
hear(struct connection *connection)
{
	uint8_t octets[FACTS_REQUEST_LIMIT];
	const ssize_t got = recv(connection->fd, octets, sizeof(octets),
	    MSG_DONTWAIT);
	struct span input = {octets, got > 0 ? (size_t)got : 0};
	bool complete = false;

	if (got <= 0) {
		hang_up(connection);
		return;
	}
	assert_int_equal(netstring_feed(&connection->reader, &input,
	    &complete), 0);
	if (complete)
		treat(connection);
	/* Nobody asks before he has his answer. */
	assert_int_equal(input.length, 0);
}

/* False when the listener has been shut. */
static bool
welcome(void)
{
	const int fd = accept(policyd.listener, NULL, NULL);

	if (fd < 0)
		return false;
	for (size_t i = 0; i < CONNECTIONS; i++) {
		struct connection *connection = &policyd.connections[i];

		if (connection->fd >= 0)
			continue;
		connection->fd = fd;
		netstring_start(&connection->reader, FACTS_REQUEST_LIMIT);
		odd_policyd.accepted++;
		odd_policyd.open++;
		return true;
	}
	fail_msg("too many connections");
	return false;
}

static bool
turn(const struct pollfd waits[static CONNECTIONS + 1])
{
	bool goes_on = true;

	pthread_mutex_lock(&policyd.lock);
	for (size_t i = 0; i < CONNECTIONS; i++) {
		struct connection *connection = &policyd.connections[i];

		/* The test may have hung up meanwhile. */
		if (connection->fd >= 0 && waits[i].fd == connection->fd &&
		    waits[i].revents != 0)
			hear(connection);
	}
	if (waits[CONNECTIONS].revents != 0)
		goes_on = welcome();
	pthread_cond_broadcast(&policyd.changed);
	pthread_mutex_unlock(&policyd.lock);
	return goes_on;
}

static void *
run(void *argument)
{
	struct pollfd waits[CONNECTIONS + 1];

	do {
		pthread_mutex_lock(&policyd.lock);
		for (size_t i = 0; i < CONNECTIONS; i++)
			waits[i] = (struct pollfd){
			    .fd = policyd.connections[i].fd, .events = POLLIN};
		pthread_mutex_unlock(&policyd.lock);
		waits[CONNECTIONS] = (struct pollfd){.fd = policyd.listener,
		    .events = POLLIN};
		assert_true(poll(waits, CONNECTIONS + 1, -1) > 0);
	} while (turn(waits));
	return argument;
}

void
odd_policyd_start(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memset(&policyd, 0, sizeof(policyd));
	odd_policyd = (struct odd_policyd_counts){0};
	for (size_t i = 0; i < CONNECTIONS; i++)
		policyd.connections[i].fd = -1;
	pthread_mutex_init(&policyd.lock, NULL);
	condition_start(&policyd.changed);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	policyd.listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(policyd.listener, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	assert_int_equal(listen(policyd.listener, CONNECTIONS), 0);
	assert_int_equal(pthread_create(&policyd.thread, NULL, run, NULL), 0);
}

void
odd_policyd_stop(void)
{
	shutdown(policyd.listener, SHUT_RDWR);
	pthread_join(policyd.thread, NULL);
	close(policyd.listener);
	for (size_t i = 0; i < CONNECTIONS; i++)
		if (policyd.connections[i].fd >= 0)
			hang_up(&policyd.connections[i]);
	pthread_cond_destroy(&policyd.changed);
	pthread_mutex_destroy(&policyd.lock);
}

void
odd_policyd_set(const enum manner manners[static ODD_MANNERS])
{
	pthread_mutex_lock(&policyd.lock);
	memcpy(policyd.manners, manners, sizeof(policyd.manners));
	pthread_mutex_unlock(&policyd.lock);
}

void
odd_policyd_hold(void)
{
	pthread_mutex_lock(&policyd.lock);
	policyd.holding = true;
	pthread_mutex_unlock(&policyd.lock);
}

void
odd_policyd_wait_for(const unsigned int *number, unsigned int value)
{
	const struct deadline deadline = deadline_in(PATIENCE);
	bool in_time = true;

	pthread_mutex_lock(&policyd.lock);
	while (*number != value && in_time)
		in_time = condition_wait(&policyd.changed, &policyd.lock,
		    deadline);
	pthread_mutex_unlock(&policyd.lock);
	assert_true(in_time);
}

void
odd_policyd_release(unsigned int count)
{
	odd_policyd_wait_for(&odd_policyd.held, count);
	pthread_mutex_lock(&policyd.lock);
	policyd.holding = false;
	odd_policyd.held = 0;
	for (size_t i = 0; i < CONNECTIONS; i++)
		if (policyd.connections[i].holds) {
			policyd.connections[i].holds = false;
			say_answer(&policyd.connections[i], ANSWERED);
		}
	pthread_mutex_unlock(&policyd.lock);
}

void
odd_policyd_tell_all(const char *octets)
{
	pthread_mutex_lock(&policyd.lock);
	for (size_t i = 0; i < CONNECTIONS; i++) {
		struct connection *connection = &policyd.connections[i];

		if (connection->fd >= 0 && octets == NULL)
			shutdown(connection->fd, SHUT_RDWR);
		else if (connection->fd >= 0)
			say(connection, octets, strlen(octets));
	}
	pthread_mutex_unlock(&policyd.lock);
}

void
odd_policyd_expect(unsigned int accepted, unsigned int asked)
{
	pthread_mutex_lock(&policyd.lock);
	assert_int_equal(odd_policyd.accepted, accepted);
	assert_int_equal(odd_policyd.asked, asked);
	pthread_mutex_unlock(&policyd.lock);
}
