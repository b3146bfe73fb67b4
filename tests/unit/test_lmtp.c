/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/transcript.h"

#include <stdio.h>

#include "base/error.h"
#include "dmtp/lmtp.h"

enum { SIZE_LIMIT = 100 };

#define LHLO "LHLO mail.alpha.test\r\n"
#define LHLO_CODES "250-250-250-250-250-250 "
#define MAIL "MAIL FROM:<alice@alpha.test>\r\n"
#define RCPT "RCPT TO:<bob@beta.test>\r\n"
#define TO_DATA LHLO MAIL RCPT "DATA\r\n"
#define TO_DATA_CODES "220 " LHLO_CODES "250 250 354 "
#define GOT(message) "[alice@alpha.test>bob@beta.test:" message "]"
#define LONG50 "12345678901234567890123456789012345678901234567890"
#define LONG500 LONG50 LONG50 LONG50 LONG50 LONG50 LONG50 LONG50 LONG50        \
	LONG50 LONG50

static struct lmtp session;

static void
start(void)
{
	static const struct lmtp_settings settings = {"mail.alpha.test",
	    SIZE_LIMIT};

	lmtp_start(&session, &settings);
}

static bool
feed(struct span input, struct buffer *events)
{
	enum lmtp_event event;

	do {
		event = lmtp_feed(&session, &input);
		if (event != LMTP_MESSAGE)
			continue;
		buffer_printf(events, "[%s>%s:", session.sender,
		    session.recipient);
		buffer_append_span(events, buffer_span(&session.message));
		buffer_append_string(events, "]");
		lmtp_answer(&session, 250, "2.0.0", "Sent\r\n250 really");
	} while (event == LMTP_MESSAGE);
	return event != LMTP_QUIT;
}

static void
end(struct buffer *output)
{
	buffer_append_span(output, buffer_span(&session.output));
	lmtp_free(&session);
}

static const struct transcript_engine engine = {start, feed, end};

