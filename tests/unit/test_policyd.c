/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/policy_world.h"

#include <stdio.h>

#include "policy/inquiry.h"
#include "policy/map.h"
#include "policy/tend.h"

#define ENCRYPT "OK dimeenc:[127.0.0.1]:10029"
#define NAKED "NOTFOUND"

enum {
	LONG = 20000 /* milliseconds: longer than anything takes */,
	DAY = 86400
};

static const char fingerprint_of_nobody[] =
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AA"
    "AAAAAAAAAA";

static struct facts_answer
decide(struct world *world, const char *to)
{
	return world_ask(world, decide_outbound, "alice@alpha.test", to, "",
	    LONG);
}

static struct facts_answer
ask_signet(struct world *world, const char *name, const char *fingerprint)
{
	return world_ask(world, inquiry_signet, "", name, fingerprint, LONG);
}

/* ---- what DNS says, up to the verdict ---- */

static void
seven_answers(void **state)
{
	static const struct {
		const char *name;
		struct world_zone zone;
		enum dns_answer dns;
		enum policy_action action; /* without a signet to be had */
		const char *map;
		int64_t lifetime; /* seconds in memory */
	} cases[] = {
	    {"no record, proven",
	     {"beta.test", DNS_ABSENT_PROVEN, 600, {NULL}, false},
	     DNS_ABSENT_PROVEN, POLICY_NAKED, NAKED, 600},
	    {"no record, unsigned zone",
	     {"beta.test", DNS_ABSENT_INSECURE, 600, {NULL}, false},
	     DNS_ABSENT_INSECURE, POLICY_NAKED, NAKED, 600},
	    {"absence does not last too long",
	     {"beta.test", DNS_ABSENT_PROVEN, 86400, {NULL}, false},
	     DNS_ABSENT_PROVEN, POLICY_NAKED, NAKED, 3600},
	    {"nor too short",
	     {"beta.test", DNS_ABSENT_PROVEN, 0, {NULL}, false},
	     DNS_ABSENT_PROVEN, POLICY_NAKED, NAKED, 60},
	    {"only SPF",
	     {"beta.test", DNS_PRESENT_SECURE, 600, {"v=spf1 -all"}, false},
	     DNS_ABSENT_PROVEN, POLICY_NAKED, NAKED, 600},
	    {"only SPF, unsigned zone",
	     {"beta.test", DNS_PRESENT_INSECURE, 600, {"v=spf1 -all"}, false},
	     DNS_ABSENT_INSECURE, POLICY_NAKED, NAKED, 600},
	    {"only SPF, no anchor",
	     {"beta.test", DNS_PRESENT_INSECURE, 600, {"v=spf1 -all"}, true},
	     DNS_UNREACHABLE, POLICY_DEFER, ENCRYPT, 5},
	    {"bogus", {"beta.test", DNS_BOGUS, 600, {NULL}, false},
	     DNS_BOGUS, POLICY_DEFER, ENCRYPT, 5},
	    {"unreachable", {"beta.test", DNS_UNREACHABLE, 600, {NULL}, false},
	     DNS_UNREACHABLE, POLICY_DEFER, ENCRYPT, 5},
	    {"malformed",
	     {"beta.test", DNS_PRESENT_SECURE, 600, {"pok=short"}, false},
	     DNS_MALFORMED, POLICY_DEFER, ENCRYPT, 5},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world *world = world_new("");
		struct facts_answer answer;

		unit_case(cases[i].name);
		world_set_zone(world, cases[i].zone);
		assert_string_equal(world_map(world, "transport",
		                        "bob@beta.test"), cases[i].map);
		answer = decide(world, "bob@beta.test");
		assert_int_equal(answer.facts.dns, cases[i].dns);
		assert_int_equal(answer.action, cases[i].action);
		assert_int_equal(answer.expires - world_now(world),
		    cases[i].lifetime);
		assert_int_equal(world->asked, 1);
		assert_int_equal(world->fetched, 0);
		facts_answer_free(&answer);
		unit_case("asked again when it is due, and not before");
		world_pass(world, cases[i].lifetime - 1);
		assert_string_equal(world_map(world, "transport",
		                        "bob@beta.test"), cases[i].map);
		assert_int_equal(world->asked, 1);
		world_pass(world, 1);
		assert_string_equal(world_map(world, "transport",
		                        "bob@beta.test"), cases[i].map);
		assert_int_equal(world->asked, 2);
		world_free(world);
	}
}

