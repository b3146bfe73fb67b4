/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/peer_host.h"

#include "dmtp/client.h"

static void
commands(void **state)
{
	struct host host = {.says = {BANNER, "250 OK \033[31m\n",
	    "250-PIPELINING\n250 OK\n", "421 BYE\n"}};
	struct peer *peer = host_open_good(&host);
	struct fault fault = {0};
	struct peer_reply reply;
	char long_line[DMTP_LINE_LIMIT + 1];

	peer_reply_init(&reply);
	assert_int_equal(peer_command(peer, "NOOP\nNOOP", deadline_in(LONG),
	    &reply, &fault), ERR_USAGE);
	memset(long_line, 'x', DMTP_LINE_LIMIT);
	long_line[DMTP_LINE_LIMIT] = '\0';
	assert_int_equal(peer_command(peer, long_line, deadline_in(LONG),
	    &reply, &fault), ERR_USAGE);
	assert_int_equal(peer_command(peer, "NOOP", deadline_in(LONG), &reply,
	    &fault), 0);
	assert_int_equal(reply.code, 250);
	assert_string_equal(reply.text, "OK ?[31m");
	assert_int_equal(reply.listing.length, 0);
	assert_int_equal(peer_command(peer, "EHLO <a.test>",
	    deadline_in(LONG), &reply, &fault), 0);
	assert_string_equal(buffer_string(&reply.listing), "PIPELINING\n");
	assert_int_equal(peer_command(peer, "NOOP", deadline_in(LONG), &reply,
	    &fault), 0);
	assert_int_equal(reply.code, 421);
	/* Nothing goes to a host that has said so. */
	assert_int_equal(peer_command(peer, "NOOP", deadline_in(LONG), &reply,
	    &fault), ERR_UNREACHABLE);
	assert_int_equal(reply.code, 0);
	peer_reply_free(&reply);
	peer_close(peer);
	host_end(&host, "NOOP\nEHLO <a.test>\nNOOP\n");
}

static const char armor[] = "-----BEGIN ENCRYPTED MESSAGE-----\r\n\r\nBzcA\n"
			    "-----END ENCRYPTED MESSAGE-----";

#define EHLO "EHLO <alpha.test>\n"
#define MAIL "MAIL FROM=<alpha.test> FINGERPRINT=[fa]\n"
#define RCPT "RCPT TO=<beta.test> FINGERPRINT=[fb]\n"
#define MESSAGE                                                                \
	"DATA\n-----BEGIN ENCRYPTED MESSAGE-----\n\nBzcA\n"                    \
	"-----END ENCRYPTED MESSAGE-----\n.\n"

static const struct peer_mail mail = {
    .helo = "alpha.test",
    .origin = "alpha.test",
    .origin_fingerprint = "fa",
    .destination = "beta.test",
    .destination_fingerprint = "fb",
    .armor = {(const uint8_t *)armor, sizeof(armor) - 1},
};

static const struct delivery_case {
	const char *name;
	const char *says[5]; /* to EHLO, MAIL, RCPT, DATA, message */
	int err, code;
	const char *heard;
} delivery_cases[] = {
    {"accepted", {"250-SIZE 9\n250 OK\n", "250 OK\n", "250 OK\n",
     "354 GO\n", "254 ACCEPTED=x\n"}, 0, 254,
     EHLO MAIL RCPT MESSAGE "QUIT\n"},
    {"duplicate", {"250 OK\n", "250 OK\n", "250 OK\n", "354 GO\n",
     "255 DUPLICATE=x\n"}, 0, 255, EHLO MAIL RCPT MESSAGE "QUIT\n"},
    {"origin signet awaited", {"250 OK\n", "470 WAIT\n", BYE},
     ERR_ORIGIN_WAIT, 470, EHLO MAIL "QUIT\n"},
    {"destination signet", {"250 OK\n", "250 OK\n", "576 STALE\n",
     BYE}, ERR_DESTINATION_SIGNET, 576, EHLO MAIL RCPT "QUIT\n"},
    {"no DATA", {"250 OK\n", "250 OK\n", "250 OK\n", "503 NO\n", BYE},
     ERR_REFUSED, 503, EHLO MAIL RCPT "DATA\nQUIT\n"},
    {"put off", {"250 OK\n", "250 OK\n", "250 OK\n", "354 GO\n",
     "451 DATA CORRUPTED\n"}, ERR_DEFERRED, 451,
     EHLO MAIL RCPT MESSAGE "QUIT\n"},
    {"signature", {"250 OK\n", "250 OK\n", "250 OK\n", "354 GO\n",
     "578 INVALID\n"}, ERR_SIGNATURE, 578,
     EHLO MAIL RCPT MESSAGE "QUIT\n"},
    {"a success that is none", {"250 OK\n", "250 OK\n", "250 OK\n",
     "354 GO\n", "250 OK\n"}, ERR_PROTOCOL, 250,
     EHLO MAIL RCPT MESSAGE "QUIT\n"},
    {"DATA answered as if all were said", {"250 OK\n", "250 OK\n",
     "250 OK\n", "254 ACCEPTED=x\n", BYE}, ERR_PROTOCOL, 254,
     EHLO MAIL RCPT "DATA\nQUIT\n"},
    {"MAIL answered as if it were DATA", {"250 OK\n", "354 GO\n", BYE},
     ERR_PROTOCOL, 354, EHLO MAIL "QUIT\n"},
    {"RCPT answered without a code", {"250 OK\n", "250 OK\n",
     "yes, of course\n", CLOSE}, ERR_PROTOCOL, 0, EHLO MAIL RCPT},
    {"RCPT answered 8-bit", {"250 OK\n", "250 OK\n", "250 \xff\n",
     CLOSE}, ERR_PROTOCOL, 0, EHLO MAIL RCPT},
    {"EHLO answered in two codes", {"250-SIZE 9\n550 NO\n", CLOSE},
     ERR_PROTOCOL, 0, EHLO},
    {"the message accepted in two codes", {"250 OK\n", "250 OK\n",
     "250 OK\n", "354 GO\n", "254-ACCEPTED=x\n451 NO\n"},
     ERR_PROTOCOL, 0, EHLO MAIL RCPT MESSAGE},
    {"the host dislikes us, not the message", {"550 NO\n", BYE},
     ERR_DEFERRED, 550, EHLO "QUIT\n"},
    {"closing", {"250 OK\n", "421 BYE\n", CLOSE}, ERR_BUSY, 421,
     EHLO MAIL},
    {"gone before the reply", {"250 OK\n", "250 OK\n", "250 OK\n",
     "354 GO\n", CLOSE}, ERR_UNREACHABLE, 0, EHLO MAIL RCPT MESSAGE},
};

