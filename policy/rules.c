/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "dime/policy.h"
#include "policy/rules.h"

/* ---- choosing ---- */

static bool
names_sender_alone(const struct rule *rule)
{
	return rule->to.any && !rule->from.any;
}

const struct rule *
rules_of_recipient(const struct rules *rules, const struct pattern_name *to)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rules->items[i].from.any &&
		    pattern_set_has(&rules->items[i].to, to, NULL))
			return &rules->items[i];
	return NULL;
}

const struct rule *
rules_of_sender(const struct rules *rules, const struct pattern_name *from)
{
	for (size_t i = 0; i < rules->count; i++)
		if (names_sender_alone(&rules->items[i]) &&
		    pattern_set_has(&rules->items[i].from, from, NULL))
			return &rules->items[i];
	return NULL;
}

static const struct rule *
stricter(const struct rule *rule, const struct rule *other)
{
	return policy_strictness(other) > policy_strictness(rule) ? other
	                                                          : rule;
}

const struct rule *
rules_outbound(const struct rules *rules, const struct pattern_name *from,
    const struct pattern_name *to)
{
	const struct rule *rule = rule_find(rules, from, to);

	rule = stricter(rule, rules_of_recipient(rules, to));
	return stricter(rule, rules_of_sender(rules, from));
}

/* ---- refusing ---- */

static bool
is_inbound(const struct rule *rule, const struct pattern_set *ours)
{
	return pattern_set_covers(ours, &rule->to);
}

int
rules_check(const struct rules *rules, const struct pattern_set *ours,
    struct fault *fault)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->items[i];
		const enum policy_strictness strictness =
		    policy_strictness(rule);

		if (strictness == POLICY_AS_TABLE || rule->from.any ||
		    is_inbound(rule, ours))
			continue;
		if (strictness == POLICY_NO_476)
			return fault_set(fault, ERR_CONFIG, "line %ld: rule "
			    "\"%s\": on_no_signet: \"%s\" cannot hold for some "
			    "senders only (from): Postfix asks for the "
			    "recipient alone", rule->line, rule->name,
			    rule_action_name(rule->on[RULE_NO_SIGNET]));
		if (!rule->to.any)
			return fault_set(fault, ERR_CONFIG, "line %ld: rule "
			    "\"%s\": mode: \"required\" cannot hold for some "
			    "senders (from) to some recipients (to): Postfix "
			    "asks for one of them at a time", rule->line,
			    rule->name);
	}
	return 0;
}

/* ---- warning ---- */

/* Whether the maps let `later` take from `earlier` what both match. */
static bool
is_overruled(const struct rule *earlier, const struct rule *later,
    const struct pattern_set *ours)
{
	const bool alike = later->from.any ? earlier->from.any
	                                   : names_sender_alone(earlier);

	return !alike && stricter(earlier, later) == later &&
	    !is_inbound(later, ours) && !is_inbound(earlier, ours) &&
	    pattern_set_meets(&earlier->from, &later->from) &&
	    pattern_set_meets(&earlier->to, &later->to);
}

static void
warn_of_pair(const struct rule *earlier, const struct rule *later,
    const struct pattern_set *ours, void (*warn)(const char *text))
{
	char text[300];

	if (pattern_set_covers(&earlier->from, &later->from) &&
	    pattern_set_covers(&earlier->to, &later->to)) {
		snprintf(text, sizeof(text), "line %ld: rule \"%s\" never "
		    "counts: rule \"%s\" before it matches all that it does",
		    later->line, later->name, earlier->name);
		warn(text);
	} else if (is_overruled(earlier, later, ours)) {
		snprintf(text, sizeof(text), "line %ld: rule \"%s\" does not "
		    "keep mail that leaves from rule \"%s\": Postfix asks for "
		    "sender or recipient, never for both", earlier->line,
		    earlier->name, later->name);
		warn(text);
	}
}

static void
warn_of_one(const struct rule *rule, const struct pattern_set *ours,
    void (*warn)(const char *text))
{
	char text[300];

	if (!pattern_set_covers(ours, &rule->from) || !is_inbound(rule, ours))
		return;
	snprintf(text, sizeof(text), "line %ld: rule \"%s\" never counts: mail "
	    "between domains that are delivered here is nobody's to decide",
	    rule->line, rule->name);
	warn(text);
}

void
rules_warn(const struct rules *rules, const struct pattern_set *ours,
    void (*warn)(const char *text))
{
	for (size_t i = 0; i < rules->count; i++) {
		warn_of_one(&rules->items[i], ours, warn);
		for (size_t j = 0; j < i; j++)
			warn_of_pair(&rules->items[j], &rules->items[i], ours,
			    warn);
	}
}
