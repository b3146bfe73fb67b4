/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CLIENT_FACTS_PRIVATE_H
#define DIME_CLIENT_FACTS_PRIVATE_H

#include "client/facts.h"

/* Between facts.c and facts_hosts.c only: the lines of an answer that repeat,
 * those of the hosts. */

void facts_hosts_write(const struct facts_answer *answer, struct buffer *out);

/* False when `key` is none of theirs; else *good tells whether it was read. */
bool facts_hosts_read(struct span key, struct span value,
    struct facts_answer *answer, bool *good);

#endif
