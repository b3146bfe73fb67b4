/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/purge.h"
#include "policy/tend.h"

enum { PERIOD = 1000 /* milliseconds */ };

/* Domains, with whom come the names above them, and signets. */
static void
refresh(void *context, struct span key)
{
	struct policyd *policyd = context;
	char domain[DOMAIN_SIZE];

	if (key.length > 2 && key.data[0] == 'r' &&
	    span_copy_string(span_slice(key, 2, key.length), domain,
	        sizeof(domain)))
		domains_refresh(policyd->domains, domain);
	else
		signets_refresh(policyd->signets, key);
}

void
tend(struct policyd *policyd)
{
	purges_heed(policyd);
	memory_sweep(policyd->memory, TEND_ROUNDS, refresh, policyd);
}

static int64_t
round_of(void *context)
{
	tend(context);
	return PERIOD;
}

int
tend_start(struct policyd *policyd, struct periodic **out)
{
	return periodic_new(round_of, policyd, out);
}
