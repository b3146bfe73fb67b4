/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "base/error.h"
#include "dime/policy.h"

enum { POLICIES = RECORD_STRICT + 1 };

/* Figure 6 again, row by row, in the words of the specification. */
static const char *const figure[POLICIES][POLICIES] = {
    /* to: legacy, experimental, mixed, strict */
    {"naked", "naked", "naked", "X"},
    {"naked", "dark/naked", "dark/naked", "dark"},
    {"naked", "dark/naked", "dark", "dark"},
    {"X", "dark", "dark", "dark"},
};

static struct policy_facts
facts_of(int sender, int receiver, enum signet_answer signet)
{
	return (struct policy_facts){
	    .sender = (enum record_policy)sender,
	    .receiver = (enum record_policy)receiver,
	    .dns = receiver == RECORD_LEGACY ? DNS_ABSENT_PROVEN
	                                     : DNS_PRESENT_SECURE,
	    .signet = signet,
	};
}

static bool
says(int sender, int receiver, const char *word)
{
	return strstr(figure[sender][receiver], word) != NULL;
}

static void
outbound_cell_by_cell(void **state)
{
	for (int sender = 0; sender < POLICIES; sender++)
		for (int receiver = 0; receiver < POLICIES; receiver++) {
			struct policy_facts facts = facts_of(sender, receiver,
			    SIGNET_HELD);
			struct policy_verdict verdict = policy_decide(&facts,
			    NULL);
			enum policy_action wanted =
			    says(sender, receiver, "X") ? POLICY_REFUSE
			    : says(sender, receiver, "dark") ? POLICY_DARK
			                                     : POLICY_NAKED;

			unit_case(verdict.cell);
			assert_int_equal(verdict.action, wanted);
			/* 476 opens the naked way of dark/naked alone. */
			facts.signet = SIGNET_NOT_ENABLED;
			verdict = policy_decide(&facts, NULL);
			if (wanted == POLICY_DARK)
				wanted = says(sender, receiver, "naked")
				    ? POLICY_NAKED
				    : POLICY_DEFER;
			assert_int_equal(verdict.action, wanted);
		}
}

static void
inbound_cell_by_cell(void **state)
{
	for (int from = 0; from < POLICIES; from++)
		for (int ours = 0; ours < POLICIES; ours++) {
			struct policy_facts facts = facts_of(ours, from,
			    SIGNET_NOT_ASKED);
			struct policy_verdict verdict =
			    policy_accept_naked(&facts, NULL);

			unit_case(verdict.cell);
			assert_int_equal(verdict.action,
			    says(from, ours, "naked") ? POLICY_NAKED
			                              : POLICY_REFUSE);
		}
}

static const struct rule required = {.mode = RULE_REQUIRED};
static const struct rule off = {.mode = RULE_OFF};
static const struct rule naked_476 = {.on[RULE_NO_SIGNET] = RULE_NAKED};
static const struct rule reject_all = {.on = {RULE_REJECT, RULE_REJECT,
    RULE_REJECT, RULE_REJECT, RULE_REJECT}};

