/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/policy_world.h"
#include "tests/unit/unit_redis.h"

#include <stdio.h>

#include "base/log.h"
#include "cache/cache.h"
#include "policy/decide.h"

/*
 * The property that all of policyd is there for: whatever goes wrong, mail is
 * naked only on a validated absence, or on the peer's confirmed 476 where the
 * table allows it; and then it is. Every combination of what DNS says, what is
 * pinned, what Redis holds, what the peer does, whose record it is, the site's
 * rule and the policies of both sides.
 */

enum pin_state { NO_PIN, SECURE_PIN, INSECURE_PIN, PIN_STATES };

enum redis_state {
	NO_REDIS, /* or one that is down */
	HOLDS_NOTHING,
	HOLDS_ABSENCE,
	HOLDS_ABSENCE_AND_PIN,
	HOLDS_RECORD,
	HOLDS_FORGERY,
	REDIS_STATES
};

enum rule_state {
	NO_RULE,
	REQUIRED,  /* never naked */
	OFF,       /* never sealed */
	REJECTING, /* whatever fails, a missing signet included */
	RULE_STATES
};

/* Which domain a rule is for. */
static const char *const domains[RULE_STATES] = {"legacy.test",
    "required.test", "off.test", "rejecting.test"};

struct combination {
	enum world_dns dns;
	enum pin_state pin;
	enum redis_state redis;
	enum world_peer peer;
	bool confirms;
	bool inherited; /* the record is the organization's, above */
	enum rule_state rule; /* of the site */
	enum record_policy receiver;
};

static const char settings[] =
    "domains = {\"experimental.test\", \"mixed.test\", \"strict.test\"}\n"
    "experimental_domains = {\"experimental.test\"}\n"
    "strict_domains = {\"strict.test\"}\n"
    "rule a { to = {\"required.test\", \".required.test\"}\n"
    "mode = required }\n"
    "rule b { to = {\"off.test\", \".off.test\"}\n mode = off }\n"
    "rule c { to = {\"rejecting.test\", \".rejecting.test\"}\n"
    "on_dns_error = reject\n on_no_signet = reject\n"
    "on_key_change = reject\n on_bad_signature = reject\n"
    "on_peer_down = reject }\n";

static const struct {
	const char *address;
	enum record_policy policy;
} senders[] = {
    {"alice@experimental.test", RECORD_EXPERIMENTAL},
    {"alice@mixed.test", RECORD_MIXED},
    {"alice@strict.test", RECORD_STRICT},
};

/* ---- what ought to be ---- */

static bool
is_pinned(const struct combination *c)
{
	return c->pin != NO_PIN || c->redis == HOLDS_ABSENCE_AND_PIN;
}

/* What counts as DNS's answer: that of another node, while it is good. */
static enum world_dns
answer(const struct combination *c)
{
	switch (c->redis) {
	case HOLDS_ABSENCE:
	case HOLDS_ABSENCE_AND_PIN:
		return SAYS_ABSENT_PROVEN;
	case HOLDS_RECORD:
		return SAYS_SECURE;
	default:
		return c->dns;
	}
}

static bool
is_absent(enum world_dns dns)
{
	return dns == SAYS_ABSENT_PROVEN || dns == SAYS_ABSENT_INSECURE;
}

static bool
is_known_absent(const struct combination *c)
{
	return is_absent(answer(c)) && !is_pinned(c) && c->rule != REQUIRED;
}

/* Whether the peer's word counts: the record in force, DNS's or the pin's, came
 * secure, or its certificate confirms it. */
static bool
is_confirmed(const struct combination *c)
{
	const enum world_dns dns = answer(c);

	if (dns == SAYS_SECURE || c->confirms)
		return true;
	if (dns == SAYS_INSECURE)
		return false;
	/* The other node's pin is the newer one, and it is secure. */
	return c->pin != INSECURE_PIN || c->redis == HOLDS_ABSENCE_AND_PIN;
}

/* Figure 6: where 476 opens the naked way. */
static bool
table_allows_476(enum record_policy sender, enum record_policy receiver)
{
	return (sender == RECORD_EXPERIMENTAL && receiver != RECORD_STRICT) ||
	    (sender == RECORD_MIXED && receiver == RECORD_EXPERIMENTAL);
}

