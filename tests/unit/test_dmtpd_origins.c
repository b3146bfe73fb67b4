/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtpd_world.h"

#include <sched.h>
#include <stdio.h>

/* MAIL and RCPT. */

/* MAIL in a session of its own. */
static int
mail_alone(const char *domain, const char *fingerprint)
{
	struct stream *s = dmtp_open();
	int code;

	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	code = say_mail(s, domain, fingerprint);
	stream_free(s);
	return code;
}

static int64_t hours_ago;

static int64_t
earlier(const struct clock *clock)
{
	return clock_wall(&clock_system) - hours_ago * 3600;
}

static void
origins(void **state)
{
	static const struct clock past = {earlier, earlier};
	const char *alpha = world.alpha->signet->fingerprint;
	const char *beta = world.beta->signet->fingerprint;
	char name[256], database[128];
	struct state *old;
	int64_t since;
	struct stream *s = dmtp_open();

	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	assert_int_equal(say_mail(s, "alpha.test", alpha), 250);
	assert_int_equal(say_mail(s, "alpha.test", beta), 575);
	assert_int_equal(say_rcpt(s, "beta.test", beta), 503);
	stream_free(s);
	assert_int_equal(mail_alone("absent.test", alpha), 575);
	assert_int_equal(mail_alone("unconfirmed.test", alpha), 470);
	assert_int_equal(mail_alone("slow.test", alpha), 470);
	/* The same, having failed again and again for three days already. */
	snprintf(database, sizeof(database), "%s/state.db", world.directory);
	assert_int_equal(state_open(database, 0600, &past, &old, NULL), 0);
	snprintf(name, sizeof(name), "origin gone.test %s", alpha);
	for (hours_ago = 73; hours_ago > 0; hours_ago -= 71)
		assert_int_equal(state_failing_since(old, name, &since), 0);
	snprintf(name, sizeof(name), "origin gone.test %s", beta);
	hours_ago = 73; /* and only once */
	assert_int_equal(state_failing_since(old, name, &since), 0);
	state_close(old);
	assert_int_equal(mail_alone("gone.test", alpha), 570);
	assert_int_equal(mail_alone("gone.test", beta), 470);
}

/* A session makes this site look up one unknown origin and no more; those that
 * were had lately, or that policyd knows, are had as before. */
static void
one_lookup_a_session(void **state)
{
	const char *alpha = world.alpha->signet->fingerprint;
	const char *gamma = world.gamma->signet->fingerprint;
	struct stream *s = dmtp_open();

	policyd_goes_out(true);
	assert_int_equal(mail_alone("alpha.test", alpha), 250);
	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	assert_int_equal(say_mail(s, "alpha.test", alpha), 250);
	assert_int_equal(say_mail(s, "gamma.test", gamma), 470);
	assert_string_equal(heard, "ORIGIN SIGNET UNAVAILABLE");
	assert_int_equal(say_mail(s, "alpha.test", alpha), 250);
	assert_int_equal(mail_alone("gamma.test", gamma), 250);
	assert_int_equal(say_mail(s, "gamma.test", gamma), 250);
	assert_int_equal(say_mail(s, "absent.test", gamma), 470);
	policyd_goes_out(false);
	stream_free(s);
}

/* Messages come in rows: the last origin is at hand, and no other. */
static void
last_origin_is_at_hand(void **state)
{
	const char *alpha = world.alpha->signet->fingerprint;
	const struct {
		const char *name, *domain, *fingerprint;
		int reply;
		unsigned int asked;
	} cases[] = {
	    {"the first", "alpha.test", alpha, 250, 1},
	    {"again", "alpha.test", alpha, 250, 0},
	    {"another domain", "www.alpha.test", alpha, 250, 1},
	    {"another signet", "www.alpha.test",
	        world.libdime_alpha->signet->fingerprint, 250, 1},
	    {"the one before", "www.alpha.test", alpha, 250, 1},
	    {"none", "absent.test", alpha, 575, 1},
	    {"after none", "www.alpha.test", alpha, 250, 1},
	    {"large", "large.test", world.large, 250, 1},
	    {"large again", "large.test", world.large, 250, 1},
	};
	struct stream *s = dmtp_open();

	/* No stranger any more, of whom a session may name one. */
	assert_int_equal(mail_alone("large.test", world.large), 250);
	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const unsigned int before = policyd_signets_asked();

		unit_case(cases[i].name);
		assert_int_equal(say_mail(s, cases[i].domain,
		    cases[i].fingerprint), cases[i].reply);
		assert_int_equal(policyd_signets_asked() - before,
		    cases[i].asked);
		assert_int_equal(ask(s, "RSET"), 250);
	}
	stream_free(s);
}

