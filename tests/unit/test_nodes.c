/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/unit/unit_redis.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "crypto/base64.h"
#include "policy/claim.h"
#include "policy/spread.h"

/*
 * What the dime-policyds of a site tell each other for their dmtpds: two of
 * them with one Redis, in which somebody else may be as well.
 */

enum { START = 1700000000, PATIENT = 5000, HASTY = 50, DAY = 86400 };

#define HALF "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define MESSAGE HALF "A" HALF "A"
#define OTHER HALF "A" HALF "Q"
#define BOB "bob@beta.test"
#define CAROL "carol@beta.test"

static int64_t wall;

static int64_t
read_wall(const struct clock *clock)
{
	return wall;
}

static const struct clock moved_clock = {read_wall, read_wall};
static const uint8_t site_key[32] = {1, 2, 3}, other_key[32] = {4, 5, 6};

struct world {
	struct unit_redis redis;
	struct policyd nodes[2];
	struct policyd stranger; /* another site's */
};

static uint8_t named; /* nodes, so far */

static void
start_node(struct world *world, struct policyd *node, const uint8_t *key,
    unsigned int timeout)
{
	const struct cache_settings settings = {.socket = world->redis.socket,
	    .host = "", .password = "", .timeout = timeout, .key = key,
	    .clock = &moved_clock, .connections = 4};

	cache_free(node->cache);
	*node = (struct policyd){.clock = &moved_clock};
	assert_int_equal(cache_new(&settings, &node->cache), 0);
	node->self.octets[0] = ++named;
}

static int
set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (world == NULL)
		return -1;
	*state = world;
	wall = START;
	unit_redis_prepare(&world->redis);
	if (unit_redis_exists())
		unit_redis_start(&world->redis, "");
	for (size_t i = 0; i < COUNT(world->nodes); i++)
		start_node(world, &world->nodes[i], site_key, PATIENT);
	start_node(world, &world->stranger, other_key, PATIENT);
	return 0;
}

static int
tear_down(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < COUNT(world->nodes); i++)
		cache_free(world->nodes[i].cache);
	cache_free(world->stranger.cache);
	if (world->redis.pid != 0)
		kill(world->redis.pid, SIGCONT);
	unit_redis_stop(&world->redis);
	free(world);
	return 0;
}

/* ---- asking ---- */

typedef void inquiry(struct policyd *, const struct facts_request *,
    struct facts_answer *);

static int
ask(struct policyd *node, inquiry *what, const char *message,
    const char *recipient)
{
	const struct facts_request request = {.from = "", .to = recipient,
	    .fingerprint = "", .message = message};
	struct facts_answer answer;
	int err;

	facts_answer_init(&answer);
	what(node, &request, &answer);
	err = answer.err;
	assert_int_equal(err != 0, answer.reason[0] != '\0');
	facts_answer_free(&answer);
	return err;
}

static int
claim(struct policyd *node, const char *message, const char *recipient)
{
	return ask(node, claim_take, message, recipient);
}

static uint64_t
tampered(struct policyd *node)
{
	struct cache_counters counters;

	cache_count(node->cache, &counters);
	return counters.tampered;
}

/* ---- a message is delivered once ---- */

static void
one_node_delivers(void **state)
{
	struct world *world = *state;
	struct policyd *first = &world->nodes[0], *second = &world->nodes[1];

	UNIT_REDIS_NEEDED(&world->redis);
	assert_int_equal(claim(first, MESSAGE, BOB), 0);
	assert_int_equal(claim(second, MESSAGE, BOB), ERR_BUSY);
	/* Another recipient, message or site has nothing to do with it. */
	assert_int_equal(claim(second, MESSAGE, CAROL), 0);
	assert_int_equal(claim(second, OTHER, BOB), 0);
	assert_int_equal(claim(&world->stranger, MESSAGE, BOB), 0);
	assert_int_equal(ask(first, claim_delivered, MESSAGE, BOB), 0);
	assert_int_equal(claim(second, MESSAGE, "Bob@BETA.test"), ERR_EXISTS);
	assert_int_equal(claim(first, MESSAGE, BOB), ERR_EXISTS);
	/* Who did not claim it gives nothing back. */
	assert_int_equal(ask(second, claim_release, MESSAGE, BOB), 0);
	assert_int_equal(claim(second, MESSAGE, BOB), ERR_EXISTS);
	wall += 30 * DAY - 1;
	assert_int_equal(claim(second, MESSAGE, BOB), ERR_EXISTS);
	wall += 1;
	assert_int_equal(claim(second, MESSAGE, BOB), 0);
	assert_int_equal(second->statistics.claims_delivered, 3);
	assert_int_equal(second->statistics.claims_held, 1);
}

