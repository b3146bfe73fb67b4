/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "base/log.h"
#include "cache/breaker.h"
#include "cache/redis.h"
#include "crypto/crypto.h"

enum {
	VERSION = 1,
	EXPIRY = 8,
	OVERHEAD = 1 + EXPIRY + CRYPTO_MAC,
	PAYLOAD_LIMIT = 1 << 20, /* larger ones are not worth the way */
	KIND_LIMIT = 32,
	NAME_LIMIT = 4096,
	KEY_SIZE = sizeof("dime:1::") + KIND_LIMIT + 2 * CRYPTO_MAC,
	LONGEST_TTL = 366 * 86400,
};

struct cache {
	struct redis *redis;
	const uint8_t *key;
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
	err = redis_new(settings, &cache->redis);
	if (err != 0) {
		free(cache);
		return err;
	}
	cache->key = settings->key;
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

/* ---- names and values ---- */

/*
 * The name under which Redis knows a thing: an HMAC over kind and name, which no
 * kind can be mistaken in since its length goes first. Names and values are told
 * apart by their first octet.
 */
static bool
make_key(struct cache *cache, const char *kind, struct span name,
    char out[static KEY_SIZE])
{
	struct buffer text = buffer_make(KIND_LIMIT + NAME_LIMIT + 8);
	uint8_t mac[CRYPTO_MAC];
	size_t length;

	buffer_u8(&text, 'n');
	buffer_u8(&text, (uint8_t)strlen(kind));
	buffer_append_string(&text, kind);
	buffer_append_span(&text, name);
	if (strlen(kind) > KIND_LIMIT || text.error != 0) {
		buffer_free(&text);
		return false;
	}
	crypto_mac(cache->key, buffer_span(&text), mac);
	buffer_free(&text);
	length = (size_t)snprintf(out, KEY_SIZE, "dime:1:%s:", kind);
	for (size_t i = 0; i < sizeof(mac); i++)
		length += (size_t)snprintf(out + length, KEY_SIZE - length,
		    "%02x", mac[i]);
	return true;
}

/* The MAC of a value, which also covers where it is kept. False without
 * memory. */
static bool
make_mac(struct cache *cache, const char *key, struct span value,
    uint8_t mac[static CRYPTO_MAC])
{
	struct buffer text = buffer_make(KEY_SIZE + value.length + 8);
	bool good;

	buffer_u8(&text, 'v');
	buffer_u8(&text, (uint8_t)strlen(key));
	buffer_append_string(&text, key);
	buffer_append_span(&text, value);
	good = text.error == 0;
	if (good)
		crypto_mac(cache->key, buffer_span(&text), mac);
	buffer_free(&text);
	return good;
}

enum verdict { GOOD, ODD, TAMPERED };

/* Takes a value apart; what Redis gives back is anybody's. */
static enum verdict
open_value(struct cache *cache, const char *key, struct span value,
    struct span *payload, int64_t *expires)
{
	struct cursor cursor;
	uint8_t mac[CRYPTO_MAC];
	uint64_t until;

	if (value.length < OVERHEAD ||
	    value.length > OVERHEAD + PAYLOAD_LIMIT)
		return TAMPERED;
	if (!make_mac(cache, key,
	    span_slice(value, 0, value.length - CRYPTO_MAC), mac))
		return ODD;
	if (!crypto_equal(mac, value.data + value.length - CRYPTO_MAC,
	    CRYPTO_MAC))
		return TAMPERED;
	cursor = cursor_start(value);
	if (cursor_u8(&cursor) != VERSION)
		return ODD;
	until = cursor_u64(&cursor);
	if (until > INT64_MAX || (int64_t)until <= clock_wall(cache->clock))
		return ODD;
	*expires = (int64_t)until;
	*payload = cursor_take(&cursor, value.length - OVERHEAD);
	return GOOD;
}

static bool
close_value(struct cache *cache, const char *key, struct span payload,
    int64_t expires, struct buffer *out)
{
	uint8_t mac[CRYPTO_MAC];

	buffer_u8(out, VERSION);
	buffer_u64(out, (uint64_t)expires);
	buffer_append_span(out, payload);
	if (out->error != 0 || !make_mac(cache, key, buffer_span(out), mac))
		return false;
	buffer_append(out, mac, sizeof(mac));
	return out->error == 0;
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

/* NULL for whatever reason; it has been counted. */
static redisReply *
ask(struct cache *cache, const struct span *words, size_t word_count)
{
	redisReply *reply = NULL;
	struct fault fault = {0};
	bool probe;
	int err;

	if (!breaker_allows(&cache->breaker, &probe)) {
		count(cache, &cache->counters.skipped);
		return NULL;
	}
	err = redis_ask(cache->redis, words, word_count, &reply, &fault);
	if (err == ERR_BUSY) {
		breaker_withdraw(&cache->breaker, probe);
		count(cache, &cache->counters.skipped);
		return NULL;
	}
	if (err != 0)
		count(cache, &cache->counters.errors);
	note_change(breaker_done(&cache->breaker, probe, err == 0),
	    fault_text(&fault, err));
	return reply;
}

static void
delete_key(struct cache *cache, const char *key)
{
	const struct span words[] = {span_string("DEL"), span_string(key)};

	freeReplyObject(ask(cache, words, 2));
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

bool
cache_get(struct cache *cache, const char *kind, struct span name,
    struct buffer *payload, int64_t *expires)
{
	enum verdict verdict = ODD;
	redisReply *reply = NULL;
	struct span words[2], content;
	char key[KEY_SIZE];

	*expires = 0;
	if (make_key(cache, kind, name, key)) {
		words[0] = span_string("GET");
		words[1] = span_string(key);
		reply = ask(cache, words, 2);
	}
	if (reply != NULL && reply->type == REDIS_REPLY_STRING)
		verdict = open_value(cache, key,
		    span_of(reply->str, reply->len), &content, expires);
	if (verdict == GOOD) {
		buffer_append_span(payload, content);
		if (payload->error != 0)
			verdict = ODD;
	}
	freeReplyObject(reply);
	if (verdict == TAMPERED)
		note_tampered(cache, kind, key);
	count(cache, verdict == GOOD ? &cache->counters.hits
	                             : &cache->counters.misses);
	return verdict == GOOD;
}

void
cache_put(struct cache *cache, const char *kind, struct span name,
    struct span payload, int64_t expires)
{
	int64_t now = clock_wall(cache->clock);
	int64_t ttl = expires > now ? expires - now : 0;
	struct buffer value = buffer_make(OVERHEAD + PAYLOAD_LIMIT);
	char key[KEY_SIZE], seconds[24];
	redisReply *reply;

	if (ttl > LONGEST_TTL)
		ttl = LONGEST_TTL;
	if (ttl > 0 && make_key(cache, kind, name, key) &&
	    close_value(cache, key, payload, expires, &value)) {
		snprintf(seconds, sizeof(seconds), "%lld", (long long)ttl);
		const struct span words[] = {span_string("SET"),
		    span_string(key), buffer_span(&value), span_string("EX"),
		    span_string(seconds)};

		reply = ask(cache, words, sizeof(words) / sizeof(words[0]));
		if (reply != NULL)
			count(cache, &cache->counters.stored);
		freeReplyObject(reply);
	}
	buffer_free(&value);
}

void
cache_delete(struct cache *cache, const char *kind, struct span name)
{
	char key[KEY_SIZE];

	if (make_key(cache, kind, name, key))
		delete_key(cache, key);
}
