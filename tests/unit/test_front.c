/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "dmtp/front.h"

#define BANNER "S220 mx.a.test ESMTP Postfix\r\n"
#define GREETED "220 mx.a.test ESMTP DMTP Postfix\r\n"
#define MODE "250 OK ESMTP\r\n"
#define READY "220 2.0.0 Ready to start TLS\r\n"
#define SYNTAX "501 5.5.4 ARGUMENT SYNTAX ERROR\r\n"

/*
 * A conversation: each piece is what one side says, 'C' or 'S' in front; a '.'
 * alone is the end of that side's input ("C." or "S."). What the client and the
 * server have got, and the last event.
 */
struct script {
	const char *name;
	const char *pieces[12];
	const char *to_client, *to_server;
	enum front_event event;
};

static enum front_event
say(struct front *front, const char *piece, size_t size)
{
	const bool is_client = piece[0] == 'C';
	struct span rest = span_string(piece + 1);
	enum front_event event = FRONT_NOTHING;

	if (span_equal_string(rest, "."))
		return is_client ? front_end_client(front)
				 : front_end_server(front);
	while (rest.length > 0) {
		struct span part = span_slice(rest, 0, size);

		event = is_client ? front_take_client(front, part)
				  : front_take_server(front, part);
		rest = span_slice(rest, size, rest.length);
	}
	return event;
}

/* Each script with pieces whole and cut into parts of any size. */
static void
run_scripts(const struct script *scripts, size_t count, bool is_secured)
{
	for (size_t i = 0; i < count; i++) {
		unit_case(scripts[i].name);
		for (size_t size = 1; size < 60; size++) {
			enum front_event event = FRONT_NOTHING;
			struct front front;

			front_start(&front, is_secured);
			for (size_t j = 0; scripts[i].pieces[j] != NULL; j++)
				event = say(&front, scripts[i].pieces[j], size);
			assert_string_equal(buffer_string(&front.to_client),
			    scripts[i].to_client);
			assert_string_equal(buffer_string(&front.to_server),
			    scripts[i].to_server);
			assert_int_equal(event, scripts[i].event);
			front_free(&front);
		}
	}
}

#define RUN(scripts, is_secured)                                               \
	run_scripts(scripts, COUNT(scripts), is_secured)

static void
greetings(void **state)
{
	static const struct script scripts[] = {
	    {"behind ESMTP", {BANNER}, GREETED, "", 0},
	    {"without ESMTP", {"S220 mx.a.test ready\r\n"},
	        "220 mx.a.test DMTP ready\r\n", "", 0},
	    {"host alone", {"S220 mx.a.test\r\n"}, "220 mx.a.test DMTP\r\n", "",
	        0},
	    {"bare code", {"S220\r\n"}, "220\r\n", "", 0},
	    {"no text", {"S220 \r\n"}, "220 \r\n", "", 0},
	    {"LF", {"S220 mx.a.test ESMTP\n"}, "220 mx.a.test ESMTP DMTP\n", "",
	        0},
	    {"of several lines, with a teaser",
	        {"S220-mx.a.test ESMTP wait\r\n", "S220-x\r\n",
	            BANNER, "CMODE\r\n"},
	        "220-mx.a.test ESMTP DMTP wait\r\n220-x DMTP\r\n" GREETED MODE,
	        "", 0},
	    {"says DMTP itself", {"S220 mx.a.test DMTP\r\n"},
	        "220 mx.a.test DMTP\r\n", "", 0},
	    {"a teaser is passed on at once", {"S220-mx.a.test ESMTP\r\n"},
	        "220-mx.a.test ESMTP DMTP\r\n", "", 0},
	    {"not welcome", {"S521 mx.a.test ESMTP no\r\n", "CMODE\r\n"},
	        "521 mx.a.test ESMTP no\r\n", "MODE\r\n", 0},
	    {"busy", {"S421 4.3.2 All busy\r\n", "S.", "CQUIT\r\n"},
	        "421 4.3.2 All busy\r\n", "QUIT\r\n", 0},
	    {"codes differ", {"S220-mx\r\n421 no\r\n", "CMODE\r\n"},
	        "220-mx DMTP\r\n421 no\r\n", "MODE\r\n", 0},
	    {"no SMTP", {"SSSH-2.0\r\n", "CMODE\r\n"}, "SSH-2.0\r\n",
	        "MODE\r\n", 0},
	    {"ends within", {"S220-mx a\r\n220 m", "S."},
	        "220-mx DMTP a\r\n220 m", "", 0},
	    {"nothing", {"S."}, "", "", 0},
	    {"client does not wait", {"CEHLO", BANNER, "C c.test\r\nMODE\r\n"},
	        "220 mx.a.test ESMTP Postfix\r\n",
	        "EHLO c.test\r\nMODE\r\n", 0},
	    {"client does not wait for its end",
	        {"S220-mx ESMTP\r\n220 m", "CEHLO c\r\n", "Sx\r\n250 mx\r\n"},
	        "220-mx ESMTP DMTP\r\n220 mx\r\n250 mx\r\n", "EHLO c\r\n", 0},
	};

	RUN(scripts, false);
}

