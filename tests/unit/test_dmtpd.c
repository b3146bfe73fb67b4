/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtpd_world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dmtp/reply.h"
#include "dmtpd/transit.h"
#include "keys/state.h"

/* ---- signets ---- */

static void
assert_listed(const struct signet *expected)
{
	struct signet *signet = NULL;
	struct fault fault = {0};

	if (signet_read(buffer_span(&listing), &signet, &fault) != 0)
		fail_msg("%s", fault.text);
	assert_true(span_equal(signet_binary(signet), signet_binary(expected)));
	signet_free(signet);
}

static void
signets(void **state)
{
	const struct user_signet *bob = world.bob->signet;
	const struct org_signet *beta = world.beta->signet;
	struct stream *s = dmtp_open();

	assert_string_equal(heard, "<mx.beta.test> DMTP");
	assert_int_equal(ask(s, "SGNT FOR=<beta.test>"), 270);
	assert_string_equal(heard, "OK");
	assert_listed(beta->signet);
	assert_int_equal(ask(s, "SGNT FOR=<beta.test> FINGERPRINT=[%s]",
	    beta->fingerprint), 270);
	assert_listed(beta->signet);
	assert_int_equal(ask(s, "SGNT FOR=<Bob@Beta.Test>"), 280);
	assert_listed(bob->signet);
	assert_int_equal(ask(s, "SGNT FOR=<bob+tag@beta.test>"), 280);
	assert_listed(bob->signet);
	assert_int_equal(ask(s, "SGNT FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    bob->core), 280);
	assert_listed(bob->signet);
	assert_int_equal(ask(s, "SGNT FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    bob->full), 280);
	assert_listed(bob->signet);
	assert_int_equal(ask(s, "SGNT FOR=<alpha.test> FINGERPRINT=[%s]",
	    beta->fingerprint), 576);
	assert_string_equal(heard, "SIGNET UNAVAILABLE");
	assert_int_equal(ask(s, "SGNT FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    world.dave->signet->core), 576);
	assert_int_equal(ask(s, "SGNT FOR=<nobody@beta.test>"), 576);
	assert_int_equal(ask(s, "SGNT FOR=<nowhere.test>"), 576);
	assert_int_equal(ask(s, "SGNT FOR=<bob@nowhere.test>"), 576);
	assert_int_equal(ask(s, "QUIT"), 221);
	stream_free(s);
}

static void
verification(void **state)
{
	const struct user_signet *bob = world.bob->signet;
	const struct org_signet *beta = world.beta->signet;
	struct stream *s = dmtp_open();

	assert_int_equal(ask(s, "VRFY FOR=<beta.test> FINGERPRINT=[%s]",
	    beta->fingerprint), 271);
	assert_int_equal(ask(s, "VRFY FOR=<beta.test> FINGERPRINT=[%s]",
	    world.alpha->signet->fingerprint), 270);
	assert_listed(beta->signet);
	assert_int_equal(ask(s, "VRFY FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    bob->core), 281);
	assert_int_equal(ask(s, "VRFY FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    beta->fingerprint), 280);
	assert_listed(bob->signet);
	assert_int_equal(ask(s, "VRFY FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    bob->full), 501);
	assert_int_equal(ask(s, "VRFY FOR=<nobody@beta.test> FINGERPRINT=[%s]",
	    bob->core), 576);
	assert_int_equal(ask(s, "VRFY FOR=<nowhere.test> FINGERPRINT=[%s]",
	    bob->core), 576);
	stream_free(s);
}

static void
history(void **state)
{
	const struct user_signet *bob = world.bob->signet;
	struct buffer core = buffer_make(65536);
	struct signet *signet;
	struct stream *s = dmtp_open();

	assert_int_equal(signet_split(bob->signet, SIGNET_STATE_CORE, &core,
	    NULL), 0);
	assert_int_equal(ask(s, "HIST FOR=<bob@beta.test>"), 290);
	assert_int_equal(signet_read(buffer_span(&listing), &signet, NULL), 0);
	assert_true(span_equal(signet_binary(signet), buffer_span(&core)));
	signet_free(signet);
	buffer_free(&core);
	assert_int_equal(ask(s, "HIST FOR=<bob@beta.test> START=[%s] STOP=[%s]",
	    bob->core, bob->core), 290);
	assert_int_equal(ask(s, "HIST FOR=<bob@beta.test> START=[%s]",
	    bob->full), 576);
	assert_int_equal(ask(s, "HIST FOR=<bob@beta.test> STOP=[%s]",
	    world.dave->signet->core), 576);
	assert_int_equal(ask(s, "HIST FOR=<nobody@beta.test>"), 576);
	stream_free(s);
}

/* ---- MAIL and RCPT ---- */

static int
say_mail(struct stream *s, const char *domain, const char *fingerprint)
{
	return ask(s, "MAIL FROM=<%s> FINGERPRINT=[%s]", domain, fingerprint);
}

static int
say_rcpt(struct stream *s, const char *domain, const char *fingerprint)
{
	return ask(s, "RCPT TO=<%s> FINGERPRINT=[%s]", domain, fingerprint);
}

static int64_t
days_ago(const struct clock *clock)
{
	return clock_wall(&clock_system) - 73 * 3600;
}

static void
origins(void **state)
{
	static const struct clock past = {days_ago, days_ago};
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
	assert_int_equal(say_mail(s, "absent.test", alpha), 575);
	assert_int_equal(say_mail(s, "unconfirmed.test", alpha), 470);
	assert_int_equal(say_mail(s, "slow.test", alpha), 470);
	/* The same, having failed for three days already. */
	snprintf(database, sizeof(database), "%s/state.db", world.directory);
	assert_int_equal(state_open(database, 0600, &past, &old, NULL), 0);
	snprintf(name, sizeof(name), "origin gone.test %s", alpha);
	assert_int_equal(state_failing_since(old, name, &since), 0);
	state_close(old);
	assert_int_equal(say_mail(s, "gone.test", alpha), 570);
	assert_int_equal(say_mail(s, "gone.test", beta), 470);
	stream_free(s);
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
	stream_free(s);
}

/* ---- DATA ---- */

static int
transact(struct stream *s, const char *origin, struct span message)
{
	assert_int_equal(say_mail(s, origin,
	    strcmp(origin, "beta.test") == 0 ? world.beta->signet->fingerprint
	    : world.alpha->signet->fingerprint), 250);
	assert_int_equal(say_rcpt(s, "beta.test",
	    world.beta->signet->fingerprint), 250);
	assert_int_equal(ask(s, "DATA"), 354);
	say_span(s, message);
	return ask(s, ".");
}

static void
accepted(void **state)
{
	static const char *const what[] = {"event=received", "code=254",
	    "origin=alpha.test", "destination=beta.test", "queue=4Wx1Yz",
	    NULL};
	struct buffer message = sealed(world.beta, world.bob, "first");
	unsigned int before = postfix_mail()->count;
	struct transit transit;
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
	assert_int_equal(transit_read(buffer_span(&postfix_mail()->message),
	    &transit, NULL), 0);
	assert_true(memcmp(postfix_mail()->message.data, transit_head,
	    strlen(transit_head)) == 0);
	message_free(read);
	assert_int_equal(message_read(transit.armor, 1 << 20, &read, NULL), 0);
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
		buffer_append_string(&large, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n");
	assert_int_equal(transact(s, "alpha.test", buffer_span(&large)), 552);
	assert_string_equal(heard, "MESSAGE TOO LARGE");
	assert_int_equal(ask(s, "NOOP"), 250);
	stream_free(s);
	buffer_free(&large);
}

static void
start_data(struct stream *s)
{
	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	assert_int_equal(say_mail(s, "alpha.test",
	    world.alpha->signet->fingerprint), 250);
	assert_int_equal(say_rcpt(s, "beta.test",
	    world.beta->signet->fingerprint), 250);
	assert_int_equal(ask(s, "DATA"), 354);
}

/* More messages at once than there is memory for: some are put off, and when all
 * have gone there is room again. */
static void
memory_is_bounded(void **state)
{
	enum { SESSIONS = 20, LINES = 40000 /* of 32 octets */ };
	struct buffer large = buffer_make(8 << 20);
	struct buffer good = sealed(world.beta, world.bob, "after the rush");
	struct stream *streams[SESSIONS];
	unsigned int put_off = 0, read = 0;

	for (int i = 0; i < LINES; i++)
		buffer_append_string(&large, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n");
	for (int i = 0; i < SESSIONS; i++) {
		streams[i] = dmtp_open();
		start_data(streams[i]);
		say_span(streams[i], buffer_span(&large));
	}
	for (int i = 0; i < SESSIONS; i++) {
		int code = ask(streams[i], ".");

		put_off += code == 450;
		read += code == 451;
	}
	assert_int_equal(put_off + read, SESSIONS);
	assert_true(put_off > 0 && read > 0);
	assert_int_equal(transact(streams[0], "alpha.test",
	    buffer_span(&good)), 254);
	for (int i = 0; i < SESSIONS; i++)
		stream_free(streams[i]);
	buffer_free(&large);
	buffer_free(&good);
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

/* ---- the delivery agent ---- */

#define RECEIVED                                                               \
	"Received: from localhost (localhost [127.0.0.1])\r\n"                 \
	"\tby mail.alpha.test (Postfix) with ESMTP id 4QueueId\r\n"            \
	"\tfor <bob@beta.test>; Mon, 1 Jan 2024 00:00:00 +0000 (UTC)\r\n"

static int
hand_in(struct stream *s, const char *sender, const char *recipient,
    const char *head, struct span body)
{
	struct span line;

	assert_int_equal(ask(s, "MAIL FROM:<%s>", sender), 250);
	assert_int_equal(ask(s, "RCPT TO:<%s>", recipient), 250);
	assert_int_equal(ask(s, "DATA"), 354);
	say(s, head);
	while (span_next_line(&body, &line)) {
		say_span(s, line);
		say(s, "\r\n");
	}
	return ask(s, ".");
}

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
	assert_true(memcmp(postfix_mail()->message.data, transit_head,
	    strlen(transit_head)) == 0);
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

static void
agent_refuses(void **state)
{
	struct buffer good = sealed(world.beta, world.bob, "agent refuses");
	struct buffer badly = sealed_badly(world.beta, world.bob, "badly");
	struct buffer carol = sealed(world.beta, world.carol, "agent's carol");
	struct buffer dave = sealed(world.beta, world.dave, "agent's dave");
	struct buffer erin = sealed(world.gamma, world.erin, "agent's erin");
	const struct {
		const char *name, *recipient, *head;
		struct span body;
		int code;
		const char *text;
	} cases[] = {
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

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		assert_int_equal(hand_in(s, "alice@alpha.test",
		    cases[i].recipient, cases[i].head, cases[i].body),
		    cases[i].code);
		if (strstr(heard, cases[i].text) != heard)
			fail_msg("%s", heard);
	}
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

	assert_false(log_holds("bob@"));
	assert_false(log_holds("alice@"));
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
	    cmocka_unit_test(signets),
	    cmocka_unit_test(verification),
	    cmocka_unit_test(history),
	    cmocka_unit_test(origins),
	    cmocka_unit_test(destinations),
	    cmocka_unit_test(accepted),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(too_large),
	    cmocka_unit_test(memory_is_bounded),
	    cmocka_unit_test(postfix_refuses),
	    cmocka_unit_test(pipelined),
	    cmocka_unit_test(agent_delivers),
	    cmocka_unit_test(agent_refuses),
	    cmocka_unit_test(agent_is_put_off),
	    cmocka_unit_test(configuration_check),
	    cmocka_unit_test(reload),
	    cmocka_unit_test(shutdown_is_announced),
	};

	return cmocka_run_group_tests(tests, dmtpd_world_start,
	    dmtpd_world_end);
}
