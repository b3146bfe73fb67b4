/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/unit/unit_impostor.h"
#include "tests/unit/unit_redis.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "cache/cache.h"
#include "cache/sentinel.h"

enum { PATIENT = 5000, PAUSE = 5, ROUNDS = 4000 /* pauses, at most */ };

static const uint8_t site_key[32] = {1, 2, 3};

/* ---- what a sentinel says ---- */

#define LOCAL "$9\r\n127.0.0.1\r\n"

static void
replies_are_read_strictly(void **state)
{
	static const struct {
		const char *name, *text;
		bool greeted;
		enum sentinel_reply reply;
	} cases[] = {
	    {"IPv4", "*2\r\n" LOCAL "$4\r\n6379\r\n", false, SENTINEL_MASTER},
	    {"IPv6", "*2\r\n$3\r\n::1\r\n$5\r\n65535\r\n", false,
	     SENTINEL_MASTER},
	    {"greeted", "+OK\r\n*2\r\n" LOCAL "$1\r\n1\r\n", true,
	     SENTINEL_MASTER},
	    {"not known", "*-1\r\n", false, SENTINEL_UNKNOWN},
	    {"greeted, not known", "+OK\r\n*-1\r\n", true, SENTINEL_UNKNOWN},
	    {"nothing yet", "", false, SENTINEL_MORE},
	    {"greeting only", "+OK\r\n", true, SENTINEL_MORE},
	    {"count only", "*2\r\n", false, SENTINEL_MORE},
	    {"half a length", "*2\r\n$9", false, SENTINEL_MORE},
	    {"half an address", "*2\r\n$9\r\n127.0", false, SENTINEL_MORE},
	    {"no port", "*2\r\n" LOCAL, false, SENTINEL_MORE},
	    {"half a port", "*2\r\n" LOCAL "$4\r\n63", false, SENTINEL_MORE},
	    {"refused", "-ERR no\r\n", false, SENTINEL_ODD},
	    {"password refused", "-WRONGPASS no\r\n*-1\r\n", true,
	     SENTINEL_ODD},
	    {"a name", "*2\r\n$9\r\nlocalhost\r\n$4\r\n6379\r\n", false,
	     SENTINEL_ODD},
	    {"a path", "*2\r\n$9\r\n/run/r.so\r\n$4\r\n6379\r\n", false,
	     SENTINEL_ODD},
	    {"empty address", "*2\r\n$0\r\n\r\n$4\r\n6379\r\n", false,
	     SENTINEL_ODD},
	    {"wrong length", "*2\r\n$8\r\n127.0.0.1\r\n$4\r\n6379\r\n", false,
	     SENTINEL_ODD},
	    {"huge length", "*2\r\n$2147483647\r\n", false, SENTINEL_ODD},
	    {"negative length", "*2\r\n$-1\r\n", false, SENTINEL_ODD},
	    {"port 0", "*2\r\n" LOCAL "$1\r\n0\r\n", false, SENTINEL_ODD},
	    {"port too large", "*2\r\n" LOCAL "$5\r\n65536\r\n", false,
	     SENTINEL_ODD},
	    {"port with sign", "*2\r\n" LOCAL "$2\r\n+1\r\n", false,
	     SENTINEL_ODD},
	    {"three", "*3\r\n" LOCAL "$1\r\n1\r\n$1\r\n1\r\n", false,
	     SENTINEL_ODD},
	    {"two thousand million", "*2000000000\r\n", false, SENTINEL_ODD},
	    {"nested", "*2\r\n*2000000000\r\n", false, SENTINEL_ODD},
	    {"a string", "$9\r\n127.0.0.1\r\n", false, SENTINEL_ODD},
	};
	struct redis_endpoint place;

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		assert_int_equal(sentinel_read(span_string(cases[i].text),
		    cases[i].greeted, &place), cases[i].reply);
	}
	assert_int_equal(sentinel_read(span_string(cases[0].text), false,
	    &place), SENTINEL_MASTER);
	assert_int_equal(place.address.ss_family, AF_INET);
	assert_int_equal(((struct sockaddr_in *)&place.address)->sin_port,
	    htons(6379));
}

/* ---- a cache behind sentinels ---- */

struct world {
	struct unit_redis redis[2];
	struct cache *cache;
	struct cache_settings settings;
};

static int
set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (world == NULL)
		return -1;
	*state = world;
	for (size_t i = 0; i < COUNT(world->redis); i++) {
		unit_redis_prepare(&world->redis[i]);
		if (unit_redis_exists())
			unit_redis_start(&world->redis[i], "");
	}
	world->settings = (struct cache_settings){.master = "main",
	    .timeout = PATIENT, .key = site_key, .clock = &clock_system,
	    .connections = 4};
	return 0;
}

static int
tear_down(void **state)
{
	struct world *world = *state;

	cache_free(world->cache);
	for (size_t i = 0; i < COUNT(world->redis); i++)
		unit_redis_stop(&world->redis[i]);
	free(world);
	return 0;
}

