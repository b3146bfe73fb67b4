/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/policy_world.h"

#include <stdio.h>

#include "policy/inquiry.h"
#include "policy/tend.h"

/* ---- pins ---- */

static void
pins_hold(void **state)
{
	static const struct {
		const char *name, *fields;
		enum dns_answer first; /* with the record */
		int64_t days;          /* that the pin holds; 0: none */
	} cases[] = {
	    {"default", "", DNS_PRESENT_SECURE, 30},
	    {"its own time", "exp=90", DNS_PRESENT_SECURE, 90},
	    {"capped", "exp=36500", DNS_PRESENT_SECURE, 365},
	    {"not confirmed", "exp=90", DNS_PRESENT_INSECURE, 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world *world = world_new("");
		struct facts_answer answer;
		const int64_t until =
		    world_now(world) + cases[i].days * DAY;

		unit_case(cases[i].name);
		world->peer = WORLD_DEAD;
		world_set_record(world, "beta.test", cases[i].first,
		    cases[i].fields);
		answer = world_decide(world, "bob@beta.test");
		assert_int_equal(answer.pinned_until,
		    cases[i].days == 0 ? 0 : until);
		facts_answer_free(&answer);

		unit_case("the record goes: still DIME, by the pin's policy");
		world_set_zone(world, (struct world_zone){"beta.test",
		    DNS_ABSENT_PROVEN, 60, {NULL}, false});
		world_pass(world, 600);
		answer = world_decide(world, "bob@beta.test");
		assert_int_equal(answer.facts.dns, DNS_ABSENT_PROVEN);
		assert_int_equal(answer.facts.pinned, cases[i].days > 0);
		assert_int_equal(answer.action,
		    cases[i].days > 0 ? POLICY_DEFER : POLICY_NAKED);
		assert_string_equal(world_map(world, "transport",
		                        "bob@beta.test"),
		    cases[i].days > 0 ? ENCRYPT : NAKED);
		facts_answer_free(&answer);

		unit_case("until it has run out");
		world_pass(world, until - world_now(world) - 1);
		assert_string_equal(world_map(world, "transport",
		                        "bob@beta.test"),
		    cases[i].days > 0 ? ENCRYPT : NAKED);
		world_pass(world, 61);
		assert_string_equal(world_map(world, "transport",
		                        "bob@beta.test"), NAKED);
		world_free(world);
	}
}

static void
certificate_sets_a_short_pin(void **state)
{
	struct world *world = world_new("");
	const int64_t until = world_now(world) + 30 * DAY;
	struct facts_answer answer;

	world_set_record(world, "beta.test", DNS_PRESENT_INSECURE, "exp=90");
	answer = world_decide(world, "bob@beta.test");
	assert_int_equal(answer.action, POLICY_DARK);
	facts_answer_free(&answer);
	world_set_zone(world, (struct world_zone){"beta.test",
	    DNS_ABSENT_INSECURE, 60, {NULL}, false});
	world_pass(world, 600);
	answer = world_decide(world, "bob@beta.test");
	assert_true(answer.facts.pinned);
	assert_int_equal(answer.pinned_until, until);
	facts_answer_free(&answer);
	world_free(world);
}

/* A pinned domain stays DIME through every failure, and mail to it goes on with
 * the record that the pin remembers. */
static void
pinned_through_failures(void **state)
{
	static const enum dns_answer failures[] = {DNS_BOGUS, DNS_UNREACHABLE,
	    DNS_ABSENT_PROVEN, DNS_ABSENT_INSECURE};

	for (size_t i = 0; i < COUNT(failures); i++) {
		struct world *world = world_new("");
		struct facts_answer answer;

		unit_case(dns_answer_name(failures[i]));
		world_set_record(world, "beta.test", DNS_PRESENT_SECURE,
		    "pol=experimental");
		world_drop(world_decide(world, "carol@beta.test"));
		world_set_zone(world, (struct world_zone){"beta.test",
		    failures[i], 60, {NULL}, false});
		world_pass(world, 3600);
		answer = world_decide(world, "bob@beta.test");
		assert_int_equal(answer.facts.dns, failures[i]);
		assert_int_equal(answer.action, POLICY_DARK);
		assert_string_equal(answer.source, "pin");
		facts_answer_free(&answer);
		assert_string_equal(world_map(world, "transport",
		                        "bob@beta.test"), ENCRYPT);
		world_free(world);
	}
}

static void
forgetting(void **state)
{
	struct world *world = world_new("");
	struct facts_answer answer;

	world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "");
	world_drop(world_decide(world, "bob@beta.test"));
	unit_case("an address: its signet is fetched again");
	answer = world_ask(world, inquiry_forget, "", "bob@beta.test", "", 0);
	assert_int_equal(answer.err, 0);
	facts_answer_free(&answer);
	world_drop(world_decide(world, "bob@beta.test"));
	assert_int_equal(world->asked, 1);
	assert_int_equal(world->fetched, 2);
	unit_case("a domain: record, pin and signets are gone");
	world_set_zone(world, (struct world_zone){"beta.test",
	    DNS_ABSENT_PROVEN, 60, {NULL}, false});
	answer = world_ask(world, inquiry_forget, "", "beta.test", "", 0);
	assert_int_equal(answer.err, 0);
	facts_answer_free(&answer);
	answer = world_decide(world, "bob@beta.test");
	assert_int_equal(answer.action, POLICY_NAKED);
	assert_int_equal(answer.pinned_until, 0);
	facts_answer_free(&answer);
	unit_case("nonsense");
	answer = world_ask(world, inquiry_forget, "", "a b", "", 0);
	assert_int_equal(answer.err, ERR_USAGE);
	facts_answer_free(&answer);
	world_free(world);
}