static const struct script command_cases[] = {
    {"EHLO", {BANNER, "CEHLO c.test\r\n",
        "S250-mx.a.test\r\n250-PIPELINING\r\n250 SIZE 1\r\n"},
        GREETED "250-mx.a.test\r\n250-DMTP\r\n250-PIPELINING\r\n"
        "250 SIZE 1\r\n", "EHLO c.test\r\n", 0},
    {"EHLO, one line",
        {BANNER, "Cehlo c.test\r\n", "S250 mx.a.test\r\n"},
        GREETED "250-mx.a.test\r\n250 DMTP\r\n", "ehlo c.test\r\n", 0},
    {"EHLO, bare code", {BANNER, "CEHLO c\r\n", "S250\r\n"},
        GREETED "250\r\n", "EHLO c\r\n", 0},
    {"EHLO refused", {BANNER, "CEHLO\r\n", "S501-a\r\n501 b\r\n"},
        GREETED "501-a\r\n501 b\r\n", "EHLO\r\n", 0},
    {"EHLO ends in disorder", {BANNER, "CEHLO c\r\n",
        "S250-mx\r\n250-A\r\n421 bye\r\n"},
        GREETED "250-mx\r\n250-DMTP\r\n250-A\r\n421 bye\r\n",
        "EHLO c\r\n", 0},
    {"EHLO's first line only", {BANNER, "CEHLO c\r\n", "S250-mx\r\n",
        "S."}, GREETED "250-mx\r\n250-DMTP\r\n", "EHLO c\r\n", 0},
    {"HELO", {BANNER, "CHELO c.test\r\n", "S250 mx.a.test\r\n"},
        GREETED "250 mx.a.test\r\n", "HELO c.test\r\n", 0},
    {"MODE", {BANNER, "CMODE\r\nmode\n"}, GREETED MODE MODE, "", 0},
    {"MODE with something", {BANNER, "CMODE X\r\n"}, GREETED SYNTAX, "",
        0},
    {"MODE in its turn", {BANNER, "CNOOP\r\nMODE\r\nRSET\r\nMODE\r\n",
        "S250 1\r\n25", "S0 2\r\n"},
        GREETED "250 1\r\n" MODE "250 2\r\n" MODE,
        "NOOP\r\nRSET\r\n", 0},
    {"DMTP's own", {BANNER, "CSGNT FOR=<a.test>\r\nHIST\r\n"
        "VRFY FOR=<a.test>\r\nMAIL FROM=<a.test>\r\nMODE\r\n"},
        GREETED SYNTAX SYNTAX SYNTAX SYNTAX MODE, "", 0},
    {"VRFY", {BANNER, "CVRFY a\r\n", "S252 a\r\n", "CMODE\r\n"},
        GREETED "252 a\r\n" MODE, "VRFY a\r\n", 0},
    {"MAIL", {BANNER, "CMAIL FROM:<>\r\nMODE\r\n", "S250 ok\r\nx"},
        GREETED "250 ok\r\nx", "MAIL FROM:<>\r\nMODE\r\n", 0},
    {"pipelined EHLO and MAIL", {BANNER, "CEHLO c\r\nMAIL FROM:<>\r\nR",
        "S250-mx\r\n250 X\r\n250 ok\r\n25"},
        GREETED "250-mx\r\n250-DMTP\r\n250 X\r\n250 ok\r\n25",
        "EHLO c\r\nMAIL FROM:<>\r\nR", 0},
    {"MODE before MAIL", {BANNER, "CNOOP\r\nMODE\r\nDATA\r\nMODE\r\n",
        "S250 1\r\n", "S503 2\r\n"},
        GREETED "250 1\r\n" MODE "503 2\r\n",
        "NOOP\r\nDATA\r\nMODE\r\n", 0},
    {"AUTH and QUIT and the unknown", {BANNER, "CFOO\r\n", "S500 a\r\n"
        "421 b\r\n", "CMODE\r\n", "C."}, GREETED "500 a\r\n421 b\r\n",
        "FOO\r\nMODE\r\n", 0},
    {"a verb's beginning", {BANNER, "CEHL c\r\nMODE\r\n"}, GREETED,
        "EHL c\r\nMODE\r\n", 0},
    {"half a line and the end", {BANNER, "CEHLO c", "C."}, GREETED,
        "EHLO c", 0},
    {"empty line", {BANNER, "C\r\nMODE\r\n"}, GREETED, "\r\nMODE\r\n",
        0},
    {"bare CR", {BANNER, "CNOOP\rMODE\r\nMODE\r\n"}, GREETED,
        "NOOP\rMODE\r\nMODE\r\n", 0},
    {"two CR", {BANNER, "CNOOP\r\r\nMODE\r\n"}, GREETED,
        "NOOP\r\r\nMODE\r\n", 0},
    {"a time-out of the server", {BANNER, "CNO", "S421 late\r\n",
        "COP\r\nMODE\r\n"}, GREETED "421 late\r\n",
        "NOOP\r\nMODE\r\n", 0},
    {"a reply before its command", {BANNER, "S250 early\r\n",
        "CMODE\r\n"}, GREETED "250 early\r\n", "MODE\r\n", 0},
    {"a reply too many", {BANNER, "CNOOP\r\n", "S250 1\r\n250 2\r\n",
        "CMODE\r\n"}, GREETED "250 1\r\n250 2\r\n",
        "NOOP\r\nMODE\r\n", 0},
    {"a reply without a code", {BANNER, "CNOOP\r\n", "Shello\r\n",
        "CMODE\r\n"}, GREETED "hello\r\n", "NOOP\r\nMODE\r\n", 0},
};

