/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/pool_world.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

/* To see who waits. */
#include "dmtpd/pool.c"

enum { SOON = 20 };

static void
limits_hold(void **state)
{
	struct peer_target target = usual_target(), elsewhere = target,
	    neighbour = target, far = target;
	struct pool *pool = fresh_pool(NEVER);
	struct pool_visit held[2], visit;
	const struct {
		const char *name;
		const struct peer_target *target;
		int err;
	} cases[] = {
	    {"the same", &target, ERR_BUSY},
	    {"another host of the domain", &elsewhere, ERR_BUSY},
	    {"another domain at the host", &neighbour, ERR_BUSY},
	    {"another domain elsewhere", &far, 0},
	};
	struct pool_wish wish = usual_wish(&target);
	struct fault fault = {0};

	elsewhere.address = far.address = "127.0.0.2";
	neighbour.domain = far.domain = "gamma.test";
	wish.limit = COUNT(held);
	for (size_t i = 0; i < COUNT(held); i++)
		enter(pool, &held[i], &wish);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pool_wish asked = usual_wish(cases[i].target);

		unit_case(cases[i].name);
		asked.limit = COUNT(held);
		assert_int_equal(pool_enter(pool, &visit, &asked,
		    deadline_in(0), &fault), cases[i].err);
		if (cases[i].err == 0)
			pool_leave(pool, &visit, NULL);
	}
	assert_string_equal(fault.text, "2 sessions with gamma.test or its "
	    "host dx.beta.test are open already");
	pool_leave(pool, &held[0], NULL);
	assert_int_equal(pool_enter(pool, &held[0], &wish, deadline_in(0),
	    NULL), 0);
	for (size_t i = 0; i < COUNT(held); i++)
		pool_leave(pool, &held[i], NULL);
	pool_free(pool);
}

/* An idle session with the same host is one too many. */
static void
idle_sessions_make_room(void **state)
{
	struct peer_target target = usual_target();
	struct pool_wish wish = usual_wish(&target);
	struct pool *pool = fresh_pool(NEVER);
	struct pool_visit visit;

	wish.limit = 1;
	assert_false(deliver(pool, &wish));
	wish.origin = "delta.test A";
	assert_false(deliver(pool, &wish));
	unit_case("that of another domain with the host");
	target.domain = "gamma.test";
	assert_false(deliver(pool, &wish));
	assert_int_equal(unit_host_count(host).most_open, 1);
	unit_case("that of another host of the domain");
	target.address = "127.0.0.2";
	enter(pool, &visit, &wish);
	assert_null(pool_take(pool, &visit));
	unit_host_wait(host, unit_host_has_open, 0);
	pool_leave(pool, &visit, NULL);
	pool_free(pool);
}

struct waiter {
	struct pool *pool;
	const struct pool_wish *wish;
	struct deadline deadline;
	int err;
	int place; /* in the order of turns */
	pthread_t thread;
};

static atomic_int turns;

static void *
run_waiter(void *argument)
{
	struct waiter *waiter = argument;
	struct pool_visit visit;

	waiter->err = pool_enter(waiter->pool, &visit, waiter->wish,
	    waiter->deadline, NULL);
	if (waiter->err != 0)
		return NULL;
	waiter->place = atomic_fetch_add(&turns, 1);
	pool_leave(waiter->pool, &visit, NULL);
	return NULL;
}

static int
count_visits(struct pool *pool)
{
	int visits = 0;

	pthread_mutex_lock(&pool->lock);
	for (struct pool_visit *visit = pool->visits; visit != NULL;
	     visit = visit->next)
		visits++;
	pthread_mutex_unlock(&pool->lock);
	return visits;
}

static void
start_waiter(struct waiter *waiter, struct pool *pool,
    const struct pool_wish *wish, int64_t time)
{
	const struct deadline patience = deadline_in(LONG);
	const int before = count_visits(pool);

	*waiter = (struct waiter){.pool = pool, .wish = wish,
	    .deadline = deadline_in(time)};
	assert_int_equal(pthread_create(&waiter->thread, NULL, run_waiter,
	    waiter), 0);
	while (count_visits(pool) == before) {
		assert_true(deadline_left(patience) > 0);
		poll(NULL, 0, 1);
	}
}

