/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "base/condition.h"
#include "client/facts.h"
#include "dmtp/netstring.h"

/*
 * How a client of the facts socket keeps its connections, before a policyd that
 * answers as the case wants it and counts who comes.
 */

enum {
	PATIENCE = 60 * 1000, /* milliseconds that no test waits for */
	CONNECTIONS = 64,
	MANY = 18, /* threads: more than connections are kept */
	EACH = 50, /* questions of each */
	ANSWER_LIMIT = 4096,
};

/* What becomes of a question. */
enum manner {
	ANSWERED,
	ANSWERED_AND_MORE, /* with an octet behind the answer */
	ANSWERED_AT_LAST,  /* and then the connection ends */
	DROPPED,           /* the connection ends without an octet */
	BROKEN_OFF,        /* it ends within the answer */
	MISUNDERSTOOD,     /* the answer is none */
	UNANSWERED,
	HELD, /* until release_held() */
};

struct connection {
	int fd; /* -1: none */
	bool holds;
	struct netstring_reader reader;
};

static char directory[64] = "/tmp/dimegate-unit-XXXXXX";
static char path[100];

static struct {
	int listener;
	pthread_t thread;
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t changed;
	enum manner manners[8]; /* of the first questions; then ANSWERED */
	bool holding;           /* HELD is what becomes of all of them */
	unsigned int accepted, asked, held, open;
	struct connection connections[CONNECTIONS];
} policyd;

/* ---- a policyd ---- */

/* The reason of the answer is the name that was asked for. */
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
	policyd.open--;
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
	const unsigned int number = policyd.asked++;

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
		policyd.held++;
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
		policyd.accepted++;
		policyd.open++;
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

static void
start_policyd(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memset(&policyd, 0, sizeof(policyd));
	for (size_t i = 0; i < CONNECTIONS; i++)
		policyd.connections[i].fd = -1;
	pthread_mutex_init(&policyd.lock, NULL);
	condition_start(&policyd.changed);
	snprintf(path, sizeof(path), "%s/facts", directory);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	policyd.listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(policyd.listener, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	assert_int_equal(listen(policyd.listener, CONNECTIONS), 0);
	assert_int_equal(pthread_create(&policyd.thread, NULL, run, NULL), 0);
}

static void
stop_policyd(void)
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

/* ---- what a test has policyd do, and sees of it ---- */

static void
set_manners(const enum manner *manners)
{
	pthread_mutex_lock(&policyd.lock);
	memcpy(policyd.manners, manners, sizeof(policyd.manners));
	pthread_mutex_unlock(&policyd.lock);
}

static void
hold_questions(void)
{
	pthread_mutex_lock(&policyd.lock);
	policyd.holding = true;
	pthread_mutex_unlock(&policyd.lock);
}

static void
wait_for(const unsigned int *number, unsigned int value)
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

/* Once so many questions are there. */
static void
release_held(unsigned int count)
{
	wait_for(&policyd.held, count);
	pthread_mutex_lock(&policyd.lock);
	policyd.holding = false;
	policyd.held = 0;
	for (size_t i = 0; i < CONNECTIONS; i++)
		if (policyd.connections[i].holds) {
			policyd.connections[i].holds = false;
			say_answer(&policyd.connections[i], ANSWERED);
		}
	pthread_mutex_unlock(&policyd.lock);
}

/* On every connection that there is: octets nobody asked for, or NULL: the
 * end. */
static void
tell_all(const char *octets)
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

static void
expect_counts(unsigned int accepted, unsigned int asked)
{
	pthread_mutex_lock(&policyd.lock);
	assert_int_equal(policyd.accepted, accepted);
	assert_int_equal(policyd.asked, asked);
	pthread_mutex_unlock(&policyd.lock);
}

/* ---- a client ---- */

static struct facts_client *
make_client(int64_t connection_limit, const struct clock *clock)
{
	struct facts_client *client;

	assert_int_equal(facts_client_new(path, connection_limit, clock,
	    &client), 0);
	return client;
}

/* Every answer is that of the question. */
static int
ask(struct facts_client *client, enum facts_verb verb, const char *name,
    int64_t wait)
{
	const struct facts_request request = {.verb = verb, .from = "",
	    .to = name, .fingerprint = "", .wait = wait};
	struct facts_answer answer;
	struct fault fault;
	int err;

	facts_answer_init(&answer);
	err = facts_ask(client, &request, &answer, &fault);
	if (err == 0)
		assert_string_equal(answer.reason, name);
	else
		assert_non_null(strstr(fault.text, path));
	facts_answer_free(&answer);
	return err;
}

static void
expect_answer(struct facts_client *client, const char *name)
{
	assert_int_equal(ask(client, FACTS_SIGNET, name, PATIENCE), 0);
}

struct asker {
	struct facts_client *client;
	unsigned int questions;
	int number;
	int err;
	pthread_t thread;
};

static void *
ask_often(void *argument)
{
	struct asker *asker = argument;
	char name[80];

	for (unsigned int i = 0; i < asker->questions && asker->err == 0;
	     i++) {
		snprintf(name, sizeof(name), "n%u.of%d.test", i,
		    asker->number);
		asker->err = ask(asker->client, FACTS_SIGNET, name, PATIENCE);
	}
	return NULL;
}

static void
start_askers(struct asker *askers, size_t count, struct facts_client *client,
    unsigned int questions)
{
	for (size_t i = 0; i < count; i++) {
		askers[i] = (struct asker){.client = client,
		    .questions = questions, .number = (int)i};
		assert_int_equal(pthread_create(&askers[i].thread, NULL,
		    ask_often, &askers[i]), 0);
	}
}

static void
join_askers(const struct asker *askers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		pthread_join(askers[i].thread, NULL);
		assert_int_equal(askers[i].err, 0);
	}
}

