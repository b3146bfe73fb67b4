/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtpd_world.h"
#include "tests/unit/unit_keys.h"

#include <stdio.h>

#include "dmtpd/transit.h"

/*
 * The delivery agent, when the peer has other signets than the message was
 * sealed for: it goes to DIME-RESEAL. Dave's keys are such a case; so is a beta
 * that was ours once.
 */

#define RECEIVED                                                               \
	"Received: from localhost (localhost [127.0.0.1])\r\n"                 \
	"\tby mail.alpha.test (Postfix) with ESMTP id 4Stale\r\n"              \
	"\tfor <dave@beta.test>; Mon, 1 Jan 2024 00:00:00 +0000 (UTC)\r\n"

static int
reseal_start(void **state)
{
	world.reseals = true;
	return dmtpd_world_start(state);
}

/* As a message of Postfix's, with dmtpd's fields. */
static int
hand_back(struct stream *s, const char *sender, const char *recipient,
    const char *fields, struct span body)
{
	char head[1000];

	snprintf(head, sizeof(head), RECEIVED "%s%s", fields, transit_head);
	return hand_in(s, sender, recipient, head, body);
}

/* What DIME-RESEAL was given: which time it is, and the armor as it was. */
static void
assert_brought_back(const char *sender, unsigned int count,
    const struct user_signet *author, struct span armor)
{
	const struct postfix_mail *mail = reseal_mail();
	char head[1000];
	struct span line, rest;

	assert_string_equal(mail->sender, sender);
	snprintf(head, sizeof(head), "Dimegate-Resealed: %u\r\n"
	    "Dimegate-Author: <alice@alpha.test> [%s]\r\n%s", count,
	    author->core, transit_head);
	assert_true(mail->message.length > strlen(head));
	assert_memory_equal(mail->message.data, head, strlen(head));
	rest = span_slice(buffer_span(&mail->message), strlen(head), SIZE_MAX);
	while (span_next_line(&armor, &line)) {
		struct span other;

		assert_true(span_next_line(&rest, &other));
		assert_true(span_equal(line, other));
	}
	assert_int_equal(rest.length, 0);
}

static void
stale_goes_back_to_be_sealed(void **state)
{
	static const struct {
		const char *sender, *fields;
		unsigned int count;
	} cases[] = {
	    {"alice@alpha.test", "", 1},
	    {"Alice+x@ALPHA.test", "", 1},
	    {"\"a b>\"@alpha.test", "", 1},
	    {"", "Dimegate-Resealed: 1\r\n", 2},
	    {"list@alpha.test", "Dimegate-Resealed: 7\r\n", 8},
	};
	static const char *const what[] = {"event=resealed", "queue=4Stale",
	    "as=4Anew", "destination=beta.test", "code=586", NULL};
	struct buffer message = sealed(world.beta, world.dave, "stale");
	struct stream *s = lmtp_open();
	char stale[300];

	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned int before = reseal_mail()->count;

		unit_case(cases[i].sender);
		assert_int_equal(hand_back(s, cases[i].sender, "Dave@beta.test",
		    cases[i].fields, buffer_span(&message)), 250);
		assert_string_equal(heard, "2.0.0 586 INVALID RECIPIENT SIGNET "
		    "(beta.test said so): sealed anew as 4Anew");
		assert_int_equal(reseal_mail()->count, before + 1);
		assert_string_equal(reseal_mail()->recipient,
		    "Dave@beta.test");
		assert_brought_back(cases[i].sender, cases[i].count,
		    world.alice->signet, buffer_span(&message));
		policyd_heard_stale(stale);
		assert_string_equal(stale, "dave@beta.test");
	}
	wait_log(NULL, 0, what);
	stream_free(s);
	buffer_free(&message);
}

/* A key store of its own, with a beta.test that dmtpd does not know. */
static struct keys *
open_former(struct keys_org **beta, struct keys_user **bob)
{
	struct keys *keys = unit_keys_open(world.directory, "former-");

	assert_int_equal(keys_create_org(keys, "beta.test", NULL), 0);
	assert_int_equal(keys_create_user(keys, "bob@beta.test", NULL), 0);
	assert_int_equal(keys_find_org(keys, "beta.test", beta, NULL), 0);
	assert_int_equal(keys_find_user(keys, "bob@beta.test", bob, NULL), 0);
	return keys;
}

