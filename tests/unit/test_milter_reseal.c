/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/milter_returned.h"

#include <stdio.h>

/* What DIME-RESEAL seals anew. */

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

/* For whom it is inside, when it is opened with the new keys. */
static void
assert_spelled(const struct buffer *armor, const char *recipient,
    const char *spelled)
{
	struct message *message = read_as(renewed, recipient, armor);
	struct message_envelope envelope;

	assert_int_equal(message_destination_envelope(message, &envelope,
	    NULL), 0);
	assert_string_equal(envelope.spelled, spelled);
	message_free(message);
}

/* A bounce to an address that is no user's is for relay@, and stays so. */
static void
a_bounce_for_relay_stays_one(void **state)
{
	static const char srs[] = "<SRS0=aB=3D=gamma.test=Dave@beta.test>";
	struct mta_mail mail = letter("OUT", RECEIVED("B1") LETTER);
	struct returned returned = waiting("B2", "<>", "relay@alpha.test");
	struct buffer armor = buffer_make(1 << 20);

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
	assert_spelled(&armor, "relay@beta.test",
	    "relay+SRS0=aB=3D=gamma.test=Dave@beta.test");
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

	policyd_knows(site.keys);
	mail.recipients[0] = returned.recipient = "<Bob+News@beta.test>";
	buffer_reset(&returned.armor);
	seal(&mail, &returned.armor);
	policyd_knows(renewed);
	reseal(&returned, &armor);
	assert_spelled(&armor, "bob@beta.test",
	    "bob+news@beta.test");
	buffer_free(&armor);
	returned_free(&returned);
}

/* Our own signets change as well: what was sealed before is opened with the
 * keys of then, and signed with those of now. */
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
	};

	return cmocka_run_group_tests(tests, reseal_start, reseal_end);
}
