/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/transcript.h"

#include <stdlib.h>

#include "dmtp/server.h"

enum { SIZE_LIMIT = 1000 };

/* Two fingerprints: 86 characters, the last of them with no unused bit set. */
#define F43 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq"
#define F1 "[" F43 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopA]"
#define F2 "[" F43 "0123456789+/0123456789+/0123456789+/012345w]"

#define EHLO "EHLO <mx.alpha.test>\n"
#define MAIL "MAIL FROM=<alpha.test> FINGERPRINT=" F1 "\n"
#define RCPT "RCPT TO=<beta.test> FINGERPRINT=" F2 "\n"
#define LONG50 "12345678901234567890123456789012345678901234567890"
#define LONG500 LONG50 LONG50 LONG50 LONG50 LONG50 LONG50 LONG50 LONG50        \
	LONG50 LONG50

/* "r576.test" asks the driver below for 576. */
static enum reply
scripted(const char *name, enum reply usual)
{
	return name[0] == 'r' && name[1] >= '2' && name[1] <= '5'
	    ? reply_by_code(atoi(name + 1)) : usual;
}

static void
answer(struct dmtp_server *server, enum dmtp_server_event event,
    struct buffer *events)
{
	const struct dmtp_argument *a = server->arguments;

	switch (event) {
	case DMTP_SERVER_MAIL:
		buffer_printf(events, "M(%s)", a[0].text);
		dmtp_server_answer(server, scripted(a[0].text, REPLY_OK), "");
		break;
	case DMTP_SERVER_RCPT:
		buffer_printf(events, "R(%s)", a[0].text);
		dmtp_server_answer(server, scripted(a[0].text, REPLY_OK), "");
		break;
	case DMTP_SERVER_DATA:
		buffer_printf(events, "D(%s>%s:", server->origin.domain,
		    server->destination.domain);
		buffer_append_span(events, buffer_span(&server->message));
		buffer_append_string(events, ")");
		dmtp_server_answer(server, REPLY_ACCEPTED, "ID");
		break;
	case DMTP_SERVER_SGNT:
		buffer_printf(events, "S(%s%s)", a[0].text,
		    a[1].given ? "+" : "");
		dmtp_server_answer_listing(server, REPLY_USER_SIGNET,
		    span_string("-----BEGIN\nAAAA\n"));
		break;
	case DMTP_SERVER_VRFY:
		buffer_printf(events, "V(%s)", a[0].text);
		dmtp_server_answer(server, REPLY_ORG_CURRENT, "");
		break;
	case DMTP_SERVER_HIST:
		buffer_printf(events, "H(%s%s%s)", a[0].text,
		    a[1].given ? " start" : "", a[2].given ? " stop" : "");
		dmtp_server_answer(server, REPLY_SIGNET_UNAVAILABLE, "");
		break;
	case DMTP_SERVER_QUIT:
		buffer_append_string(events, "Q");
		break;
	case DMTP_SERVER_NOTHING:
		break;
	}
}

static bool
feed(struct dmtp_server *server, struct span input, struct buffer *events)
{
	enum dmtp_server_event event;

	do {
		event = dmtp_server_feed(server, &input);
		answer(server, event, events);
	} while (event != DMTP_SERVER_NOTHING && event != DMTP_SERVER_QUIT);
	return event != DMTP_SERVER_QUIT;
}

static struct dmtp_server session;

static void
start(void)
{
	static const struct dmtp_server_settings settings = {
	    .hostname = "mx.beta.test", .size_limit = SIZE_LIMIT};

	dmtp_server_start(&session, &settings);
}

static bool
feed_session(struct span input, struct buffer *events)
{
	return feed(&session, input, events);
}

static void
end(struct buffer *output)
{
	buffer_append_span(output, buffer_span(&session.output));
	dmtp_server_free(&session);
}

static const struct transcript_engine engine = {start, feed_session, end};

