/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_LISTEN_H
#define DIME_POLICY_LISTEN_H

#include "net/stream.h"

/* What server.h calls for a connection; `context` is the struct policyd. */

/* The facts socket (doc/facts.md). */
void listen_facts(struct stream *stream, void *context);

/* Postfix's socketmap. */
void listen_map(struct stream *stream, void *context);

#endif
