/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtpd_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "dime/armor.h"
#include "dmtp/reply.h"

/* What is said to DATA and a message, and what Postfix gets. */

static void
accepted(void **state)
{
	static const char *const what[] = {"event=received", "code=254",
	    "origin=alpha.test", "destination=beta.test", "queue=4Wx1Yz",
	    NULL};
	struct buffer message = sealed(world.beta, world.bob, "first");
	unsigned int before = postfix_mail()->count;
	struct span handed, empty;
	struct message *read;
	char id[SIGNET_FINGERPRINT_SIZE], expected[128], line[1000];
	struct stream *s = dmtp_open();

	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	assert_int_equal(transact(s, "alpha.test", buffer_span(&message)),
	    254);
	assert_int_equal(message_read(buffer_span(&message), 1 << 20, &read,
	    NULL), 0);
	message_identifier(read, id);
	snprintf(expected, sizeof(expected), "ACCEPTED=%s", id);
	assert_string_equal(heard, expected);

	assert_int_equal(postfix_mail()->count, before + 1);
	assert_string_equal(postfix_mail()->sender,
	    "mailer-daemon@alpha.test");
	assert_string_equal(postfix_mail()->recipient, "bob@beta.test");
	/* No header. */
	handed = buffer_span(&postfix_mail()->message);
	assert_true(span_next_line(&handed, &empty));
	assert_int_equal(empty.length, 0);
	message_free(read);
	assert_int_equal(message_read(handed, 1 << 20, &read, NULL), 0);
	message_free(read);

	assert_int_equal(transact(s, "alpha.test", buffer_span(&message)),
	    255);
	snprintf(expected, sizeof(expected), "DUPLICATE=%s", id);
	assert_string_equal(heard, expected);
	assert_int_equal(postfix_mail()->count, before + 1);
	wait_log(line, sizeof(line), what);
	stream_free(s);
	buffer_free(&message);
}

/* The keyslots of chunk 255 for others are what no signature covers: whoever
 * has seen a message can change them. */
static void
knows_a_changed_message_again(void **state)
{
	enum { SLOTS = 4 * 64 };
	struct buffer message = sealed(world.beta, world.bob, "changed");
	struct buffer changed = buffer_make(1 << 20);
	unsigned int before = postfix_mail()->count;
	struct stream *s = dmtp_open();
	struct message *read;
	struct span binary;
	uint8_t *octets;

	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	assert_int_equal(transact(s, "alpha.test", buffer_span(&message)),
	    254);
	assert_int_equal(message_read(buffer_span(&message), 1 << 20, &read,
	    NULL), 0);
	binary = message_binary(read);
	octets = malloc(binary.length);
	assert_non_null(octets);
	memcpy(octets, binary.data, binary.length);
	octets[binary.length - SLOTS] ^= 1;
	armor_write(ARMOR_MESSAGE, span_of(octets, binary.length), &changed);
	assert_int_equal(transact(s, "alpha.test", buffer_span(&changed)),
	    255);
	assert_int_equal(postfix_mail()->count, before + 1);
	stream_free(s);
	message_free(read);
	free(octets);
	buffer_free(&changed);
	buffer_free(&message);
}

/* Without its last line. */
static struct span
cut_off(struct span text)
{
	do
		text.length--;
	while (text.data[text.length - 1] != '\n');
	return text;
}

