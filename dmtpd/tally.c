/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/cursor.h"
#include "crypto/random.h"
#include "dmtpd/tally.h"

enum { SECOND = 1000 /* milliseconds */ };

void
tally_start(struct tally *tally, const struct clock *clock)
{
	struct random_source random;

	*tally = (struct tally){.clock = clock};
	random_start(&random);
	random_fill(&random, tally->self, sizeof(tally->self));
	random_end(&random);
}

/* ---- writing ---- */

size_t
tally_write(struct tally *tally, struct rates *rates, struct buffer *out)
{
	struct rate_count counts[TALLY_COUNTS];
	const size_t count = rates_collect(rates, counts, TALLY_COUNTS);

	if (count == 0)
		return 0;
	buffer_append(out, tally->self, sizeof(tally->self));
	buffer_u64(out, ++tally->number);
	buffer_u64(out, (uint64_t)clock_wall(tally->clock));
	for (size_t i = 0; i < count; i++) {
		buffer_u8(out, (uint8_t)counts[i].rate);
		buffer_u64(out, counts[i].hash);
		buffer_u32(out, counts[i].count);
	}
	return count;
}

/* ---- reading ---- */

/* The node of that name, or the place of the one that was not heard for
 * longest. */
static struct tally_node *
find_node(struct tally *tally, struct span name)
{
	struct tally_node *longest = &tally->nodes[0];

	for (size_t i = 0; i < TALLY_NODES; i++) {
		struct tally_node *node = &tally->nodes[i];

		if (node->heard > 0 &&
		    memcmp(node->name, name.data, sizeof(node->name)) == 0)
			return node;
		if (node->heard < longest->heard)
			longest = node;
	}
	*longest = (struct tally_node){.last = 0};
	memcpy(longest->name, name.data, sizeof(longest->name));
	return longest;
}

/* Whether this is the first time that it is read. */
static bool
is_news(struct tally *tally, struct span name, uint64_t number)
{
	struct tally_node *node = find_node(tally, name);
	const bool news = number > node->last;

	node->heard = ++tally->heard;
	if (news)
		node->last = number;
	return news;
}

/* Milliseconds. A clock that is ahead of ours makes it new, and one that is far
 * behind makes it not matter. */
static int64_t
age_of(const struct tally *tally, uint64_t made)
{
	const int64_t now = clock_wall(tally->clock);

	if (made >= (uint64_t)now)
		return 0;
	return (int64_t)(made + TALLY_LIFE < (uint64_t)now
	        ? TALLY_LIFE : (uint64_t)now - made) * SECOND;
}

void
tally_read(struct tally *tally, struct span text,
    const struct tally_limits *limits, struct rates *rates)
{
	struct cursor cursor = cursor_start(text);
	const struct span name = cursor_take(&cursor, sizeof(tally->self));
	const uint64_t number = cursor_u64(&cursor);
	const int64_t age = age_of(tally, cursor_u64(&cursor));

	if (cursor.failed)
		return;
	memcpy(tally->mark, text.data, TALLY_MARK);
	tally->mark_length = TALLY_MARK;
	if (memcmp(name.data, tally->self, sizeof(tally->self)) == 0 ||
	    !is_news(tally, name, number))
		return;
	while (cursor.rest.length > 0) {
		const uint8_t rate = cursor_u8(&cursor);
		const uint64_t hash = cursor_u64(&cursor);
		const struct rate_count count = {(enum rate)rate, hash,
		    cursor_u32(&cursor)};

		if (cursor.failed || rate >= RATES)
			return;
		rates_add(rates, &count, limits->per_minute[rate], age);
	}
}
