/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/crowd.h"

#include <string.h>

#include "base/condition.h"
#include "crypto/crypto.h"

static unsigned char *
counter(struct crowd *crowd, const char *domain)
{
	uint8_t digest[CRYPTO_SHA512];

	crypto_sha512(span_string(domain), digest);
	return &crowd->waiting[(digest[0] << 8 | digest[1]) % CROWD_COUNTERS];
}

void
crowd_start(struct crowd *crowd)
{
	pthread_mutex_init(&crowd->lock, NULL);
	condition_start(&crowd->left);
	memset(crowd->waiting, 0, sizeof(crowd->waiting));
}

void
crowd_end(struct crowd *crowd)
{
	pthread_cond_destroy(&crowd->left);
	pthread_mutex_destroy(&crowd->lock);
}

bool
crowd_enter(struct crowd *crowd, const char *domain)
{
	const struct deadline deadline = deadline_in(CROWD_PATIENCE);
	unsigned char *waiting = counter(crowd, domain);
	bool enter;

	pthread_mutex_lock(&crowd->lock);
	while (*waiting == CROWD_LIMIT && condition_wait(&crowd->left,
	    &crowd->lock, deadline))
		;
	enter = *waiting < CROWD_LIMIT;
	*waiting += enter;
	pthread_mutex_unlock(&crowd->lock);
	return enter;
}

void
crowd_leave(struct crowd *crowd, const char *domain)
{
	unsigned char *waiting = counter(crowd, domain);

	pthread_mutex_lock(&crowd->lock);
	if ((*waiting)-- == CROWD_LIMIT)
		pthread_cond_broadcast(&crowd->left);
	pthread_mutex_unlock(&crowd->lock);
}
