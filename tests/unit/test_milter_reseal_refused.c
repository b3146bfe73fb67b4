/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/milter_returned.h"

#include <stdio.h>

#include "dime/armor.h"

/* What DIME-RESEAL does not seal anew. */

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

#define TEST(name) cmocka_unit_test_setup(name, site_answer_dark)

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
