/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "policy/memory.h"
#include "policy/patience.h"

/* ---- a clock that stands where it is put ---- */

struct test_clock {
	struct clock clock; /* first */
	int64_t wall, monotonic;
};

static int64_t
test_wall(const struct clock *clock)
{
	return ((const struct test_clock *)clock)->wall;
}

static int64_t
test_monotonic(const struct clock *clock)
{
	return ((const struct test_clock *)clock)->monotonic;
}

static struct test_clock
clock_at(int64_t wall, int64_t monotonic)
{
	return (struct test_clock){{test_wall, test_monotonic}, wall,
	    monotonic};
}

/* ---- values ---- */

struct thing {
	struct memory_value value; /* first */
	int number;
};

static atomic_int living;

static void
destroy(struct memory_value *value)
{
	atomic_fetch_sub(&living, 1);
	free(value);
}

static struct thing *
thing_new(int number, size_t octets, int64_t expires)
{
	struct thing *thing = malloc(sizeof(*thing));

	assert_non_null(thing);
	memory_value_start(&thing->value, octets, expires, destroy);
	thing->number = number;
	atomic_fetch_add(&living, 1);
	return thing;
}

static void
put(struct memory *memory, const char *key, int number, size_t octets,
    int64_t expires)
{
	struct thing *thing = thing_new(number, octets, expires);

	memory_put(memory, span_string(key), &thing->value);
	memory_release(&thing->value);
}

/* The number under the key, or -1. */
static int
get(struct memory *memory, const char *key)
{
	struct thing *thing =
	    (struct thing *)memory_get(memory, span_string(key));
	int number = thing == NULL ? -1 : thing->number;

	memory_release(thing == NULL ? NULL : &thing->value);
	return number;
}

/* ---- tests ---- */

static void
keeps_replaces_drops(void **state)
{
	struct test_clock clock = clock_at(1000, 0);
	struct memory_counters counters;
	struct memory *memory;

	assert_int_equal(memory_new(1 << 20, &clock.clock, &memory), 0);
	assert_int_equal(get(memory, "a"), -1);
	put(memory, "a", 1, 100, 2000);
	put(memory, "b", 2, 100, 2000);
	assert_int_equal(get(memory, "a"), 1);
	put(memory, "a", 3, 100, 2000);
	assert_int_equal(get(memory, "a"), 3);
	assert_int_equal(get(memory, "b"), 2);
	assert_int_equal(living, 2);
	memory_drop(memory, span_string("a"));
	memory_drop(memory, span_string("nothing"));
	assert_int_equal(get(memory, "a"), -1);
	assert_int_equal(living, 1);
	memory_count(memory, &counters);
	assert_int_equal(counters.entries, 1);
	assert_int_equal(counters.hits, 3);
	assert_int_equal(counters.misses, 2);
	memory_free(memory);
	assert_int_equal(living, 0);
}

static void
expires_by_the_clock(void **state)
{
	struct test_clock clock = clock_at(1000, 0);
	struct memory *memory;

	assert_int_equal(memory_new(1 << 20, &clock.clock, &memory), 0);
	put(memory, "a", 1, 100, 1060);
	clock.wall = 1059;
	assert_int_equal(get(memory, "a"), 1);
	clock.wall = 1060;
	assert_int_equal(get(memory, "a"), -1);
	assert_int_equal(living, 0);
	clock.wall = 1000;
	assert_int_equal(get(memory, "a"), -1);
	memory_free(memory);
}

static void
last_used_stays(void **state)
{
	struct test_clock clock = clock_at(1000, 0);
	struct memory_counters counters;
	struct memory *memory;
	char key[16];

	/* Room for nine of these and what goes with each. */
	assert_int_equal(memory_new(10000, &clock.clock, &memory), 0);
	for (int i = 0; i < 9; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		put(memory, key, i, 1000, 2000);
	}
	assert_int_equal(get(memory, "k0"), 0);
	put(memory, "new", 100, 1000, 2000);
	assert_int_equal(get(memory, "k1"), -1);
	assert_int_equal(get(memory, "k0"), 0);
	assert_int_equal(get(memory, "new"), 100);
	memory_count(memory, &counters);
	assert_true(counters.octets <= 10000);
	assert_true(counters.evicted >= 1);
	assert_int_equal(counters.entries, (size_t)living);
	memory_free(memory);
	assert_int_equal(living, 0);
}

