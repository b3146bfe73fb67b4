/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/policy_world.h"

#include "policy/decide.h"

/* What DNS says of a domain, up to the verdict. */

static const struct answer_case {
	const char *name;
	struct world_zone zone;
	enum dns_answer dns;
	enum policy_action action; /* without a signet to be had */
	const char *map;
	int64_t lifetime; /* seconds in memory */
} answer_cases[] = {
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

static void
seven_answers(void **state)
{
	for (size_t i = 0; i < COUNT(answer_cases); i++) {
		const struct answer_case *test = &answer_cases[i];
		struct world *world = world_new("");
		struct facts_answer answer;

		unit_case(test->name);
		world_set_zone(world, test->zone);
		assert_string_equal(world_map(world, "transport",
		                        "bob@beta.test"), test->map);
		answer = world_decide(world, "bob@beta.test");
		assert_int_equal(answer.facts.dns, test->dns);
		assert_int_equal(answer.action, test->action);
		assert_int_equal(answer.expires - world_now(world),
		    test->lifetime);
		assert_int_equal(world->asked, 1);
		assert_int_equal(world->fetched, 0);
		facts_answer_free(&answer);
		unit_case("asked again when it is due, and not before");
		world_pass(world, test->lifetime - 1);
		assert_string_equal(world_map(world, "transport",
		                        "bob@beta.test"), test->map);
		assert_int_equal(world->asked, 1);
		world_pass(world, 1);
		assert_string_equal(world_map(world, "transport",
		                        "bob@beta.test"), test->map);
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
	answer = world_decide(world, "bob@beta.test");
	assert_int_equal(answer.facts.dns, DNS_MALFORMED);
	assert_int_equal(answer.err, ERR_RECORD);
	facts_answer_free(&answer);
	world_set_zone(world, (struct world_zone){"gamma.test",
	    DNS_PRESENT_SECURE, 600, {"v=spf1 -all",
	    buffer_string(&world->record), NULL}, false});
	answer = world_decide(world, "bob@gamma.test");
	assert_int_equal(answer.facts.dns, DNS_PRESENT_SECURE);
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
		struct facts_answer answer = world_decide(world, cases[i].to);

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
		    cases[i].from, cases[i].to, "", WORLD_PATIENCE);

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
	    cmocka_unit_test(outbound_names),
	    cmocka_unit_test(inbound_table),
	};

	return cmocka_run_group_tests_name("policyd", tests, unit_start,
	    unit_end);
}
