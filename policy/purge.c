/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "base/log.h"
#include "crypto/random.h"
#include "policy/purge.h"

enum {
	IDENTIFIER = 16,
	PAYLOAD_LIMIT = IDENTIFIER + 8 + ADDRESS_SIZE,
	/* Until when a node that was away learns of it. */
	KEPT_SECONDS = 7 * 86400,
	SEEN = 2 * CACHE_LIST_LENGTH,
};

static const char kind[] = "p";

struct identifier {
	uint8_t octets[IDENTIFIER];
};

struct purges {
	pthread_mutex_t lock;
	/* Those that have been done: the list's, and some before. */
	struct identifier seen[SEEN];
	size_t seen_count; /* ever */
};

int
purges_new(struct purges **out)
{
	struct purges *purges = calloc(1, sizeof(*purges));

	*out = purges;
	if (purges == NULL)
		return ERR_MEMORY;
	pthread_mutex_init(&purges->lock, NULL);
	return 0;
}

void
purges_free(struct purges *purges)
{
	if (purges == NULL)
		return;
	pthread_mutex_destroy(&purges->lock);
	free(purges);
}

/* Returns whether it was seen before; now it is. */
static bool
see(struct purges *purges, const struct identifier *identifier)
{
	bool seen = false;

	pthread_mutex_lock(&purges->lock);
	for (size_t i = 0; i < SEEN && i < purges->seen_count && !seen; i++)
		seen = memcmp(&purges->seen[i], identifier,
		           sizeof(*identifier)) == 0;
	if (!seen)
		purges->seen[purges->seen_count++ % SEEN] = *identifier;
	pthread_mutex_unlock(&purges->lock);
	return seen;
}

/* ---- doing it ---- */

/* What state.db knows of an address. */
static int
forget_address(struct policyd *policyd, const char *address, int64_t before)
{
	const int err = state_set_naked(policyd->state, address, 0);

	return err != 0 ? err
	                : state_forget_known(policyd->state, address, before);
}

/* What this node knows, and not what Redis has, of which `before` says how old
 * it must be. */
static int
forget_here(struct policyd *policyd, const char *name, int64_t before)
{
	const char *at = strchr(name, '@');

	signets_drop(policyd->signets, name);
	if (at == NULL)
		return domains_drop(policyd->domains, name, before);
	signets_drop(policyd->signets, at + 1);
	return forget_address(policyd, name, before);
}

/* ---- telling ---- */

static enum purges_reach
tell(struct policyd *policyd, const char *name, int64_t now)
{
	struct buffer payload = buffer_make(PAYLOAD_LIMIT);
	enum purges_reach reach = PURGES_NOT_NOW;
	struct identifier identifier;
	struct random_source random;

	if (policyd->cache == NULL)
		return PURGES_HERE;
	random_start(&random);
	random_fill(&random, &identifier, sizeof(identifier));
	random_end(&random);
	see(policyd->purges, &identifier);
	buffer_append(&payload, identifier.octets, sizeof(identifier.octets));
	buffer_u64(&payload, (uint64_t)now);
	buffer_append_string(&payload, name);
	if (payload.error == 0 &&
	    cache_push(policyd->cache, kind, (struct span){NULL, 0},
	        buffer_span(&payload), now + KEPT_SECONDS))
		reach = PURGES_TOLD;
	buffer_free(&payload);
	return reach;
}

int
purges_forget(struct policyd *policyd, const char *name,
    enum purges_reach *reach)
{
	const char *at = strchr(name, '@');
	int err;

	signets_forget(policyd->signets, name);
	if (at != NULL)
		signets_forget(policyd->signets, at + 1);
	err = at == NULL ? domains_forget(policyd->domains, name)
	                 : forget_address(policyd, name, INT64_MAX);
	*reach = tell(policyd, name, clock_wall(policyd->clock));
	return err;
}

/* ---- heeding ---- */

static void
log_heeded(const char *name, int64_t time)
{
	struct log_line line;

	log_begin(&line, LOG_NOTICE, "forget");
	log_text(&line, "name", name);
	log_text(&line, "by", "another node");
	log_number(&line, "time", time);
	log_end(&line);
}

/* The MAC says that a node of ours wrote it; all else is read as if it did not.
 */
static void
do_purge(struct policyd *policyd, struct span payload)
{
	struct cursor cursor = cursor_start(payload);
	struct identifier identifier;
	char text[ADDRESS_SIZE], name[ADDRESS_SIZE];
	const struct span octets = cursor_take(&cursor, IDENTIFIER);
	const uint64_t time = cursor_u64(&cursor);
	const int64_t now = clock_wall(policyd->clock);

	if (cursor.failed || time > INT64_MAX ||
	    !span_copy_string(cursor.rest, text, sizeof(text)) ||
	    !(strchr(text, '@') != NULL
	            ? address_normalize(cursor.rest, name)
	            : domain_normalize(cursor.rest, name)))
		return;
	memcpy(identifier.octets, octets.data, IDENTIFIER);
	if (see(policyd->purges, &identifier))
		return;
	/* Nobody forgets what he will know. */
	forget_here(policyd, name,
	    (int64_t)time < now ? (int64_t)time : now);
	atomic_fetch_add(&policyd->statistics.purges_heeded, 1);
	log_heeded(name, (int64_t)time);
}

static bool
was_seen(struct purges *purges, struct span payload)
{
	bool seen = false;

	pthread_mutex_lock(&purges->lock);
	for (size_t i = 0; i < SEEN && i < purges->seen_count && !seen; i++)
		seen = span_equal(span_slice(payload, 0, IDENTIFIER),
		    span_of(purges->seen[i].octets, IDENTIFIER));
	pthread_mutex_unlock(&purges->lock);
	return seen;
}

/* Looks at `count` values from `first` on. False when the first of them is
 * nothing new. */
static bool
heed_some(struct policyd *policyd, size_t first, size_t count)
{
	struct cache_item items[CACHE_ITEMS];
	bool news;

	for (size_t i = 0; i < count; i++)
		items[i] = (struct cache_item){.kind = kind,
		    .payload = buffer_make(PAYLOAD_LIMIT)};
	cache_list(policyd->cache, first, items, count);
	news = items[0].found &&
	    !was_seen(policyd->purges, buffer_span(&items[0].payload));
	for (size_t i = 0; i < count; i++) {
		if (items[i].found)
			do_purge(policyd, buffer_span(&items[i].payload));
		buffer_free(&items[i].payload);
	}
	return news;
}

void
purges_heed(struct policyd *policyd)
{
	if (policyd->cache == NULL || !heed_some(policyd, 0, 1))
		return;
	for (size_t first = 0; first < CACHE_LIST_LENGTH; first += CACHE_ITEMS)
		heed_some(policyd, first, CACHE_ITEMS);
}