static const struct transcript command_cases[] = {
    {"greeting", "", "220 ", ""},
    {"LHLO", LHLO, "220 " LHLO_CODES, ""},
    {"LHLO without name", "LHLO\r\nLHLO  \r\n", "220 501 501 ", ""},
    {"HELO, EHLO are SMTP's", "HELO a.test\r\nEHLO a.test\r\n",
        "220 500 500 ", ""},
    {"unknown", "FROB\r\n\r\nMAILX\r\nMAI\r\n",
        "220 500 500 500 500 ", ""},
    {"verbs without case", "lhlo a.test\r\nnoop\r\n",
        "220 " LHLO_CODES "250 ", ""},
    {"LF alone", "NOOP\n", "220 250 ", ""},
    {"line too long", "NOOP " LONG500 LONG500 LONG500 LONG500 LONG50
        "\r\nNOOP\r\n", "220 500 250 ", ""},
    {"every verb with a tab, or run on", LHLO MAIL "LHLO\ta\r\n"
        "MAIL\tFROM:<a@b.test>\r\nRCPT\tTO:<a@b.test>\r\nDATA\t\r\n"
        "RSETX\r\nNOOPX\r\nQUITX\r\n" RCPT,
        "220 " LHLO_CODES "250 500 500 500 500 500 500 500 250 ", ""},
    {"8-bit verbs", "\x80HLO a.test\r\nDAT\xc1\r\n\xff\xfe\r\n",
        "220 500 500 500 ", ""},
    {"what cannot be a path", LHLO MAIL "RCPT TO:<bob@beta.test\r\n"
        "RCPT TO:<\"bob@beta.test>\r\nRCPT TO:<bob\\>@beta.test>\r\n"
        "RCPT FROM:<bob@beta.test>\r\nRCPT TO:<@a.test:bob@beta.test>"
        "\r\nRCPT TO:<a@b.test>,<c@d.test>\r\n" RCPT,
        "220 " LHLO_CODES "250 501 501 501 501 550 501 250 ", ""},
    {"QUIT", "QUIT\r\nNOOP\r\n", "220 221 ", ""},
    {"MAIL before LHLO", MAIL, "220 503 ", ""},
    {"RCPT before MAIL", LHLO RCPT, "220 " LHLO_CODES "503 ", ""},
    {"DATA before RCPT", LHLO MAIL "DATA\r\n",
        "220 " LHLO_CODES "250 503 ", ""},
    {"MAIL twice", LHLO MAIL MAIL, "220 " LHLO_CODES "250 503 ", ""},
    {"RSET", LHLO MAIL "RSET\r\n" RCPT MAIL,
        "220 " LHLO_CODES "250 250 503 250 ", ""},
    {"LHLO again resets", LHLO MAIL LHLO RCPT,
        "220 " LHLO_CODES "250 " LHLO_CODES "503 ", ""},
    {"null sender", LHLO "MAIL FROM:<>\r\n" RCPT
        "DATA\r\nx\r\n.\r\n", "220 " LHLO_CODES "250 250 354 250 ",
        "[>bob@beta.test:x\r\n]"},
    {"parameters", LHLO "MAIL FROM:<alice@alpha.test> SIZE=100 "
        "BODY=8BITMIME SMTPUTF8\r\n", "220 " LHLO_CODES "250 ", ""},
    {"SIZE too large", LHLO "MAIL FROM:<alice@alpha.test> SIZE=101\r\n"
        RCPT, "220 " LHLO_CODES "552 503 ", ""},
    {"SIZE bad", LHLO "MAIL FROM:<alice@alpha.test> SIZE=x\r\n",
        "220 " LHLO_CODES "501 ", ""},
    {"parameter unknown", LHLO "MAIL FROM:<alice@alpha.test> RET=HDRS"
        "\r\n" MAIL "RCPT TO:<bob@beta.test> NOTIFY=NEVER\r\n",
        "220 " LHLO_CODES "555 250 555 ", ""},
    {"no angle brackets", LHLO "MAIL FROM: alice@alpha.test\r\n"
        "MAIL FROM:alice@alpha.test\r\nMAIL FROM:<a\r\nMAIL\r\n"
        "MAIL FROM:<a@b.test>x\r\n",
        "220 " LHLO_CODES "501 501 501 501 501 ", ""},
    {"quoted sender", LHLO "MAIL FROM:<\"a>\\\"b\"@alpha.test>\r\n" RCPT
        "DATA\r\n.\r\n", "220 " LHLO_CODES "250 250 354 250 ",
        "[>bob@beta.test:]"},
    {"control characters in a sender", LHLO
        "MAIL FROM:<\"a\x01\"@alpha.test>\r\n"
        "MAIL FROM:<a\x7f@alpha.test>\r\nMAIL FROM:<a\t@alpha.test>"
        "\r\n" MAIL, "220 " LHLO_CODES "501 501 501 250 ", ""},
    {"UTF-8 sender", LHLO "MAIL FROM:<j\xc3\xb6rg@alpha.test> SMTPUTF8"
        "\r\n" RCPT "DATA\r\n.\r\n",
        "220 " LHLO_CODES "250 250 354 250 ",
        "[j\xc3\xb6rg@alpha.test>bob@beta.test:]"},
    {"recipient in capitals", LHLO MAIL "RCPT TO:<Bob@BETA.test>\r\n"
        "DATA\r\n.\r\n", "220 " LHLO_CODES "250 250 354 250 ",
        "[alice@alpha.test>bob@beta.test:]"},
    {"recipients that cannot be", LHLO MAIL "RCPT TO:<>\r\n"
        "RCPT TO:<postmaster>\r\nRCPT TO:<\"a b\"@beta.test>\r\n"
        "RCPT TO:<a@[192.0.2.1]>\r\n" RCPT,
        "220 " LHLO_CODES "250 550 550 550 550 250 ", ""},
    {"second recipient", LHLO MAIL RCPT RCPT "DATA\r\n.\r\n",
        "220 " LHLO_CODES "250 250 452 354 250 ", GOT("")},
};

static void
command_table(void **state)
{
	transcript_run_all(&engine, command_cases, COUNT(command_cases));
}

/* With no verb does a line that is too long do anything. */
static void
long_lines(void **state)
{
	static const char *const verbs[] = {
#define COMMAND(verb, states, act) #verb,
#include "dmtp/lmtp_command.def"
#undef COMMAND
	};

	for (size_t i = 0; i < COUNT(verbs); i++) {
		struct buffer text = buffer_make(1 << 20);
		struct buffer output = buffer_make(1 << 20);
		struct buffer events = buffer_make(1 << 20);

		unit_case(verbs[i]);
		buffer_printf(&text, LHLO MAIL "%s %0*d\r\n" RCPT, verbs[i],
		    LMTP_LINE_LIMIT, 0);
		transcript_run(&engine, buffer_span(&text), SIZE_MAX, &output,
		    &events);
		assert_non_null(strstr(buffer_string(&output),
		    "250 2.1.0 OK\r\n500 5.5.2 Line too long\r\n"
		    "250 2.1.5 OK\r\n"));
		buffer_free(&text);
		buffer_free(&output);
		buffer_free(&events);
	}
}

