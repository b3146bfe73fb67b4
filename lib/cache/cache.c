/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "cache/breaker.h"
#include "cache/cache_value.h"
#include "cache/redis.h"

enum { LONGEST_TTL = 366 * 86400 };

struct cache {
	struct redis *redis;
	struct mac_key *key;
	const struct clock *clock;
	struct breaker breaker;
	pthread_mutex_t mutex;
	struct cache_counters counters;
};

int
cache_new(const struct cache_settings *settings, struct cache **out)
{
	struct cache *cache = calloc(1, sizeof(*cache));
	int err;

	*out = NULL;
	if (cache == NULL)
		return ERR_MEMORY;
	if ((err = mac_key_new(settings->key, &cache->key)) != 0 ||
	    (err = redis_new(settings, &cache->redis)) != 0) {
		mac_key_free(cache->key);
		free(cache);
		return err;
	}
	cache->clock = settings->clock;
	breaker_start(&cache->breaker, settings->clock);
	pthread_mutex_init(&cache->mutex, NULL);
	*out = cache;
	return 0;
}

void
cache_free(struct cache *cache)
{
	if (cache == NULL)
		return;
	redis_free(cache->redis);
	mac_key_free(cache->key);
	breaker_end(&cache->breaker);
	pthread_mutex_destroy(&cache->mutex);
	free(cache);
}

void
cache_count(struct cache *cache, struct cache_counters *out)
{
	pthread_mutex_lock(&cache->mutex);
	*out = cache->counters;
	pthread_mutex_unlock(&cache->mutex);
}

static void
count(struct cache *cache, uint64_t *counter)
{
	pthread_mutex_lock(&cache->mutex);
	(*counter)++;
	pthread_mutex_unlock(&cache->mutex);
}

/* ---- asking ---- */

static void
note_change(enum breaker_change change, const char *text)
{
	struct log_line line;

	if (change == BREAKER_SAME)
		return;
	log_begin(&line, change == BREAKER_OPENED ? LOG_WARNING : LOG_NOTICE,
	    change == BREAKER_OPENED ? "cache-down" : "cache-up");
	if (change == BREAKER_OPENED)
		log_text(&line, "text", text);
	log_end(&line);
}

/* Sets every reply, to NULL where there is none for whatever reason; it has
 * been counted. False unless all is well. */
static bool
ask(struct cache *cache, const struct redis_command *commands,
    size_t command_count, redisReply **replies)
{
	struct fault fault = {0};
	bool probe;
	int err;

	memset(replies, 0, command_count * sizeof(*replies));
	if (!breaker_allows(&cache->breaker, &probe)) {
		count(cache, &cache->counters.skipped);
		return false;
	}
	err = redis_ask(cache->redis, commands, command_count, replies,
	    &fault);
	if (err == ERR_BUSY) {
		breaker_withdraw(&cache->breaker, probe);
		count(cache, &cache->counters.skipped);
		return false;
	}
	count(cache, &cache->counters.asked);
	if (err != 0)
		count(cache, &cache->counters.errors);
	note_change(breaker_done(&cache->breaker, probe, err == 0),
	    fault_text(&fault, err));
	return err == 0;
}

/* Likewise where the replies do not matter. */
static bool
tell(struct cache *cache, const struct redis_command *commands,
    size_t command_count)
{
	redisReply *replies[CACHE_ITEMS];
	const bool good = ask(cache, commands, command_count, replies);

	for (size_t i = 0; i < command_count; i++)
		freeReplyObject(replies[i]);
	return good;
}

static void
delete_key(struct cache *cache, const char *key)
{
	const struct span words[] = {span_string("DEL"), span_string(key)};

	tell(cache, &(struct redis_command){words, 2}, 1);
}

static void
note_tampered(struct cache *cache, const char *kind, const char *key)
{
	struct log_line line;

	count(cache, &cache->counters.tampered);
	log_begin(&line, LOG_ERR, "cache-tampered");
	log_text(&line, "kind", kind);
	log_text(&line, "key", key);
	log_end(&line);
	delete_key(cache, key);
}

/* ---- looking ---- */

