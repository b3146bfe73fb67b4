/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/unit/unit_impostor.h"
#include "tests/unit/unit_redis.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "cache/breaker.h"
#include "cache/cache.h"

enum { START = 1700000000, PATIENT = 5000, HASTY = 100 };

struct moved_clock {
	struct clock clock;
	int64_t wall, monotonic;
};

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
static const uint8_t other_key[32] = {4, 5, 6};

/* A Redis of the test's own, and a cache on it. */
struct world {
	struct moved_clock clock;
	struct cache_settings settings;
	struct unit_redis redis;
	char log[80];
	struct cache *cache;
};

static struct moved_clock
start_of_time(void)
{
	return (struct moved_clock){.clock = {moved_wall, moved_monotonic},
	    .wall = START, .monotonic = 1000};
}

static void
new_cache(struct world *world)
{
	cache_free(world->cache);
	assert_int_equal(cache_new(&world->settings, &world->cache), 0);
}

static int
set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (world == NULL)
		return -1;
	*state = world;
	world->clock = start_of_time();
	unit_redis_prepare(&world->redis);
	snprintf(world->log, sizeof(world->log), "%s/log",
	    world->redis.directory);
	world->settings = (struct cache_settings){.socket = world->redis.socket,
	    .host = "", .password = "", .timeout = PATIENT, .key = site_key,
	    .clock = &world->clock.clock, .connections = 4};
	if (unit_redis_exists())
		unit_redis_start(&world->redis, "");
	new_cache(world);
	return 0;
}

static int
tear_down(void **state)
{
	struct world *world = *state;

	cache_free(world->cache);
	unit_redis_stop(&world->redis);
	free(world);
	return 0;
}

#define NEED_SERVER(world)                                                     \
	do {                                                                   \
		if ((world)->redis.pid == 0)                                         \
			skip();                                                \
	} while (0)

/* ---- what the tests say ---- */

static void
put(struct world *world, const char *name, const char *payload, int64_t expires)
{
	cache_put(world->cache, "sig", span_string(name),
	    span_string(payload), expires);
}

/* The payload, or "" for a miss. */
static const char *
get(struct world *world, const char *name)
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

static struct cache_counters
counters(struct world *world)
{
	struct cache_counters counters;

	cache_count(world->cache, &counters);
	return counters;
}

static redisReply *
raw(struct world *world, int type, const char *format, ...)
{
	redisReply *reply;
	va_list arguments;

	va_start(arguments, format);
	reply = redisvCommand(world->redis.raw, format, arguments);
	va_end(arguments);
	assert_non_null(reply);
	assert_int_equal(reply->type, type);
	return reply;
}

static int64_t
raw_number(struct world *world, const char *format, const char *key)
{
	redisReply *reply = raw(world, REDIS_REPLY_INTEGER, format, key);
	int64_t number = reply->integer;

	freeReplyObject(reply);
	return number;
}

/* The only key that Redis holds; the caller frees it. */
static char *
only_key(struct world *world)
{
	redisReply *reply = raw(world, REDIS_REPLY_ARRAY, "KEYS *");
	char *key;

	assert_int_equal(reply->elements, 1);
	key = strdup(reply->element[0]->str);
	freeReplyObject(reply);
	return key;
}

/* ---- good days ---- */

static void
what_is_put_is_got(void **state)
{
	struct world *world = *state;
	struct buffer payload = buffer_make(100);
	int64_t expires;

	NEED_SERVER(world);
	assert_string_equal(get(world, "a"), "");
	put(world, "a", "one", START + 100);
	put(world, "b", "two", START + 100);
	assert_string_equal(get(world, "a"), "one");
	assert_string_equal(get(world, "b"), "two");
	put(world, "a", "three", START + 50);
	assert_string_equal(get(world, "a"), "three");
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
	assert_string_equal(get(world, "a"), "");
	assert_int_equal(counters(world).hits, 4);
	assert_int_equal(counters(world).misses, 4);
	assert_int_equal(counters(world).stored, 4);
	assert_int_equal(counters(world).errors, 0);
	assert_int_equal(counters(world).skipped, 0);
	assert_int_equal(counters(world).tampered, 0);
	buffer_free(&payload);
}