static void
write_answer(char *out, size_t size, unsigned int port)
{
	char text[12];

	snprintf(text, sizeof(text), "%u", port);
	snprintf(out, size, "*2\r\n" LOCAL "$%zu\r\n%s\r\n", strlen(text),
	    text);
}

static void
write_place(char *out, size_t size, unsigned int port)
{
	snprintf(out, size, "127.0.0.1@%u", port);
}

static void
make_cache(struct world *world, const char *const *sentinels, size_t count)
{
	cache_free(world->cache);
	world->settings.sentinels = sentinels;
	world->settings.sentinel_count = count;
	assert_int_equal(cache_new(&world->settings, &world->cache), 0);
}

static bool
put(struct world *world, const char *name)
{
	return cache_put(world->cache, "sig", span_string(name),
	    span_string("value"), clock_wall(&clock_system) + 1000);
}

static bool
get(struct world *world, const char *name)
{
	struct buffer payload = buffer_make(100);
	int64_t expires;
	const bool found = cache_get(world->cache, "sig", span_string(name),
	    &payload, &expires);

	buffer_free(&payload);
	return found;
}

/* Sentinels are asked aside; until then nothing is kept. */
static void
put_at_last(struct world *world, const char *name)
{
	for (int i = 0; i < ROUNDS; i++) {
		if (put(world, name))
			return;
		poll(NULL, 0, PAUSE);
	}
	fail_msg("%s is not kept", name);
}

static int64_t
size_of(struct unit_redis *redis)
{
	redisReply *reply =
	    unit_redis_ask(redis, REDIS_REPLY_INTEGER, "DBSIZE");
	int64_t size = reply->integer;

	freeReplyObject(reply);
	return size;
}

/* What a sentinel says when one of the two, or the other, is the master. */
static char answers[2][64];

/* A sentinel names the first, and the cache keeps there what is put. */
static void
start_impostor(struct world *world, struct impostor *sentinel)
{
	static char place[32];
	static const char *const places[] = {place};

	for (size_t i = 0; i < COUNT(answers); i++)
		write_answer(answers[i], sizeof(answers[i]),
		    world->redis[i].port);
	sentinel->answer = answers[0];
	write_place(place, sizeof(place), impostor_start_tcp(sentinel));
	make_cache(world, places, 1);
	put_at_last(world, "a");
}

/* A master that was demoted says so when it is to write, and is left. */
static void
a_demoted_master_is_left(void **state)
{
	struct world *world = *state;
	struct impostor sentinel = {.hang_up = true};

	UNIT_REDIS_NEEDED(&world->redis[0]);
	start_impostor(world, &sentinel);
	assert_true(get(world, "a"));
	assert_int_equal(size_of(&world->redis[0]), 1);
	sentinel.answer = answers[1];
	unit_redis_do(&world->redis[0], "REPLICAOF 127.0.0.1 %u",
	    world->redis[1].port);
	assert_false(put(world, "b"));
	put_at_last(world, "b");
	assert_true(get(world, "b"));
	assert_true(size_of(&world->redis[1]) >= 1);
	impostor_end(&sentinel);
}

static void
a_dead_master_is_left(void **state)
{
	struct world *world = *state;
	struct impostor sentinel = {.hang_up = true};

	UNIT_REDIS_NEEDED(&world->redis[0]);
	start_impostor(world, &sentinel);
	sentinel.answer = answers[1];
	unit_redis_stop(&world->redis[0]);
	put_at_last(world, "b");
	assert_int_equal(size_of(&world->redis[1]), 1);
	impostor_end(&sentinel);
}

/* Of several the first that knows is believed: what is dead, hostile or knows
 * nothing is passed over. */
static void
one_good_sentinel_is_enough(void **state)
{
	static const char *const lies[] = {"*-1\r\n", "*2000000000\r\n",
	    "-ERR\r\n", "*2\r\n$9\r\nlocalhost\r\n$1\r\n1\r\n", "+OK\r\n",
	    "$200000\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", ""};
	struct world *world = *state;
	struct impostor bad[COUNT(lies)] = {0}, good = {.hang_up = true};
	char places[COUNT(lies) + 2][32], answer[64];
	const char *all[COUNT(lies) + 2];

	if (!unit_redis_exists())
		skip();
	for (size_t i = 0; i < COUNT(lies); i++) {
		bad[i].answer = lies[i];
		bad[i].hang_up = true;
		write_place(places[i], sizeof(places[i]),
		    impostor_start_tcp(&bad[i]));
	}
	write_place(places[COUNT(lies)], sizeof(places[0]), 1);
	write_answer(answer, sizeof(answer), world->redis[0].port);
	good.answer = answer;
	write_place(places[COUNT(lies) + 1], sizeof(places[0]),
	    impostor_start_tcp(&good));
	for (size_t i = 0; i < COUNT(all); i++)
		all[i] = places[i];
	make_cache(world, all, COUNT(all));
	put_at_last(world, "a");
	assert_int_equal(size_of(&world->redis[0]), 1);
	assert_true(bad[0].connections >= 1);
	for (size_t i = 0; i < COUNT(lies); i++)
		impostor_end(&bad[i]);
	impostor_end(&good);
}