static void
line_table(void **state)
{
	static const struct transcript cases[] = {
	    {"nothing", "", "220 ", ""},
	    {"no end of line", "NOOP", "220 ", ""},
	    {"LF", "NOOP\n", "220 250 ", ""},
	    {"CRLF", "NOOP\r\n", "220 250 ", ""},
	    {"empty line", "\n", "220 500 ", ""},
	    {"only CR LF", "\r\n", "220 500 ", ""},
	    {"two CR", "NOOP\r\r\n", "220 500 ", ""},
	    {"CR inside", "NOOP a\rb\n", "220 500 ", ""},
	    {"512 octets with LF", "NOOP " LONG500 "123456\n", "220 250 ", ""},
	    {"512 with CR LF", "NOOP " LONG500 "12345\r\n", "220 250 ", ""},
	    {"513 with LF", "NOOP " LONG500 "1234567\nNOOP\n",
	        "220 500 250 ", ""},
	    {"513 with CR LF", "NOOP " LONG500 "123456\r\nNOOP\n",
	        "220 500 250 ", ""},
	    {"far too long", LONG500 LONG500 LONG500 "\nNOOP\n",
	        "220 500 250 ", ""},
	    {"all of 01-7F but CR and LF", "NOOP \x01\x02\t\x1f\x7f~\n",
	        "220 250 ", ""},
	    {"8-bit", "NOOP \x80\nNOOP\n", "220 500 250 ", ""},
	    {"UTF-8", "SGNT FOR=<j\xc3\xb6rg@beta.test>\n", "220 500 ", ""},
	    {"lower-case verb", "noop\n", "220 250 ", ""},
	    {"space first", " NOOP\n", "220 500 ", ""},
	    {"tab after the verb", "NOOP\tx\n", "220 500 ", ""},
	    {"unknown verb", "FROB\n", "220 500 ", ""},
	    {"prefix of a verb", "NOO\nNOOPS\n", "220 500 500 ", ""},
	    {"many bad lines", "\n\n\n\n\n\n\n\n\n\n\n\nNOOP\n",
	        "220 500 500 500 500 500 500 500 500 500 500 500 500 250 ", ""},
	};

	transcript_run_all(&engine, cases, COUNT(cases));
}

static void
nul_octet(void **state)
{
	struct buffer output = buffer_make(1 << 20);
	struct buffer events = buffer_make(1 << 20);
	static const char text[] = "NOOP \0\nNOOP\0\nNOOP\n";

	transcript_run(&engine, span_of(text, sizeof(text) - 1), SIZE_MAX,
	    &output, &events);
	assert_string_equal(buffer_string(&output),
	    "220 <mx.beta.test> DMTP\n500 COMMAND SYNTAX ERROR\n"
	    "500 COMMAND SYNTAX ERROR\n250 OK\n");
	buffer_free(&output);
	buffer_free(&events);
}

