/* SPDX-License-Identifier: BSD-2-Clause */
#include "dmtpd/share.h"

#include "base/condition.h"

void
share_start(struct share *share)
{
	*share = (struct share){.held = 0};
	pthread_mutex_init(&share->lock, NULL);
	condition_start(&share->given);
}

void
share_end(struct share *share)
{
	pthread_cond_destroy(&share->given);
	pthread_mutex_destroy(&share->lock);
}

static void
unlink_from(struct share *share, const struct share_holder *holder)
{
	struct share_holder **place = &share->first;

	while (*place != holder)
		place = &(*place)->next;
	*place = holder->next;
}

static void
set(struct share *share, struct share_holder *holder, size_t amount)
{
	if (holder->held == 0 && amount > 0) {
		holder->next = share->first;
		share->first = holder;
	} else if (holder->held > 0 && amount == 0) {
		unlink_from(share, holder);
	}
	if (amount < holder->held)
		pthread_cond_broadcast(&share->given);
	share->held += amount - holder->held;
	holder->held = amount;
}

/* What the others of its source hold. */
static size_t
held_beside(const struct share *share, const struct share_holder *holder)
{
	size_t held = 0;

	for (const struct share_holder *each = share->first; each != NULL;
	     each = each->next)
		if (each != holder &&
		    source_is_same(&each->source, &holder->source))
			held += each->held;
	return held;
}

static bool
may_hold(const struct share *share, const struct share_holder *holder,
    size_t amount, size_t limit)
{
	const size_t all = share->held - holder->held + amount;

	return amount <= holder->held || (all <= limit &&
	    held_beside(share, holder) + amount <= limit - all);
}

bool
share_wait(struct share *share, struct share_holder *holder, size_t amount,
    size_t limit, struct deadline deadline)
{
	bool may;

	pthread_mutex_lock(&share->lock);
	while (!(may = may_hold(share, holder, amount, limit)) &&
	    deadline_left(deadline) > 0)
		condition_wait(&share->given, &share->lock, deadline);
	if (may)
		set(share, holder, amount);
	pthread_mutex_unlock(&share->lock);
	return may;
}

bool
share_hold(struct share *share, struct share_holder *holder, size_t amount,
    size_t limit)
{
	return share_wait(share, holder, amount, limit, deadline_in(0));
}