static void
several_records(void **state)
{
	struct world *world = world_new("");
	struct facts_answer answer;

	world_set_zone(world, (struct world_zone){"beta.test",
	    DNS_PRESENT_SECURE, 600, {buffer_string(&world->record),
	    buffer_string(&world->record), NULL}, false});
	answer = decide(world, "bob@beta.test");
	assert_int_equal(answer.facts.dns, DNS_MALFORMED);
	assert_int_equal(answer.err, ERR_RECORD);
	facts_answer_free(&answer);
	world_set_zone(world, (struct world_zone){"gamma.test",
	    DNS_PRESENT_SECURE, 600, {"v=spf1 -all",
	    buffer_string(&world->record), NULL}, false});
	answer = decide(world, "bob@gamma.test");
	assert_int_equal(answer.facts.dns, DNS_PRESENT_SECURE);
	facts_answer_free(&answer);
	world_free(world);
}

/* ---- signets ---- */

static void
dark_with_signets(void **state)
{
	struct world *world = world_new("");
	struct org_signet *org = NULL;
	struct user_signet *user = NULL;
	struct facts_answer answer;
	struct fault fault;

	world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "pol=strict");
	answer = decide(world, "Bob@Beta.TEST");
	assert_int_equal(answer.action, POLICY_DARK);
	assert_int_equal(answer.err, 0);
	assert_string_equal(answer.cell, "mixed->strict");
	assert_string_equal(answer.source, "network");
	assert_true(answer.confirmed);
	assert_int_equal(facts_verify(&answer, "bob@beta.test", &org, &user,
	                     &fault), 0);
	org_signet_free(org);
	user_signet_free(user);
	facts_answer_free(&answer);
	assert_int_equal(world->fetched, 1);

	unit_case("from memory");
	answer = decide(world, "bob@beta.test");
	assert_int_equal(answer.action, POLICY_DARK);
	assert_string_equal(answer.source, "memory");
	facts_answer_free(&answer);
	assert_int_equal(world->fetched, 1);

	unit_case("another user: the organization is known");
	answer = decide(world, "carol@beta.test");
	assert_int_equal(answer.action, POLICY_DARK);
	facts_answer_free(&answer);
	assert_int_equal(world->fetched, 2);

	unit_case("users are asked for again after a quarter of an hour");
	world_pass(world, 599); /* later they would be refreshed */
	facts_answer_free((answer = decide(world, "bob@beta.test"), &answer));
	assert_int_equal(world->fetched, 2);
	world_pass(world, 301);
	facts_answer_free((answer = decide(world, "bob@beta.test"), &answer));
	assert_int_equal(world->fetched, 3);
	world_free(world);
}

/* A record with another POK makes what was verified under the old one void. */
static void
signets_follow_the_record(void **state)
{
	struct world *world = world_new("");
	struct facts_answer answer;

	world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "");
	answer = decide(world, "bob@beta.test");
	assert_int_equal(answer.action, POLICY_DARK);
	facts_answer_free(&answer);
	world_set_zone(world, (struct world_zone){"beta.test",
	    DNS_PRESENT_SECURE, 600,
	    {"pok=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo"}, false});
	world_pass(world, 600);
	answer = decide(world, "bob@beta.test");
	assert_int_equal(answer.action, POLICY_DEFER);
	assert_int_equal(answer.facts.signet, SIGNET_BAD);
	assert_int_equal(answer.user_signet.length, 0);
	facts_answer_free(&answer);
	world_free(world);
}

/* So does what the peer has said of a user. */
static void
refusals_follow_the_record(void **state)
{
	struct world *world = world_new("");
	struct facts_answer answer;

	world_set_zone(world, (struct world_zone){"beta.test",
	    DNS_PRESENT_SECURE, 60, {buffer_string(&world->record)}, false});
	world->peer = WORLD_NOT_ENABLED;
	answer = decide(world, "bob@beta.test");
	assert_int_equal(answer.facts.signet, SIGNET_NOT_ENABLED);
	facts_answer_free(&answer);
	world->peer = WORLD_SIGNETS;
	world_set_record(world, "beta.test", DNS_PRESENT_SECURE,
	    "pol=experimental");
	world_pass(world, 60);
	answer = decide(world, "bob@beta.test");
	assert_int_equal(answer.action, POLICY_DARK);
	facts_answer_free(&answer);
	world_free(world);
}

