/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/keys_world.h"

#include "dime/signet_chain.h"

/*
 * Goal: after a rotation there is a new signet with new keys, which custody
 * links to the one before, in both layouts; what came before is found by its
 * fingerprint, and opens mail for as long as is said; nothing is ever half
 * done.
 */

enum { GRACE = 1000 };

static const char alice[] = "alice@alpha.test";

static struct keys_user *
user_in(struct world *world, enum layout layout, const char *address)
{
	struct keys_user *user;

	assert_int_equal(keys_find_user_in(world->keys, layout, address, &user,
	    NULL), 0);
	return user;
}

static struct keys_user *
user_of(struct world *world, const char *address)
{
	return user_in(world, LAYOUT_STANDARD, address);
}

static struct keys_org *
org_of(struct world *world, const char *domain)
{
	struct keys_org *org;

	assert_int_equal(keys_find_org(world->keys, domain, &org, NULL), 0);
	return org;
}

/* ---- users ---- */

static void
a_rotated_user_has_new_keys_and_custody(void **state)
{
	struct world *world = *state;
	struct keys_user *old[LAYOUTS], *new[LAYOUTS], *found;

	for (int i = 0; i < LAYOUTS; i++)
		old[i] = user_in(world, (enum layout)i, alice);
	world_now += 10;
	assert_int_equal(keys_rotate_user(world->keys, alice, NULL), 0);
	for (int i = 0; i < LAYOUTS; i++) {
		new[i] = user_in(world, (enum layout)i, alice);
		assert_memory_not_equal(new[i]->signet->signing,
		    old[i]->signet->signing, CRYPTO_SIGN_PUBLIC);
		assert_memory_not_equal(new[i]->signet->encryption,
		    old[i]->signet->encryption, CRYPTO_POINT);
		assert_int_equal(signet_verify_custody(new[i]->signet->signet,
		    old[i]->signet->signet, NULL), 0);
		assert_true(world_agrees(new[i]->agreer,
		    new[i]->signet->encryption));
		assert_int_equal(new[i]->retired, 0);
		assert_int_equal(new[i]->created, world_now);
		/* The one before, by each of its names. */
		assert_int_equal(keys_find_user_by_fingerprint(world->keys,
		    alice, old[i]->signet->core, &found, NULL), 0);
		assert_int_equal(found->retired, world_now);
		assert_true(world_agrees(found->agreer,
		    old[i]->signet->encryption));
		keys_user_free(found);
		assert_int_equal(keys_find_user_by_fingerprint(world->keys,
		    alice, old[i]->signet->full, &found, NULL), 0);
		keys_user_free(found);
	}
	for (int i = 0; i < LAYOUTS; i++) {
		keys_user_free(old[i]);
		keys_user_free(new[i]);
	}
}

static int
collect(void *context, const struct signet *core)
{
	struct buffer *chain = context;

	buffer_append_span(chain, signet_binary(core));
	return chain->error;
}

/* What HIST lists, in the layout of `start`. */
static void
expect_chain(struct world *world, const char *address, const char *start,
    const struct keys_user *last, size_t count)
{
	struct buffer octets = buffer_make(SIZE_MAX);
	struct signet_chain chain;

	assert_int_equal(keys_history(world->keys, address, start, "", collect,
	    &octets, NULL), 0);
	assert_int_equal(signet_chain_read(buffer_span(&octets), &chain, NULL),
	    0);
	assert_int_equal(chain.count, count);
	assert_int_equal(signet_chain_verify(&chain, NULL,
	    last->signet->signet, NULL), 0);
	signet_chain_free(&chain);
	buffer_free(&octets);
}

static void
each_rotation_is_a_link_of_the_chain(void **state)
{
	struct world *world = *state;

	for (int layout = 0; layout < LAYOUTS; layout++) {
		struct keys_user *first = user_in(world, (enum layout)layout,
		    alice), *last;

		for (size_t links = 2; links <= 4; links++) {
			assert_int_equal(keys_rotate_user(world->keys, alice,
			    NULL), 0);
			last = user_in(world, (enum layout)layout, alice);
			expect_chain(world, alice, first->signet->core, last,
			    links);
			keys_user_free(last);
		}
		keys_user_free(first);
	}
}