/* The session goes on after each refusal, and Postfix never sees anything. */
static void
refused(void **state)
{
	struct buffer good = sealed(world.beta, world.bob, "refused");
	struct buffer badly = sealed_badly(world.beta, world.bob, "badly");
	struct buffer bare = sealed_unsigned(world.beta, world.bob, "bare");
	struct buffer carol = sealed(world.beta, world.carol, "carol");
	struct buffer dave = sealed(world.beta, world.dave, "dave");
	struct buffer elsewhere = sealed(world.gamma, world.erin, "elsewhere");
	const struct {
		const char *name, *origin;
		struct span message;
		int code;
		const char *text;
	} cases[] = {
	    {"nothing", "alpha.test", {NULL, 0}, 451, "DATA CORRUPTED"},
	    {"naked", "alpha.test", span_string("Subject: x\n\nx\n"), 451,
	        "DATA CORRUPTED"},
	    {"cut off", "alpha.test", cut_off(buffer_span(&good)), 451,
	        "DATA CORRUPTED"},
	    {"signed badly", "alpha.test", buffer_span(&badly), 578,
	        "INVALID ORIGIN SIGNATURE"},
	    {"not signed", "alpha.test", buffer_span(&bare), 578,
	        "INVALID ORIGIN SIGNATURE"},
	    {"signed by another", "beta.test", buffer_span(&good), 578,
	        "INVALID ORIGIN SIGNATURE"},
	    {"origin of chunk 5", "www.alpha.test", buffer_span(&good), 575,
	        "INVALID ORIGIN SIGNET"},
	    {"no such recipient", "alpha.test", buffer_span(&carol), 510,
	        "INVALID RECIPIENT"},
	    {"not his signet", "alpha.test", buffer_span(&dave), 586,
	        "INVALID RECIPIENT SIGNET"},
	    {"for another domain", "alpha.test", buffer_span(&elsewhere), 578,
	        "INVALID ORIGIN SIGNATURE"},
	};
	unsigned int before = postfix_mail()->count;
	struct stream *s = dmtp_open();

	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		assert_int_equal(transact(s, cases[i].origin,
		    cases[i].message), cases[i].code);
		assert_string_equal(heard, cases[i].text);
	}
	unit_case("signed badly, and a rule that would have it again");
	policyd_says(POLICY_DEFER);
	assert_int_equal(transact(s, "alpha.test", buffer_span(&badly)), 451);
	policyd_says(-1);
	assert_int_equal(postfix_mail()->count, before);
	stream_free(s);
	buffer_free(&good);
	buffer_free(&badly);
	buffer_free(&bare);
	buffer_free(&carol);
	buffer_free(&dave);
	buffer_free(&elsewhere);
}

static void
too_large(void **state)
{
	struct buffer large = buffer_make(8 << 20);
	struct stream *s = dmtp_open();
	uint64_t size;
	char *at;

	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	at = strstr((const char *)buffer_string(&listing), "SIZE ");
	assert_non_null(at);
	size = strtoull(at + 5, NULL, 10);
	assert_true(size > WORLD_MESSAGE_LIMIT * 4 / 3);
	assert_int_equal(ask(s, "MAIL FROM=<alpha.test> FINGERPRINT=[%s] "
	    "SIZE=%llu", world.alpha->signet->fingerprint,
	    (unsigned long long)size), 250);
	assert_int_equal(ask(s, "MAIL FROM=<alpha.test> FINGERPRINT=[%s] "
	    "SIZE=%llu", world.alpha->signet->fingerprint,
	    (unsigned long long)size + 1), 552);
	while (large.length <= size)
		buffer_append_string(&large, LINE32);
	assert_int_equal(transact(s, "alpha.test", buffer_span(&large)), 552);
	assert_string_equal(heard, "MESSAGE TOO LARGE");
	assert_int_equal(ask(s, "NOOP"), 250);
	stream_free(s);
	buffer_free(&large);
}

static void
postfix_refuses(void **state)
{
	static const struct {
		const char *rcpt, *message;
		int code;
	} cases[] = {
	    {"250 ok", "550 5.7.1 DIME-586 INVALID RECIPIENT SIGNET", 586},
	    {"250 ok", "550 DIME-578 INVALID ORIGIN SIGNATURE", 578},
	    {"250 ok", "451 4.7.1 DIME-451 author's signet not to be had", 451},
	    {"250 ok", "550 5.7.1 DIME-254 no refusal at all", 451},
	    {"250 ok", "550 5.7.1 DIME-999 unheard of", 451},
	    {"250 ok", "550-5.7.1 DIME-510 first\r\n550 5.7.1 second", 510},
	    {"250 ok", "550 5.7.1 spam", 451},
	    {"250 ok", "552 5.3.4 too large", 552},
	    {"250 ok", "451 4.3.0 later", 451},
	    {"250 ok", "", 451},
	    {"250 ok", "nonsense", 451},
	    {"550 5.1.1 <bob@beta.test>: unknown", "250 ok", 510},
	    {"550 5.2.1 <bob@beta.test>: disabled", "250 ok", 510},
	    {"554 5.7.1 <bob@beta.test>: relay access denied", "250 ok", 451},
	    {"450 4.2.2 <bob@beta.test>: over quota", "250 ok", 451},
	    {"", "250 ok", 451},
	};
	struct buffer message = sealed(world.beta, world.bob, "to and fro");
	struct stream *s = dmtp_open();

	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(*cases[i].rcpt == '2' ? cases[i].message
						: cases[i].rcpt);
		postfix_answers(cases[i].rcpt, cases[i].message);
		assert_int_equal(transact(s, "alpha.test",
		    buffer_span(&message)), cases[i].code);
		assert_string_equal(heard, reply_row(
		    reply_by_code(cases[i].code))->text);
	}
	/* None of these counts as delivered. */
	postfix_answers("250 ok", "250 2.0.0 Ok: queued as 4Wx1Yz");
	assert_int_equal(transact(s, "alpha.test", buffer_span(&message)),
	    254);
	stream_free(s);
	buffer_free(&message);
}

