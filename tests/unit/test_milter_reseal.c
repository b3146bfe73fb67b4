/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/milter_site.h"

#include <stdio.h>



#include "dime/armor.h"
#include "dime/resealing.h"

/*
 * DIME-RESEAL: beta.test, as policyd knows it, gets other keys and signets
 * while messages wait. Its new ones are in a store of their own.
 */

static struct keys *renewed;

static int
reseal_start(void **state)
{
	if (site_start(state) != 0)
		return -1;
	renewed = site_make_keys("renewed-");
	return 0;
}


/* From whose keys policyd has its signets. */
static void
policyd_knows(struct keys *keys)
{
	fake_policyd_stop(&site.policyd);
	fake_policyd_start(&site.policyd, site_path("facts"), keys);
	fake_policyd_answer(&site.policyd, POLICY_DARK, 0, "");
}

#define REWRITTEN \
	"Received: by alpha.test; Thu,  6 Jul 2023 12:00:00 +0200 (CEST)\r\n"
#define LETTER HEADER "\r\n" BODY

/* ---- what dmtpd brings back ---- */

/* A message that was sealed, and what dmtpd says of it. */
struct returned {
	struct buffer armor;
	unsigned int count;
	char author[ADDRESS_SIZE + SIGNET_FINGERPRINT_SIZE + 8];
	const char *sender; /* of the envelope, as its recipient */
	const char *recipient;
};

/* The last of them as mail. */
static struct buffer brought;

static void
name_author(struct returned *returned, struct keys *keys,
    const char *address)
{
	struct keys_user *user;

	assert_int_equal(keys_find_user(keys, address, &user, NULL), 0);
	snprintf(returned->author, sizeof(returned->author), "<%s> [%s]",
	    address, user->signet->core);
	keys_user_free(user);
}

/* Seals a message under this queue id of pass 1, for beta as it was. */
static struct returned
waiting(const char *queue_id, const char *sender, const char *author)
{
	struct returned returned = {.armor = buffer_make(1 << 20),
	    .count = 1, .sender = sender, .recipient = "<bob@beta.test>"};
	char text[2000];
	struct mta_mail mail;

	policyd_knows(site.keys);
	snprintf(text, sizeof(text), RECEIVED("%s") "%s", queue_id, LETTER);
	if (strncmp(author, "alice", 5) == 0)
		note(queue_id, sender, BODY);
	mail = letter("OUT", text);
	mail.sender = sender;
	seal(&mail, &returned.armor);
	name_author(&returned, site.keys, author);
	policyd_knows(renewed);
	return returned;
}

static struct mta_mail
mail_of(const struct returned *returned)
{
	buffer_free(&brought);
	brought = buffer_make(1 << 20);
	buffer_printf(&brought, "%s: %u\r\n%s: %s\r\n",
	    resealing_count_field, returned->count, resealing_author_field,
	    returned->author);
	buffer_append_string(&brought, "MIME-Version: 1.0\r\n"
	    "Content-Type: application/vnd.dime-message\r\n\r\n");
	buffer_append_span(&brought, buffer_span(&returned->armor));
	return (struct mta_mail){.queue_id = "AGAIN",
	    .sender = returned->sender, .recipients = {returned->recipient},
	    .text = buffer_span(&brought)};
}

static void
returned_free(struct returned *returned)
{
	buffer_free(&returned->armor);
}

