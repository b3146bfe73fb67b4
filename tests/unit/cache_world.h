/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_CACHE_WORLD_H
#define DIME_TESTS_UNIT_CACHE_WORLD_H

#include "tests/unit/unit.h"
#include "tests/unit/unit_redis.h"

#include "cache/cache.h"

/* A Redis of the test's own, and a cache on it. */

enum { START = 1700000000, PATIENT = 5000, HASTY = 100 };

struct moved_clock {
	struct clock clock;
	int64_t wall, monotonic;
};

/* At START. */
struct moved_clock world_start_of_time(void);

struct world {
	struct moved_clock clock;
	struct cache_settings settings;
	struct unit_redis redis; /* does not run where none is installed */
	char log[80];
	struct cache *cache;
};

/* Fixtures of a test. */
int world_set_up(void **state);
int world_tear_down(void **state);
#define WORLD_TEST(test)                                                       \
	cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

/* One with the settings of now takes the place of the cache. */
void world_new_cache(struct world *world);

/* Of one kind. */
void world_put(struct world *world, const char *name, const char *payload,
    int64_t expires);
/* The payload, or "" for a miss; good until the next call. */
const char *world_get(struct world *world, const char *name);

struct cache_counters world_counters(struct world *world);

/* What Redis itself answers to a command about a key. */
int64_t world_number(struct world *world, const char *format,
    const char *key);

#endif