static void
redis_learns_no_names_and_forges_nothing(void **state)
{
	struct world *world = *state;
	struct cache_settings settings = world->settings;
	char *key;

	NEED_SERVER(world);
	put(world, "alice@alpha.test", "one", START + 100);
	key = only_key(world);
	assert_int_equal(strncmp(key, "dime:1:sig:", 11), 0);
	assert_int_equal(strlen(key), 11 + 64);
	assert_int_equal(strspn(key + 11, "0123456789abcdef"), 64);
	free(key);
	/* A node with another site key looks elsewhere. */
	world->settings.key = other_key;
	new_cache(world);
	assert_string_equal(get(world, "alice@alpha.test"), "");
	assert_int_equal(counters(world).tampered, 0);
	world->settings = settings;
}

static void
a_lookup_is_one_round_trip(void **state)
{
	struct world *world = *state;
	redisReply *reply;
	const char *at;
	int commands = 0;

	NEED_SERVER(world);
	put(world, "a", "one", START + 100);
	freeReplyObject(raw(world, REDIS_REPLY_STATUS, "CONFIG RESETSTAT"));
	assert_string_equal(get(world, "a"), "one");
	reply = raw(world, REDIS_REPLY_STRING, "INFO commandstats");
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
	redisReply *reply = raw(world, REDIS_REPLY_STRING, "INFO stats");
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

	NEED_SERVER(world);
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
	assert_int_equal(counters(world).hits, 3);
	assert_int_equal(counters(world).misses, 1);
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

	NEED_SERVER(world);
	put(world, "odd", "one", START + 100);
	key = only_key(world);
	raw_number(world, "DEL %s", key);
	raw_number(world, "LPUSH %s x", key);
	put(world, "good", "two", START + 100);
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

	NEED_SERVER(world);
	assert_string_equal(list(world, 0), "");
	push(world, "past", START);
	push(world, "one", START + 10);
	push(world, "two", START + 100);
	assert_string_equal(list(world, 0), "two one ");
	assert_string_equal(list(world, 1), "one ");
	world->clock.wall += 10;
	assert_string_equal(list(world, 0), "two ");
	key = only_key(world);
	assert_in_range(raw_number(world, "TTL %s", key), 1, 100);
	for (int i = 0; i < CACHE_LIST_LENGTH + 5; i++) {
		snprintf(number, sizeof(number), "%d", i);
		push(world, number, START + 1000);
	}
	assert_string_equal(list(world, 0), "260 259 258 257 ");
	assert_int_equal(raw_number(world, "LLEN %s", key), CACHE_LIST_LENGTH);
	/* Any lie in it is noted, and then there is none any more. */
	raw_number(world, "LPUSH %s lie", key);
	assert_string_equal(list(world, 0), "260 259 258 ");
	assert_int_equal(counters(world).tampered, 1);
	assert_int_equal(raw_number(world, "EXISTS %s", key), 0);
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

	NEED_SERVER(world);
	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		freeReplyObject(raw(world, REDIS_REPLY_STATUS, "FLUSHALL"));
		put(world, "a", "one", cases[i].expires);
		if (cases[i].ttl == 0) {
			assert_int_equal(raw_number(world, "DBSIZE", ""), 0);
		} else {
			char *key = only_key(world);
			int64_t ttl = raw_number(world, "PTTL %s", key);

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

	NEED_SERVER(world);
	put(world, "a", "one", START + 100);
	key = only_key(world);
	raw_number(world, "PERSIST %s", key);
	world->clock.wall = START + 99;
	assert_string_equal(get(world, "a"), "one");
	world->clock.wall = START + 100;
	assert_string_equal(get(world, "a"), "");
	assert_int_equal(counters(world).tampered, 0);
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

	NEED_SERVER(world);
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

	NEED_SERVER(world);
	unit_redis_stop(&world->redis);
	unit_redis_start(&world->redis, "open sesame");
	world->settings.database = 3;
	put(world, "a", "one", START + 100);
	assert_int_equal(counters(world).stored, 0);
	assert_int_equal(counters(world).errors, 1);
	world->settings.password = "wrong";
	new_cache(world);
	put(world, "a", "one", START + 100);
	assert_int_equal(counters(world).errors, 1);
	world->settings.password = "open sesame";
	new_cache(world);
	put(world, "a", "one", START + 100);
	assert_string_equal(get(world, "a"), "one");
	assert_int_equal(raw_number(world, "DBSIZE", ""), 0);
	reply = raw(world, REDIS_REPLY_STATUS, "SELECT 3");
	freeReplyObject(reply);
	assert_int_equal(raw_number(world, "DBSIZE", ""), 1);
}

static void
a_user_of_redis_may_be_named(void **state)
{
	struct world *world = *state;

	NEED_SERVER(world);
	freeReplyObject(raw(world, REDIS_REPLY_STATUS,
	    "ACL SETUSER dimegate on >sesame ~dime:1:* +get +set +del"));
	world->settings.user = "dimegate";
	world->settings.password = "wrong";
	new_cache(world);
	put(world, "a", "one", START + 100);
	assert_int_equal(counters(world).errors, 1);
	world->settings.password = "sesame";
	new_cache(world);
	put(world, "a", "one", START + 100);
	assert_string_equal(get(world, "a"), "one");
	/* Not allowed to this user. */
	push(world, "one", START + 100);
	assert_int_equal(counters(world).errors, 1);
}

static void
redis_may_be_anywhere(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "localhost"};
	struct world *world = *state;

	NEED_SERVER(world);
	world->settings.socket = "";
	world->settings.port = world->redis.port;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		unit_case(hosts[i]);
		world->settings.host = hosts[i];
		new_cache(world);
		/* A name is looked up aside; until then there is a miss. */
		for (int j = 0; j < 1000; j++) {
			put(world, hosts[i], "one", START + 100);
			if (strcmp(get(world, hosts[i]), "one") == 0)
				break;
			world->clock.monotonic += 60000;
			poll(NULL, 0, 10);
		}
		assert_string_equal(get(world, hosts[i]), "one");
	}
}