static void
turns_in_the_order_of_coming(void **state)
{
	struct peer_target target = usual_target();
	struct pool_wish wish = usual_wish(&target);
	struct pool *pool = fresh_pool(NEVER);
	struct waiter waiters[8];
	struct pool_visit held;

	wish.limit = 1;
	enter(pool, &held, &wish);
	atomic_store(&turns, 0);
	for (size_t i = 0; i < COUNT(waiters); i++)
		start_waiter(&waiters[i], pool, &wish, LONG);
	pool_leave(pool, &held, NULL);
	for (size_t i = 0; i < COUNT(waiters); i++) {
		pthread_join(waiters[i].thread, NULL);
		assert_int_equal(waiters[i].err, 0);
		assert_int_equal(waiters[i].place, i);
	}
	pool_free(pool);
}

/* Once one has waited in vain, others do not; until the one in the way goes. */
static void
a_slow_host_is_not_waited_for(void **state)
{
	struct peer_target target = usual_target();
	struct pool_wish wish = usual_wish(&target);
	struct pool *pool = fresh_pool(NEVER);
	struct pool_visit held, visit;
	struct deadline deadline;
	struct waiter waiter;

	wish.limit = 1;
	enter(pool, &held, &wish);
	assert_int_equal(pool_enter(pool, &visit, &wish, deadline_in(SOON),
	    NULL), ERR_BUSY);
	deadline = deadline_in(LONG);
	assert_int_equal(pool_enter(pool, &visit, &wish, deadline, NULL),
	    ERR_BUSY);
	assert_true(deadline_left(deadline) > 0);
	pool_leave(pool, &held, NULL);
	unit_case("the next one is not to blame");
	enter(pool, &held, &wish);
	start_waiter(&waiter, pool, &wish, LONG);
	pool_leave(pool, &held, NULL);
	pthread_join(waiter.thread, NULL);
	assert_int_equal(waiter.err, 0);
	pool_free(pool);
}

static void
the_end_wakes_those_who_wait(void **state)
{
	struct peer_target target = usual_target();
	struct pool_wish wish = usual_wish(&target);
	struct pool *pool = fresh_pool(NEVER);
	struct pool_visit held;
	struct waiter waiter;

	wish.limit = 1;
	enter(pool, &held, &wish);
	start_waiter(&waiter, pool, &wish, NEVER);
	pool_stop(pool);
	pthread_join(waiter.thread, NULL);
	assert_int_equal(waiter.err, ERR_BUSY);
	pool_leave(pool, &held, NULL);
	pool_free(pool);
}

/* ---- many at once ---- */

enum { THREADS = 8, LETTERS = 25 };

struct sender {
	struct pool *pool;
	const struct pool_wish *wish;
	pthread_t thread;
};

static void *
run_sender(void *argument)
{
	struct sender *sender = argument;

	for (int i = 0; i < LETTERS; i++)
		deliver(sender->pool, sender->wish);
	return NULL;
}

static void
many_at_once(void **state)
{
	struct peer_target target = usual_target();
	struct pool_wish wish = usual_wish(&target);
	struct pool *pool = fresh_pool(NEVER);
	struct sender senders[THREADS];
	struct unit_host_count count;

	wish.limit = THREADS / 2;
	for (size_t i = 0; i < THREADS; i++) {
		senders[i] = (struct sender){.pool = pool, .wish = &wish};
		assert_int_equal(pthread_create(&senders[i].thread, NULL,
		    run_sender, &senders[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(senders[i].thread, NULL);
	count = unit_host_count(host);
	assert_int_equal(count.messages, THREADS * LETTERS);
	assert_int_equal(count.connections, THREADS / 2);
	assert_int_equal(count.most_open, THREADS / 2);
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_HOST(limits_hold),
	    WITH_HOST(idle_sessions_make_room),
	    WITH_HOST(turns_in_the_order_of_coming),
	    WITH_HOST(a_slow_host_is_not_waited_for),
	    WITH_HOST(the_end_wakes_those_who_wait),
	    WITH_HOST(many_at_once),
	};

	return cmocka_run_group_tests(tests, pool_world_start, pool_world_end);
}
