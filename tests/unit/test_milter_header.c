/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "milter/letter.h"
#include "milter/received.h"

static void
fields_of_a_block(void **state)
{
	static const char block[] = "A:one\r\nB : two\r\n\tfolded\r\n \r\n"
	    "no field\r\nC:\r\nlast: x";
	static const struct {
		const char *name, *value;
	} expected[] = {
	    {"A", "one"},
	    {"B ", " two\r\n\tfolded\r\n "},
	    {"", ""},
	    {"C", ""},
	    {"last", " x"},
	};
	struct span rest = span_string(block);
	struct header_field field;
	size_t total = 0;

	for (size_t i = 0; i < COUNT(expected); i++) {
		unit_case(expected[i].name);
		assert_true(header_next(&rest, &field));
		assert_true(span_equal_string(field.name, expected[i].name));
		assert_true(span_equal_string(field.value, expected[i].value));
		total += field.whole.length;
	}
	assert_false(header_next(&rest, &field));
	assert_int_equal(total, strlen(block));
	assert_true(header_find(span_string(block), "b", &field));
	assert_true(span_equal_string(field.name, "B "));
	rest = span_string(" fold first\r\nA: b\r\n");
	assert_true(header_next(&rest, &field));
	assert_int_equal(field.name.length, 0);
	rest = span_string(" x: y\r\n");
	assert_true(header_next(&rest, &field));
	assert_int_equal(field.name.length, 0);
}

static void
sealed_content_types(void **state)
{
	static const struct {
		const char *block;
		bool sealed;
	} cases[] = {
	    {"Content-Type: application/vnd.dime-message\r\n", true},
	    {"content-type:Application/VND.dime-message; x=y\r\n", true},
	    {"Content-Type: (a) application/vnd.dime-message\r\n", true},
	    {"Content-Type:\r\n\tapplication/vnd.dime-message\r\n", true},
	    {"Content-Type: application/vnd.dime-messages\r\n", false},
	    {"Content-Type: text/plain; x=application/vnd.dime-message\r\n",
	     false},
	    {"X: y\r\n", false},
	    {"", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].block);
		assert_int_equal(header_is_sealed(span_string(cases[i].block)),
		    cases[i].sealed);
	}
}

static void
author_domains(void **state)
{
	static const struct {
		const char *from, *domain; /* "": there is no one author */
	} cases[] = {
	    {" alice@alpha.test", "alpha.test"},
	    {" <alice@alpha.test>", "alpha.test"},
	    {" Alice A. <alice@Alpha.Test>", "alpha.test"},
	    {" \"Alice, the <first>\" <alice@alpha.test>", "alpha.test"},
	    {" =?utf-8?q?a=40b?= <alice@alpha.test>", "alpha.test"},
	    {" alice@alpha.test (Alice (A))", "alpha.test"},
	    {" (bob@beta.test) alice@alpha.test", "alpha.test"},
	    {" Alice\r\n\t<alice@alpha.test>\r\n ", "alpha.test"},
	    {" alice@evil.test, alice@alpha.test", ""},
	    {" <alice@evil.test> <alice@alpha.test>", ""},
	    {" Alice <alice@alpha.test> x", ""},
	    {" alice@alpha.test <mallory@evil.test>", "evil.test"},
	    {" mallory@evil.test alice@alpha.test", ""},
	    {" \"alice@alpha.test", ""},
	    {" (alice@alpha.test", ""},
	    {" <alice@alpha.test", ""},
	    {" group: alice@alpha.test;", ""},
	    {" \"alice\"@alpha.test", ""},
	    {" <@relay.test:alice@alpha.test>", ""},
	    {" alice", ""},
	    {" ", ""},
	    {"", ""},
	};
	char block[200], out[DOMAIN_SIZE];

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].from);
		snprintf(block, sizeof(block), "X: y\r\nfrom:%s\r\n",
		    cases[i].from);
		assert_int_equal(header_from_domain(span_string(block), out),
		    *cases[i].domain != '\0');
		assert_string_equal(out, cases[i].domain);
	}
	assert_false(header_from_domain(span_string(
	    "From: a@alpha.test\r\nFROM : b@alpha.test\r\n"), out));
	assert_false(header_from_domain(span_string("X: y\r\n"), out));
	assert_false(header_from_domain(span_of(
	    "From: a@alpha.test\0x\r\n", 22), out));
}

