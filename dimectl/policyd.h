/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIMECTL_POLICYD_H
#define DIME_DIMECTL_POLICYD_H

#include "client/facts.h"
#include "dimectl/dimectl.h"

/* What the verbs that ask dime-policyd have in common. */

/* As long as a signet may take to fetch (fetch_timeout). */
enum { POLICYD_WAIT = -1 };

/* Loads the configuration, asks, and waits. request->wait may be POLICYD_WAIT.
 * The answer is initialised here, and freed by the caller in any case. */
int policyd_ask(struct dimectl *ctl, struct facts_request *request,
    struct facts_answer *answer);

/*
 * Prints an object, which is given back, as `key value` lines, or as JSON.
 * Nulls are left out of the lines. NULL is ERR_MEMORY.
 */
int policyd_print(struct dimectl *ctl, json_t *object);

/* A string, or null for the empty one. */
json_t *policyd_text(const char *text);

/* Asks for record and signets of a domain or address, and prints all there is
 * to say of them, whatever it is. */
int policyd_show(struct dimectl *ctl, const char *name, int64_t wait);

#endif