static const struct verdict_case {
	const char *name;
	struct policy_facts facts;
	const struct rule *rule;
	enum policy_action action;
	int err;
	const char *cell;
} verdict_cases[] = {
    {"proven absence", {RECORD_MIXED, DNS_ABSENT_PROVEN, RECORD_LEGACY,
     false, SIGNET_NOT_ASKED}, NULL, POLICY_NAKED, 0, "mixed->legacy"},
    {"absence in an unsigned zone", {RECORD_MIXED, DNS_ABSENT_INSECURE,
     RECORD_LEGACY, false, SIGNET_NOT_ASKED}, NULL, POLICY_NAKED, 0,
     "mixed->legacy"},
    {"absence, and a rule", {RECORD_MIXED, DNS_ABSENT_INSECURE,
     RECORD_LEGACY, false, SIGNET_NOT_ASKED}, &required, POLICY_REFUSE,
     ERR_POLICY, "mixed->legacy"},
    {"absence of what was there", {RECORD_MIXED, DNS_ABSENT_PROVEN,
     RECORD_MIXED, true, SIGNET_NOT_ASKED}, NULL, POLICY_DEFER,
     ERR_BUSY, "mixed->mixed"},
    {"the same, signet held", {RECORD_MIXED, DNS_ABSENT_INSECURE,
     RECORD_MIXED, true, SIGNET_HELD}, NULL, POLICY_DARK, 0,
     "mixed->mixed"},
    {"what an absent record once said counts for nothing without a pin",
     {RECORD_MIXED, DNS_ABSENT_PROVEN, RECORD_STRICT, false,
     SIGNET_HELD}, NULL, POLICY_NAKED, 0, "mixed->legacy"},
    {"strict to a legacy domain", {RECORD_STRICT, DNS_ABSENT_PROVEN,
     RECORD_LEGACY, false, SIGNET_NOT_ASKED}, NULL, POLICY_REFUSE,
     ERR_POLICY, "strict->legacy"},
    {"bogus", {RECORD_MIXED, DNS_BOGUS, RECORD_LEGACY, false,
     SIGNET_NOT_ASKED}, NULL, POLICY_DEFER, ERR_BOGUS, NULL},
    {"unreachable", {RECORD_MIXED, DNS_UNREACHABLE, RECORD_LEGACY,
     false, SIGNET_NOT_ASKED}, NULL, POLICY_DEFER, ERR_DNS, NULL},
    {"malformed", {RECORD_MIXED, DNS_MALFORMED, RECORD_LEGACY, false,
     SIGNET_NOT_ASKED}, NULL, POLICY_DEFER, ERR_RECORD, NULL},
    {"bogus, pinned, no signet", {RECORD_MIXED, DNS_BOGUS, RECORD_MIXED,
     true, SIGNET_FAILED}, NULL, POLICY_DEFER, ERR_BOGUS, NULL},
    {"bogus, pinned, 476", {RECORD_MIXED, DNS_BOGUS,
     RECORD_EXPERIMENTAL, true, SIGNET_NOT_ENABLED}, NULL,
     POLICY_DEFER, ERR_BOGUS, NULL},
    {"bogus, pinned, signet held", {RECORD_MIXED, DNS_BOGUS,
     RECORD_MIXED, true, SIGNET_HELD}, NULL, POLICY_DARK, 0,
     "mixed->mixed"},
    {"bogus, signet held, no pin", {RECORD_MIXED, DNS_BOGUS,
     RECORD_MIXED, false, SIGNET_HELD}, NULL, POLICY_DEFER, ERR_BOGUS,
     NULL},
    {"unknown address", {RECORD_EXPERIMENTAL, DNS_PRESENT_SECURE,
     RECORD_EXPERIMENTAL, false, SIGNET_UNKNOWN}, NULL, POLICY_REFUSE,
     ERR_UNKNOWN_ADDRESS, NULL},
    {"476 where only dark goes", {RECORD_MIXED, DNS_PRESENT_SECURE,
     RECORD_MIXED, false, SIGNET_NOT_ENABLED}, NULL, POLICY_DEFER,
     ERR_NOT_ENABLED, NULL},
    {"476 and a rule", {RECORD_MIXED, DNS_PRESENT_SECURE,
     RECORD_EXPERIMENTAL, false, SIGNET_NOT_ENABLED}, &required,
     POLICY_DEFER, ERR_NOT_ENABLED, NULL},
    {"signet not to be had", {RECORD_EXPERIMENTAL, DNS_PRESENT_INSECURE,
     RECORD_EXPERIMENTAL, false, SIGNET_FAILED}, NULL, POLICY_DEFER,
     ERR_BUSY, NULL},
    {"peer down", {RECORD_EXPERIMENTAL, DNS_PRESENT_INSECURE,
     RECORD_EXPERIMENTAL, false, SIGNET_DOWN}, NULL, POLICY_DEFER,
     ERR_UNREACHABLE, NULL},
    {"peer down, and a rule", {RECORD_EXPERIMENTAL, DNS_PRESENT_SECURE,
     RECORD_MIXED, false, SIGNET_DOWN}, &reject_all, POLICY_REFUSE,
     ERR_POLICY, NULL},
    {"a bad signet", {RECORD_MIXED, DNS_PRESENT_SECURE, RECORD_MIXED,
     false, SIGNET_BAD}, NULL, POLICY_DEFER, ERR_UNCONFIRMED, NULL},
    {"a bad signet, and a rule", {RECORD_MIXED, DNS_PRESENT_SECURE,
     RECORD_MIXED, false, SIGNET_BAD}, &reject_all, POLICY_REFUSE,
     ERR_POLICY, NULL},
    {"another key", {RECORD_MIXED, DNS_PRESENT_SECURE, RECORD_MIXED,
     false, SIGNET_CHANGED}, NULL, POLICY_DEFER, ERR_CUSTODY, NULL},
    {"another key, and a rule", {RECORD_MIXED, DNS_PRESENT_SECURE,
     RECORD_MIXED, false, SIGNET_CHANGED}, &reject_all, POLICY_REFUSE,
     ERR_POLICY, NULL},
    {"no rule makes our own trouble the message's", {RECORD_MIXED,
     DNS_PRESENT_SECURE, RECORD_MIXED, false, SIGNET_FAILED},
     &reject_all, POLICY_DEFER, ERR_BUSY, NULL},
    {"nor what was not looked for yet", {RECORD_MIXED,
     DNS_PRESENT_SECURE, RECORD_MIXED, false, SIGNET_NOT_ASKED},
     &reject_all, POLICY_DEFER, ERR_BUSY, NULL},
    {"bogus, and a rule", {RECORD_MIXED, DNS_BOGUS, RECORD_LEGACY,
     false, SIGNET_NOT_ASKED}, &reject_all, POLICY_REFUSE, ERR_POLICY,
     NULL},
    {"bogus, pinned, signet held, and a rule", {RECORD_MIXED, DNS_BOGUS,
     RECORD_MIXED, true, SIGNET_HELD}, &reject_all, POLICY_DARK, 0,
     NULL},
    {"476 that a rule refuses", {RECORD_MIXED, DNS_PRESENT_SECURE,
     RECORD_EXPERIMENTAL, false, SIGNET_NOT_ENABLED}, &reject_all,
     POLICY_REFUSE, ERR_POLICY, NULL},
    {"476 naked, where the cell allows it", {RECORD_MIXED,
     DNS_PRESENT_SECURE, RECORD_EXPERIMENTAL, false,
     SIGNET_NOT_ENABLED}, &naked_476, POLICY_NAKED, 0, NULL},
    {"476 naked, where it does not", {RECORD_MIXED, DNS_PRESENT_SECURE,
     RECORD_MIXED, false, SIGNET_NOT_ENABLED}, &naked_476,
     POLICY_DEFER, ERR_NOT_ENABLED, NULL},
    {"off to a legacy domain", {RECORD_MIXED, DNS_ABSENT_PROVEN,
     RECORD_LEGACY, false, SIGNET_NOT_ASKED}, &off, POLICY_NAKED, 0,
     NULL},
    {"off to a pinned one", {RECORD_MIXED, DNS_ABSENT_PROVEN,
     RECORD_MIXED, true, SIGNET_NOT_ASKED}, &off, POLICY_REFUSE,
     ERR_POLICY, "mixed->mixed"},
    {"off to a strict one", {RECORD_MIXED, DNS_PRESENT_SECURE,
     RECORD_STRICT, false, SIGNET_HELD}, &off, POLICY_REFUSE,
     ERR_POLICY, "mixed->strict"},
    {"off to an experimental one, signet held", {RECORD_MIXED,
     DNS_PRESENT_SECURE, RECORD_EXPERIMENTAL, false, SIGNET_HELD},
     &off, POLICY_REFUSE, ERR_POLICY, NULL},
    {"off to an experimental one, 476", {RECORD_MIXED,
     DNS_PRESENT_SECURE, RECORD_EXPERIMENTAL, false,
     SIGNET_NOT_ENABLED}, &off, POLICY_NAKED, 0, NULL},
    {"off while DNS fails", {RECORD_MIXED, DNS_UNREACHABLE,
     RECORD_MIXED, true, SIGNET_HELD}, &off, POLICY_DEFER, ERR_DNS,
     NULL},
    {"a record that says legacy", {RECORD_MIXED, DNS_PRESENT_SECURE,
     RECORD_LEGACY, false, SIGNET_HELD}, NULL, POLICY_DEFER,
     ERR_INTERNAL, NULL},
};