static void
so_does_what_the_organization_has_left_behind(void **state)
{
	struct keys_user *bob;
	struct keys_org *beta;
	struct keys *former = open_former(&beta, &bob);
	struct buffer message = sealed(beta, bob, "former");
	struct stream *s = lmtp_open();
	char stale[300];

	assert_int_equal(hand_back(s, "alice@alpha.test", "bob@beta.test", "",
	    buffer_span(&message)), 250);
	assert_string_equal(heard, "2.0.0 576 INVALID DESTINATION SIGNET "
	    "(beta.test said so): sealed anew as 4Anew");
	assert_brought_back("alice@alpha.test", 1, world.alice->signet,
	    buffer_span(&message));
	policyd_heard_stale(stale);
	assert_string_equal(stale, "beta.test");
	stream_free(s);
	buffer_free(&message);
	keys_user_free(bob);
	keys_org_free(beta);
	keys_close(former);
}

/* In the libdime dialect policyd's word is enough. */
static void
policyd_knows_of_another(void **state)
{
	struct buffer message = sealed(world.libdime_beta, world.libdime_bob,
	    "libdime");
	struct stream *s = lmtp_open();
	char stale[300];

	policyd_heard_stale(stale);
	assert_int_equal(hand_back(s, "alice@alpha.test", "bob@beta.test", "",
	    buffer_span(&message)), 250);
	assert_string_equal(heard, "2.0.0 sealed for another signet than "
	    "beta.test has: sealed anew as 4Anew");
	assert_brought_back("alice@alpha.test", 1,
	    world.libdime_alice->signet, buffer_span(&message));
	policyd_heard_stale(stale);
	assert_string_equal(stale, "");
	stream_free(s);
	buffer_free(&message);
}

/* Of an organization's rotation policyd may know before the peer says so. */
static void
what_policyd_knows_is_not_offered_first(void **state)
{
#define KNOWN "sealed for another signet than beta.test has: "
	struct buffer bob = sealed(world.beta, world.bob, "known");
	struct buffer dave = sealed(world.beta, world.dave, "known");
	const struct {
		const char *name, *recipient, *fields;
		struct span body;
		const char *holds; /* policyd */
		const char *milter;
		int code;
		const char *text;
		unsigned int brought, delivered;
	} cases[] = {
	    {"the same", "bob@beta.test", "", buffer_span(&bob),
	     world.beta->signet->fingerprint, "250 Ok", 250,
	     "2.0.0 254 ACCEPTED=", 0, 1},
	    {"another", "bob@beta.test", "", buffer_span(&bob),
	     world.alpha->signet->fingerprint, "250 2.0.0 Ok: queued as 4New",
	     250, "2.0.0 " KNOWN "sealed anew as 4New", 1, 0},
	    {"another, for which it cannot be sealed", "bob@beta.test", "",
	     buffer_span(&bob), world.alpha->signet->fingerprint,
	     "451 4.7.5 DIME-451 custody", 250, "2.0.0 255 DUPLICATE=", 1, 0},
	    {"nor does the peer take it", "dave@beta.test", "",
	     buffer_span(&dave), world.alpha->signet->fingerprint,
	     "451 4.7.5 DIME-451 custody", 451, "4.7.5 " KNOWN "custody", 1,
	     0},
	    {"sealed anew before", "bob@beta.test",
	     "Dimegate-Resealed: 1\r\n", buffer_span(&bob),
	     world.alpha->signet->fingerprint, "250 Ok", 250,
	     "2.0.0 255 DUPLICATE=", 0, 0},
	};
	struct stream *s = lmtp_open();

	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned int brought = reseal_mail()->tried;
		unsigned int delivered = postfix_mail()->count;

		unit_case(cases[i].name);
		policyd_holds(cases[i].holds);
		reseal_answers("250 Ok", cases[i].milter);
		assert_int_equal(hand_back(s, "alice@alpha.test",
		    cases[i].recipient, cases[i].fields, cases[i].body),
		    cases[i].code);
		if (strncmp(heard, cases[i].text,
		    strlen(cases[i].text)) != 0)
			fail_msg("%s", heard);
		assert_int_equal(reseal_mail()->tried - brought,
		    cases[i].brought);
		assert_int_equal(postfix_mail()->count - delivered,
		    cases[i].delivered);
	}
	policyd_holds("");
	reseal_answers("250 Ok", "250 2.0.0 Ok: queued as 4Anew");
	stream_free(s);
	buffer_free(&bob);
	buffer_free(&dave);
}

