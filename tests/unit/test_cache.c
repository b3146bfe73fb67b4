/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/cache_world.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void
what_is_put_is_got(void **state)
{
	struct world *world = *state;
	struct buffer payload = buffer_make(100);
	int64_t expires;

	UNIT_REDIS_NEEDED(&world->redis);
	assert_string_equal(world_get(world, "a"), "");
	world_put(world, "a", "one", START + 100);
	world_put(world, "b", "two", START + 100);
	assert_string_equal(world_get(world, "a"), "one");
	assert_string_equal(world_get(world, "b"), "two");
	world_put(world, "a", "three", START + 50);
	assert_string_equal(world_get(world, "a"), "three");
	/* Another kind is another thing, whatever runs together. */
	assert_false(cache_get(world->cache, "si", span_string("ga"), &payload,
	    &expires));
	assert_false(cache_get(world->cache, "org", span_string("a"), &payload,
	    &expires));
	cache_put(world->cache, "sig", span_of("\0\r\n", 3),
	    span_of("\0*$\r\n", 5), START + 9);
	assert_true(cache_get(world->cache, "sig", span_of("\0\r\n", 3),
	    &payload, &expires));
	assert_int_equal(expires, START + 9);
	assert_int_equal(payload.length, 5);
	assert_memory_equal(payload.data, "\0*$\r\n", 5);
	cache_delete(world->cache, "sig", span_string("a"));
	assert_string_equal(world_get(world, "a"), "");
	assert_int_equal(world_counters(world).hits, 4);
	assert_int_equal(world_counters(world).misses, 4);
	assert_int_equal(world_counters(world).stored, 4);
	assert_int_equal(world_counters(world).errors, 0);
	assert_int_equal(world_counters(world).skipped, 0);
	assert_int_equal(world_counters(world).tampered, 0);
	buffer_free(&payload);
}

static const uint8_t other_key[32] = {4, 5, 6};

static void
redis_learns_no_names_and_forges_nothing(void **state)
{
	struct world *world = *state;
	struct cache_settings settings = world->settings;
	char *key;

	UNIT_REDIS_NEEDED(&world->redis);
	world_put(world, "alice@alpha.test", "one", START + 100);
	key = unit_redis_only_key(&world->redis);
	assert_int_equal(strncmp(key, "dime:1:sig:", 11), 0);
	assert_int_equal(strlen(key), 11 + 64);
	assert_int_equal(strspn(key + 11, "0123456789abcdef"), 64);
	free(key);
	/* A node with another site key looks elsewhere. */
	world->settings.key = other_key;
	world_new_cache(world);
	assert_string_equal(world_get(world, "alice@alpha.test"), "");
	assert_int_equal(world_counters(world).tampered, 0);
	world->settings = settings;
}

static void
a_lookup_is_one_round_trip(void **state)
{
	struct world *world = *state;
	redisReply *reply;
	const char *at;
	int commands = 0;

	UNIT_REDIS_NEEDED(&world->redis);
	world_put(world, "a", "one", START + 100);
	unit_redis_do(&world->redis, "CONFIG RESETSTAT");
	assert_string_equal(world_get(world, "a"), "one");
	reply = unit_redis_ask(&world->redis, REDIS_REPLY_STRING,
	    "INFO commandstats");
	for (at = reply->str; (at = strstr(at, "cmdstat_")) != NULL; at++)
		commands++;
	assert_non_null(strstr(reply->str, "cmdstat_get:calls=1,"));
	assert_int_equal(commands, 2); /* and the CONFIG itself */
	freeReplyObject(reply);
}

/* How often Redis has read from a connection that was not idle: commands that
 * came together count once. */
static int64_t
reads(struct world *world)
{
	redisReply *reply = unit_redis_ask(&world->redis, REDIS_REPLY_STRING,
	    "INFO stats");
	const char *at = strstr(reply->str, "total_reads_processed:");
	int64_t number;

	if (at == NULL)
		skip();
	number = strtoll(strchr(at, ':') + 1, NULL, 10);
	freeReplyObject(reply);
	return number;
}

