/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/keys_world.h"

#include <pthread.h>
#include <stdio.h>

static void
an_organization_has_signet_and_keys(void **state)
{
	struct world *world = *state;
	struct keys_org *org, *same, *none;
	struct fault fault = {0};

	assert_int_equal(keys_find_org(world->keys, "alpha.test", &org, NULL),
	    0);
	assert_string_equal(org->signet->domain, "alpha.test");
	assert_int_equal(org->signet->signet->state, SIGNET_STATE_COMPLETE);
	assert_true(world_signs(org->signer, org->signet->pok));
	assert_true(world_agrees(org->agreer, org->signet->encryption));
	assert_int_equal(keys_find_org_by_fingerprint(world->keys,
	    "alpha.test", org->signet->fingerprint, &same, NULL), 0);
	assert_true(span_equal(signet_binary(same->signet->signet),
	    signet_binary(org->signet->signet)));
	assert_int_equal(keys_find_org_by_fingerprint(world->keys, "beta.test",
	    org->signet->fingerprint, &none, NULL), ERR_NO_KEY);
	assert_null(none);
	assert_int_equal(keys_find_org(world->keys, "gamma.test", &none,
	    &fault), ERR_NO_KEY);
	assert_null(none);
	world_expect_fault(&fault, "gamma.test");
	keys_org_free(org);
	keys_org_free(same);
	keys_org_free(NULL);
}

/* The same keys in another layout, the same octets whenever it is asked for,
 * found by each of its fingerprints. */
static void
an_organization_has_both_layouts(void **state)
{
	struct world *world = *state;
	struct keys_org *org, *libdime, *same;
	static int (*const find[])(struct keys *, const char *, const char *,
	    struct keys_org **, struct fault *) = {
	    keys_find_org_by_fingerprint, keys_find_org_by_envelope};
	const char *fingerprints[2];

	assert_int_equal(keys_find_org(world->keys, "alpha.test", &org, NULL),
	    0);
	assert_int_equal(keys_find_org_in(world->keys, LAYOUT_LIBDIME,
	    "alpha.test", &libdime, NULL), 0);
	assert_int_equal(org->signet->signet->layout, LAYOUT_STANDARD);
	assert_int_equal(libdime->signet->signet->layout, LAYOUT_LIBDIME);
	assert_int_equal(libdime->signet->signet->state, SIGNET_STATE_COMPLETE);
	assert_memory_equal(libdime->signet->pok, org->signet->pok,
	    sizeof(org->signet->pok));
	assert_true(world_signs(libdime->signer, org->signet->pok));
	assert_true(world_agrees(libdime->agreer, org->signet->encryption));
	fingerprints[0] = libdime->signet->fingerprint;
	fingerprints[1] = libdime->signet->core;
	for (size_t i = 0; i < COUNT(fingerprints); i++) {
		assert_int_equal(find[i](world->keys, "alpha.test",
		    fingerprints[i], &same, NULL), 0);
		assert_true(span_equal(signet_binary(same->signet->signet),
		    signet_binary(libdime->signet->signet)));
		keys_org_free(same);
		assert_int_equal(find[i](world->keys, "beta.test",
		    fingerprints[i], &same, NULL), ERR_NO_KEY);
		/* DMTP and envelopes do not mix them up. */
		assert_int_equal(find[i](world->keys, "alpha.test",
		    fingerprints[1 - i], &same, NULL), ERR_NO_KEY);
		assert_int_equal(find[i](world->keys, "alpha.test",
		    org->signet->fingerprint, &same, NULL), 0);
		assert_int_equal(same->signet->signet->layout,
		    LAYOUT_STANDARD);
		keys_org_free(same);
	}
	keys_org_free(org);
	keys_org_free(libdime);
	assert_int_equal(keys_find_org_in(world->keys, LAYOUT_LIBDIME,
	    "gamma.test", &same, NULL), ERR_NO_KEY);
}