static void
one_value_cannot_have_it_all(void **state)
{
	struct test_clock clock = clock_at(1000, 0);
	struct memory *memory;

	assert_int_equal(memory_new(10000, &clock.clock, &memory), 0);
	put(memory, "small", 1, 100, 2000);
	put(memory, "large", 2, 2501, 2000);
	assert_int_equal(get(memory, "large"), -1);
	assert_int_equal(get(memory, "small"), 1);
	memory_free(memory);
	assert_int_equal(living, 0);
}

static bool
ends_with_three(void *context, struct span key)
{
	++*(int *)context;
	return key.data[key.length - 1] == '3';
}

static void
drops_what_matches(void **state)
{
	struct test_clock clock = clock_at(1000, 0);
	struct memory *memory;
	char key[16];
	int seen = 0;

	assert_int_equal(memory_new(1 << 20, &clock.clock, &memory), 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		put(memory, key, i, 10, 2000);
	}
	memory_drop_matching(memory, ends_with_three, &seen);
	assert_int_equal(seen, 1000);
	assert_int_equal(living, 900);
	assert_int_equal(get(memory, "k13"), -1);
	assert_int_equal(get(memory, "k14"), 14);
	memory_free(memory);
	assert_int_equal(living, 0);
}

/* Whoever holds a value keeps it, whatever becomes of the table. */
static void
holders_outlive_the_table(void **state)
{
	struct test_clock clock = clock_at(1000, 0);
	struct memory *memory;
	struct memory_value *value;

	assert_int_equal(memory_new(1 << 20, &clock.clock, &memory), 0);
	put(memory, "a", 7, 100, 2000);
	value = memory_get(memory, span_string("a"));
	memory_free(memory);
	assert_int_equal(living, 1);
	assert_int_equal(((struct thing *)value)->number, 7);
	memory_release(value);
	assert_int_equal(living, 0);
}

static void *
hammer(void *argument)
{
	struct memory *memory = argument;
	char key[16];

	for (int i = 0; i < 4000; i++) {
		struct thing *thing;

		snprintf(key, sizeof(key), "k%d", i % 37);
		thing = (struct thing *)memory_get(memory, span_string(key));
		if (thing != NULL) {
			if (thing->number != i % 37)
				abort();
			memory_release(&thing->value);
		} else {
			thing = malloc(sizeof(*thing));
			if (thing == NULL)
				abort();
			memory_value_start(&thing->value, 100, 2000, destroy);
			thing->number = i % 37;
			atomic_fetch_add(&living, 1);
			memory_put(memory, span_string(key), &thing->value);
			memory_release(&thing->value);
		}
		if (i % 11 == 0)
			memory_drop(memory, span_string(key));
	}
	return NULL;
}

static void
many_threads(void **state)
{
	struct test_clock clock = clock_at(1000, 0);
	struct memory *memory;
	pthread_t threads[4];

	assert_int_equal(memory_new(5000, &clock.clock, &memory), 0);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer,
		                     memory), 0);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	memory_free(memory);
	assert_int_equal(living, 0);
}

/* ---- patience ---- */

static void
patience_is_bounded(void **state)
{
	struct test_clock clock = clock_at(0, 5000000);
	struct patience *patience;

	assert_int_equal(patience_new(&clock.clock, &patience), 0);
	unit_case("three whole waits and a part of one");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(patience_take(patience, 300), 300);
		clock.monotonic += 300;
		patience_give(patience, 300, 300);
	}
	assert_int_equal(patience_take(patience, 300), 100);
	patience_give(patience, 100, 100);
	assert_int_equal(patience_take(patience, 300), 0);
	patience_give(patience, 0, 0);

	unit_case("nothing comes back before the window has passed");
	clock.monotonic = 5000000 + 10000;
	assert_int_equal(patience_take(patience, 1), 0);
	unit_case("and then what was used longest ago");
	clock.monotonic = 5000000 + 300 + 10100;
	assert_int_equal(patience_take(patience, 1000), 300);
	patience_give(patience, 300, 0);

	unit_case("what is taken and not given back counts");
	clock.monotonic += 60000;
	assert_int_equal(patience_take(patience, 700), 700);
	assert_int_equal(patience_take(patience, 700), 300);
	assert_int_equal(patience_take(patience, 700), 0);
	patience_give(patience, 700, 2);
	patience_give(patience, 300, 3);
	assert_int_equal(patience_take(patience, 1000), 995);
	patience_give(patience, 995, 0);
	patience_free(patience);
}

