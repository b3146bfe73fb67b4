/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/unit/odd_policyd.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "client/facts.h"

/* How a client of the facts socket keeps its connections. */

enum {
	PATIENCE = 60 * 1000, /* milliseconds that no test waits for */
	MANY = 18, /* threads: more than connections are kept */
	EACH = 50, /* questions of each */
};

static char directory[64] = "/tmp/dimegate-unit-XXXXXX";
static char path[100];

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

static void
nobody_answers(void **state)
{
	const struct facts_request request = {.verb = FACTS_STATUS,
	    .from = "", .to = "", .fingerprint = "", .wait = 100};
	struct facts_client *client;
	struct facts_answer answer;
	struct fault fault;
	int err;

	assert_int_equal(facts_client_new("/nonexistent/facts", 1000,
	    &clock_system, &client), 0);
	facts_answer_init(&answer);
	err = facts_ask(client, &request, &answer, &fault);
	assert_true(err != 0 && error_row(err)->temporary);
	assert_non_null(strstr(fault.text, "/nonexistent/facts"));
	facts_answer_free(&answer);
	facts_client_free(client);
}

static void
one_connection_for_many_questions(void **state)
{
	struct facts_client *client;

	odd_policyd_start(path);
	client = make_client(1000, &clock_system);
	for (unsigned int i = 0; i < 20; i++)
		expect_answer(client, i % 2 == 0 ? "even.test" : "odd.test");
	odd_policyd_expect(1, 20);
	facts_client_free(client);
	odd_policyd_wait_for(&odd_policyd.open, 0);
	odd_policyd_stop();
}

/* Three questions in a row, of which the second meets something; the third is
 * always answered. */
static void
what_the_second_question_meets(void **state)
{
	static const struct {
		const char *name;
		enum manner manners[ODD_MANNERS];
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
		odd_policyd_start(path);
		odd_policyd_set(rows[i].manners);
		client = make_client(1000, &clock_system);
		expect_answer(client, "first.test");
		/* Or the client would find it silent. */
		if (rows[i].manners[0] == ANSWERED_AT_LAST)
			odd_policyd_wait_for(&odd_policyd.open, 0);
		assert_int_equal(ask(client, rows[i].verb, "second.test",
		    PATIENCE), rows[i].err);
		odd_policyd_expect(rows[i].accepted, rows[i].asked);
		if (rows[i].manners[1] == ANSWERED_AT_LAST)
			odd_policyd_wait_for(&odd_policyd.open, 0);
		expect_answer(client, "third.test");
		odd_policyd_expect(rows[i].accepted_in_all, rows[i].asked + 1);
		facts_client_free(client);
		odd_policyd_wait_for(&odd_policyd.open, 0);
		odd_policyd_stop();
	}
}

/* One that is fresh is policyd's own word. */
static void
no_answer_on_a_fresh_connection(void **state)
{
	static const enum manner manners[ODD_MANNERS] = {DROPPED};
	struct facts_client *client;

	odd_policyd_start(path);
	odd_policyd_set(manners);
	client = make_client(1000, &clock_system);
	assert_int_equal(ask(client, FACTS_SIGNET, "a.test", PATIENCE),
	    ERR_UNREACHABLE);
	odd_policyd_expect(1, 1);
	facts_client_free(client);
	odd_policyd_stop();
}

static void
silence_is_asked_once(void **state)
{
	static const enum manner manners[ODD_MANNERS] = {ANSWERED, UNANSWERED};
	struct facts_client *client;

	odd_policyd_start(path);
	odd_policyd_set(manners);
	client = make_client(1000, &clock_system);
	expect_answer(client, "a.test");
	assert_int_equal(ask(client, FACTS_SIGNET, "b.test", 0), ERR_TIMEOUT);
	odd_policyd_wait_for(&odd_policyd.asked, 2);
	odd_policyd_wait_for(&odd_policyd.open, 0);
	expect_answer(client, "c.test");
	odd_policyd_expect(2, 3);
	facts_client_free(client);
	odd_policyd_stop();
}