static void
message_table(void **state)
{
	static const struct transcript cases[] = {
	    {"plain", TO_DATA "a\r\nb\r\n.\r\n", TO_DATA_CODES "250 ",
	        GOT("a\r\nb\r\n")},
	    {"two", TO_DATA "a\r\n.\r\n" MAIL RCPT "DATA\r\nb\r\n.\r\nQUIT\r\n",
	        TO_DATA_CODES "250 250 250 354 250 221 ",
	        GOT("a\r\n") GOT("b\r\n")},
	    {"dots", TO_DATA "..\r\n...\r\n.a\r\n.\rb\r\n.\r\r\n.\r\n",
	        TO_DATA_CODES "250 ",
	        GOT(".\r\n..\r\na\r\n\rb\r\n\r\r\n")},
	    {"bare LF ends nothing", TO_DATA "a\n.\nb\r\n.\nc\n.\r\nd\r\n.\r\n",
	        TO_DATA_CODES "250 ",
	        GOT("a\n.\nb\r\n\nc\n.\r\nd\r\n")},
	    {"bare CR ends nothing", TO_DATA "a\r.\r\nb\r\r.\r\n\r\n.\r\n",
	        TO_DATA_CODES "250 ", GOT("a\r.\r\nb\r\r.\r\n\r\n")},
	    {"not ended", TO_DATA "a\r\n.\r", TO_DATA_CODES, ""},
	    {"at the limit", TO_DATA LONG50
	        "123456789012345678901234567890123456789012345678\r\n.\r\n",
	        TO_DATA_CODES "250 ", GOT(LONG50
	        "123456789012345678901234567890123456789012345678\r\n")},
	    {"over the limit", TO_DATA LONG50 LONG50 "\r\n.\r\n" MAIL,
	        TO_DATA_CODES "552 250 ", ""},
	};

	transcript_run_all(&engine, cases, COUNT(cases));
}

/* What may be had later is no reason to bounce. */
static void
without_memory_a_message_waits(void **state)
{
	struct buffer events = buffer_make(1 << 20);

	start();
	feed(span_string(TO_DATA), &events);
	session.message.error = ERR_MEMORY;
	buffer_reset(&session.output);
	feed(span_string("a\r\nb\r\n.\r\n" MAIL RCPT "DATA\r\nc\r\n.\r\n"),
	    &events);
	assert_string_equal(buffer_string(&session.output),
	    "451 4.3.0 Out of memory\r\n250 2.1.0 OK\r\n250 2.1.5 OK\r\n"
	    "354 End with a dot on a line by itself\r\n"
	    "250 2.0.0 Sent??250 really\r\n");
	assert_string_equal(buffer_string(&events), GOT("c\r\n"));
	buffer_free(&events);
	lmtp_free(&session);
}

static void
exact_replies(void **state)
{
	struct buffer output = buffer_make(1 << 20);
	struct buffer events = buffer_make(1 << 20);

	transcript_run(&engine, span_string(TO_DATA ".\r\nQUIT\r\n"), SIZE_MAX,
	    &output, &events);
	assert_string_equal(buffer_string(&output),
	    "220 mail.alpha.test LMTP\r\n"
	    "250-mail.alpha.test\r\n250-8BITMIME\r\n250-SIZE 100\r\n"
	    "250-SMTPUTF8\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n"
	    "250 2.1.0 OK\r\n250 2.1.5 OK\r\n"
	    "354 End with a dot on a line by itself\r\n"
	    "250 2.0.0 Sent??250 really\r\n221 2.0.0 Bye\r\n");
	buffer_free(&output);
	buffer_free(&events);
}

/* It is said again as it came when the message is sealed anew. */
static void
sender_as_given(void **state)
{
	static const char *const senders[] = {"", "alice@alpha.test",
	    "Alice@ALPHA.test", "\"a>\\\"b\"@alpha.test", "postmaster",
	    "j\xc3\xb6rg@alpha.test"};
	struct buffer events = buffer_make(1000);

	start();
	assert_true(feed(span_string(LHLO), &events));
	for (size_t i = 0; i < COUNT(senders); i++) {
		char line[100];

		unit_case(senders[i]);
		snprintf(line, sizeof(line), "MAIL FROM:<%s> SMTPUTF8\r\n",
		    senders[i]);
		assert_true(feed(span_string(line), &events));
		assert_string_equal(session.sender_given, senders[i]);
		assert_true(feed(span_string("RSET\r\n"), &events));
		assert_string_equal(session.sender_given, "");
	}
	lmtp_free(&session);
	buffer_free(&events);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(command_table),
	    cmocka_unit_test(sender_as_given),
	    cmocka_unit_test(long_lines),
	    cmocka_unit_test(message_table),
	    cmocka_unit_test(without_memory_a_message_waits),
	    cmocka_unit_test(exact_replies),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