static void
a_claim_ends(void **state)
{
	struct world *world = *state;
	struct policyd *first = &world->nodes[0], *second = &world->nodes[1];

	UNIT_REDIS_NEEDED(&world->redis);
	assert_int_equal(claim(first, MESSAGE, BOB), 0);
	assert_int_equal(ask(second, claim_release, MESSAGE, BOB), 0);
	assert_int_equal(claim(second, MESSAGE, BOB), ERR_BUSY);
	assert_int_equal(ask(first, claim_release, MESSAGE, BOB), 0);
	assert_int_equal(claim(second, MESSAGE, BOB), 0);
	/* A node that dies keeps it from the others for eight minutes, and not
	 * from itself: then it has them anew. */
	wall += 479;
	assert_int_equal(claim(first, MESSAGE, BOB), ERR_BUSY);
	assert_int_equal(claim(second, MESSAGE, BOB), 0);
	wall += 479;
	assert_int_equal(claim(first, MESSAGE, BOB), ERR_BUSY);
	wall += 1;
	assert_int_equal(claim(first, MESSAGE, BOB), 0);
}

/* One that was made by a clock ahead would last too long. */
static void
a_claim_of_the_future_does_not_count(void **state)
{
	struct world *world = *state;

	UNIT_REDIS_NEEDED(&world->redis);
	wall = START + DAY;
	assert_int_equal(claim(&world->nodes[0], MESSAGE, BOB), 0);
	wall = START;
	assert_int_equal(claim(&world->nodes[1], MESSAGE, BOB), 0);
}

static void
redis_learns_nothing_of_a_message(void **state)
{
	struct world *world = *state;
	redisReply *value;
	char *key;

	UNIT_REDIS_NEEDED(&world->redis);
	claim(&world->nodes[0], MESSAGE, BOB);
	ask(&world->nodes[0], claim_delivered, MESSAGE, BOB);
	key = unit_redis_only_key(&world->redis);
	assert_int_equal(strlen(key), strlen("dime:1:m:") + 64);
	assert_null(strstr(key, "beta"));
	value = unit_redis_ask(&world->redis, 0, "GET %s", key);
	/* Version, expiry, what is said, and the MAC. */
	assert_int_equal(value->len, 1 + 8 + 1 + 32);
	freeReplyObject(value);
	value = unit_redis_ask(&world->redis, 0, "TTL %s", key);
	assert_in_range(value->integer, 30 * DAY - 60, 30 * DAY);
	freeReplyObject(value);
	free(key);
}

static void
put_garbage(struct world *world, const char *key, const char *delivered)
{
	unit_redis_do(&world->redis, "SET %s garbage", key);
}

static void
put_another_message(struct world *world, const char *key,
    const char *delivered)
{
	unit_redis_do(&world->redis, "COPY %s %s REPLACE", delivered, key);
}

static void
put_flipped(struct world *world, const char *key, const char *delivered)
{
	/* A claim as a delivery. */
	unit_redis_do(&world->redis, "SETRANGE %s 9 %b", key, "\2", (size_t)1);
}

static void
put_later(struct world *world, const char *key, const char *delivered)
{
	unit_redis_do(&world->redis, "SETRANGE %s 1 %b", key, "\1", (size_t)1);
}

static void
put_list(struct world *world, const char *key, const char *delivered)
{
	unit_redis_do(&world->redis, "DEL %s", key);
	unit_redis_do(&world->redis, "LPUSH %s x", key);
}

static void
put_nothing(struct world *world, const char *key, const char *delivered)
{
	unit_redis_do(&world->redis, "DEL %s", key);
}

/* Whoever is in Redis can have a message delivered twice, and never have one
 * taken for delivered that was not. */
static void
nobody_forges_a_delivery(void **state)
{
	static const struct {
		const char *name;
		void (*put)(struct world *, const char *, const char *);
		uint64_t tampered;
	} cases[] = {
	    {"garbage", put_garbage, 1},
	    {"another message's", put_another_message, 1},
	    {"a claim made a delivery", put_flipped, 1},
	    {"a claim that lasts", put_later, 1},
	    {"a list", put_list, 0},
	    {"nothing", put_nothing, 0},
	};
	struct world *world = *state;

	UNIT_REDIS_NEEDED(&world->redis);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policyd *second = &world->nodes[1];
		char *key, *delivered;

		unit_case(cases[i].name);
		start_node(world, second, site_key, PATIENT);
		unit_redis_do(&world->redis, "FLUSHALL");
		assert_int_equal(claim(&world->nodes[0], MESSAGE, BOB), 0);
		key = unit_redis_only_key(&world->redis);
		unit_redis_do(&world->redis, "RENAME %s kept", key);
		ask(&world->nodes[0], claim_delivered, OTHER, BOB);
		delivered = unit_redis_only_key(&world->redis);
		unit_redis_do(&world->redis, "RENAME kept %s", key);
		cases[i].put(world, key, delivered);
		assert_int_equal(claim(second, MESSAGE, BOB), 0);
		assert_int_equal(tampered(second), cases[i].tampered);
		free(key);
		free(delivered);
	}
}

