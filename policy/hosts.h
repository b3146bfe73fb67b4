/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_HOSTS_H
#define DIME_POLICY_HOSTS_H

#include "client/facts.h"
#include "policy/dns.h"

/* How many of a record's hosts are looked up: more than three must be tried. */
enum { HOSTS_WANTED = 6 };

/*
 * The record's dx hosts in random order, each with its numeric addresses; hosts
 * without one that may be connected to are left out. `hosts` has room for
 * HOSTS_WANTED. ERR_UNREACHABLE when none is left, with the reason.
 */
int hosts_find(const struct dns_source *dns, const struct record *record,
    bool allow_private, struct deadline deadline, struct facts_host *hosts,
    size_t *count, struct fault *fault);

/* Whether the RDATA of an A or AAAA record is a public unicast address:
 * nobody's record shall make us connect to this site's own network. */
bool hosts_is_public(struct span address);

#endif
