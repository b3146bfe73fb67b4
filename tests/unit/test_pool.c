/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/unit/unit_host.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/peer_session.h"
/* To see who waits. */
#include "dmtpd/pool.c"

enum {
	LONG = 60000, /* a time that no test waits for */
	NEVER = 3600 * 1000,
	SOON = 20,
};

static char directory[64] = "/tmp/dimegate-unit-XXXXXX";
static EVP_PKEY *authority_key, *host_key;
static struct unit_certificate authority, good;
static struct tls_context *client;
static struct record signing, other_signing, without_tls;
static struct unit_host *host;

/* ---- what is known of the host ---- */

/* A certificate of the host, or for 0 seconds one of an authority. */
static void
make(const char *name, int seconds, struct unit_certificate *out)
{
	const struct unit_certificate_wish wish = {.name = name,
	    .key = seconds == 0 ? authority_key : host_key,
	    .names = seconds == 0 ? NULL : "DNS:dx.beta.test",
	    .days = seconds == 0 ? 100 : 0, .seconds = seconds,
	    .authority = seconds == 0,
	    .issuer = seconds == 0 ? NULL : &authority};

	unit_certificate_make(directory, &wish, out);
}

static void
make_record(struct record *record, size_t tls_count, uint8_t change)
{
	static const uint8_t seed[CRYPTO_SEED] = {1};

	*record = (struct record){.pok_count = 1, .policy = RECORD_MIXED,
	    .tls_count = tls_count};
	crypto_ed25519_public(seed, record->poks[0]);
	crypto_ed25519_sign(seed, buffer_span(&good.der), record->tls[0]);
	record->tls[0][0] ^= change;
}

static struct peer_target
usual_target(void)
{
	return (struct peer_target){.host = "dx.beta.test",
	    .domain = "beta.test", .address = "127.0.0.1",
	    .port = unit_host_port(host), .source = "", .record = &signing,
	    .record_secure = true};
}

static struct pool_wish
usual_wish(const struct peer_target *target)
{
	return (struct pool_wish){.target = target, .origin = "alpha.test A",
	    .limit = 20};
}

static struct pool *
fresh_pool(int64_t idle_time)
{
	struct pool *pool;

	assert_int_equal(pool_new(idle_time, &pool), 0);
	return pool;
}

static void
enter(struct pool *pool, struct pool_visit *visit,
    const struct pool_wish *wish)
{
	assert_int_equal(pool_enter(pool, visit, wish, deadline_in(LONG),
	    NULL), 0);
}

static struct peer *
open_new(const struct peer_target *target)
{
	struct fault fault = {0};
	struct peer *peer;

	if (peer_open(target, client, deadline_in(LONG), &peer, &fault) != 0)
		fail_msg("%s", fault.text);
	return peer;
}

/* Leaves an idle session in the pool. */
static void
leave_idle(struct pool *pool, const struct pool_wish *wish)
{
	struct pool_visit visit;

	enter(pool, &visit, wish);
	assert_null(pool_take(pool, &visit));
	pool_leave(pool, &visit, open_new(wish->target));
}

/* As the agent does it; whether a session was used again. */
static bool
deliver(struct pool *pool, const struct pool_wish *wish)
{
	const struct peer_mail mail = {.helo = "mail.alpha.test",
	    .origin = "alpha.test", .origin_fingerprint = "A",
	    .destination = "beta.test", .destination_fingerprint = "B",
	    .armor = span_string("armor\n")};
	struct pool_visit visit;
	struct peer_reply reply;
	struct peer *peer;
	bool again;

	enter(pool, &visit, wish);
	while ((peer = pool_take(pool, &visit)) != NULL &&
	    peer_again(peer, wish->target, deadline_in(LONG), NULL) != 0)
		peer_close(peer);
	again = peer != NULL;
	if (!again)
		peer = open_new(wish->target);
	peer_reply_init(&reply);
	assert_int_equal(peer_deliver(peer, &mail, &reply, NULL), 0);
	peer_reply_free(&reply);
	pool_leave(pool, &visit, peer);
	return again;
}

/* ---- idle sessions ---- */

