/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/cache_world.h"

#include <signal.h>

#include "cache/breaker.h"
#include "tests/unit/unit_impostor.h"

/* Redis may be away, slow, or something else. */

enum { LATE = 20000 }; /* milliseconds; later than any machine is slow */

static void
a_killed_redis_costs_nothing_but_misses(void **state)
{
	struct world *world = *state;

	UNIT_REDIS_NEEDED(&world->redis);
	world_put(world, "a", "one", START + 100);
	unit_redis_stop(&world->redis);
	for (int i = 0; i < 10; i++)
		assert_string_equal(world_get(world, "a"), "");
	assert_int_equal(world_counters(world).errors, 3);
	assert_int_equal(world_counters(world).skipped, 7);
	unit_redis_start(&world->redis, "");
	world_put(world, "a", "two", START + 100);
	assert_int_equal(world_counters(world).skipped, 8);
	world->clock.monotonic += 1000;
	world_put(world, "a", "two", START + 100);
	assert_string_equal(world_get(world, "a"), "two");
	assert_int_equal(world_counters(world).errors, 3);
}

/* Connections that lay idle over a restart are no failure. */
static void
a_restart_goes_unnoticed(void **state)
{
	struct world *world = *state;

	UNIT_REDIS_NEEDED(&world->redis);
	world_put(world, "a", "one", START + 100);
	assert_string_equal(world_get(world, "a"), "one");
	unit_redis_stop(&world->redis);
	unit_redis_start(&world->redis, "");
	world_put(world, "a", "two", START + 100);
	assert_string_equal(world_get(world, "a"), "two");
	assert_int_equal(world_counters(world).errors, 0);
}

static int64_t
milliseconds(void)
{
	return clock_monotonic(&clock_system);
}

static void
a_frozen_redis_is_waited_for_three_times(void **state)
{
	struct world *world = *state;
	int64_t started;

	UNIT_REDIS_NEEDED(&world->redis);
	world->settings.timeout = HASTY;
	world_new_cache(world);
	world_put(world, "a", "one", START + 100);
	kill(world->redis.pid, SIGSTOP);
	for (int i = 0; i < 3; i++) {
		started = milliseconds();
		assert_string_equal(world_get(world, "a"), "");
		assert_in_range(milliseconds() - started, HASTY / 2, LATE);
	}
	started = milliseconds();
	for (int i = 0; i < 1000; i++)
		assert_string_equal(world_get(world, "a"), "");
	assert_true(milliseconds() - started < LATE);
	assert_int_equal(world_counters(world).errors, 3);
	assert_int_equal(world_counters(world).skipped, 1000);
	kill(world->redis.pid, SIGCONT);
	world->clock.monotonic += 1000;
	for (int i = 0; i < 100 && world_counters(world).hits == 0; i++) {
		world_get(world, "a");
		world->clock.monotonic += 60000;
	}
	assert_int_equal(world_counters(world).hits, 1);
}

enum manner { WAITS, TRICKLES, HANGS_UP, NEVER_ENDS };

static void
odd_answers_are_misses(void **state)
{
	static const struct {
		const char *name, *answer;
		enum manner how;
	} cases[] = {
	    {"hangs up", "", HANGS_UP},
	    {"cut short", "$100\r\nabc", HANGS_UP},
	    {"silent in the middle", "$100\r\nabc", WAITS},
	    {"trickles", "$100\r\n0123456789012345678901234567890123456789",
	     TRICKLES},
	    {"an array", "*2000000000\r\n", WAITS},
	    {"nested arrays", "*1\r\n*1\r\n*1\r\n*1073741825\r\n", WAITS},
	    {"a map", "%2000000000\r\n", WAITS},
	    {"a push", ">2000000000\r\n", WAITS},
	    {"an attribute", "|2000000000\r\n", WAITS},
	    {"a huge string", "$2147483647\r\nabc", WAITS},
	    {"a negative string", "$-2\r\n", WAITS},
	    {"a number too large", ":99999999999999999999999\r\n", WAITS},
	    {"a status", "+OK\r\n", WAITS},
	    {"a status without end", "+OKOKOKOKOKOKOKOKOKOKOKOKOK",
	     NEVER_ENDS},
	    {"a string without end", "$2000000000\r\n", NEVER_ENDS},
	    {"answers without end", "$-1\r\n$3\r\nabc\r\n", NEVER_ENDS},
	    {"an error", "-LOADING Redis is loading\r\n", WAITS},
	    {"errors without end", "-READONLY\r\n", NEVER_ENDS},
	    {"another protocol", "HTTP/1.1 400 Bad Request\r\n\r\n", WAITS},
	    {"an empty string", "$0\r\n\r\n", WAITS},
	    {"nil", "$-1\r\n", WAITS},
	};
	struct world *world = *state;
	int64_t started;

	unit_redis_stop(&world->redis);
	world->settings.timeout = HASTY;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct impostor impostor = {.answer = cases[i].answer,
		    .trickle = cases[i].how == TRICKLES,
		    .hang_up = cases[i].how == HANGS_UP,
		    .endless = cases[i].how == NEVER_ENDS};

		unit_case(cases[i].name);
		impostor_start_unix(&impostor, world->redis.socket);
		world_new_cache(world);
		started = milliseconds();
		assert_string_equal(world_get(world, "a"), "");
		assert_true(milliseconds() - started < LATE);
		cache_free(world->cache);
		world->cache = NULL;
		impostor_end(&impostor);
	}
}

static void
the_breaker_opens_pauses_and_closes(void **state)
{
	struct moved_clock clock = world_start_of_time();
	int64_t pause = 1000;
	struct breaker breaker;
	bool probe, other;

	breaker_start(&breaker, &clock.clock);
	for (int i = 0; i < 3; i++) {
		assert_true(breaker_allows(&breaker, &probe));
		assert_false(probe);
		assert_int_equal(breaker_done(&breaker, probe, false),
		    i == 2 ? BREAKER_OPENED : BREAKER_SAME);
	}
	/* Late news of what was under way changes nothing. */
	assert_int_equal(breaker_done(&breaker, false, false), BREAKER_SAME);
	for (int i = 0; i < 8; i++) {
		clock.monotonic += pause - 1;
		assert_false(breaker_allows(&breaker, &probe));
		clock.monotonic++;
		assert_true(breaker_allows(&breaker, &probe));
		assert_true(probe);
		assert_false(breaker_allows(&breaker, &other));
		breaker_withdraw(&breaker, probe);
		assert_true(breaker_allows(&breaker, &probe));
		assert_int_equal(breaker_done(&breaker, probe, false),
		    BREAKER_SAME);
		pause = pause * 2 > 30000 ? 30000 : pause * 2;
	}
	clock.monotonic += pause;
	assert_true(breaker_allows(&breaker, &probe));
	assert_int_equal(breaker_done(&breaker, probe, true), BREAKER_CLOSED);
	for (int i = 0; i < 10; i++) {
		assert_true(breaker_allows(&breaker, &probe));
		assert_int_equal(breaker_done(&breaker, probe, i % 3 == 2),
		    BREAKER_SAME);
	}
	breaker_end(&breaker);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(a_killed_redis_costs_nothing_but_misses),
	    WORLD_TEST(a_restart_goes_unnoticed),
	    WORLD_TEST(a_frozen_redis_is_waited_for_three_times),
	    WORLD_TEST(odd_answers_are_misses),
	    cmocka_unit_test(the_breaker_opens_pauses_and_closes),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