static void
what_peers_say(void **state)
{
	static const struct {
		const char *name, *fields;
		enum dns_answer dns;
		enum world_peer peer;
		bool confirms;
		enum policy_action action;
		enum signet_answer signet;
	} cases[] = {
	    {"476 from a mixed domain", "pol=mixed", DNS_PRESENT_SECURE,
	     WORLD_NOT_ENABLED, true, POLICY_DEFER, SIGNET_NOT_ENABLED},
	    {"476 from an experimental one", "pol=experimental",
	     DNS_PRESENT_SECURE, WORLD_NOT_ENABLED, false, POLICY_NAKED,
	     SIGNET_NOT_ENABLED},
	    {"476 that nothing confirms", "pol=experimental",
	     DNS_PRESENT_INSECURE, WORLD_NOT_ENABLED, false, POLICY_DEFER,
	     SIGNET_BAD},
	    {"476 that a certificate confirms", "pol=experimental",
	     DNS_PRESENT_INSECURE, WORLD_NOT_ENABLED, true, POLICY_NAKED,
	     SIGNET_NOT_ENABLED},
	    {"576", "pol=experimental", DNS_PRESENT_SECURE, WORLD_UNKNOWN,
	     true, POLICY_REFUSE, SIGNET_UNKNOWN},
	    {"576 that nothing confirms", "pol=experimental",
	     DNS_PRESENT_INSECURE, WORLD_UNKNOWN, false, POLICY_DEFER,
	     SIGNET_BAD},
	    {"no organizational signet", "pol=experimental",
	     DNS_PRESENT_SECURE, WORLD_ORG_UNKNOWN, true, POLICY_DEFER,
	     SIGNET_BAD},
	    {"dead", "pol=experimental", DNS_PRESENT_SECURE, WORLD_DEAD, true,
	     POLICY_DEFER, SIGNET_DOWN},
	    {"a signature by somebody else", "pol=experimental",
	     DNS_PRESENT_SECURE, WORLD_BAD_SIGNATURE, true, POLICY_DEFER,
	     SIGNET_BAD},
	    {"another user's signet", "pol=experimental", DNS_PRESENT_SECURE,
	     WORLD_OTHER_USER, true, POLICY_DEFER, SIGNET_BAD},
	    {"another organization's key", "pol=experimental",
	     DNS_PRESENT_SECURE, WORLD_OTHER_ORG, true, POLICY_DEFER,
	     SIGNET_BAD},
	    {"signets that nothing confirms", "pol=mixed",
	     DNS_PRESENT_INSECURE, WORLD_SIGNETS, false, POLICY_DEFER,
	     SIGNET_BAD},
	    {"signets that a certificate confirms", "pol=mixed",
	     DNS_PRESENT_INSECURE, WORLD_SIGNETS, true, POLICY_DARK,
	     SIGNET_HELD},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world *world = world_new("");
		struct facts_answer answer;

		unit_case(cases[i].name);
		world_set_record(world, "beta.test", cases[i].dns,
		    cases[i].fields);
		world->peer = cases[i].peer;
		world->confirms = cases[i].confirms;
		answer = decide(world, "bob@beta.test");
		assert_int_equal(answer.action, cases[i].action);
		assert_int_equal(answer.facts.signet, cases[i].signet);
		if (answer.action == POLICY_DEFER)
			assert_true(answer.err != 0 &&
			    error_row(answer.err)->temporary);
		if (answer.action != POLICY_DARK)
			assert_int_equal(answer.user_signet.length, 0);
		facts_answer_free(&answer);
		world_free(world);
	}
}

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
		answer = decide(world, "bob@beta.test");
		assert_int_equal(answer.pinned_until,
		    cases[i].days == 0 ? 0 : until);
		facts_answer_free(&answer);

		unit_case("the record goes: still DIME, by the pin's policy");
		world_set_zone(world, (struct world_zone){"beta.test",
		    DNS_ABSENT_PROVEN, 60, {NULL}, false});
		world_pass(world, 600);
		answer = decide(world, "bob@beta.test");
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
	answer = decide(world, "bob@beta.test");
	assert_int_equal(answer.action, POLICY_DARK);
	facts_answer_free(&answer);
	world_set_zone(world, (struct world_zone){"beta.test",
	    DNS_ABSENT_INSECURE, 60, {NULL}, false});
	world_pass(world, 600);
	answer = decide(world, "bob@beta.test");
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
		facts_answer_free(
		    (answer = decide(world, "carol@beta.test"), &answer));
		world_set_zone(world, (struct world_zone){"beta.test",
		    failures[i], 60, {NULL}, false});
		world_pass(world, 3600);
		answer = decide(world, "bob@beta.test");
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
	facts_answer_free((answer = decide(world, "bob@beta.test"), &answer));
	unit_case("an address: its signet is fetched again");
	answer = world_ask(world, inquiry_forget, "", "bob@beta.test", "", 0);
	assert_int_equal(answer.err, 0);
	facts_answer_free(&answer);
	facts_answer_free((answer = decide(world, "bob@beta.test"), &answer));
	assert_int_equal(world->asked, 1);
	assert_int_equal(world->fetched, 2);
	unit_case("a domain: record, pin and signets are gone");
	world_set_zone(world, (struct world_zone){"beta.test",
	    DNS_ABSENT_PROVEN, 60, {NULL}, false});
	answer = world_ask(world, inquiry_forget, "", "beta.test", "", 0);
	assert_int_equal(answer.err, 0);
	facts_answer_free(&answer);
	answer = decide(world, "bob@beta.test");
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

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct world *world = world_new("");
		struct facts_answer answer;

		unit_case(names[i]);
		world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "");
		world->gate_closed = true;
		while (count_fetched(world) == 0)
			facts_answer_free((answer = world_ask(world,
			    decide_outbound, "alice@alpha.test",
			    "bob@beta.test", "", 20), &answer));
		facts_answer_free((answer = world_ask(world, inquiry_forget,
		    "", names[i], "", 0), &answer));
		world_open_gate(world);
		assert_true(signets_drain(world->policyd.signets,
		    deadline_in(60000)));
		assert_int_equal(world->fetched, 1);
		facts_answer_free((answer = decide(world, "bob@beta.test"),
		    &answer));
		assert_int_equal(answer.action, POLICY_DARK);
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
		facts_answer_free((answer = decide(world, address), &answer));
		assert_int_equal(answer.action, POLICY_DARK);
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

