/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtp_script.h"

#define TO_DATA EHLO MAIL RCPT "DATA\n"
#define TO_DATA_CODES "220 250-250-250 250 250 354 "
#define GOT(message)                                                           \
	"M(alpha.test)R(beta.test)D(alpha.test>beta.test:" message ")"

static void
data_table(void **state)
{
	static const struct transcript cases[] = {
	    {"empty", TO_DATA ".\n", TO_DATA_CODES "254 ", GOT("")},
	    {"LF", TO_DATA "ab\ncd\n.\n", TO_DATA_CODES "254 ",
	        GOT("ab\ncd\n")},
	    {"CRLF", TO_DATA "ab\r\ncd\r\n.\r\n", TO_DATA_CODES "254 ",
	        GOT("ab\r\ncd\r\n")},
	    {"mixed dot", TO_DATA "ab\r\n.\nNOOP\n", TO_DATA_CODES "254 250 ",
	        GOT("ab\r\n")},
	    {"dot inside", TO_DATA "a.\n. \n..\n.a\n.\r.\n.\r\r\n.\n",
	        TO_DATA_CODES "254 ", GOT("a.\n. \n..\n.a\n.\r.\n.\r\r\n")},
	    {"empty lines", TO_DATA "\n\r\n\n.\n", TO_DATA_CODES "254 ",
	        GOT("\n\r\n\n")},
	    {"commands in it", TO_DATA "QUIT\nRSET\n.\n", TO_DATA_CODES "254 ",
	        GOT("QUIT\nRSET\n")},
	    {"lines may be long", TO_DATA LONG500 LONG50 "\n.\n",
	        TO_DATA_CODES "254 ", GOT(LONG500 LONG50 "\n")},
	    {"not ended", TO_DATA "ab\n", TO_DATA_CODES,
	        "M(alpha.test)R(beta.test)"},
	    {"dot without end", TO_DATA "ab\n.", TO_DATA_CODES,
	        "M(alpha.test)R(beta.test)"},
	    {"at the limit", TO_DATA LONG500 LONG50 LONG50 LONG50 LONG50 LONG50
	        LONG50 LONG50 LONG50 LONG50
	        "1234567890123456789012345678901234567890123456789\n.\n",
	        TO_DATA_CODES "254 ",
	        GOT(LONG500 LONG50 LONG50 LONG50 LONG50 LONG50 LONG50 LONG50
	            LONG50 LONG50
	            "1234567890123456789012345678901234567890123456789\n")},
	    {"over the limit", TO_DATA LONG500 LONG500 "\n.\nNOOP\nDATA\n",
	        TO_DATA_CODES "552 250 503 ", "M(alpha.test)R(beta.test)"},
	    {"far over, in lines", TO_DATA LONG500 "\n" LONG500 "\n" LONG500
	        "\nab\n.\n" MAIL, TO_DATA_CODES "552 250 ",
	        "M(alpha.test)R(beta.test)M(alpha.test)"},
	};

	transcript_run_all(&dmtp_script, cases, COUNT(cases));
}

static void
exact_replies(void **state)
{
	struct buffer output = buffer_make(1 << 20);
	struct buffer events = buffer_make(1 << 20);

	transcript_run(&dmtp_script, span_string(TO_DATA
	    "x\n.\nMODE\nHELP\nSGNT FOR=<a.test>\nQUIT\n"), SIZE_MAX,
	    &output, &events);
	assert_string_equal(buffer_string(&output),
	    "220 <mx.beta.test> DMTP\n"
	    "250-PIPELINING\n250-SIZE 1000\n250 OK\n"
	    "250 OK\n250 OK\n354 READY TO RECEIVE MESSAGE\n"
	    "254 ACCEPTED=ID\n250 OK DMTP\n"
	    "214-DATA\n214-EHLO\n214-HELO\n214-HELP\n214-HIST\n214-MAIL\n"
	    "214-MODE\n214-NOOP\n214-QUIT\n214-RCPT\n214-RSET\n214-SGNT\n"
	    "214 VRFY\n"
	    "280------BEGIN\n280-AAAA\n280 OK\n221 BYE\n");
	buffer_free(&output);
	buffer_free(&events);
}

/* Behind STARTTLS the greeting says the mode, and nothing else is different. */
static void
elevated(void **state)
{
	static const struct dmtp_server_settings settings = {
	    .hostname = "mx.beta.test",
	    .size_limit = SIZE_LIMIT,
	    .is_elevated = true,
	};
	struct buffer events = buffer_make(1 << 20);
	struct dmtp_server server;

	dmtp_server_start(&server, &settings);
	assert_string_equal(buffer_string(&server.output), "250 OK DMTP\n");
	buffer_reset(&server.output);
	dmtp_script_feed(&server, span_string("EHLO <mail.alpha.test>\nMODE\n"
	    "STARTTLS <beta.test> MODE=DMTP\n"), &events);
	assert_null(strstr(buffer_string(&server.output), "-DMTP"));
	assert_null(strstr(buffer_string(&server.output), "STARTTLS"));
	assert_non_null(strstr(buffer_string(&server.output),
	    "250 OK\n250 OK DMTP\n502 "));
	dmtp_server_free(&server);
	buffer_free(&events);
}

/* A driver short of memory refuses in the middle; the session goes on. */
static void
refused_data(void **state)
{
	static const struct dmtp_server_settings settings = {
	    .hostname = "mx.beta.test", .size_limit = SIZE_LIMIT};
	struct buffer events = buffer_make(1 << 20);
	struct dmtp_server server;

	dmtp_server_start(&server, &settings);
	assert_false(dmtp_server_in_transaction(&server));
	dmtp_script_feed(&server, span_string(EHLO MAIL RCPT), &events);
	assert_true(dmtp_server_in_transaction(&server));
	assert_false(dmtp_server_in_data(&server));
	assert_int_equal(server.lines, 3);
	dmtp_script_feed(&server, span_string("DATA\nsome\n"), &events);
	assert_true(dmtp_server_in_data(&server));
	assert_int_equal(server.lines, 5);
	dmtp_server_refuse_data(&server, REPLY_ACCESS_DENIED);
	assert_int_equal(server.message.length, 0);
	dmtp_script_feed(&server, span_string("more\n"), &events);
	assert_int_equal(server.message.length, 0);
	buffer_reset(&server.output);
	dmtp_script_feed(&server, span_string(".\nNOOP\n"), &events);
	dmtp_server_say_closing(&server);
	assert_string_equal(buffer_string(&server.output),
	    "450 ACCESS DENIED\n250 OK\n421 CLOSING CONNECTION\n");
	assert_false(dmtp_server_in_transaction(&server));
	dmtp_server_free(&server);
	buffer_free(&events);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(data_table),
	    cmocka_unit_test(exact_replies),
	    cmocka_unit_test(elevated),
	    cmocka_unit_test(refused_data),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