/* What Redis gives is anybody's. */
static enum cache_verdict
take_reply(struct cache *cache, const char *key, const redisReply *reply,
    struct cache_item *item)
{
	enum cache_verdict verdict = CACHE_ODD;
	struct span content;

	if (reply != NULL && reply->type == REDIS_REPLY_STRING)
		verdict = cache_value_open(cache->key, key,
		    span_of(reply->str, reply->len),
		    clock_wall(cache->clock), &content, &item->expires);
	if (verdict != CACHE_GOOD)
		return verdict;
	buffer_append_span(&item->payload, content);
	item->found = item->payload.error == 0;
	return CACHE_GOOD;
}

static void
take_one(struct cache *cache, const char *key, const redisReply *reply,
    struct cache_item *item)
{
	if (take_reply(cache, key, reply, item) == CACHE_TAMPERED)
		note_tampered(cache, item->kind, key);
	count(cache, item->found ? &cache->counters.hits
	                         : &cache->counters.misses);
}

/* What is under keys[i] becomes items[i]. */
static void
take_replies(struct cache *cache, char (*keys)[CACHE_KEY_SIZE],
    redisReply **replies, struct cache_item *items, size_t item_count)
{
	for (size_t i = 0; i < item_count; i++) {
		take_one(cache, keys[i], replies[i], &items[i]);
		freeReplyObject(replies[i]);
	}
}

void
cache_get_all(struct cache *cache, struct cache_item *items, size_t item_count)
{
	char keys[CACHE_ITEMS][CACHE_KEY_SIZE];
	struct span words[CACHE_ITEMS][2];
	struct redis_command commands[CACHE_ITEMS] = {0};
	redisReply *replies[CACHE_ITEMS] = {NULL};
	bool good = item_count > 0 && item_count <= CACHE_ITEMS;

	for (size_t i = 0; i < item_count && good; i++) {
		items[i].found = false;
		items[i].expires = 0;
		good = cache_value_key(cache->key, items[i].kind,
		    items[i].name, keys[i]);
		words[i][0] = span_string("GET");
		words[i][1] = span_string(keys[i]);
		commands[i] = (struct redis_command){words[i], 2};
	}
	if (!good)
		return;
	/* One refusal, such as of a key that holds something else than a
	 * string, takes nothing from the others. */
	ask(cache, commands, item_count, replies);
	take_replies(cache, keys, replies, items, item_count);
}

bool
cache_get(struct cache *cache, const char *kind, struct span name,
    struct buffer *payload, int64_t *expires)
{
	struct cache_item item = {.kind = kind, .name = name,
	    .payload = *payload};

	cache_get_all(cache, &item, 1);
	*payload = item.payload;
	*expires = item.expires;
	return item.found;
}

void
cache_list(struct cache *cache, size_t first, struct cache_item *items,
    size_t item_count)
{
	char key[CACHE_KEY_SIZE], indices[CACHE_ITEMS][24];
	struct span words[CACHE_ITEMS][3];
	struct redis_command commands[CACHE_ITEMS] = {0};
	redisReply *replies[CACHE_ITEMS] = {NULL};
	bool tampered = false;

	if (item_count == 0 || item_count > CACHE_ITEMS ||
	    !cache_value_key(cache->key, items[0].kind, items[0].name, key))
		return;
	for (size_t i = 0; i < item_count; i++) {
		snprintf(indices[i], sizeof(indices[i]), "%zu", first + i);
		words[i][0] = span_string("LINDEX");
		words[i][1] = span_string(key);
		words[i][2] = span_string(indices[i]);
		commands[i] = (struct redis_command){words[i], 3};
		items[i].found = false;
	}
	ask(cache, commands, item_count, replies);
	for (size_t i = 0; i < item_count; i++) {
		tampered |= take_reply(cache, key, replies[i], &items[i]) ==
		    CACHE_TAMPERED;
		freeReplyObject(replies[i]);
	}
	if (tampered)
		note_tampered(cache, items[0].kind, key);
}

/* ---- storing ---- */

/* Writes the value, and the time that Redis is to keep it. False for what is
 * not to be stored. */
