/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtpd_world.h"

#include <stdio.h>

#include "crypto/base64.h"
#include "crypto/random.h"

/* Rates, and memory. */

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

/* A source has so many questions in a minute, over all of its sessions; one
 * kind leaves another alone. Only a message that an origin has signed counts
 * for it. */
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
 * message whose signature does not hold, even if a rule has it come again. */
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
	policyd_says(POLICY_DEFER);
	s = dmtp_open_from("127.0.0.6");
	assert_int_equal(ask(s, "EHLO <mx.alpha.test>"), 250);
	assert_int_equal(transact(s, "alpha.test", buffer_span(&badly)), 451);
	stream_free(s);
	policyd_says(-1);
	assert_in_range(mail_left("127.0.0.6"), 0, 16);
	assert_true(dmtpd_reload(""));
	buffer_free(&badly);
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
		assert_int_equal(ask(streams[i], "EHLO <mx.alpha.test>"), 250);
		start_data(streams[i], "alpha.test");
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
take_memory(const char *source, int lines,
    struct stream *streams[static TAKERS])
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

/* A source that takes what it can get of the memory, up to the last octets,
 * leaves as much to the next one. */
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

/* The signet of an origin is memory like that of its message, for as long as
 * the transaction lasts. */
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rates),
	    cmocka_unit_test(work_is_charged),
	    cmocka_unit_test(memory_is_bounded),
	    cmocka_unit_test(memory_is_shared),
	    cmocka_unit_test(origins_take_memory),
	};

	return cmocka_run_group_tests(tests, dmtpd_world_start,
	    dmtpd_world_end);
}
