/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_PATIENCE_H
#define DIME_POLICY_PATIENCE_H

#include "base/clock.h"

/*
 * How long Postfix may wait for a name that is not known yet. Its queue manager
 * asks one address after the other and stands still meanwhile, so all waits
 * together are bounded: at most PATIENCE_SPENT in any PATIENCE_WINDOW. Any
 * thread.
 */
enum {
	PATIENCE_SPENT = 1000,   /* milliseconds */
	PATIENCE_WINDOW = 10000, /* likewise */
};

struct patience;

/* ERR_MEMORY. */
int patience_new(const struct clock *clock, struct patience **out);
void patience_free(struct patience *patience);

/*
 * Takes up to `wish` milliseconds out of the allowance; returns how many, which
 * may be 0. patience_give() must follow with that number and what was used of
 * it.
 */
int64_t patience_take(struct patience *patience, int64_t wish);
void patience_give(struct patience *patience, int64_t taken, int64_t used);

#endif
