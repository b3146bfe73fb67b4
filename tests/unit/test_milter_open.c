/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/milter_site.h"

#include "dime/armor.h"

/* What DIME-IN opens or does not. */

static void
without_policyd_mail_waits(void **state)
{
	struct mta_mail mail = letter("OUT", RECEIVED("P2") "\r\n" BODY);
	struct buffer armor = buffer_make(1 << 20), text = buffer_make(1 << 20);

	seal(&mail, &armor);
	fake_policyd_stop(&site.policyd);
	expect("DIME-OUT", &mail, 'y', "451 4.4.1 ");
	mail = arriving(&text, buffer_span(&armor));
	expect("DIME-IN", &mail, 'y', "451 4.4.1 DIME-451 ");
	mail.sender = "<dave@gamma.test>";
	mail.text = span_of(NULL, 0);
	expect("DIME-MX", &mail, 'y', "451 4.4.1 ");
	fake_policyd_start(&site.policyd, site_path("facts"), site.keys);
	buffer_free(&armor);
	buffer_free(&text);
}

static void
what_does_not_verify_is_refused(void **state)
{
	struct buffer armor = buffer_make(1 << 20), text = buffer_make(1 << 20);
	struct mta_mail mail = letter("OUT", RECEIVED("V1") "\r\n" BODY);

	seal(&mail, &armor);
	mail = arriving(&text, buffer_span(&armor));
	mail.sender = "<mailer-daemon@gamma.test>";
	expect("DIME-IN", &mail, 'y', "550 5.7.7 DIME-575 the message");
	mail = arriving(&text, buffer_span(&armor));
	mail.recipients[0] = "<alice@alpha.test>"; /* another's key */
	expect("DIME-IN", &mail, 'y', "451 4.6.0 DIME-451 the message");
	mail.recipients[0] = "<nobody@beta.test>";
	expect("DIME-IN", &mail, 'y', "550 5.1.1 DIME-510 ");
	mail.recipients[0] = "<bob@beta.test>";
	mail.recipients[1] = "<bob@beta.test>";
	expect("DIME-IN", &mail, 'y', "550 5.1.1 DIME-510 ");
	mail = arriving(&text, span_string("naked\r\n"));
	expect("DIME-IN", &mail, 'y', "451 4.6.0 DIME-451 ");
	fake_policyd_answer(&site.policyd, POLICY_DEFER, ERR_UNREACHABLE,
	    "not now");
	mail = arriving(&text, buffer_span(&armor));
	expect("DIME-IN", &mail, 'y', "451 4.4.1 DIME-451 the message");
	fake_policyd_answer(&site.policyd, POLICY_DEFER, ERR_UNKNOWN_ADDRESS,
	    "not there");
	expect("DIME-IN", &mail, 'y', "550 5.1.1 DIME-575 the message");
	assert_true(logged("reason=\"author's signet: not there\""));
	buffer_free(&armor);
	buffer_free(&text);
}

/* Flips one octet in each of many places of the sealed message. No signature
 * covers the slots of chunk 255, the last 256 octets. */
static void
no_tampered_message_opens(void **state)
{
	struct buffer armor = buffer_make(1 << 20), text = buffer_make(1 << 20);
	struct buffer binary = buffer_make(1 << 20);
	struct mta_mail mail = letter("OUT", RECEIVED("V2") "\r\n" BODY);
	enum armor_kind kind;

	seal(&mail, &armor);
	assert_int_equal(armor_read(buffer_span(&armor), &kind, &binary, NULL),
	    0);
	for (size_t at = 0; at < binary.length - 256; at += 97) {
		struct buffer changed = buffer_make(1 << 20);

		binary.data[at] ^= 1;
		armor_write(kind, buffer_span(&binary), &changed);
		binary.data[at] ^= 1;
		mail = arriving(&text, buffer_span(&changed));
		assert_int_equal(send_mail("DIME-IN", &mail), 'y');
		assert_non_null(strstr(mta.reply, "DIME-"));
		assert_false(mta.body_replaced);
		mta_close(&mta);
		buffer_free(&changed);
	}
	buffer_free(&armor);
	buffer_free(&text);
	buffer_free(&binary);
}