/* ---- tampering ---- */

static void
store_raw(struct world *world, const char *key, const void *value,
    size_t length)
{
	freeReplyObject(raw(world, REDIS_REPLY_STATUS, "SET %s %b EX 100", key,
	    value, length));
}

/* The value under `key` is a lie: a miss, noted, and gone. */
static void
expect_tampered(struct world *world, const char *name, const char *key)
{
	uint64_t before = counters(world).tampered;

	assert_string_equal(get(world, name), "");
	assert_int_equal(counters(world).tampered, before + 1);
	assert_int_equal(raw_number(world, "EXISTS %s", key), 0);
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

	NEED_SERVER(world);
	assert_int_equal(log_open("test", world->log, LOG_INFO), 0);
	put(world, "a", "payload", START + 100);
	key = only_key(world);
	value = raw(world, REDIS_REPLY_STRING, "GET %s", key);
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
	assert_string_equal(get(world, "a"), "payload");
	assert_true(log_has(world, "event=cache-tampered kind=sig key=dime:1:"));
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

	NEED_SERVER(world);
	put(world, "a", "one", START + 100);
	key_a = only_key(world);
	one = raw(world, REDIS_REPLY_STRING, "GET %s", key_a);
	raw_number(world, "DEL %s", key_a);
	put(world, "b", "two", START + 100);
	key_b = only_key(world);
	two = raw(world, REDIS_REPLY_STRING, "GET %s", key_b);
	store_raw(world, key_a, two->str, two->len);
	store_raw(world, key_b, one->str, one->len);
	expect_tampered(world, "a", key_a);
	expect_tampered(world, "b", key_b);
	/* A list under our name is no answer either. */
	raw_number(world, "LPUSH %s x", key_a);
	assert_string_equal(get(world, "a"), "");
	freeReplyObject(one);
	freeReplyObject(two);
	free(key_a);
	free(key_b);
}

/* ---- bad days ---- */

