/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/milter_site.h"

#include "keys/state.h"

/* What DIME-MX lets in, opens or refuses. */

static void
the_public_listener_guards(void **state)
{
	static const struct {
		const char *from, *to;
		enum policy_action action;
		char verdict;
		const char *reply;
		unsigned int asked;
	} cases[] = {
	    {"<dave@gamma.test>", "<bob@beta.test>", POLICY_NAKED, 'c', "", 1},
	    {"<dave@gamma.test>", "<bob@beta.test>", POLICY_REFUSE, 'y',
	     "550 5.7.1 why", 1},
	    {"<dave@gamma.test>", "<bob@beta.test>", POLICY_DEFER, 'y',
	     "451 4.4.3 why", 1},
	    {"<dave@gamma.test>", "<bob@beta.test>", POLICY_DARK, 'y',
	     "451 4.4.3 why", 1},
	    {"<\"d v\"@gamma.test>", "<bob@beta.test>", POLICY_REFUSE, 'y',
	     "550 5.7.1 why", 1},
	    {"<dave@gamma.test>", "<\"bob\"@beta.test>", POLICY_REFUSE, 'y',
	     "550 5.7.1 why", 1},
	    {"<dave@gamma.test>", "<@x.test:bob@Beta.test>", POLICY_REFUSE,
	     'y', "550 5.7.1 why", 1},
	    {"<>", "<bob@beta.test>", POLICY_REFUSE, 'c', "", 0},
	    {"<alice@alpha.test>", "<bob@beta.test>", POLICY_REFUSE, 'c', "",
	     0},
	    {"<dave@gamma.test>", "<eve@delta.test>", POLICY_REFUSE, 'c', "",
	     0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct mta_mail mail = {.queue_id = "MX",
		    .sender = cases[i].from, .recipients = {cases[i].to}};

		fake_policyd_answer(&site.policyd, cases[i].action, 0, "why");
		expect("DIME-MX", &mail, cases[i].verdict, cases[i].reply);
		assert_int_equal(fake_policyd_asked(&site.policyd,
		    FACTS_INBOUND), cases[i].asked);
	}
}

/* Only those that speak of DIME: others may be of a scanner in front of us. */
static void
naked_mail_bears_no_results_of_ours(void **state)
{
#define OTHER "From: dave@gamma.test\r\n" \
	"Authentication-Results: mx.beta.test; spf=pass\r\n" \
	"Authentication-Results: gamma.test; dime=pass\r\n"
	static const char *const forged[] = {
	    "Authentication-Results: mx.beta.test; dime=pass\r\n",
	    ("authentication-results:\r\n (x) MX.Beta.Test. 1;\r\n"
	     " DIME = pass\r\n"),
	    "Authentication-Results: mx2.beta.test; spf=pass; dime=pass\r\n",
	    "Authentication-Results: \"beta.test\"; dime=pass\r\n",
	};

	for (size_t i = 0; i < COUNT(forged); i++) {
		struct buffer text = buffer_make(1 << 16);
		struct mta_mail mail;

		unit_case(forged[i]);
		buffer_printf(&text, "%s" OTHER "%s\r\nthe body\r\n",
		    forged[i], forged[i]);
		mail = letter("MX2", buffer_string(&text));
		mail.sender = "<dave@gamma.test>";
		fake_policyd_answer(&site.policyd, POLICY_NAKED, 0, "");
		assert_int_equal(send_mail("DIME-MX", &mail), 'a');
		buffer_reset(&text);
		mta_text(&mta, &text);
		assert_string_equal(buffer_string(&text),
		    OTHER "\r\nthe body\r\n");
		mta_close(&mta);
		buffer_free(&text);
	}
#undef OTHER
}

static void
sealed_mail_over_smtp_is_opened(void **state)
{
	struct buffer armor = buffer_make(1 << 20), text = buffer_make(1 << 20);
	struct mta_mail mail = letter("OUT", RECEIVED("S1")
	    "From: alice@alpha.test\r\n\r\n" BODY);

	seal(&mail, &armor);
	mail = arriving(&text, buffer_span(&armor));
	mail.sender = "<>";
	assert_int_equal(send_mail("DIME-MX", &mail), 'a');
	assert_true(mta.body_replaced);
	assert_true(span_equal_string(buffer_span(&mta.body), BODY));
	assert_string_equal(mta.sender, "<alice@alpha.test>");
	mta_close(&mta);
	mail.text = span_string("Subject: naked\r\n\r\nx\r\n");
	assert_int_equal(send_mail("DIME-MX", &mail), 'a');
	assert_false(mta.body_replaced);
	mta_close(&mta);
	buffer_free(&armor);
	buffer_free(&text);
}

/* From mailer-daemon@ the guard waits until it sees that a message is not
 * sealed; what came by DMTP before is not delivered again. */
static void
sealed_mail_by_smtp_passes_the_guard(void **state)
{
	struct buffer armor = buffer_make(1 << 20), text = buffer_make(1 << 20);
	struct mta_mail mail = letter("OUT", RECEIVED("S2")
	    "From: alice@alpha.test\r\n\r\n" BODY);
	struct mta_mail naked = {.queue_id = "MX",
	    .sender = "<Mailer-Daemon@gamma.test>",
	    .recipients = {"<bob@beta.test>"},
	    .text = span_string("Subject: naked\r\n\r\nx\r\n")};
	char identifier[SIGNET_FINGERPRINT_SIZE];
	struct message *message;
	struct state *delivered;

	seal(&mail, &armor);
	mail = arriving(&text, buffer_span(&armor));
	mail.sender = "<mailer-daemon@gamma.test>";
	fake_policyd_answer(&site.policyd, POLICY_REFUSE, 0, "why");
	assert_int_equal(send_mail("DIME-MX", &mail), 'a');
	assert_true(span_equal_string(buffer_span(&mta.body), BODY));
	assert_string_equal(mta.sender, "<alice@alpha.test>");
	mta_close(&mta);
	expect("DIME-MX", &naked, 'y', "550 5.7.1 why");
	assert_int_equal(fake_policyd_asked(&site.policyd, FACTS_INBOUND), 1);
	/* A second recipient is judged at once: it cannot be sealed. */
	naked.recipients[1] = "<alice@beta.test>";
	expect("DIME-MX", &naked, 'y', "550 5.7.1 why");
	fake_policyd_answer(&site.policyd, POLICY_NAKED, 0, "");
	naked.recipients[1] = NULL;
	expect("DIME-MX", &naked, 'a', "");

	assert_int_equal(message_read(buffer_span(&armor), 1 << 20, &message,
	    NULL), 0);
	message_signed_identifier(message, identifier);
	message_free(message);
	assert_int_equal(state_open(site_path("state.db"), 0, &clock_system,
	    &delivered, NULL), 0);
	assert_int_equal(state_set_delivered(delivered, identifier,
	    "bob@beta.test"), 0);
	state_close(delivered);
	assert_int_equal(send_mail("DIME-MX", &mail), 'd');
	mta_close(&mta);
	assert_true(logged("event=duplicate"));
	/* At DIME-IN it was dmtpd that looked. */
	mail.sender = "<mailer-daemon@alpha.test>";
	assert_int_equal(send_mail("DIME-IN", &mail), 'a');
	mta_close(&mta);
	buffer_free(&armor);
	buffer_free(&text);
}

/* In shadow mode the guard lets in what it says that it would refuse,
 * whether policyd answers or not, and nothing is sealed or opened otherwise. */
static void
shadow_mode_lets_naked_mail_in(void **state)
{
	struct mta_mail mail = {.queue_id = "MX",
	    .sender = "<dave@shadow.test>", .recipients = {"<bob@beta.test>"}};

	site_reload("mode = \"shadow\"\n");
	fake_policyd_answer(&site.policyd, POLICY_REFUSE, ERR_POLICY, "why");
	expect("DIME-MX", &mail, 'c', "");
	assert_int_equal(fake_policyd_asked(&site.policyd, FACTS_INBOUND), 1);
	assert_true(logged("event=refused listener=DIME-MX "
	    "mode=shadow from-domain=shadow.test to-domain=beta.test "
	    "reason=why"));
	fake_policyd_stop(&site.policyd);
	expect("DIME-MX", &mail, 'c', "");
	fake_policyd_start(&site.policyd, site_path("facts"), site.keys);
	mail = letter("OUT", RECEIVED("SH") "\r\n" BODY);
	fake_policyd_answer(&site.policyd, POLICY_DEFER, ERR_DNS, "no DNS");
	expect("DIME-OUT", &mail, 'y', "451 4.4.3 no DNS");
}

#define TEST(name) cmocka_unit_test_setup(name, site_answer_dark)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_public_listener_guards),
	    TEST(naked_mail_bears_no_results_of_ours),
	    TEST(sealed_mail_over_smtp_is_opened),
	    TEST(sealed_mail_by_smtp_passes_the_guard),
	    TEST(shadow_mode_lets_naked_mail_in),
	};

	return cmocka_run_group_tests(tests, site_start, site_end);
}
