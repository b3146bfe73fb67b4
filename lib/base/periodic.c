/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/condition.h"
#include "base/error.h"
#include "base/periodic.h"

struct periodic {
	int64_t (*round)(void *context);
	void *context;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ending_now;
	bool ending;
};

static void *
run(void *argument)
{
	struct periodic *periodic = argument;

	pthread_mutex_lock(&periodic->lock);
	while (!periodic->ending) {
		struct deadline deadline;

		pthread_mutex_unlock(&periodic->lock);
		deadline = deadline_in(periodic->round(periodic->context));
		pthread_mutex_lock(&periodic->lock);
		while (!periodic->ending &&
		    condition_wait(&periodic->ending_now, &periodic->lock,
		        deadline))
			;
	}
	pthread_mutex_unlock(&periodic->lock);
	return NULL;
}

static void
end(struct periodic *periodic)
{
	pthread_cond_destroy(&periodic->ending_now);
	pthread_mutex_destroy(&periodic->lock);
	free(periodic);
}

int
periodic_new(int64_t (*round)(void *context), void *context,
    struct periodic **out)
{
	struct periodic *periodic = calloc(1, sizeof(*periodic));

	*out = NULL;
	if (periodic == NULL)
		return ERR_MEMORY;
	periodic->round = round;
	periodic->context = context;
	pthread_mutex_init(&periodic->lock, NULL);
	condition_start(&periodic->ending_now);
	if (pthread_create(&periodic->thread, NULL, run, periodic) != 0) {
		end(periodic);
		return ERR_SYSTEM;
	}
	*out = periodic;
	return 0;
}

void
periodic_free(struct periodic *periodic)
{
	if (periodic == NULL)
		return;
	pthread_mutex_lock(&periodic->lock);
	periodic->ending = true;
	pthread_cond_signal(&periodic->ending_now);
	pthread_mutex_unlock(&periodic->lock);
	pthread_join(periodic->thread, NULL);
	end(periodic);
}
