/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/condition.h"
#include "base/error.h"
#include "policy/purge.h"
#include "policy/tend.h"

enum { PERIOD = 1000 /* milliseconds */ };

struct tender {
	struct policyd *policyd;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ending_now;
	bool ending;
};

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

static void *
run(void *argument)
{
	struct tender *tender = argument;

	pthread_mutex_lock(&tender->lock);
	while (!tender->ending) {
		const struct deadline deadline = deadline_in(PERIOD);

		pthread_mutex_unlock(&tender->lock);
		tend(tender->policyd);
		pthread_mutex_lock(&tender->lock);
		while (!tender->ending &&
		    condition_wait(&tender->ending_now, &tender->lock,
		        deadline))
			;
	}
	pthread_mutex_unlock(&tender->lock);
	return NULL;
}

int
tender_new(struct policyd *policyd, struct tender **out)
{
	struct tender *tender = calloc(1, sizeof(*tender));

	*out = NULL;
	if (tender == NULL)
		return ERR_MEMORY;
	tender->policyd = policyd;
	pthread_mutex_init(&tender->lock, NULL);
	condition_start(&tender->ending_now);
	if (pthread_create(&tender->thread, NULL, run, tender) == 0) {
		*out = tender;
		return 0;
	}
	pthread_cond_destroy(&tender->ending_now);
	pthread_mutex_destroy(&tender->lock);
	free(tender);
	return ERR_SYSTEM;
}

void
tender_free(struct tender *tender)
{
	if (tender == NULL)
		return;
	pthread_mutex_lock(&tender->lock);
	tender->ending = true;
	pthread_cond_signal(&tender->ending_now);
	pthread_mutex_unlock(&tender->lock);
	pthread_join(tender->thread, NULL);
	pthread_cond_destroy(&tender->ending_now);
	pthread_mutex_destroy(&tender->lock);
	free(tender);
}
