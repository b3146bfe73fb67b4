/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/milter_site.h"

/* What DIME-OUT seals, DIME-IN opens. */

/* Sealed and opened again: what comes out, and the envelope sender. */
static void
assert_round_trip(const char *given, const char *sender,
    const char *expected, const char *expected_sender)
{
	struct buffer armor = buffer_make(1 << 22);
	struct buffer text = buffer_make(1 << 22);
	struct mta_mail mail = letter("OUT", given);

	mail.sender = sender;
	seal(&mail, &armor);
	mail = arriving(&text, buffer_span(&armor));
	assert_int_equal(send_mail("DIME-IN", &mail), 'a');
	buffer_reset(&text);
	mta_text(&mta, &text);
	assert_string_equal(buffer_string(&text), expected);
	assert_string_equal(mta.sender, expected_sender);
	assert_string_equal(mta.sender_arguments, "RET=HDRS");
	mta_close(&mta);
	buffer_free(&armor);
	buffer_free(&text);
}

#define RESULT(verdict, author) "Authentication-Results: mx.beta.test;\r\n" \
	"\tdime=" verdict " header.from=alpha.test\r\n" \
	"\tpolicy.author=" author " policy.origin=alpha.test\r\n"
#define EXPECTED_HEADER "DKIM-Signature: v=1;\r\n\tb=aa\r\n\tbb \r\n" \
	"X-N:value\r\nX-T:\tvalue\r\nX-N: again\r\nX-Fold:\r\n a\r\n \r\n" \
	"From: Alice <alice@alpha.test>\r\nTo: bob@beta.test\r\n" \
	"Subject: a secret plan\r\nX-8: \xe4\xf6 \x01\r\n" \
	"Authentication-Results: other.test; spf=pass\r\n"

static void
what_comes_out_is_what_went_in(void **state)
{
	note("T1", "<alice@alpha.test>", BODY);
	assert_round_trip(RECEIVED("T1") HEADER "\r\n" BODY,
	    "<alice@alpha.test>", RESULT("pass", "alice@alpha.test") REWRITTEN
	    EXPECTED_HEADER "\r\n" BODY, "<alice@alpha.test>");
	assert_round_trip(RECEIVED("T2") HEADER "\r\n" BODY,
	    "<alice@alpha.test>", RESULT("neutral", "relay@alpha.test")
	    REWRITTEN EXPECTED_HEADER "\r\n" BODY, "<alice@alpha.test>");
	assert_round_trip(RECEIVED("T3") HEADER "\r\n", "<>",
	    RESULT("neutral", "relay@alpha.test") REWRITTEN
	    EXPECTED_HEADER "\r\n", "<>");
	assert_round_trip(RECEIVED("T4") HEADER "\r\n" BODY,
	    "<List-Bounces+Bob=beta.test@Alpha.test>",
	    RESULT("neutral", "relay@alpha.test") REWRITTEN
	    EXPECTED_HEADER "\r\n" BODY,
	    "<List-Bounces+Bob=beta.test@alpha.test>");
	/* A stranger's address must not get the bounces of what we signed. */
	assert_round_trip("From: dave@gamma.test\r\n\r\nx\r\n",
	    "<dave@gamma.test>", "Authentication-Results: mx.beta.test;\r\n"
	    "\tdime=fail header.from=gamma.test\r\n\tpolicy.author="
	    "relay@alpha.test policy.origin=alpha.test\r\n"
	    "From: dave@gamma.test\r\n\r\nx\r\n", "<relay@alpha.test>");
}

static void
a_tag_stays_with_the_recipient(void **state)
{
	static const char tagged[] = "<Bob+Tag@beta.test>";
	struct mta_mail mail = letter("OUT", RECEIVED("G1") HEADER "\r\n" BODY);
	struct buffer armor = buffer_make(1 << 20);
	struct buffer text = buffer_make(1 << 20);
	struct message_envelope envelope;
	struct message *message;
	struct keys_org *beta;
	struct fault fault;

	mail.recipients[0] = tagged;
	seal(&mail, &armor);
	assert_int_equal(message_read(buffer_span(&armor), 1 << 20, &message,
	    &fault), 0);
	assert_int_equal(keys_find_org(site.keys, "beta.test", &beta, &fault),
	    0);
	assert_int_equal(message_unlock(message, MESSAGE_DESTINATION,
	    beta->agreer, &fault), 0);
	assert_int_equal(message_destination_envelope(message, &envelope,
	    &fault), 0);
	assert_string_equal(envelope.address, "bob+tag@beta.test");
	assert_string_equal(envelope.spelled, "bob+tag@beta.test");
	keys_org_free(beta);
	message_free(message);
	mail = arriving(&text, buffer_span(&armor));
	mail.recipients[0] = tagged;
	expect("DIME-IN", &mail, 'a', "");
	buffer_free(&armor);
	buffer_free(&text);
}