static void
commands(void **state)
{
	RUN(command_cases, false);
}

static const struct script starttls_cases[] = {
    {"DMTP", {BANNER, "CSTARTTLS <B.test> MODE=DMTP\r\n"},
        GREETED READY, "QUIT\r\n", FRONT_DMTP},
    {"in small letters, with LF",
        {BANNER, "Cstarttls <b.test> mode=dmtp\n"}, GREETED READY,
        "QUIT\r\n", FRONT_DMTP},
    {"SMTP", {BANNER, "CSTARTTLS <b.test> MODE=SMTP\r\n"},
        GREETED READY, "QUIT\r\n", FRONT_SMTP},
    {"no mode", {BANNER, "CSTARTTLS <b.test>\r\n"},
        GREETED READY, "QUIT\r\n", FRONT_SMTP},
    {"in its turn", {BANNER, "CNOOP\r\nSTARTTLS <b.test> MODE=DMTP\r\n",
        "S250 1\r\n"}, GREETED "250 1\r\n" READY,
        "NOOP\r\nQUIT\r\n", FRONT_DMTP},
    {"not before its turn", {BANNER, "CNOOP\r\n"
        "STARTTLS <b.test> MODE=DMTP\r\n"}, GREETED, "NOOP\r\n", 0},
    {"octets behind it", {BANNER,
        "CSTARTTLS <b.test> MODE=DMTP\r\nMODE\r\n"}, GREETED READY,
        "QUIT\r\n", FRONT_CLOSE},
    {"octets behind it later", {BANNER,
        "CSTARTTLS <b.test> MODE=DMTP\r\n", "CM"}, GREETED READY,
        "QUIT\r\n", FRONT_CLOSE},
    {"octets behind it while it waits", {BANNER,
        "CNOOP\r\nSTARTTLS <b.test>\r\n", "C\n"}, GREETED, "NOOP\r\n",
        FRONT_CLOSE},
    {"the client's end while it waits", {BANNER,
        "CNOOP\r\nSTARTTLS <b.test>\r\n", "C."}, GREETED, "NOOP\r\n",
        FRONT_CLOSE},
    {"the server's end while it waits", {BANNER,
        "CNOOP\r\nSTARTTLS <b.test>\r\n", "S."}, GREETED, "NOOP\r\n",
        FRONT_CLOSE},
    {"disorder while it waits", {BANNER,
        "CNOOP\r\nSTARTTLS <b.test>\r\n", "Shello\r\n"}, GREETED,
        "NOOP\r\n", FRONT_CLOSE},
    {"the server speaks after it", {BANNER,
        "CSTARTTLS <b.test>\r\n", "S421 late\r\n", "S."}, GREETED READY,
        "QUIT\r\n", FRONT_SMTP},
    {"bare", {BANNER, "CSTARTTLS\r\n\x16\x03", "S220 go\r\n\x16",
        "CMODE\r\n"}, GREETED "220 go\r\n\x16",
        "STARTTLS\r\n\x16\x03MODE\r\n", 0},
    {"bare, with a blank", {BANNER, "CSTARTTLS \r\nMODE\r\n"}, GREETED,
        "STARTTLS \r\nMODE\r\n", 0},
    {"no angle brackets", {BANNER, "CSTARTTLS b.test MODE=DMTP\r\n"},
        GREETED SYNTAX, "", 0},
    {"no domain", {BANNER, "CSTARTTLS MODE=DMTP\r\n"}, GREETED SYNTAX,
        "", 0},
    {"a literal", {BANNER, "CSTARTTLS <[192.0.2.1]> MODE=DMTP\r\n"},
        GREETED SYNTAX, "", 0},
    {"unknown mode", {BANNER, "CSTARTTLS <b.test> MODE=X\r\nMODE\r\n"},
        GREETED SYNTAX MODE, "", 0},
    {"too much", {BANNER, "CSTARTTLS <b.test> MODE=DMTP X\r\n"},
        GREETED SYNTAX, "", 0},
    {"bracket", {BANNER, "CSTARTTLS < MODE=DMTP\r\n"},
        GREETED SYNTAX, "", 0},
};