static void
wait_until_waiting(unsigned int count)
{
	struct deadline deadline = deadline_in(WORLD_PATIENCE);

	while (policyd_waiting() < count && deadline_left(deadline) > 0)
		sched_yield();
	assert_int_equal(policyd_waiting(), count);
}

/* However many strangers a source names, it has so many looked up at a time:
 * the others wait, and those of another source do not. */
static void
lookups_are_shared(void **state)
{
	enum { SESSIONS = 24, AT_A_TIME = 16 };
	const char *gamma = world.gamma->signet->fingerprint;
	struct stream *streams[SESSIONS];

	assert_true(dmtpd_reload("fetch_timeout = 60\n"));
	policyd_is_late(true);
	for (int i = 0; i < SESSIONS; i++) {
		streams[i] = dmtp_open_from("127.0.0.6");
		assert_int_equal(ask(streams[i], "EHLO <mx.late.test>"), 250);
		say(streams[i], "MAIL FROM=<late.test> FINGERPRINT=[");
		say(streams[i], gamma);
		say(streams[i], "]\n");
	}
	wait_until_waiting(AT_A_TIME);
	assert_int_equal(mail_alone("www.alpha.test", gamma), 575);
	assert_int_equal(policyd_waiting(), AT_A_TIME);
	policyd_is_late(false);
	for (int i = 0; i < SESSIONS; i++) {
		assert_int_equal(hear(streams[i]), 470);
		stream_free(streams[i]);
	}
	wait_until_waiting(0);
	assert_true(dmtpd_reload(""));
}

static void
destinations(void **state)
{
	const char *alpha = world.alpha->signet->fingerprint;
	const char *beta = world.beta->signet->fingerprint;
	struct stream *s = dmtp_open();

	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	assert_int_equal(say_mail(s, "alpha.test", alpha), 250);
	assert_int_equal(say_rcpt(s, "nowhere.test", beta), 510);
	assert_int_equal(say_rcpt(s, "beta.test", beta), 250);
	assert_int_equal(say_rcpt(s, "beta.test", beta), 431);
	assert_int_equal(say_mail(s, "alpha.test", alpha), 250);
	assert_int_equal(say_rcpt(s, "beta.test", alpha), 576);
	assert_string_equal(heard, "INVALID DESTINATION SIGNET");
	assert_int_equal(say_rcpt(s, "beta.test", beta), 503);
	assert_int_equal(say_mail(s, "alpha.test",
	    world.libdime_alpha->signet->fingerprint), 250);
	assert_int_equal(say_rcpt(s, "beta.test",
	    world.libdime_beta->signet->fingerprint), 250);
	assert_int_equal(say_mail(s, "alpha.test",
	    world.libdime_alpha->signet->core), 575);
	assert_int_equal(say_mail(s, "alpha.test", alpha), 250);
	assert_int_equal(say_rcpt(s, "beta.test",
	    world.libdime_beta->signet->core), 576);
	stream_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(origins),
	    cmocka_unit_test(one_lookup_a_session),
	    cmocka_unit_test(last_origin_is_at_hand),
	    cmocka_unit_test(lookups_are_shared),
	    cmocka_unit_test(destinations),
	};

	return cmocka_run_group_tests(tests, dmtpd_world_start,
	    dmtpd_world_end);
}