/* Has it sealed anew; *armor gets the new one. */
static void
reseal(const struct returned *returned, struct buffer *armor)
{
	static const char head[] = "MIME-Version: 1.0\r\n"
	    "Content-Type: application/vnd.dime-message\r\n";
	struct buffer text = buffer_make(1 << 20);
	struct mta_mail mail = mail_of(returned);
	char count[40];

	if (send_mail("DIME-RESEAL", &mail) != 'a')
		fail_msg("%s", mta.reply);
	mta_text(&mta, &text);
	assert_non_null(buffer_string(&text));
	snprintf(count, sizeof(count), "%s: %u\r\n\r\n-----BEGIN",
	    resealing_count_field, returned->count);
	assert_memory_equal(text.data, head, strlen(head));
	assert_memory_equal(text.data + strlen(head), count, strlen(count));
	assert_null(strstr(buffer_string(&text), " plan"));
	assert_null(strstr(buffer_string(&text), "alice"));
	assert_string_equal(mta.sender, returned->sender);
	assert_string_equal(mta.sender_arguments, "RET=HDRS");
	buffer_append_span(armor, buffer_span(&mta.body));
	buffer_free(&text);
	mta_close(&mta);
}

static void
refuses(const struct returned *returned, char verdict, const char *reply)
{
	struct mta_mail mail = mail_of(returned);

	expect("DIME-RESEAL", &mail, verdict, reply);
	assert_false(mta.body_replaced);
}

/* Its recipient opens it with the keys that these are: what is inside, by whom,
 * and where bounces go. */
static void
assert_opens_with(struct keys *keys, const struct buffer *armor,
    enum layout layout, const char *author, const char *sender)
{
	struct keys_user *alice, *bob;
	struct keys_org *alpha, *beta;
	struct message_parties parties;
	struct buffer mime = buffer_make(1 << 20);
	struct fault fault = {0};
	struct message *message;
	char found[ADDRESS_SIZE];

	assert_int_equal(keys_find_user_in(site.keys, layout, author, &alice,
	    NULL), 0);
	assert_int_equal(keys_find_org_in(site.keys, layout, "alpha.test",
	    &alpha, NULL), 0);
	assert_int_equal(keys_find_user_in(keys, layout, "bob@beta.test",
	    &bob, NULL), 0);
	assert_int_equal(keys_find_org_in(keys, layout, "beta.test", &beta,
	    NULL), 0);
	parties = (struct message_parties){alice->signet, alpha->signet,
	    beta->signet, bob->signet};
	assert_int_equal(message_read(buffer_span(armor), 1 << 20, &message,
	    NULL), 0);
	assert_int_equal(message_unlock(message, MESSAGE_RECIPIENT,
	    bob->agreer, NULL), 0);
	if (message_open(message, &parties, 1 << 20, &mime, found, &fault) != 0)
		fail_msg("%s", fault.text);
	assert_string_equal(buffer_string(&mime), REWRITTEN LETTER);
	assert_string_equal(found, sender);
	message_free(message);
	keys_user_free(alice);
	keys_user_free(bob);
	keys_org_free(alpha);
	keys_org_free(beta);
	buffer_free(&mime);
}

static void
assert_opens(const struct buffer *armor, enum layout layout,
    const char *author, const char *sender)
{
	assert_opens_with(renewed, armor, layout, author, sender);
}

/* ---- tests ---- */