static void
starttls(void **state)
{
	struct front front;

	RUN(starttls_cases, false);
	front_start(&front, false);
	say(&front, BANNER, 1000);
	say(&front, "CSTARTTLS <B.Test> MODE=DMTP\r\n", 1000);
	assert_string_equal(front.host, "b.test");
	front_free(&front);
}

static void
secured(void **state)
{
	static const struct script scripts[] = {
	    {"greeting", {"S220-a ESMTP\r\n220 b\r\n", "CMODE\r\n"}, MODE MODE,
	        "", 0},
	    {"greeting refused", {"S421-no\r\n421 no\r\n", "CMODE\r\n"},
	        "421-no\r\n421 no\r\n", "MODE\r\n", 0},
	    {"no greeting", {"S22", "S."}, "22", "", 0},
	    {"EHLO", {BANNER, "CEHLO c\r\n",
	        "S250-mx\r\n250-STARTTLS\r\n250-PIPELINING\r\n250 X\r\n"},
	        MODE "250-mx\r\n250-PIPELINING\r\n250 X\r\n", "EHLO c\r\n", 0},
	    {"STARTTLS last", {BANNER, "CEHLO c\r\n",
	        "S250-mx\r\n250-X\r\n250 starttls\r\n"},
	        MODE "250-mx\r\n250 X\r\n", "EHLO c\r\n", 0},
	    {"nothing but STARTTLS", {BANNER, "CEHLO c\r\n",
	        "S250-mx\r\n250 STARTTLS\r\n"}, MODE "250 mx\r\n",
	        "EHLO c\r\n", 0},
	    {"a host of that name", {BANNER, "CEHLO c\r\n",
	        "S250 STARTTLS\r\n"}, MODE "250 STARTTLS\r\n", "EHLO c\r\n", 0},
	    {"STARTTLS again", {BANNER, "CSTARTTLS\r\n"
	        "STARTTLS <b.test> MODE=DMTP\r\nMODE\r\n"},
	        MODE "503 5.5.1 TLS is active already\r\n"
	        "503 5.5.1 TLS is active already\r\n" MODE, "", 0},
	    {"DMTP's own", {BANNER, "CSGNT FOR=<a.test>\r\n"}, MODE SYNTAX, "",
	        0},
	    {"MAIL", {BANNER, "CEHLO c\r\nMAIL FROM:<>\r\n",
	        "S250 mx\r\n250 ok\r\n"}, MODE "250 mx\r\n250 ok\r\n",
	        "EHLO c\r\nMAIL FROM:<>\r\n", 0},
	};
	struct front front;

	RUN(scripts, true);
	front_start(&front, true);
	assert_false(front_reads_client(&front));
	say(&front, BANNER, 1000);
	assert_true(front_reads_client(&front));
	front_free(&front);
	front_start(&front, false);
	assert_true(front_reads_client(&front));
	front_free(&front);
}