/* ---- waiting ---- */

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
	answer = decide(world, "bob@beta.test");
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
	struct facts_answer answer = decide(caller->world, "bob@beta.test");

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

/* ---- the map ---- */

static void
map_names(void **state)
{
	static const struct {
		const char *map, *key, *reply;
	} cases[] = {
	    {"transport", "*", NAKED},
	    {"transport", "bob", NAKED},
	    {"transport", "", NAKED},
	    {"transport", "bob@alpha.test", NAKED},
	    {"transport", "Bob@ALPHA.test.", NAKED},
	    {"transport", "bob@local.test", NAKED},
	    {"transport", "bob@localhost", NAKED},
	    {"transport", "bob@[192.0.2.1]", NAKED},
	    {"transport", "bob@[IPv6:2001:db8::1]", NAKED},
	    {"transport", "bob@com.", NAKED},
	    {"transport", "bob@beta\xe3\x80\x82test", ENCRYPT},
	    {"transport", "bob@beta\xef\xbc\x8etest", ENCRYPT},
	    {"transport", "bob@beta\xef\xbd\xa1test", ENCRYPT},
	    {"transport", "bob@\xc3\xb6rg", ENCRYPT},
	    {"transport", "bob@beta.test", ENCRYPT},
	    {"transport", "BOB@BETA.TEST", ENCRYPT},
	    {"transport", "\"bob b\"@beta.test", ENCRYPT},
	    {"transport", "a@gamma.test@beta.test", ENCRYPT},
	    {"transport", "bob@gamma.test", NAKED},
	    {"transport", "\"bob b\"@gamma.test", NAKED},
	    {"transport", "bob@be ta.test", ENCRYPT},
	    {"transport", "bob@required.test", ENCRYPT},
	    {"sender", "alice@alpha.test", NAKED},
	    {"sender", "alice@strict.test", ENCRYPT},
	    {"sender", "Alice@Strict.test", ENCRYPT},
	    {"sender", "alice@strict\xe3\x80\x82test", ENCRYPT},
	    {"sender", "<>", NAKED},
	    {"sender", "", NAKED},
	    {"sender", "eve@beta.test", NAKED},
	    {"other", "bob@beta.test",
	     "PERM there are two maps: transport, sender"},
	};
	struct world *world = world_new("domains = {\"alpha.test\", "
	    "\"strict.test\"}\nstrict_domains = {\"strict.test\"}\n"
	    "rule \"r\" { to = {\"required.test\"}\nmode = required }\n");

	world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "");
	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].key);
		assert_string_equal(world_map(world, cases[i].map,
		                        cases[i].key), cases[i].reply);
	}
	world_free(world);
}

