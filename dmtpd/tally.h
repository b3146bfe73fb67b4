/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_TALLY_H
#define DIME_DMTPD_TALLY_H

#include "base/buffer.h"
#include "dmtpd/rates.h"

/*
 * How the nodes of a site tell each other what they have counted (rates.h). A
 * tally is
 *
 *	16 octets   the node, at random for each run of the program
 *	8 octets    its number: 1, 2 and so on
 *	8 octets    when it was made, seconds since 1970
 *	any number of
 *	  1 octet   what was counted (enum rate)
 *	  8 octets  hash of who did it, under a secret that the nodes share
 *	  4 octets  how often
 *
 * Tallies come by way of Redis, where somebody may show an old one again: each
 * counts once. This part does no I/O; spread.c does.
 */

enum {
	TALLY_COUNTS = 256, /* in one tally, at most */
	TALLY_MARK = 24,    /* octets by which one is known: node and number */
	TALLY_HEAD = TALLY_MARK + 8,
	TALLY_COUNT = 13,
	TALLY_SIZE = TALLY_HEAD + TALLY_COUNTS * TALLY_COUNT,
	TALLY_NODES = 64, /* that are told apart */
	TALLY_LIFE = 60,  /* seconds; older ones do not matter */
};

struct tally_node {
	uint8_t name[16];
	uint64_t last;   /* number of its newest tally that was read */
	uint64_t heard;  /* when, in an order of its own; 0: never */
};

/* One thread's. */
struct tally {
	const struct clock *clock;
	uint8_t self[16];
	uint64_t number; /* of the last that was written */
	uint64_t heard;
	struct tally_node nodes[TALLY_NODES];
	size_t mark_length; /* 0 until one was read */
	uint8_t mark[TALLY_MARK]; /* of the last that was read, ours included */
};

/* What is allowed in a minute, by enum rate. */
struct tally_limits {
	int64_t per_minute[RATES];
};

void tally_start(struct tally *tally, const struct clock *clock);

/* Appends what `rates` have counted since the last time; nothing, when that
 * is nothing. Returns the number of counts: with TALLY_COUNTS there may be
 * more. */
size_t tally_write(struct tally *tally, struct rates *rates,
    struct buffer *out);

/* Puts to the account in `rates` what another node's tally says, unless it was
 * read before. What is malformed ends the reading. */
void tally_read(struct tally *tally, struct span text,
    const struct tally_limits *limits, struct rates *rates);

#endif
