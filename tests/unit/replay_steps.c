/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/replay.h"

#include <stdio.h>

#include <sqlite3.h>

#include "cache/cache.h"
#include "policy/explain.h"
#include "policy/inquiry.h"
#include "policy/tend.h"

enum {
	PATIENT = 20000,   /* milliseconds: longer than anything takes */
	REDIS_TIME = 2000, /* likewise, of a Redis that answers */
	FROZEN_TIME = 20,
};

const uint8_t replay_cache_key[32] = {7, 7, 7};

/* ---- nodes ---- */

/* A frozen Redis is not waited for; one that answers is, however slow the
 * machine. */
static struct cache *
make_cache(const struct replay *replay)
{
	const struct cache_settings settings = {
	    .socket = replay->redis->socket,
	    .host = "",
	    .password = "",
	    .timeout = replay->frozen ? FROZEN_TIME : REDIS_TIME,
	    .key = replay_cache_key,
	    .clock = &world_clock,
	    .connections = 4,
	};
	struct cache *cache;

	assert_int_equal(cache_new(&settings, &cache), 0);
	return cache;
}

static void
name_state(const struct replay *replay, const struct replay_node *node,
    char *path, size_t size)
{
	snprintf(path, size, "%s/%s.db", replay->directory, node->name);
}

static void
start_node(struct replay *replay, struct replay_node *node)
{
	const struct dns_source dns = replay_dns_source(replay->dns);
	char state_path[300];
	struct world_parts parts = {
	    .settings = buffer_string(&replay->config),
	    .state_path = state_path,
	    .dns = &dns,
	    .sessions = true,
	};

	name_state(replay, node, state_path, sizeof(state_path));
	if (replay->with_redis)
		parts.cache = node->cache = make_cache(replay);
	node->world = world_of_parts(&parts);
}

void
replay_node_stop(struct replay_node *node)
{
	if (node->world != NULL)
		world_free(node->world);
	cache_free(node->cache);
	node->world = NULL;
	node->cache = NULL;
}

static struct replay_node *
find_node(struct replay *replay, const char *name)
{
	struct replay_node *node;

	for (size_t i = 0; i < replay->node_count; i++)
		if (strcmp(replay->nodes[i].name, name) == 0)
			return &replay->nodes[i];
	if (replay->node_count == REPLAY_NODES)
		replay_fail(replay, "too many nodes");
	node = &replay->nodes[replay->node_count++];
	snprintf(node->name, sizeof(node->name), "%s", name);
	return node;
}

struct replay_node *
replay_here(struct replay *replay)
{
	if (replay->here == NULL)
		replay->here = find_node(replay, "first");
	if (replay->here->world == NULL)
		start_node(replay, replay->here);
	return replay->here;
}

static void
do_node(struct replay *replay, const struct replay_step *step)
{
	replay->here = find_node(replay, replay_word(replay, step, 1));
}

static void
do_restart(struct replay *replay, const struct replay_step *step)
{
	replay_node_stop(replay_here(replay));
}

/* ---- settings and time ---- */

/* The rest of the line as it stands, quotes put back. */
static void
do_config(struct replay *replay, const struct replay_step *step)
{
	for (size_t i = 1; i < step->count; i++)
		buffer_printf(&replay->config,
		    step->words[i].quoted ? "\"%s\" " : "%s ",
		    replay_word(replay, step, i));
	buffer_append_string(&replay->config, "\n");
	if (replay->here != NULL && replay->here->world != NULL)
		replay_node_stop(replay->here);
}

static void
do_advance(struct replay *replay, const struct replay_step *step)
{
	world_pass(replay_here(replay)->world,
	    replay_seconds(replay, replay_word(replay, step, 1)));
}

static void
do_rewind(struct replay *replay, const struct replay_step *step)
{
	world_pass(replay_here(replay)->world,
	    -replay_seconds(replay, replay_word(replay, step, 1)));
}

/* ---- DNS and peers ---- */

static void
do_dns(struct replay *replay, const struct replay_step *step)
{
	replay_dns_set(replay, step, false);
}

static void
do_dns_add(struct replay *replay, const struct replay_step *step)
{
	replay_dns_set(replay, step, true);
}

static void
do_network(struct replay *replay, const struct replay_step *step)
{
	static const char *const names[] = {[REPLAY_UP] = "up",
	    [REPLAY_DOWN] = "down", [REPLAY_SILENT] = "silent"};
	const char *name = replay_word(replay, step, 1);

	for (size_t i = 0; i < COUNT(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			replay_dns_network(replay->dns,
			    (enum replay_network)i);
			return;
		}
	}
	replay_fail(replay, "network: up, down or silent");
}

/* ---- what a node does by itself ---- */