static void
a_user_has_both_layouts(void **state)
{
	struct world *world = *state;
	struct keys_user *user, *libdime, *same;
	const char *fingerprints[2];

	assert_int_equal(keys_find_user(world->keys, "alice@alpha.test", &user,
	    NULL), 0);
	assert_int_equal(keys_find_user_in(world->keys, LAYOUT_LIBDIME,
	    "alice+tag@alpha.test", &libdime, NULL), 0);
	assert_int_equal(libdime->signet->signet->layout, LAYOUT_LIBDIME);
	assert_string_equal(libdime->signet->address, "alice@alpha.test");
	assert_string_not_equal(libdime->signet->core, user->signet->core);
	assert_true(world_signs(libdime->signer, user->signet->signing));
	assert_true(world_agrees(libdime->agreer, user->signet->encryption));
	fingerprints[0] = libdime->signet->core;
	fingerprints[1] = libdime->signet->full;
	for (size_t i = 0; i < COUNT(fingerprints); i++) {
		assert_int_equal(keys_find_user_by_fingerprint(world->keys,
		    "alice@alpha.test", fingerprints[i], &same, NULL), 0);
		assert_true(span_equal(signet_binary(same->signet->signet),
		    signet_binary(libdime->signet->signet)));
		keys_user_free(same);
		assert_int_equal(keys_find_user_by_fingerprint(world->keys,
		    "bob@alpha.test", fingerprints[i], &same, NULL),
		    ERR_UNKNOWN_ADDRESS);
	}
	keys_user_free(user);
	keys_user_free(libdime);
}

static void
a_user_has_signet_and_keys(void **state)
{
	static const struct {
		const char *asked, *found; /* "" : nobody */
	} cases[] = {
	    {"alice@alpha.test", "alice@alpha.test"},
	    {"alice+news@alpha.test", "alice@alpha.test"},
	    {"alice+a+b@alpha.test", "alice@alpha.test"},
	    {"bob@alpha.test", "bob@alpha.test"},
	    {"relay@alpha.test", "relay@alpha.test"},
	    {"mailer-daemon@alpha.test", "mailer-daemon@alpha.test"},
	    {"relay@beta.test", "relay@beta.test"},
	    {"alice@beta.test", ""},
	    {"carol@alpha.test", ""},
	    {"+alice@alpha.test", ""},
	    {"Alice@alpha.test", ""},
	    {"", ""},
	};
	struct world *world = *state;
	struct keys_user *user;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = {0};
		int err = keys_find_user(world->keys, cases[i].asked, &user,
		    &fault);

		unit_case(cases[i].asked);
		if (*cases[i].found == '\0') {
			assert_int_equal(err, ERR_UNKNOWN_ADDRESS);
			assert_null(user);
			world_expect_fault(&fault, cases[i].asked);
			continue;
		}
		assert_int_equal(err, 0);
		assert_string_equal(user->signet->address, cases[i].found);
		assert_int_equal(user->signet->signet->state,
		    SIGNET_STATE_COMPLETE);
		assert_false(user->disabled);
		assert_true(world_signs(user->signer, user->signet->signing));
		assert_true(world_agrees(user->agreer,
		    user->signet->encryption));
		keys_user_free(user);
	}
}

static void
a_user_is_found_by_either_fingerprint(void **state)
{
	struct world *world = *state;
	struct keys_user *user, *same;

	assert_int_equal(keys_find_user(world->keys, "alice@alpha.test", &user,
	    NULL), 0);
	assert_int_equal(keys_find_user_by_fingerprint(world->keys,
	    "alice@alpha.test", user->signet->core, &same, NULL), 0);
	assert_string_equal(same->signet->full, user->signet->full);
	keys_user_free(same);
	assert_int_equal(keys_find_user_by_fingerprint(world->keys,
	    "alice+x@alpha.test", user->signet->full, &same, NULL), 0);
	assert_string_equal(same->signet->core, user->signet->core);
	keys_user_free(same);
	assert_int_equal(keys_find_user_by_fingerprint(world->keys,
	    "bob@alpha.test", user->signet->core, &same, NULL),
	    ERR_UNKNOWN_ADDRESS);
	assert_int_equal(keys_find_user_by_fingerprint(world->keys,
	    "alice@alpha.test", "", &same, NULL), ERR_UNKNOWN_ADDRESS);
	keys_user_free(user);
}

static void
what_exists_is_not_made_again(void **state)
{
	struct world *world = *state;
	struct fault fault = {0};

	assert_int_equal(keys_create_org(world->keys, "alpha.test", &fault),
	    ERR_EXISTS);
	world_expect_fault(&fault, "alpha.test");
	assert_int_equal(keys_create_user(world->keys, "alice@alpha.test",
	    &fault), ERR_EXISTS);
	world_expect_fault(&fault, "alice@alpha.test");
	assert_int_equal(keys_create_user(world->keys, "relay@alpha.test",
	    &fault), ERR_EXISTS);
	assert_int_equal(keys_create_user(world->keys, "dave@gamma.test",
	    &fault), ERR_NO_KEY);
	world_expect_fault(&fault, "gamma.test");
	assert_int_equal(keys_create_user(world->keys, "a@sub.alpha.test",
	    &fault), ERR_NO_KEY);
	assert_int_equal(keys_create_user(world->keys, "Dave@alpha.test",
	    &fault), ERR_USAGE);
	assert_int_equal(keys_create_org(world->keys, "Gamma.test", &fault),
	    ERR_USAGE);
}