static void
what_is_stale_is_sealed_anew(void **state)
{
	static const struct {
		const char *id, *sender, *author, *inside;
	} cases[] = {
	    {"S1", "<alice@alpha.test>", "alice@alpha.test",
	     "alice@alpha.test"},
	    {"S2", "<alice+x@alpha.test>", "alice@alpha.test",
	     "alice+x@alpha.test"},
	    {"S3", "<alice@alpha.test>", "relay@alpha.test",
	     "alice@alpha.test"},
	    {"S4", "<>", "relay@alpha.test", ""},
	    {"S7", "<List-Bounce=Bob@alpha.test>", "relay@alpha.test",
	     "List-Bounce=Bob@alpha.test"},
	    {"S5", "<dave@gamma.test>", "relay@alpha.test",
	     "dave@gamma.test"},
	    {"S6", "<\"a b\"@alpha.test>", "relay@alpha.test",
	     "relay@alpha.test"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct returned returned = waiting(cases[i].id,
		    cases[i].sender, cases[i].author);
		struct buffer armor = buffer_make(1 << 20);

		unit_case(cases[i].id);
		reseal(&returned, &armor);
		assert_opens(&armor, LAYOUT_STANDARD, cases[i].author,
		    cases[i].inside);
		assert_string_equal(site.policyd.from, cases[i].author);
		assert_string_equal(site.policyd.to, "bob@beta.test");
		buffer_free(&armor);
		returned_free(&returned);
	}
	assert_true(logged("event=resealed listener=DIME-RESEAL queue=AGAIN "
	    "was="));
}

static void
it_is_repeatable(void **state)
{
	struct returned returned = waiting("R1", "<alice@alpha.test>",
	    "alice@alpha.test");
	struct returned twin = waiting("R2", "<alice@alpha.test>",
	    "alice@alpha.test");
	struct buffer first = buffer_make(1 << 20);
	struct buffer again = buffer_make(1 << 20);

	reseal(&returned, &first);
	reseal(&returned, &again);
	assert_true(span_equal(buffer_span(&first), buffer_span(&again)));
	/* The same letter, sent twice, stays two. */
	buffer_reset(&again);
	reseal(&twin, &again);
	assert_false(span_equal(buffer_span(&first), buffer_span(&again)));
	buffer_free(&first);
	buffer_free(&again);
	returned_free(&returned);
	returned_free(&twin);
}

static void
it_happens_three_times_at_most(void **state)
{
	struct returned returned = waiting("C1", "<alice@alpha.test>",
	    "alice@alpha.test");
	struct buffer armor = buffer_make(1 << 20);

	returned.count = 3;
	reseal(&returned, &armor);
	returned.count = 4;
	refuses(&returned, 'y', "550 5.7.5 DIME-550 ");
	returned.count = 99;
	refuses(&returned, 'y', "550 5.7.5 DIME-550 ");
	buffer_free(&armor);
	returned_free(&returned);
}

/* From one dialect to the other, and back. */
static void
the_new_signet_has_its_dialect(void **state)
{
	struct returned returned = waiting("L1", "<alice@alpha.test>",
	    "alice@alpha.test");
	struct buffer armor = buffer_make(1 << 20);
	struct message_envelope to_libdime;
	struct keys_user *alice;

	fake_policyd_has(&site.policyd, LAYOUT_LIBDIME, LAYOUT_LIBDIME);
	reseal(&returned, &armor);
	assert_opens(&armor, LAYOUT_LIBDIME, "alice@alpha.test",
	    "alice@alpha.test");
	/* And now the new one is stale. */
	assert_int_equal(keys_find_user_in(site.keys, LAYOUT_LIBDIME,
	    "alice@alpha.test", &alice, NULL), 0);
	memcpy(to_libdime.address_fingerprint, alice->signet->core,
	    sizeof(alice->signet->core));
	keys_user_free(alice);
	snprintf(returned.author, sizeof(returned.author),
	    "<alice@alpha.test> [%s]", to_libdime.address_fingerprint);
	buffer_reset(&returned.armor);
	buffer_append_span(&returned.armor, buffer_span(&armor));
	buffer_reset(&armor);
	returned.count = 2;
	fake_policyd_has(&site.policyd, LAYOUT_STANDARD, LAYOUT_STANDARD);
	reseal(&returned, &armor);
	assert_opens(&armor, LAYOUT_STANDARD, "alice@alpha.test",
	    "alice@alpha.test");
	buffer_free(&armor);
	returned_free(&returned);
}

/* A bounce to an address that is no user's is for relay@, and stays so. */
static void
a_bounce_for_relay_stays_one(void **state)
{
	static const char srs[] = "<SRS0=aB=3D=gamma.test=Dave@beta.test>";
	struct mta_mail mail = letter("OUT", RECEIVED("B1") LETTER);
	struct returned returned = waiting("B2", "<>", "relay@alpha.test");
	struct buffer armor = buffer_make(1 << 20);
	struct message_envelope envelope;
	struct message *message;
	struct keys_user *relay;

	policyd_knows(site.keys);
	fake_policyd_knows_users(&site.policyd);
	mail.sender = "<>";
	mail.recipients[0] = srs;
	buffer_reset(&returned.armor);
	seal(&mail, &returned.armor);
	policyd_knows(renewed);
	fake_policyd_knows_users(&site.policyd);
	returned.recipient = "<SRS0=aB=3D=gamma.test=Erin@beta.test>";
	refuses(&returned, 'y', "550 5.7.7 DIME-550 sealed for another");
	returned.recipient = srs;
	reseal(&returned, &armor);
	assert_int_equal(message_read(buffer_span(&armor), 1 << 20, &message,
	    NULL), 0);
	assert_int_equal(keys_find_user(renewed, "relay@beta.test", &relay,
	    NULL), 0);
	assert_int_equal(message_unlock(message, MESSAGE_RECIPIENT,
	    relay->agreer, NULL), 0);
	assert_int_equal(message_destination_envelope(message, &envelope,
	    NULL), 0);
	assert_string_equal(envelope.spelled,
	    "relay+SRS0=aB=3D=gamma.test=Dave@beta.test");
	message_free(message);
	keys_user_free(relay);
	buffer_free(&armor);
	returned_free(&returned);
}

static void
a_tag_stays_with_the_recipient(void **state)
{
	struct mta_mail mail = letter("OUT", RECEIVED("G1") LETTER);
	struct returned returned = waiting("G2", "<alice@alpha.test>",
	    "relay@alpha.test");
	struct buffer armor = buffer_make(1 << 20);
	struct message_envelope envelope;
	struct message *message;
	struct keys_user *bob;

	policyd_knows(site.keys);
	mail.recipients[0] = returned.recipient = "<Bob+News@beta.test>";
	buffer_reset(&returned.armor);
	seal(&mail, &returned.armor);
	policyd_knows(renewed);
	reseal(&returned, &armor);
	assert_int_equal(message_read(buffer_span(&armor), 1 << 20, &message,
	    NULL), 0);
	assert_int_equal(keys_find_user(renewed, "bob@beta.test", &bob, NULL),
	    0);
	assert_int_equal(message_unlock(message, MESSAGE_RECIPIENT,
	    bob->agreer, NULL), 0);
	assert_int_equal(message_destination_envelope(message, &envelope,
	    NULL), 0);
	assert_string_equal(envelope.spelled, "bob+news@beta.test");
	message_free(message);
	keys_user_free(bob);
	buffer_free(&armor);
	returned_free(&returned);
}

/* Our own signets change as well: what was sealed before is opened with the keys of
 * then, and signed with those of now. */
static void
our_own_keys_may_be_new(void **state)
{
	struct returned returned = waiting("O1", "<alice@alpha.test>",
	    "alice@alpha.test");
	struct buffer armor = buffer_make(1 << 20);

	assert_int_equal(keys_rotate_user(site.keys, "alice@alpha.test",
	    NULL), 0);
	reseal(&returned, &armor);
	assert_opens(&armor, LAYOUT_STANDARD, "alice@alpha.test",
	    "alice@alpha.test");
	assert_int_equal(keys_prepare_org(site.keys, "alpha.test", NULL), 0);
	assert_int_equal(keys_rotate_org(site.keys, "alpha.test", NULL), 0);
	buffer_reset(&armor);
	reseal(&returned, &armor);
	assert_opens(&armor, LAYOUT_STANDARD, "alice@alpha.test",
	    "alice@alpha.test");
	buffer_free(&armor);
	returned_free(&returned);
}

/* The organization's signet is what it was. */
static void
the_recipient_alone_is_new(void **state)
{
	struct returned returned = waiting("U1", "<alice@alpha.test>",
	    "alice@alpha.test");
	struct buffer armor = buffer_make(1 << 20);

	policyd_knows(site.keys);
	refuses(&returned, 'y', "451 4.7.5 DIME-451 the peer refuses");
	assert_int_equal(keys_rotate_user(site.keys, "bob@beta.test", NULL),
	    0);
	reseal(&returned, &armor);
	assert_opens_with(site.keys, &armor, LAYOUT_STANDARD,
	    "alice@alpha.test", "alice@alpha.test");
	buffer_free(&armor);
	returned_free(&returned);
}

static void
a_disabled_author_signs_nothing(void **state)
{
	struct returned returned = waiting("D1", "<alice@alpha.test>",
	    "alice@alpha.test");
	struct buffer armor = buffer_make(1 << 20);

	assert_int_equal(keys_disable_user(site.keys, "alice@alpha.test", true,
	    NULL), 0);
	refuses(&returned, 'y', "550 5.7.1 DIME-550 its author");
	assert_int_equal(keys_disable_user(site.keys, "alice@alpha.test",
	    false, NULL), 0);
	reseal(&returned, &armor);
	buffer_free(&armor);
	returned_free(&returned);
}

static void
nothing_leaves_naked(void **state)
{
	static const struct {
		const char *name;
		enum policy_action action;
		int err;
		const char *reply;
	} cases[] = {
	    {"not known", POLICY_DEFER, ERR_UNREACHABLE,
	     "451 4.4.1 DIME-451 why"},
	    {"custody", POLICY_DEFER, ERR_CUSTODY, "451 4.7.5 DIME-451 why"},
	    {"nothing is said", POLICY_DEFER, 0, "451 4.3.2 DIME-451 "},
	    {"gone", POLICY_REFUSE, ERR_UNKNOWN_ADDRESS,
	     "550 5.1.1 DIME-550 why"},
	    {"a rule", POLICY_REFUSE, ERR_POLICY, "550 5.7.1 DIME-550 why"},
	    {"naked", POLICY_NAKED, 0, "451 4.7.5 DIME-451 not reached"},
	};
	struct returned returned = waiting("N1", "<alice@alpha.test>",
	    "alice@alpha.test");

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		fake_policyd_answer(&site.policyd, cases[i].action,
		    cases[i].err, cases[i].err == 0 ? "" : "why");
		refuses(&returned, 'y', cases[i].reply);
		assert_int_equal(fake_policyd_asked(&site.policyd,
		    FACTS_NOTE_NAKED), 0);
	}
	unit_case("no policyd");
	fake_policyd_stop(&site.policyd);
	refuses(&returned, 'y', "451 4.4.1 DIME-451 dime-policyd");
	fake_policyd_start(&site.policyd, site_path("facts"), site.keys);
	returned_free(&returned);
}

