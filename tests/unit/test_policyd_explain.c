/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/policy_world.h"

#include "policy/explain.h"

static void
explanations(void **state)
{
	static const struct {
		const char *from, *to, *direction;
		enum policy_action action;
		const char *reason, *rule;
	} cases[] = {
	    {"alice@alpha.test", "bob@mixed.test", "outbound", POLICY_DARK,
	     "the recipient's signet is held", ""},
	    {"alpha.test", "bob@legacy.test", "outbound", POLICY_NAKED,
	     "the domain is known to have no record", ""},
	    {"alice@alpha.test", "bob@secret.test", "outbound", POLICY_REFUSE,
	     "a rule of this site forbids naked mail here; by rule quiet",
	     "quiet: mode required, to secret.test"},
	    {"x@stranger.test", "bob@legacy.test", "outbound", POLICY_NAKED,
	     "the domain is known", ""},
	    {"<>", "bob@bogus.test", "outbound", POLICY_DEFER,
	     "DNSSEC validation", ""},
	    {"bob@mixed.test", "alice@alpha.test", "inbound", POLICY_REFUSE,
	     "the policies of the two domains forbid naked mail", ""},
	    {"bob@legacy.test", "alpha.test", "inbound", POLICY_NAKED,
	     "the policies of the two domains allow naked mail", ""},
	    {"alice@alpha.test", "eve@alpha.test", "local", POLICY_NAKED,
	     "the domain is delivered here", ""},
	    {"bob@mixed.test", "eve@local.test", "local", POLICY_NAKED,
	     "the domain is delivered here", ""},
	    {"alice@alpha.test", "bob@[192.0.2.1]", "outbound", POLICY_NAKED,
	     "the domain is known to have no record: the address has no "
	     "domain", ""},
	};
	struct world *world = world_new("rule quiet { to = {\"secret.test\"}\n"
	    "mode = required }\n");

	world_populate(world);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct facts_answer answer = world_ask(world, explain_answer,
		    cases[i].from, cases[i].to, "", WORLD_PATIENCE);

		unit_case(cases[i].to);
		assert_int_equal(answer.action, cases[i].action);
		assert_string_equal(answer.direction, cases[i].direction);
		assert_string_equal(answer.rule, cases[i].rule);
		if (strncmp(answer.reason, cases[i].reason,
		        strlen(cases[i].reason)) != 0)
			fail_msg("%s", answer.reason);
		facts_answer_free(&answer);
	}
	world_free(world);
}

/* It is looked up as for mail, and nothing else happens. */
static void
explaining_changes_nothing(void **state)
{
	static const char *const names[] = {"decided_dark",
	    "decided_naked_proven", "decided_naked_476", "decided_by_rule",
	    "inbound_refused", "inbound_naked_proven", "map_noted"};
	struct world *world = world_new("");
	struct facts_answer answer;

	world_populate(world);
	world->peer = WORLD_NOT_ENABLED;
	world_drop(world_ask(world, explain_answer, "alice@alpha.test",
	    "bob@experimental.test", "", WORLD_PATIENCE));
	world_drop(world_ask(world, explain_answer, "bob@mixed.test",
	    "alice@alpha.test", "", WORLD_PATIENCE));
	for (size_t i = 0; i < COUNT(names); i++) {
		unit_case(names[i]);
		assert_int_equal(world_counter(world, names[i]), 0);
	}
	unit_case("no note");
	assert_string_equal(world_map(world, "transport",
	    "bob@experimental.test"), ENCRYPT);
	unit_case("the next one finds what was looked up");
	assert_int_equal(world->asked, 2);
	assert_int_equal(world->fetched, 1);
	answer = world_ask(world, decide_outbound, "alice@alpha.test",
	    "bob@experimental.test", "", WORLD_PATIENCE);
	assert_int_equal(answer.action, POLICY_NAKED);
	assert_string_equal(answer.source, "memory");
	assert_string_equal(answer.user.source, "memory");
	assert_int_equal(world->asked, 2);
	assert_int_equal(world->fetched, 1);
	facts_answer_free(&answer);
	world_free(world);
}

static void
explanations_need_a_domain(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
	    {"a", "b"}, {"alice@alpha.test", "b"}, {"a", "bob@beta.test"},
	    {"alice@alpha.test", ""}, {"alice@alpha.test", "<>"},
	    {"alice@alpha.test", "bob@"}, {"alice@alpha.test", "bob@com"},
	    {"alice@alpha.test", "bob@be ta.test"}, {"@", "bob@beta.test"},
	};
	struct world *world = world_new("");

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct facts_answer answer = world_ask(world, explain_answer,
		    cases[i].from, cases[i].to, "", WORLD_PATIENCE);

		unit_case(cases[i].to);
		assert_int_equal(answer.err, ERR_USAGE);
		assert_int_not_equal(answer.action, POLICY_NAKED);
		assert_non_null(strstr(answer.reason, "is not an address"));
		facts_answer_free(&answer);
	}
	assert_int_equal(world->asked, 0);
	world_free(world);
}

/* How old what is known is, and how long it lasts. */
static void
ages(void **state)
{
	struct world *world = world_new("");
	struct facts_answer answer;

	world_populate(world);
	world_drop(world_ask(world, explain_answer, "alpha.test",
	    "bob@mixed.test", "", WORLD_PATIENCE));
	world_pass(world, 100);
	answer = world_ask(world, explain_answer, "alpha.test",
	    "bob@mixed.test", "", WORLD_PATIENCE);
	assert_string_equal(answer.source, "memory");
	assert_int_equal(answer.age, 100);
	assert_int_equal(answer.expires - world_now(world), 500);
	assert_int_equal(answer.user.age, 100);
	assert_int_equal(answer.user.expires - world_now(world),
	    SIGNETS_USER_SECONDS - 100);
	assert_int_equal(answer.org.age, 100);
	assert_int_equal(answer.org.expires - world_now(world),
	    SIGNETS_ORG_SECONDS - 100);
	facts_answer_free(&answer);
	world_free(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(explanations),
	    cmocka_unit_test(explaining_changes_nothing),
	    cmocka_unit_test(explanations_need_a_domain),
	    cmocka_unit_test(ages),
	};

	return cmocka_run_group_tests_name("policyd rules", tests, unit_start,
	    unit_end);
}