static int
append_row(void *context, const struct keys_listing *row)
{
	assert_int_equal(row->created, START);
	assert_true(signet_is_fingerprint(span_string(row->fingerprint)));
	buffer_printf(context, "%s%s ", row->name, row->disabled ? "!" : "");
	return 0;
}

static int
stop_at_once(void *context, const struct keys_listing *row)
{
	return ERR_TOO_LARGE;
}

static void
listings_are_in_order(void **state)
{
	static const struct {
		const char *within, *listing;
	} cases[] = {
	    {"alpha.test", "alice@alpha.test bob@alpha.test! "
			   "mailer-daemon@alpha.test relay@alpha.test "},
	    {"beta.test", "mailer-daemon@beta.test relay@beta.test "},
	    {"gamma.test", ""},
	    {NULL, "alice@alpha.test bob@alpha.test! "
		   "mailer-daemon@alpha.test mailer-daemon@beta.test "
		   "relay@alpha.test relay@beta.test "},
	};
	struct world *world = *state;
	struct buffer text = buffer_make(1000);
	struct keys_user *bob;

	world_sql(world, "UPDATE user SET disabled = 1"
		   " WHERE identifier = 'bob@alpha.test'");
	for (size_t i = 0; i < COUNT(cases); i++) {
		buffer_reset(&text);
		assert_int_equal(keys_list_users(world->keys, cases[i].within,
		    append_row, &text, NULL), 0);
		assert_string_equal(buffer_string(&text), cases[i].listing);
	}
	buffer_reset(&text);
	assert_int_equal(keys_list_orgs(world->keys, append_row, &text, NULL),
	    0);
	assert_string_equal(buffer_string(&text), "alpha.test beta.test ");
	assert_int_equal(keys_list_orgs(world->keys, stop_at_once, NULL, NULL),
	    ERR_TOO_LARGE);
	assert_int_equal(keys_find_user(world->keys, "bob@alpha.test", &bob,
	    NULL), 0);
	assert_true(bob->disabled);
	keys_user_free(bob);
	buffer_free(&text);
}

/* ---- threads ---- */

enum { THREADS = 16, ROUNDS = 10 };

struct worker {
	pthread_t thread;
	struct keys *keys;
	unsigned int number;
	int err;
};

static int
look_up(void *context, const struct keys_listing *row)
{
	struct keys_org *org = NULL;
	int err = keys_find_org(context, row->name, &org, NULL);

	if (err == 0 && strcmp(org->signet->fingerprint, row->fingerprint) != 0)
		err = ERR_MISMATCH;
	keys_org_free(org);
	return err;
}

static void *
work(void *argument)
{
	struct worker *worker = argument;
	struct keys_user *user;
	struct keys_org *org;
	char address[40];

	snprintf(address, sizeof(address), "u%u@alpha.test", worker->number);
	worker->err = keys_create_user(worker->keys, address, NULL);
	for (int i = 0; i < ROUNDS && worker->err == 0; i++) {
		worker->err = keys_find_user(worker->keys, address, &user,
		    NULL);
		if (worker->err == 0)
			worker->err = keys_find_org(worker->keys, "beta.test",
			    &org, NULL);
		else
			org = NULL;
		keys_user_free(user);
		keys_org_free(org);
		if (worker->err == 0)
			worker->err = keys_list_orgs(worker->keys, look_up,
			    worker->keys, NULL);
	}
	return NULL;
}

static void
threads_find_and_create(void **state)
{
	struct world *world = *state;
	struct worker workers[THREADS] = {0};

	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i].keys = world->keys;
		workers[i].number = i;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work,
		    &workers[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].err, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST_TWO(an_organization_has_signet_and_keys),
	    WORLD_TEST_TWO(an_organization_has_both_layouts),
	    WORLD_TEST_TWO(a_user_has_both_layouts),
	    WORLD_TEST_TWO(a_user_has_signet_and_keys),
	    WORLD_TEST_TWO(a_user_is_found_by_either_fingerprint),
	    WORLD_TEST_TWO(what_exists_is_not_made_again),
	    WORLD_TEST_TWO(listings_are_in_order),
	    WORLD_TEST_TWO(threads_find_and_create),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