static void
map_setting(void **state)
{
	struct world *world =
	    world_new("seal_transport = \"other:[127.0.0.9]:99\"\n");

	world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "");
	assert_string_equal(world_map(world, "transport", "bob@beta.test"),
	    "OK other:[127.0.0.9]:99");
	world_free(world);
}

/* DIME-OUT's note lets one recipient by, for a while, and only where the table
 * does. */
static void
notes(void **state)
{
	struct world *world = world_new("");
	struct facts_answer answer;

	world_set_record(world, "beta.test", DNS_PRESENT_SECURE,
	    "pol=experimental");
	world->peer = WORLD_NOT_ENABLED;
	assert_string_equal(world_map(world, "transport", "bob@beta.test"),
	    ENCRYPT);
	unit_case("nothing is known yet: no note");
	world->gate_closed = true;
	answer = world_ask(world, inquiry_note_naked, "alpha.test",
	    "bob@beta.test", "", 0);
	assert_int_not_equal(answer.err, 0);
	facts_answer_free(&answer);
	world_open_gate(world);
	unit_case("after the decision");
	answer = decide(world, "bob@beta.test");
	assert_int_equal(answer.action, POLICY_NAKED);
	facts_answer_free(&answer);
	assert_string_equal(world_map(world, "transport", "bob@beta.test"),
	    ENCRYPT);
	answer = world_ask(world, inquiry_note_naked, "alpha.test",
	    "bob@beta.test", "", 0);
	assert_int_equal(answer.err, 0);
	facts_answer_free(&answer);
	assert_string_equal(world_map(world, "transport", "BOB@beta.test"),
	    NAKED);
	assert_string_equal(world_map(world, "transport", "carol@beta.test"),
	    ENCRYPT);
	unit_case("a record that became stricter is stronger");
	world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "pol=mixed");
	world_pass(world, 601);
	assert_string_equal(world_map(world, "transport", "bob@beta.test"),
	    ENCRYPT);
	unit_case("so is a pin when DNS fails");
	world_set_zone(world, (struct world_zone){"beta.test",
	    DNS_UNREACHABLE, 60, {NULL}, false});
	world_pass(world, 601);
	assert_string_equal(world_map(world, "transport", "bob@beta.test"),
	    ENCRYPT);
	unit_case("it runs out");
	world_set_record(world, "beta.test", DNS_PRESENT_SECURE,
	    "pol=experimental");
	world_pass(world, 1000);
	assert_string_equal(world_map(world, "transport", "bob@beta.test"),
	    NAKED);
	world_pass(world, 5400);
	assert_string_equal(world_map(world, "transport", "bob@beta.test"),
	    ENCRYPT);
	world_free(world);
}

/* An absence that was validated stands in for DNS that is slow to say it again,
 * and does not for DNS that somebody has tampered with. */
static void
notes_of_an_absence(void **state)
{
	struct world *world = world_new("");
	struct facts_answer answer;

	answer = world_ask(world, decide_outbound, "alpha.test",
	    "dave@gamma.test", "", LONG);
	facts_answer_free(&answer);
	answer = world_ask(world, inquiry_note_naked, "alpha.test",
	    "dave@gamma.test", "", 0);
	assert_int_equal(answer.err, 0);
	facts_answer_free(&answer);
	world_pass(world, 3600);
	world_set_zone(world, (struct world_zone){"gamma.test",
	    DNS_UNREACHABLE, 60, {NULL}, false});
	assert_string_equal(world_map(world, "transport", "dave@gamma.test"),
	    NAKED);
	assert_string_equal(world_map(world, "transport", "eve@gamma.test"),
	    ENCRYPT);
	world_pass(world, 10);
	world_set_zone(world, (struct world_zone){"gamma.test", DNS_BOGUS, 60,
	    {NULL}, false});
	assert_string_equal(world_map(world, "transport", "dave@gamma.test"),
	    ENCRYPT);
	world_free(world);
}