/* Whoever could have it sealed again at will had it delivered twice. */
static void
for_the_same_signets_it_waits(void **state)
{
	struct returned returned = waiting("W1", "<alice@alpha.test>",
	    "alice@alpha.test");

	policyd_knows(site.keys);
	refuses(&returned, 'y', "451 4.7.5 DIME-451 the peer refuses");
	returned_free(&returned);
}

static int
sign_with_zeros(const struct signer *signer, struct span data,
    uint8_t signature[static CRYPTO_SIGNATURE])
{
	memset(signature, 0, CRYPTO_SIGNATURE);
	return 0;
}

/* What an author could make without his organization. */
static void
seal_unsigned(struct buffer *armor)
{
	struct buffer binary = buffer_make(1 << 20);
	struct keys_user *alice, *bob;
	struct keys_org *alpha, *beta;
	struct random_source random;
	struct message_seal order = {.random = &random};

	assert_int_equal(keys_find_user(site.keys, "alice@alpha.test", &alice,
	    NULL), 0);
	assert_int_equal(keys_find_user(site.keys, "bob@beta.test", &bob,
	    NULL), 0);
	assert_int_equal(keys_find_org(site.keys, "alpha.test", &alpha, NULL),
	    0);
	assert_int_equal(keys_find_org(site.keys, "beta.test", &beta, NULL),
	    0);
	order.parties = (struct message_parties){alice->signet, alpha->signet,
	    beta->signet, bob->signet};
	order.author_signer = alice->signer;
	order.origin_signer = alpha->signer;
	order.origin_signer.sign = sign_with_zeros;
	random_start(&random);
	assert_int_equal(message_seal(&order, span_string("A: b\r\n\r\nc\r\n"),
	    &binary, NULL), 0);
	random_end(&random);
	buffer_reset(armor);
	armor_write(ARMOR_MESSAGE, buffer_span(&binary), armor);
	keys_user_free(alice);
	keys_user_free(bob);
	keys_org_free(alpha);
	keys_org_free(beta);
	buffer_free(&binary);
}

