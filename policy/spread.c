/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/base64.h"
#include "policy/spread.h"

enum {
	KEPT_SECONDS = 60, /* no count matters for longer */
	FIRST = 8, /* values that are looked at before there are many */
};

static const char kind[] = "c", label[] = "counts";

static int
tell(struct policyd *policyd, struct span counts, struct fault *fault)
{
	if (counts.length == 0)
		return 0;
	if (!cache_push(policyd->cache, kind, (struct span){NULL, 0}, counts,
	        clock_wall(policyd->clock) + KEPT_SECONDS))
		return fault_set(fault, ERR_UNREACHABLE, "Redis takes nothing");
	atomic_fetch_add(&policyd->statistics.tallies_told, 1);
	return 0;
}

/* ---- what others have told ---- */

/* So many of `items` are news. *more says whether there may be more behind
 * them. */
static size_t
count_news(const struct cache_item *items, size_t count, struct span since,
    bool *more)
{
	*more = false;
	for (size_t i = 0; i < count; i++) {
		const struct span payload = buffer_span(&items[i].payload);

		if (!items[i].found)
			continue;
		if (since.length > 0 &&
		    span_equal(span_slice(payload, 0, since.length), since)) {
			*more = false;
			return i;
		}
		*more = true;
	}
	return count;
}

static size_t
read_news(struct policyd *policyd, struct span since, struct cache_item *items)
{
	size_t news = 0, count = FIRST;
	bool more = true;

	while (more && news < CACHE_LIST_LENGTH) {
		if (count > CACHE_LIST_LENGTH - news)
			count = CACHE_LIST_LENGTH - news;
		cache_list(policyd->cache, news, items + news, count);
		news += count_news(items + news, count, since, &more);
		count = CACHE_ITEMS;
	}
	return news;
}

static int
hear(struct policyd *policyd, struct span since, struct buffer *out)
{
	struct cache_item *items = calloc(CACHE_LIST_LENGTH, sizeof(*items));
	size_t news;

	if (items == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < CACHE_LIST_LENGTH; i++)
		items[i] = (struct cache_item){.kind = kind,
		    .payload = buffer_make(FACTS_COUNTS_LIMIT)};
	news = read_news(policyd, since, items);
	while (news-- > 0) {
		if (!items[news].found)
			continue;
		buffer_u32(out, (uint32_t)items[news].payload.length);
		buffer_append_span(out, buffer_span(&items[news].payload));
		atomic_fetch_add(&policyd->statistics.tallies_heard, 1);
	}
	for (size_t i = 0; i < CACHE_LIST_LENGTH; i++)
		buffer_free(&items[i].payload);
	free(items);
	return out->error;
}

/* ---- the answer ---- */

static int
spread(struct policyd *policyd, struct span counts, struct span since,
    struct facts_answer *answer, struct fault *fault)
{
	uint8_t secret[CACHE_SECRET];
	int err;

	if (policyd->cache == NULL)
		return fault_set(fault, ERR_UNREACHABLE, "there is no Redis");
	if ((err = tell(policyd, counts, fault)) != 0)
		return err;
	if (!cache_derive(policyd->cache, label, secret))
		return fault_set(fault, ERR_MEMORY, "out of memory");
	buffer_append(&answer->key, secret, sizeof(secret));
	explicit_bzero(secret, sizeof(secret));
	err = hear(policyd, since, &answer->text);
	return err == 0 ? 0 : fault_set(fault, err, "%s", error_row(err)->text);
}

void
spread_answer(struct policyd *policyd, const struct facts_request *request,
    struct facts_answer *answer)
{
	struct buffer counts = buffer_make(FACTS_COUNTS_LIMIT);
	struct buffer since = buffer_make(FACTS_COUNTS_LIMIT);
	struct fault fault = {0};

	if (base64_decode(span_string(request->counts), &counts) != 0 ||
	    base64_decode(span_string(request->since), &since) != 0)
		answer->err = fault_set(&fault, ERR_USAGE, "not base64");
	else
		answer->err = spread(policyd, buffer_span(&counts),
		    buffer_span(&since), answer, &fault);
	memcpy(answer->reason, fault.text, sizeof(answer->reason));
	buffer_free(&counts);
	buffer_free(&since);
}
