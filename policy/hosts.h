/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_HOSTS_H
#define DIME_POLICY_HOSTS_H

#include "client/facts.h"
#include "policy/dns.h"
#include "policy/site.h"

/* How many names of one stage are looked up: more than three must be tried. */
enum { HOSTS_WANTED = 6 };

struct hosts_wish {
	const struct dns_source *dns;
	const struct config *config; /* ports, and what may be connected to */
	const char *organization;
	const struct record *record;
	enum hosts_stage stage;
};

/*
 * Where to connect at a stage of D12, with numeric addresses, in the order in
 * which to try:
 *
 *	HOSTS_DX      the record's dx hosts in random order, port 26
 *	HOSTS_MX      the organization's MX hosts by preference, those that are
 *	              alike in random order: all on port 25, then all on 587
 *	HOSTS_DOMAIN  the organization's own name on 26, 25 and 587
 *
 * Names without an address that may be connected to are left out; of one that
 * DNS gives no answer about there is the name alone, among others. `hosts` has
 * room for FACTS_HOSTS_MAX. ERR_UNREACHABLE when none is left, with the reason,
 * ERR_DNS when DNS did not tell; but none is no error where the domain itself
 * is not to be tried.
 */
int hosts_find(const struct hosts_wish *wish, struct deadline deadline,
    struct facts_host *hosts, size_t *count, struct fault *fault);

/* The addresses of one host, any but private ones unless allowed. Errors as
 * above. */
int hosts_find_addresses(const struct dns_source *dns, const char *name,
    bool allow_private, struct deadline deadline, struct facts_host *out,
    struct fault *fault);

/* Whether the RDATA of an A or AAAA record is a public unicast address:
 * nobody's record shall make us connect to this site's own network. */
bool hosts_is_public(struct span address);

/* The preference and the host's name, in normal form, in the RDATA of an MX
 * record; false for what is malformed or names no host. */
bool hosts_read_mx(struct span data, unsigned int *preference,
    char name[static DOMAIN_SIZE]);

#endif
