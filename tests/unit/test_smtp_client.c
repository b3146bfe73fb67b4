/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "base/error.h"
#include "dmtp/smtp_client.h"

#define BANNER "220 mail.beta.test ESMTP\r\n"
#define EHLO "250-mail.beta.test\r\n250-PIPELINING\r\n250 SIZE 1\r\n"
#define EHLO_PLAIN "250-mail.beta.test\r\n250-PIPELININGS\r\n250 SIZE 1\r\n"
#define MAIL "250 2.1.0 Ok\r\n"
#define RCPT "250 2.1.5 Ok\r\n"
#define DATA "354 End data\r\n"
#define DONE "250 2.0.0 Ok: queued as 4F1\r\n"

#define SENT_TO_DATA                                                           \
	"EHLO a.test\r\nMAIL FROM:<m@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n"
#define SENT_MESSAGE "A: b\r\n\r\n..x\r\n...\r\ny\r\n.\r\n"

/*
 * A conversation with a server that says the lines of `replies` one by one,
 * each in pieces of `piece` octets, whenever the client has nothing to send.
 */
static void
run(struct smtp_client *client, const char *replies, size_t piece,
    struct buffer *sent)
{
	static const struct smtp_client_mail mail = {"a.test", "m@a.test",
	    "b@b.test", {(const uint8_t *)"A: b\r\n\r\n", 8},
	    {(const uint8_t *)".x\n..\ny", 7}, false};
	struct span rest = span_string(replies);

	buffer_reset(sent);
	smtp_client_start(client, &mail);
	while (!smtp_client_done(client)) {
		const uint8_t *end;
		size_t length;

		if (smtp_client_send(client, sent))
			continue;
		if (rest.length == 0)
			break;
		end = memchr(rest.data, '\n', rest.length);
		length = end == NULL ? rest.length
		    : (size_t)(end - rest.data) + 1;
		for (size_t at = 0; at < length; at += piece)
			smtp_client_receive(client, span_slice(
			    span_slice(rest, 0, length), at, piece));
		rest = span_slice(rest, length, rest.length);
	}
}

static void
conversation_table(void **state)
{
	static const struct {
		const char *name, *replies, *sent;
		enum smtp_client_step decided;
		int code;
		const char *text;
	} cases[] = {
	    {"accepted", BANNER EHLO MAIL RCPT DATA DONE,
	        SENT_TO_DATA SENT_MESSAGE "QUIT\r\n", SMTP_CLIENT_MESSAGE, 250,
	        "2.0.0 Ok: queued as 4F1"},
	    {"bare codes", "220\r\n250\r\n250\r\n250\r\n354\r\n250\r\n",
	        SENT_TO_DATA SENT_MESSAGE "QUIT\r\n", SMTP_CLIENT_MESSAGE, 250,
	        ""},
	    {"LF only", "220 a\n250 a\n250 a\n250 a\n354 a\n250 a\n",
	        SENT_TO_DATA SENT_MESSAGE "QUIT\r\n", SMTP_CLIENT_MESSAGE, 250,
	        "a"},
	    {"refused after DATA", BANNER EHLO MAIL RCPT DATA
	        "550-5.7.1 DIME-586 INVALID\r\n550 5.7.1 see our page\r\n",
	        SENT_TO_DATA SENT_MESSAGE "QUIT\r\n", SMTP_CLIENT_MESSAGE, 550,
	        "5.7.1 DIME-586 INVALID"},
	    {"banner 421", "421 too busy\r\n", "QUIT\r\n", SMTP_CLIENT_BANNER,
	        421, "too busy"},
	    {"EHLO refused", BANNER "502 5.5.1 no\r\n",
	        "EHLO a.test\r\nQUIT\r\n", SMTP_CLIENT_EHLO, 502, "5.5.1 no"},
	    {"RCPT refused", BANNER EHLO MAIL "550 5.1.1 unknown\r\n"
	        "554 5.5.1 no valid recipients\r\n",
	        SENT_TO_DATA "QUIT\r\n", SMTP_CLIENT_RCPT, 550,
	        "5.1.1 unknown"},
	    {"MAIL refused", BANNER EHLO "451 4.3.0 later\r\n"
	        "503 5.5.1 need MAIL\r\n503 5.5.1 need RCPT\r\n",
	        SENT_TO_DATA "QUIT\r\n", SMTP_CLIENT_MAIL, 451,
	        "4.3.0 later"},
	    {"no PIPELINING, accepted", BANNER EHLO_PLAIN MAIL RCPT DATA DONE,
	        SENT_TO_DATA SENT_MESSAGE "QUIT\r\n", SMTP_CLIENT_MESSAGE, 250,
	        "2.0.0 Ok: queued as 4F1"},
	    {"no PIPELINING, RCPT refused", BANNER EHLO_PLAIN MAIL
	        "550 5.1.1 unknown\r\n",
	        "EHLO a.test\r\nMAIL FROM:<m@a.test>\r\nRCPT TO:<b@b.test>\r\n"
	        "QUIT\r\n", SMTP_CLIENT_RCPT, 550, "5.1.1 unknown"},
	    {"2xx is no answer to DATA", BANNER EHLO MAIL RCPT "250 ok\r\n",
	        SENT_TO_DATA "QUIT\r\n", SMTP_CLIENT_DATA, 250, "ok"},
	    {"3xx is no answer to MAIL", BANNER EHLO_PLAIN "354 go\r\n",
	        "EHLO a.test\r\nMAIL FROM:<m@a.test>\r\nQUIT\r\n",
	        SMTP_CLIENT_MAIL, 354, "go"},
	};
	struct buffer sent = buffer_make(1 << 20);
	struct smtp_client client;

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		for (size_t piece = 1; piece < 40; piece++) {
			run(&client, cases[i].replies, piece, &sent);
			assert_int_equal(client.error, 0);
			assert_true(smtp_client_done(&client));
			assert_string_equal(buffer_string(&sent),
			    cases[i].sent);
			assert_int_equal(client.decided, cases[i].decided);
			assert_int_equal(client.code, cases[i].code);
			assert_string_equal(client.text, cases[i].text);
		}
	}
	buffer_free(&sent);
}

