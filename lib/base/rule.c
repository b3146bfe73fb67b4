/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/rule.h"

#include <string.h>

static const char *const modes[RULE_MODES] = {
    [RULE_OPPORTUNISTIC] = "opportunistic",
    [RULE_OFF] = "off",
    [RULE_REQUIRED] = "required",
};

static const char *const outcomes[RULE_OUTCOMES + 1] = {
#define RULE_PATTERNS(...)
#define RULE_MODE(...)
#define RULE_OUTCOME(name, number, ...) [number] = #name,
#include "base/rule.def"
#undef RULE_PATTERNS
#undef RULE_MODE
#undef RULE_OUTCOME
    [RULE_OUTCOMES] = "",
};

static const char *const actions[RULE_ACTIONS] = {
    [RULE_UNSET] = "",
    [RULE_TEMPFAIL] = "tempfail",
    [RULE_REJECT] = "reject",
    [RULE_NAKED] = "naked",
};

const char *
rule_outcome_name(enum rule_outcome outcome)
{
	return outcomes[outcome];
}

enum rule_outcome
rule_outcome_by_name(const char *name)
{
	unsigned int i = 0;

	while (i < RULE_OUTCOMES && strcmp(outcomes[i], name) != 0)
		i++;
	return (enum rule_outcome)i;
}

const char *
rule_action_name(enum rule_action action)
{
	return actions[action];
}

enum rule_action
rule_action(const struct rule *rule, enum rule_outcome outcome)
{
	return rule == NULL ? RULE_UNSET : rule->on[outcome];
}

const struct rule *
rule_find(const struct rules *rules, const struct pattern_name *from,
    const struct pattern_name *to)
{
	for (size_t i = 0; i < rules->count; i++)
		if (pattern_set_has(&rules->items[i].from, from, NULL) &&
		    pattern_set_has(&rules->items[i].to, to, NULL))
			return &rules->items[i];
	return NULL;
}

static void
describe_side(const char *key, const struct pattern_set *set,
    const struct pattern_name *name, struct buffer *out)
{
	const char *matched;

	if (pattern_set_has(set, name, &matched) && strcmp(matched, "*") != 0)
		buffer_printf(out, ", %s %s", key, matched);
}

void
rule_describe(const struct rule *rule, const struct pattern_name *from,
    const struct pattern_name *to, struct buffer *out)
{
	buffer_printf(out, "%s: mode %s", rule->name, modes[rule->mode]);
	describe_side("from", &rule->from, from, out);
	describe_side("to", &rule->to, to, out);
	for (int i = 0; i < RULE_OUTCOMES; i++)
		if (rule->on[i] != RULE_UNSET)
			buffer_printf(out, ", %s %s", outcomes[i],
			    actions[rule->on[i]]);
}
