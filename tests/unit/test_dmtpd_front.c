/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtpd_world.h"

#include <inttypes.h>
#include <stdio.h>

#include "client/peer.h"
#include "tests/unit/front_mta.h"

/* A session through the front, greeted. */
static struct stream *
front_open(void)
{
	struct stream *s;

	mta_forget();
	s = clear_open(world.front_port);
	assert_int_equal(hear(s), 220);
	assert_string_equal(heard, "mta.beta.test ESMTP DMTP");
	return s;
}

/* Starts TLS; the certificate must be this one, whatever SNI says. */
static void
secure_with(struct stream *stream, const struct unit_certificate *certificate)
{
	struct tls_peer peer;

	secure(stream, "mx.beta.test", &peer);
	assert_true(span_equal(buffer_span(&peer.der),
	    buffer_span(&certificate->der)));
	tls_peer_free(&peer);
}

/* The other side has closed, in order. */
static void
assert_end(struct stream *stream)
{
	uint8_t octet;
	size_t got;

	assert_int_equal(stream_read(stream, &octet, 1, &got,
	    deadline_in(WORLD_PATIENCE)), 0);
	assert_int_equal(got, 0);
}

/* ---- SMTP ---- */

static void
smtp_passes(void **state)
{
	struct stream *s = front_open();
	struct stream_end peer, own;
	char proxy[200], sum[100];

	stream_ends(s, &peer, &own);
	snprintf(proxy, sizeof(proxy), "PROXY TCP4 127.0.0.1 127.0.0.1 %u %u\n",
	    own.port, world.front_port);
	mta_wait(proxy);
	assert_int_equal(ask(s, "MODE"), 250);
	assert_string_equal(heard, "OK ESMTP");
	assert_int_equal(ask(s, "SGNT FOR=<beta.test>"), 501);
	assert_int_equal(ask(s, "EHLO client.test"), 250);
	assert_string_equal(heard, "CHUNKING");
	assert_string_equal(buffer_string(&listing),
	    "mta.beta.test\nDMTP\nPIPELINING\nSTARTTLS\n");
	say(s, "MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n");
	assert_int_equal(hear(s), 250);
	assert_int_equal(hear(s), 250);
	assert_int_equal(hear(s), 354);
	say(s, "Subject: STARTTLS <b.test> MODE=DMTP\r\n\r\nMODE\r\n.\r\n");
	assert_int_equal(hear(s), 250);
	snprintf(sum, sizeof(sum), "2.0.0 Ok: 46 %016" PRIx64,
	    mta_sum(mta_sum_of_nothing, span_string(
	        "Subject: STARTTLS <b.test> MODE=DMTP\r\n\r\nMODE\r\n")));
	assert_string_equal(heard, sum);
	assert_int_equal(ask(s, "QUIT"), 221);
	assert_end(s);
	mta_wait("\nEHLO client.test\nMAIL FROM:<a@a.test>\n"
	    "RCPT TO:<b@b.test>\nDATA\nQUIT\n(end)\n");
	stream_free(s);
}

/* A client in TLS with the server itself, of which the front knows nothing. */
static void
tls_passes(void **state)
{
	struct stream *s = front_open();

	assert_int_equal(ask(s, "EHLO client.test"), 250);
	assert_int_equal(ask(s, "STARTTLS"), 220);
	secure_with(s, &world.mta_certificate);
	assert_int_equal(ask(s, "EHLO client.test"), 250);
	assert_string_equal(buffer_string(&listing),
	    "mta.beta.test\nPIPELINING\nSTARTTLS\n");
	assert_int_equal(ask(s, "MODE"), 500);
	assert_int_equal(ask(s, "QUIT"), 221);
	assert_end(s);
	stream_free(s);
}

static void
several_lines_of_greeting(void **state)
{
	struct stream *s;

	mta_greets("220-mta.beta.test ESMTP\r\n220-wait\r\n"
	    "220 mta.beta.test ESMTP\r\n");
	s = front_open();
	assert_string_equal(buffer_string(&listing),
	    "mta.beta.test ESMTP DMTP\nwait DMTP\n");
	mta_greets("220 mta.beta.test ESMTP\r\n");
	assert_int_equal(ask(s, "QUIT"), 221);
	stream_free(s);
}