static void
do_tend(struct replay *replay, const struct replay_step *step)
{
	struct policyd *policyd = &replay_here(replay)->world->policyd;

	for (int i = 0; i < TEND_ROUNDS; i++)
		tend(policyd);
	if (!replay_dns_is_waiting(replay->dns))
		assert_true(domains_drain(policyd->domains,
		    deadline_in(PATIENT)));
	assert_true(signets_drain(policyd->signets, deadline_in(PATIENT)));
}

/* ---- what is written to state.db ---- */

/* `state broken|whole|full|empty`: whether pins can be read, and be written. */
static void
do_state(struct replay *replay, const struct replay_step *step)
{
	static const struct {
		const char *name, *sql;
	} ways[] = {
	    {"broken", "ALTER TABLE pin RENAME TO pin_gone"},
	    {"whole", "ALTER TABLE pin_gone RENAME TO pin"},
	    {"full", "CREATE TRIGGER full BEFORE INSERT ON pin"
		     " BEGIN SELECT raise(ABORT, 'full'); END"},
	    {"empty", "DROP TRIGGER full"},
	};
	const char *name = replay_word(replay, step, 1);
	char path[300];
	sqlite3 *sqlite;
	size_t i = 0;

	while (i < COUNT(ways) && strcmp(ways[i].name, name) != 0)
		i++;
	if (i == COUNT(ways))
		replay_fail(replay, "state: broken, whole, full or empty");
	name_state(replay, replay_here(replay), path, sizeof(path));
	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sqlite, ways[i].sql, NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(sqlite);
}

/* As a node does now and then. */
static void
do_expire(struct replay *replay, const struct replay_step *step)
{
	assert_int_equal(
	    state_expire(replay_here(replay)->world->policyd.state), 0);
}

/* `pin DOMAIN secure|insecure TIME "TEXT"` */
static void
do_pin(struct replay *replay, const struct replay_step *step)
{
	struct world *world = replay_here(replay)->world;
	const char *how = replay_word(replay, step, 2);

	assert_int_equal(state_set_pin(world->policyd.state,
	                     replay_word(replay, step, 1),
	                     world_now(world) + replay_seconds(replay,
	                         replay_word(replay, step, 3)),
	                     strcmp(how, "secure") == 0,
	                     span_string(replay_word(replay, step, 4))), 0);
}

/* ---- questions ---- */

/* `wait=N` of a step, in milliseconds. */
static int64_t
wait_of(const struct replay *replay, const struct replay_step *step)
{
	for (size_t i = 1; i < step->count; i++) {
		const char *word = replay_word(replay, step, i);

		if (strncmp(word, "wait=", 5) == 0)
			return replay_number(replay, word + 5);
	}
	return PATIENT;
}

/* A word that may be there, or "". */
static const char *
option_of(struct replay *replay, const struct replay_step *step, size_t at)
{
	return step->count > at &&
	        strncmp(replay_word(replay, step, at), "wait=", 5) != 0
	    ? replay_word(replay, step, at)
	    : "";
}

typedef void inquiry(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer);

/* `two`: from and to; otherwise a name and perhaps a fingerprint. */
static void
inquire(struct replay *replay, const struct replay_step *step, inquiry *ask,
    bool two)
{
	const char *first = replay_word(replay, step, 1);
	struct facts_answer answer;

	answer = world_ask(replay_here(replay)->world, ask,
	    two ? first : "", two ? replay_word(replay, step, 2) : first,
	    two ? "" : option_of(replay, step, 2), wait_of(replay, step));
	replay_expect_answer(replay, step, &answer);
	facts_answer_free(&answer);
}

static void
do_decide(struct replay *replay, const struct replay_step *step)
{
	inquire(replay, step, decide_outbound, true);
}

static void
do_inbound(struct replay *replay, const struct replay_step *step)
{
	inquire(replay, step, decide_inbound, true);
}

static void
do_explain(struct replay *replay, const struct replay_step *step)
{
	inquire(replay, step, explain_answer, true);
}

static void
do_met(struct replay *replay, const struct replay_step *step)
{
	const struct facts_request request = {
	    .from = replay_word(replay, step, 1),
	    .to = replay_word(replay, step, 2),
	    .fingerprint = "",
	    .outcome = replay_word(replay, step, 3)};
	struct facts_answer answer;

	facts_answer_init(&answer);
	explain_met(&replay_here(replay)->world->policyd, &request, &answer);
	replay_expect_answer(replay, step, &answer);
	facts_answer_free(&answer);
}

static void
do_resolve(struct replay *replay, const struct replay_step *step)
{
	const struct facts_request request = {
	    .from = "",
	    .to = replay_word(replay, step, 1),
	    .fingerprint = option_of(replay, step, 2),
	    .org_fingerprint = option_of(replay, step, 3),
	    .wait = wait_of(replay, step)};
	struct facts_answer answer;

	facts_answer_init(&answer);
	inquiry_signet(&replay_here(replay)->world->policyd, &request, &answer);
	replay_expect_answer(replay, step, &answer);
	facts_answer_free(&answer);
}

