/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/pool_world.h"

#include <poll.h>

#include "client/peer_session.h"
/* For its bounds. */
#include "dmtpd/pool.c"

enum { SOON = 20 };

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

static const struct again_case {
	const char *name;
	void (*happens)(void);
	bool unasked; /* the host speaks, or closes */
	const struct record *record;
	bool secure;
	int err;
	const char *complaint;
} again_cases[] = {
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

/* What may happen between two messages, to the host and to what is known of
 * it. */
static void
again_table(void **state)
{
	for (size_t i = 0; i < COUNT(again_cases); i++) {
		const struct again_case *test = &again_cases[i];
		struct peer_target target = usual_target();
		struct pool_wish wish = usual_wish(&target);
		struct pool *pool = fresh_pool(NEVER);
		struct fault fault = {0};
		struct pool_visit visit;
		struct peer *peer;

		unit_case(test->name);
		leave_idle(pool, &wish);
		test->happens();
		target.record = test->record;
		target.record_secure = test->secure;
		enter(pool, &visit, &wish);
		peer = pool_take(pool, &visit);
		assert_non_null(peer);
		if (test->unasked)
			wait_input(peer);
		assert_int_equal(peer_again(peer, &target, deadline_in(LONG),
		    &fault), test->err);
		if (strstr(fault.text, test->complaint) == NULL)
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

	make_certificate("brief", 3, &brief);
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
	    WITH_HOST(tls_is_resumed_and_judged),
	};

	return cmocka_run_group_tests(tests, pool_world_start, pool_world_end);
}