/* Who speaks early is shown to the server just so. */
static void
early_talker(void **state)
{
	struct stream *s;

	mta_forget();
	mta_greets("220-mta.beta.test ESMTP\r\n");
	s = clear_open(world.front_port);
	say(s, "EHLO early.test\r\n");
	mta_wait("\nEHLO early.test\n");
	mta_greets("220 mta.beta.test ESMTP\r\n");
	assert_int_equal(hear(s), 250);
	assert_int_equal(ask(s, "MODE"), 500);
	stream_free(s);
	mta_wait("(end)\n");
}

/* ---- much ---- */

enum { LARGE = 50 << 20 };

/* `LARGE` octets in lines, the same for everyone. */
static struct buffer
large_message(void)
{
	struct buffer message = buffer_make(LARGE + 100);

	for (size_t i = 0; message.length < LARGE; i++)
		buffer_printf(&message, "%079zu%s\r\n", i,
		    i % 7 == 0 ? "x" : "");
	message.length = LARGE - 2;
	buffer_append_string(&message, "\r\n");
	assert_int_equal(message.error, 0);
	return message;
}

static void
large_passes(void **state)
{
	struct buffer message = large_message();
	struct stream *s = front_open();
	char text[100], sum[100];

	snprintf(sum, sizeof(sum), "2.0.0 Ok: %d %016" PRIx64, LARGE,
	    mta_sum(mta_sum_of_nothing, buffer_span(&message)));
	assert_int_equal(ask(s, "MAIL FROM:<>"), 250);
	assert_int_equal(ask(s, "DATA"), 354);
	say_span(s, buffer_span(&message));
	say(s, ".\r\n");
	assert_int_equal(hear(s), 250);
	assert_string_equal(heard, sum);
	snprintf(text, sizeof(text), "BDAT %d LAST\r\n", LARGE);
	say(s, text);
	say_span(s, buffer_span(&message));
	assert_int_equal(hear(s), 250);
	assert_string_equal(heard, sum);
	buffer_free(&message);
	stream_free(s);
}

/* Many replies to a client who reads late: they wait, and none is lost. */
static void
late_reader(void **state)
{
	enum { COMMANDS = 100000 };
	struct buffer batch = buffer_make(COMMANDS * 8);
	struct stream *s = front_open();
	struct span rest;
	size_t replies = 0;

	for (size_t i = 0; i < COMMANDS; i++)
		buffer_append_string(&batch, i % 100 == 99 ? "MODE\r\n"
		    : "NOOP\r\n");
	rest = buffer_span(&batch);
	while (rest.length > 0) {
		size_t moved;

		assert_int_equal(stream_write_some(s, rest, &moved), 0);
		rest = span_slice(rest, moved, rest.length);
		/* Only when no more can be sent is a reply read. */
		if (moved == 0) {
			assert_int_not_equal(hear(s), 421);
			replies++;
		}
	}
	for (; replies < COMMANDS; replies++)
		assert_int_not_equal(hear(s), 421);
	assert_int_equal(ask(s, "QUIT"), 221);
	buffer_free(&batch);
	stream_free(s);
}

/* ---- ends ---- */

static void
half_close(void **state)
{
	struct stream *s = front_open();

	assert_int_equal(ask(s, "MAIL FROM:<>"), 250);
	say(s, "DATA\r\nx\r\n.\r\n");
	stream_end_output(s);
	assert_int_equal(hear(s), 354);
	assert_int_equal(hear(s), 250);
	assert_end(s);
	mta_wait("DATA\n(end)\n");
	stream_free(s);
}

static void
client_leaves(void **state)
{
	struct stream *s = front_open();

	say(s, "EHLO cl");
	stream_free(s);
	mta_wait("(end)\n");
	s = front_open();
	assert_int_equal(ask(s, "DATA"), 354);
	say(s, "half a message\r\n");
	stream_free(s);
	mta_wait("DATA\n(end)\n");
}

static void
server_leaves(void **state)
{
	struct stream *s = front_open();

	assert_int_equal(ask(s, "LEAVE"), 421);
	assert_string_equal(heard, "4.4.2 leaving");
	assert_end(s);
	stream_free(s);
	mta_greets("421 4.3.2 all busy\r\n");
	s = clear_open(world.front_port);
	assert_int_equal(hear(s), 421);
	assert_string_equal(heard, "4.3.2 all busy");
	mta_greets("220 mta.beta.test ESMTP\r\n");
	stream_free(s);
}

