/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtpd_world.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dmtpd/transit.h"

/* ---- the delivery agent ---- */

#define RECEIVED                                                               \
	"Received: from localhost (localhost [127.0.0.1])\r\n"                 \
	"\tby mail.alpha.test (Postfix) with ESMTP id 4QueueId\r\n"            \
	"\tfor <bob@beta.test>; Mon, 1 Jan 2024 00:00:00 +0000 (UTC)\r\n"

static void
agent_delivers(void **state)
{
	static const char *const what[] = {"event=delivered", "code=254",
	    "queue=4QueueId", "destination=beta.test", "host=dx.beta.test",
	    NULL};
	struct buffer message = sealed(world.beta, world.bob, "agent");
	unsigned int before = postfix_mail()->count;
	struct stream *s = lmtp_open();
	char head[1000], line[1000];

	snprintf(head, sizeof(head), RECEIVED "%s", transit_head);
	assert_int_equal(hand_in(s, "alice@alpha.test", "bob@beta.test", head,
	    buffer_span(&message)), 250);
	assert_non_null(strstr(heard, "2.0.0 254 ACCEPTED="));
	assert_non_null(strstr(heard, "(beta.test said so)"));
	assert_int_equal(postfix_mail()->count, before + 1);
	/* What a queue put in front does not cross. */
	assert_memory_equal(postfix_mail()->message.data, "\r\n-----BEGIN", 12);
	wait_log(line, sizeof(line), what);
	/* Once more, with a sender that tells nothing. */
	assert_int_equal(hand_in(s, "", "bob@beta.test", transit_head,
	    buffer_span(&message)), 250);
	assert_non_null(strstr(heard, "2.0.0 255 DUPLICATE="));
	assert_int_equal(hand_in(s, "x@sub.alpha.test", "bob@sub.beta.test",
	    transit_head, buffer_span(&message)), 250);
	assert_int_equal(postfix_mail()->count, before + 1);
	stream_free(s);
	buffer_free(&message);
}

/* Whose dx hosts do not answer has others, and policyd knows them. */
static void
agent_goes_on_to_later_stages(void **state)
{
	struct buffer message = sealed(world.beta, world.bob, "stages");
	struct stream *s = lmtp_open();

	policyd_has_hosts_at(HOSTS_MX);
	assert_int_equal(hand_in(s, "alice@alpha.test", "bob@beta.test",
	    transit_head, buffer_span(&message)), 250);
	policyd_has_hosts_at(HOSTS_DOMAIN);
	assert_int_equal(hand_in(s, "alice@alpha.test", "bob@beta.test",
	    transit_head, buffer_span(&message)), 250);
	assert_non_null(strstr(heard, "2.0.0 255 DUPLICATE="));
	policyd_has_hosts_at(HOSTS_DX);
	stream_free(s);
	buffer_free(&message);
}

/* Without a DIME-RESEAL there is nothing better than to offer a message for
 * another signet than policyd holds. */
static void
agent_offers_what_may_be_stale(void **state)
{
	struct buffer message = sealed(world.beta, world.bob, "may be stale");
	struct stream *s = lmtp_open();

	policyd_holds(world.alpha->signet->fingerprint);
	assert_int_equal(hand_in(s, "alice@alpha.test", "bob@beta.test",
	    transit_head, buffer_span(&message)), 250);
	assert_non_null(strstr(heard, "2.0.0 254 ACCEPTED="));
	policyd_holds("");
	stream_free(s);
	buffer_free(&message);
}

/* In the dialect of the signets: DMTP's fingerprints are of the same layout,
 * and what was sealed for another signet does not leave. */
static void
agent_delivers_the_libdime_dialect(void **state)
{
	struct buffer message = sealed(world.libdime_beta, world.libdime_bob,
	    "libdime");
	unsigned int before = postfix_mail()->count;
	struct stream *s = lmtp_open();

	assert_int_equal(hand_in(s, "alice@alpha.test", "bob@beta.test",
	    transit_head, buffer_span(&message)), 550);
	assert_non_null(strstr(heard, "sealed for another signet"));
	policyd_has(LAYOUT_LIBDIME);
	assert_int_equal(hand_in(s, "alice@alpha.test", "bob@beta.test",
	    transit_head, buffer_span(&message)), 250);
	assert_non_null(strstr(heard, "2.0.0 254 ACCEPTED="));
	policyd_has(LAYOUT_STANDARD);
	assert_int_equal(postfix_mail()->count, before + 1);
	stream_free(s);
	buffer_free(&message);
}

struct refusal_case {
	const char *name, *recipient, *head;
	struct span body;
	int code;
	const char *text;
};

static void
expect_refusal(struct stream *s, const struct refusal_case *test)
{
	char stale[300];

	unit_case(test->name);
	assert_int_equal(hand_in(s, "alice@alpha.test", test->recipient,
	    test->head, test->body), test->code);
	if (strstr(heard, test->text) != heard)
		fail_msg("%s", heard);
	/* policyd is told what another signet stands in for. */
	policyd_heard_stale(stale);
	assert_string_equal(stale,
	    strstr(heard, "586") != NULL ? test->recipient : "");
}