static void
what_is_not_ours_is_refused(void **state)
{
	struct returned good = waiting("H1", "<alice@alpha.test>",
	    "alice@alpha.test");
	struct returned other = good;

	unit_case("for another recipient");
	other.recipient = "<carol@beta.test>";
	refuses(&other, 'y', "550 5.7.7 DIME-550 sealed for another");
	other.recipient = "<bob+tag@beta.test>";
	refuses(&other, 'y', "550 5.7.7 DIME-550 sealed for another");
	unit_case("bounces to another");
	other = good;
	other.sender = "<mallory@alpha.test>";
	refuses(&other, 'y', "550 5.7.7 DIME-550 another envelope sender");
	other.sender = "<>";
	refuses(&other, 'y', "550 5.7.7 DIME-550 another envelope sender");
	unit_case("the wrong author");
	other = good;
	name_author(&other, site.keys, "relay@alpha.test");
	refuses(&other, 'y', "550 5.6.0 DIME-550 ");
	name_author(&other, site.keys, "bob@beta.test");
	refuses(&other, 'y', "550 5.6.0 DIME-550 ");
	unit_case("an author with other keys");
	name_author(&other, renewed, "alice@alpha.test");
	refuses(&other, 'y', "550 5.7.5 DIME-550 no author of ours");
	unit_case("a stranger");
	snprintf(other.author, sizeof(other.author), "<dave@gamma.test>%s",
	    strstr(good.author, " ["));
	refuses(&other, 'y', "550 5.7.5 DIME-550 no author of ours");
	unit_case("not signed by the organization");
	other = good;
	other.armor = buffer_make(1 << 20);
	seal_unsigned(&other.armor);
	refuses(&other, 'y', "550 5.7.7 DIME-550 ");
	buffer_free(&other.armor);
	unit_case("two recipients");
	{
		struct mta_mail mail = mail_of(&good);

		mail.recipients[1] = "<carol@beta.test>";
		expect("DIME-RESEAL", &mail, 'y', "451 4.3.5 DIME-451 2 ");
	}
	unit_case("at the listener of naked mail");
	{
		struct mta_mail mail = mail_of(&good);

		expect("DIME-OUT", &mail, 'y', "550 5.7.1 ");
	}
	returned_free(&good);
}

