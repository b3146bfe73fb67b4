/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_BASE_RULE_H
#define DIME_BASE_RULE_H

#include "base/buffer.h"
#include "base/pattern.h"

/*
 * The site's rules, as they stand in the configuration (rule.def): an ordered
 * list, of which the first that matches sender and recipient counts. What a
 * rule does to a verdict is policy_decide()'s (lib/dime/policy.h).
 */

enum rule_mode {
	RULE_OPPORTUNISTIC,
	RULE_OFF,
	RULE_REQUIRED,
	RULE_MODES
};

enum rule_outcome {
#define RULE_PATTERNS(...)
#define RULE_MODE(...)
#define RULE_OUTCOME(name, number, ...) number,
#include "base/rule.def"
#undef RULE_PATTERNS
#undef RULE_MODE
#undef RULE_OUTCOME
	RULE_OUTCOMES
};

enum rule_action {
	RULE_UNSET,
	RULE_TEMPFAIL,
	RULE_REJECT,
	RULE_NAKED,
	RULE_ACTIONS
};

struct rule {
	const char *name; /* its title */
	size_t number;    /* its place in the list, from 1 on */
	long line;        /* of its first key in the file */
	struct pattern_set from, to;
	enum rule_mode mode;
	enum rule_action on[RULE_OUTCOMES];
};

struct rules {
	size_t count;
	struct rule *items;
};

/* "on_dns_error" and so on, "" for RULE_OUTCOMES; the reader returns
 * RULE_OUTCOMES for an unknown name. */
const char *rule_outcome_name(enum rule_outcome outcome);
enum rule_outcome rule_outcome_by_name(const char *name);

/* "tempfail" and so on, "" for RULE_UNSET. */
const char *rule_action_name(enum rule_action action);

/* What the rule has for the outcome; RULE_UNSET for NULL. */
enum rule_action rule_action(const struct rule *rule,
    enum rule_outcome outcome);

/* The first rule that matches both names, or NULL. */
const struct rule *rule_find(const struct rules *rules,
    const struct pattern_name *from, const struct pattern_name *to);

/*
 * The rule in a line: its title, what it sets, and of its patterns the two that
 * match, all of it printing ASCII or UTF-8.
 */
void rule_describe(const struct rule *rule, const struct pattern_name *from,
    const struct pattern_name *to, struct buffer *out);

#endif