static void
mail_for_the_signet_before_is_taken_for_a_while(void **state)
{
	struct world *world = *state;
	struct keys_user *first = user_of(world, alice);
	struct keys_user *last, *before, *none;

	world_now += 10;
	assert_int_equal(keys_rotate_user(world->keys, alice, NULL), 0);
	world_now += GRACE - 1;
	assert_int_equal(keys_rotate_user(world->keys, alice, NULL), 0);
	last = user_of(world, "alice+tag@alpha.test");
	assert_int_equal(keys_find_user_before(world->keys, last, GRACE,
	    &before, NULL), 0);
	assert_true(keys_takes_mail(world->keys, before->retired, GRACE));
	keys_user_free(last);
	last = before;
	assert_int_equal(keys_find_user_before(world->keys, last, GRACE,
	    &before, NULL), 0);
	assert_string_equal(before->signet->full, first->signet->full);
	assert_int_equal(keys_find_user_before(world->keys, before, GRACE,
	    &none, NULL), ERR_UNKNOWN_ADDRESS);
	assert_null(none);
	assert_true(keys_takes_mail(world->keys, before->retired, GRACE));
	world_now++;
	assert_false(keys_takes_mail(world->keys, before->retired, GRACE));
	keys_user_free(before);
	assert_int_equal(keys_find_user_before(world->keys, last, GRACE,
	    &before, NULL), ERR_UNKNOWN_ADDRESS);
	/* With no time at all not even what was current this very second. */
	assert_int_equal(keys_rotate_user(world->keys, alice, NULL), 0);
	keys_user_free(last);
	last = user_of(world, alice);
	assert_int_equal(keys_find_user_before(world->keys, last, 0, &before,
	    NULL), ERR_UNKNOWN_ADDRESS);
	assert_false(keys_takes_mail(world->keys, world_now, 0));
	assert_true(keys_takes_mail(world->keys, 0, 0));
	assert_false(keys_takes_mail(world->keys, KEYS_PREPARED, INT64_MAX));
	keys_user_free(last);
	keys_user_free(first);
}

static void
who_is_not_there_is_not_rotated(void **state)
{
	static const char *const names[] = {"bob@alpha.test",
	    "alice+tag@alpha.test", "alice@gamma.test"};
	struct world *world = *state;
	struct fault fault = {0};

	for (size_t i = 0; i < COUNT(names); i++) {
		unit_case(names[i]);
		assert_int_equal(keys_rotate_user(world->keys, names[i],
		    &fault), ERR_UNKNOWN_ADDRESS);
		assert_non_null(strstr(fault.text, names[i]));
		assert_int_equal(keys_disable_user(world->keys, names[i], true,
		    NULL), ERR_UNKNOWN_ADDRESS);
	}
}

static void
a_user_is_disabled_and_enabled(void **state)
{
	struct world *world = *state;
	struct keys_user *user;

	assert_int_equal(keys_disable_user(world->keys, alice, true, NULL), 0);
	user = user_of(world, alice);
	assert_true(user->disabled);
	keys_user_free(user);
	/* New keys do not enable him. */
	assert_int_equal(keys_rotate_user(world->keys, alice, NULL), 0);
	user = user_of(world, alice);
	assert_true(user->disabled);
	keys_user_free(user);
	assert_int_equal(keys_disable_user(world->keys, alice, false, NULL),
	    0);
	user = user_of(world, alice);
	assert_false(user->disabled);
	keys_user_free(user);
	assert_int_equal(keys_disable_user(world->keys, "relay@alpha.test",
	    true, NULL), ERR_USAGE);
	assert_int_equal(keys_disable_user(world->keys,
	    "mailer-daemon@alpha.test", true, NULL), ERR_USAGE);
}

/* An address that a row of another user's already has makes all of it fail. */
static void
a_rotation_that_fails_leaves_what_was(void **state)
{
	struct world *world = *state;
	struct keys_user *old = user_of(world, alice), *same;
	struct keys_org *org = org_of(world, "alpha.test"), *still;

	assert_int_equal(keys_prepare_org(world->keys, "alpha.test", NULL), 0);
	world_sql(world, "CREATE TRIGGER stop BEFORE INSERT ON address"
		   " WHEN new.address = 'relay@alpha.test'"
		   " OR new.address = 'alice@alpha.test'"
		   " BEGIN SELECT RAISE(ABORT, 'stopped'); END");
	assert_int_equal(keys_rotate_user(world->keys, alice, NULL),
	    ERR_DATABASE);
	assert_int_equal(keys_rotate_org(world->keys, "alpha.test", NULL),
	    ERR_DATABASE);
	same = user_of(world, alice);
	assert_string_equal(same->signet->full, old->signet->full);
	assert_int_equal(same->retired, 0);
	keys_user_free(same);
	keys_user_free(old);
	still = org_of(world, "alpha.test");
	assert_string_equal(still->signet->fingerprint,
	    org->signet->fingerprint);
	keys_org_free(still);
	assert_int_equal(keys_find_org_prepared(world->keys, "alpha.test",
	    &still, NULL), 0);
	keys_org_free(still);
	keys_org_free(org);
	world_sql(world, "DROP TRIGGER stop");
	assert_int_equal(keys_rotate_org(world->keys, "alpha.test", NULL), 0);
}