/* Sealed with the keys of others, for the same names. */
static void
a_foreign_message_is_refused(void **state)
{
	struct returned returned = waiting("F1", "<alice@alpha.test>",
	    "alice@alpha.test");
	struct buffer armor = buffer_make(1 << 20);

	/* What comes out of here is for bob's new keys, whose author is ours;
	 * told as bob's own it is not. */
	reseal(&returned, &armor);
	buffer_reset(&returned.armor);
	buffer_append_span(&returned.armor, buffer_span(&armor));
	name_author(&returned, renewed, "bob@beta.test");
	refuses(&returned, 'y', "550 5.7.5 DIME-550 no author of ours");
	buffer_free(&armor);
	returned_free(&returned);
}

static void
malformed_fields_are_refused(void **state)
{
	static const char *const heads[] = {
	    "", "MIME-Version: 1.0\r\n",
	    "Content-Type: application/vnd.dime-message\r\n",
	    "Content-Type: application/vnd.dime-message\r\n"
	    "Dimegate-Resealed: 1\r\n",
	    "Content-Type: application/vnd.dime-message\r\n%s",
	    "Content-Type: text/plain\r\nDimegate-Resealed: 1\r\n%s",
	    "Content-Type: application/vnd.dime-message\r\n"
	    "Content-Type: text/plain\r\nDimegate-Resealed: 1\r\n%s",
	    "Content-Type: application/vnd.dime-message\r\n"
	    "Dimegate-Resealed: 1\r\nDimegate-Resealed: 1\r\n%s",
	    "Content-Type: application/vnd.dime-message\r\n"
	    "Dimegate-Resealed: 1\r\n%s%s",
	    "Content-Type: application/vnd.dime-message\r\n"
	    "Dimegate-Resealed: 0\r\n%s",
	    "Content-Type: application/vnd.dime-message\r\n"
	    "Dimegate-Resealed: -1\r\n%s",
	    "Content-Type: application/vnd.dime-message\r\n"
	    "Dimegate-Resealed: 1 1\r\n%s",
	    "Content-Type: application/vnd.dime-message\r\n"
	    "Dimegate-Resealed: 100\r\n%s",
	    "Content-Type: application/vnd.dime-message\r\n"
	    "Dimegate-Resealed: 18446744073709551617\r\n%s",
	};
	struct returned returned = waiting("M1", "<alice@alpha.test>",
	    "alice@alpha.test");
	struct mta_mail mail = mail_of(&returned);
	char author[600];

	snprintf(author, sizeof(author), "Dimegate-Author: %s\r\n",
	    returned.author);
	for (size_t i = 0; i < COUNT(heads); i++) {
		const char *at = heads[i];

		buffer_reset(&brought);
		for (; strstr(at, "%s") != NULL; at = strstr(at, "%s") + 2) {
			buffer_append(&brought, at,
			    (size_t)(strstr(at, "%s") - at));
			buffer_append_string(&brought, author);
		}
		buffer_append_string(&brought, at);
		buffer_append_string(&brought, "\r\n");
		buffer_append_span(&brought,
		    buffer_span(&returned.armor));
		mail.text = buffer_span(&brought);
		unit_case(heads[i]);
		expect("DIME-RESEAL", &mail, 'y', "550 5.6.0 DIME-550 ");
		assert_false(mta.body_replaced);
	}
	returned_free(&returned);
}