static bool
is_476(const struct combination *c, enum record_policy sender)
{
	const enum world_dns dns = answer(c);

	return c->peer == WORLD_NOT_ENABLED && c->rule != REQUIRED &&
	    c->rule != REJECTING &&
	    (dns == SAYS_SECURE || dns == SAYS_INSECURE ||
	        (is_absent(dns) && is_pinned(c))) &&
	    is_confirmed(c) && table_allows_476(sender, c->receiver);
}

static bool
ought_to_be_naked(const struct combination *c, enum record_policy sender)
{
	return (is_known_absent(c) && sender != RECORD_STRICT) ||
	    is_476(c, sender);
}

/* ---- making it so ---- */

struct stage {
	struct world *here, *elsewhere; /* two nodes; the other writes Redis */
	struct unit_redis *redis;       /* NULL: none */
	char record[200];
	char domain[40]; /* whose record it is */
	char address[60];
};

static void
say(struct world *world, const struct stage *stage, enum world_dns dns)
{
	world_clear_zones(world);
	world_say(world, stage->domain, dns, stage->record);
}

static void
ask(struct world *world, const struct stage *stage)
{
	struct facts_answer given = world_ask(world, decide_outbound,
	    senders[1].address, stage->address, "", WORLD_PATIENCE);

	facts_answer_free(&given);
}

static void
forge(const struct stage *stage)
{
	redisReply *keys = redisCommand(stage->redis->raw, "KEYS *");

	assert_non_null(keys);
	assert_true(keys->elements > 0);
	for (size_t i = 0; i < keys->elements; i++)
		freeReplyObject(redisCommand(stage->redis->raw,
		    "SETRANGE %s 9 X", keys->element[i]->str));
	freeReplyObject(keys);
}

static void
fill_redis(const struct combination *c, struct stage *stage)
{
	struct world *world = stage->elsewhere;

	if (c->redis == NO_REDIS || c->redis == HOLDS_NOTHING)
		return;
	world->peer = WORLD_DEAD;
	if (c->redis == HOLDS_RECORD || c->redis == HOLDS_ABSENCE_AND_PIN) {
		say(world, stage, SAYS_SECURE);
		ask(world, stage);
	}
	if (c->redis == HOLDS_ABSENCE_AND_PIN)
		world_pass(world, 60);
	if (c->redis != HOLDS_RECORD) {
		say(world, stage, SAYS_ABSENT_PROVEN);
		ask(world, stage);
	}
	if (c->redis == HOLDS_FORGERY)
		forge(stage);
}

/* Nothing is left of the combination before. */
static void
clear(struct stage *stage)
{
	struct world *worlds[] = {stage->here, stage->elsewhere};

	for (size_t i = 0; i < COUNT(worlds); i++)
		for (size_t j = 0; worlds[i] != NULL && j < COUNT(domains);
		     j++) {
			signets_forget(worlds[i]->policyd.signets, domains[j]);
			assert_int_equal(domains_forget(
			                     worlds[i]->policyd.domains,
			                     domains[j]), 0);
		}
	world_pass(stage->here, DAY);
	if (stage->redis != NULL)
		freeReplyObject(
		    redisCommand(stage->redis->raw, "FLUSHALL"));
}

static void
set(const struct combination *c, struct stage *stage)
{
	struct world *world = stage->here;

	clear(stage);
	snprintf(stage->domain, sizeof(stage->domain), "%s",
	    domains[c->rule]);
	snprintf(stage->address, sizeof(stage->address), "bob@%s%s",
	    c->inherited ? "sub." : "", stage->domain);
	snprintf(stage->record, sizeof(stage->record), "%s pol=%s",
	    buffer_string(&world->record), record_policy_name(c->receiver));
	fill_redis(c, stage);
	say(world, stage, c->dns);
	world->peer = c->peer;
	world->confirms = c->confirms;
	if (c->pin != NO_PIN)
		assert_int_equal(state_set_pin(world->policyd.state,
		                     stage->domain, world_now(world) + 7 * DAY,
		                     c->pin == SECURE_PIN,
		                     span_string(stage->record)), 0);
}

/* ---- trying it ---- */