/* Nor does it for what is not known yet, when the disk has a pin: memory may
 * have lost what it knew, at a restart for instance. */
static void
notes_behind_a_pin(void **state)
{
	struct world *world = world_new("");
	struct facts_answer answer;
	static const uint8_t key[] = "r:gamma.test";

	facts_answer_free(
	    (answer = decide(world, "dave@gamma.test"), &answer));
	answer = world_ask(world, inquiry_note_naked, "alpha.test",
	    "dave@gamma.test", "", 0);
	assert_int_equal(answer.err, 0);
	facts_answer_free(&answer);
	world_set_record(world, "gamma.test", DNS_PRESENT_SECURE, "");
	world_pass(world, 600);
	assert_string_equal(world_map(world, "transport", "dave@gamma.test"),
	    ENCRYPT);
	memory_drop(world->policyd.memory, span_of(key, sizeof(key) - 1));
	world->dns_silent = true;
	assert_string_equal(world_map(world, "transport", "dave@gamma.test"),
	    ENCRYPT);
	world_free(world);
}

/* ---- other questions ---- */

static void
signet_errors(void **state)
{
	struct world *world = world_new("");
	char fingerprint[SIGNET_FINGERPRINT_SIZE];
	struct facts_answer answer;
	struct signet *signet;

	world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "");
	world_set_zone(world, (struct world_zone){"bogus.test", DNS_BOGUS, 60,
	    {NULL}, false});

	unit_case("no record");
	answer = ask_signet(world, "gamma.test", "");
	assert_int_equal(answer.err, ERR_ORIGIN_INVALID);
	facts_answer_free(&answer);
	unit_case("bogus");
	answer = ask_signet(world, "bogus.test", "");
	assert_int_equal(answer.err, ERR_BOGUS);
	facts_answer_free(&answer);
	unit_case("nonsense");
	answer = ask_signet(world, "beta", "");
	assert_int_equal(answer.err, ERR_USAGE);
	facts_answer_free(&answer);
	answer = ask_signet(world, "beta.test", "short");
	assert_int_equal(answer.err, ERR_USAGE);
	facts_answer_free(&answer);

	unit_case("the organization, by its fingerprint");
	answer = ask_signet(world, "beta.test", "");
	assert_int_equal(answer.err, 0);
	assert_int_equal(signet_parse(buffer_span(&answer.org_signet), &signet,
	                     NULL), 0);
	assert_true(signet_org_fingerprint(signet, fingerprint));
	signet_free(signet);
	facts_answer_free(&answer);
	assert_int_equal(world->fetched, 1);
	answer = ask_signet(world, "beta.test", fingerprint);
	assert_int_equal(answer.err, 0);
	facts_answer_free(&answer);
	assert_int_equal(world->fetched, 1);

	unit_case("a fingerprint that it does not have");
	answer = ask_signet(world, "beta.test", fingerprint_of_nobody);
	assert_int_equal(answer.err, ERR_ORIGIN_INVALID);
	assert_int_equal(answer.org_signet.length, 0);
	facts_answer_free(&answer);
	assert_int_equal(world->fetched, 2);
	unit_case("the current one is held nevertheless");
	answer = ask_signet(world, "beta.test", "");
	assert_int_equal(answer.err, 0);
	facts_answer_free(&answer);
	assert_int_equal(world->fetched, 2);

	unit_case("no such user");
	world->peer = WORLD_UNKNOWN;
	answer = ask_signet(world, "eve@beta.test", "");
	assert_int_equal(answer.err, ERR_UNKNOWN_ADDRESS);
	facts_answer_free(&answer);
	answer = ask_signet(world, "eve@beta.test", fingerprint_of_nobody);
	assert_int_equal(answer.err, ERR_ORIGIN_INVALID);
	facts_answer_free(&answer);
	unit_case(
	    "a signature that does not hold may be a rotation: temporary");
	world->peer = WORLD_BAD_SIGNATURE;
	answer = ask_signet(world, "carol@beta.test", "");
	assert_int_equal(answer.err, ERR_ORIGIN_WAIT);
	facts_answer_free(&answer);
	unit_case("476");
	world->peer = WORLD_NOT_ENABLED;
	answer = ask_signet(world, "dan@beta.test", "");
	assert_int_equal(answer.err, ERR_NOT_ENABLED);
	facts_answer_free(&answer);
	world_free(world);
}

