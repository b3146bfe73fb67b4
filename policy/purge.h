/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_PURGE_H
#define DIME_POLICY_PURGE_H

#include "policy/policyd.h"

/*
 * What an administrator forgets on one node is forgotten on all. A node puts
 * name and time into a list in Redis, under MAC like all else there; the others
 * look at its newest value every second (tend.h) and do what they have not done
 * yet.
 *
 * Somebody in Redis can hide a purge, or show it again for as long as it is
 * kept. Then it is done again where it was not seen before, after a restart for
 * example; what has been confirmed since, a pin or a user's key, it does not
 * touch.
 */
struct purges;

/* ERR_MEMORY. */
int purges_new(struct purges **out);
void purges_free(struct purges *purges);

enum purges_reach {
	PURGES_HERE,    /* there is no Redis: no other node will know */
	PURGES_NOT_NOW, /* Redis did not take it */
	PURGES_TOLD,
};

/* Forgets a domain or address in normal form on this node, in Redis, and tells
 * the other nodes. Errors as of state.h. */
int purges_forget(struct policyd *policyd, const char *name,
    enum purges_reach *reach);

/* Does what other nodes have told. One round trip when there is nothing new.
 * One thread at a time. */
void purges_heed(struct policyd *policyd);

#endif