/* ---- cases ---- */

static void
one_connection_for_many_questions(void **state)
{
	struct facts_client *client;

	start_policyd();
	client = make_client(1000, &clock_system);
	for (unsigned int i = 0; i < 20; i++)
		expect_answer(client, i % 2 == 0 ? "even.test" : "odd.test");
	expect_counts(1, 20);
	facts_client_free(client);
	wait_for(&policyd.open, 0);
	stop_policyd();
}

/* Three questions in a row, of which the second meets something; the third is
 * always answered. */
static void
what_the_second_question_meets(void **state)
{
	static const struct {
		const char *name;
		enum manner manners[8];
		enum facts_verb verb;
		int err; /* of the second */
		unsigned int accepted, asked; /* after the second */
		unsigned int accepted_in_all;
	} rows[] = {
	    {"an answer", {ANSWERED}, FACTS_SIGNET, 0, 1, 2, 1},
	    {"octets behind the first answer", {ANSWERED_AND_MORE},
	        FACTS_SIGNET, 0, 2, 2, 2},
	    {"octets behind its answer", {ANSWERED, ANSWERED_AND_MORE},
	        FACTS_SIGNET, 0, 1, 2, 2},
	    {"the end, before it", {ANSWERED_AT_LAST}, FACTS_SPREAD, 0, 2, 2,
	        2},
	    {"the end, after it", {ANSWERED, ANSWERED_AT_LAST}, FACTS_SIGNET,
	        0, 1, 2, 2},
	    {"no answer on a kept connection", {ANSWERED, DROPPED},
	        FACTS_CLAIM, 0, 2, 3, 2},
	    {"no answer on two connections", {ANSWERED, DROPPED, DROPPED},
	        FACTS_CLAIM, ERR_UNREACHABLE, 2, 3, 3},
	    {"no answer to what is asked only once", {ANSWERED, DROPPED},
	        FACTS_SPREAD, ERR_UNREACHABLE, 1, 2, 2},
	    {"part of an answer", {ANSWERED, BROKEN_OFF}, FACTS_SIGNET,
	        ERR_UNREACHABLE, 1, 2, 2},
	    {"nonsense", {ANSWERED, MISUNDERSTOOD}, FACTS_SIGNET,
	        ERR_PROTOCOL, 1, 2, 2},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct facts_client *client;

		unit_case(rows[i].name);
		start_policyd();
		set_manners(rows[i].manners);
		client = make_client(1000, &clock_system);
		expect_answer(client, "first.test");
		/* Or the client would find it silent. */
		if (rows[i].manners[0] == ANSWERED_AT_LAST)
			wait_for(&policyd.open, 0);
		assert_int_equal(ask(client, rows[i].verb, "second.test",
		    PATIENCE), rows[i].err);
		expect_counts(rows[i].accepted, rows[i].asked);
		if (rows[i].manners[1] == ANSWERED_AT_LAST)
			wait_for(&policyd.open, 0);
		expect_answer(client, "third.test");
		expect_counts(rows[i].accepted_in_all, rows[i].asked + 1);
		facts_client_free(client);
		wait_for(&policyd.open, 0);
		stop_policyd();
	}
}

/* One that is fresh is policyd's own word. */
static void
no_answer_on_a_fresh_connection(void **state)
{
	static const enum manner manners[8] = {DROPPED};
	struct facts_client *client;

	start_policyd();
	set_manners(manners);
	client = make_client(1000, &clock_system);
	assert_int_equal(ask(client, FACTS_SIGNET, "a.test", PATIENCE),
	    ERR_UNREACHABLE);
	expect_counts(1, 1);
	facts_client_free(client);
	stop_policyd();
}

static void
silence_is_asked_once(void **state)
{
	static const enum manner manners[8] = {ANSWERED, UNANSWERED};
	struct facts_client *client;

	start_policyd();
	set_manners(manners);
	client = make_client(1000, &clock_system);
	expect_answer(client, "a.test");
	assert_int_equal(ask(client, FACTS_SIGNET, "b.test", 0), ERR_TIMEOUT);
	wait_for(&policyd.asked, 2);
	wait_for(&policyd.open, 0);
	expect_answer(client, "c.test");
	expect_counts(2, 3);
	facts_client_free(client);
	stop_policyd();
}