static void
malformed_authors_are_refused(void **state)
{
	static const char *const authors[] = {
	    "", "<>", "<alice@alpha.test>", "<alice@alpha.test> []",
	    "<alice@alpha.test> [short]", "alice@alpha.test [%s]",
	    "<alice@alpha.test>[%s]", "<alice@alpha.test> [%s",
	    "<alice@alpha.test> [%s] x", "<alice> [%s]",
	    "<alice@alpha.test> <[%s]", "<alice@alpha.test> [%sA]",
	    "<\"a b\"@alpha.test> [%s]",
	};
	struct returned returned = waiting("M2", "<alice@alpha.test>",
	    "alice@alpha.test");
	char fingerprint[SIGNET_FINGERPRINT_SIZE];

	snprintf(fingerprint, sizeof(fingerprint), "%s",
	    strchr(returned.author, '[') + 1);
	for (size_t i = 0; i < COUNT(authors); i++) {
		const char *at = strstr(authors[i], "%s");

		unit_case(authors[i]);
		if (at == NULL)
			snprintf(returned.author, sizeof(returned.author), "%s",
			    authors[i]);
		else
			snprintf(returned.author, sizeof(returned.author),
			    "%.*s%s%s", (int)(at - authors[i]), authors[i],
			    fingerprint, at + 2);
		refuses(&returned, 'y', "550 5.6.0 DIME-550 dmtpd's fields");
	}
	returned_free(&returned);
}