/* One core serves all of a user's addresses, after a rotation as before. */
static void
all_addresses_of_a_user_go_along(void **state)
{
	static char addresses[][ADDRESS_SIZE] = {"carol@alpha.test",
	    "carol.c@alpha.test"};
	struct world *world = *state;
	struct transaction transaction;
	struct keys_plan plan = {.addresses = addresses, .address_count = 2};
	struct keys_org *org = org_of(world, "alpha.test");
	struct keys_user *one, *other, *old = NULL;

	plan.org = org->id;
	plan.org_signer = org->signer;
	assert_int_equal(transaction_begin(&transaction, world->keys->database,
	    NULL), 0);
	assert_int_equal(transaction_end(&transaction,
	    keys_add_user(world->keys, &transaction, &plan)), 0);
	for (int i = 0; i < 2; i++) {
		one = user_of(world, addresses[0]);
		other = user_of(world, addresses[1]);
		assert_string_equal(one->signet->full, other->signet->full);
		assert_string_equal(other->signet->address, addresses[1]);
		if (i == 1)
			assert_string_not_equal(one->signet->core,
			    old->signet->core);
		expect_chain(world, addresses[1], "", other, 1 + (size_t)i);
		keys_user_free(other);
		keys_user_free(old);
		old = one;
		assert_int_equal(keys_rotate_user(world->keys, addresses[1],
		    NULL), 0);
	}
	keys_user_free(old);
	keys_org_free(org);
}

/* ---- organizations ---- */

static void
a_prepared_organization_is_not_in_force(void **state)
{
	struct world *world = *state;
	struct keys_org *org = org_of(world, "alpha.test"), *next, *same;
	struct keys_user *user;

	assert_int_equal(keys_find_org_prepared(world->keys, "alpha.test",
	    &next, NULL), ERR_NO_KEY);
	assert_int_equal(keys_rotate_org(world->keys, "alpha.test", NULL),
	    ERR_NO_KEY);
	assert_int_equal(keys_prepare_org(world->keys, "alpha.test", NULL), 0);
	assert_int_equal(keys_prepare_org(world->keys, "alpha.test", NULL),
	    ERR_EXISTS);
	assert_int_equal(keys_prepare_org(world->keys, "gamma.test", NULL),
	    ERR_NO_KEY);
	assert_int_equal(keys_find_org_prepared(world->keys, "alpha.test",
	    &next, NULL), 0);
	assert_int_equal(next->retired, KEYS_PREPARED);
	assert_memory_not_equal(next->signet->pok, org->signet->pok,
	    CRYPTO_SIGN_PUBLIC);
	same = org_of(world, "alpha.test");
	assert_string_equal(same->signet->fingerprint,
	    org->signet->fingerprint);
	keys_org_free(same);
	assert_int_equal(keys_find_org_before(world->keys, org, GRACE, &same,
	    NULL), ERR_NO_KEY);
	/* Users that are made meanwhile are of the current one. */
	assert_int_equal(keys_create_user(world->keys, "bob@alpha.test", NULL),
	    0);
	user = user_of(world, "bob@alpha.test");
	keys_user_free(user);
	keys_org_free(next);
	keys_org_free(org);
}

static int
count_users(void *context, const struct keys_listing *row)
{
	++*(int *)context;
	return 0;
}