/* What does not fit is passed on, octet for octet, and not looked at. */
static void
long_lines(void **state)
{
	static const size_t lengths[] = {FRONT_LINE_LIMIT - 1, FRONT_LINE_LIMIT,
	    FRONT_LINE_LIMIT + 1, 100000};
	struct buffer line = buffer_make(200000);

	for (size_t i = 0; i < COUNT(lengths); i++) {
		const bool fits = lengths[i] <= FRONT_LINE_LIMIT;
		struct front front;

		buffer_reset(&line);
		buffer_append_string(&line, "250 ");
		while (line.length < lengths[i] - 1)
			buffer_u8(&line, 'x');
		buffer_u8(&line, '\n');
		front_start(&front, false);
		say(&front, BANNER, 1000);
		buffer_reset(&front.to_client);
		say(&front, "CNOOP\r\n", 1000);
		front_take_server(&front, buffer_span(&line));
		assert_true(span_equal(buffer_span(&front.to_client),
		    buffer_span(&line)));
		assert_int_equal(front.server_piped, !fits);
		front_free(&front);

		memcpy(line.data, "NOOP ", 5);
		front_start(&front, false);
		say(&front, BANNER, 1000);
		front_take_client(&front, buffer_span(&line));
		assert_true(span_equal(buffer_span(&front.to_server),
		    buffer_span(&line)));
		assert_int_equal(front.client_piped, !fits);
		front_free(&front);
	}
	buffer_free(&line);
}

static void
nul_octets(void **state)
{
	static const char text[] = "NOOP \0\r\nMODE\r\n";
	struct front front;

	front_start(&front, false);
	say(&front, BANNER, 1000);
	front_take_client(&front, span_of(text, sizeof(text) - 1));
	assert_true(span_equal(buffer_span(&front.to_server),
	    span_of(text, sizeof(text) - 1)));
	assert_true(front.client_piped && front.server_piped);
	front_free(&front);
}

/* More commands at once than are kept in mind: the rest is passed on blindly,
 * and what was ours before is still answered in its turn. */
static void
many_commands(void **state)
{
	struct buffer wanted = buffer_make(10000);
	struct front front;

	front_start(&front, false);
	say(&front, BANNER, 1000);
	buffer_reset(&front.to_client);
	for (size_t i = 0; i < 3 * FRONT_TURNS; i++)
		say(&front, "CNOOP\r\nMODE\r\n", 1000);
	for (size_t i = 0; i < 3 * FRONT_TURNS; i++)
		say(&front, "S250 ok\r\n", 1000);
	for (size_t i = 0; i < 3 * FRONT_TURNS; i++)
		buffer_append_string(&wanted, i < FRONT_TURNS / 2
		    ? "250 ok\r\n" MODE : "250 ok\r\n");
	assert_string_equal(buffer_string(&front.to_client),
	    buffer_string(&wanted));
	assert_true(front.client_piped && front.server_piped);
	buffer_free(&wanted);
	front_free(&front);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(greetings),
	    cmocka_unit_test(commands),
	    cmocka_unit_test(starttls),
	    cmocka_unit_test(secured),
	    cmocka_unit_test(long_lines),
	    cmocka_unit_test(nul_octets),
	    cmocka_unit_test(many_commands),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
