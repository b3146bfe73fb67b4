/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/replay.h"

#include <signal.h>

#include "cache/cache_value.h"

/* ---- what somebody in Redis does ---- */

/* One octet of every value is changed. */
static void
poison(redisContext *raw, const char *key, const char *first)
{
	freeReplyObject(redisCommand(raw, "SETRANGE %s 9 X", key));
}

/* Every name gets the value of one of them. */
static void
swap(redisContext *raw, const char *key, const char *first)
{
	freeReplyObject(redisCommand(raw, "COPY %s %s REPLACE", first, key));
}

/* What was a string is a list, and the other way round. */
static void
retype(redisContext *raw, const char *key, const char *first)
{
	redisReply *type = redisCommand(raw, "TYPE %s", key);
	const bool is_list = strcmp(type->str, "list") == 0;

	freeReplyObject(type);
	freeReplyObject(redisCommand(raw, "DEL %s", key));
	freeReplyObject(redisCommand(raw,
	    is_list ? "SET %s x" : "LPUSH %s x", key));
}

/* It never ends, as far as Redis is concerned. */
static void
persist(redisContext *raw, const char *key, const char *first)
{
	freeReplyObject(redisCommand(raw, "PERSIST %s", key));
}

/* Database 1 keeps what was there. */
static void
keep(redisContext *raw, const char *key, const char *first)
{
	freeReplyObject(redisCommand(raw, "COPY %s %s DB 1 REPLACE", key, key));
}

/* The same, as another site would have written it there. */
static void
refound(redisContext *raw, const char *key, const char *first)
{
	static const uint8_t keys[2][32] = {{7, 7, 7}, {8, 8, 8}};
	redisReply *value = redisCommand(raw, "GET %s", key);
	struct buffer other = buffer_make(1 << 20);
	struct mac_key *ours, *theirs;
	struct span payload;
	int64_t expires;

	assert_memory_equal(keys[0], replay_cache_key, sizeof(keys[0]));
	assert_int_equal(mac_key_new(keys[0], &ours), 0);
	assert_int_equal(mac_key_new(keys[1], &theirs), 0);
	assert_int_equal(cache_value_open(ours, key,
	    span_of(value->str, value->len), 0, &payload, &expires),
	    CACHE_GOOD);
	assert_true(cache_value_close(theirs, key, payload, expires, &other));
	freeReplyObject(redisCommand(raw, "SET %s %b EX 1000", key, other.data,
	    other.length));
	mac_key_free(ours);
	mac_key_free(theirs);
	buffer_free(&other);
	freeReplyObject(value);
}

static void
with_every_key(const struct replay *replay,
    void (*what)(redisContext *raw, const char *key, const char *first))
{
	redisContext *raw = replay->redis->raw;
	redisReply *keys = redisCommand(raw, "KEYS *");

	if (keys == NULL || keys->elements == 0)
		replay_fail(replay, "Redis holds nothing");
	for (size_t i = 0; i < keys->elements; i++)
		what(raw, keys->element[i]->str, keys->element[0]->str);
	freeReplyObject(keys);
}

/* ---- from outside ---- */

static void
start(struct replay *replay)
{
	if (replay->redis->pid == 0)
		unit_redis_start(replay->redis, "");
	replay->with_redis = true;
}

static void
freeze(struct replay *replay, bool frozen)
{
	kill(replay->redis->pid, frozen ? SIGSTOP : SIGCONT);
	replay->frozen = frozen;
	for (size_t i = 0; i < replay->node_count; i++)
		replay_node_stop(&replay->nodes[i]);
}

static void
go_up(struct replay *replay)
{
	start(replay);
	if (replay->frozen)
		freeze(replay, false);
}

static void
go_down(struct replay *replay)
{
	unit_redis_stop(replay->redis);
}

static void
get_frozen(struct replay *replay)
{
	freeze(replay, true);
}

static void
flush(struct replay *replay)
{
	freeReplyObject(redisCommand(replay->redis->raw, "FLUSHDB"));
}

/* What was kept takes the place of what is there. */
static void
play_again(struct replay *replay)
{
	redisContext *raw = replay->redis->raw;

	freeReplyObject(redisCommand(raw, "FLUSHDB"));
	freeReplyObject(redisCommand(raw, "SWAPDB 0 1"));
}

void
replay_redis_set(struct replay *replay, const struct replay_step *step)
{
	static const struct {
		const char *name;
		void (*redis)(struct replay *replay);
		void (*key)(redisContext *raw, const char *key,
		    const char *first);
	} ways[] = {
	    {"up", go_up, NULL},
	    {"down", go_down, NULL},
	    {"frozen", get_frozen, NULL},
	    {"flushed", flush, NULL},
	    {"replayed", play_again, NULL},
	    {"kept", NULL, keep},
	    {"poisoned", NULL, poison},
	    {"swapped", NULL, swap},
	    {"retyped", NULL, retype},
	    {"timeless", NULL, persist},
	    {"foreign", NULL, refound},
	};
	const char *name = replay_word(replay, step, 1);

	if (replay->redis == NULL)
		skip();
	for (size_t i = 0; i < COUNT(ways); i++) {
		if (strcmp(ways[i].name, name) != 0)
			continue;
		if (ways[i].redis != NULL)
			ways[i].redis(replay);
		else
			with_every_key(replay, ways[i].key);
		return;
	}
	replay_fail(replay, "redis: %s is nothing that it can be", name);
}
