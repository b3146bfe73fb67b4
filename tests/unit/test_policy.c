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
			struct policy_verdict verdict = policy_decide(&facts);
			enum policy_action wanted =
			    says(sender, receiver, "X") ? POLICY_REFUSE
			    : says(sender, receiver, "dark") ? POLICY_DARK
			                                     : POLICY_NAKED;

			unit_case(verdict.cell);
			assert_int_equal(verdict.action, wanted);
			/* 476 opens the naked way of dark/naked alone. */
			facts.signet = SIGNET_NOT_ENABLED;
			verdict = policy_decide(&facts);
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
			    policy_accept_naked(&facts);

			unit_case(verdict.cell);
			assert_int_equal(verdict.action,
			    says(from, ours, "naked") ? POLICY_NAKED
			                              : POLICY_REFUSE);
		}
}

static void
named_cases(void **state)
{
	static const struct {
		const char *name;
		struct policy_facts facts;
		enum policy_action action;
		int err;
		const char *cell;
	} cases[] = {
	    {"proven absence", {RECORD_MIXED, DNS_ABSENT_PROVEN, RECORD_LEGACY,
	     false, false, SIGNET_NOT_ASKED}, POLICY_NAKED, 0, "mixed->legacy"},
	    {"absence in an unsigned zone", {RECORD_MIXED, DNS_ABSENT_INSECURE,
	     RECORD_LEGACY, false, false, SIGNET_NOT_ASKED}, POLICY_NAKED, 0,
	     "mixed->legacy"},
	    {"absence, and a rule", {RECORD_MIXED, DNS_ABSENT_INSECURE,
	     RECORD_LEGACY, false, true, SIGNET_NOT_ASKED}, POLICY_REFUSE,
	     ERR_POLICY, "mixed->legacy"},
	    {"absence of what was there", {RECORD_MIXED, DNS_ABSENT_PROVEN,
	     RECORD_MIXED, true, false, SIGNET_NOT_ASKED}, POLICY_DEFER,
	     ERR_BUSY, "mixed->mixed"},
	    {"the same, signet held", {RECORD_MIXED, DNS_ABSENT_INSECURE,
	     RECORD_MIXED, true, false, SIGNET_HELD}, POLICY_DARK, 0,
	     "mixed->mixed"},
	    {"what an absent record once said counts for nothing without a pin",
	     {RECORD_MIXED, DNS_ABSENT_PROVEN, RECORD_STRICT, false, false,
	     SIGNET_HELD}, POLICY_NAKED, 0, "mixed->legacy"},
	    {"strict to a legacy domain", {RECORD_STRICT, DNS_ABSENT_PROVEN,
	     RECORD_LEGACY, false, false, SIGNET_NOT_ASKED}, POLICY_REFUSE,
	     ERR_POLICY, "strict->legacy"},
	    {"bogus", {RECORD_MIXED, DNS_BOGUS, RECORD_LEGACY, false, false,
	     SIGNET_NOT_ASKED}, POLICY_DEFER, ERR_BOGUS, NULL},
	    {"unreachable", {RECORD_MIXED, DNS_UNREACHABLE, RECORD_LEGACY,
	     false, false, SIGNET_NOT_ASKED}, POLICY_DEFER, ERR_DNS, NULL},
	    {"malformed", {RECORD_MIXED, DNS_MALFORMED, RECORD_LEGACY, false,
	     false, SIGNET_NOT_ASKED}, POLICY_DEFER, ERR_RECORD, NULL},
	    {"bogus, pinned, no signet", {RECORD_MIXED, DNS_BOGUS, RECORD_MIXED,
	     true, false, SIGNET_FAILED}, POLICY_DEFER, ERR_BOGUS, NULL},
	    {"bogus, pinned, 476", {RECORD_MIXED, DNS_BOGUS,
	     RECORD_EXPERIMENTAL, true, false, SIGNET_NOT_ENABLED},
	     POLICY_DEFER, ERR_BOGUS, NULL},
	    {"bogus, pinned, signet held", {RECORD_MIXED, DNS_BOGUS,
	     RECORD_MIXED, true, false, SIGNET_HELD}, POLICY_DARK, 0,
	     "mixed->mixed"},
	    {"bogus, signet held, no pin", {RECORD_MIXED, DNS_BOGUS,
	     RECORD_MIXED, false, false, SIGNET_HELD}, POLICY_DEFER, ERR_BOGUS,
	     NULL},
	    {"unknown address", {RECORD_EXPERIMENTAL, DNS_PRESENT_SECURE,
	     RECORD_EXPERIMENTAL, false, false, SIGNET_UNKNOWN}, POLICY_REFUSE,
	     ERR_UNKNOWN_ADDRESS, NULL},
	    {"476 where only dark goes", {RECORD_MIXED, DNS_PRESENT_SECURE,
	     RECORD_MIXED, false, false, SIGNET_NOT_ENABLED}, POLICY_DEFER,
	     ERR_NOT_ENABLED, NULL},
	    {"476 and a rule", {RECORD_MIXED, DNS_PRESENT_SECURE,
	     RECORD_EXPERIMENTAL, false, true, SIGNET_NOT_ENABLED},
	     POLICY_DEFER, ERR_NOT_ENABLED, NULL},
	    {"signet not to be had", {RECORD_EXPERIMENTAL, DNS_PRESENT_INSECURE,
	     RECORD_EXPERIMENTAL, false, false, SIGNET_FAILED}, POLICY_DEFER,
	     ERR_UNREACHABLE, NULL},
	    {"a record that says legacy", {RECORD_MIXED, DNS_PRESENT_SECURE,
	     RECORD_LEGACY, false, false, SIGNET_HELD}, POLICY_DEFER,
	     ERR_INTERNAL, NULL},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy_verdict verdict = policy_decide(&cases[i].facts);

		unit_case(cases[i].name);
		assert_int_equal(verdict.action, cases[i].action);
		assert_int_equal(verdict.err, cases[i].err);
		if (cases[i].cell != NULL)
			assert_string_equal(verdict.cell, cases[i].cell);
	}
}