static void
bounces_to_no_user_go_to_relay(void **state)
{
	static const char text[] = RECEIVED("U1") HEADER "\r\n" BODY;
	static const char srs[] = "<SRS0=aB=3D=gamma.test=Dave@alpha.test>";
	struct buffer armor = buffer_make(1 << 22);
	struct buffer sealed = buffer_make(1 << 22);
	struct mta_mail mail = letter("OUT", text);

	fake_policyd_knows_users(&site.policyd);
	mail.sender = "<>";
	mail.recipients[0] = srs;
	seal(&mail, &armor);
	assert_string_equal(site.policyd.to,
	    "relay+srs0=ab=3d=gamma.test=dave@alpha.test");
	mail = arriving(&sealed, buffer_span(&armor));
	mail.recipients[0] = "<relay+SRS0=aB=3D=gamma.test=Dave@alpha.test>";
	expect("DIME-IN", &mail, 'a', "");
	assert_string_equal(mta.added, srs);
	assert_string_equal(mta.deleted, mail.recipients[0]);
	assert_string_equal(mta.sender, "<>");
	/* Whatever else has no signet is for whoever runs the domain. */
	mail = letter("OUT", text);
	mail.sender = "<>";
	mail.recipients[0] = "<www-data@alpha.test>";
	seal(&mail, &armor);
	assert_string_equal(site.policyd.to, "relay+www-data@alpha.test");
	mail.recipients[0] = "<relay@nowhere.test>";
	expect("DIME-OUT", &mail, 'y', "550 5.1.1 ");
	/* No bounce, no such way. */
	mail = letter("OUT", text);
	mail.recipients[0] = srs;
	expect("DIME-OUT", &mail, 'y', "550 5.1.1 ");
	buffer_free(&armor);
	buffer_free(&sealed);
}

static void
only_bounces_go_past_relay(void **state)
{
	struct buffer armor = buffer_make(1 << 22);
	struct buffer sealed = buffer_make(1 << 22);
	struct mta_mail mail = letter("OUT", HEADER "\r\n" BODY);

	mail.recipients[0] = "<relay+SRS0=x@alpha.test>";
	seal(&mail, &armor);
	mail = arriving(&sealed, buffer_span(&armor));
	mail.recipients[0] = "<relay+SRS0=x@alpha.test>";
	expect("DIME-IN", &mail, 'a', "");
	assert_string_equal(mta.sender, "<alice@alpha.test>");
	assert_string_equal(mta.added, "");
	assert_string_equal(mta.deleted, "");
	buffer_free(&armor);
	buffer_free(&sealed);
}

/* A recipient whose signet is in the libdime layout gets a message in that
 * dialect, with our own signets in it; and one comes in. */
static void
the_libdime_layout_is_answered_in_kind(void **state)
{
	struct buffer armor = buffer_make(1 << 22);
	struct mta_mail mail = letter("OUT", RECEIVED("L1") HEADER "\r\n" BODY);
	struct message *message;

	fake_policyd_has(&site.policyd, LAYOUT_LIBDIME, LAYOUT_LIBDIME);
	note("L1", "<alice@alpha.test>", BODY);
	seal(&mail, &armor);
	assert_author(&armor, "alice@alpha.test");
	assert_int_equal(message_read(buffer_span(&armor), 1 << 22, &message,
	    NULL), 0);
	assert_int_equal(message->chunk_count, 10);
	assert_int_equal(message->chunks[8].type, MESSAGE_DISPLAY_BOUNCE);
	message_free(message);
	assert_round_trip(RECEIVED("L1") HEADER "\r\n" BODY,
	    "<alice@alpha.test>", RESULT("pass", "alice@alpha.test") REWRITTEN
	    EXPECTED_HEADER "\r\n" BODY, "<alice@alpha.test>");
	assert_round_trip(RECEIVED("L2") HEADER "\r\n" BODY,
	    "<alice@alpha.test>", RESULT("neutral", "relay@alpha.test")
	    REWRITTEN EXPECTED_HEADER "\r\n" BODY, "<alice@alpha.test>");
	/* A peer half of whose signets are in the other layout waits. */
	mail = letter("OUT", RECEIVED("L3") HEADER "\r\n" BODY);
	fake_policyd_has(&site.policyd, LAYOUT_STANDARD, LAYOUT_LIBDIME);
	expect("DIME-OUT", &mail, 'y', "4");
	fake_policyd_has(&site.policyd, LAYOUT_LIBDIME, LAYOUT_STANDARD);
	expect("DIME-OUT", &mail, 'y', "4");
	fake_policyd_has(&site.policyd, LAYOUT_STANDARD, LAYOUT_STANDARD);
	buffer_free(&armor);
}

static void
many_fields_and_a_long_body(void **state)
{
	struct buffer given = buffer_make(1 << 22);
	struct buffer expected = buffer_make(1 << 22);

	buffer_append_string(&given, "From: alice@alpha.test\r\n");
	for (int i = 0; i < 1000; i++)
		buffer_printf(&given, "X-%d: %d\r\n", i % 7, i);
	buffer_append_string(&given, "\r\n");
	for (int i = 0; i < 30000; i++)
		buffer_printf(&given, "line %d of a long body\r\n", i);
	buffer_append_string(&expected, RESULT("neutral",
	    "relay@alpha.test"));
	buffer_append_span(&expected, buffer_span(&given));
	assert_round_trip(buffer_string(&given), "<alice@alpha.test>",
	    buffer_string(&expected), "<alice@alpha.test>");
	buffer_free(&given);
	buffer_free(&expected);
}

#define TEST(name) cmocka_unit_test_setup(name, site_answer_dark)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_tag_stays_with_the_recipient),
	    TEST(what_comes_out_is_what_went_in),
	    TEST(bounces_to_no_user_go_to_relay),
	    TEST(only_bounces_go_past_relay),
	    TEST(the_libdime_layout_is_answered_in_kind),
	    TEST(many_fields_and_a_long_body),
	};

	return cmocka_run_group_tests(tests, site_start, site_end);
}