static void
agent_refuses(void **state)
{
	struct buffer good = sealed(world.beta, world.bob, "agent refuses");
	struct buffer badly = sealed_badly(world.beta, world.bob, "badly");
	struct buffer carol = sealed(world.beta, world.carol, "agent's carol");
	struct buffer dave = sealed(world.beta, world.dave, "agent's dave");
	struct buffer erin = sealed(world.gamma, world.erin, "agent's erin");
	const struct refusal_case cases[] = {
	    {"naked", "bob@beta.test", "Subject: secret\r\n\r\n",
	        span_string("words\n"), 550, "5.6.0 not D/MIME"},
	    {"naked under our type", "bob@beta.test", transit_head,
	        span_string("words\n"), 550, "5.6.0 not D/MIME"},
	    {"armor and words", "bob@beta.test", transit_head,
	        span_string("-----BEGIN ENCRYPTED MESSAGE-----\nwords\n"), 550,
	        "5.6.0 "},
	    {"queued for another", "bob@alpha.test", transit_head,
	        buffer_span(&good), 550, "5.7.7 sealed for beta.test, but"},
	    {"not signed by us", "bob@beta.test", transit_head,
	        buffer_span(&badly), 550, "5.7.7 "},
	    {"peer: no such recipient", "carol@beta.test", transit_head,
	        buffer_span(&carol), 550,
	        "5.1.1 510 INVALID RECIPIENT (beta.test said so)"},
	    {"peer: not his signet", "dave@beta.test", transit_head,
	        buffer_span(&dave), 550,
	        "5.7.5 586 INVALID RECIPIENT SIGNET (beta.test said so)"},
	    {"no host answers", "erin@gamma.test", transit_head,
	        buffer_span(&erin), 451, "4.4.1 "},
	    {"host put off", "erin@gamma.test", transit_head,
	        buffer_span(&erin), 451,
	        "4.4.1 dx.gamma.test[127.0.0.99] failed a moment ago"},
	};
	unsigned int before = postfix_mail()->count;
	struct stream *s = lmtp_open();

	for (size_t i = 0; i < COUNT(cases); i++)
		expect_refusal(s, &cases[i]);
	unit_case("no host answers, and a rule that wants no retry");
	policyd_says(POLICY_REFUSE);
	assert_int_equal(hand_in(s, "alice@alpha.test", "erin@gamma.test",
	    transit_head, buffer_span(&erin)), 550);
	assert_string_equal(heard, "5.7.1 a rule of this site wants no retry: "
	    "dx.gamma.test[127.0.0.99] failed a moment ago");
	unit_case("of a peer that answers it says nothing");
	assert_int_equal(hand_in(s, "alice@alpha.test", "carol@beta.test",
	    transit_head, buffer_span(&carol)), 550);
	assert_string_equal(heard,
	    "5.1.1 510 INVALID RECIPIENT (beta.test said so)");
	policyd_says(-1);
	assert_int_equal(postfix_mail()->count, before);
	stream_free(s);
	buffer_free(&good);
	buffer_free(&badly);
	buffer_free(&carol);
	buffer_free(&dave);
	buffer_free(&erin);
}

static void
agent_is_put_off(void **state)
{
	struct buffer message = sealed(world.beta, world.bob, "put off");
	struct stream *s = lmtp_open();

	postfix_answers("250 ok", "451 4.3.0 later");
	assert_int_equal(hand_in(s, "alice@alpha.test", "bob@beta.test",
	    transit_head, buffer_span(&message)), 451);
	assert_string_equal(heard,
	    "4.0.0 451 DATA CORRUPTED (beta.test said so)");
	postfix_answers("250 ok", "250 2.0.0 Ok: queued as 4Wx1Yz");
	assert_int_equal(hand_in(s, "alice@alpha.test", "bob@beta.test",
	    transit_head, buffer_span(&message)), 250);
	stream_free(s);
	buffer_free(&message);
}

/* Where DMTP is to be had nowhere, and the site wants it, Postfix gets the
 * message for the MX; a host that has answered is left its word. */