static void
named_cases(void **state)
{
	for (size_t i = 0; i < COUNT(verdict_cases); i++) {
		const struct verdict_case *test = &verdict_cases[i];
		struct policy_verdict verdict = policy_decide(&test->facts,
		    test->rule);

		unit_case(test->name);
		assert_int_equal(verdict.action, test->action);
		assert_int_equal(verdict.err, test->err);
		if (test->cell != NULL)
			assert_string_equal(verdict.cell, test->cell);
	}
}

enum { FACTS = POLICIES * POLICIES * DNS_ANSWERS * SIGNET_ANSWERS * 2 };

static struct policy_facts
facts_by_number(int number)
{
	struct policy_facts facts;

	facts.sender = (enum record_policy)(number % POLICIES);
	number /= POLICIES;
	facts.receiver = (enum record_policy)(number % POLICIES);
	number /= POLICIES;
	facts.dns = (enum dns_answer)(number % DNS_ANSWERS);
	number /= DNS_ANSWERS;
	facts.signet = (enum signet_answer)(number % SIGNET_ANSWERS);
	facts.pinned = number / SIGNET_ANSWERS != 0;
	return facts;
}

/* Every mode with every action for every outcome, those included that no file
 * may have. */
enum { RULES = RULE_MODES * 1024 };
_Static_assert(RULE_OUTCOMES == 5 && RULE_ACTIONS == 4, "4 to the 5th is 1024");

