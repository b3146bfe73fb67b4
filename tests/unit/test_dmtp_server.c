/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtp_script.h"

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

	transcript_run_all(&dmtp_script, cases, COUNT(cases));
}

static void
nul_octet(void **state)
{
	struct buffer output = buffer_make(1 << 20);
	struct buffer events = buffer_make(1 << 20);
	static const char text[] = "NOOP \0\nNOOP\0\nNOOP\n";

	transcript_run(&dmtp_script, span_of(text, sizeof(text) - 1), SIZE_MAX,
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

	transcript_run_all(&dmtp_script, cases, COUNT(cases));
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
	transcript_run_all(&dmtp_script, sequence_cases, COUNT(sequence_cases));
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
	transcript_run_all(&dmtp_script, argument_cases, COUNT(argument_cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(line_table),
	    cmocka_unit_test(nul_octet),
	    cmocka_unit_test(global_table),
	    cmocka_unit_test(sequence_table),
	    cmocka_unit_test(argument_table),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