static void
global_table(void **state)
{
	static const struct transcript cases[] = {
	    {"HELO", "HELO <mx.alpha.test>\n", "220 250 ", ""},
	    {"HELO again", "HELO <a.test>\nHELO <b.test>\n", "220 250 250 ",
	        ""},
	    {"HELO with IPv4", "HELO <[192.0.2.1]>\n", "220 250 ", ""},
	    {"HELO with IPv6", "HELO <[2001:db8::1]>\n", "220 250 ", ""},
	    {"HELO with IPv6 tag", "HELO <[IPv6:2001:db8::1]>\n", "220 250 ",
	        ""},
	    {"HELO with bad literals",
	        "HELO <[192.0.2]>\nHELO <[]>\nHELO <192.0.2.1>\n"
	        "HELO <[192.0.2.1>\nHELO [192.0.2.1]\n",
	        "220 501 501 501 501 501 ", ""},
	    {"HELO without argument", "HELO\n", "220 501 ", ""},
	    {"HELO and space", "HELO \n", "220 501 ", ""},
	    {"HELO bare name", "HELO mx.alpha.test\n", "220 501 ", ""},
	    {"HELO half brackets",
	        "HELO <mx.alpha.test\nHELO mx.alpha.test>\nHELO <\nHELO <>\n",
	        "220 501 501 501 501 ", ""},
	    {"HELO single label", "HELO <localhost>\n", "220 501 ", ""},
	    {"HELO two spaces", "HELO  <a.test>\n", "220 501 ", ""},
	    {"HELO space behind", "HELO <a.test> \n", "220 501 ", ""},
	    {"HELO two names", "HELO <a.test> <b.test>\n", "220 501 ", ""},
	    {"EHLO", EHLO, "220 250-250-250 ", ""},
	    {"EHLO bad", "EHLO\nEHLO <a b>\n", "220 501 501 ", ""},
	    {"MODE", "MODE\n", "220 250 ", ""},
	    {"MODE with argument", "MODE SMTP\nMODE \n", "220 501 501 ", ""},
	    {"RSET", "RSET\n", "220 250 ", ""},
	    {"RSET with argument", "RSET x\nRSET \n", "220 501 501 ", ""},
	    {"NOOP with anything", "NOOP  a  <b> [c] \n", "220 250 ", ""},
	    {"HELP", "HELP\n",
	        "220 214-214-214-214-214-214-214-214-214-214-214-214-214 ", ""},
	    {"HELP with argument", "HELP MAIL\n", "220 501 ", ""},
	    {"VERB", "VERB\nVERB ON\n", "220 502 502 ", ""},
	    {"STARTTLS", "STARTTLS <a.test> MODE=DMTP\n", "220 502 ", ""},
	    {"QUIT", "QUIT\n", "220 221 ", "Q"},
	    {"QUIT with argument", "QUIT now\nQUIT \nQUIT\n",
	        "220 501 501 221 ", "Q"},
	    {"nothing after QUIT", "QUIT\nNOOP\n", "220 221 ", "Q"},
	};

	transcript_run_all(&engine, cases, COUNT(cases));
}