static void
nobody_behind(void **state)
{
	static const char *const said[] = {"event=front-unreachable", NULL};
	struct stream *s = clear_open(world.dead_port);

	assert_int_equal(hear(s), 421);
	assert_string_equal(heard,
	    "4.3.2 mx.beta.test service is not available, try again later");
	assert_end(s);
	stream_free(s);
	wait_log(NULL, 0, said);
}

/* Who is over a limit is told so, before he has said anything. */
static void
too_many(void **state)
{
	struct stream *first = front_open(), *second;

	assert_true(dmtpd_reload("source_connection_limit = 1\n"));
	second = clear_open(world.front_port);
	assert_int_equal(hear(second), 421);
	assert_string_equal(heard, "4.3.2 mx.beta.test too many connections");
	assert_end(second);
	stream_free(second);
	assert_true(dmtpd_reload(""));
	assert_int_equal(ask(first, "QUIT"), 221);
	stream_free(first);
}

/* ---- TLS with the front ---- */

static struct stream *
elevate(const char *arguments, const struct unit_certificate *certificate)
{
	struct stream *s = front_open();

	assert_int_equal(ask(s, "STARTTLS %s", arguments), 220);
	mta_wait("\nQUIT\n(end)\n");
	secure_with(s, certificate);
	assert_int_equal(hear(s), 250);
	return s;
}

static void
becomes_dmtp(void **state)
{
	static const char *const said[] = {"event=starttls", "host=beta.test",
	    "mode=DMTP", NULL};
	struct buffer message = sealed(world.beta, world.bob, "by the front");
	struct stream *s = elevate("<beta.test> MODE=DMTP",
	    &world.certificate);

	wait_log(NULL, 0, said);
	assert_string_equal(heard, "OK DMTP");
	assert_int_equal(ask(s, "MODE"), 250);
	assert_string_equal(heard, "OK DMTP");
	assert_int_equal(ask(s, "SGNT FOR=<beta.test>"), 270);
	assert_int_equal(ask(s, "EHLO <mail.alpha.test>"), 250);
	assert_null(strstr(buffer_string(&listing), "DMTP"));
	assert_null(strstr(buffer_string(&listing), "STARTTLS"));
	assert_int_equal(transact(s, "alpha.test", buffer_span(&message)),
	    254);
	assert_int_equal(ask(s, "QUIT"), 221);
	assert_end(s);
	stream_free(s);
	buffer_free(&message);
}

/* Our own client, by what a record of beta.test's says of the certificate. */
static void
our_client_comes(void **state)
{
	struct record record = {.pok_count = 1, .tls_count = 1};
	const struct peer_target target = {
	    .host = "mx.beta.test",
	    .domain = "beta.test",
	    .address = "127.0.0.1",
	    .port = world.front_port,
	    .dual = true,
	    .source = "",
	    .record = &record,
	    .record_secure = true,
	};
	struct signet *signet = NULL;
	struct fault fault = {0};
	struct peer *peer;

	memcpy(record.poks[0], world.beta->signet->pok, CRYPTO_SIGN_PUBLIC);
	assert_int_equal(world.beta->signer.sign(&world.beta->signer,
	    buffer_span(&world.certificate.der), record.tls[0]), 0);
	mta_forget();
	if (peer_open(&target, world.tls, deadline_in(WORLD_PATIENCE), &peer,
	        &fault) != 0)
		fail_msg("%s", fault.text);
	assert_int_equal(peer_fetch_signet(peer, "bob@beta.test", "",
	    deadline_in(WORLD_PATIENCE), &signet, &fault), 0);
	assert_true(span_equal(signet_binary(signet),
	    signet_binary(world.bob->signet->signet)));
	signet_free(signet);
	peer_close(peer);
	mta_wait("\nQUIT\n(end)\n");
}

/* The argument of STARTTLS decides which certificate is shown. */
static void
certificates(void **state)
{
	static const char *const modes[] = {"<mx.alpha.test> MODE=DMTP",
	    "<mx.alpha.test> MODE=SMTP"};

	for (size_t i = 0; i < COUNT(modes); i++)
		stream_free(elevate(modes[i], &world.second));
}