/* However the waits fall, no window of ten seconds holds more than one second
 * of them. */
static void
patience_in_any_window(void **state)
{
	enum { STEPS = 4000, STEP = 37 };
	static int64_t ends[STEPS], used[STEPS];
	struct test_clock clock = clock_at(0, 123456);
	struct patience *patience;

	assert_int_equal(patience_new(&clock.clock, &patience), 0);
	for (int i = 0; i < STEPS; i++) {
		const int64_t taken = patience_take(patience, 300);

		used[i] = taken * (i % 5) / 4;
		clock.monotonic += used[i];
		patience_give(patience, taken, used[i]);
		ends[i] = clock.monotonic;
		clock.monotonic += STEP;
	}
	for (int i = 0; i < STEPS; i++) {
		int64_t sum = 0;

		for (int j = i; j >= 0 && ends[j] > ends[i] - PATIENCE_WINDOW;
		     j--)
			sum += used[j];
		assert_true(sum <= PATIENCE_SPENT);
	}
	patience_free(patience);
}

/* ---- refreshing ---- */

enum { START = 1700000000, REFRESHED = 1000, LIFE = 1000 };

static void
count_due(void *context, struct span key)
{
	int *due = context;
	int number;

	assert_int_equal(key.length, sizeof(number));
	memcpy(&number, key.data, sizeof(number));
	due[number]++;
}

static int
sum(const int *due)
{
	int total = 0;

	for (int i = 0; i < REFRESHED; i++)
		total += due[i];
	return total;
}

static void
what_was_used_is_due_once_at_its_own_moment(void **state)
{
	struct test_clock clock = clock_at(START, 0);
	static int due[REFRESHED];
	struct memory *memory;
	int before = 0, moments = 0;

	assert_int_equal(memory_new(1 << 20, &clock.clock, &memory), 0);
	for (int i = 0; i < REFRESHED; i++) {
		struct thing *thing = thing_new(i, 10, START + LIFE);

		thing->value.lifetime = i % 10 == 9 ? 0 : LIFE;
		memory_put(memory, span_of(&i, sizeof(i)), &thing->value);
		memory_release(&thing->value);
	}
	for (int i = 0; i < REFRESHED; i++) {
		/* One in two is used, and one in four too early to count. */
		clock.wall = START + (i % 4 == 0 ? LIFE / 10 - 1 : LIFE / 2);
		if (i % 2 == 0)
			memory_release(
			    memory_get(memory, span_of(&i, sizeof(i))));
	}
	clock.wall = START + LIFE * 8 / 10 - 1;
	for (; clock.wall < START + LIFE; clock.wall++) {
		for (int i = 0; i < 3; i++)
			memory_sweep(memory, 2, count_due, due);
		if (clock.wall < START + LIFE * 8 / 10)
			assert_int_equal(sum(due), 0);
		moments += sum(due) > before;
		before = sum(due);
		if (clock.wall == START + LIFE * 9 / 10)
			assert_int_equal(before, REFRESHED / 4);
	}
	for (int i = 0; i < REFRESHED; i++)
		assert_int_equal(due[i], i % 4 == 2);
	/* Of a hundred. */
	assert_true(moments > 50);
	memory_free(memory);
	assert_int_equal(living, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keeps_replaces_drops),
	    cmocka_unit_test(expires_by_the_clock),
	    cmocka_unit_test(last_used_stays),
	    cmocka_unit_test(one_value_cannot_have_it_all),
	    cmocka_unit_test(drops_what_matches),
	    cmocka_unit_test(holders_outlive_the_table),
	    cmocka_unit_test(many_threads),
	    cmocka_unit_test(what_was_used_is_due_once_at_its_own_moment),
	    cmocka_unit_test(patience_is_bounded),
	    cmocka_unit_test(patience_in_any_window),
	};

	return cmocka_run_group_tests_name("memory", tests, unit_start,
	    unit_end);
}
