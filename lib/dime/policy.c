/* SPDX-License-Identifier: BSD-2-Clause */
#include <strings.h>

#include "base/error.h"
#include "dime/policy.h"

enum { POLICIES = RECORD_STRICT + 1 };

/* ---- names ---- */

static const char *const dns_answers[DNS_ANSWERS] = {
    [DNS_PRESENT_SECURE] = "present-secure",
    [DNS_PRESENT_INSECURE] = "present-insecure",
    [DNS_ABSENT_PROVEN] = "absent-proven",
    [DNS_ABSENT_INSECURE] = "absent-insecure",
    [DNS_BOGUS] = "bogus",
    [DNS_UNREACHABLE] = "unreachable",
    [DNS_MALFORMED] = "malformed",
};

static const char *const signet_answers[SIGNET_ANSWERS] = {
    [SIGNET_NOT_ASKED] = "not-asked",
    [SIGNET_HELD] = "held",
    [SIGNET_NOT_ENABLED] = "not-enabled",
    [SIGNET_UNKNOWN] = "unknown-address",
    [SIGNET_DOWN] = "peer-down",
    [SIGNET_BAD] = "bad-signature",
    [SIGNET_CHANGED] = "key-changed",
    [SIGNET_FAILED] = "failed",
};

static const char *const actions[POLICY_ACTIONS] = {
    [POLICY_DARK] = "dark",
    [POLICY_NAKED] = "naked",
    [POLICY_DEFER] = "defer",
    [POLICY_REFUSE] = "refuse",
};

static int
find_name(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (strcasecmp(names[i], name) == 0)
			return i;
	return -1;
}

const char *
dns_answer_name(enum dns_answer answer)
{
	return dns_answers[answer];
}

int
dns_answer_by_name(const char *name)
{
	return find_name(dns_answers, DNS_ANSWERS, name);
}

bool
signet_answer_is_failure(enum signet_answer answer)
{
	return answer == SIGNET_DOWN || answer == SIGNET_BAD ||
	    answer == SIGNET_CHANGED || answer == SIGNET_FAILED;
}

const char *
signet_answer_name(enum signet_answer answer)
{
	return signet_answers[answer];
}

int
signet_answer_by_name(const char *name)
{
	return find_name(signet_answers, SIGNET_ANSWERS, name);
}

const char *
policy_action_name(enum policy_action action)
{
	return actions[action];
}

int
policy_action_by_name(const char *name)
{
	return find_name(actions, POLICY_ACTIONS, name);
}

/* ---- the table ---- */

enum outcome {
	OUTCOME_NAKED,
	OUTCOME_DARK,
	OUTCOME_DARK_OR_NAKED,
	OUTCOME_REFUSE,
};

struct cell {
	const char *name;
	enum outcome outcome;
};

