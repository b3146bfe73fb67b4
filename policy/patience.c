/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>

#include "base/error.h"
#include "policy/patience.h"

enum {
	SLOT = 100, /* milliseconds; one slot more than the window holds, so
		       that the slots always cover all of it */
	SLOTS = PATIENCE_WINDOW / SLOT + 1,
};

/* A wait is booked in the slot in which it ends; until then it is `taken`. Any
 * window that overlaps a wait sees it in one of the two. */
struct patience {
	pthread_mutex_t lock;
	const struct clock *clock;
	int64_t slot; /* the newest, counted from the clock's start */
	int64_t used[SLOTS];
	int64_t taken;
};

int
patience_new(const struct clock *clock, struct patience **out)
{
	struct patience *patience = calloc(1, sizeof(*patience));

	*out = patience;
	if (patience == NULL)
		return ERR_MEMORY;
	pthread_mutex_init(&patience->lock, NULL);
	patience->clock = clock;
	return 0;
}

void
patience_free(struct patience *patience)
{
	if (patience == NULL)
		return;
	pthread_mutex_destroy(&patience->lock);
	free(patience);
}

/* Empties the slots that time has passed over; returns the sum of the rest. */
static int64_t
advance(struct patience *patience)
{
	const int64_t slot = clock_monotonic(patience->clock) / SLOT;
	int64_t sum = 0;

	if (slot - patience->slot > SLOTS)
		patience->slot = slot - SLOTS;
	while (patience->slot < slot)
		patience->used[++patience->slot % SLOTS] = 0;
	for (size_t i = 0; i < SLOTS; i++)
		sum += patience->used[i];
	return sum;
}

int64_t
patience_take(struct patience *patience, int64_t wish)
{
	int64_t left;

	pthread_mutex_lock(&patience->lock);
	left = PATIENCE_SPENT - advance(patience) - patience->taken;
	if (left < 0)
		left = 0;
	if (wish > left)
		wish = left;
	patience->taken += wish;
	pthread_mutex_unlock(&patience->lock);
	return wish;
}

void
patience_give(struct patience *patience, int64_t taken, int64_t used)
{
	pthread_mutex_lock(&patience->lock);
	advance(patience);
	patience->taken -= taken;
	patience->used[patience->slot % SLOTS] += used;
	pthread_mutex_unlock(&patience->lock);
}