static int
count_fetched(struct world *world)
{
	int count;

	pthread_mutex_lock(&world->lock);
	count = world->fetched;
	pthread_mutex_unlock(&world->lock);
	return count;
}

/* What is in the air when somebody says to forget was asked for before. */
static void
forgetting_in_the_air(void **state)
{
	static const char *const names[] = {"bob@beta.test", "beta.test"};

	for (size_t i = 0; i < COUNT(names); i++) {
		struct world *world = world_new("");
		struct facts_answer answer;

		unit_case(names[i]);
		world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "");
		world->gate_closed = true;
		while (count_fetched(world) == 0)
			world_drop(world_ask(world, decide_outbound,
			    "alice@alpha.test", "bob@beta.test", "", 20));
		world_drop(world_ask(world, inquiry_forget, "", names[i], "",
		    0));
		world_open_gate(world);
		assert_true(signets_drain(world->policyd.signets,
		    deadline_in(60000)));
		assert_int_equal(world->fetched, 1);
		answer = world_decide(world, "bob@beta.test");
		assert_int_equal(answer.action, POLICY_DARK);
		facts_answer_free(&answer);
		assert_int_equal(world->fetched, 2);
		world_free(world);
	}
}

/* However many are to be refreshed at hosts that no longer answer: who waits
 * for another of the domain's is not kept from it. */
static void
refreshing_leaves_room(void **state)
{
	struct world *world = world_new("");
	struct facts_answer answer;
	char address[32];

	world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "");
	for (int i = 0; i < 32; i++) {
		if (i == 16)
			world_pass(world, 8 * 60);
		snprintf(address, sizeof(address), "%d@beta.test", i % 16);
		answer = world_decide(world, address);
		assert_int_equal(answer.action, POLICY_DARK);
		facts_answer_free(&answer);
	}
	assert_int_equal(count_fetched(world), 16);
	world->gate_closed = true;
	world_pass(world, 390);
	for (int i = 0; i < 2 * TEND_ROUNDS; i++)
		tend(&world->policyd);
	answer = world_ask(world, decide_outbound, "alice@alpha.test",
	    "bob@beta.test", "", 50);
	assert_int_equal(answer.err, ERR_TIMEOUT);
	facts_answer_free(&answer);
	world_open_gate(world);
	assert_true(signets_drain(world->policyd.signets, deadline_in(60000)));
	assert_in_range(count_fetched(world), 18, 21);
	world_free(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pins_hold),
	    cmocka_unit_test(certificate_sets_a_short_pin),
	    cmocka_unit_test(pinned_through_failures),
	    cmocka_unit_test(forgetting),
	    cmocka_unit_test(forgetting_in_the_air),
	    cmocka_unit_test(refreshing_leaves_room),
	};

	return cmocka_run_group_tests_name("policyd", tests, unit_start,
	    unit_end);
}
