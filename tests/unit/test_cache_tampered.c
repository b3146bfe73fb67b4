/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/cache_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

/* Redis may hold anything. */

static void
store_raw(struct world *world, const char *key, const void *value,
    size_t length)
{
	unit_redis_do(&world->redis, "SET %s %b EX 100", key, value, length);
}

/* The value under `key` is a lie: a miss, noted, and gone. */
static void
expect_tampered(struct world *world, const char *name, const char *key)
{
	uint64_t before = world_counters(world).tampered;

	assert_string_equal(world_get(world, name), "");
	assert_int_equal(world_counters(world).tampered, before + 1);
	assert_int_equal(world_number(world, "EXISTS %s", key), 0);
}

static bool
log_has(const struct world *world, const char *text)
{
	char command[200];

	snprintf(command, sizeof(command), "grep -q '%s' %s", text,
	    world->log);
	return system(command) == 0;
}

static void
changed_values_are_misses_noted_and_deleted(void **state)
{
	struct world *world = *state;
	redisReply *value;
	char changed[200];
	char *key;

	UNIT_REDIS_NEEDED(&world->redis);
	assert_int_equal(log_open("test", world->log, LOG_INFO), 0);
	world_put(world, "a", "payload", START + 100);
	key = unit_redis_only_key(&world->redis);
	value = unit_redis_ask(&world->redis, REDIS_REPLY_STRING, "GET %s",
	    key);
	assert_int_equal(value->len, 1 + 8 + 7 + 32);
	for (size_t i = 0; i < value->len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			memcpy(changed, value->str, value->len);
			changed[i] = (char)(changed[i] ^ 1 << bit);
			store_raw(world, key, changed, value->len);
			expect_tampered(world, "a", key);
		}
		store_raw(world, key, value->str, i);
		expect_tampered(world, "a", key);
	}
	memcpy(changed, value->str, value->len);
	changed[value->len] = 'x';
	store_raw(world, key, changed, value->len + 1);
	expect_tampered(world, "a", key);
	store_raw(world, key, value->str, value->len);
	assert_string_equal(world_get(world, "a"), "payload");
	assert_true(log_has(world,
	    "event=cache-tampered kind=sig key=dime:1:"));
	log_open("test", "stderr", LOG_INFO);
	freeReplyObject(value);
	free(key);
}

static void
values_of_other_names_are_lies(void **state)
{
	struct world *world = *state;
	redisReply *one, *two;
	char *key_a, *key_b;

	UNIT_REDIS_NEEDED(&world->redis);
	world_put(world, "a", "one", START + 100);
	key_a = unit_redis_only_key(&world->redis);
	one = unit_redis_ask(&world->redis, REDIS_REPLY_STRING, "GET %s",
	    key_a);
	world_number(world, "DEL %s", key_a);
	world_put(world, "b", "two", START + 100);
	key_b = unit_redis_only_key(&world->redis);
	two = unit_redis_ask(&world->redis, REDIS_REPLY_STRING, "GET %s",
	    key_b);
	store_raw(world, key_a, two->str, two->len);
	store_raw(world, key_b, one->str, one->len);
	expect_tampered(world, "a", key_a);
	expect_tampered(world, "b", key_b);
	/* A list under our name is no answer either. */
	world_number(world, "LPUSH %s x", key_a);
	assert_string_equal(world_get(world, "a"), "");
	freeReplyObject(one);
	freeReplyObject(two);
	free(key_a);
	free(key_b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(changed_values_are_misses_noted_and_deleted),
	    WORLD_TEST(values_of_other_names_are_lies),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