static const struct transcript sequence_cases[] = {
    {"MAIL before HELO", MAIL, "220 503 ", ""},
    {"bad MAIL before HELO", "MAIL\n", "220 503 ", ""},
    {"RCPT before HELO", RCPT, "220 503 ", ""},
    {"DATA before HELO", "DATA\n", "220 503 ", ""},
    {"HELO refused is none", "HELO\n" MAIL, "220 501 503 ", ""},
    {"HELO will do", "HELO <a.test>\n" MAIL, "220 250 250 ",
        "M(alpha.test)"},
    {"RCPT before MAIL", EHLO RCPT, "220 250-250-250 503 ", ""},
    {"bad RCPT before MAIL", EHLO "RCPT\n", "220 250-250-250 503 ", ""},
    {"DATA before MAIL", EHLO "DATA\n", "220 250-250-250 503 ", ""},
    {"DATA before RCPT", EHLO MAIL "DATA\n",
        "220 250-250-250 250 503 ", "M(alpha.test)"},
    {"DATA with argument before RCPT", EHLO MAIL "DATA now\n",
        "220 250-250-250 250 503 ", "M(alpha.test)"},
    {"503 leaves the transaction", EHLO MAIL "DATA\n" RCPT "DATA\n.\n",
        "220 250-250-250 250 503 250 354 254 ",
        "M(alpha.test)R(beta.test)D(alpha.test>beta.test:)"},
    {"DATA with argument", EHLO MAIL RCPT "DATA x\nDATA \nDATA\n.\n",
        "220 250-250-250 250 250 501 501 354 254 ",
        "M(alpha.test)R(beta.test)D(alpha.test>beta.test:)"},
    {"second RCPT", EHLO MAIL RCPT RCPT "DATA\n.\n",
        "220 250-250-250 250 250 431 354 254 ",
        "M(alpha.test)R(beta.test)D(alpha.test>beta.test:)"},
    {"second RCPT, malformed", EHLO MAIL RCPT "RCPT\n",
        "220 250-250-250 250 250 431 ", "M(alpha.test)R(beta.test)"},
    {"MAIL again starts anew",
        EHLO MAIL RCPT "MAIL FROM=<gamma.test> FINGERPRINT=" F1 "\n"
        "DATA\n" RCPT "DATA\nx\n.\n",
        "220 250-250-250 250 250 250 503 250 354 254 ",
        "M(alpha.test)R(beta.test)M(gamma.test)R(beta.test)"
        "D(gamma.test>beta.test:x\n)"},
    {"MAIL again, malformed, aborts", EHLO MAIL RCPT "MAIL\nDATA\n",
        "220 250-250-250 250 250 501 503 ",
        "M(alpha.test)R(beta.test)"},
    {"MAIL again, refused, aborts",
        EHLO MAIL "MAIL FROM=<r470.test> FINGERPRINT=" F1 "\n" RCPT,
        "220 250-250-250 250 470 503 ", "M(alpha.test)M(r470.test)"},
    {"MAIL refused starts nothing",
        EHLO "MAIL FROM=<r575.test> FINGERPRINT=" F1 "\n" RCPT,
        "220 250-250-250 575 503 ", "M(r575.test)"},
    {"RCPT 576 drops", EHLO MAIL "RCPT TO=<r576.test> FINGERPRINT=" F1
        "\n" RCPT, "220 250-250-250 250 576 503 ",
        "M(alpha.test)R(r576.test)"},
    {"RCPT 510 leaves", EHLO MAIL "RCPT TO=<r510.test> FINGERPRINT=" F1
        "\n" RCPT "DATA\n.\n", "220 250-250-250 250 510 250 354 254 ",
        "M(alpha.test)R(r510.test)R(beta.test)"
        "D(alpha.test>beta.test:)"},
    {"RCPT 501 leaves", EHLO MAIL "RCPT TO=<x>\n" RCPT,
        "220 250-250-250 250 501 250 ", "M(alpha.test)R(beta.test)"},
    {"RSET aborts", EHLO MAIL "RSET\n" RCPT MAIL RCPT "RSET\nDATA\n",
        "220 250-250-250 250 250 503 250 250 250 503 ",
        "M(alpha.test)M(alpha.test)R(beta.test)"},
    {"RSET malformed does not", EHLO MAIL "RSET x\n" RCPT,
        "220 250-250-250 250 501 250 ", "M(alpha.test)R(beta.test)"},
    {"RSET keeps the host name", EHLO "RSET\n" MAIL,
        "220 250-250-250 250 250 ", "M(alpha.test)"},
    {"EHLO leaves the transaction", EHLO MAIL EHLO RCPT,
        "220 250-250-250 250 250-250-250 250 ",
        "M(alpha.test)R(beta.test)"},
    {"unknown verb leaves it", EHLO MAIL "FROB\n" RCPT,
        "220 250-250-250 250 500 250 ", "M(alpha.test)R(beta.test)"},
    {"signets in between", EHLO MAIL "SGNT FOR=<beta.test>\n" RCPT,
        "220 250-250-250 250 280-280-280 250 ",
        "M(alpha.test)S(beta.test)R(beta.test)"},
    {"after DATA all over", EHLO MAIL RCPT "DATA\n.\nDATA\n" RCPT,
        "220 250-250-250 250 250 354 254 503 503 ",
        "M(alpha.test)R(beta.test)D(alpha.test>beta.test:)"},
};

static void
sequence_table(void **state)
{
	transcript_run_all(&engine, sequence_cases, COUNT(sequence_cases));
}