/* What was true may be shown again for as long as it was to last. */
static void
an_old_claim_delays(void **state)
{
	struct world *world = *state;
	struct policyd *first = &world->nodes[0], *second = &world->nodes[1];
	char *key;

	UNIT_REDIS_NEEDED(&world->redis);
	assert_int_equal(claim(first, MESSAGE, BOB), 0);
	key = unit_redis_only_key(&world->redis);
	unit_redis_do(&world->redis, "COPY %s kept", key);
	ask(first, claim_delivered, MESSAGE, BOB);
	assert_int_equal(claim(second, MESSAGE, BOB), ERR_EXISTS);
	unit_redis_do(&world->redis, "COPY kept %s REPLACE", key);
	assert_int_equal(claim(second, MESSAGE, BOB), ERR_BUSY);
	wall += 480;
	assert_int_equal(claim(second, MESSAGE, BOB), 0);
	free(key);
}

static void
without_redis_nobody_waits(void **state)
{
	struct world *world = *state;
	struct policyd alone = {.clock = &moved_clock};

	assert_int_equal(claim(&alone, MESSAGE, BOB), 0);
	assert_int_equal(ask(&alone, claim_delivered, MESSAGE, BOB), 0);
	assert_int_equal(ask(&alone, claim_release, MESSAGE, BOB), 0);
	UNIT_REDIS_NEEDED(&world->redis);
	start_node(world, &world->nodes[0], site_key, HASTY);
	kill(world->redis.pid, SIGSTOP);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(claim(&world->nodes[0], MESSAGE, BOB), 0);
		assert_int_equal(ask(&world->nodes[0], claim_delivered, MESSAGE,
		    BOB), ERR_UNREACHABLE);
		assert_int_equal(ask(&world->nodes[0], claim_release, MESSAGE,
		    BOB), 0);
	}
	kill(world->redis.pid, SIGCONT);
	unit_redis_stop(&world->redis);
	assert_int_equal(claim(&world->nodes[1], MESSAGE, BOB), 0);
	assert_int_equal(ask(&world->nodes[1], claim_delivered, MESSAGE, BOB),
	    ERR_UNREACHABLE);
}

static void
what_is_no_message(void **state)
{
	static const struct {
		const char *message, *recipient;
	} cases[] = {
	    {"", BOB},
	    {"short", BOB},
	    {MESSAGE "A", BOB},
	    {HALF "A" HALF " ", BOB},
	    {MESSAGE, ""},
	    {MESSAGE, "beta.test"},
	    {MESSAGE, "bob@"},
	};
	struct world *world = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].recipient);
		assert_int_equal(claim(&world->nodes[0], cases[i].message,
		    cases[i].recipient), ERR_USAGE);
		assert_int_equal(ask(&world->nodes[0], claim_delivered,
		    cases[i].message, cases[i].recipient), ERR_USAGE);
		assert_int_equal(ask(&world->nodes[0], claim_release,
		    cases[i].message, cases[i].recipient), ERR_USAGE);
	}
}

/* ---- counts ---- */

/* Tells `counts` and hears what came behind `since`: the values, each with a
 * '.', are in `heard`. */
static char heard[8192];
static uint8_t secret[CACHE_SECRET];

static int
tell(struct policyd *node, const char *counts, const char *since)
{
	char told[BASE64_LENGTH(1000) + 1], mark[BASE64_LENGTH(1000) + 1];
	const struct facts_request request = {.from = "", .to = "",
	    .fingerprint = "", .counts = told, .since = mark};
	struct facts_answer answer;
	struct cursor cursor;
	int err;

	base64_encode(span_string(counts), told);
	base64_encode(span_string(since), mark);
	facts_answer_init(&answer);
	spread_answer(node, &request, &answer);
	err = answer.err;
	heard[0] = '\0';
	cursor = cursor_start(buffer_span(&answer.text));
	while (cursor.rest.length > 0) {
		const struct span text =
		    cursor_take(&cursor, cursor_u32(&cursor));
		const size_t length = strlen(heard);

		assert_false(cursor.failed);
		snprintf(heard + length, sizeof(heard) - length, "%.*s.",
		    (int)text.length, (const char *)text.data);
	}
	assert_int_equal(answer.key.length, err == 0 ? CACHE_SECRET : 0);
	if (err == 0)
		memcpy(secret, answer.key.data, sizeof(secret));
	facts_answer_free(&answer);
	return err;
}