/* Messages of one DMTP session go to Postfix in one session. One that Postfix
 * has had enough of, or that has lost its milter, is followed by another; the
 * milter's own word is the last. */
static void
injections_are_kept(void **state)
{
	static const struct {
		const char *name, *again, *message;
		int code;
		unsigned int sessions; /* new ones */
	} cases[] = {
	    {"the first", NULL, "250 Ok: queued as 4Wx1Yz", 254, 1},
	    {"in the same session", NULL, "250 Ok: queued as 4Wx1Yz", 254, 0},
	    {"refused there", "451 4.7.1 Service unavailable",
	        "250 Ok: queued as 4Wx1Yz", 254, 1},
	    {"closed there", "", "250 Ok: queued as 4Wx1Yz", 254, 1},
	    {"time is up", "421 4.4.2 timeout", "250 Ok: queued as 4Wx1Yz",
	        254, 1},
	    {"the milter's word", NULL, "451 4.7.1 DIME-451 later", 451, 0},
	    {"after a refusal", NULL, "250 Ok: queued as 4Wx1Yz", 254, 1},
	    {"not after the message is out", NULL, "", 451, 0},
	    {"and after that", NULL, "250 Ok: queued as 4Wx1Yz", 254, 1},
	};
	struct stream *s = dmtp_open();
	struct buffer message;
	unsigned int before;

	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		before = postfix_mail()->sessions;
		message = sealed(world.beta, world.bob, cases[i].name);
		postfix_answers("250 ok", cases[i].message);
		postfix_answers_again(cases[i].again);
		assert_int_equal(transact(s, "alpha.test",
		    buffer_span(&message)), cases[i].code);
		assert_int_equal(postfix_mail()->sessions - before,
		    cases[i].sessions);
		buffer_free(&message);
	}
	postfix_answers_again(NULL);
	postfix_answers("250 ok", "250 2.0.0 Ok: queued as 4Wx1Yz");
	stream_free(s);
}

/* All of a transaction in one piece, as PIPELINING allows up to DATA. */
static void
pipelined(void **state)
{
	struct buffer message = sealed(world.beta, world.bob, "pipelined");
	struct buffer batch = buffer_make(4096);
	struct stream *s = dmtp_open();

	buffer_printf(&batch, "EHLO <mx.alpha.test>\nSGNT FOR=<beta.test>\n"
	    "MAIL FROM=<alpha.test> FINGERPRINT=[%s]\n",
	    world.alpha->signet->fingerprint);
	buffer_printf(&batch, "RCPT TO=<beta.test> FINGERPRINT=[%s]\nDATA\n",
	    world.beta->signet->fingerprint);
	say_span(s, buffer_span(&batch));
	assert_int_equal(hear(s), 250);
	assert_int_equal(hear(s), 270);
	assert_int_equal(hear(s), 250);
	assert_int_equal(hear(s), 250);
	assert_int_equal(hear(s), 354);
	say_span(s, buffer_span(&message));
	say(s, ".\nNOOP\nQUIT\n");
	assert_int_equal(hear(s), 254);
	assert_int_equal(hear(s), 250);
	assert_int_equal(hear(s), 221);
	stream_free(s);
	buffer_free(&message);
	buffer_free(&batch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(accepted),
	    cmocka_unit_test(knows_a_changed_message_again),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(too_large),
	    cmocka_unit_test(postfix_refuses),
	    cmocka_unit_test(injections_are_kept),
	    cmocka_unit_test(pipelined),
	};

	return cmocka_run_group_tests(tests, dmtpd_world_start,
	    dmtpd_world_end);
}