static const struct transcript argument_cases[] = {
    {"case counts for nothing",
        EHLO "mail from=<ALPHA.Test> fingerprint=" F1 "\n"
        "Rcpt To=<BETA.TEST> Fingerprint=" F2 "\n",
        "220 250-250-250 250 250 ", "M(alpha.test)R(beta.test)"},
    {"SIZE", EHLO "MAIL FROM=<alpha.test> FINGERPRINT=" F1
        " SIZE=1000\n", "220 250-250-250 250 ", "M(alpha.test)"},
    {"SIZE too large", EHLO "MAIL FROM=<alpha.test> FINGERPRINT=" F1
        " SIZE=1001\n" RCPT, "220 250-250-250 552 503 ", ""},
    {"SIZE not a number", EHLO "MAIL FROM=<alpha.test> FINGERPRINT=" F1
        " SIZE=\nMAIL FROM=<alpha.test> FINGERPRINT=" F1 " SIZE=-1\n"
        "MAIL FROM=<alpha.test> FINGERPRINT=" F1 " SIZE=1x\n"
        "MAIL FROM=<alpha.test> FINGERPRINT=" F1
        " SIZE=99999999999999999999\n",
        "220 250-250-250 501 501 501 501 ", ""},
    {"arguments turned round", EHLO "MAIL FINGERPRINT=" F1
        " FROM=<alpha.test>\n", "220 250-250-250 501 ", ""},
    {"FROM alone", EHLO "MAIL FROM=<alpha.test>\n",
        "220 250-250-250 501 ", ""},
    {"FINGERPRINT alone", EHLO "MAIL FINGERPRINT=" F1 "\n",
        "220 250-250-250 501 ", ""},
    {"SMTP's spelling", EHLO "MAIL FROM:<alice@alpha.test>\n",
        "220 250-250-250 501 ", ""},
    {"an address", EHLO "MAIL FROM=<alice@alpha.test> FINGERPRINT=" F1
        "\n", "220 250-250-250 501 ", ""},
    {"null sender", EHLO "MAIL FROM=<> FINGERPRINT=" F1 "\n",
        "220 250-250-250 501 ", ""},
    {"two spaces", EHLO "MAIL FROM=<alpha.test>  FINGERPRINT=" F1 "\n",
        "220 250-250-250 501 ", ""},
    {"space behind", EHLO "MAIL FROM=<alpha.test> FINGERPRINT=" F1
        " \n", "220 250-250-250 501 ", ""},
    {"space before =", EHLO "MAIL FROM =<alpha.test> FINGERPRINT=" F1
        "\n", "220 250-250-250 501 ", ""},
    {"unknown argument", EHLO "MAIL FROM=<alpha.test> FINGERPRINT=" F1
        " BODY=8BIT\n", "220 250-250-250 501 ", ""},
    {"argument twice", EHLO "MAIL FROM=<alpha.test> FROM=<alpha.test>"
        " FINGERPRINT=" F1 "\n", "220 250-250-250 501 ", ""},
    {"fingerprint in <>", EHLO "MAIL FROM=<alpha.test> FINGERPRINT=<"
        F43 F43 ">\n", "220 250-250-250 501 ", ""},
    {"fingerprint bare", EHLO "MAIL FROM=<alpha.test> FINGERPRINT="
        F43 F43 "\n", "220 250-250-250 501 ", ""},
    {"fingerprint of 85", EHLO "MAIL FROM=<alpha.test> FINGERPRINT=["
        F43 "BCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopA]\n",
        "220 250-250-250 501 ", ""},
    {"fingerprint of 87", EHLO "MAIL FROM=<alpha.test> FINGERPRINT=["
        F43 F43 "A]\n", "220 250-250-250 501 ", ""},
    {"fingerprint with unused bits", EHLO
        "MAIL FROM=<alpha.test> FINGERPRINT=[" F43 F43 "]\n",
        "220 250-250-250 501 ", ""},
    {"fingerprint padded", EHLO "MAIL FROM=<alpha.test> FINGERPRINT=["
        F43 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnA==]\n",
        "220 250-250-250 501 ", ""},
    {"fingerprint base64url", EHLO
        "MAIL FROM=<alpha.test> FINGERPRINT=[" F43
        "-_CDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopA]\n",
        "220 250-250-250 501 ", ""},
    {"RCPT bad", EHLO MAIL "RCPT TO=<beta.test>\nRCPT FINGERPRINT=" F2
        "\nRCPT FINGERPRINT=" F2 " TO=<beta.test>\nRCPT TO=<bob@beta."
        "test> FINGERPRINT=" F2 "\nRCPT TO:<bob@beta.test>\n"
        "RCPT TO=<beta.test> FINGERPRINT=" F2 " SIZE=1\n",
        "220 250-250-250 250 501 501 501 501 501 501 ",
        "M(alpha.test)"},
    {"SGNT of a domain", "SGNT FOR=<beta.test>\n",
        "220 280-280-280 ", "S(beta.test)"},
    {"SGNT of an address", "SGNT FOR=<Bob@beta.test>\n",
        "220 280-280-280 ", "S(bob@beta.test)"},
    {"SGNT with fingerprint", "SGNT FOR=<beta.test> FINGERPRINT=" F1
        "\n", "220 280-280-280 ", "S(beta.test+)"},
    {"SGNT bad", "SGNT\nSGNT <beta.test>\nSGNT FOR=beta.test\n"
        "SGNT FOR=<a@b@beta.test>\nSGNT FOR=<@beta.test>\n"
        "SGNT FINGERPRINT=" F1 " FOR=<beta.test>\n"
        "SGNT FOR=<\"a b\"@beta.test>\n",
        "220 501 501 501 501 501 501 501 ", ""},
    {"VRFY", "VRFY FOR=<beta.test> FINGERPRINT=" F1 "\n", "220 271 ",
        "V(beta.test)"},
    {"VRFY bad", "VRFY FOR=<beta.test> FINGERPRINT=[AA]\n"
        "VRFY FINGERPRINT=" F1 " FOR=<beta.test>\n"
        "VRFY FOR=beta.test FINGERPRINT=" F1 "\n"
        "VRFY FOR=<beta.test> FINGERPRINT=" F1 " FINGERPRINT=" F1 "\n"
        "VRFY beta.test\n", "220 501 501 501 501 501 ", ""},
    {"VRFY without fingerprint", "VRFY FOR=<beta.test>\n", "220 501 ",
        ""},
    {"HIST", "HIST FOR=<bob@beta.test>\n", "220 576 ",
        "H(bob@beta.test)"},
    {"HIST from", "HIST FOR=<bob@beta.test> START=" F1 "\n",
        "220 576 ", "H(bob@beta.test start)"},
    {"HIST up to", "HIST FOR=<bob@beta.test> STOP=" F1 "\n",
        "220 576 ", "H(bob@beta.test stop)"},
    {"HIST from, up to", "HIST FOR=<bob@beta.test> START=" F1 " STOP="
        F2 "\n", "220 576 ", "H(bob@beta.test start stop)"},
    {"HIST turned round", "HIST FOR=<bob@beta.test> STOP=" F1 " START="
        F2 "\n", "220 501 ", ""},
    {"HIST bad", "HIST\nHIST START=" F1 "\nHIST FOR=<bob@beta.test> "
        "START=" F1 " START=" F1 "\nHIST FOR=<bob@beta.test> "
        "FINGERPRINT=" F1 "\nHIST FOR=<bob@beta.test> START=[]\n",
        "220 501 501 501 501 501 ", ""},
    {"HIST of a domain", "HIST FOR=<beta.test>\n", "220 501 ", ""},
};