static void
a_killed_redis_costs_nothing_but_misses(void **state)
{
	struct world *world = *state;

	NEED_SERVER(world);
	put(world, "a", "one", START + 100);
	unit_redis_stop(&world->redis);
	for (int i = 0; i < 10; i++)
		assert_string_equal(get(world, "a"), "");
	assert_int_equal(counters(world).errors, 3);
	assert_int_equal(counters(world).skipped, 7);
	unit_redis_start(&world->redis, "");
	put(world, "a", "two", START + 100);
	assert_int_equal(counters(world).skipped, 8);
	world->clock.monotonic += 1000;
	put(world, "a", "two", START + 100);
	assert_string_equal(get(world, "a"), "two");
	assert_int_equal(counters(world).errors, 3);
}

/* Connections that lay idle over a restart are no failure. */
static void
a_restart_goes_unnoticed(void **state)
{
	struct world *world = *state;

	NEED_SERVER(world);
	put(world, "a", "one", START + 100);
	assert_string_equal(get(world, "a"), "one");
	unit_redis_stop(&world->redis);
	unit_redis_start(&world->redis, "");
	put(world, "a", "two", START + 100);
	assert_string_equal(get(world, "a"), "two");
	assert_int_equal(counters(world).errors, 0);
}

static int64_t
milliseconds(void)
{
	return clock_monotonic(&clock_system);
}

static void
a_frozen_redis_is_waited_for_three_times(void **state)
{
	struct world *world = *state;
	int64_t started;

	NEED_SERVER(world);
	world->settings.timeout = HASTY;
	new_cache(world);
	put(world, "a", "one", START + 100);
	kill(world->redis.pid, SIGSTOP);
	for (int i = 0; i < 3; i++) {
		started = milliseconds();
		assert_string_equal(get(world, "a"), "");
		assert_in_range(milliseconds() - started, HASTY / 2,
		    HASTY + 1000);
	}
	started = milliseconds();
	for (int i = 0; i < 1000; i++)
		assert_string_equal(get(world, "a"), "");
	assert_in_range(milliseconds() - started, 0, 1000);
	assert_int_equal(counters(world).errors, 3);
	assert_int_equal(counters(world).skipped, 1000);
	kill(world->redis.pid, SIGCONT);
	world->clock.monotonic += 1000;
	for (int i = 0; i < 100 && counters(world).hits == 0; i++) {
		get(world, "a");
		world->clock.monotonic += 60000;
	}
	assert_int_equal(counters(world).hits, 1);
}

enum manner { WAITS, TRICKLES, HANGS_UP, NEVER_ENDS };

static void
odd_answers_are_misses(void **state)
{
	static const struct {
		const char *name, *answer;
		enum manner how;
	} cases[] = {
	    {"hangs up", "", HANGS_UP},
	    {"cut short", "$100\r\nabc", HANGS_UP},
	    {"silent in the middle", "$100\r\nabc", WAITS},
	    {"trickles", "$100\r\n0123456789012345678901234567890123456789",
	     TRICKLES},
	    {"an array", "*2000000000\r\n", WAITS},
	    {"nested arrays", "*1\r\n*1\r\n*1\r\n*1073741825\r\n", WAITS},
	    {"a map", "%2000000000\r\n", WAITS},
	    {"a push", ">2000000000\r\n", WAITS},
	    {"an attribute", "|2000000000\r\n", WAITS},
	    {"a huge string", "$2147483647\r\nabc", WAITS},
	    {"a negative string", "$-2\r\n", WAITS},
	    {"a number too large", ":99999999999999999999999\r\n", WAITS},
	    {"a status", "+OK\r\n", WAITS},
	    {"a status without end", "+OKOKOKOKOKOKOKOKOKOKOKOKOK",
	     NEVER_ENDS},
	    {"a string without end", "$2000000000\r\n", NEVER_ENDS},
	    {"answers without end", "$-1\r\n$3\r\nabc\r\n", NEVER_ENDS},
	    {"an error", "-LOADING Redis is loading\r\n", WAITS},
	    {"errors without end", "-READONLY\r\n", NEVER_ENDS},
	    {"another protocol", "HTTP/1.1 400 Bad Request\r\n\r\n", WAITS},
	    {"an empty string", "$0\r\n\r\n", WAITS},
	    {"nil", "$-1\r\n", WAITS},
	};
	struct world *world = *state;
	int64_t started;

	unit_redis_stop(&world->redis);
	world->settings.timeout = HASTY;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct impostor impostor = {.answer = cases[i].answer,
		    .trickle = cases[i].how == TRICKLES,
		    .hang_up = cases[i].how == HANGS_UP,
		    .endless = cases[i].how == NEVER_ENDS};

		unit_case(cases[i].name);
		impostor_start_unix(&impostor, world->redis.socket);
		new_cache(world);
		started = milliseconds();
		assert_string_equal(get(world, "a"), "");
		assert_in_range(milliseconds() - started, 0, HASTY + 1000);
		cache_free(world->cache);
		world->cache = NULL;
		impostor_end(&impostor);
	}
}