static struct rule
rule_by_number(int number)
{
	struct rule rule = {.mode = (enum rule_mode)(number % RULE_MODES)};

	number /= RULE_MODES;
	for (int i = 0; i < RULE_OUTCOMES; i++) {
		rule.on[i] = (enum rule_action)(number % RULE_ACTIONS);
		number /= RULE_ACTIONS;
	}
	return rule;
}

static bool
is_absent(const struct policy_facts *facts)
{
	return facts->dns == DNS_ABSENT_PROVEN ||
	    facts->dns == DNS_ABSENT_INSECURE;
}

static bool
is_failure(const struct policy_facts *facts)
{
	return facts->dns == DNS_BOGUS || facts->dns == DNS_UNREACHABLE ||
	    facts->dns == DNS_MALFORMED;
}

static bool
is_consistent(struct policy_verdict verdict)
{
	const bool good =
	    verdict.action == POLICY_DARK || verdict.action == POLICY_NAKED;

	return verdict.action < POLICY_ACTIONS && strlen(verdict.reason) > 10 &&
	    strstr(verdict.cell, "->") != NULL &&
	    verdict.outcome <= RULE_OUTCOMES && (verdict.err == 0) == good &&
	    (good || error_row(verdict.err)->temporary ==
	        (verdict.action == POLICY_DEFER));
}

/* ---- without a rule ---- */