#define SUBMITTED " from [192.0.2.9] (client.test [192.0.2.9])\r\n" \
	"\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)" \
	")\r\n\t(No client certificate requested)\r\n" \
	"\t(Authenticated sender: alice@alpha.test)\r\n" \
	"\tby mx.alpha.test (Postfix) with ESMTPSA id 4QmkZ20jF7z3xK\r\n" \
	"\tfor <bob@beta.test>; Thu,  6 Jul 2023 12:00:00 +0200 (CEST)"

static void
received_table(void **state)
{
	static const struct {
		const char *name, *value, *by, *id, *date;
	} cases[] = {
	    {"submission", SUBMITTED, "mx.alpha.test", "4QmkZ20jF7z3xK",
	     "Thu,  6 Jul 2023 12:00:00 +0200 (CEST)"},
	    {"many recipients", " from a (b [1.2.3.4])\r\n\tby h.test (Postfix)"
	     " with ESMTP id AB12;\r\n\tThu, 6 Jul 2023 12:00:00 +0000 (UTC)",
	     "h.test", "AB12", "Thu, 6 Jul 2023 12:00:00 +0000 (UTC)"},
	    {"sendmail(1)", " by h.test (Postfix, from userid 1000)\r\n"
	     "\tid XYZ9; Thu, 6 Jul 2023 12:00:00 +0000 (UTC)", "h.test",
	     "XYZ9", "Thu, 6 Jul 2023 12:00:00 +0000 (UTC)"},
	    {"ours, rewritten", " by alpha.test; Thu, 6 Jul 2023 12:00:00 "
	     "+0000", "alpha.test", "", "Thu, 6 Jul 2023 12:00:00 +0000"},
	    {"no date", " by alpha.test", "alpha.test", "", ""},
	    {"id in the recipient", " from a (b [1.2.3.4]) by h.test with "
	     "ESMTP id TRUE for <\"x id FALSE; y\"@alpha.test>; date", "h.test",
	     "TRUE", "date"},
	    {"by in a comment", " from a (by evil.test id FALSE) by h.test "
	     "with ESMTP id TRUE; d", "h.test", "TRUE", "d"},
	    {"client is called by", " from by (x [1.2.3.4]) by h.test with "
	     "ESMTP id TRUE; d", "h.test", "TRUE", "d"},
	    {"words after from", " from x by evil.test id FALSE (x) by h.test "
	     "with ESMTP id TRUE; d", "", "", ""},
	    {"two ids", " by h.test id A1 id B2; d", "", "", ""},
	    {"no queue id", " by h.test id <x@y>; d", "", "", ""},
	    {"id without value", " by h.test id; d", "", "", ""},
	    {"other clause", " by h.test via UUCP id A1; d", "", "", ""},
	    {"open comment", " by h.test (Postfix id A1; d", "", "", ""},
	    {"no by", " from a; d", "", "", ""},
	    {"empty", "", "", "", ""},
	};
	struct received received;

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		assert_int_equal(received_parse(span_string(cases[i].value),
		    &received), *cases[i].by != '\0');
		assert_string_equal(received.by, cases[i].by);
		assert_string_equal(received.id, cases[i].id);
		assert_true(span_equal_string(received.date, cases[i].date));
	}
}

static void
only_the_topmost_counts(void **state)
{
	struct received received;

	assert_true(received_topmost(span_string("X: y\r\n"
	    "Received: by h.test id TRUE; d\r\n"
	    "Received: by h.test id FALSE; d\r\n"), &received));
	assert_string_equal(received.id, "TRUE");
	assert_false(received_topmost(span_string(
	    "Received: from a at evil\r\n"
	    "Received: by h.test id FALSE; d\r\n"), &received));
	assert_string_equal(received.id, "");
	assert_false(received_topmost(span_string("X: y\r\n"), &received));
}