static bool
seal(struct cache *cache, const char *key, struct span payload,
    int64_t expires, struct buffer *value, char seconds[static 24])
{
	const int64_t now = clock_wall(cache->clock);
	int64_t ttl = expires > now ? expires - now : 0;

	if (ttl > LONGEST_TTL)
		ttl = LONGEST_TTL;
	snprintf(seconds, 24, "%lld", (long long)ttl);
	return ttl > 0 &&
	    cache_value_close(cache->key, key, payload, expires, value);
}

bool
cache_put(struct cache *cache, const char *kind, struct span name,
    struct span payload, int64_t expires)
{
	struct buffer value =
	    buffer_make(CACHE_VALUE_OVERHEAD + CACHE_PAYLOAD_LIMIT);
	char key[CACHE_KEY_SIZE], seconds[24];
	bool stored = false;

	if (cache_value_key(cache->key, kind, name, key) &&
	    seal(cache, key, payload, expires, &value, seconds)) {
		const struct span words[] = {span_string("SET"),
		    span_string(key), buffer_span(&value), span_string("EX"),
		    span_string(seconds)};

		stored = tell(cache, &(struct redis_command){words, 5}, 1);
	}
	if (stored)
		count(cache, &cache->counters.stored);
	buffer_free(&value);
	return stored;
}

bool
cache_push(struct cache *cache, const char *kind, struct span name,
    struct span payload, int64_t expires)
{
	struct buffer value =
	    buffer_make(CACHE_VALUE_OVERHEAD + CACHE_PAYLOAD_LIMIT);
	char key[CACHE_KEY_SIZE], seconds[24], last[24];
	bool stored = false;

	snprintf(last, sizeof(last), "%d", CACHE_LIST_LENGTH - 1);
	if (cache_value_key(cache->key, kind, name, key) &&
	    seal(cache, key, payload, expires, &value, seconds)) {
		const struct span push[] = {span_string("LPUSH"),
		    span_string(key), buffer_span(&value)};
		const struct span trim[] = {span_string("LTRIM"),
		    span_string(key), span_string("0"), span_string(last)};
		const struct span expire[] = {span_string("EXPIRE"),
		    span_string(key), span_string(seconds)};
		const struct redis_command commands[] = {{push, 3}, {trim, 4},
		    {expire, 3}};

		stored = tell(cache, commands, 3);
	}
	if (stored)
		count(cache, &cache->counters.stored);
	buffer_free(&value);
	return stored;
}

/* Whether Redis stored what was asked for by SET with NX. */
static bool
is_stored(const redisReply *reply)
{
	return reply != NULL && reply->type == REDIS_REPLY_STATUS;
}

void
cache_claim(struct cache *cache, struct span payload, int64_t expires,
    struct cache_item *item)
{
	struct buffer value =
	    buffer_make(CACHE_VALUE_OVERHEAD + CACHE_PAYLOAD_LIMIT);
	char key[CACHE_KEY_SIZE], seconds[24];

	item->found = false;
	item->expires = 0;
	if (cache_value_key(cache->key, item->kind, item->name, key) &&
	    seal(cache, key, payload, expires, &value, seconds)) {
		const struct span set[] = {span_string("SET"),
		    span_string(key), buffer_span(&value), span_string("EX"),
		    span_string(seconds), span_string("NX")};
		const struct span get[] = {span_string("GET"),
		    span_string(key)};
		const struct redis_command commands[] = {{set, 6}, {get, 2}};
		redisReply *replies[2];

		ask(cache, commands, 2, replies);
		if (is_stored(replies[0]))
			count(cache, &cache->counters.stored);
		take_one(cache, key, replies[1], item);
		freeReplyObject(replies[0]);
		freeReplyObject(replies[1]);
	}
	buffer_free(&value);
}

void
cache_delete(struct cache *cache, const char *kind, struct span name)
{
	char key[CACHE_KEY_SIZE];

	if (cache_value_key(cache->key, kind, name, key))
		delete_key(cache, key);
}

bool
cache_derive(struct cache *cache, const char *label,
    uint8_t out[static CACHE_SECRET])
{
	return cache_value_secret(cache->key, label, out);
}
