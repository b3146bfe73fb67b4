/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_CLAIM_H
#define DIME_POLICY_CLAIM_H

#include "policy/policyd.h"

/*
 * A message is delivered once, whichever of the site's nodes it is sent to.
 * Before a node hands it to Postfix it claims the message in Redis, for a
 * little longer than that can take; afterwards it says that it was delivered,
 * which stands for 30 days, or gives the claim back. The value's name is made
 * of a hash of the message and its recipient, and its MAC covers the name:
 * whoever shows it again says no more than what was true of this message.
 * Without Redis nobody claims anything, and a message that is sent to two nodes
 * is delivered twice.
 *
 * These answer the facts socket as those of inquiry.h do; doc/facts.md has the
 * errors.
 */

void claim_take(struct policyd *policyd, const struct facts_request *request,
    struct facts_answer *answer);
void claim_delivered(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer);
void claim_release(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer);

#endif