static void
one_session_for_many_messages(void **state)
{
	struct peer_target target = usual_target();
	struct pool_wish wish = usual_wish(&target);
	struct pool *pool = fresh_pool(NEVER);
	struct unit_host_count count;

	for (int i = 0; i < 5; i++)
		assert_int_equal(deliver(pool, &wish), i > 0);
	count = unit_host_count(host);
	assert_int_equal(count.connections, 1);
	assert_int_equal(count.messages, 5);
	assert_int_equal(count.resets, 4);
	pool_free(pool);
	assert_int_equal(unit_host_count(host).goodbyes, 1);
}

static void
what_must_be_the_same(void **state)
{
	static const struct {
		const char *name;
		const char *host, *domain, *address, *source, *origin;
		unsigned int port;
		bool dual, same;
	} cases[] = {
	    {"all of it", "dx.beta.test", "beta.test", "127.0.0.1", "",
	     "alpha.test A", 0, false, true},
	    {"host", "dy.beta.test", "beta.test", "127.0.0.1", "",
	     "alpha.test A", 0, false, false},
	    {"domain", "dx.beta.test", "gamma.test", "127.0.0.1", "",
	     "alpha.test A", 0, false, false},
	    {"address", "dx.beta.test", "beta.test", "127.0.0.2", "",
	     "alpha.test A", 0, false, false},
	    {"source", "dx.beta.test", "beta.test", "127.0.0.1", "127.0.0.3",
	     "alpha.test A", 0, false, false},
	    {"origin", "dx.beta.test", "beta.test", "127.0.0.1", "",
	     "delta.test A", 0, false, false},
	    {"signet of the origin", "dx.beta.test", "beta.test", "127.0.0.1",
	     "", "alpha.test B", 0, false, false},
	    {"port", "dx.beta.test", "beta.test", "127.0.0.1", "",
	     "alpha.test A", 1, false, false},
	    {"mode", "dx.beta.test", "beta.test", "127.0.0.1", "",
	     "alpha.test A", 0, true, false},
	};
	struct peer_target target = usual_target();
	struct pool_wish wish = usual_wish(&target);
	struct pool *pool = fresh_pool(NEVER);

	leave_idle(pool, &wish);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct peer_target changed = target;
		struct pool_wish asked = wish;
		struct pool_visit visit;
		struct peer *peer;

		unit_case(cases[i].name);
		changed.host = cases[i].host;
		changed.domain = cases[i].domain;
		changed.address = cases[i].address;
		changed.source = cases[i].source;
		changed.port += cases[i].port;
		changed.dual = cases[i].dual;
		asked.target = &changed;
		asked.origin = cases[i].origin;
		enter(pool, &visit, &asked);
		peer = pool_take(pool, &visit);
		assert_int_equal(peer != NULL, cases[i].same);
		pool_leave(pool, &visit, peer);
	}
	pool_free(pool);
}

static void
nothing_to_do(void)
{
}

static void
says_421(void)
{
	unit_host_blurts(host, "421 CLOSING CONNECTION\n");
}

static void
says_something(void)
{
	unit_host_blurts(host, "250 OK\n");
}

static void
closes(void)
{
	unit_host_blurts(host, "");
}

static void
refuses_rset(void)
{
	unit_host_answers(host, "RSET", "451 NO\n");
}

static void
says_too_much(void)
{
	unit_host_answers(host, "RSET", "250 OK\n250 OK\n");
}

static void
closes_at_rset(void)
{
	unit_host_answers(host, "RSET", "");
}

static void
ends_at_rset(void)
{
	unit_host_answers(host, "RSET", "421 CLOSING CONNECTION\n");
}

/* What the host has said takes its time, even from thread to thread. */
static void
wait_input(const struct peer *peer)
{
	const struct stream_interest interests[2] = {
	    {.stream = peer->stream, .reads = true},
	    {.stream = peer->stream},
	};

	assert_int_equal(stream_wait_two(interests, deadline_in(LONG)), 0);
}