static void
own_fields_are_rewritten(void **state)
{
	static const char *names[] = {"alpha.test"};
	static const struct config_list domains = {names, 1};
	static const struct {
		const char *name, *given, *expected;
	} cases[] = {
	    {"submission", "Received:" SUBMITTED "\r\nSubject: x\r\n",
	     "Received: by alpha.test; Thu,  6 Jul 2023 12:00:00 +0200 (CEST)"
	     "\r\nSubject: x\r\n"},
	    {"down to the first foreign one",
	     "X: y\r\nReceived: by top.test id A; d 1\r\n"
	     "Received: by MX.Alpha.test id B; d 2\r\n"
	     "received : by top.test id C; d 3\r\n"
	     "Received: by mx.gamma.test id D; d 4\r\n"
	     "Received: by top.test id E; d 5\r\n",
	     "X: y\r\nReceived: by alpha.test; d 1\r\n"
	     "Received: by alpha.test; d 2\r\n"
	     "Received: by alpha.test; d 3\r\n"
	     "Received: by mx.gamma.test id D; d 4\r\n"
	     "Received: by top.test id E; d 5\r\n"},
	    {"odd date", "Received: by h id A; <x@y>\r\n",
	     "Received: by alpha.test\r\n"},
	    {"unreadable", "Received: (\r\nReceived: by h id A; d\r\n",
	     "Received: (\r\nReceived: by h id A; d\r\n"},
	    {"none", "A: b\r\nno field\r\n", "A: b\r\nno field\r\n"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer out = buffer_make(10000);

		unit_case(cases[i].name);
		received_rewrite(span_string(cases[i].given), "alpha.test",
		    "mail.alpha.test", &domains, &out);
		assert_string_equal(buffer_string(&out), cases[i].expected);
		buffer_free(&out);
	}
}

static void
letters_collect(void **state)
{
	struct letter letter = {0};
	uint8_t expected[CRYPTO_SHA512], got[CRYPTO_SHA512];

	letter_start(&letter, 10, true);
	letter_set_sender(&letter, "<Alice@Alpha.test>");
	assert_string_equal(letter.sender, "alice@alpha.test");
	assert_string_equal(letter.sender_given, "Alice@Alpha.test");
	assert_false(letter_is_bounce(&letter));
	letter_add_recipient(&letter, "<bob@beta.test>");
	letter_add_recipient(&letter, "<carol@beta.test>");
	assert_int_equal(letter.recipients, 2);
	assert_string_equal(letter.recipient, "bob@beta.test");
	letter_add_field(&letter, "A", " b\n\tc\r\n d");
	letter_add_field(&letter, "E ", "");
	assert_string_equal(buffer_string(&letter.header),
	    "A: b\r\n\tc\r\n d\r\nE :\r\n");
	letter_add_body(&letter, span_string("12345"));
	letter_add_body(&letter, span_string("67890"));
	assert_int_equal(letter.err, 0);
	crypto_hash_end(&letter.hash, got);
	crypto_sha512(span_string("1234567890"), expected);
	assert_memory_equal(got, expected, sizeof(got));
	letter_add_body(&letter, span_string("x"));
	assert_int_equal(letter.err, ERR_TOO_LARGE);
	letter_start(&letter, 10, false);
	letter_add_body(&letter, span_string("more than ten octets"));
	assert_int_equal(letter.err, 0);
	assert_int_equal(letter.body.length, 0);
	letter_set_sender(&letter, "<>");
	assert_true(letter_is_bounce(&letter));
	letter_set_sender(&letter, "<\"a b\"@alpha.test>");
	assert_false(letter_is_bounce(&letter));
	assert_string_equal(letter.sender, "");
	letter_clear(&letter);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_of_a_block),
	    cmocka_unit_test(sealed_content_types),
	    cmocka_unit_test(author_domains),
	    cmocka_unit_test(received_table),
	    cmocka_unit_test(only_the_topmost_counts),
	    cmocka_unit_test(own_fields_are_rewritten),
	    cmocka_unit_test(letters_collect),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