static void
argument_table(void **state)
{
	transcript_run_all(&engine, argument_cases, COUNT(argument_cases));
}

static const char *const verbs[] = {
#define COMMAND(verb, states, aborts, arguments, event, handler) #verb,
#include "dmtp/command.def"
#undef COMMAND
};

/* The codes of all that is said to `line` within a transaction, and to RCPT. */
static void
expect_within(const char *verb, struct span line, const char *codes)
{
	struct buffer text = buffer_make(4000), said = buffer_make(4000);
	struct buffer output = buffer_make(1 << 20);
	struct buffer events = buffer_make(1 << 20);
	struct span rest, reply;

	buffer_append_string(&text, EHLO MAIL);
	buffer_append_string(&text, verb);
	buffer_append_span(&text, line);
	buffer_append_string(&text, "\n" RCPT);
	transcript_run(&engine, buffer_span(&text), SIZE_MAX, &output, &events);
	rest = buffer_span(&output);
	for (size_t i = 0; span_next_line(&rest, &reply); i++)
		if (i >= 5) /* of the greeting, EHLO and MAIL */
			buffer_append_span(&said, span_slice(reply, 0, 4));
	assert_string_equal(buffer_string(&said), codes);
	buffer_free(&text);
	buffer_free(&said);
	buffer_free(&output);
	buffer_free(&events);
}

