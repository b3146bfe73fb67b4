/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CLIENT_FACTS_PRIVATE_H
#define DIME_CLIENT_FACTS_PRIVATE_H

#include "client/facts.h"
#include "net/stream.h"

/* Between facts.c and facts_hosts.c only: the lines of an answer that repeat,
 * those of the hosts. */

void facts_hosts_write(const struct facts_answer *answer, struct buffer *out);

/* False when `key` is none of theirs; else *good tells whether it was read. */
bool facts_hosts_read(struct span key, struct span value,
    struct facts_answer *answer, bool *good);

/* Between facts_client.c and facts_ask.c only: the connections of a client. */

const char *facts_client_path(const struct facts_client *client);

/* An idle one on which nothing has come since, which is then the caller's; or
 * NULL. */
struct stream *facts_client_take(struct facts_client *client);

/* Takes back one whose last question has been answered, wholly, or closes
 * it. */
void facts_client_keep(struct facts_client *client, struct stream *stream);

#endif
