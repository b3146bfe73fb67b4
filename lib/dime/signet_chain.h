/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIME_SIGNET_CHAIN_H
#define DIME_DIME_SIGNET_CHAIN_H

#include "dime/signet.h"

/*
 * Chains of custody (Part 5, S7): the signets of one user, oldest first, each
 * but the first with a custody signature by the signing key of the one before.
 * That is what HIST answers and what a file of several signets holds.
 */

enum { SIGNET_CHAIN_LIMIT = 10000 };

struct signet_chain {
	struct signet **links; /* user signets, core or more; at least one */
	size_t count;
};

/*
 * Reads the user signets that stand one behind the other in `data`, armored or
 * binary, with nothing but white space around armored ones. Sets *chain, which
 * the caller gives to signet_chain_free() in any case. ERR_FORMAT names the
 * signet by its number; more than SIGNET_CHAIN_LIMIT are refused.
 */
int signet_chain_read(struct span data, struct signet_chain *chain,
    struct fault *fault);

void signet_chain_free(struct signet_chain *chain);

/*
 * Whether the chain leads from `known`, a signet that the caller trusts (NULL:
 * it trusts the first link), to `current`, a user signet or a signing request.
 * The first link has the core of `known`. Each carries a user signature by its
 * own key and a custody signature by the one before. The last one has the core
 * of `current`, or is the one before it. ERR_CUSTODY names the link and why.
 *
 * This says nothing of the organization's signatures, which older links may
 * have under keys that the organization has no more.
 */
int signet_chain_verify(const struct signet_chain *chain,
    const struct signet *known, const struct signet *current,
    struct fault *fault);

#endif
