/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtpd_world.h"
#include "tests/unit/unit_host.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include "dmtpd/transit.h"

/* The delivery agent and one host of beta.test, to which it has much to say. */

static struct unit_host *host;

/* Hands a letter of its own words in; the answer is still to come. */
static void
begin(struct stream *s, const char *words)
{
	struct buffer message = sealed(world.beta, world.bob, words);

	start_lmtp_data(s, "alice@alpha.test", "bob@beta.test", transit_head,
	    buffer_span(&message));
	say(s, ".\r\n");
	buffer_free(&message);
}

static int
hand_letter(struct stream *s, const char *words)
{
	begin(s, words);
	return hear(s);
}

/* When the host was put off a moment ago. */
static void
hand_in_at_last(struct stream *s)
{
	const struct deadline patience = deadline_in(WORLD_PATIENCE);

	while (hand_letter(s, "at last") != 250) {
		assert_true(deadline_left(patience) > 0);
		poll(NULL, 0, 100);
	}
}

static void
one_session_for_many_letters(void **state)
{
	static const char *const first[] = {"event=delivered", " session=new ",
	    NULL};
	static const char *const later[] = {"event=delivered",
	    " session=reused ", NULL};
	struct stream *s = lmtp_open();
	struct unit_host_count count;
	char words[16];

	for (int i = 0; i < 5; i++) {
		snprintf(words, sizeof(words), "letter %d", i);
		assert_int_equal(hand_letter(s, words), 250);
	}
	wait_log(NULL, 0, first);
	wait_log(NULL, 0, later);
	count = unit_host_count(host);
	assert_int_equal(count.connections, 1);
	assert_int_equal(count.messages, 5);
	assert_int_equal(count.resets, 4);
	stream_free(s);
}

/* Nothing that happens to a session that is idle keeps a letter back. */
static void
sessions_that_ended(void **state)
{
	static const struct {
		const char *name, *blurts, *rset;
	} cases[] = {
	    {"the host closes", "", NULL},
	    {"the host says 421", "421 CLOSING CONNECTION\n", NULL},
	    {"the host closes at RSET", NULL, ""},
	    {"the host says 421 at RSET", NULL, "421 CLOSING CONNECTION\n"},
	    {"the host refuses RSET", NULL, "503 NO\n"},
	};
	struct stream *s = lmtp_open();

	assert_int_equal(hand_letter(s, "before"), 250);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct unit_host_count before = unit_host_count(host), after;

		unit_case(cases[i].name);
		if (cases[i].blurts != NULL)
			unit_host_blurts(host, cases[i].blurts);
		unit_host_answers(host, "RSET", cases[i].rset);
		assert_int_equal(hand_letter(s, cases[i].name), 250);
		unit_host_answers(host, NULL, NULL);
		after = unit_host_count(host);
		assert_int_equal(after.messages, before.messages + 1);
		assert_int_equal(after.connections, before.connections + 1);
	}
	stream_free(s);
}

/* A host that has had enough of a session gets a letter by another one. */
static void
sessions_that_the_host_ends(void **state)
{
	static const struct {
		const char *name, *verb, *answer;
	} cases[] = {
	    {"421 to MAIL", "MAIL", "421 CLOSING CONNECTION\n"},
	    {"the end at RCPT", "RCPT", ""},
	    {"421 to DATA", "DATA", "421 CLOSING CONNECTION\n"},
	};
	struct stream *s = lmtp_open();

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct unit_host_count before, after;

		unit_case(cases[i].name);
		assert_int_equal(hand_letter(s, "before"), 250);
		before = unit_host_count(host);
		unit_host_answers_late(host, cases[i].verb, cases[i].answer);
		assert_int_equal(hand_letter(s, cases[i].name), 250);
		unit_host_answers(host, NULL, NULL);
		after = unit_host_count(host);
		assert_int_equal(after.messages, before.messages + 1);
		assert_int_equal(after.connections, before.connections + 1);
	}
	unit_case("a new session as well: that is the host's word");
	unit_host_answers(host, "MAIL", "421 CLOSING CONNECTION\n");
	assert_int_equal(hand_letter(s, "refused by two"), 451);
	unit_host_answers(host, NULL, NULL);
	stream_free(s);
}

/* What may have been delivered is not sent once more in this attempt. */
static void
a_session_that_breaks_after_the_message(void **state)
{
	struct stream *s = lmtp_open();
	unsigned int before;

	assert_int_equal(hand_letter(s, "goes well"), 250);
	before = unit_host_count(host).messages;
	unit_host_answers(host, ".", "");
	assert_int_equal(hand_letter(s, "in doubt"), 451);
	assert_int_equal(strncmp(heard, "4.4.1 ", 6), 0);
	assert_int_equal(unit_host_count(host).messages, before + 1);
	unit_host_answers(host, NULL, NULL);
	assert_int_equal(hand_letter(s, "in doubt"), 250);
	stream_free(s);
}

