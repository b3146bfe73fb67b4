/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_INQUIRY_H
#define DIME_POLICY_INQUIRY_H

#include "policy/decide.h"

/*
 * The facts socket's other questions; as in decide.h nothing here fails, and
 * what is wrong stands in the answer. doc/facts.md says which errors mean what.
 */

/* Record and signets of a domain or address (request->to), or the signet with
 * request->fingerprint. */
void inquiry_signet(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer);

/* The record of a domain, and its hosts of request->stage with their addresses.
 */
void inquiry_hosts(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer);

/* The addresses of a host, such as may be connected to. */
void inquiry_addresses(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer);

/* DIME-OUT found that this recipient may go naked. Believed only when the same
 * decision, made again from what is known now, says so too. */
void inquiry_note_naked(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer);

/* Drops a domain (record, pin, signets) or an address (signet, its
 * organization's signet, note, which signet was seen) from every tier. */
void inquiry_forget(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer);

/* A peer answered 576 or 586 to request->fingerprint of a domain or an address:
 * its signet is fetched anew when it is next wanted. */
void inquiry_stale(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer);

/* All counters, as text. */
void inquiry_status(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer);

#endif