static void
the_milters_word_is_passed_on(void **state)
{
#define SAID "586 INVALID RECIPIENT SIGNET (beta.test said so): "
#define ANEW SAID "sealing it anew: "
	static const struct {
		const char *name, *rcpt, *message;
		int code;
		const char *text;
	} cases[] = {
	    {"waits", "250 Ok", "451 4.7.5 DIME-451 the same signets", 451,
	     "4.7.5 " SAID "the same signets"},
	    {"gone", "250 Ok", "550 5.1.1 DIME-550 no dave@beta.test", 550,
	     "5.1.1 " SAID "no dave@beta.test"},
	    {"large", "250 Ok", "552 5.3.4 DIME-552 too large", 552,
	     "5.3.4 " SAID "too large"},
	    {"Postfix's own refusal", "250 Ok", "550 5.7.1 <dave> is bad", 451,
	     "4.3.0 " ANEW "Postfix: message: 550 5.7.1"},
	    {"without an enhanced code", "250 Ok", "550 DIME-550 x", 451,
	     "4.3.0 " ANEW "Postfix: message: 550  DIME-550 x"},
	    {"recipient refused", "554 5.7.1 Relay access denied", "", 451,
	     "4.3.0 " ANEW "Postfix: RCPT: 554 5.7.1"},
	    {"put off", "250 Ok", "451 4.3.0 queue file write error", 451,
	     "4.3.0 " ANEW "Postfix: message: 451 4.3.0"},
	    {"hangs up", "250 Ok", "", 451, "4.3.0 " ANEW "Postfix at "},
	    {"no id", "250 Ok", "250 2.0.0 Ok", 250,
	     "2.0.0 " SAID "sealed anew as "},
	};
	static const char *const what[] = {"event=bounced", "anew=5.1.1",
	    "text=\"586 ", NULL};
	struct buffer message = sealed(world.beta, world.dave, "words");
	struct stream *s = lmtp_open();

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		reseal_answers(cases[i].rcpt, cases[i].message);
		assert_int_equal(hand_back(s, "alice@alpha.test",
		    "dave@beta.test", "", buffer_span(&message)),
		    cases[i].code);
		if (strncmp(heard, cases[i].text,
		    strlen(cases[i].text)) != 0)
			fail_msg("%s", heard);
	}
	reseal_answers("250 Ok", "250 2.0.0 Ok: queued as 4Anew");
	wait_log(NULL, 0, what);
	assert_false(log_holds("dave"));
	stream_free(s);
	buffer_free(&message);
}

static void
nothing_else_goes_there(void **state)
{
	struct buffer bob = sealed(world.beta, world.bob, "fresh");
	struct buffer carol = sealed(world.beta, world.carol, "unknown");
	struct buffer badly = sealed_badly(world.beta, world.dave, "badly");
	struct buffer erin = sealed(world.gamma, world.erin, "no host");
	const struct {
		const char *name, *recipient, *fields;
		struct span body;
		int code;
	} cases[] = {
	    {"delivered", "bob@beta.test", "", buffer_span(&bob), 250},
	    {"no such recipient", "carol@beta.test", "", buffer_span(&carol),
	     550},
	    {"not signed by us", "dave@beta.test", "", buffer_span(&badly),
	     550},
	    {"no host", "erin@gamma.test", "", buffer_span(&erin), 451},
	    {"a count that is none", "bob@beta.test",
	     "Dimegate-Resealed: x\r\n", buffer_span(&bob), 550},
	};
	unsigned int before = reseal_mail()->count;
	struct stream *s = lmtp_open();

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		assert_int_equal(hand_back(s, "alice@alpha.test",
		    cases[i].recipient, cases[i].fields, cases[i].body),
		    cases[i].code);
	}
	assert_int_equal(reseal_mail()->count, before);
	/* What crosses has none of our fields. */
	assert_int_equal(hand_back(s, "alice@alpha.test", "bob@beta.test",
	    "Dimegate-Resealed: 2\r\n", buffer_span(&bob)), 250);
	assert_memory_equal(postfix_mail()->message.data, "\r\n-----BEGIN", 12);
	stream_free(s);
	buffer_free(&bob);
	buffer_free(&carol);
	buffer_free(&badly);
	buffer_free(&erin);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stale_goes_back_to_be_sealed),
	    cmocka_unit_test(so_does_what_the_organization_has_left_behind),
	    cmocka_unit_test(policyd_knows_of_another),
	    cmocka_unit_test(what_policyd_knows_is_not_offered_first),
	    cmocka_unit_test(the_milters_word_is_passed_on),
	    cmocka_unit_test(nothing_else_goes_there),
	};

	return cmocka_run_group_tests(tests, reseal_start, dmtpd_world_end);
}
