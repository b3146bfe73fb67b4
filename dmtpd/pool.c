/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/condition.h"
#include "dmtpd/pool.h"

enum {
	GOODBYE = 2000,  /* milliseconds, for all that are closed together */
	ADDRESS = 64,
};

struct idle {
	struct peer *peer; /* NULL: free */
	char key[POOL_KEY_SIZE];
	char domain[DOMAIN_SIZE];
	char address[ADDRESS];
	unsigned int port;
	int64_t opened, until;
	unsigned int messages;
};

struct pool {
	int64_t idle_time;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t turn;  /* somebody's may have come */
	pthread_cond_t work;  /* for the thread that closes */
	struct pool_visit *visits; /* in the order of coming */
	struct idle idle[POOL_IDLE];
	bool stopping;
	pthread_t closer;
};

static int64_t
now(void)
{
	return clock_monotonic(&clock_system);
}

/* ---- turns ---- */

/* Of those that are active: with the domain, and with the address. */
struct crowd {
	size_t domain, address;
	size_t slow_domain, slow_address;
};

static bool
is_at(const struct peer_target *target, const char *address,
    unsigned int port)
{
	return target->port == port && strcmp(target->address, address) == 0;
}

static struct crowd
count(const struct pool *pool, const struct peer_target *target)
{
	struct crowd crowd = {0};

	for (const struct pool_visit *visit = pool->visits; visit != NULL;
	     visit = visit->next) {
		const struct peer_target *other = visit->wish->target;

		if (!visit->active)
			continue;
		if (strcmp(other->domain, target->domain) == 0) {
			crowd.domain++;
			crowd.slow_domain += visit->slow;
		}
		if (is_at(target, other->address, other->port)) {
			crowd.address++;
			crowd.slow_address += visit->slow;
		}
	}
	return crowd;
}

static bool
has_room(const struct pool *pool, const struct pool_visit *visit)
{
	const struct crowd crowd = count(pool, visit->wish->target);

	return crowd.domain < visit->wish->limit &&
	    crowd.address < visit->wish->limit;
}

/* Nobody who is in the way has shown that he will be gone soon. */
static bool
is_hopeless(const struct pool *pool, const struct pool_visit *visit)
{
	const struct crowd crowd = count(pool, visit->wish->target);

	return (crowd.domain >= visit->wish->limit &&
	           crowd.slow_domain == crowd.domain) ||
	    (crowd.address >= visit->wish->limit &&
	        crowd.slow_address == crowd.address);
}

static void
admit(struct pool *pool)
{
	for (struct pool_visit *visit = pool->visits; visit != NULL;
	     visit = visit->next)
		if (!visit->active && has_room(pool, visit)) {
			visit->active = true;
			visit->since = now();
		}
	pthread_cond_broadcast(&pool->turn);
}

/* Says of those that were there all the time that waiting for them is vain. */
static void
blame(struct pool *pool, const struct pool_visit *waited)
{
	const struct peer_target *target = waited->wish->target;

	for (struct pool_visit *visit = pool->visits; visit != NULL;
	     visit = visit->next) {
		const struct peer_target *other = visit->wish->target;

		if (visit->active && visit->since <= waited->since &&
		    (strcmp(other->domain, target->domain) == 0 ||
		        is_at(target, other->address, other->port)))
			visit->slow = true;
	}
}

static void
append(struct pool *pool, struct pool_visit *visit)
{
	struct pool_visit **place = &pool->visits;

	while (*place != NULL)
		place = &(*place)->next;
	*place = visit;
}

static void
remove_visit(struct pool *pool, struct pool_visit *visit)
{
	struct pool_visit **place = &pool->visits;

	while (*place != visit)
		place = &(*place)->next;
	*place = visit->next;
}

/* All that two sessions must have in common. */
static void
write_key(const struct pool_wish *wish, char key[static POOL_KEY_SIZE])
{
	const struct peer_target *target = wish->target;

	snprintf(key, POOL_KEY_SIZE, "%s %s %u %s %s %s %s", target->host,
	    target->address, target->port, target->dual ? "dual" : "single",
	    target->domain, target->source, wish->origin);
}

