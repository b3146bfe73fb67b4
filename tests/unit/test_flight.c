/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "policy/flight.h"

enum { CALLERS = 100 };

static atomic_int living, started;

struct thing {
	struct memory_value value; /* first */
	int number;
};

static void
destroy(struct memory_value *value)
{
	atomic_fetch_sub(&living, 1);
	free(value);
}

static struct memory_value *
thing_new(int number)
{
	struct thing *thing = malloc(sizeof(*thing));

	if (thing == NULL)
		abort();
	memory_value_start(&thing->value, 1, 0, destroy);
	thing->number = number;
	atomic_fetch_add(&living, 1);
	return &thing->value;
}

/* ---- a runway: flights stay in the air until the test lands them ---- */

static struct {
	pthread_mutex_t lock;
	struct flight *flights[CALLERS];
	size_t count;
} runway = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
hold(void *context, struct flight *flight)
{
	pthread_mutex_lock(&runway.lock);
	runway.flights[runway.count++] = flight;
	pthread_mutex_unlock(&runway.lock);
	atomic_fetch_add(&started, 1);
}

static void
land_at_once(void *context, struct flight *flight)
{
	atomic_fetch_add(&started, 1);
	flight_land(flight, thing_new((int)flight_key(flight).length));
}

static void
land_nothing(void *context, struct flight *flight)
{
	flight_land(flight, NULL);
}

static int
join(struct flights *flights, const char *key, int64_t wait, int *number)
{
	struct memory_value *value;
	int err = flights_join(flights, span_string(key), deadline_in(wait),
	    &value);

	*number = err == 0 ? ((struct thing *)value)->number : -1;
	memory_release(value);
	return err;
}

/* ---- tests ---- */

static void
lands_within_start(void **state)
{
	struct flights *flights;
	int number;

	started = 0;
	assert_int_equal(flights_new(10, land_at_once, NULL, &flights), 0);
	assert_int_equal(join(flights, "abc", 0, &number), 0);
	assert_int_equal(number, 3);
	assert_int_equal(join(flights, "abc", 0, &number), 0);
	assert_int_equal(started, 2);
	assert_int_equal(flights_in_the_air(flights), 0);
	flights_free(flights);
	assert_int_equal(living, 0);
}

static void
no_memory_is_an_error(void **state)
{
	struct flights *flights;
	int number;

	assert_int_equal(flights_new(10, land_nothing, NULL, &flights), 0);
	assert_int_equal(join(flights, "abc", 1000, &number), ERR_MEMORY);
	flights_free(flights);
}

static void
work_goes_on_after_the_deadline(void **state)
{
	struct flights *flights;
	int number;

	started = 0;
	runway.count = 0;
	assert_int_equal(flights_new(10, hold, NULL, &flights), 0);
	assert_int_equal(join(flights, "a", 0, &number), ERR_TIMEOUT);
	assert_int_equal(join(flights, "a", 20, &number), ERR_TIMEOUT);
	assert_int_equal(started, 1);
	assert_int_equal(flights_in_the_air(flights), 1);
	assert_false(flights_drain(flights, deadline_in(20)));
	flight_land(runway.flights[0], thing_new(5));
	assert_true(flights_drain(flights, deadline_in(20)));
	unit_case("nobody waited: the value is gone");
	assert_int_equal(living, 0);
	unit_case("a new flight for who comes later");
	assert_int_equal(join(flights, "a", 0, &number), ERR_TIMEOUT);
	assert_int_equal(started, 2);
	flight_land(runway.flights[1], thing_new(6));
	flights_free(flights);
	assert_int_equal(living, 0);
}

static void
limit_is_kept(void **state)
{
	struct flights *flights;
	int number;

	runway.count = 0;
	assert_int_equal(flights_new(2, hold, NULL, &flights), 0);
	assert_int_equal(join(flights, "a", 0, &number), ERR_TIMEOUT);
	assert_int_equal(join(flights, "b", 0, &number), ERR_TIMEOUT);
	assert_int_equal(join(flights, "c", 1000, &number), ERR_BUSY);
	unit_case("joining one in the air is no new one");
	assert_int_equal(join(flights, "a", 0, &number), ERR_TIMEOUT);
	flight_land(runway.flights[0], thing_new(1));
	assert_int_equal(join(flights, "c", 0, &number), ERR_TIMEOUT);
	flight_land(runway.flights[1], thing_new(1));
	flight_land(runway.flights[2], thing_new(1));
	flights_free(flights);
	assert_int_equal(living, 0);
}

struct caller {
	struct flights *flights;
	pthread_t thread;
	int err, number;
};

static void *
call(void *argument)
{
	struct caller *caller = argument;

	caller->err = join(caller->flights, "name", 20000, &caller->number);
	return NULL;
}

static void
start_callers(struct flights *flights, struct caller *callers)
{
	for (size_t i = 0; i < CALLERS; i++) {
		callers[i].flights = flights;
		assert_int_equal(pthread_create(&callers[i].thread, NULL, call,
		                     &callers[i]), 0);
	}
}

static void
a_hundred_callers_one_flight(void **state)
{
	static struct caller callers[CALLERS];
	struct flights *flights;

	started = 0;
	runway.count = 0;
	assert_int_equal(flights_new(10, hold, NULL, &flights), 0);
	start_callers(flights, callers);
	while (atomic_load(&started) == 0 ||
	    flights_people(flights, span_string("name")) <= CALLERS)
		sched_yield();
	flight_land(runway.flights[0], thing_new(42));
	for (size_t i = 0; i < CALLERS; i++) {
		pthread_join(callers[i].thread, NULL);
		assert_int_equal(callers[i].err, 0);
		assert_int_equal(callers[i].number, 42);
	}
	assert_int_equal(started, 1);
	flights_free(flights);
	assert_int_equal(living, 0);
}

static void
stop_wakes_everybody(void **state)
{
	static struct caller callers[CALLERS];
	struct flights *flights;
	int number;

	started = 0;
	runway.count = 0;
	assert_int_equal(flights_new(10, hold, NULL, &flights), 0);
	start_callers(flights, callers);
	while (atomic_load(&started) == 0 ||
	    flights_people(flights, span_string("name")) <= CALLERS)
		sched_yield();
	flights_stop(flights);
	for (size_t i = 0; i < CALLERS; i++) {
		pthread_join(callers[i].thread, NULL);
		assert_int_equal(callers[i].err, ERR_TIMEOUT);
	}
	assert_int_equal(join(flights, "other", 20000, &number), ERR_TIMEOUT);
	flight_land(runway.flights[0], thing_new(1));
	flight_land(runway.flights[1], thing_new(1));
	flights_free(flights);
	assert_int_equal(living, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lands_within_start),
	    cmocka_unit_test(no_memory_is_an_error),
	    cmocka_unit_test(work_goes_on_after_the_deadline),
	    cmocka_unit_test(limit_is_kept),
	    cmocka_unit_test(a_hundred_callers_one_flight),
	    cmocka_unit_test(stop_wakes_everybody),
	};

	return cmocka_run_group_tests_name("flight", tests, unit_start,
	    unit_end);
}
