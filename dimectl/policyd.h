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
 * Prints an object, which is given back, as `key value` lines, or as JSON. In
 * lines, nulls and empty lists are left out and what is inside an object has
 * its name and a dot in front. NULL is ERR_MEMORY.
 */
int policyd_print(struct dimectl *ctl, json_t *object);

/* A string, or null for the empty one. */
json_t *policyd_text(const char *text);

/* The name of what went wrong, or null. */
json_t *policyd_error(const struct facts_answer *answer);

/* What an answer says of a domain, and of signets: new objects, or NULL. */
json_t *policyd_domain(const struct facts_answer *answer);
json_t *policyd_signets(const struct facts_answer *answer);

/* `first` with the members of the others in it; NULL if one of them is. All
 * three are given back. */
json_t *policyd_join(json_t *first, json_t *second, json_t *third);

/* Asks for record and signets of a domain or address, and prints all there is
 * to say of them, whatever it is. */
int policyd_show(struct dimectl *ctl, const char *name, int64_t wait);

#endif