/* What may happen between two messages, to the host and to what is known of it. */
static void
again_table(void **state)
{
	static const struct {
		const char *name;
		void (*happens)(void);
		bool unasked; /* the host speaks, or closes */
		const struct record *record;
		bool secure;
		int err;
		const char *complaint;
	} cases[] = {
	    {"nothing", nothing_to_do, false, &signing, true, 0, ""},
	    {"the record is not secure any more, but the certificate is valid",
	     nothing_to_do, false, &signing, false, 0, ""},
	    {"the record has no tls value any more, but the certificate is "
	     "valid", nothing_to_do, false, &without_tls, true, 0, ""},
	    {"the record signs another certificate", nothing_to_do, false,
	     &other_signing, true, ERR_CERTIFICATE,
	     "dx.beta.test: certificate: no tls value"},
	    {"421", says_421, true, &signing, true, ERR_UNREACHABLE,
	     "dx.beta.test: the session ended while it was idle"},
	    {"an answer to nothing", says_something, true, &signing, true,
	     ERR_UNREACHABLE, "ended while it was idle"},
	    {"the end", closes, true, &signing, true, ERR_UNREACHABLE,
	     "ended while it was idle"},
	    {"RSET is refused", refuses_rset, false, &signing, true, ERR_PROTOCOL,
	     "RSET: 451 NO"},
	    {"two answers to RSET", says_too_much, false, &signing, true,
	     ERR_PROTOCOL, "RSET: more than one reply"},
	    {"the end at RSET", closes_at_rset, false, &signing, true,
	     ERR_UNREACHABLE, "waiting for a reply"},
	    {"421 at RSET", ends_at_rset, false, &signing, true, ERR_PROTOCOL,
	     "RSET: 421"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct peer_target target = usual_target();
		struct pool_wish wish = usual_wish(&target);
		struct pool *pool = fresh_pool(NEVER);
		struct fault fault = {0};
		struct pool_visit visit;
		struct peer *peer;

		unit_case(cases[i].name);
		leave_idle(pool, &wish);
		cases[i].happens();
		target.record = cases[i].record;
		target.record_secure = cases[i].secure;
		enter(pool, &visit, &wish);
		peer = pool_take(pool, &visit);
		assert_non_null(peer);
		if (cases[i].unasked)
			wait_input(peer);
		assert_int_equal(peer_again(peer, &target, deadline_in(LONG),
		    &fault), cases[i].err);
		if (strstr(fault.text, cases[i].complaint) == NULL)
			fail_msg("%s", fault.text);
		peer_close(peer);
		pool_leave(pool, &visit, NULL);
		unit_host_answers(host, NULL, NULL);
		/* It is no reason to give the host up. */
		target.record = &signing;
		target.record_secure = true;
		assert_false(deliver(pool, &wish));
		pool_free(pool);
	}
}

/* The time of now counts, not that of the handshake. */
static void
the_certificate_expires(void **state)
{
	const struct deadline patience = deadline_in(LONG);
	struct unit_certificate brief;
	struct peer_target target;
	struct fault fault = {0};
	struct peer *peer;

	make("brief", 3, &brief);
	unit_host_end(host);
	host = unit_host_start(&brief);
	target = usual_target();
	target.record = &without_tls;
	peer = open_new(&target);
	assert_int_equal(peer_again(peer, &target, deadline_in(LONG), NULL),
	    0);
	while (X509_cmp_current_time(
	           X509_get0_notAfter(brief.certificate)) > 0) {
		assert_true(deadline_left(patience) > 0);
		poll(NULL, 0, 20);
	}
	assert_int_equal(peer_again(peer, &target, deadline_in(LONG), &fault),
	    ERR_CERTIFICATE);
	assert_non_null(strstr(fault.text, "not valid by itself"));
	peer_close(peer);
	unit_certificate_free(&brief);
}

static void
idle_sessions_come_to_their_end(void **state)
{
	struct peer_target target = usual_target();
	struct pool_wish wish = usual_wish(&target);
	struct pool *pool = fresh_pool(SOON);

	leave_idle(pool, &wish);
	unit_host_wait(host, unit_host_has_open, 0);
	assert_int_equal(unit_host_count(host).goodbyes, 1);
	pool_free(pool);
}

static void
idle_sessions_are_closed(void **state)
{
	struct peer_target target = usual_target();
	struct pool_wish wish = usual_wish(&target);
	struct pool *pool = fresh_pool(NEVER);
	struct pool_visit visit;

	unit_case("when asked for");
	leave_idle(pool, &wish);
	pool_clear(pool);
	unit_host_wait(host, unit_host_has_open, 0);
	unit_case("at the end");
	enter(pool, &visit, &wish);
	assert_null(pool_take(pool, &visit));
	leave_idle(pool, &wish);
	pool_stop(pool);
	unit_host_wait(host, unit_host_has_open, 0);
	unit_case("after the end");
	pool_leave(pool, &visit, open_new(&target));
	unit_host_wait(host, unit_host_has_open, 0);
	assert_int_equal(unit_host_count(host).goodbyes, 3);
	pool_free(pool);
}

static void
sessions_have_bounds(void **state)
{
	struct pool_visit visits[POOL_IDLE_DOMAIN + 2];
	struct peer *peers[POOL_IDLE_DOMAIN + 2];
	struct peer_target target = usual_target();
	struct pool_wish wish = usual_wish(&target);
	struct pool *pool = fresh_pool(NEVER);

	unit_case("how many of a domain are idle");
	for (size_t i = 0; i < COUNT(visits); i++) {
		enter(pool, &visits[i], &wish);
		assert_null(pool_take(pool, &visits[i]));
		peers[i] = open_new(&target);
	}
	for (size_t i = 0; i < COUNT(visits); i++)
		pool_leave(pool, &visits[i], peers[i]);
	unit_host_wait(host, unit_host_has_open, POOL_IDLE_DOMAIN);
	pool_clear(pool);
	unit_host_wait(host, unit_host_has_open, 0);
	unit_case("how many messages a session has");
	for (int i = 0; i < POOL_MESSAGES; i++)
		assert_int_equal(deliver(pool, &wish), i > 0);
	assert_false(deliver(pool, &wish));
	unit_case("a session that broke is not kept");
	enter(pool, &visits[0], &wish);
	peers[0] = pool_take(pool, &visits[0]);
	unit_host_blurts(host, "");
	assert_int_not_equal(peer_again(peers[0], &target, deadline_in(LONG),
	    NULL), 0);
	pool_leave(pool, &visits[0], peers[0]);
	enter(pool, &visits[0], &wish);
	assert_null(pool_take(pool, &visits[0]));
	pool_leave(pool, &visits[0], NULL);
	pool_free(pool);
}

/* ---- turns ---- */

static void
limits_hold(void **state)
{
	struct peer_target target = usual_target(), elsewhere = target,
	    neighbour = target, far = target;
	struct pool *pool = fresh_pool(NEVER);
	struct pool_visit held[2], visit;
	const struct {
		const char *name;
		const struct peer_target *target;
		int err;
	} cases[] = {
	    {"the same", &target, ERR_BUSY},
	    {"another host of the domain", &elsewhere, ERR_BUSY},
	    {"another domain at the host", &neighbour, ERR_BUSY},
	    {"another domain elsewhere", &far, 0},
	};
	struct pool_wish wish = usual_wish(&target);
	struct fault fault = {0};

	elsewhere.address = far.address = "127.0.0.2";
	neighbour.domain = far.domain = "gamma.test";
	wish.limit = COUNT(held);
	for (size_t i = 0; i < COUNT(held); i++)
		enter(pool, &held[i], &wish);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pool_wish asked = usual_wish(cases[i].target);

		unit_case(cases[i].name);
		asked.limit = COUNT(held);
		assert_int_equal(pool_enter(pool, &visit, &asked,
		    deadline_in(0), &fault), cases[i].err);
		if (cases[i].err == 0)
			pool_leave(pool, &visit, NULL);
	}
	assert_string_equal(fault.text, "2 sessions with gamma.test or its "
	    "host dx.beta.test are open already");
	pool_leave(pool, &held[0], NULL);
	assert_int_equal(pool_enter(pool, &held[0], &wish, deadline_in(0),
	    NULL), 0);
	for (size_t i = 0; i < COUNT(held); i++)
		pool_leave(pool, &held[i], NULL);
	pool_free(pool);
}

