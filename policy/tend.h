/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_TEND_H
#define DIME_POLICY_TEND_H

#include "policy/policyd.h"

/*
 * What is to be done without being asked, once a second, in a thread of its own:
 * heeding what other nodes forgot, and looking up again what is near its end and
 * was used since it was looked up.
 */
struct tender;

/* So many rounds go through all that memory holds. */
enum { TEND_ROUNDS = 5 };

/* ERR_MEMORY, ERR_SYSTEM. */
int tender_new(struct policyd *policyd, struct tender **out);

/* Ends the thread first. */
void tender_free(struct tender *tender);

/* One round of it, in the caller's thread. */
void tend(struct policyd *policyd);

#endif