/* No octet of the message can change without its being refused, but for the
 * slots of the last signature that are for origin, destination and
 * recipient. */
static void
no_tampered_message_is_sealed_anew(void **state)
{
	enum { SLOTS_OF_OTHERS = 3 * 64 };
	struct returned returned = waiting("T1", "<alice@alpha.test>",
	    "alice@alpha.test");
	struct returned broken = returned;
	struct buffer binary = buffer_make(1 << 20);
	struct message *message;

	assert_int_equal(message_read(buffer_span(&returned.armor), 1 << 20,
	    &message, NULL), 0);
	buffer_append_span(&binary, message_binary(message));
	message_free(message);
	broken.armor = buffer_make(1 << 20);
	for (size_t at = 0; at < binary.length - SLOTS_OF_OTHERS;
	    at += 61) {
		binary.data[at] ^= 1;
		buffer_reset(&broken.armor);
		armor_write(ARMOR_MESSAGE, buffer_span(&binary),
		    &broken.armor);
		refuses(&broken, 'y', "550 5.");
		binary.data[at] ^= 1;
	}
	unit_case("cut short");
	broken.armor.length /= 2;
	refuses(&broken, 'y', "550 5.6.0 DIME-550 ");
	buffer_free(&broken.armor);
	buffer_free(&binary);
	returned_free(&returned);
}

static void
what_is_too_large_is_refused(void **state)
{
	struct returned returned = waiting("X1", "<alice@alpha.test>",
	    "alice@alpha.test");
	struct buffer huge = buffer_make(8 << 20);
	struct mta_mail mail = mail_of(&returned);

	site_reload("message_size_limit = 1048576\n");
	buffer_append_span(&huge, buffer_span(&brought));
	while (huge.length < (2 << 20))
		buffer_append_string(&huge, "AAAAAAAAAAAAAAAAAAAAAAA\r\n");
	mail.text = buffer_span(&huge);
	expect("DIME-RESEAL", &mail, 'y', "552 5.3.4 DIME-552 ");
	site_reload("");
	buffer_free(&huge);
	returned_free(&returned);
}

static void
a_domain_that_is_no_longer_ours_signs_nothing(void **state)
{
	struct returned returned = waiting("Z1", "<alice@alpha.test>",
	    "alice@alpha.test");

	site_reload("domains = {\"beta.test\"}\n");
	refuses(&returned, 'y', "550 5.7.1 DIME-550 its origin");
	returned_free(&returned);
}

static int
reseal_end(void **state)
{
	buffer_free(&brought);
	keys_close(renewed);
	return site_end(state);
}

#define TEST(name) cmocka_unit_test_setup(name, site_answer_dark)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_stale_is_sealed_anew),
	    TEST(it_is_repeatable),
	    TEST(it_happens_three_times_at_most),
	    TEST(the_new_signet_has_its_dialect),
	    TEST(a_bounce_for_relay_stays_one),
	    TEST(a_tag_stays_with_the_recipient),
	    TEST(our_own_keys_may_be_new),
	    TEST(the_recipient_alone_is_new),
	    TEST(a_disabled_author_signs_nothing),
	    TEST(nothing_leaves_naked),
	    TEST(for_the_same_signets_it_waits),
	    TEST(what_is_not_ours_is_refused),
	    TEST(a_foreign_message_is_refused),
	    TEST(malformed_fields_are_refused),
	    TEST(malformed_authors_are_refused),
	    TEST(no_tampered_message_is_sealed_anew),
	    TEST(what_is_too_large_is_refused),
	    TEST(a_domain_that_is_no_longer_ours_signs_nothing),
	};

	return cmocka_run_group_tests(tests, reseal_start, reseal_end);
}