/* An idle session with the same host is one too many. */
static void
idle_sessions_make_room(void **state)
{
	struct peer_target target = usual_target();
	struct pool_wish wish = usual_wish(&target);
	struct pool *pool = fresh_pool(NEVER);
	struct pool_visit visit;

	wish.limit = 1;
	assert_false(deliver(pool, &wish));
	wish.origin = "delta.test A";
	assert_false(deliver(pool, &wish));
	unit_case("that of another domain with the host");
	target.domain = "gamma.test";
	assert_false(deliver(pool, &wish));
	assert_int_equal(unit_host_count(host).most_open, 1);
	unit_case("that of another host of the domain");
	target.address = "127.0.0.2";
	enter(pool, &visit, &wish);
	assert_null(pool_take(pool, &visit));
	unit_host_wait(host, unit_host_has_open, 0);
	pool_leave(pool, &visit, NULL);
	pool_free(pool);
}

struct waiter {
	struct pool *pool;
	const struct pool_wish *wish;
	struct deadline deadline;
	int err;
	int place; /* in the order of turns */
	pthread_t thread;
};

static atomic_int turns;

static void *
run_waiter(void *argument)
{
	struct waiter *waiter = argument;
	struct pool_visit visit;

	waiter->err = pool_enter(waiter->pool, &visit, waiter->wish,
	    waiter->deadline, NULL);
	if (waiter->err != 0)
		return NULL;
	waiter->place = atomic_fetch_add(&turns, 1);
	pool_leave(waiter->pool, &visit, NULL);
	return NULL;
}