/* The user has a signet under `next`, and still the one before, under `org`. */
static void
expect_moved(struct world *world, const struct keys_org *org,
    const struct keys_org *next, const struct keys_user *old)
{
	const char *address = old->signet->address;
	struct keys_user *user = user_of(world, address);

	/* Verified under the new signet when it was read. */
	assert_int_equal(user->org, next->id);
	assert_int_equal(old->org, org->id);
	assert_true(org_signet_check(next->signet, SIGNET_MAY_SIGN_USERS,
	    signet_below(user->signet->signet, SIGNET_USER_ORG_SIGNATURE),
	    signet_find(user->signet->signet,
	    SIGNET_USER_ORG_SIGNATURE)->value.data, NULL));
	expect_chain(world, address, old->signet->core, user, 2);
	keys_user_free(user);
	assert_int_equal(keys_find_user_by_fingerprint(world->keys, address,
	    old->signet->core, &user, NULL), 0);
	assert_int_equal(user->org, org->id);
	keys_user_free(user);
}

/* The one before, by fingerprint, and for a while as such. */
static void
expect_org_before(struct world *world, const struct keys_org *org,
    const struct keys_org *next)
{
	struct keys_org *found;

	assert_int_equal(keys_find_org_by_fingerprint(world->keys,
	    "alpha.test", org->signet->fingerprint, &found, NULL), 0);
	assert_int_equal(found->retired, world_now);
	keys_org_free(found);
	world_now += GRACE - 1;
	assert_int_equal(keys_find_org_before(world->keys, next, GRACE, &found,
	    NULL), 0);
	assert_true(world_agrees(found->agreer, org->signet->encryption));
	keys_org_free(found);
	assert_int_equal(keys_org_in(world->keys, LAYOUT_LIBDIME, org, &found,
	    NULL), 0);
	assert_int_equal(found->signet->signet->layout, LAYOUT_LIBDIME);
	assert_memory_equal(found->signet->pok, org->signet->pok,
	    CRYPTO_SIGN_PUBLIC);
	keys_org_free(found);
	world_now++;
	assert_int_equal(keys_find_org_before(world->keys, next, GRACE, &found,
	    NULL), ERR_NO_KEY);
}

static void
a_rotated_organization_takes_its_users_along(void **state)
{
	static const char *const names[] = {"alice@alpha.test",
	    "relay@alpha.test", "mailer-daemon@alpha.test"};
	struct world *world = *state;
	struct keys_org *org = org_of(world, "alpha.test"), *next, *found;
	struct keys_org *beta = org_of(world, "beta.test");
	struct keys_user *old[COUNT(names)];
	int count = 0;

	for (size_t i = 0; i < COUNT(names); i++)
		old[i] = user_of(world, names[i]);
	assert_int_equal(keys_prepare_org(world->keys, "alpha.test", NULL), 0);
	world_now += 10;
	assert_int_equal(keys_rotate_org(world->keys, "alpha.test", NULL), 0);
	next = org_of(world, "alpha.test");
	assert_string_not_equal(next->signet->fingerprint,
	    org->signet->fingerprint);
	assert_true(world_agrees(next->agreer, next->signet->encryption));
	for (size_t i = 0; i < COUNT(names); i++) {
		unit_case(names[i]);
		expect_moved(world, org, next, old[i]);
		keys_user_free(old[i]);
	}
	assert_int_equal(keys_list_users(world->keys, "alpha.test",
	    count_users, &count, NULL), 0);
	assert_int_equal(count, COUNT(names));
	expect_org_before(world, org, next);
	/* Others are not touched. */
	found = org_of(world, "beta.test");
	assert_string_equal(found->signet->fingerprint,
	    beta->signet->fingerprint);
	keys_org_free(found);
	/* And again. */
	assert_int_equal(keys_prepare_org(world->keys, "alpha.test", NULL), 0);
	assert_int_equal(keys_rotate_org(world->keys, "alpha.test", NULL), 0);
	keys_org_free(org);
	keys_org_free(next);
	keys_org_free(beta);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(a_rotated_user_has_new_keys_and_custody),
	    WORLD_TEST(each_rotation_is_a_link_of_the_chain),
	    WORLD_TEST(mail_for_the_signet_before_is_taken_for_a_while),
	    WORLD_TEST(who_is_not_there_is_not_rotated),
	    WORLD_TEST(a_user_is_disabled_and_enabled),
	    WORLD_TEST(a_rotation_that_fails_leaves_what_was),
	    WORLD_TEST(all_addresses_of_a_user_go_along),
	    WORLD_TEST(a_prepared_organization_is_not_in_force),
	    WORLD_TEST(a_rotated_organization_takes_its_users_along),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
