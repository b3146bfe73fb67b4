/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_WORK_H
#define DIME_POLICY_WORK_H

/*
 * A few threads for steps that may block for some milliseconds (Redis,
 * state.db) and must not do so in the resolver's thread or in front of Postfix.
 * Steps run in the order they were given.
 */
struct work;

struct work_step {
	struct work_step *next; /* the queue's */
	void (*run)(struct work_step *step);
};

/* ERR_MEMORY, ERR_SYSTEM. */
int work_new(unsigned int threads, struct work **out);

/* The step, a part of something larger, belongs to the queue until it runs. */
void work_give(struct work *work, struct work_step *step);

/* Runs what is queued, ends the threads and frees. */
void work_free(struct work *work);

#endif