static void
complain(const struct combination *c, const char *what, bool naked,
    const char *reason)
{
	fail_msg("%s %s naked: dns %d, pin %d, redis %d, peer %d%s%s"
	         ", receiver %s, rule for %s: %s",
	    what, naked ? "is" : "is not", (int)c->dns, (int)c->pin,
	    (int)c->redis, (int)c->peer, c->confirms ? " confirmed" : "",
	    c->inherited ? ", inherited" : "", record_policy_name(c->receiver),
	    domains[c->rule], reason);
}

static void
check(const struct combination *c, struct stage *stage)
{
	bool naked;

	set(c, stage);
	for (size_t i = 0; i < COUNT(senders); i++) {
		struct facts_answer given = world_ask(stage->here,
		    decide_outbound, senders[i].address, stage->address, "",
		    WORLD_PATIENCE);

		naked = given.action == POLICY_NAKED;
		if (naked != ought_to_be_naked(c, senders[i].policy) ||
		    (c->rule == OFF && given.action == POLICY_DARK))
			complain(c, senders[i].address, naked, given.reason);
		facts_answer_free(&given);
	}
	/* Postfix is told by the laxest of them, and nothing of 476. */
	naked = strcmp(world_map(stage->here, "transport", stage->address),
	    "NOTFOUND") == 0;
	if (naked != is_known_absent(c))
		complain(c, "the map", naked, "");
}

/* Those behind WORLD_DEAD differ in how a signet fails to verify, which is no
 * matter of Redis's. */
static void
check_peers(struct combination c, struct stage *stage)
{
	const int end = stage->elsewhere == NULL ? WORLD_PEERS
	                                         : WORLD_DEAD + 1;

	for (int peer = 0; peer < end; peer++) {
		c.peer = (enum world_peer)peer;
		c.confirms = true;
		check(&c, stage);
		c.confirms = false;
		if (peer == WORLD_NOT_ENABLED || peer == WORLD_SIGNETS)
			check(&c, stage);
	}
}

static void
check_all(struct combination c, struct stage *stage)
{
	for (int dns = 0; dns < SAYS_STATES; dns++)
		for (int pin = 0; pin < PIN_STATES; pin++)
			for (int policy = RECORD_EXPERIMENTAL;
			     policy <= RECORD_STRICT; policy++) {
				c.dns = (enum world_dns)dns;
				c.pin = (enum pin_state)pin;
				c.receiver = (enum record_policy)policy;
				check_peers(c, stage);
			}
}

static void
without_redis(void **state)
{
	struct stage stage = {.here = world_new(settings)};

	for (int i = 0; i < 2 * RULE_STATES; i++)
		check_all((struct combination){.redis = NO_REDIS,
		              .inherited = i % 2 != 0,
		              .rule = (enum rule_state)(i / 2)}, &stage);
	world_free(stage.here);
}

static struct cache *
cache_on(const struct unit_redis *redis)
{
	static const uint8_t key[32] = {9};
	const struct cache_settings wish = {.socket = redis->socket,
	    .host = "", .password = "", .timeout = 2000, .key = key,
	    .clock = &world_clock, .connections = 2};
	struct cache *cache;

	assert_int_equal(cache_new(&wish, &cache), 0);
	return cache;
}

static void
with_redis(void **state)
{
	struct unit_redis redis;
	struct world_parts parts = {.settings = settings};
	struct stage stage = {.redis = &redis};

	if (!unit_redis_exists())
		skip();
	unit_redis_prepare(&redis);
	unit_redis_start(&redis, "");
	parts.cache = cache_on(&redis);
	stage.here = world_of_parts(&parts);
	stage.elsewhere = world_of_parts(&parts);
	for (int holds = HOLDS_NOTHING; holds < REDIS_STATES; holds++)
		check_all((struct combination){
		              .redis = (enum redis_state)holds}, &stage);
	unit_case("it has gone");
	unit_redis_stop(&redis);
	stage.redis = NULL;
	check_all((struct combination){.redis = NO_REDIS}, &stage);
	world_free(stage.here);
	world_free(stage.elsewhere);
	cache_free(parts.cache);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_redis),
	    cmocka_unit_test(with_redis),
	};

	log_open("test", "stderr", LOG_CRIT);
	return cmocka_run_group_tests_name("naked", tests, unit_start,
	    unit_end);
}