static void
several_are_one_round_trip(void **state)
{
	struct world *world = *state;
	struct cache_item items[] = {
	    {.kind = "r", .name = span_string("beta.test")},
	    {.kind = "o", .name = span_string("beta.test")},
	    {.kind = "u", .name = span_string("bob@beta.test")},
	    {.kind = "u", .name = span_string("nobody@beta.test")},
	};
	const char *const payloads[] = {"record", "signet", "bob", ""};
	int64_t before;

	UNIT_REDIS_NEEDED(&world->redis);
	for (size_t i = 0; i < 3; i++)
		assert_true(cache_put(world->cache, items[i].kind,
		    items[i].name, span_string(payloads[i]), START + 9));
	for (size_t i = 0; i < COUNT(items); i++)
		items[i].payload = buffer_make(100);
	before = reads(world);
	cache_get_all(world->cache, items, COUNT(items));
	/* One, and this question itself. */
	assert_int_equal(reads(world) - before, 2);
	for (size_t i = 0; i < COUNT(items); i++) {
		assert_int_equal(items[i].found, i < 3);
		assert_true(span_equal_string(buffer_span(&items[i].payload),
		    payloads[i]));
		assert_int_equal(items[i].expires, i < 3 ? START + 9 : 0);
		buffer_free(&items[i].payload);
	}
	assert_int_equal(world_counters(world).hits, 3);
	assert_int_equal(world_counters(world).misses, 1);
}

/* What holds something else under one name takes nothing from the others. */
static void
one_odd_value_of_several_is_one_miss(void **state)
{
	struct world *world = *state;
	struct cache_item items[] = {
	    {.kind = "sig", .name = span_string("odd")},
	    {.kind = "sig", .name = span_string("good")},
	};
	char *key;

	UNIT_REDIS_NEEDED(&world->redis);
	world_put(world, "odd", "one", START + 100);
	key = unit_redis_only_key(&world->redis);
	world_number(world, "DEL %s", key);
	world_number(world, "LPUSH %s x", key);
	world_put(world, "good", "two", START + 100);
	for (size_t i = 0; i < COUNT(items); i++)
		items[i].payload = buffer_make(100);
	cache_get_all(world->cache, items, COUNT(items));
	assert_false(items[0].found);
	assert_true(items[1].found);
	for (size_t i = 0; i < COUNT(items); i++)
		buffer_free(&items[i].payload);
	free(key);
}

/* The list's values from `first` on, each followed by a space. */
static const char *
list(struct world *world, size_t first)
{
	static char text[200];
	struct cache_item items[4] = {{.kind = "l", .name = {NULL, 0}}};

	text[0] = '\0';
	for (size_t i = 0; i < COUNT(items); i++)
		items[i].payload = buffer_make(100);
	cache_list(world->cache, first, items, COUNT(items));
	for (size_t i = 0; i < COUNT(items); i++) {
		const size_t length = strlen(text);

		if (items[i].found)
			snprintf(text + length, sizeof(text) - length, "%s ",
			    buffer_string(&items[i].payload));
		buffer_free(&items[i].payload);
	}
	return text;
}

static void
push(struct world *world, const char *payload, int64_t expires)
{
	cache_push(world->cache, "l", (struct span){NULL, 0},
	    span_string(payload), expires);
}

static void
lists_keep_their_newest_values(void **state)
{
	struct world *world = *state;
	char number[12];
	char *key;

	UNIT_REDIS_NEEDED(&world->redis);
	assert_string_equal(list(world, 0), "");
	push(world, "past", START);
	push(world, "one", START + 10);
	push(world, "two", START + 100);
	assert_string_equal(list(world, 0), "two one ");
	assert_string_equal(list(world, 1), "one ");
	world->clock.wall += 10;
	assert_string_equal(list(world, 0), "two ");
	key = unit_redis_only_key(&world->redis);
	assert_in_range(world_number(world, "TTL %s", key), 1, 100);
	for (int i = 0; i < CACHE_LIST_LENGTH + 5; i++) {
		snprintf(number, sizeof(number), "%d", i);
		push(world, number, START + 1000);
	}
	assert_string_equal(list(world, 0), "260 259 258 257 ");
	assert_int_equal(world_number(world, "LLEN %s", key),
	    CACHE_LIST_LENGTH);
	/* Any lie in it is noted, and then there is none any more. */
	world_number(world, "LPUSH %s lie", key);
	assert_string_equal(list(world, 0), "260 259 258 ");
	assert_int_equal(world_counters(world).tampered, 1);
	assert_int_equal(world_number(world, "EXISTS %s", key), 0);
	free(key);
}