static void
do_hosts(struct replay *replay, const struct replay_step *step)
{
	inquire(replay, step, inquiry_hosts, false);
}

static void
do_addresses(struct replay *replay, const struct replay_step *step)
{
	inquire(replay, step, inquiry_addresses, false);
}

static void
do_stale(struct replay *replay, const struct replay_step *step)
{
	inquire(replay, step, inquiry_stale, false);
}

static void
do_note(struct replay *replay, const struct replay_step *step)
{
	inquire(replay, step, inquiry_note_naked, true);
}

static void
do_forget(struct replay *replay, const struct replay_step *step)
{
	inquire(replay, step, inquiry_forget, false);
}

static void
do_status(struct replay *replay, const struct replay_step *step)
{
	struct facts_answer answer = world_ask(replay_here(replay)->world,
	    inquiry_status, "", "", "", PATIENT);

	replay_expect_lines(replay, step, buffer_span(&answer.text));
	facts_answer_free(&answer);
}

/*
 * What Postfix is told. A cold name may take longer than Postfix waits on a
 * slow machine, so that it is asked again when what is in the air has landed;
 * `map-now` is the first answer.
 */
static void
do_map(struct replay *replay, const struct replay_step *step)
{
	struct world *world = replay_here(replay)->world;
	const char *map = replay_word(replay, step, 1);
	const char *key = replay_word(replay, step, 2);

	if (strcmp(replay_word(replay, step, 0), "map") == 0) {
		world_map(world, map, key);
		if (!replay_dns_is_waiting(replay->dns))
			assert_true(domains_drain(world->policyd.domains,
			    deadline_in(PATIENT)));
	}
	replay_expect_words(replay, step,
	    span_string(world_map(world, map, key)));
}

/* ---- what was asked, heard and logged ---- */

static void
do_asked(struct replay *replay, const struct replay_step *step)
{
	struct buffer names = buffer_make(1 << 20);

	replay_dns_asked(replay->dns, &names);
	replay_expect_words(replay, step, buffer_span(&names));
	buffer_free(&names);
}

static void
do_heard(struct replay *replay, const struct replay_step *step)
{
	struct buffer commands = buffer_make(1 << 20);

	replay_peers_heard(replay, replay_word(replay, step, 1), &commands);
	replay_expect_words(replay, step, buffer_span(&commands));
	buffer_free(&commands);
}

static void
do_sessions(struct replay *replay, const struct replay_step *step)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", replay_peers_sessions(replay,
	    replay_word(replay, step, 1)));
	replay_expect_words(replay, step, span_string(number));
}

static void
do_responder_asked(struct replay *replay, const struct replay_step *step)
{
	char number[16];

	snprintf(number, sizeof(number), "%d",
	    replay_responder_asked(replay));
	replay_expect_words(replay, step, span_string(number));
}

static void
do_logged(struct replay *replay, const struct replay_step *step)
{
	replay_expect_logged(replay, step, false);
}

static void
do_not_logged(struct replay *replay, const struct replay_step *step)
{
	replay_expect_logged(replay, step, true);
}

static const struct {
	const char *name;
	void (*run)(struct replay *replay, const struct replay_step *step);
} verbs[] = {
    {"config", do_config},
    {"dns", do_dns},
    {"dns+", do_dns_add},
    {"network", do_network},
    {"peer", replay_peers_set},
    {"responder", replay_responder_set},
    {"responder-asked", do_responder_asked},
    {"redis", replay_redis_set},
    {"pin", do_pin},
    {"node", do_node},
    {"restart", do_restart},
    {"advance", do_advance},
    {"rewind", do_rewind},
    {"state", do_state},
    {"expire", do_expire},
    {"tend", do_tend},
    {"decide", do_decide},
    {"inbound", do_inbound},
    {"explain", do_explain},
    {"met", do_met},
    {"resolve", do_resolve},
    {"hosts", do_hosts},
    {"addresses", do_addresses},
    {"stale", do_stale},
    {"note-naked", do_note},
    {"forget", do_forget},
    {"status", do_status},
    {"map", do_map},
    {"map-now", do_map},
    {"asked", do_asked},
    {"heard", do_heard},
    {"sessions", do_sessions},
    {"logged", do_logged},
    {"not-logged", do_not_logged},
};

void
replay_do(struct replay *replay, const struct replay_step *step)
{
	const char *name = replay_word(replay, step, 0);
	const int here = replay->line;

	replay->line = step->line;
	for (size_t i = 0; i < COUNT(verbs); i++) {
		if (strcmp(verbs[i].name, name) == 0) {
			verbs[i].run(replay, step);
			replay->line = here;
			return;
		}
	}
	replay_fail(replay, "%s: no such step", name);
}