static void
delivery_table(void **state)
{
	for (size_t i = 0; i < COUNT(delivery_cases); i++) {
		const struct delivery_case *test = &delivery_cases[i];
		struct host host = {.says = {BANNER}};
		struct fault fault = {0};
		struct peer_reply reply;
		struct peer *peer;

		unit_case(test->name);
		memcpy(host.says + 1, test->says, sizeof(test->says));
		host.says[6] = BYE;
		peer = host_open_good(&host);
		peer_reply_init(&reply);
		assert_int_equal(peer_deliver(peer, &mail, &reply, &fault),
		    test->err);
		assert_int_equal(reply.code, test->code);
		if (test->err != 0) {
			assert_int_equal(fault.err, test->err);
			assert_non_null(strstr(fault.text, "dx.beta.test: "));
		}
		peer_reply_free(&reply);
		peer_close(peer);
		host_end(&host, test->heard);
	}
}

static void
two_messages_in_a_session(void **state)
{
	struct host host = {.says = {BANNER, "250 OK\n", "470 WAIT\n",
	    "250 OK\n", "250 OK\n", "354 GO\n", "254 ACCEPTED=x\n", BYE}};
	struct peer *peer = host_open_good(&host);
	struct peer_reply reply;

	peer_reply_init(&reply);
	assert_int_equal(peer_deliver(peer, &mail, &reply, NULL),
	    ERR_ORIGIN_WAIT);
	assert_int_equal(peer_deliver(peer, &mail, &reply, NULL), 0);
	peer_reply_free(&reply);
	peer_close(peer);
	host_end(&host, EHLO MAIL MAIL RCPT MESSAGE "QUIT\n");
}

static void
a_large_message(void **state)
{
	struct host host = {.says = {BANNER, "250 OK\n", "250 OK\n",
	    "250 OK\n", "354 GO\n", "254 ACCEPTED=x\n", BYE}};
	struct peer *peer = host_open_good(&host);
	struct buffer text = buffer_make(1 << 22), heard = buffer_make(1 << 22);
	struct peer_mail large = mail;
	struct peer_reply reply;

	for (int i = 0; i < 20000; i++)
		buffer_printf(&text, "%064d\n", i);
	large.armor = buffer_span(&text);
	peer_reply_init(&reply);
	assert_int_equal(peer_deliver(peer, &large, &reply, NULL), 0);
	peer_reply_free(&reply);
	peer_close(peer);
	buffer_append_string(&heard, EHLO MAIL RCPT "DATA\n");
	buffer_append_span(&heard, buffer_span(&text));
	buffer_append_string(&heard, ".\nQUIT\n");
	host_end(&host, buffer_string(&heard));
	buffer_free(&text);
	buffer_free(&heard);
}

/* Nothing that could end the message early, and be commands then, is sent. */
static void
what_is_not_armor_stays_here(void **state)
{
	struct host host = {.says = {BANNER, BYE}};
	struct peer *peer = host_open_good(&host);
	struct peer_mail bad = mail;
	struct fault fault = {0};
	struct peer_reply reply;

	peer_reply_init(&reply);
	bad.armor = span_string("abc\n.\r\nRSET\n");
	assert_int_equal(peer_deliver(peer, &bad, &reply, &fault), ERR_FORMAT);
	assert_int_equal(reply.code, 0);
	peer_reply_free(&reply);
	peer_close(peer);
	host_end(&host, "QUIT\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(commands),
	    cmocka_unit_test(delivery_table),
	    cmocka_unit_test(two_messages_in_a_session),
	    cmocka_unit_test(a_large_message),
	    cmocka_unit_test(what_is_not_armor_stays_here),
	};

	return cmocka_run_group_tests(tests, host_group_start, host_group_end);
}
