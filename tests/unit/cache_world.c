/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/cache_world.h"

#include <stdio.h>
#include <stdlib.h>

static int64_t
moved_wall(const struct clock *clock)
{
	return ((const struct moved_clock *)(const void *)clock)->wall;
}

static int64_t
moved_monotonic(const struct clock *clock)
{
	return ((const struct moved_clock *)(const void *)clock)->monotonic;
}

static const uint8_t site_key[32] = {1, 2, 3};

struct moved_clock
world_start_of_time(void)
{
	return (struct moved_clock){.clock = {moved_wall, moved_monotonic},
	    .wall = START, .monotonic = 1000};
}

void
world_new_cache(struct world *world)
{
	cache_free(world->cache);
	assert_int_equal(cache_new(&world->settings, &world->cache), 0);
}

int
world_set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (world == NULL)
		return -1;
	*state = world;
	world->clock = world_start_of_time();
	unit_redis_prepare(&world->redis);
	snprintf(world->log, sizeof(world->log), "%s/log",
	    world->redis.directory);
	world->settings = (struct cache_settings){.socket = world->redis.socket,
	    .host = "", .password = "", .timeout = PATIENT, .key = site_key,
	    .clock = &world->clock.clock, .connections = 4};
	if (unit_redis_exists())
		unit_redis_start(&world->redis, "");
	world_new_cache(world);
	return 0;
}

int
world_tear_down(void **state)
{
	struct world *world = *state;

	cache_free(world->cache);
	unit_redis_stop(&world->redis);
	free(world);
	return 0;
}

void
world_put(struct world *world, const char *name, const char *payload,
    int64_t expires)
{
	cache_put(world->cache, "sig", span_string(name),
	    span_string(payload), expires);
}

const char *
world_get(struct world *world, const char *name)
{
	static char text[200];
	struct buffer payload = buffer_make(sizeof(text) - 1);
	int64_t expires;
	bool found = cache_get(world->cache, "sig", span_string(name),
	    &payload, &expires);

	text[0] = '\0';
	if (found) {
		assert_true(expires > world->clock.wall);
		snprintf(text, sizeof(text), "%s", buffer_string(&payload));
	}
	assert_int_equal(payload.length, strlen(text));
	buffer_free(&payload);
	return text;
}

struct cache_counters
world_counters(struct world *world)
{
	struct cache_counters counters;

	cache_count(world->cache, &counters);
	return counters;
}

int64_t
world_number(struct world *world, const char *format, const char *key)
{
	redisReply *reply = unit_redis_ask(&world->redis, REDIS_REPLY_INTEGER,
	    format, key);
	int64_t number = reply->integer;

	freeReplyObject(reply);
	return number;
}
