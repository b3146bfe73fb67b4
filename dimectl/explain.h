/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIMECTL_EXPLAIN_H
#define DIME_DIMECTL_EXPLAIN_H

#include "dime/message.h"
#include "dimectl/dimectl.h"

/* `--explain` of the verbs that show: every octet, in order. */

/* The signet or signing request at `path`, as far as it can be read; 0 or why
 * it would be refused. Anything else, a key file above all, is refused
 * unshown. */
int explain_signet(struct dimectl *ctl, const char *path);

/* A message, and what is inside of what its unlocked actors can decrypt. */
int explain_message(struct dimectl *ctl, const struct message *message);

#endif
