/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtpd_world.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/base64.h"
#include "crypto/random.h"
#include "dime/armor.h"
#include "dmtp/reply.h"
#include "dmtpd/transit.h"
#include "keys/state.h"

/* ---- certificates ---- */

static void
assert_shown(const char *name, const struct unit_certificate *expected)
{
	struct tls_peer peer;
	struct stream *s = dmtp_open_as(name, &peer);

	assert_true(span_equal(buffer_span(&peer.der),
	    buffer_span(&expected->der)));
	tls_peer_free(&peer);
	stream_free(s);
}

/* By SNI, and as before when a reload finds one that is not good. */
static void
certificates(void **state)
{
	static const char *const refused[] = {"event=reload", "refused",
	    "\\\"/nowhere/crt\\\" is not CERTIFICATE:KEY", NULL};
	static const char *const missing[] = {"event=reload", "refused",
	    "/nowhere/crt", "No such file", NULL};

	assert_shown("mx.alpha.test", &world.second);
	assert_shown("mx.beta.test", &world.certificate);
	assert_shown("other.test", &world.certificate);
	assert_false(dmtpd_reload("tls_certificates = {\"/nowhere/crt\"}\n"));
	wait_log(NULL, 0, refused);
	assert_false(dmtpd_reload(
	    "tls_certificates = {\"/nowhere/crt:/nowhere/key\"}\n"));
	wait_log(NULL, 0, missing);
	assert_shown("mx.alpha.test", &world.second);
	assert_true(dmtpd_reload(""));
	assert_shown("mx.alpha.test", &world.second);
}

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

/* A signet in the libdime layout is had by whoever knows its fingerprint, and he is
 * told of the current one in that layout. */