static void
nothing_is_stored_without_a_ttl(void **state)
{
	static const struct {
		const char *name;
		int64_t expires, ttl; /* 0: not stored at all */
	} cases[] = {
	    {"a minute", START + 60, 60},
	    {"a second", START + 1, 1},
	    {"now", START, 0},
	    {"past", START - 1, 0},
	    {"long past", INT64_MIN, 0},
	    {"far future", INT64_MAX, 366 * 86400},
	};
	struct world *world = *state;

	UNIT_REDIS_NEEDED(&world->redis);
	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		unit_redis_do(&world->redis, "FLUSHALL");
		world_put(world, "a", "one", cases[i].expires);
		if (cases[i].ttl == 0) {
			assert_int_equal(world_number(world, "DBSIZE", ""), 0);
		} else {
			char *key = unit_redis_only_key(&world->redis);
			int64_t ttl = world_number(world, "PTTL %s", key);

			assert_in_range(ttl, 1, cases[i].ttl * 1000);
			assert_true(ttl > cases[i].ttl * 1000 - 60000);
			free(key);
		}
	}
}

/* A Redis that keeps a value too long does not make it live longer. */
static void
the_expiry_inside_counts(void **state)
{
	struct world *world = *state;
	char *key;

	UNIT_REDIS_NEEDED(&world->redis);
	world_put(world, "a", "one", START + 100);
	key = unit_redis_only_key(&world->redis);
	world_number(world, "PERSIST %s", key);
	world->clock.wall = START + 99;
	assert_string_equal(world_get(world, "a"), "one");
	world->clock.wall = START + 100;
	assert_string_equal(world_get(world, "a"), "");
	assert_int_equal(world_counters(world).tampered, 0);
	free(key);
}

static void
large_values_pass_and_too_large_ones_do_not(void **state)
{
	static const struct {
		size_t size;
		bool stored;
	} cases[] = {{0, true}, {20000, true}, {1 << 20, true},
	    {(1 << 20) + 1, false}};
	struct world *world = *state;
	int64_t expires;

	UNIT_REDIS_NEEDED(&world->redis);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer in = buffer_make(2 << 20);
		struct buffer out = buffer_make(2 << 20);
		char name[20];

		snprintf(name, sizeof(name), "%zu", cases[i].size);
		unit_case(name);
		memset(buffer_extend(&in, cases[i].size + 1), 'x',
		    cases[i].size + 1);
		in.length = cases[i].size;
		cache_put(world->cache, "sig", span_string(name),
		    buffer_span(&in), START + 9);
		assert_int_equal(cache_get(world->cache, "sig",
		    span_string(name), &out, &expires), cases[i].stored);
		if (cases[i].stored)
			assert_true(span_equal(buffer_span(&in),
			    buffer_span(&out)));
		buffer_free(&in);
		buffer_free(&out);
	}
}

static void
password_and_database_are_used(void **state)
{
	struct world *world = *state;
	redisReply *reply;

	UNIT_REDIS_NEEDED(&world->redis);
	unit_redis_stop(&world->redis);
	unit_redis_start(&world->redis, "open sesame");
	world->settings.database = 3;
	world_put(world, "a", "one", START + 100);
	assert_int_equal(world_counters(world).stored, 0);
	assert_int_equal(world_counters(world).errors, 1);
	world->settings.password = "wrong";
	world_new_cache(world);
	world_put(world, "a", "one", START + 100);
	assert_int_equal(world_counters(world).errors, 1);
	world->settings.password = "open sesame";
	world_new_cache(world);
	world_put(world, "a", "one", START + 100);
	assert_string_equal(world_get(world, "a"), "one");
	assert_int_equal(world_number(world, "DBSIZE", ""), 0);
	reply = unit_redis_ask(&world->redis, REDIS_REPLY_STATUS, "SELECT 3");
	freeReplyObject(reply);
	assert_int_equal(world_number(world, "DBSIZE", ""), 1);
}