static int
count_visits(struct pool *pool)
{
	int visits = 0;

	pthread_mutex_lock(&pool->lock);
	for (struct pool_visit *visit = pool->visits; visit != NULL;
	     visit = visit->next)
		visits++;
	pthread_mutex_unlock(&pool->lock);
	return visits;
}

static void
start_waiter(struct waiter *waiter, struct pool *pool,
    const struct pool_wish *wish, int64_t time)
{
	const struct deadline patience = deadline_in(LONG);
	const int before = count_visits(pool);

	*waiter = (struct waiter){.pool = pool, .wish = wish,
	    .deadline = deadline_in(time)};
	assert_int_equal(pthread_create(&waiter->thread, NULL, run_waiter,
	    waiter), 0);
	while (count_visits(pool) == before) {
		assert_true(deadline_left(patience) > 0);
		poll(NULL, 0, 1);
	}
}

static void
turns_in_the_order_of_coming(void **state)
{
	struct peer_target target = usual_target();
	struct pool_wish wish = usual_wish(&target);
	struct pool *pool = fresh_pool(NEVER);
	struct waiter waiters[8];
	struct pool_visit held;

	wish.limit = 1;
	enter(pool, &held, &wish);
	atomic_store(&turns, 0);
	for (size_t i = 0; i < COUNT(waiters); i++)
		start_waiter(&waiters[i], pool, &wish, LONG);
	pool_leave(pool, &held, NULL);
	for (size_t i = 0; i < COUNT(waiters); i++) {
		pthread_join(waiters[i].thread, NULL);
		assert_int_equal(waiters[i].err, 0);
		assert_int_equal(waiters[i].place, i);
	}
	pool_free(pool);
}

/* Once one has waited in vain, others do not; until the one in the way goes. */
static void
a_slow_host_is_not_waited_for(void **state)
{
	struct peer_target target = usual_target();
	struct pool_wish wish = usual_wish(&target);
	struct pool *pool = fresh_pool(NEVER);
	struct pool_visit held, visit;
	struct deadline deadline;
	struct waiter waiter;

	wish.limit = 1;
	enter(pool, &held, &wish);
	assert_int_equal(pool_enter(pool, &visit, &wish, deadline_in(SOON),
	    NULL), ERR_BUSY);
	deadline = deadline_in(LONG);
	assert_int_equal(pool_enter(pool, &visit, &wish, deadline, NULL),
	    ERR_BUSY);
	assert_true(deadline_left(deadline) > 0);
	pool_leave(pool, &held, NULL);
	unit_case("the next one is not to blame");
	enter(pool, &held, &wish);
	start_waiter(&waiter, pool, &wish, LONG);
	pool_leave(pool, &held, NULL);
	pthread_join(waiter.thread, NULL);
	assert_int_equal(waiter.err, 0);
	pool_free(pool);
}

static void
the_end_wakes_those_who_wait(void **state)
{
	struct peer_target target = usual_target();
	struct pool_wish wish = usual_wish(&target);
	struct pool *pool = fresh_pool(NEVER);
	struct pool_visit held;
	struct waiter waiter;

	wish.limit = 1;
	enter(pool, &held, &wish);
	start_waiter(&waiter, pool, &wish, NEVER);
	pool_stop(pool);
	pthread_join(waiter.thread, NULL);
	assert_int_equal(waiter.err, ERR_BUSY);
	pool_leave(pool, &held, NULL);
	pool_free(pool);
}

