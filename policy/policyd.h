/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_POLICYD_H
#define DIME_POLICY_POLICYD_H

#include "client/facts.h"
#include "keys/state.h"
#include "policy/domain.h"
#include "policy/patience.h"
#include "policy/signets.h"
#include "policy/site.h"

/*
 * The daemon's parts, put together once at start (main.c) or by a test, and
 * never changed. Whoever answers a question gets all of it.
 */

/* What happened, for FACTS_STATUS; STATISTIC(name) in statistics.def. */
struct statistics {
#define STATISTIC(name) _Atomic uint64_t name;
#include "policy/statistics.def"
#undef STATISTIC
};

/* A node among those that share a Redis, for what it claims there. A policyd
 * that is started again is the same node: it knows the claims that it left
 * behind. */
struct node_id {
	uint8_t octets[STATE_NODE_SIZE];
};

struct policyd {
	struct node_id self;
	struct sites *sites;
	const struct clock *clock;
	struct memory *memory;
	struct cache *cache; /* NULL: no Redis */
	struct state *state;
	struct dns_source dns;
	struct suffixes *suffixes;
	struct domains *domains;
	struct signets *signets;
	struct patience *patience;
	struct purges *purges;
	struct statistics statistics;
};

/* Counts a decision, and the way by which it came to naked mail. */
void statistics_count_outbound(struct statistics *statistics,
    const struct facts_answer *answer);
void statistics_count_inbound(struct statistics *statistics,
    const struct facts_answer *answer);

/* Appends `name value` lines: every counter there is. */
void statistics_write(struct policyd *policyd, struct buffer *out);

#endif
