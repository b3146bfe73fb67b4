/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/milter_site.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/secret.h"
#include "dime/armor.h"
#include "keys/state.h"
#include "milter/letter.h"

/* Who signed, as the recipient reads it. */
static void
assert_author(const struct buffer *armor, const char *author)
{
	struct message_envelope envelope;
	struct message *message;
	struct keys_user *bob;
	struct fault fault;

	assert_int_equal(message_read(buffer_span(armor), 1 << 20, &message,
	    &fault), 0);
	assert_int_equal(keys_find_user(site.keys, "bob@beta.test", &bob,
	    &fault), 0);
	assert_int_equal(message_unlock(message, MESSAGE_RECIPIENT,
	    bob->agreer, &fault), 0);
	assert_int_equal(message_origin_envelope(message, &envelope, &fault),
	    0);
	assert_string_equal(envelope.address, author);
	assert_string_equal(envelope.domain, "beta.test");
	keys_user_free(bob);
	message_free(message);
}

/* ---- tests ---- */

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
#define REWRITTEN \
	"Received: by alpha.test; Thu,  6 Jul 2023 12:00:00 +0200 (CEST)\r\n"
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

/* A recipient whose signet is in the libdime layout gets a message in that dialect,
 * with our own signets in it; and one comes in. */
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
	    "authentication-results:\r\n (x) MX.Beta.Test. 1;\r\n DIME = pass\r\n",
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

/* From mailer-daemon@ the guard waits until it sees that a message is not sealed;
 * what came by DMTP before is not delivered again. */
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

/* Mail that was under way is opened with the key that it was sealed for, until the
 * grace is over: then it is for nobody, and comes again to be refused by dmtpd. */
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

/* As it is for who reads the author before a rotation and the origin after it. */
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

static void
a_server_that_would_not_be_exact_is_refused(void **state)
{
	assert_int_equal(mta_open(&mta, site.socket, "DIME-OUT",
	    MTA_ALL_STEPS & ~MTA_LEADING_SPACE), 0);
	mta_close(&mta);
	assert_int_equal(mta_open(&mta, site.socket, "smtpd", MTA_ALL_STEPS),
	    'y');
	assert_int_equal(strncmp(mta.reply, "451 4.3.5 ", 10), 0);
	mta_close(&mta);
	assert_true(logged("milter_macro_daemon_name must be"));
}

static void
several_messages_on_a_connection(void **state)
{
	struct mta_mail mail = letter("M1", RECEIVED("M1") "\r\n" BODY);

	assert_int_equal(mta_open(&mta, site.socket, "DIME-OUT",
	    MTA_LEADING_SPACE), 'c');
	assert_int_equal(mta.steps, MTA_LEADING_SPACE);
	mta_close(&mta);
	assert_int_equal(mta_open(&mta, site.socket, "DIME-OUT",
	    MTA_ALL_STEPS), 'c');
	for (int i = 0; i < 3; i++) {
		assert_int_equal(mta_send(&mta, &mail), 'a');
		assert_true(mta.body_replaced);
		mail.recipients[1] = "<carol@beta.test>";
		assert_int_equal(mta_send(&mta, &mail), 'y');
		assert_false(mta.body_replaced);
		mail.recipients[1] = NULL;
	}
	mta_close(&mta);
}

/* One connection's worth of sealing; returns NULL when all went well.
 * Assertions belong to the first thread, so that trouble is only reported
 * here. */
static void *
seal_some(void *argument)
{
	struct mta_mail mail = letter("C1", RECEIVED("C1") "\r\n" BODY);
	struct mta *own = calloc(1, sizeof(*own));
	void *failed = NULL;

	if (mta_open(own, site.socket, "DIME-OUT", MTA_ALL_STEPS) != 'c')
		failed = argument;
	for (int i = 0; i < 5 && failed == NULL; i++)
		if (mta_send(own, &mail) != 'a' || !own->body_replaced)
			failed = argument;
	mta_close(own);
	free(own);
	return failed;
}

