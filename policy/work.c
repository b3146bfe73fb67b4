/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/error.h"
#include "policy/work.h"

struct work {
	pthread_mutex_t lock;
	pthread_cond_t given;
	struct work_step *first, **end;
	bool ending;
	unsigned int count;
	pthread_t threads[];
};

static void *
run(void *argument)
{
	struct work *work = argument;

	pthread_mutex_lock(&work->lock);
	for (;;) {
		struct work_step *step = work->first;

		if (step == NULL && work->ending)
			break;
		if (step == NULL) {
			pthread_cond_wait(&work->given, &work->lock);
			continue;
		}
		work->first = step->next;
		if (work->first == NULL)
			work->end = &work->first;
		pthread_mutex_unlock(&work->lock);
		step->run(step);
		pthread_mutex_lock(&work->lock);
	}
	pthread_mutex_unlock(&work->lock);
	return NULL;
}

int
work_new(unsigned int threads, struct work **out)
{
	struct work *work =
	    calloc(1, sizeof(*work) + threads * sizeof(work->threads[0]));

	*out = NULL;
	if (work == NULL)
		return ERR_MEMORY;
	pthread_mutex_init(&work->lock, NULL);
	pthread_cond_init(&work->given, NULL);
	work->end = &work->first;
	for (; work->count < threads; work->count++) {
		if (pthread_create(&work->threads[work->count], NULL, run,
		        work) != 0) {
			work_free(work);
			return ERR_SYSTEM;
		}
	}
	*out = work;
	return 0;
}

void
work_give(struct work *work, struct work_step *step)
{
	step->next = NULL;
	pthread_mutex_lock(&work->lock);
	*work->end = step;
	work->end = &step->next;
	pthread_cond_signal(&work->given);
	pthread_mutex_unlock(&work->lock);
}

void
work_free(struct work *work)
{
	if (work == NULL)
		return;
	pthread_mutex_lock(&work->lock);
	work->ending = true;
	pthread_cond_broadcast(&work->given);
	pthread_mutex_unlock(&work->lock);
	for (unsigned int i = 0; i < work->count; i++)
		pthread_join(work->threads[i], NULL);
	pthread_cond_destroy(&work->given);
	pthread_mutex_destroy(&work->lock);
	free(work);
}