static void
check_outbound(const struct policy_facts *facts)
{
	struct policy_verdict verdict = policy_decide(facts, NULL);
	bool gone = is_absent(facts) && !facts->pinned;
	int receiver = gone ? RECORD_LEGACY : (int)facts->receiver;

	/* Total, and it says why. */
	assert_true(is_consistent(verdict));
	/* Naked only on knowledge. */
	if (verdict.action == POLICY_NAKED) {
		assert_false(is_failure(facts));
		assert_true(says((int)facts->sender, receiver, "naked"));
		assert_true(gone || facts->sender == RECORD_LEGACY ||
		    facts->signet == SIGNET_NOT_ENABLED);
	}
	/* Dark only to a validated signet, of a domain that has a record. */
	if (verdict.action == POLICY_DARK) {
		assert_int_equal(facts->signet, SIGNET_HELD);
		assert_false(gone);
		assert_true(says((int)facts->sender, receiver, "dark"));
	}
	/* Refused only by policy or by the peer's word. */
	if (verdict.action == POLICY_REFUSE)
		assert_true(facts->signet == SIGNET_UNKNOWN ||
		    says((int)facts->sender, receiver, "X"));
	if (facts->signet == SIGNET_UNKNOWN && !gone &&
	    facts->sender != RECORD_LEGACY)
		assert_true(verdict.action == POLICY_REFUSE ||
		    (verdict.action == POLICY_DEFER &&
		    (!facts->pinned || facts->receiver == RECORD_LEGACY)));
}

static void
check_inbound(const struct policy_facts *facts)
{
	struct policy_verdict verdict = policy_accept_naked(facts, NULL);
	bool gone = is_absent(facts) && !facts->pinned;
	int from = gone ? RECORD_LEGACY : (int)facts->receiver;

	assert_true(is_consistent(verdict));
	assert_int_not_equal(verdict.action, POLICY_DARK);
	if (is_failure(facts))
		assert_int_equal(verdict.action, POLICY_DEFER);
	if (verdict.action == POLICY_NAKED)
		assert_true(says(from, (int)facts->sender, "naked"));
}

static void
all_facts(void **state)
{
	for (int i = 0; i < FACTS; i++) {
		const struct policy_facts facts = facts_by_number(i);

		check_outbound(&facts);
		check_inbound(&facts);
	}
}

/* ---- with any rule ---- */

/* A rule never opens what was closed without it; what it closes it refuses or
 * puts off. */
static bool
is_stricter(struct policy_verdict ruled, struct policy_verdict plain)
{
	if (!is_consistent(ruled))
		return false;
	if (ruled.action == POLICY_NAKED)
		return plain.action == POLICY_NAKED;
	if (ruled.action == POLICY_DARK)
		return plain.action == POLICY_DARK;
	if (plain.action == POLICY_REFUSE)
		return ruled.action == POLICY_REFUSE;
	return ruled.action != POLICY_REFUSE || ruled.err == ERR_POLICY;
}

/* Neither does it act where it has nothing to say. */
static bool
is_by_rule(const struct rule *rule, struct policy_verdict ruled,
    struct policy_verdict plain)
{
	return ruled.action == plain.action ||
	    rule->mode != RULE_OPPORTUNISTIC ||
	    (plain.outcome < RULE_OUTCOMES &&
	        rule->on[plain.outcome] != RULE_UNSET);
}

static bool
is_within_mode(const struct policy_facts *facts, const struct rule *rule,
    struct policy_verdict ruled)
{
	const bool gone = is_absent(facts) && !facts->pinned;
	const enum policy_strictness strictness = policy_strictness(rule);

	if (rule->mode == RULE_REQUIRED)
		return strictness == POLICY_NEVER_NAKED &&
		    ruled.action != POLICY_NAKED;
	if (rule->mode == RULE_OFF && ruled.action == POLICY_DARK)
		return false;
	/* What the maps rely on. */
	return ruled.action != POLICY_NAKED || gone ||
	    facts->sender == RECORD_LEGACY || strictness == POLICY_AS_TABLE;
}

