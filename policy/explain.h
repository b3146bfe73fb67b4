/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_EXPLAIN_H
#define DIME_POLICY_EXPLAIN_H

#include "policy/decide.h"

/*
 * What would become of mail from one envelope sender to one recipient, for an
 * administrator: outbound, inbound and naked, or neither. Nothing is counted,
 * noted or logged; what has to be looked up is kept as it is for any mail, so
 * that the next message finds it.
 *
 * As in decide.h nothing here fails. ERR_USAGE for a `to` or `from` without a
 * domain.
 */
void explain_answer(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer);

/*
 * A sealed message has met request->outcome (on_bad_signature, on_peer_down)
 * when it was opened or delivered: REFUSE or DEFER, by the site's rules.
 */
void explain_met(struct policyd *policyd, const struct facts_request *request,
    struct facts_answer *answer);

#endif