int
pool_enter(struct pool *pool, struct pool_visit *visit,
    const struct pool_wish *wish, struct deadline deadline,
    struct fault *fault)
{
	bool active, in_time = true;

	*visit = (struct pool_visit){.wish = wish, .since = now()};
	write_key(wish, visit->key);
	pthread_mutex_lock(&pool->lock);
	append(pool, visit);
	admit(pool);
	while (!visit->active && in_time && !pool->stopping &&
	    !is_hopeless(pool, visit))
		in_time = condition_wait(&pool->turn, &pool->lock, deadline);
	active = visit->active;
	if (!active) {
		if (!in_time)
			blame(pool, visit);
		remove_visit(pool, visit);
		pthread_cond_broadcast(&pool->turn);
	}
	pthread_mutex_unlock(&pool->lock);
	return active ? 0
	              : fault_set(fault, ERR_BUSY,
	                    "%zu sessions with %s or its host %s are open "
	                    "already", wish->limit, wish->target->domain,
	                    wish->target->host);
}

/* ---- idle sessions ---- */

/* The one that was used last: of several some then come to their end. */
static struct idle *
find_same(struct pool *pool, const struct pool_visit *visit)
{
	struct idle *found = NULL;

	for (size_t i = 0; i < POOL_IDLE; i++) {
		struct idle *idle = &pool->idle[i];

		if (idle->peer != NULL && idle->until > now() &&
		    strcmp(idle->key, visit->key) == 0 &&
		    (found == NULL || idle->until > found->until))
			found = idle;
	}
	return found;
}

/* With the new session of the visit there would be too many: the one that has
 * been idle for the longest time. */
static struct idle *
find_surplus(struct pool *pool, const struct pool_visit *visit)
{
	const struct peer_target *target = visit->wish->target;
	const struct crowd crowd = count(pool, target);
	struct idle *of_domain = NULL, *of_address = NULL;
	size_t domain = crowd.domain, address = crowd.address;

	for (size_t i = 0; i < POOL_IDLE; i++) {
		struct idle *idle = &pool->idle[i];

		if (idle->peer == NULL)
			continue;
		if (strcmp(idle->domain, target->domain) == 0) {
			domain++;
			if (of_domain == NULL || idle->until < of_domain->until)
				of_domain = idle;
		}
		if (is_at(target, idle->address, idle->port)) {
			address++;
			if (of_address == NULL ||
			    idle->until < of_address->until)
				of_address = idle;
		}
	}
	return address > visit->wish->limit ? of_address
	    : domain > visit->wish->limit   ? of_domain
	                                    : NULL;
}

static struct peer *
take_out(struct idle *idle)
{
	struct peer *peer = idle->peer;

	idle->peer = NULL;
	return peer;
}

struct peer *
pool_take(struct pool *pool, struct pool_visit *visit)
{
	struct peer *peer = NULL, *surplus = NULL;
	struct idle *idle;

	pthread_mutex_lock(&pool->lock);
	visit->opened = now();
	visit->messages = 0;
	if ((idle = find_same(pool, visit)) != NULL) {
		visit->opened = idle->opened;
		visit->messages = idle->messages;
		peer = take_out(idle);
	} else if ((idle = find_surplus(pool, visit)) != NULL) {
		surplus = take_out(idle);
	}
	pthread_mutex_unlock(&pool->lock);
	peer_close(surplus);
	return peer;
}

/* A free place, or that of the session whose time is over first; NULL when the
 * domain has its share. */
static struct idle *
find_place(struct pool *pool, const char *domain)
{
	struct idle *chosen = &pool->idle[0];
	size_t of_domain = 0;

	for (size_t i = 0; i < POOL_IDLE; i++) {
		struct idle *idle = &pool->idle[i];

		of_domain += idle->peer != NULL &&
		    strcmp(idle->domain, domain) == 0;
		if (chosen->peer != NULL &&
		    (idle->peer == NULL || idle->until < chosen->until))
			chosen = idle;
	}
	return of_domain < POOL_IDLE_DOMAIN ? chosen : NULL;
}