/* Opens the message with octet `at` changed; whether the reply has `text`. */
static bool
opens_with(struct buffer *binary, enum armor_kind kind, size_t at,
    const char *text)
{
	struct buffer changed = buffer_make(1 << 20);
	struct buffer wire = buffer_make(1 << 20);
	struct mta_mail mail;
	bool found;

	binary->data[at] ^= 1;
	armor_write(kind, buffer_span(binary), &changed);
	binary->data[at] ^= 1;
	mail = arriving(&wire, buffer_span(&changed));
	assert_int_equal(send_mail("DIME-IN", &mail), 'y');
	found = strstr(mta.reply, text) != NULL;
	mta_close(&mta);
	buffer_free(&changed);
	buffer_free(&wire);
	return found;
}

/* on_bad_signature: policyd says whether it is refused or put off. */
static void
a_rule_may_put_off_a_bad_signature(void **state)
{
	struct buffer armor = buffer_make(1 << 20);
	struct buffer binary = buffer_make(1 << 20);
	struct mta_mail mail = letter("OUT", RECEIVED("V3") "\r\n" BODY);
	enum armor_kind kind;
	size_t at = 0;

	seal(&mail, &armor);
	assert_int_equal(armor_read(buffer_span(&armor), &kind, &binary, NULL),
	    0);
	while (at < binary.length &&
	    !opens_with(&binary, kind, at, "550 5.7.7 DIME-578"))
		at += 31;
	assert_true(at < binary.length);
	fake_policyd_met(&site.policyd, POLICY_DEFER);
	assert_true(opens_with(&binary, kind, at, "451 4.0.0 DIME-451"));
	fake_policyd_met(&site.policyd, POLICY_REFUSE);
	assert_true(opens_with(&binary, kind, at, "550 5.7.7 DIME-578"));
	buffer_free(&armor);
	buffer_free(&binary);
}

/* Mail that was under way is opened with the key that it was sealed for, until
 * the grace is over: then it is for nobody, and comes again to be refused by
 * dmtpd. */
static void
a_rotation_does_not_lock_mail_out(void **state)
{
	struct buffer armor = buffer_make(1 << 20), text = buffer_make(1 << 20);
	struct mta_mail mail = letter("OUT", RECEIVED("K1")
	    "From: alice@alpha.test\r\n\r\n" BODY);

	seal(&mail, &armor);
	for (int i = 0; i < 3; i++) {
		mail = arriving(&text, buffer_span(&armor));
		assert_int_equal(send_mail("DIME-IN", &mail), 'a');
		assert_true(span_equal_string(buffer_span(&mta.body), BODY));
		mta_close(&mta);
		assert_int_equal(keys_rotate_user(site.keys, "bob@beta.test",
		    NULL), 0);
	}
	site_reload("signet_grace = 0\n");
	mail = arriving(&text, buffer_span(&armor));
	expect("DIME-IN", &mail, 'y', "451");
	site_reload("");
	/* Likewise what the origin sealed before its own rotation. */
	buffer_reset(&armor);
	mail = letter("OUT", RECEIVED("K2")
	    "From: alice@alpha.test\r\n\r\n" BODY);
	seal(&mail, &armor);
	assert_int_equal(keys_prepare_org(site.keys, "alpha.test", NULL), 0);
	assert_int_equal(keys_rotate_org(site.keys, "alpha.test", NULL), 0);
	mail = arriving(&text, buffer_span(&armor));
	assert_int_equal(send_mail("DIME-IN", &mail), 'a');
	assert_true(span_equal_string(buffer_span(&mta.body), BODY));
	mta_close(&mta);
	buffer_free(&armor);
	buffer_free(&text);
}

#define TEST(name) cmocka_unit_test_setup(name, site_answer_dark)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(without_policyd_mail_waits),
	    TEST(what_does_not_verify_is_refused),
	    TEST(no_tampered_message_opens),
	    TEST(a_rule_may_put_off_a_bad_signature),
	    TEST(a_rotation_does_not_lock_mail_out),
	};

	return cmocka_run_group_tests(tests, site_start, site_end);
}
