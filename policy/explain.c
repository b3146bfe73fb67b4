/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "policy/explain.h"

static void
refuse_name(struct facts_answer *answer, const char *what, const char *name)
{
	answer->err = ERR_USAGE;
	snprintf(answer->reason, sizeof(answer->reason),
	    "%s: \"%s\" is not an address or a domain", what, name);
}

/* An address whose domain is one or an address literal, or a domain. */
static bool
has_domain(const char *text)
{
	struct pattern_name name;
	struct decide_name read;

	pattern_name_read(text, &name);
	decide_read_name(text, &read);
	return name.domain[0] != '\0' || read.literal;
}

enum direction { OUTBOUND, INBOUND, LOCAL };

static enum direction
find_direction(const struct site *site, const char *from_text,
    const char *to_text)
{
	struct pattern_name from, to;

	pattern_name_read(from_text, &from);
	pattern_name_read(to_text, &to);
	if (to.domain[0] == '\0' || !site_delivers(site, to.domain))
		return OUTBOUND;
	/* DIME-MX asks about nothing else. */
	if (site_names_has(&site->domains, to.domain) && !from.null &&
	    !(from.domain[0] != '\0' && site_delivers(site, from.domain)))
		return INBOUND;
	return LOCAL;
}

void
explain_answer(struct policyd *policyd, const struct facts_request *request,
    struct facts_answer *answer)
{
	static const char *const names[] = {"outbound", "inbound", "local"};
	const bool null =
	    *request->from == '\0' || strcmp(request->from, "<>") == 0;
	const struct site *site;
	enum direction direction;

	if (!null && !has_domain(request->from)) {
		refuse_name(answer, "sender", request->from);
		return;
	}
	if (!has_domain(request->to)) {
		refuse_name(answer, "recipient", request->to);
		return;
	}
	site = sites_hold(policyd->sites);
	direction = find_direction(site, request->from, request->to);
	sites_release(site);
	if (direction == INBOUND)
		decide_inbound_silently(policyd, request, answer);
	else
		decide_outbound_silently(policyd, request, answer);
	snprintf(answer->direction, sizeof(answer->direction), "%s",
	    names[direction]);
}

/* ---- what sealed mail has met ---- */

static bool
may_be_met(enum rule_outcome outcome)
{
	return outcome == RULE_BAD_SIGNATURE || outcome == RULE_PEER_DOWN;
}

void
explain_met(struct policyd *policyd, const struct facts_request *request,
    struct facts_answer *answer)
{
	const enum rule_outcome outcome = rule_outcome_by_name(
	    request->outcome == NULL ? "" : request->outcome);
	const struct site *site;
	struct pattern_name from, to;
	const struct rule *rule;

	if (!may_be_met(outcome)) {
		answer->err = ERR_USAGE;
		snprintf(answer->reason, sizeof(answer->reason),
		    "outcome: not on_bad_signature or on_peer_down");
		return;
	}
	site = sites_hold(policyd->sites);
	pattern_name_read(request->from, &from);
	pattern_name_read(request->to, &to);
	rule = rule_find(site->rules, &from, &to);
	answer->action = policy_met(outcome, rule);
	answer->by_rule = answer->action != policy_met(outcome, NULL);
	decide_tell_rule(rule, &from, &to, answer);
	snprintf(answer->outcome, sizeof(answer->outcome), "%s",
	    request->outcome);
	snprintf(answer->reason, sizeof(answer->reason), "%s%s%s",
	    outcome == RULE_BAD_SIGNATURE
	        ? "a signature of the message does not hold"
	        : "no host of the recipient's domain can be spoken with",
	    answer->by_rule ? "; by rule " : "",
	    answer->by_rule ? rule->name : "");
	sites_release(site);
	atomic_fetch_add(answer->action == POLICY_REFUSE
	    ? &policyd->statistics.met_refused
	    : &policyd->statistics.met_deferred, 1);
	decide_log("met", request, answer);
}