/* With no verb does a line that breaks the rules of lines do anything. */
static void
hostile_lines(void **state)
{
	static const struct {
		const char *name;
		struct span text;
	} cases[] = {
#define CASE(name, text) {name, {(const uint8_t *)(text), sizeof(text) - 1}}
	    CASE("8-bit", " \x80"),
	    CASE("8-bit at once", "\xff"),
	    CASE("NUL", " \0"),
	    CASE("NUL at once", "\0"),
	    CASE("CR inside", " a\rb"),
	    CASE("two CR", "\r\r"),
	    CASE("a tab", "\t"),
	    CASE("long", " " LONG500 LONG50),
	    CASE("long, with a good end", " " LONG500 LONG50 " FROM=<a.test>"),
	    CASE("two verbs", "MAIL"),
	    CASE("format", "%s%n"),
#undef CASE
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t j = 0; j < COUNT(verbs); j++) {
			print_message("case: %s %s\n", verbs[j], cases[i].name);
			expect_within(verbs[j], cases[i].text, "500 250 ");
		}
}

/* Arguments that no verb has; only MAIL ends the transaction all the same. */
static void
hostile_arguments(void **state)
{
	static const char *const arguments[] = {" ", "  ", " =", " <>", " []",
	    " FOR", " FOR=", " FOR=<", " FOR=<>", " FOR=<@>", " FOR=<a@>",
	    " FOR=<..>", " TO=<a.test>", " FROM=<a.test>", " FINGERPRINT=[]",
	    " FOR=<a.test> FINGERPRINT=[", " FOR=<a.test> FINGERPRINT=[=]",
	    " FOR=<a.test>" " FINGERPRINT=" F1 " x", " <[::]> <[::]>",
	    " FOR=<%s@%n.test>x", " FOR=<bob@beta.test>,<carol@beta.test>"};

	for (size_t i = 0; i < COUNT(arguments); i++)
		for (size_t j = 0; j < COUNT(verbs); j++) {
			const char *verb = verbs[j], *codes = "501 250 ";

			if (strcmp(verb, "MAIL") == 0)
				codes = "501 503 ";
			else if (strcmp(verb, "DATA") == 0)
				codes = "503 250 ";
			else if (strcmp(verb, "NOOP") == 0)
				codes = "250 250 ";
			else if (strcmp(verb, "VERB") == 0 ||
			    strcmp(verb, "STARTTLS") == 0)
				codes = "502 250 ";
			print_message("case: %s%s\n", verb, arguments[i]);
			expect_within(verb, span_string(arguments[i]), codes);
		}
}

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

	transcript_run_all(&engine, cases, COUNT(cases));
}

static void
exact_replies(void **state)
{
	struct buffer output = buffer_make(1 << 20);
	struct buffer events = buffer_make(1 << 20);

	transcript_run(&engine, span_string(TO_DATA
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
	feed(&server, span_string("EHLO <mail.alpha.test>\nMODE\n"
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
	feed(&server, span_string(EHLO MAIL RCPT), &events);
	assert_true(dmtp_server_in_transaction(&server));
	assert_false(dmtp_server_in_data(&server));
	assert_int_equal(server.lines, 3);
	feed(&server, span_string("DATA\nsome\n"), &events);
	assert_true(dmtp_server_in_data(&server));
	assert_int_equal(server.lines, 5);
	dmtp_server_refuse_data(&server, REPLY_ACCESS_DENIED);
	assert_int_equal(server.message.length, 0);
	feed(&server, span_string("more\n"), &events);
	assert_int_equal(server.message.length, 0);
	buffer_reset(&server.output);
	feed(&server, span_string(".\nNOOP\n"), &events);
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
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(line_table),
	    cmocka_unit_test(nul_octet),
	    cmocka_unit_test(global_table),
	    cmocka_unit_test(sequence_table),
	    cmocka_unit_test(argument_table),
	    cmocka_unit_test(hostile_lines),
	    cmocka_unit_test(hostile_arguments),
	    cmocka_unit_test(data_table),
	    cmocka_unit_test(exact_replies),
	    cmocka_unit_test(elevated),
	    cmocka_unit_test(refused_data),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
