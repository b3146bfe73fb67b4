/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_TEND_H
#define DIME_POLICY_TEND_H

#include "base/periodic.h"
#include "policy/policyd.h"

/*
 * What is to be done without being asked, once a second, in a thread of its
 * own: heeding what other nodes forgot, and looking up again what is near its
 * end and was used since it was looked up.
 */
/* So many rounds go through all that memory holds. */
enum { TEND_ROUNDS = 5 };

/* Until periodic_free(). ERR_MEMORY, ERR_SYSTEM. */
int tend_start(struct policyd *policyd, struct periodic **out);

/* One round of it, in the caller's thread. */
void tend(struct policyd *policyd);

#endif