static void
addresses_of_sentinels_are_checked(void **state)
{
	static const char *const wrong[] = {"", "@26379", "host@", "host@0",
	    "host@65536", "host@x"};
	struct world *world = *state;
	struct cache *cache;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		unit_case(wrong[i]);
		world->settings.sentinels = &wrong[i];
		world->settings.sentinel_count = 1;
		assert_int_equal(cache_new(&world->settings, &cache),
		    ERR_CONFIG);
		assert_null(cache);
	}
}

/* ---- a sentinel as it is ---- */

static pid_t
start_sentinel(struct world *world, unsigned int port)
{
	struct unit_redis *home = &world->redis[0];
	struct buffer text = buffer_make(1000);
	char path[100];
	pid_t pid;
	int null;

	snprintf(path, sizeof(path), "%s/sentinel.conf", home->directory);
	buffer_printf(&text,
	    "port %u\nbind 127.0.0.1\ndir %s\nrequirepass sesame\n"
	    "sentinel monitor main 127.0.0.1 %u 1\n"
	    "sentinel down-after-milliseconds main 300\n",
	    port, home->directory, home->port);
	assert_int_equal(file_write(path, buffer_span(&text), 0600, true,
	    NULL), 0);
	buffer_free(&text);
	pid = fork();
	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	null = open("/dev/null", O_RDWR);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, STDOUT_FILENO);
	execlp("redis-server", "redis-server", path, "--sentinel",
	    (char *)NULL);
	_exit(127);
}

/* Whether Sentinel says yes: it does when it has found the replica, which only
 * its master names, and seen that it follows. */
static bool
begins_fail_over(unsigned int port)
{
	redisContext *context = redisConnect("127.0.0.1", (int)port);
	redisReply *reply;
	bool good = false;

	if (context != NULL && context->err == 0) {
		freeReplyObject(redisCommand(context, "AUTH sesame"));
		reply = redisCommand(context, "SENTINEL FAILOVER main");
		good = reply != NULL && reply->type == REDIS_REPLY_STATUS;
		freeReplyObject(reply);
	}
	redisFree(context);
	return good;
}

static void
begin_fail_over(unsigned int port)
{
	bool good = false;

	for (int i = 0; i < ROUNDS && !good; i++) {
		good = begins_fail_over(port);
		if (!good)
			poll(NULL, 0, PAUSE);
	}
	assert_true(good);
}

/* Connections end when the role changes. */
static bool
has_role(const struct unit_redis *redis, const char *role)
{
	redisContext *context = redisConnectUnix(redis->socket);
	redisReply *reply;
	bool has;

	assert_non_null(context);
	reply = redisCommand(context, "ROLE");
	has = reply != NULL && reply->elements > 0 &&
	    strcmp(reply->element[0]->str, role) == 0;
	freeReplyObject(reply);
	redisFree(context);
	return has;
}

static void
wait_for_master(const struct unit_redis *redis)
{
	for (int i = 0; i < ROUNDS && !has_role(redis, "master"); i++)
		poll(NULL, 0, PAUSE);
	assert_true(has_role(redis, "master"));
}

static void
a_real_fail_over_is_followed(void **state)
{
	struct world *world = *state;
	struct impostor taken = {0};
	const unsigned int port = impostor_start_tcp(&taken);
	char place[32];
	const char *const places[] = {place};
	pid_t sentinel;

	impostor_end(&taken); /* only its port was wanted */
	if (!unit_redis_exists())
		skip();
	unit_redis_do(&world->redis[1], "REPLICAOF 127.0.0.1 %u",
	    world->redis[0].port);
	sentinel = start_sentinel(world, port);
	write_place(place, sizeof(place), port);
	world->settings.sentinel_password = "sesame";
	make_cache(world, places, 1);
	put_at_last(world, "a");
	begin_fail_over(port);
	wait_for_master(&world->redis[1]);
	unit_redis_stop(&world->redis[0]);
	put_at_last(world, "b");
	assert_true(get(world, "b"));
	assert_true(has_role(&world->redis[1], "master"));
	kill(sentinel, SIGKILL);
	waitpid(sentinel, NULL, 0);
}

#define SENTINEL_TEST(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(replies_are_read_strictly),
	    SENTINEL_TEST(a_demoted_master_is_left),
	    SENTINEL_TEST(a_dead_master_is_left),
	    SENTINEL_TEST(one_good_sentinel_is_enough),
	    SENTINEL_TEST(addresses_of_sentinels_are_checked),
	    SENTINEL_TEST(a_real_fail_over_is_followed),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
