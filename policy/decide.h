/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_DECIDE_H
#define DIME_POLICY_DECIDE_H

#include "client/facts.h"
#include "policy/policyd.h"

/*
 * Collects what is known, hands it to the policy table, and answers with both.
 * No function here fails: what is wrong stands in answer->err and
 * answer->reason. All take an answer fresh from facts_answer_init() and wait
 * until request->wait has passed at most; the work then goes on for the next
 * one who asks.
 */

/*
 * Mail from one of our domains (`from`: the domain or an address at it) to the
 * address `to`; the site's rules take request->sender for the sender if it is
 * given. Signets are in the answer when it is DARK. Counted and logged.
 */
void decide_outbound(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer);

/* Naked mail from outside, to an address or domain of ours. Counted and logged.
 */
void decide_inbound(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer);

/* Likewise, and neither counted nor logged. */
void decide_outbound_silently(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer);
void decide_inbound_silently(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer);

/* ---- what the map, and other answers, share ---- */

/* A recipient or sender as Postfix or a mail gives it. */
struct decide_name {
	char domain[DOMAIN_SIZE];   /* "" when DNS has nothing to say of it */
	char address[ADDRESS_SIZE]; /* "" when DIME cannot carry it */
	bool no_domain; /* no `@`, an address literal or a single label: nothing
	                   that could have a record */
	bool literal;   /* no domain, and yet another host's */
	const char *label; /* of a single label, else "" */
};
void decide_read_name(const char *text, struct decide_name *out);

/* The same for the site's rules. */
struct pattern_name decide_pattern_name(const struct decide_name *name);

/* Whether the recipient is delivered here, so that nothing is to be decided. */
bool decide_is_local(const struct site *site, const struct decide_name *name);

/* What DNS and pin say, as the table takes it. */
void decide_domain_facts(const struct policyd *policyd,
    const struct domain_facts *domain, struct policy_facts *facts);

/* Fills in all that an answer tells of a domain. */
void decide_tell_domain(const struct policyd *policyd,
    const struct domain_facts *domain, bool hit, struct facts_answer *answer);

/* Likewise of a signet. */
void decide_tell_signet(const struct policyd *policyd,
    const struct signet_facts *signet, bool hit, struct facts_answer *answer);

/* Fills in what an answer tells of a rule; NULL is fine. */
void decide_tell_rule(const struct rule *rule, const struct pattern_name *from,
    const struct pattern_name *to, struct facts_answer *answer);

/* One line of the log, also for what is answered elsewhere. */
void decide_log(const char *event, const struct facts_request *request,
    const struct facts_answer *answer);

#endif
