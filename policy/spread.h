/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_SPREAD_H
#define DIME_POLICY_SPREAD_H

#include "policy/policyd.h"

/*
 * FACTS_SPREAD: puts what this node's dmtpd has counted (dmtpd/tally.h) at the
 * front of a list in Redis, under MAC, for a minute, and answers with what
 * stands in the list before the value that begins with request->since, oldest
 * first. What the octets mean is dmtpd's business. With them goes a secret that
 * all nodes have in common. ERR_UNREACHABLE when there is no Redis, or it takes
 * nothing.
 */
void spread_answer(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer);

#endif
