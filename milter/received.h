/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_MILTER_RECEIVED_H
#define DIME_MILTER_RECEIVED_H

#include "base/config.h"
#include "milter/header.h"

/*
 * Received fields of our own Postfix. The topmost one of a message at DIME-OUT
 * was written by pass 1 (pass 2's own is not shown to a milter), so that the
 * queue id in it is true; anything below it may be a stranger's invention.
 */

enum { RECEIVED_ID_SIZE = 65 };

struct received {
	char by[DOMAIN_SIZE];        /* as it stands, not checked */
	char id[RECEIVED_ID_SIZE];   /* "" when there is none */
	struct span date;            /* behind the last ';'; may be empty */
};

/*
 * Reads the value of a Received field in the exact shape that Postfix gives
 * it: [from WORD] by WORD [with WORD] [id WORD] [for ...] ; DATE, comments in
 * between. False for any other shape, so that nothing a client says of itself
 * can pass for a clause.
 */
bool received_parse(struct span value, struct received *out);

/* Reads the topmost Received field of a header block. */
bool received_topmost(struct span block, struct received *out);

/*
 * Appends the header block with the Received fields of our own hosts, those at
 * the top without a foreign one in between, rewritten to
 *
 *	Received: by `domain`; DATE
 *
 * Own is: by the host of the topmost one, by `hostname`, or by a host within
 * one of `domains`. Everything else is copied as it is.
 */
void received_rewrite(struct span block, const char *domain,
    const char *hostname, const struct config_list *domains,
    struct buffer *out);

#endif