/* Runs `check` on every combination of facts there is. */
static void
for_all(void (*check)(const struct policy_facts *facts))
{
	struct policy_facts facts;

	for (int i = 0; i < POLICIES * POLICIES * DNS_ANSWERS *
	    SIGNET_ANSWERS * 4; i++) {
		int rest = i;

		facts.sender = (enum record_policy)(rest % POLICIES);
		rest /= POLICIES;
		facts.receiver = (enum record_policy)(rest % POLICIES);
		rest /= POLICIES;
		facts.dns = (enum dns_answer)(rest % DNS_ANSWERS);
		rest /= DNS_ANSWERS;
		facts.signet = (enum signet_answer)(rest % SIGNET_ANSWERS);
		rest /= SIGNET_ANSWERS;
		facts.pinned = rest % 2 != 0;
		facts.required = rest / 2 != 0;
		check(&facts);
	}
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

static void
check_outbound(const struct policy_facts *facts)
{
	struct policy_verdict verdict = policy_decide(facts);
	bool gone = is_absent(facts) && !facts->pinned;
	int receiver = gone ? RECORD_LEGACY : (int)facts->receiver;

	/* Total, and it says why. */
	assert_in_range(verdict.action, 0, POLICY_ACTIONS - 1);
	assert_true(strlen(verdict.reason) > 10);
	assert_non_null(strstr(verdict.cell, "->"));
	assert_int_equal(verdict.err == 0, verdict.action == POLICY_DARK ||
	    verdict.action == POLICY_NAKED);
	if (verdict.err != 0)
		assert_int_equal(error_row(verdict.err)->temporary,
		    verdict.action == POLICY_DEFER);
	/* Naked only on knowledge. */
	if (verdict.action == POLICY_NAKED) {
		assert_false(is_failure(facts));
		assert_false(facts->required);
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
		    facts->required || says((int)facts->sender, receiver, "X"));
	if (facts->signet == SIGNET_UNKNOWN && !gone &&
	    facts->sender != RECORD_LEGACY)
		assert_true(verdict.action == POLICY_REFUSE ||
		    (verdict.action == POLICY_DEFER &&
		    (!facts->pinned || facts->receiver == RECORD_LEGACY)));
}

static void
check_inbound(const struct policy_facts *facts)
{
	struct policy_verdict verdict = policy_accept_naked(facts);
	bool gone = is_absent(facts) && !facts->pinned;
	int from = gone ? RECORD_LEGACY : (int)facts->receiver;

	assert_int_not_equal(verdict.action, POLICY_DARK);
	assert_int_equal(verdict.err == 0, verdict.action == POLICY_NAKED);
	if (is_failure(facts))
		assert_int_equal(verdict.action, POLICY_DEFER);
	if (verdict.action == POLICY_NAKED) {
		assert_true(says(from, (int)facts->sender, "naked"));
		assert_false(facts->required);
	}
	if (verdict.action == POLICY_DEFER)
		assert_true(error_row(verdict.err)->temporary);
}

/* A rule, or a pin, never opens what was closed without it. */
static void
check_stricter(const struct policy_facts *facts)
{
	struct policy_facts ruled = *facts;

	if (facts->required || policy_decide(facts).action == POLICY_NAKED)
		return;
	ruled.required = true;
	assert_int_not_equal(policy_decide(&ruled).action, POLICY_NAKED);
	assert_int_equal(policy_decide(&ruled).action,
	    policy_decide(facts).action);
}

static void
all_combinations(void **state)
{
	for_all(check_outbound);
	for_all(check_inbound);
	for_all(check_stricter);
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
	    cmocka_unit_test(all_combinations),
	    cmocka_unit_test(names_go_both_ways),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