static void
many_connections_at_once(void **state)
{
	pthread_t threads[8];
	void *failed;

	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, seal_some,
		    &mta), 0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

static void
a_reload_takes_effect_or_leaves_all_as_it_was(void **state)
{
	struct mta_mail mail = {.queue_id = "L", .sender = "<dave@gamma.test>",
	    .recipients = {"<bob@beta.test>"}};

	fake_policyd_answer(&site.policyd, POLICY_REFUSE, 0, "why");
	expect("DIME-MX", &mail, 'y', "550 5.7.1 why");
	site_reload("local_domains = {\"gamma.test\"}\n");
	expect("DIME-MX", &mail, 'c', "");
	site_configure("colour = \"red\"\n");
	assert_int_equal(kill(site.pid, SIGHUP), 0);
	assert_true(logged("event=reload-failed"));
	expect("DIME-MX", &mail, 'c', "");
}

/* In shadow mode the guard lets in what it says that it would refuse, whether
 * policyd answers or not, and nothing is sealed or opened otherwise. */
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

static int
run(const char *option, const char *config)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (freopen("/dev/null", "w", stderr) != NULL)
			execl(TEST_BUILDDIR "/milter/dime-milter",
			    "dime-milter", option, "-c", config, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
bad_starts(void **state)
{
	site_configure("");
	assert_int_equal(run("-n", site.config), 0);
	assert_int_equal(run("-c", site.config), 64);
	assert_int_equal(run("-x", site.config), 64);
	assert_int_equal(run("-n", "/nowhere/conf"), 66);
	site_configure("seal_key_file = \"\"\n");
	assert_int_equal(run("-n", site.config), 78);
	/* The running one keeps its socket. */
	site_configure("");
	assert_int_equal(run("-cx", site.config), 73);
	assert_int_equal(mta_open(&mta, site.socket, "DIME-OUT",
	    MTA_ALL_STEPS), 'c');
	mta_close(&mta);
}

/* The last one: sanitizers speak up at the end. */
static void
it_ends_in_good_order(void **state)
{
	int status;

	assert_int_equal(kill(site.pid, SIGTERM), 0);
	assert_int_equal(waitpid(site.pid, &status, 0), site.pid);
	site.pid = 0;
	assert_int_equal(status, 0);
	assert_true(logged("event=stopped"));
}

#define TEST(name) cmocka_unit_test_setup(name, site_answer_dark)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_user_is_the_author_only_with_proof),
	    TEST(a_tag_stays_with_the_recipient),
	    TEST(only_logins_are_noted),
	    TEST(sealing_is_repeatable),
	    TEST(what_comes_out_is_what_went_in),
	    TEST(bounces_to_no_user_go_to_relay),
	    TEST(only_bounces_go_past_relay),
	    TEST(the_libdime_layout_is_answered_in_kind),
	    TEST(many_fields_and_a_long_body),
	    TEST(nothing_leaves_naked),
	    TEST(without_policyd_mail_waits),
	    TEST(too_many_fields_are_refused),
	    TEST(what_does_not_verify_is_refused),
	    TEST(no_tampered_message_opens),
	    TEST(the_sender_of_a_rule),
	    TEST(a_rule_may_put_off_a_bad_signature),
	    TEST(the_public_listener_guards),
	    TEST(naked_mail_bears_no_results_of_ours),
	    TEST(sealed_mail_over_smtp_is_opened),
	    TEST(sealed_mail_by_smtp_passes_the_guard),
	    TEST(a_rotation_does_not_lock_mail_out),
	    TEST(both_sides_of_a_rotation_do_not_sign_together),
	    TEST(a_server_that_would_not_be_exact_is_refused),
	    TEST(several_messages_on_a_connection),
	    TEST(many_connections_at_once),
	    TEST(a_reload_takes_effect_or_leaves_all_as_it_was),
	    TEST(shadow_mode_lets_naked_mail_in),
	    TEST(bad_starts),
	    TEST(it_ends_in_good_order),
	};

	return cmocka_run_group_tests(tests, site_start, site_end);
}
