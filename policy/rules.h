/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_RULES_H
#define DIME_POLICY_RULES_H

#include "base/rule.h"

/*
 * Which of the site's rules counts. Postfix's maps see the recipient or the
 * sender of a message, never both, and a rule that forbids naked mail must hold
 * in them: therefore such a rule names only one side (rules_check()), and no
 * earlier rule that names both takes anything from it.
 */

/* What the map knows of a recipient: the first rule that matches him and names
 * no sender. NULL: none. */
const struct rule *rules_of_recipient(const struct rules *rules,
    const struct pattern_name *to);

/* What the map knows of a sender: the first rule that matches him, names
 * senders, and no recipient. */
const struct rule *rules_of_sender(const struct rules *rules,
    const struct pattern_name *from);

/* For mail that leaves: the first that matches both, or of the two above the
 * one that forbids more naked mail than that. */
const struct rule *rules_outbound(const struct rules *rules,
    const struct pattern_name *from, const struct pattern_name *to);

/* Refuses rules that could not hold; `ours` are the domains that are delivered
 * here. ERR_CONFIG names line, rule and key. */
int rules_check(const struct rules *rules, const struct pattern_set *ours,
    struct fault *fault);

/* Says with `warn` what of the list never has an effect. */
void rules_warn(const struct rules *rules, const struct pattern_set *ours,
    void (*warn)(const char *text));

#endif