static void
becomes_secured_smtp(void **state)
{
	static const char *const arguments[] = {"<beta.test> MODE=SMTP",
	    "<beta.test>"};

	for (size_t i = 0; i < COUNT(arguments); i++) {
		struct stream *s = elevate(arguments[i],
		    &world.certificate);
		struct stream_end peer, own;
		char lines[300];

		assert_string_equal(heard, "OK ESMTP");
		/* The MTA may hear of the new connection before that. */
		mta_wait("QUIT\n");
		mta_wait("(end)\n");
		stream_ends(s, &peer, &own);
		assert_int_equal(ask(s, "MODE"), 250);
		assert_int_equal(ask(s, "HIST FOR=<a@beta.test>"), 501);
		assert_int_equal(ask(s, "STARTTLS"), 503);
		assert_int_equal(ask(s, "EHLO client.test"), 250);
		assert_string_equal(buffer_string(&listing),
		    "mta.beta.test\nPIPELINING\n");
		assert_int_equal(ask(s, "MAIL FROM:<>"), 250);
		assert_int_equal(ask(s, "DATA"), 354);
		say(s, "x\r\n.\r\nQUIT\r\n");
		assert_int_equal(hear(s), 250);
		assert_int_equal(hear(s), 221);
		assert_end(s);
		snprintf(lines, sizeof(lines),
		    "PROXY TCP4 127.0.0.1 127.0.0.1 %u %u\n", own.port,
		    world.front_port);
		mta_wait(lines);
		mta_wait("EHLO client.test\nMAIL FROM:<>\nDATA\nQUIT\n(end)\n");
		stream_free(s);
	}
}

static void
octets_in_clear(void **state)
{
	static const char *const said[] = {"event=starttls-refused",
	    "host=beta.test", "octets in clear", NULL};
	struct stream *s = front_open();
	uint8_t octet;
	size_t got;

	say(s, "STARTTLS <beta.test> MODE=DMTP\r\nMODE\r\n");
	/* Closed with octets unread, or read: no reply, in any case. */
	if (stream_read(s, &octet, 1, &got, deadline_in(WORLD_PATIENCE)) == 0)
		assert_int_equal(got, 0);
	mta_wait("(end)\n");
	wait_log(NULL, 0, said);
	stream_free(s);
}

static void
handshake_fails(void **state)
{
	struct stream *s = front_open();
	uint8_t octets[64];
	size_t got = 1;

	assert_int_equal(ask(s, "STARTTLS <beta.test> MODE=DMTP"), 220);
	say(s, "MODE\r\nMODE\r\n");
	/* At most an alert comes. */
	while (got > 0 && stream_read(s, octets, sizeof(octets), &got,
	    deadline_in(WORLD_PATIENCE)) == 0)
		assert_true(got == 0 || octets[0] == 21);
	stream_free(s);
}

/* ---- the whole ---- */

static struct stream *left_open;

/* dmtpd must end although this one is there. */
static void
left_over(void **state)
{
	left_open = front_open();
}

static int
start(void **state)
{
	if (dmtpd_world_start(state) != 0)
		return -1;
	mta_start();
	return 0;
}

static int
end(void **state)
{
	int result = dmtpd_world_end(state);

	mta_end();
	stream_free(left_open);
	return result;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(smtp_passes),
	    cmocka_unit_test(tls_passes),
	    cmocka_unit_test(several_lines_of_greeting),
	    cmocka_unit_test(early_talker),
	    cmocka_unit_test(large_passes),
	    cmocka_unit_test(late_reader),
	    cmocka_unit_test(half_close),
	    cmocka_unit_test(client_leaves),
	    cmocka_unit_test(server_leaves),
	    cmocka_unit_test(nobody_behind),
	    cmocka_unit_test(too_many),
	    cmocka_unit_test(becomes_dmtp),
	    cmocka_unit_test(our_client_comes),
	    cmocka_unit_test(certificates),
	    cmocka_unit_test(becomes_secured_smtp),
	    cmocka_unit_test(octets_in_clear),
	    cmocka_unit_test(handshake_fails),
	    cmocka_unit_test(left_over),
	};

	return cmocka_run_group_tests(tests, start, end);
}