static void
counts_come_in_order(void **state)
{
	struct world *world = *state;
	struct policyd *first = &world->nodes[0], *second = &world->nodes[1];
	uint8_t common[CACHE_SECRET];

	UNIT_REDIS_NEEDED(&world->redis);
	assert_int_equal(tell(first, "", ""), 0);
	assert_string_equal(heard, "");
	memcpy(common, secret, sizeof(common));
	assert_int_equal(tell(first, "a1 x", ""), 0);
	assert_string_equal(heard, "a1 x.");
	assert_int_equal(tell(second, "b1 y", ""), 0);
	assert_string_equal(heard, "a1 x.b1 y.");
	assert_memory_equal(common, secret, sizeof(secret));
	assert_int_equal(tell(first, "a2 z", "a1"), 0);
	assert_string_equal(heard, "b1 y.a2 z.");
	assert_int_equal(tell(first, "", "a2"), 0);
	assert_string_equal(heard, "");
	/* A mark that is gone: all that there is. */
	assert_int_equal(tell(second, "", "c9"), 0);
	assert_string_equal(heard, "a1 x.b1 y.a2 z.");
	assert_int_equal(tell(&world->stranger, "", ""), 0);
	assert_string_equal(heard, "");
	assert_memory_not_equal(common, secret, sizeof(secret));
	assert_int_equal(first->statistics.tallies_told, 2);
	assert_int_equal(first->statistics.tallies_heard, 3);
	/* They matter for a minute. */
	wall += 60;
	assert_int_equal(tell(second, "", ""), 0);
	assert_string_equal(heard, "");
}

static void
many_counts(void **state)
{
	struct world *world = *state;
	char text[20];
	size_t values = 0;

	UNIT_REDIS_NEEDED(&world->redis);
	for (int i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "%04d", i);
		assert_int_equal(tell(&world->nodes[0], text, text), 0);
		assert_string_equal(heard, "");
	}
	assert_int_equal(tell(&world->nodes[1], "", "0199"), 0);
	assert_int_equal(strlen(heard), 100 * 5);
	assert_int_equal(strncmp(heard, "0200.0201.", 10), 0);
	assert_int_equal(tell(&world->nodes[1], "", ""), 0);
	for (const char *at = heard; (at = strchr(at, '.')) != NULL; at++)
		values++;
	assert_int_equal(values, CACHE_LIST_LENGTH);
	assert_int_equal(strncmp(heard, "0044.0045.", 10), 0);
}

static void
nobody_forges_counts(void **state)
{
	struct world *world = *state;
	char *key;

	UNIT_REDIS_NEEDED(&world->redis);
	assert_int_equal(tell(&world->nodes[0], "a1", ""), 0);
	key = unit_redis_only_key(&world->redis);
	unit_redis_do(&world->redis, "LPUSH %s forged", key);
	assert_int_equal(tell(&world->nodes[1], "", ""), 0);
	assert_string_equal(heard, "a1.");
	assert_int_equal(tampered(&world->nodes[1]), 1);
	unit_redis_do(&world->redis, "SET %s forged", key);
	assert_int_equal(tell(&world->nodes[1], "", ""), 0);
	assert_string_equal(heard, "");
	assert_int_equal(tell(&world->nodes[0], "a2", ""), ERR_UNREACHABLE);
	free(key);
}

static void
counts_without_redis(void **state)
{
	struct world *world = *state;
	struct policyd alone = {.clock = &moved_clock};
	const struct facts_request bad = {.from = "", .to = "",
	    .fingerprint = "", .counts = "!", .since = ""};
	struct facts_answer answer;

	assert_int_equal(tell(&alone, "a1", ""), ERR_UNREACHABLE);
	facts_answer_init(&answer);
	spread_answer(&world->nodes[0], &bad, &answer);
	assert_int_equal(answer.err, ERR_USAGE);
	facts_answer_free(&answer);
	UNIT_REDIS_NEEDED(&world->redis);
	start_node(world, &world->nodes[0], site_key, HASTY);
	kill(world->redis.pid, SIGSTOP);
	for (int i = 0; i < 20; i++)
		assert_int_equal(tell(&world->nodes[0], "a1", ""),
		    ERR_UNREACHABLE);
	kill(world->redis.pid, SIGCONT);
}

#define NODES_TEST(test)                                                       \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    NODES_TEST(one_node_delivers),
	    NODES_TEST(a_claim_ends),
	    NODES_TEST(a_claim_of_the_future_does_not_count),
	    NODES_TEST(redis_learns_nothing_of_a_message),
	    NODES_TEST(nobody_forges_a_delivery),
	    NODES_TEST(an_old_claim_delays),
	    NODES_TEST(without_redis_nobody_waits),
	    NODES_TEST(what_is_no_message),
	    NODES_TEST(counts_come_in_order),
	    NODES_TEST(many_counts),
	    NODES_TEST(nobody_forges_counts),
	    NODES_TEST(counts_without_redis),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
