/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/bench/caches.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "cache/cache.h"
#include "policy/domain.h"
#include "policy/suffix.h"
#include "policy/work.h"

/*
 * How fast the tiers of dime-policyd answer, and policyd itself.
 * tests/bench/README.md says how to read what this prints.
 *
 * usage: bench_caches POLICYD
 */

enum {
	MEMORY = 512 << 20,
	LOOKUPS = 200000,
	ROUND_TRIPS = 20000,
	PATIENT = 30000, /* milliseconds */
};

const uint8_t bench_key[32] = {1, 2, 3};

void
bench_name(size_t i, char out[static BENCH_NAME_SIZE])
{
	snprintf(out, BENCH_NAME_SIZE, "n%06zu.test", i);
}

bool
bench_has_record(size_t i)
{
	return i % 2 == 1;
}

static const char record_text[] =
    "pok=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo pol=mixed exp=30";

void
bench_payload(size_t i, struct buffer *out)
{
	const bool has = bench_has_record(i);

	buffer_u8(out, has ? DNS_PRESENT_SECURE : DNS_ABSENT_PROVEN);
	buffer_u8(out, has ? 1 : 0);
	buffer_u64(out, 0);
	if (has)
		buffer_append_string(out, record_text);
}

static size_t
any_name(void)
{
	return (size_t)random() % BENCH_NAMES;
}

/* ---- memory ---- */

/* What DNS says: the record, or that there is none, both proven. */
static void
answer(void *context, const char *name, enum dns_type type, dns_done *done,
    void *done_context)
{
	uint8_t octets[sizeof(record_text)];
	const struct span data = span_of(octets, sizeof(octets));
	const bool has = bench_has_record(
	    (size_t)strtoul(name + strlen("_dime.n"), NULL, 10));
	struct dns_reply *reply;

	octets[0] = sizeof(record_text) - 1;
	memcpy(octets + 1, record_text, sizeof(record_text) - 1);
	reply = dns_reply_copy(
	    has ? DNS_PRESENT_SECURE : DNS_ABSENT_PROVEN, &data, has);
	reply->ttl = 3600;
	reply->anchored = true;
	done(done_context, reply);
}

static int64_t
answered(void *context)
{
	return clock_monotonic(&clock_system);
}

static void
forget(void *context)
{
}

struct tier {
	struct memory *memory;
	struct state *state;
	struct work *work;
	struct suffixes *suffixes;
	struct domains *domains;
};

static void
start_tier(struct tier *tier, const char *directory)
{
	struct domains_settings settings = {
	    .dns = {NULL, answer, answered, forget},
	    .clock = &clock_system,
	};
	char path[200];

	snprintf(path, sizeof(path), "%s/state.db", directory);
	assert_int_equal(memory_new(MEMORY, &clock_system, &tier->memory), 0);
	assert_int_equal(state_open(path, 0600, &clock_system, &tier->state,
	    NULL), 0);
	assert_int_equal(work_new(4, &tier->work), 0);
	assert_int_equal(suffixes_new("", &tier->suffixes, NULL), 0);
	settings.memory = tier->memory;
	settings.state = tier->state;
	settings.work = tier->work;
	settings.suffixes = tier->suffixes;
	assert_int_equal(domains_new(&settings, &tier->domains), 0);
}

static void
end_tier(struct tier *tier)
{
	assert_true(domains_drain(tier->domains, deadline_in(PATIENT)));
	work_free(tier->work);
	domains_free(tier->domains);
	suffixes_free(tier->suffixes);
	memory_free(tier->memory);
	state_close(tier->state);
}

static void
find(struct tier *tier, size_t i, bool expected_hit)
{
	const struct domain_facts *facts;
	char name[BENCH_NAME_SIZE];
	bool hit;

	bench_name(i, name);
	assert_int_equal(domains_find(tier->domains, name,
	    deadline_in(PATIENT), &facts, &hit), 0);
	assert_true(hit || !expected_hit);
	assert_int_equal(facts->record.length > 0, bench_has_record(i));
	domain_release(facts);
}