/* ---- threads ---- */

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

	NEED_SERVER(world);
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
	assert_int_equal(counters(world).hits, THREADS * ROUNDS);
	reply = raw(world, REDIS_REPLY_STRING, "INFO clients");
	assert_true(atoi(strchr(strstr(reply->str, "connected_clients"), ':') +
	    1) <= 5);
	freeReplyObject(reply);
}

/* ---- the breaker alone ---- */

static void
the_breaker_opens_pauses_and_closes(void **state)
{
	struct moved_clock clock = start_of_time();
	int64_t pause = 1000;
	struct breaker breaker;
	bool probe, other;

	breaker_start(&breaker, &clock.clock);
	for (int i = 0; i < 3; i++) {
		assert_true(breaker_allows(&breaker, &probe));
		assert_false(probe);
		assert_int_equal(breaker_done(&breaker, probe, false),
		    i == 2 ? BREAKER_OPENED : BREAKER_SAME);
	}
	/* Late news of what was under way changes nothing. */
	assert_int_equal(breaker_done(&breaker, false, false), BREAKER_SAME);
	for (int i = 0; i < 8; i++) {
		clock.monotonic += pause - 1;
		assert_false(breaker_allows(&breaker, &probe));
		clock.monotonic++;
		assert_true(breaker_allows(&breaker, &probe));
		assert_true(probe);
		assert_false(breaker_allows(&breaker, &other));
		breaker_withdraw(&breaker, probe);
		assert_true(breaker_allows(&breaker, &probe));
		assert_int_equal(breaker_done(&breaker, probe, false),
		    BREAKER_SAME);
		pause = pause * 2 > 30000 ? 30000 : pause * 2;
	}
	clock.monotonic += pause;
	assert_true(breaker_allows(&breaker, &probe));
	assert_int_equal(breaker_done(&breaker, probe, true), BREAKER_CLOSED);
	for (int i = 0; i < 10; i++) {
		assert_true(breaker_allows(&breaker, &probe));
		assert_int_equal(breaker_done(&breaker, probe, i % 3 == 2),
		    BREAKER_SAME);
	}
	breaker_end(&breaker);
}

#define CACHE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CACHE_TEST(what_is_put_is_got),
	    CACHE_TEST(redis_learns_no_names_and_forges_nothing),
	    CACHE_TEST(a_lookup_is_one_round_trip),
	    CACHE_TEST(several_are_one_round_trip),
	    CACHE_TEST(one_odd_value_of_several_is_one_miss),
	    CACHE_TEST(lists_keep_their_newest_values),
	    CACHE_TEST(nothing_is_stored_without_a_ttl),
	    CACHE_TEST(the_expiry_inside_counts),
	    CACHE_TEST(large_values_pass_and_too_large_ones_do_not),
	    CACHE_TEST(password_and_database_are_used),
	    CACHE_TEST(a_user_of_redis_may_be_named),
	    CACHE_TEST(redis_may_be_anywhere),
	    CACHE_TEST(changed_values_are_misses_noted_and_deleted),
	    CACHE_TEST(values_of_other_names_are_lies),
	    CACHE_TEST(a_killed_redis_costs_nothing_but_misses),
	    CACHE_TEST(a_restart_goes_unnoticed),
	    CACHE_TEST(a_frozen_redis_is_waited_for_three_times),
	    CACHE_TEST(odd_answers_are_misses),
	    CACHE_TEST(threads_share_few_connections),
	    cmocka_unit_test(the_breaker_opens_pauses_and_closes),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