static void
outbound_names(void **state)
{
	static const struct {
		const char *to;
		enum policy_action action;
		int err;
	} cases[] = {
	    {"bob@alpha.test", POLICY_NAKED, 0},
	    {"bob@local.test", POLICY_NAKED, 0},
	    {"bob@[192.0.2.1]", POLICY_NAKED, 0},
	    {"bob", POLICY_NAKED, 0},
	    {"bob@required\xe3\x80\x82test", POLICY_REFUSE, ERR_POLICY},
	    {"bob@be ta.test", POLICY_REFUSE, ERR_RECIPIENT},
	    {"\"bob b\"@gamma.test", POLICY_NAKED, 0},
	    {"\"bob b\"@beta.test", POLICY_REFUSE, ERR_RECIPIENT},
	    {"j\xc3\xb6rg@beta.test", POLICY_DEFER, ERR_NOT_ENABLED},
	    {"bob@required.test", POLICY_REFUSE, ERR_POLICY},
	};
	struct world *world =
	    world_new("rule \"r\" { to = {\"required.test\"}\n"
	        "mode = required }\n");

	world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "pol=mixed");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct facts_answer answer = decide(world, cases[i].to);

		unit_case(cases[i].to);
		assert_int_equal(answer.action, cases[i].action);
		assert_int_equal(answer.err, cases[i].err);
		facts_answer_free(&answer);
	}
	world_free(world);
}

static void
inbound_table(void **state)
{
	static const struct {
		const char *from, *to;
		enum policy_action action;
	} cases[] = {
	    {"bob@mixed.test", "alice@alpha.test", POLICY_REFUSE},
	    {"bob@experimental.test", "alice@alpha.test", POLICY_NAKED},
	    {"bob@gamma.test", "alice@alpha.test", POLICY_NAKED},
	    {"bob@gamma.test", "alice@strict.test", POLICY_REFUSE},
	    {"", "alice@alpha.test", POLICY_NAKED},
	    {"", "alice@strict.test", POLICY_REFUSE},
	    {"bob@bogus.test", "alice@alpha.test", POLICY_DEFER},
	    {"bob@alpha.test", "alice@alpha.test", POLICY_NAKED},
	    {"mixed.test", "alpha.test", POLICY_REFUSE},
	};
	struct world *world = world_new("domains = {\"alpha.test\", "
	    "\"strict.test\"}\nstrict_domains = {\"strict.test\"}\n");

	world_set_record(world, "mixed.test", DNS_PRESENT_SECURE, "");
	world_set_record(world, "experimental.test", DNS_PRESENT_SECURE,
	    "pol=experimental");
	world_set_zone(world, (struct world_zone){"bogus.test", DNS_BOGUS, 60,
	    {NULL}, false});
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct facts_answer answer = world_ask(world, decide_inbound,
		    cases[i].from, cases[i].to, "", LONG);

		unit_case(cases[i].from);
		assert_int_equal(answer.action, cases[i].action);
		facts_answer_free(&answer);
	}
	world_free(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(seven_answers),
	    cmocka_unit_test(several_records),
	    cmocka_unit_test(dark_with_signets),
	    cmocka_unit_test(signets_follow_the_record),
	    cmocka_unit_test(refusals_follow_the_record),
	    cmocka_unit_test(what_peers_say),
	    cmocka_unit_test(pins_hold),
	    cmocka_unit_test(certificate_sets_a_short_pin),
	    cmocka_unit_test(pinned_through_failures),
	    cmocka_unit_test(forgetting),
	    cmocka_unit_test(forgetting_in_the_air),
	    cmocka_unit_test(refreshing_leaves_room),
	    cmocka_unit_test(a_deadline_passes_and_work_goes_on),
	    cmocka_unit_test(a_hundred_callers),
	    cmocka_unit_test(the_map_does_not_wait_for_dns),
	    cmocka_unit_test(what_the_map_never_waits_for),
	    cmocka_unit_test(map_names),
	    cmocka_unit_test(map_setting),
	    cmocka_unit_test(notes),
	    cmocka_unit_test(notes_of_an_absence),
	    cmocka_unit_test(notes_behind_a_pin),
	    cmocka_unit_test(signet_errors),
	    cmocka_unit_test(outbound_names),
	    cmocka_unit_test(inbound_table),
	};

	return cmocka_run_group_tests_name("policyd", tests, unit_start,
	    unit_end);
}
