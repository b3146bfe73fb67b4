/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/policy_world.h"

#include <stdio.h>

#include "policy/decide.h"
#include "policy/map.h"

static void
a_deadline_passes_and_work_goes_on(void **state)
{
	struct world *world = world_new("");
	struct facts_answer answer;

	world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "");
	world->gate_closed = true;
	answer = world_ask(world, decide_outbound, "alpha.test",
	    "bob@beta.test", "", 50);
	assert_int_equal(answer.action, POLICY_DEFER);
	assert_int_equal(answer.err, ERR_TIMEOUT);
	facts_answer_free(&answer);
	world_open_gate(world);
	answer = world_decide(world, "bob@beta.test");
	assert_int_equal(answer.action, POLICY_DARK);
	facts_answer_free(&answer);
	assert_int_equal(world->fetched, 1);
	world_free(world);
}

struct caller {
	struct world *world;
	pthread_t thread;
	enum policy_action action;
};

static void *
call(void *argument)
{
	struct caller *caller = argument;
	struct facts_answer answer = world_decide(caller->world,
	    "bob@beta.test");

	caller->action = answer.action;
	facts_answer_free(&answer);
	return NULL;
}

static void
a_hundred_callers(void **state)
{
	static struct caller callers[100];
	struct world *world = world_new("");

	world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "");
	for (size_t i = 0; i < COUNT(callers); i++) {
		callers[i].world = world;
		assert_int_equal(pthread_create(&callers[i].thread, NULL, call,
		                     &callers[i]), 0);
	}
	for (size_t i = 0; i < COUNT(callers); i++) {
		pthread_join(callers[i].thread, NULL);
		assert_int_equal(callers[i].action, POLICY_DARK);
	}
	assert_int_equal(world->asked, 1);
	assert_int_equal(world->fetched, 1);
	world_free(world);
}

/* Time stands still for what Postfix may wait in all; the waits themselves are
 * real. */
static int64_t
no_time(const struct clock *clock)
{
	return 1000000;
}

static struct world *
world_of_one_window(const char *settings)
{
	static const struct clock still = {no_time, no_time};
	struct world *world = world_new(settings);

	patience_free(world->policyd.patience);
	assert_int_equal(patience_new(&still, &world->policyd.patience), 0);
	world->dns_silent = true;
	return world;
}

static void
ask_cold_names(struct world *world, int count)
{
	char address[40];

	for (int i = 0; i < count; i++) {
		snprintf(address, sizeof(address), "bob@cold%d.test", i);
		assert_string_equal(world_map(world, "transport", address),
		    ENCRYPT);
	}
}

/*
 * With DNS silent, a thousand cold names in a row cost Postfix one second in
 * any ten, however they are asked: four waits while DNS seems alive, of 300
 * milliseconds and what is left; short ones when it does not, and then none.
 */
static void
the_map_does_not_wait_for_dns(void **state)
{
	struct world *world = world_of_one_window("");
	uint64_t waits;

	ask_cold_names(world, 1000);
	assert_in_range(atomic_load(&world->policyd.statistics.map_waited), 1,
	    4);
	assert_int_equal(atomic_load(&world->policyd.statistics.map_unknown),
	    1000);
	world_free(world);

	unit_case("DNS has been silent for a while");
	world = world_of_one_window("");
	world->dns_dead = true;
	ask_cold_names(world, 1000);
	waits = atomic_load(&world->policyd.statistics.map_waited);
	assert_in_range(waits, 1, PATIENCE_SPENT / MAP_WAIT_BRIEF);
	unit_case("it wakes up: the allowance is what it was");
	world->dns_dead = false;
	ask_cold_names(world, 1000);
	assert_int_equal(atomic_load(&world->policyd.statistics.map_waited),
	    waits);
	world_free(world);
}

/* What DNS has nothing to say of, or can change nothing of, costs nothing. */
static void
what_the_map_never_waits_for(void **state)
{
	static const char *const keys[] = {"bob@alpha.test", "bob@local.test",
	    "bob@localhost", "bob", "*", "", "bob@[192.0.2.1]",
	    "bob@required.test", "bob@be ta.test", "bob@\xc3\xb6rg"};
	struct world *world = world_of_one_window(
	    "rule r { to = {\"required.test\"}\nmode = required }\n");

	for (size_t i = 0; i < COUNT(keys); i++) {
		unit_case(keys[i]);
		world_map(world, "transport", keys[i]);
		assert_int_equal(
		    atomic_load(&world->policyd.statistics.map_waited), 0);
	}
	unit_case("the other map asks nobody");
	world_map(world, "sender", "alice@cold.test");
	assert_int_equal(atomic_load(&world->policyd.statistics.map_waited),
	    0);
	world_free(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_deadline_passes_and_work_goes_on),
	    cmocka_unit_test(a_hundred_callers),
	    cmocka_unit_test(the_map_does_not_wait_for_dns),
	    cmocka_unit_test(what_the_map_never_waits_for),
	};

	return cmocka_run_group_tests_name("policyd", tests, unit_start,
	    unit_end);
}