/* Octets that came after the connection was put away are nobody's answer. */
static void
what_comes_while_idle(void **state)
{
	static const char *const octets[] = {"1", "12:error none\n\n,", NULL};

	for (size_t i = 0; i < COUNT(octets); i++) {
		struct facts_client *client;

		unit_case(octets[i] == NULL ? "the end" : octets[i]);
		odd_policyd_start(path);
		client = make_client(1000, &clock_system);
		expect_answer(client, "a.test");
		odd_policyd_tell_all(octets[i]);
		assert_int_equal(ask(client, FACTS_SPREAD, "b.test", PATIENCE),
		    0);
		odd_policyd_expect(2, 2);
		facts_client_free(client);
		odd_policyd_wait_for(&odd_policyd.open, 0);
		odd_policyd_stop();
	}
}

/* Started again: all connections that were kept are dead at once. */
static void
policyd_starts_again(void **state)
{
	struct asker askers[MANY];
	struct facts_client *client;

	odd_policyd_start(path);
	client = make_client(1000, &clock_system);
	odd_policyd_hold();
	start_askers(askers, MANY, client, 1);
	odd_policyd_release(MANY);
	join_askers(askers, MANY);
	odd_policyd_stop();
	unlink(path);
	assert_int_equal(ask(client, FACTS_SIGNET, "a.test", PATIENCE),
	    ERR_UNREACHABLE);
	odd_policyd_start(path);
	expect_answer(client, "b.test");
	expect_answer(client, "c.test");
	odd_policyd_expect(1, 2);
	facts_client_free(client);
	odd_policyd_stop();
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
		odd_policyd_start(path);
		client = make_client(rows[i].connection_limit, &clock_system);
		for (unsigned int round = 1; round <= 2; round++) {
			odd_policyd_hold();
			start_askers(askers, MANY, client, 1);
			odd_policyd_release(MANY);
			join_askers(askers, MANY);
			odd_policyd_wait_for(&odd_policyd.open, rows[i].kept);
			odd_policyd_expect(MANY + (round - 1) *
			        (MANY - rows[i].kept), MANY * round);
		}
		facts_client_free(client);
		odd_policyd_wait_for(&odd_policyd.open, 0);
		odd_policyd_stop();
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

	odd_policyd_start(path);
	client = make_client(1000, &clock);
	odd_policyd_hold();
	start_askers(askers, 2, client, 1);
	odd_policyd_release(2);
	join_askers(askers, 2);
	/* The one that is used stays, the other is over its time. */
	atomic_store(&moved_by, 40 * 1000);
	expect_answer(client, "a.test");
	odd_policyd_expect(2, 3);
	atomic_store(&moved_by, 80 * 1000);
	expect_answer(client, "b.test");
	odd_policyd_wait_for(&odd_policyd.open, 1);
	odd_policyd_expect(2, 4);
	atomic_store(&moved_by, 200 * 1000);
	expect_answer(client, "c.test");
	odd_policyd_wait_for(&odd_policyd.open, 1);
	odd_policyd_expect(3, 5);
	facts_client_free(client);
	odd_policyd_stop();
}

static void
many_threads(void **state)
{
	struct asker askers[MANY];
	struct facts_client *client;

	odd_policyd_start(path);
	client = make_client(64, &clock_system);
	start_askers(askers, MANY, client, EACH);
	join_askers(askers, MANY);
	odd_policyd_wait_for(&odd_policyd.asked, MANY * EACH);
	facts_client_free(client);
	odd_policyd_wait_for(&odd_policyd.open, 0);
	odd_policyd_stop();
}

static int
start(void **state)
{
	unit_directory(directory);
	snprintf(path, sizeof(path), "%s/facts", directory);
	return unit_start(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nobody_answers),
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