static void
agent_falls_back_on_smtp(void **state)
{
	static const struct {
		const char *name, *sender, *envelope;
	} cases[] = {
	    {"the author", "alice@alpha.test", "alice@alpha.test"},
	    {"put off", "bounces@sub.alpha.test", "bounces@sub.alpha.test"},
	    {"a bounce", "", ""},
	    {"a stranger", "dave@elsewhere.test", "alice@alpha.test"},
	};
	struct buffer erin = sealed(world.gamma, world.erin, "fallback");
	struct buffer carol = sealed(world.beta, world.carol, "fallback");
	unsigned int before = postfix_mail()->count;
	struct stream *s = lmtp_open();

	assert_int_equal(hand_in(s, "alice@alpha.test", "erin@gamma.test",
	    transit_head, buffer_span(&erin)), 451);
	assert_int_equal(postfix_mail()->count, before);
	stream_free(s);
	assert_true(dmtpd_reload("smtp_fallback = true\n"));
	s = lmtp_open();
	unit_case("not for long");
	assert_int_equal(hand_in(s, "alice@alpha.test", "erin@gamma.test",
	    transit_head, buffer_span(&erin)), 451);
	assert_int_equal(postfix_mail()->count, before);
	stream_free(s);
	assert_true(dmtpd_reload("smtp_fallback = true\n"
				 "smtp_fallback_after = 0\n"));
	s = lmtp_open();
	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		assert_int_equal(hand_in(s, cases[i].sender, "erin@gamma.test",
		    transit_head, buffer_span(&erin)), 250);
		assert_non_null(strstr(heard, ": goes by SMTP as 4Wx1Yz"));
		assert_int_equal(postfix_mail()->count, before + 1 + i);
		assert_string_equal(postfix_mail()->sender, cases[i].envelope);
		assert_string_equal(postfix_mail()->recipient,
		    "erin@gamma.test");
		assert_ptr_equal(strstr(buffer_string(&postfix_mail()->message),
		    "MIME-Version: 1.0"),
		    buffer_string(&postfix_mail()->message));
	}
	unit_case("a host more, whose address DNS does not tell");
	policyd_is_unsure(true);
	assert_int_equal(hand_in(s, "alice@alpha.test", "erin@gamma.test",
	    transit_head, buffer_span(&erin)), 451);
	assert_int_equal(postfix_mail()->count, before + COUNT(cases));
	policyd_is_unsure(false);
	unit_case("Postfix does not take it");
	postfix_answers("550 5.1.1 no such user", "250 ok");
	assert_int_equal(hand_in(s, "alice@alpha.test", "erin@gamma.test",
	    transit_head, buffer_span(&erin)), 451);
	assert_non_null(strstr(heard, ": nor by SMTP: "));
	postfix_answers("250 ok", "250 2.0.0 Ok: queued as 4Wx1Yz");
	unit_case("a host that answers");
	assert_int_equal(hand_in(s, "alice@alpha.test", "carol@beta.test",
	    transit_head, buffer_span(&carol)), 550);
	assert_int_equal(postfix_mail()->count, before + COUNT(cases));
	assert_true(dmtpd_reload(""));
	stream_free(s);
	buffer_free(&erin);
	buffer_free(&carol);
}

/* ---- the program ---- */

static int
run_dmtpd(const char *option, const char *config)
{
	int status, process = fork();

	assert_true(process >= 0);
	if (process == 0) {
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(126);
		execl("dmtpd/dmtpd", "dmtpd", option, "-c", config,
		    (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(process, &status, 0), process);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
configuration_check(void **state)
{
	assert_int_equal(run_dmtpd("-n", world.config), 0);
	assert_int_equal(run_dmtpd("-n", "/nowhere/conf"), 66);
	assert_int_equal(run_dmtpd("-x", world.config), 64);
}

static void
reload(void **state)
{
	static const char *const done[] = {"event=reload", "done", NULL};
	struct stream *s = dmtp_open();

	kill(world.process, SIGHUP);
	wait_log(NULL, 0, done);
	assert_int_equal(ask(s, "NOOP"), 250);
	stream_free(s);
	s = dmtp_open();
	assert_int_equal(ask(s, "QUIT"), 221);
	stream_free(s);
}

/* The last test: a session that waits is told, and then TLS ends cleanly. */
static void
shutdown_is_announced(void **state)
{
	struct stream *s = dmtp_open();
	struct stream *lmtp = lmtp_open();
	uint8_t octet;
	size_t got;

	assert_false(log_holds("@beta.test"));
	assert_false(log_holds("@alpha.test"));
	kill(world.process, SIGTERM);
	assert_int_equal(hear(s), 421);
	assert_int_equal(stream_read(s, &octet, 1, &got, deadline_in(20000)),
	    0);
	assert_int_equal(got, 0);
	assert_int_equal(hear(lmtp), 421);
	stream_free(s);
	stream_free(lmtp);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(agent_delivers),
	    cmocka_unit_test(agent_goes_on_to_later_stages),
	    cmocka_unit_test(agent_offers_what_may_be_stale),
	    cmocka_unit_test(agent_delivers_the_libdime_dialect),
	    cmocka_unit_test(agent_refuses),
	    cmocka_unit_test(agent_is_put_off),
	    cmocka_unit_test(agent_falls_back_on_smtp),
	    cmocka_unit_test(configuration_check),
	    cmocka_unit_test(reload),
	    cmocka_unit_test(shutdown_is_announced),
	};

	return cmocka_run_group_tests(tests, dmtpd_world_start,
	    dmtpd_world_end);
}