/* ---- many at once ---- */

enum { THREADS = 8, LETTERS = 25 };

struct sender {
	struct pool *pool;
	const struct pool_wish *wish;
	pthread_t thread;
};

static void *
run_sender(void *argument)
{
	struct sender *sender = argument;

	for (int i = 0; i < LETTERS; i++)
		deliver(sender->pool, sender->wish);
	return NULL;
}

static void
many_at_once(void **state)
{
	struct peer_target target = usual_target();
	struct pool_wish wish = usual_wish(&target);
	struct pool *pool = fresh_pool(NEVER);
	struct sender senders[THREADS];
	struct unit_host_count count;

	wish.limit = THREADS / 2;
	for (size_t i = 0; i < THREADS; i++) {
		senders[i] = (struct sender){.pool = pool, .wish = &wish};
		assert_int_equal(pthread_create(&senders[i].thread, NULL,
		    run_sender, &senders[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(senders[i].thread, NULL);
	count = unit_host_count(host);
	assert_int_equal(count.messages, THREADS * LETTERS);
	assert_int_equal(count.connections, THREADS / 2);
	assert_int_equal(count.most_open, THREADS / 2);
	pool_free(pool);
}

/* ---- TLS ---- */

/* A session that has ended leaves its TLS behind. */
static void
tls_is_resumed_and_judged(void **state)
{
	struct peer_target target = usual_target();
	struct fault fault = {0};
	struct peer *peer;

	target.domain = "resumed.test";
	for (int i = 0; i < 3; i++) {
		peer = open_new(&target);
		assert_int_equal(peer_is_resumed(peer), i > 0);
		peer_close(peer);
	}
	unit_case("the record has changed");
	target.record = &other_signing;
	assert_int_equal(peer_open(&target, client, deadline_in(LONG), &peer,
	    &fault), ERR_CERTIFICATE);
	assert_non_null(strstr(fault.text, "no tls value"));
	assert_int_equal(unit_host_count(host).resumed, 3);
	unit_case("what was refused is not resumed");
	target.record = &signing;
	peer = open_new(&target);
	assert_false(peer_is_resumed(peer));
	unit_case("another domain at the same host");
	peer_close(peer);
	target.domain = "other.test";
	peer = open_new(&target);
	assert_false(peer_is_resumed(peer));
	peer_close(peer);
}

/* ---- */

static int
start(void **state)
{
	if (unit_start(state) != 0)
		return -1;
	unit_directory(directory);
	authority_key = unit_key(2048);
	host_key = unit_key(2048);
	make("authority", 0, &authority);
	make("good", 100 * 86400, &good);
	make_record(&signing, 1, 0);
	make_record(&other_signing, 1, 1);
	make_record(&without_tls, 0, 0);
	return tls_client_new(authority.certificate_path, &client, NULL);
}

static int
end(void **state)
{
	tls_free(client);
	unit_certificate_free(&authority);
	unit_certificate_free(&good);
	EVP_PKEY_free(authority_key);
	EVP_PKEY_free(host_key);
	return unit_end(state);
}

static int
start_host(void **state)
{
	host = unit_host_start(&good);
	return 0;
}

static int
end_host(void **state)
{
	unit_host_end(host);
	return 0;
}

#define WITH_HOST(test) \
	cmocka_unit_test_setup_teardown(test, start_host, end_host)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_HOST(one_session_for_many_messages),
	    WITH_HOST(what_must_be_the_same),
	    WITH_HOST(again_table),
	    WITH_HOST(the_certificate_expires),
	    WITH_HOST(idle_sessions_come_to_their_end),
	    WITH_HOST(idle_sessions_are_closed),
	    WITH_HOST(sessions_have_bounds),
	    WITH_HOST(limits_hold),
	    WITH_HOST(idle_sessions_make_room),
	    WITH_HOST(turns_in_the_order_of_coming),
	    WITH_HOST(a_slow_host_is_not_waited_for),
	    WITH_HOST(the_end_wakes_those_who_wait),
	    WITH_HOST(many_at_once),
	    WITH_HOST(tls_is_resumed_and_judged),
	};

	return cmocka_run_group_tests(tests, start, end);
}
