/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/milter_site.h"

#include <sqlite3.h>

#include "milter/letter.h"

/* DIME-SUBMIT, and what DIME-OUT seals or does not. */

static void
a_user_is_the_author_only_with_proof(void **state)
{
	static const struct {
		const char *name, *noted_id, *noted_sender, *noted_body;
		const char *sender, *text, *author;
	} cases[] = {
	    {"noted", "A1", "<alice@alpha.test>", BODY, "<Alice@alpha.test>",
	     RECEIVED("A1") HEADER "\r\n" BODY, "alice@alpha.test"},
	    {"with a tag", "A2", "<alice+x@alpha.test>", BODY,
	     "<alice+x@alpha.test>", RECEIVED("A2") HEADER "\r\n" BODY,
	     "alice@alpha.test"},
	    {"not noted", NULL, NULL, NULL, "<alice@alpha.test>",
	     RECEIVED("A3") HEADER "\r\n" BODY, "relay@alpha.test"},
	    {"another body", "A4", "<alice@alpha.test>", "other",
	     "<alice@alpha.test>", RECEIVED("A4") HEADER "\r\n" BODY,
	     "relay@alpha.test"},
	    {"another sender", "A5", "<bob@beta.test>", BODY,
	     "<alice@alpha.test>", RECEIVED("A5") HEADER "\r\n" BODY,
	     "relay@alpha.test"},
	    {"the note's id below the topmost field", "A6",
	     "<alice@alpha.test>", BODY, "<alice@alpha.test>",
	     RECEIVED("B6") RECEIVED("A6") HEADER "\r\n" BODY,
	     "relay@alpha.test"},
	    {"no Received", "A7", "<alice@alpha.test>", BODY,
	     "<alice@alpha.test>", HEADER "\r\n" BODY, "relay@alpha.test"},
	    {"no such user", "A8", "<nobody@alpha.test>", BODY,
	     "<nobody@alpha.test>", RECEIVED("A8") HEADER "\r\n" BODY,
	     "relay@alpha.test"},
	    {"a foreign sender", NULL, NULL, NULL, "<dave@gamma.test>",
	     RECEIVED("A9") HEADER "\r\n" BODY, "relay@alpha.test"},
	    {"beta's own", NULL, NULL, NULL, "<carol@beta.test>",
	     RECEIVED("A10") HEADER "\r\n" BODY, "relay@beta.test"},
	    {"a bounce", NULL, NULL, NULL, "<>",
	     RECEIVED("A11") HEADER "\r\n" BODY, "relay@alpha.test"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct mta_mail mail = letter("OUT", cases[i].text);
		struct buffer armor = buffer_make(1 << 20);

		unit_case(cases[i].name);
		if (cases[i].noted_id != NULL)
			note(cases[i].noted_id, cases[i].noted_sender,
			    cases[i].noted_body);
		mail.sender = cases[i].sender;
		seal(&mail, &armor);
		assert_author(&armor, cases[i].author);
		assert_string_equal(mta.sender, cases[i].sender);
		assert_string_equal(site.policyd.from, cases[i].author);
		assert_string_equal(site.policyd.to, "bob@beta.test");
		buffer_free(&armor);
	}
}

static void
only_logins_are_noted(void **state)
{
	struct mta_mail mail = letter("N1", "A: b\r\n\r\n" BODY);
	struct buffer armor = buffer_make(1 << 20);

	expect("DIME-SUBMIT", &mail, 'a', "");
	mail = letter("OUT", RECEIVED("N1") "\r\n" BODY);
	seal(&mail, &armor);
	assert_author(&armor, "relay@alpha.test");
	buffer_free(&armor);
}

static void
sealing_is_repeatable(void **state)
{
	struct buffer first = buffer_make(1 << 20);
	struct buffer again = buffer_make(1 << 20);
	struct mta_mail mail = letter("R1", RECEIVED("R1") "\r\n" BODY);

	seal(&mail, &first);
	mail.queue_id = "R2"; /* pass 2's id is another each time */
	seal(&mail, &again);
	assert_true(span_equal(buffer_span(&first), buffer_span(&again)));
	mail = letter("R3", RECEIVED("R4") "\r\n" BODY);
	buffer_reset(&again);
	seal(&mail, &again);
	assert_false(span_equal(buffer_span(&first), buffer_span(&again)));
	mail = letter("R3", "X: y\r\n\r\n" BODY);
	buffer_reset(&first);
	buffer_reset(&again);
	seal(&mail, &first);
	seal(&mail, &again);
	assert_false(span_equal(buffer_span(&first), buffer_span(&again)));
	buffer_free(&first);
	buffer_free(&again);
}

static void
nothing_leaves_naked(void **state)
{
	static const struct {
		enum policy_action action;
		int err;
		const char *reason, *reply;
	} cases[] = {
	    {POLICY_DEFER, ERR_BOGUS, "bogus", "451 4.7.5 bogus"},
	    {POLICY_DEFER, ERR_SIGNATURE, "odd", "451 4.3.0 odd"},
	    {POLICY_DEFER, 0, "", "451 4.3.2 "},
	    {POLICY_REFUSE, ERR_UNKNOWN_ADDRESS, "no such address",
	     "550 5.1.1 no such address"},
	    {POLICY_REFUSE, ERR_POLICY, "strict", "550 5.7.1 strict"},
	    {POLICY_REFUSE, 0, "strict", "550 5.7.1 strict"},
	    {POLICY_DARK, ERR_UNREACHABLE, "gone", "451 4.4.1 "},
	    {POLICY_NAKED, 0, "no record", "451 4.7.5 "},
	};
	struct mta_mail mail = letter("OUT", RECEIVED("P1") "\r\n" BODY);

	for (size_t i = 0; i < COUNT(cases); i++) {
		fake_policyd_answer(&site.policyd, cases[i].action,
		    cases[i].err, cases[i].reason);
		expect("DIME-OUT", &mail, 'y', cases[i].reply);
		assert_false(mta.body_replaced);
		assert_int_equal(fake_policyd_asked(&site.policyd,
		    FACTS_NOTE_NAKED), cases[i].action == POLICY_NAKED);
	}
	fake_policyd_answer(&site.policyd, POLICY_DARK, 0, "");
	mail.recipients[0] = "<nobody@beta.test>"; /* no signet comes */
	expect("DIME-OUT", &mail, 'y', "451 4.7.5 ");
	mail.recipients[0] = "<\"a b\"@beta.test>";
	expect("DIME-OUT", &mail, 'y', "550 5.1.1 ");
	mail.recipients[0] = "<bob@beta.test>";
	mail.recipients[1] = "<carol@beta.test>";
	expect("DIME-OUT", &mail, 'y', "451 4.3.5 2 recipients");
	mail = letter("OUT", "Content-Type: application/vnd.dime-message\r\n"
	    "\r\nx\r\n");
	expect("DIME-OUT", &mail, 'y', "550 5.7.1 ");
}

static void
too_many_fields_are_refused(void **state)
{
	struct buffer text = buffer_make(1 << 20), armor = buffer_make(1 << 20);
	struct mta_mail mail = letter("OUT", "");

	for (size_t i = 1; i < LETTER_FIELDS_MAX; i++)
		buffer_append_string(&text, "a:\r\n");
	buffer_append_string(&text, "b:\r\n\r\n");
	mail.text = buffer_span(&text);
	seal(&mail, &armor);
	buffer_reset(&armor);
	buffer_append_string(&armor, "a:\r\n");
	buffer_append_span(&armor, buffer_span(&text));
	mail.text = buffer_span(&armor);
	expect("DIME-OUT", &mail, 'y', "552 5.3.4 the message has too many "
	    "header fields");
	expect("DIME-IN", &mail, 'y', "552 5.3.4 DIME-552 ");
	buffer_free(&armor);
	buffer_free(&text);
}

/* The rules are asked about the envelope sender, whoever signs for it. */
static void
the_sender_of_a_rule(void **state)
{
	static const struct {
		const char *sender, *asked;
	} cases[] = {
	    {"<alice@alpha.test>", "alice@alpha.test"},
	    {"<Alice+x@Alpha.test>", "alice+x@alpha.test"},
	    {"<x@stranger.test>", "x@stranger.test"},
	    {"<\"a b\"@stranger.test>", "stranger.test"},
	    {"<>", "<>"},
	    {"<root>", "?"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct mta_mail mail =
		    letter("OUT", RECEIVED("RS") "\r\n" BODY);

		mail.sender = cases[i].sender;
		fake_policyd_answer(&site.policyd, POLICY_DEFER, ERR_DNS,
		    "no DNS");
		expect("DIME-OUT", &mail, 'y', "451 4.4.3 no DNS");
		assert_string_equal(site.policyd.sender, cases[i].asked);
		assert_string_equal(site.policyd.to, "bob@beta.test");
	}
}

static void
change_keys(const char *text)
{
	sqlite3 *sqlite;

	assert_int_equal(sqlite3_open(site_path("keys.db"), &sqlite),
	    SQLITE_OK);
	assert_int_equal(sqlite3_exec(sqlite, text, NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(sqlite);
}

/* As it is for who reads the author before a rotation and the origin after
 * it. */
static void
both_sides_of_a_rotation_do_not_sign_together(void **state)
{
	struct mta_mail mail = letter("OUT", RECEIVED("R1") HEADER "\r\n" BODY);

	assert_int_equal(keys_prepare_org(site.keys, "alpha.test", NULL), 0);
	change_keys("UPDATE org SET retired = 1"
		    " WHERE domain = 'alpha.test' AND retired IS NULL;"
		    "UPDATE org SET retired = NULL WHERE retired = -1");
	expect("DIME-OUT", &mail, 'y', "451 4.3.2 ");
	change_keys("DELETE FROM org"
		    " WHERE domain = 'alpha.test' AND retired IS NULL;"
		    "UPDATE org SET retired = NULL WHERE retired = 1");
	expect("DIME-OUT", &mail, 'a', "");
}

#define TEST(name) cmocka_unit_test_setup(name, site_answer_dark)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_user_is_the_author_only_with_proof),
	    TEST(only_logins_are_noted),
	    TEST(sealing_is_repeatable),
	    TEST(nothing_leaves_naked),
	    TEST(too_many_fields_are_refused),
	    TEST(the_sender_of_a_rule),
	    TEST(both_sides_of_a_rotation_do_not_sign_together),
	};

	return cmocka_run_group_tests(tests, site_start, site_end);
}