#define TEN(line) line line line line line line line line line line

static void
broken_table(void **state)
{
	static const struct {
		const char *name, *replies;
	} cases[] = {
	    {"no code", "hello\r\n"},
	    {"empty line", "\r\n"},
	    {"two digits", "22 hello\r\n"},
	    {"four digits", "2200 hello\r\n"},
	    {"code 199", "199 hello\r\n"},
	    {"code 600", "600 hello\r\n"},
	    {"no separator", "220hello\r\n"},
	    {"codes differ", BANNER "250-a\r\n251 b\r\n"},
	    {"endless listing", BANNER TEN(TEN("250-a\r\n")) "250-a\r\n"},
	    {"line too long", "220 " TEN(TEN("12345678901")) "\r\n"},
	};
	struct buffer sent = buffer_make(1 << 20);
	struct smtp_client client;

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		run(&client, cases[i].replies, 7, &sent);
		assert_int_equal(client.error, ERR_PROTOCOL);
		assert_int_equal(client.code, 0);
		assert_true(smtp_client_done(&client));
		assert_false(smtp_client_send(&client, &sent));
	}
	buffer_free(&sent);
}

/* Two replies at once: the second would answer what was not said yet. */
static void
reply_too_early(void **state)
{
	static const struct smtp_client_mail mail = {"a.test", "m@a.test",
	    "b@b.test", {NULL, 0}, {NULL, 0}, false};
	struct smtp_client client;

	smtp_client_start(&client, &mail);
	assert_int_equal(smtp_client_receive(&client,
	    span_string(BANNER EHLO)), ERR_PROTOCOL);
}

/* What a server said to commands that went along comes at once, and only the
 * refusal counts. */