static void
measure_memory(const char *directory)
{
	static double times[LOOKUPS];
	struct memory_counters counters;
	struct tier tier;
	size_t before, after;
	double start;

	start_tier(&tier, directory);
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	for (size_t i = 0; i < BENCH_NAMES; i++)
		find(&tier, i, false);
	after = mallinfo2().uordblks + mallinfo2().hblkhd;
	memory_count(tier.memory, &counters);
	for (size_t i = 0; i < LOOKUPS; i++) {
		const size_t number = any_name();

		start = bench_now();
		find(&tier, number, true);
		times[i] = bench_now() - start;
	}
	bench_print("names in memory", (double)counters.entries, "", "", true);
	bench_print("memory for a name, as it is counted",
	    (double)counters.octets / (double)counters.entries, "octets", "",
	    true);
	bench_print("memory for a name, as malloc() has it",
	    (double)(after - before) / (double)counters.entries, "octets", "",
	    true);
	start = bench_median(times, LOOKUPS);
	bench_print("lookup from memory, median", start, "us", "< 2",
	    start < 2);
	bench_print("lookup from memory, 99th percentile",
	    times[LOOKUPS / 100 * 99], "us", "", true);
	end_tier(&tier);
}

/* ---- Redis ---- */

static long
calls_of(struct unit_redis *redis, const char *command)
{
	redisReply *reply = redisCommand(redis->raw, "INFO commandstats");
	char wanted[64];
	const char *at;
	long calls = 0;

	assert_non_null(reply);
	snprintf(wanted, sizeof(wanted), "cmdstat_%s:calls=", command);
	at = strstr(reply->str, wanted);
	if (at != NULL)
		calls = strtol(at + strlen(wanted), NULL, 10);
	freeReplyObject(reply);
	return calls;
}

static void
fill_redis(struct cache *cache)
{
	struct buffer payload = buffer_make(1000);
	char name[BENCH_NAME_SIZE];

	for (size_t i = 0; i < BENCH_NAMES; i++) {
		bench_name(i, name);
		buffer_reset(&payload);
		bench_payload(i, &payload);
		assert_true(cache_put(cache, "r", span_string(name),
		    buffer_span(&payload),
		    clock_wall(&clock_system) + 80000));
	}
	buffer_free(&payload);
}

static double
time_get(struct cache *cache)
{
	struct buffer payload = buffer_make(1000);
	char name[BENCH_NAME_SIZE];
	double start;
	int64_t expires;
	bool found;

	bench_name(any_name(), name);
	start = bench_now();
	found = cache_get(cache, "r", span_string(name), &payload, &expires);
	start = bench_now() - start;
	assert_true(found);
	buffer_free(&payload);
	return start;
}

static double
time_ping(struct unit_redis *redis)
{
	const double start = bench_now();
	redisReply *reply = redisCommand(redis->raw, "PING");
	const double taken = bench_now() - start;

	assert_non_null(reply);
	freeReplyObject(reply);
	return taken;
}

static void
measure_redis(struct unit_redis *redis)
{
	static double gets[ROUND_TRIPS], pings[ROUND_TRIPS];
	const struct cache_settings settings = {.socket = redis->socket,
	    .timeout = PATIENT, .key = bench_key, .clock = &clock_system,
	    .connections = 4};
	struct cache *cache;
	double get, ping;
	long before;

	assert_int_equal(cache_new(&settings, &cache), 0);
	fill_redis(cache);
	before = calls_of(redis, "get");
	for (size_t i = 0; i < ROUND_TRIPS; i++) {
		pings[i] = time_ping(redis);
		gets[i] = time_get(cache);
	}
	bench_print("commands for a lookup from Redis",
	    (double)(calls_of(redis, "get") - before) / ROUND_TRIPS, "", "1",
	    calls_of(redis, "get") - before == ROUND_TRIPS);
	get = bench_median(gets, ROUND_TRIPS);
	ping = bench_median(pings, ROUND_TRIPS);
	bench_print("PING, median", ping, "us", "", true);
	bench_print("lookup from Redis, median", get, "us", "", true);
	bench_print("lookup from Redis, by PING", get / ping, "", "<= 1.3",
	    get / ping <= 1.3);
	cache_free(cache);
}

int
main(int count, char **arguments)
{
	static char directory[] = "/tmp/dimegate-bench-XXXXXX";
	struct unit_redis redis;

	if (count != 2) {
		fprintf(stderr, "usage: bench_caches POLICYD\n");
		return 64;
	}
	if (unit_start(NULL) != 0)
		return 1;
	log_open("bench", "stderr", LOG_ERR);
	unit_directory(directory);
	measure_memory(directory);
	if (unit_redis_exists()) {
		unit_redis_prepare(&redis);
		unit_redis_start(&redis, "");
		measure_redis(&redis);
		bench_policyd(arguments[1], &redis);
		unit_redis_stop(&redis);
	} else {
		printf("no redis-server: the rest is not measured\n");
	}
	unit_end(NULL);
	return 0;
}