/* A refusal leaves the session as good as it was. */
static void
a_refusal_ends_no_session(void **state)
{
	struct stream *s = lmtp_open();
	unsigned int before;

	assert_int_equal(hand_letter(s, "not refused"), 250);
	before = unit_host_count(host).connections;
	unit_host_answers(host, "RCPT", "510 INVALID DESTINATION\n");
	assert_int_equal(hand_letter(s, "refused"), 550);
	unit_host_answers(host, NULL, NULL);
	assert_int_equal(hand_letter(s, "not refused again"), 250);
	assert_int_equal(unit_host_count(host).connections, before);
	stream_free(s);
}

static void
reload_closes_what_is_idle(void **state)
{
	struct stream *s = lmtp_open();

	assert_int_equal(hand_letter(s, "before the reload"), 250);
	assert_true(dmtpd_reload(""));
	unit_host_wait(host, unit_host_has_open, 0);
	assert_int_equal(hand_letter(s, "after the reload"), 250);
	stream_free(s);
}

/* ---- how many ---- */

static void
so_many_sessions_and_no_more(void **state)
{
	const unsigned int before = unit_host_count(host).messages;
	struct stream *first = lmtp_open(), *second = lmtp_open();

	assert_true(dmtpd_reload("destination_session_limit = 1\n"));
	unit_host_holds(host, true);
	begin(first, "has the session");
	unit_host_wait(host, unit_host_has_messages, before + 1);
	assert_int_equal(hand_letter(second, "waits for it, in vain"), 451);
	assert_string_equal(heard,
	    "4.3.2 1 sessions with beta.test or its host "
	    "dx.gamma.test are open already");
	assert_int_equal(hand_letter(second, "does not wait"), 451);
	unit_host_holds(host, false);
	assert_int_equal(hear(first), 250);
	assert_int_equal(hand_letter(second, "has its turn"), 250);
	assert_int_equal(unit_host_count(host).messages, before + 2);
	stream_free(first);
	stream_free(second);
	assert_true(dmtpd_reload(""));
}

/* ---- what is known of the host ---- */

static void
the_record_changes(void **state)
{
	struct stream *s = lmtp_open();
	struct unit_host_count before, after;

	assert_int_equal(hand_letter(s, "under the old record"), 250);
	before = unit_host_count(host);
	policyd_signs_other(true);
	assert_int_equal(hand_letter(s, "under the new record"), 451);
	assert_int_equal(strncmp(heard, "4.7.5 ", 6), 0);
	after = unit_host_count(host);
	assert_int_equal(after.messages, before.messages);
	unit_host_wait(host, unit_host_has_open, 0);
	policyd_signs_other(false);
	stream_free(s);
}

/* Two sessions end, and no new one can be had: the second attempt is not even
 * made, since the host has just failed. */
static void
a_host_that_goes_down(void **state)
{
	const unsigned int before = unit_host_count(host).messages;
	struct stream *first = lmtp_open(), *second = lmtp_open();

	unit_host_holds(host, true);
	begin(first, "opens a session");
	begin(second, "opens another");
	unit_host_wait(host, unit_host_has_messages, before + 2);
	unit_host_holds(host, false);
	assert_int_equal(hear(first), 250);
	assert_int_equal(hear(second), 250);
	unit_host_turns_away(host, true);
	unit_host_answers_late(host, "MAIL", "");
	assert_int_equal(hand_letter(first, "finds it down"), 451);
	assert_int_equal(hand_letter(second, "need not try"), 451);
	assert_non_null(strstr(heard, "failed a moment ago"));
	unit_host_answers(host, NULL, NULL);
	unit_host_turns_away(host, false);
	hand_in_at_last(first);
	stream_free(first);
	stream_free(second);
}

/* The last test. */
static void
shutdown_closes_what_is_idle(void **state)
{
	struct stream *s = lmtp_open();
	unsigned int goodbyes;

	hand_in_at_last(s);
	goodbyes = unit_host_count(host).goodbyes;
	kill(world.process, SIGTERM);
	unit_host_wait(host, unit_host_has_open, 0);
	assert_int_equal(unit_host_count(host).goodbyes, goodbyes + 1);
	stream_free(s);
}

static int
start(void **state)
{
	if (dmtpd_world_start(state) != 0)
		return -1;
	host = unit_host_start(&world.certificate);
	policyd_has_hosts_on(unit_host_port(host));
	return 0;
}

static int
end(void **state)
{
	int err = dmtpd_world_end(state);

	unit_host_end(host);
	return err;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_session_for_many_letters),
	    cmocka_unit_test(sessions_that_ended),
	    cmocka_unit_test(sessions_that_the_host_ends),
	    cmocka_unit_test(a_session_that_breaks_after_the_message),
	    cmocka_unit_test(a_refusal_ends_no_session),
	    cmocka_unit_test(reload_closes_what_is_idle),
	    cmocka_unit_test(so_many_sessions_and_no_more),
	    cmocka_unit_test(a_host_that_goes_down),
	    cmocka_unit_test(the_record_changes),
	    cmocka_unit_test(shutdown_closes_what_is_idle),
	};

	return cmocka_run_group_tests(tests, start, end);
}