static void
check_ruled(const struct policy_facts *facts, const struct rule *rule)
{
	const struct policy_verdict ruled = policy_decide(facts, rule);
	const struct policy_verdict plain = policy_decide(facts, NULL);
	const struct policy_verdict in = policy_accept_naked(facts, rule);
	const struct policy_verdict plain_in = policy_accept_naked(facts, NULL);

	if (!is_stricter(ruled, plain) || !is_by_rule(rule, ruled, plain) ||
	    !is_within_mode(facts, rule, ruled))
		fail_msg("outbound: %s %s %s pinned %d; mode %d: %s, was %s",
		    plain.cell, dns_answer_name(facts->dns),
		    signet_answer_name(facts->signet), facts->pinned,
		    (int)rule->mode,
		    policy_action_name(ruled.action),
		    policy_action_name(plain.action));
	if (!is_stricter(in, plain_in) || !is_by_rule(rule, in, plain_in) ||
	    (rule->mode == RULE_REQUIRED && in.action == POLICY_NAKED))
		fail_msg("inbound: %s %s pinned %d; mode %d: %s, was %s",
		    plain_in.cell, dns_answer_name(facts->dns), facts->pinned,
		    (int)rule->mode, policy_action_name(in.action),
		    policy_action_name(plain_in.action));
}

static void
all_facts_with_all_rules(void **state)
{
	for (int i = 0; i < RULES; i++) {
		const struct rule rule = rule_by_number(i);

		for (int j = 0; j < FACTS; j++) {
			const struct policy_facts facts = facts_by_number(j);

			check_ruled(&facts, &rule);
		}
	}
}

static void
sealed_mail(void **state)
{
	static const struct {
		enum rule_outcome outcome;
		enum rule_action on;
		enum policy_action action;
	} cases[] = {
	    {RULE_BAD_SIGNATURE, RULE_UNSET, POLICY_REFUSE},
	    {RULE_BAD_SIGNATURE, RULE_TEMPFAIL, POLICY_DEFER},
	    {RULE_BAD_SIGNATURE, RULE_REJECT, POLICY_REFUSE},
	    {RULE_PEER_DOWN, RULE_UNSET, POLICY_DEFER},
	    {RULE_PEER_DOWN, RULE_TEMPFAIL, POLICY_DEFER},
	    {RULE_PEER_DOWN, RULE_REJECT, POLICY_REFUSE},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rule rule = {0};

		unit_case(rule_outcome_name(cases[i].outcome));
		rule.on[cases[i].outcome] = cases[i].on;
		assert_int_equal(policy_met(cases[i].outcome, &rule),
		    cases[i].action);
		if (cases[i].on == RULE_UNSET)
			assert_int_equal(policy_met(cases[i].outcome, NULL),
			    cases[i].action);
	}
}

static void
names_go_both_ways(void **state)
{
	for (int i = 0; i < DNS_ANSWERS; i++)
		assert_int_equal(dns_answer_by_name(
		    dns_answer_name((enum dns_answer)i)), i);
	for (int i = 0; i < SIGNET_ANSWERS; i++)
		assert_int_equal(signet_answer_by_name(
		    signet_answer_name((enum signet_answer)i)), i);
	for (int i = 0; i < POLICY_ACTIONS; i++)
		assert_int_equal(policy_action_by_name(
		    policy_action_name((enum policy_action)i)), i);
	for (int i = 0; i < POLICIES; i++)
		assert_int_equal(record_policy_by_name(span_string(
		    record_policy_name((enum record_policy)i))), i);
	assert_int_equal(dns_answer_by_name("absent"), -1);
	assert_int_equal(signet_answer_by_name(""), -1);
	assert_int_equal(policy_action_by_name("bounce"), -1);
	assert_int_equal(record_policy_by_name(span_string("mix")), -1);
	assert_int_equal(record_subdomain_by_name(span_string("STRICT")),
	    RECORD_SUB_STRICT);
	assert_int_equal(record_subdomain_by_name(span_string("loose")), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(outbound_cell_by_cell),
	    cmocka_unit_test(inbound_cell_by_cell),
	    cmocka_unit_test(named_cases),
	    cmocka_unit_test(all_facts),
	    cmocka_unit_test(all_facts_with_all_rules),
	    cmocka_unit_test(sealed_mail),
	    cmocka_unit_test(names_go_both_ways),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