static const struct cell cells[POLICIES][POLICIES] = {
#define TEXT_LEGACY "legacy"
#define TEXT_EXPERIMENTAL "experimental"
#define TEXT_MIXED "mixed"
#define TEXT_STRICT "strict"
#define CELL(sender, receiver, outcome)                                        \
	[RECORD_##sender][RECORD_##receiver] = {                               \
	    TEXT_##sender "->" TEXT_##receiver, OUTCOME_##outcome},
#include "dime/policy.def"
#undef CELL
};

/* What DNS lets us say of a domain, with the pin taken into account. */
enum standing {
	STANDING_DIME,   /* there is a record, or a pin says that there was */
	STANDING_LEGACY, /* known to have none */
	STANDING_UNKNOWN,
};

static enum standing
find_standing(const struct policy_facts *facts)
{
	switch (facts->dns) {
	case DNS_PRESENT_SECURE:
	case DNS_PRESENT_INSECURE:
		return facts->receiver == RECORD_LEGACY ? STANDING_UNKNOWN
		                                        : STANDING_DIME;
	case DNS_ABSENT_PROVEN:
	case DNS_ABSENT_INSECURE:
		if (!facts->pinned)
			return STANDING_LEGACY;
		return facts->receiver == RECORD_LEGACY ? STANDING_UNKNOWN
		                                        : STANDING_DIME;
	default:
		return STANDING_UNKNOWN;
	}
}

static struct policy_verdict
verdict(enum policy_action action, int err, const struct cell *cell,
    const char *reason)
{
	return (struct policy_verdict){action, err, cell->name, reason,
	    RULE_OUTCOMES};
}

/* ---- rules ---- */

static bool
has_mode(const struct rule *rule, enum rule_mode mode)
{
	return rule != NULL && rule->mode == mode;
}

enum policy_strictness
policy_strictness(const struct rule *rule)
{
	const enum rule_action action = rule_action(rule, RULE_NO_SIGNET);

	if (has_mode(rule, RULE_REQUIRED))
		return POLICY_NEVER_NAKED;
	return action == RULE_UNSET || action == RULE_NAKED ? POLICY_AS_TABLE
	                                                    : POLICY_NO_476;
}

/* The table knows nothing better than to wait; a rule may know to refuse. */
static struct policy_verdict
fail(const struct rule *rule, enum rule_outcome outcome, int err,
    const struct cell *cell, const char *reason)
{
	struct policy_verdict failed = verdict(POLICY_DEFER, err, cell, reason);

	failed.outcome = outcome;
	if (rule_action(rule, outcome) == RULE_REJECT) {
		failed.action = POLICY_REFUSE;
		failed.err = ERR_POLICY;
	}
	return failed;
}

/* ---- the verdict ---- */

/* DNS gave no answer that can be used. What the pin remembers may still be
 * sealed for, and still tells whether an address is unknown. */
static struct policy_verdict
decide_unknown(const struct policy_facts *facts, const struct rule *rule,
    const struct cell *cell)
{
	if (facts->pinned && facts->receiver != RECORD_LEGACY) {
		if (facts->signet == SIGNET_UNKNOWN)
			return verdict(POLICY_REFUSE, ERR_UNKNOWN_ADDRESS, cell,
			    "the domain says that there is no such address");
		if (facts->signet == SIGNET_HELD &&
		    !has_mode(rule, RULE_OFF) &&
		    (cell->outcome == OUTCOME_DARK ||
		    cell->outcome == OUTCOME_DARK_OR_NAKED))
			return verdict(POLICY_DARK, 0, cell, "DNS fails, but "
			    "the domain is pinned and the signet is held");
	}
	switch (facts->dns) {
	case DNS_BOGUS:
		return fail(rule, RULE_DNS_ERROR, ERR_BOGUS, cell,
		    "DNSSEC validation of the record failed");
	case DNS_MALFORMED:
		return fail(rule, RULE_DNS_ERROR, ERR_RECORD, cell,
		    "the management record is malformed");
	case DNS_UNREACHABLE:
		return fail(rule, RULE_DNS_ERROR, ERR_DNS, cell,
		    "DNS gives no answer about the record");
	default:
		return verdict(POLICY_DEFER, ERR_INTERNAL, cell,
		    "a record without a policy");
	}
}

/* The cell wants, or also takes, naked mail and the way is open to it. */
static struct policy_verdict
decide_naked(const struct rule *rule, const struct cell *cell,
    const char *reason)
{
	if (has_mode(rule, RULE_REQUIRED))
		return verdict(POLICY_REFUSE, ERR_POLICY, cell,
		    "a rule of this site forbids naked mail here");
	return verdict(POLICY_NAKED, 0, cell, reason);
}

/* 476 is temporary by its code: the signet may come. */
static struct policy_verdict
decide_not_enabled(const struct rule *rule, const struct cell *cell)
{
	struct policy_verdict open;

	if (cell->outcome != OUTCOME_DARK_OR_NAKED ||
	    policy_strictness(rule) != POLICY_AS_TABLE)
		return fail(rule, RULE_NO_SIGNET, ERR_NOT_ENABLED, cell,
		    "the address is not DIME-enabled and may not be sent "
		    "naked mail");
	open = verdict(POLICY_NAKED, 0, cell,
	    "the domain says that the address is not DIME-enabled");
	open.outcome = RULE_NO_SIGNET;
	return open;
}

static struct policy_verdict
decide_off(const struct cell *cell)
{
	return verdict(POLICY_REFUSE, ERR_POLICY, cell, "a rule of this site "
	    "turns DIME off here, and the policies of the two domains allow no "
	    "naked mail");
}

/* The cell wants D/MIME: all depends on the signet. */
static struct policy_verdict
decide_dark(const struct policy_facts *facts, const struct rule *rule,
    const struct cell *cell)
{
	const bool off = has_mode(rule, RULE_OFF);

	if (facts->signet == SIGNET_UNKNOWN)
		return verdict(POLICY_REFUSE, ERR_UNKNOWN_ADDRESS, cell,
		    "the domain says that there is no such address");
	if (off && (cell->outcome == OUTCOME_DARK ||
	    facts->signet == SIGNET_HELD))
		return decide_off(cell);
	switch (facts->signet) {
	case SIGNET_HELD:
		return verdict(POLICY_DARK, 0, cell,
		    "the recipient's signet is held");
	case SIGNET_NOT_ENABLED:
		return decide_not_enabled(rule, cell);
	case SIGNET_NOT_ASKED:
		return verdict(POLICY_DEFER, ERR_BUSY, cell,
		    "the recipient's signet was not looked for yet");
	case SIGNET_DOWN:
		return fail(rule, RULE_PEER_DOWN, ERR_UNREACHABLE, cell,
		    "the recipient's domain cannot be asked for the signet");
	case SIGNET_BAD:
		return fail(rule, RULE_BAD_SIGNATURE, ERR_UNCONFIRMED, cell,
		    "the recipient's signet does not prove itself");
	case SIGNET_CHANGED:
		return fail(rule, RULE_KEY_CHANGE, ERR_CUSTODY, cell,
		    "the recipient's signet does not follow from the one held "
		    "before");
	default:
		return verdict(POLICY_DEFER, ERR_BUSY, cell,
		    "the recipient's signet cannot be had for now");
	}
}

struct policy_verdict
policy_decide(const struct policy_facts *facts, const struct rule *rule)
{
	enum standing standing = find_standing(facts);
	const struct cell *cell = &cells[facts->sender][
	    standing == STANDING_LEGACY ? RECORD_LEGACY : facts->receiver];

	if (standing == STANDING_UNKNOWN)
		return decide_unknown(facts, rule, cell);
	switch (cell->outcome) {
	case OUTCOME_NAKED:
		return decide_naked(rule, cell, standing == STANDING_LEGACY
		    ? "the domain is known to have no record"
		    : "a domain without a record sends naked mail");
	case OUTCOME_REFUSE:
		return verdict(POLICY_REFUSE, ERR_POLICY, cell,
		    "the policies of the two domains allow no mail");
	default:
		return decide_dark(facts, rule, cell);
	}
}

struct policy_verdict
policy_accept_naked(const struct policy_facts *facts, const struct rule *rule)
{
	enum standing standing = find_standing(facts);
	/* The mail comes from the domain that the facts speak of. */
	const struct cell *cell = &cells[standing == STANDING_LEGACY
	    ? RECORD_LEGACY : facts->receiver][facts->sender];

	if (standing == STANDING_UNKNOWN) {
		struct policy_facts plain = *facts;

		plain.pinned = false;
		return decide_unknown(&plain, rule, cell);
	}
	if (cell->outcome == OUTCOME_DARK || cell->outcome == OUTCOME_REFUSE)
		return verdict(POLICY_REFUSE, ERR_POLICY, cell,
		    "the policies of the two domains forbid naked mail");
	return decide_naked(rule, cell,
	    "the policies of the two domains allow naked mail");
}

enum policy_action
policy_met(enum rule_outcome outcome, const struct rule *rule)
{
	switch (rule_action(rule, outcome)) {
	case RULE_REJECT:
		return POLICY_REFUSE;
	case RULE_TEMPFAIL:
		return POLICY_DEFER;
	default:
		return outcome == RULE_BAD_SIGNATURE ? POLICY_REFUSE
		                                     : POLICY_DEFER;
	}
}