static void
a_user_of_redis_may_be_named(void **state)
{
	struct world *world = *state;

	UNIT_REDIS_NEEDED(&world->redis);
	unit_redis_do(&world->redis,
	    "ACL SETUSER dimegate on >sesame ~dime:1:* +get +set +del");
	world->settings.user = "dimegate";
	world->settings.password = "wrong";
	world_new_cache(world);
	world_put(world, "a", "one", START + 100);
	assert_int_equal(world_counters(world).errors, 1);
	world->settings.password = "sesame";
	world_new_cache(world);
	world_put(world, "a", "one", START + 100);
	assert_string_equal(world_get(world, "a"), "one");
	/* Not allowed to this user. */
	push(world, "one", START + 100);
	assert_int_equal(world_counters(world).errors, 1);
}

static void
redis_may_be_anywhere(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "localhost"};
	struct world *world = *state;

	UNIT_REDIS_NEEDED(&world->redis);
	world->settings.socket = "";
	world->settings.port = world->redis.port;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		unit_case(hosts[i]);
		world->settings.host = hosts[i];
		world_new_cache(world);
		/* A name is looked up aside; until then there is a miss. */
		for (int j = 0; j < 1000; j++) {
			world_put(world, hosts[i], "one", START + 100);
			if (strcmp(world_get(world, hosts[i]), "one") == 0)
				break;
			world->clock.monotonic += 60000;
			poll(NULL, 0, 10);
		}
		assert_string_equal(world_get(world, hosts[i]), "one");
	}
}

enum { THREADS = 16, ROUNDS = 40 };

struct worker {
	pthread_t thread;
	struct world *world;
	unsigned int number;
	unsigned int wrong, missed;
};

static void *
work(void *argument)
{
	struct worker *worker = argument;
	struct cache *cache = worker->world->cache;
	struct buffer payload = buffer_make(100);
	char name[40];
	int64_t expires;

	for (int i = 0; i < ROUNDS; i++) {
		snprintf(name, sizeof(name), "%u-%d", worker->number, i);
		cache_put(cache, "sig", span_string(name), span_string(name),
		    START + 100);
		buffer_reset(&payload);
		if (!cache_get(cache, "sig", span_string(name), &payload,
		    &expires))
			worker->missed++;
		else if (!span_equal_string(buffer_span(&payload), name))
			worker->wrong++;
	}
	buffer_free(&payload);
	return NULL;
}

static void
threads_share_few_connections(void **state)
{
	struct world *world = *state;
	struct worker workers[THREADS] = {0};
	redisReply *reply;

	UNIT_REDIS_NEEDED(&world->redis);
	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i].world = world;
		workers[i].number = i;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work,
		    &workers[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].wrong, 0);
		assert_int_equal(workers[i].missed, 0);
	}
	assert_int_equal(world_counters(world).hits, THREADS * ROUNDS);
	reply = unit_redis_ask(&world->redis, REDIS_REPLY_STRING,
	    "INFO clients");
	assert_true(atoi(strchr(strstr(reply->str, "connected_clients"), ':') +
	    1) <= 5);
	freeReplyObject(reply);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(what_is_put_is_got),
	    WORLD_TEST(redis_learns_no_names_and_forges_nothing),
	    WORLD_TEST(a_lookup_is_one_round_trip),
	    WORLD_TEST(several_are_one_round_trip),
	    WORLD_TEST(one_odd_value_of_several_is_one_miss),
	    WORLD_TEST(lists_keep_their_newest_values),
	    WORLD_TEST(nothing_is_stored_without_a_ttl),
	    WORLD_TEST(the_expiry_inside_counts),
	    WORLD_TEST(large_values_pass_and_too_large_ones_do_not),
	    WORLD_TEST(password_and_database_are_used),
	    WORLD_TEST(a_user_of_redis_may_be_named),
	    WORLD_TEST(redis_may_be_anywhere),
	    WORLD_TEST(threads_share_few_connections),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
