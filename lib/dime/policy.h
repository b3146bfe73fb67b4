/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIME_POLICY_H
#define DIME_DIME_POLICY_H

#include "base/rule.h"
#include "dime/record.h"

/*
 * What may happen to a message, as a pure and total function of what is known
 * (Figure 6; policy.def) and the site's rule for it (NULL: none). Naked mail
 * only ever follows from knowledge: a proven absence, an absence in a zone
 * proven unsigned, or the peer's own 476 where the table allows it. Never from
 * an error, and never because of a rule.
 */

/* The seven answers of DNS about a record (R7), kept apart all the way. */
enum dns_answer {
	DNS_PRESENT_SECURE,
	DNS_PRESENT_INSECURE,
	DNS_ABSENT_PROVEN,   /* NSEC or NSEC3 */
	DNS_ABSENT_INSECURE, /* in a zone proven unsigned */
	DNS_BOGUS,
	DNS_UNREACHABLE,
	DNS_MALFORMED,
	DNS_ANSWERS
};

/* "present-secure" and so on; the reader returns -1 for an unknown name. */
const char *dns_answer_name(enum dns_answer answer);
int dns_answer_by_name(const char *name);

/* What came of looking for the recipient's signet. */
enum signet_answer {
	SIGNET_NOT_ASKED,   /* not looked for yet */
	SIGNET_HELD,        /* validated (S17) */
	SIGNET_NOT_ENABLED, /* 476 over a confirmed session */
	SIGNET_UNKNOWN,     /* 576: no such address */
	SIGNET_DOWN,        /* no host of the domain can be spoken with */
	SIGNET_BAD,         /* what came does not prove itself */
	SIGNET_CHANGED,     /* does not follow from the one held before */
	SIGNET_FAILED,      /* our own trouble: temporary, whatever rules say */
	SIGNET_ANSWERS
};
/* Whether nothing was learned of the recipient. */
bool signet_answer_is_failure(enum signet_answer answer);

const char *signet_answer_name(enum signet_answer answer);
int signet_answer_by_name(const char *name);

struct policy_facts {
	enum record_policy sender;   /* of the acting domain of ours */
	enum dns_answer dns;         /* of the recipient's domain */
	enum record_policy receiver; /* of its record, or of the pin's */
	bool pinned; /* a confirmed record was seen and has not expired */
	enum signet_answer signet;
};

enum policy_action {
	POLICY_DARK,   /* seal */
	POLICY_NAKED,  /* leave it to SMTP */
	POLICY_DEFER,  /* not known yet: queue */
	POLICY_REFUSE, /* bounce */
	POLICY_ACTIONS
};
const char *policy_action_name(enum policy_action action);
int policy_action_by_name(const char *name);

struct policy_verdict {
	enum policy_action action;
	int err;            /* 0 for DARK and NAKED, else an ERR_* number */
	const char *cell;   /* "mixed->legacy", row and column of the table */
	const char *reason; /* one sentence for the log and `dimectl explain` */
	enum rule_outcome outcome; /* whose key of a rule counts here; or none:
	                              RULE_OUTCOMES */
};

/* Outbound: from our domain to `receiver`. Any combination has a verdict. */
struct policy_verdict policy_decide(const struct policy_facts *facts,
    const struct rule *rule);

/*
 * Inbound naked mail from a domain of which `facts` speaks as receiver (its
 * dns, receiver and pinned) to a domain of ours with policy facts->sender:
 * NAKED when it may come in, REFUSE when not, DEFER when not known.
 */
struct policy_verdict policy_accept_naked(const struct policy_facts *facts,
    const struct rule *rule);

/* What becomes of a sealed message that met RULE_BAD_SIGNATURE when it was
 * opened, or RULE_PEER_DOWN when it was to be delivered: DEFER or REFUSE. */
enum policy_action policy_met(enum rule_outcome outcome,
    const struct rule *rule);

/*
 * Whether the rule forbids naked mail that the table allows: not at all, where
 * the peer says 476, or always.
 */
enum policy_strictness {
	POLICY_AS_TABLE,
	POLICY_NO_476,
	POLICY_NEVER_NAKED,
};
enum policy_strictness policy_strictness(const struct rule *rule);

#endif