static void
replies_together(void **state)
{
	static const struct smtp_client_mail mail = {"a.test", "m@a.test",
	    "b@b.test", {NULL, 0}, {NULL, 0}, false};
	static const struct {
		const char *name, *replies;
		enum smtp_client_step step;
		int code;
	} cases[] = {
	    {"all good", MAIL RCPT DATA, SMTP_CLIENT_MESSAGE, 0},
	    {"RCPT refused", MAIL "550 no\r\n" DATA, SMTP_CLIENT_QUIT, 550},
	    {"MAIL refused", "451 no\r\n503 no\r\n503 no\r\n", SMTP_CLIENT_QUIT,
	     451},
	    {"refused, then rubbish", "451 no\r\nrubbish\r\n", SMTP_CLIENT_QUIT,
	     451},
	};
	struct buffer sent = buffer_make(1000);
	struct smtp_client client;

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		smtp_client_again(&client, &mail, true);
		buffer_reset(&sent);
		assert_true(smtp_client_send(&client, &sent));
		assert_false(smtp_client_send(&client, &sent));
		assert_string_equal(buffer_string(&sent),
		    "MAIL FROM:<m@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n");
		assert_int_equal(smtp_client_receive(&client,
		    span_string(cases[i].replies)), 0);
		assert_int_equal(client.step, cases[i].step);
		assert_int_equal(client.code, cases[i].code);
	}
	/* More than was asked for. */
	smtp_client_again(&client, &mail, true);
	smtp_client_send(&client, &sent);
	assert_int_equal(smtp_client_receive(&client,
	    span_string(MAIL RCPT DATA DONE)), ERR_PROTOCOL);
	buffer_free(&sent);
}

/* A session that is kept hears no QUIT, and goes on with MAIL. */
static void
session_is_kept(void **state)
{
	struct smtp_client_mail mail = {.helo = "a.test", .sender = "",
	    .recipient = "b@b.test", .keeps = true};
	static const char *const replies[] = {MAIL, RCPT, DATA, DONE};
	struct buffer sent = buffer_make(1000);
	struct smtp_client client;

	for (int round = 0; round < 2; round++) {
		buffer_reset(&sent);
		smtp_client_again(&client, &mail, false);
		for (size_t i = 0; i < COUNT(replies); i++) {
			assert_false(smtp_client_has_sent(&client));
			while (smtp_client_send(&client, &sent))
				;
			assert_int_equal(smtp_client_receive(&client,
			    span_string(replies[i])), 0);
		}
		assert_true(smtp_client_done(&client));
		assert_true(smtp_client_has_sent(&client));
		assert_int_equal(client.code, 250);
		assert_string_equal(buffer_string(&sent), "MAIL FROM:<>\r\n"
		    "RCPT TO:<b@b.test>\r\nDATA\r\n.\r\n");
	}
	/* What is refused ends it. */
	smtp_client_again(&client, &mail, false);
	assert_true(smtp_client_send(&client, &sent));
	buffer_reset(&sent);
	assert_int_equal(smtp_client_receive(&client,
	    span_string("451 no\r\n")), 0);
	assert_true(smtp_client_send(&client, &sent));
	assert_string_equal(buffer_string(&sent), "QUIT\r\n");
	buffer_free(&sent);
}

/* A large message goes out in pieces, whole and in order. */
static void
large_message(void **state)
{
	enum { LINES = 50000, LINE = 65 };
	struct smtp_client_mail mail = {.helo = "a.test", .sender = "",
	    .recipient = "b@b.test"};
	struct buffer body = buffer_make(LINES * LINE);
	struct buffer piece = buffer_make(1 << 17);
	struct buffer sent = buffer_make(LINES * (LINE + 1) + 1000);
	struct smtp_client client;

	for (size_t i = 0; i < LINES; i++)
		buffer_printf(&body, "%064zu\n", i);
	mail.body = buffer_span(&body);
	smtp_client_start(&client, &mail);
	while (client.step != SMTP_CLIENT_MESSAGE || client.to_send) {
		buffer_reset(&piece);
		if (smtp_client_send(&client, &piece))
			buffer_append_span(&sent, buffer_span(&piece));
		else
			smtp_client_receive(&client, span_string(
			    client.step == SMTP_CLIENT_DATA ? DATA : MAIL));
		assert_int_equal(piece.error, 0);
	}
	assert_int_equal(sent.length, strlen("EHLO a.test\r\nMAIL FROM:<>\r\n"
	    "RCPT TO:<b@b.test>\r\nDATA\r\n.\r\n") + LINES * (LINE + 1));
	for (size_t i = 0; i < LINES; i++)
		assert_int_equal(strtoul((const char *)sent.data + 53 +
		    i * (LINE + 1), NULL, 10), i);
	buffer_free(&body);
	buffer_free(&piece);
	buffer_free(&sent);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(conversation_table),
	    cmocka_unit_test(broken_table),
	    cmocka_unit_test(reply_too_early),
	    cmocka_unit_test(replies_together),
	    cmocka_unit_test(session_is_kept),
	    cmocka_unit_test(large_message),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