static void
libdime_signets(void **state)
{
	const struct user_signet *bob = world.libdime_bob->signet;
	const struct org_signet *beta = world.libdime_beta->signet;
	struct stream *s = dmtp_open();

	assert_int_equal(ask(s, "SGNT FOR=<beta.test> FINGERPRINT=[%s]",
	    beta->fingerprint), 270);
	assert_listed(beta->signet);
	/* The core is what messages say, not DMTP. */
	assert_int_equal(ask(s, "SGNT FOR=<beta.test> FINGERPRINT=[%s]",
	    beta->core), 576);
	assert_int_equal(ask(s, "SGNT FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    bob->core), 280);
	assert_listed(bob->signet);
	assert_int_equal(ask(s, "SGNT FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    bob->full), 280);
	assert_listed(bob->signet);
	assert_int_equal(ask(s, "VRFY FOR=<beta.test> FINGERPRINT=[%s]",
	    beta->fingerprint), 271);
	assert_int_equal(ask(s, "VRFY FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    bob->core), 281);
	assert_int_equal(ask(s, "VRFY FOR=<bob@beta.test> FINGERPRINT=[%s]",
	    bob->full), 501);
	assert_int_equal(ask(s, "HIST FOR=<bob@beta.test> START=[%s]",
	    bob->core), 290);
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

static void
wait_until_waiting(unsigned int count)
{
	struct deadline deadline = deadline_in(WORLD_PATIENCE);

	while (policyd_waiting() < count && deadline_left(deadline) > 0)
		sched_yield();
	assert_int_equal(policyd_waiting(), count);
}

/* However many strangers a source names, it has so many looked up at a time: the
 * others wait, and those of another source do not. */
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

/* The keyslots of chunk 255 for others are what no signature covers: whoever has
 * seen a message can change them. */
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

/* ---- rates ---- */

/* Sends `command` until it is put off; the session goes on. */
static unsigned int
count_until_denied(const char *command)
{
	struct stream *s = dmtp_open();
	unsigned int count = 0;

	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	while (ask(s, "%s", command) != 450)
		count++;
	assert_string_equal(heard, "ACCESS DENIED");
	assert_int_equal(ask(s, "MODE"), 250);
	stream_free(s);
	return count;
}

/* A source has so many questions in a minute, over all of its sessions; one kind
 * leaves another alone. Only a message that an origin has signed counts for it. */
static void
rates(void **state)
{
	static const char *const denied[] = {"event=denied", "peer=127.0.0.1",
	    "limit=source_signet_limit", NULL};
	struct buffer first = sealed(world.beta, world.bob, "first of many");
	struct buffer badly = sealed_badly(world.beta, world.bob, "no count");
	struct stream *s;
	char mail[200];

	snprintf(mail, sizeof(mail), "MAIL FROM=<alpha.test> FINGERPRINT=[%s]",
	    world.alpha->signet->fingerprint);
	assert_true(dmtpd_reload("source_signet_limit = 3\n"
	    "source_mail_limit = 5\n"));
	/* One more when the machine takes twenty seconds for them. */
	assert_in_range(count_until_denied("SGNT FOR=<beta.test>"), 3, 4);
	assert_in_range(count_until_denied("HIST FOR=<bob@beta.test>"), 0, 1);
	wait_log(NULL, 0, denied);
	assert_in_range(count_until_denied(mail), 5, 6);

	assert_true(dmtpd_reload("origin_message_limit = 1\n"));
	s = dmtp_open();
	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	assert_int_equal(transact(s, "alpha.test", buffer_span(&badly)), 578);
	assert_int_equal(transact(s, "alpha.test", buffer_span(&first)), 254);
	assert_int_equal(ask(s, "%s", mail), 450);
	assert_true(dmtpd_reload(""));
	stream_free(s);
	buffer_free(&first);
	buffer_free(&badly);
}

/* How many MAIL the source has left. */
static int
mail_left(const char *source)
{
	struct stream *s = dmtp_open_from(source);
	int left = 0;

	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	while (say_mail(s, "alpha.test",
	    world.alpha->signet->fingerprint) == 250)
		left++;
	stream_free(s);
	return left;
}

/* Large, and nothing that shrinks much in the seal. */
static struct buffer
large_and_bad(void)
{
	struct buffer words = buffer_make(1 << 20), badly;
	struct random_source random;
	uint8_t octets[15];

	random_start(&random);
	for (int i = 0; i < 36000; i++) {
		char line[32];

		random_fill(&random, octets, sizeof(octets));
		base64_encode(span_of(octets, sizeof(octets)), line);
		buffer_printf(&words, "%s\n", line);
	}
	random_end(&random);
	badly = sealed_badly(world.beta, world.bob, buffer_string(&words));
	buffer_free(&words);
	return badly;
}

/* Much work is paid for by who asks for it: a signet of megabytes, and a large
 * message whose signature does not hold. */
static void
work_is_charged(void **state)
{
	struct buffer badly = large_and_bad();
	struct stream *s;

	assert_true(dmtpd_reload("source_mail_limit = 20\n"));
	s = dmtp_open_from("127.0.0.4");
	assert_int_equal(ask(s, "EHLO <mx.large.test>"), 250);
	assert_int_equal(say_mail(s, "large.test", world.large), 250);
	stream_free(s);
	/* One more comes with each three seconds. */
	assert_in_range(mail_left("127.0.0.4"), 0, 9);
	s = dmtp_open_from("127.0.0.5");
	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	assert_int_equal(transact(s, "alpha.test", buffer_span(&badly)), 578);
	stream_free(s);
	assert_in_range(mail_left("127.0.0.5"), 0, 16);
	assert_true(dmtpd_reload(""));
	buffer_free(&badly);
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

#define LINE32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"

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
start_data(struct stream *s)
{
	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	assert_int_equal(say_mail(s, "alpha.test",
	    world.alpha->signet->fingerprint), 250);
	assert_int_equal(say_rcpt(s, "beta.test",
	    world.beta->signet->fingerprint), 250);
	assert_int_equal(ask(s, "DATA"), 354);
}

/* More messages at once than there is memory for: some are put off, and when
 * all have gone there is room again. */
static void
memory_is_bounded(void **state)
{
	enum { SESSIONS = 20, LINES = 40000 };
	struct buffer large = buffer_make(8 << 20);
	struct buffer good = sealed(world.beta, world.bob, "after the rush");
	struct stream *streams[SESSIONS];
	unsigned int put_off = 0, read = 0;

	for (int i = 0; i < LINES; i++)
		buffer_append_string(&large, LINE32);
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

enum { TAKERS = 8 };

/* Begins messages of so many lines until one, or MAIL already, is put off. */
static void
take_memory(const char *source, int lines, struct stream *streams[static TAKERS])
{
	bool put_off = false;

	for (int i = 0; i < TAKERS; i++) {
		streams[i] = dmtp_open_from(source);
		assert_int_equal(ask(streams[i], "EHLO <mx.alpha.test>"), 250);
		put_off = put_off || say_mail(streams[i], "alpha.test",
		    world.alpha->signet->fingerprint) == 450;
		if (put_off)
			continue;
		assert_int_equal(say_rcpt(streams[i], "beta.test",
		    world.beta->signet->fingerprint), 250);
		assert_int_equal(ask(streams[i], "DATA"), 354);
		for (int line = 0; line < lines; line++)
			say(streams[i], LINE32);
	}
}

/* A source that takes what it can get of the memory, up to the last octets, leaves
 * as much to the next one. */
static void
memory_is_shared(void **state)
{
	static const int lines[] = {40000, 20000, 4000, 400, 40};
	static const char *const denied[] = {"event=denied", "peer=127.0.0.2",
	    "limit=data_memory_limit", NULL};
	struct buffer good = sealed(world.beta, world.bob, LINE32 LINE32 LINE32
	    LINE32 LINE32 LINE32 LINE32 LINE32 LINE32 LINE32 LINE32 LINE32);
	struct stream *streams[COUNT(lines)][TAKERS], *s = dmtp_open();

	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	for (size_t i = 0; i < COUNT(lines); i++)
		take_memory("127.0.0.2", lines[i], streams[i]);
	wait_log(NULL, 0, denied);
	assert_int_equal(transact(s, "alpha.test", buffer_span(&good)), 254);
	for (size_t i = 0; i < COUNT(lines); i++)
		for (size_t j = 0; j < COUNT(streams[i]); j++)
			stream_free(streams[i][j]);
	stream_free(s);
	buffer_free(&good);
}

/* The signet of an origin is memory like that of its message, for as long as the
 * transaction lasts. */
static void
origins_take_memory(void **state)
{
	struct buffer good = sealed(world.beta, world.bob, "beside a giant");
	struct stream *first = dmtp_open_from("127.0.0.3");
	struct stream *second = dmtp_open_from("127.0.0.3"), *s = dmtp_open();

	assert_int_equal(ask(first, "EHLO <mx.large.test>"), 250);
	assert_int_equal(ask(second, "EHLO <mx.large.test>"), 250);
	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	assert_int_equal(say_mail(first, "large.test", world.large), 250);
	assert_int_equal(say_mail(second, "large.test", world.large), 450);
	assert_int_equal(say_rcpt(second, "beta.test",
	    world.beta->signet->fingerprint), 503);
	assert_int_equal(transact(s, "alpha.test", buffer_span(&good)), 254);
	assert_int_equal(ask(first, "RSET"), 250);
	assert_int_equal(say_mail(second, "large.test", world.large), 250);
	assert_int_equal(say_mail(second, "alpha.test",
	    world.alpha->signet->fingerprint), 250);
	assert_int_equal(say_mail(first, "large.test", world.large), 250);
	stream_free(first);
	stream_free(second);
	stream_free(s);
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

/* Messages of one DMTP session go to Postfix in one session. One that Postfix has
 * had enough of, or that has lost its milter, is followed by another; the milter's
 * own word is the last. */
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
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(certificates),
	    cmocka_unit_test(signets),
	    cmocka_unit_test(verification),
	    cmocka_unit_test(libdime_signets),
	    cmocka_unit_test(history),
	    cmocka_unit_test(origins),
	    cmocka_unit_test(one_lookup_a_session),
	    cmocka_unit_test(lookups_are_shared),
	    cmocka_unit_test(destinations),
	    cmocka_unit_test(accepted),
	    cmocka_unit_test(knows_a_changed_message_again),
	    cmocka_unit_test(rates),
	    cmocka_unit_test(work_is_charged),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(too_large),
	    cmocka_unit_test(memory_is_bounded),
	    cmocka_unit_test(memory_is_shared),
	    cmocka_unit_test(origins_take_memory),
	    cmocka_unit_test(postfix_refuses),
	    cmocka_unit_test(injections_are_kept),
	    cmocka_unit_test(pipelined),
	};

	return cmocka_run_group_tests(tests, dmtpd_world_start,
	    dmtpd_world_end);
}