/* Octets that came after the connection was put away are nobody's answer. */
static void
what_comes_while_idle(void **state)
{
	static const char *const octets[] = {"1", "12:error none\n\n,", NULL};

	for (size_t i = 0; i < COUNT(octets); i++) {
		struct facts_client *client;

		unit_case(octets[i] == NULL ? "the end" : octets[i]);
		start_policyd();
		client = make_client(1000, &clock_system);
		expect_answer(client, "a.test");
		tell_all(octets[i]);
		assert_int_equal(ask(client, FACTS_SPREAD, "b.test", PATIENCE),
		    0);
		expect_counts(2, 2);
		facts_client_free(client);
		wait_for(&policyd.open, 0);
		stop_policyd();
	}
}

/* Started again: all connections that were kept are dead at once. */
static void
policyd_starts_again(void **state)
{
	struct asker askers[MANY];
	struct facts_client *client;

	start_policyd();
	client = make_client(1000, &clock_system);
	hold_questions();
	start_askers(askers, MANY, client, 1);
	release_held(MANY);
	join_askers(askers, MANY);
	stop_policyd();
	unlink(path);
	assert_int_equal(ask(client, FACTS_SIGNET, "a.test", PATIENCE),
	    ERR_UNREACHABLE);
	start_policyd();
	expect_answer(client, "b.test");
	expect_answer(client, "c.test");
	expect_counts(1, 2);
	facts_client_free(client);
	stop_policyd();
}

static void
so_many_are_kept(void **state)
{
	static const struct {
		int64_t connection_limit;
		unsigned int kept;
	} rows[] = {{0, 0}, {7, 0}, {8, 1}, {100, 12}, {1000, 16},
	    {100000, 16}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct asker askers[MANY];
		struct facts_client *client;
		char name[40];

		snprintf(name, sizeof(name), "%u of %d", rows[i].kept,
		    (int)rows[i].connection_limit);
		unit_case(name);
		start_policyd();
		client = make_client(rows[i].connection_limit, &clock_system);
		for (unsigned int round = 1; round <= 2; round++) {
			hold_questions();
			start_askers(askers, MANY, client, 1);
			release_held(MANY);
			join_askers(askers, MANY);
			wait_for(&policyd.open, rows[i].kept);
			expect_counts(MANY + (round - 1) *
			        (MANY - rows[i].kept), MANY * round);
		}
		facts_client_free(client);
		wait_for(&policyd.open, 0);
		stop_policyd();
	}
}

static _Atomic int64_t moved_by;

static int64_t
moved(const struct clock *clock)
{
	return clock_monotonic(&clock_system) + atomic_load(&moved_by);
}

static void
idle_ones_are_given_up(void **state)
{
	static const struct clock clock = {moved, moved};
	struct facts_client *client;
	struct asker askers[2];

	start_policyd();
	client = make_client(1000, &clock);
	hold_questions();
	start_askers(askers, 2, client, 1);
	release_held(2);
	join_askers(askers, 2);
	/* The one that is used stays, the other is over its time. */
	atomic_store(&moved_by, 40 * 1000);
	expect_answer(client, "a.test");
	expect_counts(2, 3);
	atomic_store(&moved_by, 80 * 1000);
	expect_answer(client, "b.test");
	wait_for(&policyd.open, 1);
	expect_counts(2, 4);
	atomic_store(&moved_by, 200 * 1000);
	expect_answer(client, "c.test");
	wait_for(&policyd.open, 1);
	expect_counts(3, 5);
	facts_client_free(client);
	stop_policyd();
}

static void
many_threads(void **state)
{
	struct asker askers[MANY];
	struct facts_client *client;

	start_policyd();
	client = make_client(64, &clock_system);
	start_askers(askers, MANY, client, EACH);
	join_askers(askers, MANY);
	wait_for(&policyd.asked, MANY * EACH);
	facts_client_free(client);
	wait_for(&policyd.open, 0);
	stop_policyd();
}

static int
start(void **state)
{
	unit_directory(directory);
	return unit_start(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_connection_for_many_questions),
	    cmocka_unit_test(what_the_second_question_meets),
	    cmocka_unit_test(no_answer_on_a_fresh_connection),
	    cmocka_unit_test(silence_is_asked_once),
	    cmocka_unit_test(what_comes_while_idle),
	    cmocka_unit_test(policyd_starts_again),
	    cmocka_unit_test(so_many_are_kept),
	    cmocka_unit_test(idle_ones_are_given_up),
	    cmocka_unit_test(many_threads),
	};

	return cmocka_run_group_tests_name("facts_client", tests, start,
	    unit_end);
}