static bool
is_worth_keeping(const struct pool *pool, const struct pool_visit *visit,
    const struct peer *peer)
{
	return peer != NULL && !pool->stopping && peer_is_good(peer) &&
	    visit->messages < POOL_MESSAGES &&
	    now() - visit->opened < POOL_LIFE;
}

/* Returns the session that is to be closed: this one, another, or NULL. */
static struct peer *
keep(struct pool *pool, const struct pool_visit *visit, struct peer *peer)
{
	const struct peer_target *target = visit->wish->target;
	struct idle *place;
	struct peer *old;

	if (!is_worth_keeping(pool, visit, peer) ||
	    (place = find_place(pool, target->domain)) == NULL)
		return peer;
	old = place->peer;
	*place = (struct idle){.peer = peer, .port = target->port,
	    .opened = visit->opened, .until = now() + pool->idle_time,
	    .messages = visit->messages};
	memcpy(place->key, visit->key, sizeof(place->key));
	snprintf(place->domain, sizeof(place->domain), "%s", target->domain);
	snprintf(place->address, sizeof(place->address), "%s",
	    target->address);
	pthread_cond_signal(&pool->work);
	return old;
}

void
pool_leave(struct pool *pool, struct pool_visit *visit, struct peer *peer)
{
	visit->messages++;
	pthread_mutex_lock(&pool->lock);
	peer = keep(pool, visit, peer);
	remove_visit(pool, visit);
	admit(pool);
	pthread_mutex_unlock(&pool->lock);
	peer_close(peer);
}

/* ---- closing ---- */

/* Those whose time is over, or all; how many. */
static size_t
take_over_due(struct pool *pool, struct peer *due[static POOL_IDLE])
{
	size_t taken = 0;

	for (size_t i = 0; i < POOL_IDLE; i++) {
		struct idle *idle = &pool->idle[i];

		if (idle->peer != NULL &&
		    (pool->stopping || idle->until <= now()))
			due[taken++] = take_out(idle);
	}
	return taken;
}

static struct deadline
next_due(const struct pool *pool)
{
	struct deadline next = deadline_in(POOL_IDLE_TIME);

	for (size_t i = 0; i < POOL_IDLE; i++)
		if (pool->idle[i].peer != NULL)
			next = deadline_earlier(next,
			    (struct deadline){pool->idle[i].until});
	return next;
}

static void *
close_idle(void *argument)
{
	struct pool *pool = argument;
	struct peer *due[POOL_IDLE];
	bool stopping = false;
	size_t taken;

	pthread_mutex_lock(&pool->lock);
	while (!stopping) {
		stopping = pool->stopping;
		taken = take_over_due(pool, due);
		if (taken > 0) {
			struct deadline deadline = deadline_in(GOODBYE);

			pthread_mutex_unlock(&pool->lock);
			for (size_t i = 0; i < taken; i++)
				peer_close_by(due[i], deadline);
			pthread_mutex_lock(&pool->lock);
		} else if (!stopping) {
			condition_wait(&pool->work, &pool->lock,
			    next_due(pool));
		}
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

int
pool_new(int64_t idle_time, struct pool **out)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	*out = NULL;
	if (pool == NULL)
		return ERR_MEMORY;
	pool->idle_time = idle_time;
	pthread_mutex_init(&pool->lock, NULL);
	condition_start(&pool->turn);
	condition_start(&pool->work);
	if (pthread_create(&pool->closer, NULL, close_idle, pool) == 0) {
		*out = pool;
		return 0;
	}
	pthread_cond_destroy(&pool->turn);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
	return ERR_SYSTEM;
}

void
pool_clear(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	for (size_t i = 0; i < POOL_IDLE; i++)
		pool->idle[i].until = 0;
	pthread_cond_signal(&pool->work);
	pthread_mutex_unlock(&pool->lock);
}

void
pool_stop(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->turn);
	pthread_cond_signal(&pool->work);
	pthread_mutex_unlock(&pool->lock);
}

void
pool_free(struct pool *pool)
{
	if (pool == NULL)
		return;
	pool_stop(pool);
	pthread_join(pool->closer, NULL);
	pthread_cond_destroy(&pool->turn);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
