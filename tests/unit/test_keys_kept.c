/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/keys_world.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

/*
 * What lib/keys keeps of the store: it is given out as long as nobody has
 * changed the store, and not once after that.
 */

enum {
	USERS = 600, /* more than there are places */
	THREADS = 4,
	ROUNDS = 300,
};

/* The world's, a daemon's; bob; and the other handle, dimectl's. */
static int
set_up(void **state)
{
	struct world *world;

	if (world_set_up(state) != 0)
		return -1;
	world = *state;
	assert_int_equal(keys_create_user(world->keys, "bob@beta.test", NULL),
	    0);
	return keys_open(&world->settings, &world->other, NULL);
}

static struct keys_user *
find(struct keys *keys, const char *address)
{
	struct keys_user *user;

	assert_int_equal(keys_find_user(keys, address, &user, NULL), 0);
	return user;
}

/* Whether bob is the same object as before: he was not read again. */
static bool
is_kept(struct world *world, const struct keys_user *before)
{
	struct keys_user *bob = find(world->keys, "bob@beta.test");
	bool same = bob == before;

	keys_user_free(bob);
	return same;
}

static void
given_out_again(void **state)
{
	struct world *world = *state;
	struct keys_org *org, *again;
	struct keys_user *bob = find(world->keys, "bob@beta.test"), *user;

	assert_true(is_kept(world, bob));
	/* A tag is not part of a name in the store. */
	user = find(world->keys, "bob+tag@beta.test");
	assert_ptr_equal(user, bob);
	keys_user_free(user);
	assert_int_equal(keys_find_user_by_fingerprint(world->keys,
	    "bob@beta.test", bob->signet->core, &user, NULL), 0);
	assert_string_equal(user->signet->full, bob->signet->full);
	keys_user_free(user);
	/* The two layouts are not mixed up. */
	assert_int_equal(keys_find_user_in(world->keys, LAYOUT_LIBDIME,
	    "bob@beta.test", &user, NULL), 0);
	assert_int_equal(user->signet->signet->layout, LAYOUT_LIBDIME);
	keys_user_free(user);
	assert_int_equal(bob->signet->signet->layout, LAYOUT_STANDARD);
	keys_user_free(bob);
	assert_int_equal(keys_find_org(world->keys, "beta.test", &org, NULL),
	    0);
	assert_int_equal(keys_find_org(world->keys, "beta.test", &again,
	    NULL), 0);
	assert_ptr_equal(org, again);
	keys_org_free(again);
	assert_int_equal(keys_find_org_by_fingerprint(world->keys, "beta.test",
	    org->signet->fingerprint, &again, NULL), 0);
	keys_org_free(again);
	assert_int_equal(keys_find_org_by_envelope(world->keys, "beta.test",
	    org->signet->fingerprint, &again, NULL), 0);
	keys_org_free(again);
	keys_org_free(org);
}

static void
changes_show_at_once(void **state)
{
	static const struct {
		const char *name, *change;
		int err; /* of asking for bob then */
		bool disabled;
	} cases[] = {
	    {"disabled", "UPDATE user SET disabled = 1", 0, true},
	    {"enabled", "UPDATE user SET disabled = 0", 0, false},
	    {"retired", "UPDATE address SET retired = 1", ERR_UNKNOWN_ADDRESS,
	        false},
	    {"back", "UPDATE address SET retired = NULL", 0, false},
	    {"tampered with", "UPDATE user SET signet = x'0700000100'",
	        ERR_DATABASE, false},
	};
	struct world *world = *state;
	struct keys_user *held = find(world->keys, "bob@beta.test"), *bob;

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		world_sql(world, cases[i].change);
		assert_int_equal(keys_find_user(world->keys, "bob@beta.test",
		    &bob, NULL), cases[i].err);
		assert_true(bob == NULL || bob->disabled == cases[i].disabled);
		keys_user_free(bob);
	}
	/* Whoever holds what was given out before can still read it. */
	assert_string_equal(held->signet->address, "bob@beta.test");
	keys_user_free(held);
}

static void
new_users_show_at_once(void **state)
{
	struct world *world = *state;
	struct keys_user *bob = find(world->keys, "bob@beta.test"), *user;
	char address[40];

	for (int i = 0; i < 20; i++) {
		snprintf(address, sizeof(address), "new%d@beta.test", i);
		assert_int_equal(keys_find_user(world->keys, address, &user,
		    NULL), ERR_UNKNOWN_ADDRESS);
		assert_int_equal(keys_create_user(world->other, address, NULL),
		    0);
		user = find(world->keys, address);
		keys_user_free(user);
	}
	/* Also when the change is made over the same store. */
	assert_int_equal(keys_create_user(world->keys, "last@beta.test", NULL),
	    0);
	user = find(world->keys, "last@beta.test");
	keys_user_free(user);
	assert_false(is_kept(world, bob));
	keys_user_free(bob);
}

/* ---- the store in its place ---- */

static void
move(const struct world *world, const char *from, const char *to)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	char source[120], target[120];

	for (size_t i = 0; i < COUNT(suffixes); i++) {
		snprintf(source, sizeof(source), "%s/%s%s", world->directory,
		    from, suffixes[i]);
		snprintf(target, sizeof(target), "%s/%s%s", world->directory,
		    to, suffixes[i]);
		if (rename(source, target) != 0)
			unlink(target);
	}
}

static void
expect_users(struct world *world, int bob, int carol)
{
	struct keys_user *user;

	assert_int_equal(keys_find_user(world->keys, "bob@beta.test", &user,
	    NULL), bob);
	keys_user_free(user);
	assert_int_equal(keys_find_user(world->keys, "carol@beta.test", &user,
	    NULL), carol);
	keys_user_free(user);
}

/* Makes a store like the first one, sealed with the key files that are
 * there. */
static void
make_another(struct world *world)
{
	struct keys_settings settings = world->settings;
	struct keys *keys;

	settings.create = true;
	assert_int_equal(keys_open(&settings, &keys, NULL), 0);
	assert_int_equal(keys_create_org(keys, "beta.test", NULL), 0);
	assert_int_equal(keys_create_user(keys, "carol@beta.test", NULL), 0);
	keys_close(keys);
}

/* Nobody whom the store has may be unknown, as a peer would bounce his mail. */
static void
a_store_that_takes_its_place_is_used(void **state)
{
	struct world *world = *state;
	int fd;

	keys_close(world->other);
	world->other = NULL;
	for (int i = 0; i < 2; i++) {
		unit_case("as it was");
		expect_users(world, 0, ERR_UNKNOWN_ADDRESS);
		unit_case("gone");
		move(world, "keys.db", "first.db");
		expect_users(world, ERR_NO_FILE, ERR_NO_FILE);
		unit_case("another file");
		fd = open(world->database, O_WRONLY | O_CREAT, 0600);
		assert_int_equal(write(fd, "no database", 11), 11);
		close(fd);
		expect_users(world, ERR_DATABASE, ERR_DATABASE);
		unlink(world->database);
		unit_case("another store");
		make_another(world);
		expect_users(world, ERR_UNKNOWN_ADDRESS, 0);
		unit_case("that is gone");
		move(world, "keys.db", "second.db");
		expect_users(world, ERR_NO_FILE, ERR_NO_FILE);
		unit_case("that another key has sealed");
		move(world, "master.key", "saved.key");
		make_another(world);
		move(world, "saved.key", "master.key");
		expect_users(world, ERR_UNKNOWN_ADDRESS, ERR_DATABASE);
		move(world, "first.db", "keys.db");
	}
	expect_users(world, 0, ERR_UNKNOWN_ADDRESS);
}

/* Names that are made up, and tags, take nobody's place. */
static void
strangers_take_no_place(void **state)
{
	struct world *world = *state;
	struct keys_user *bob = find(world->keys, "bob@beta.test"), *user;
	char address[60], fingerprint[SIGNET_FINGERPRINT_SIZE];

	for (int i = 0; i < 5000; i++) {
		snprintf(address, sizeof(address), "x%d@beta.test", i);
		assert_int_equal(keys_find_user(world->keys, address, &user,
		    NULL), ERR_UNKNOWN_ADDRESS);
		snprintf(address, sizeof(address), "bob+%d@beta.test", i);
		user = find(world->keys, address);
		assert_ptr_equal(user, bob);
		keys_user_free(user);
		memset(fingerprint, 'A', sizeof(fingerprint));
		snprintf(fingerprint, sizeof(fingerprint), "%086d", i);
		assert_int_equal(keys_find_user_by_fingerprint(world->keys,
		    "bob@beta.test", fingerprint, &user, NULL),
		    ERR_UNKNOWN_ADDRESS);
	}
	assert_true(is_kept(world, bob));
	keys_user_free(bob);
}

/* Longer than any name or fingerprint in the store. */
static void
long_names(void **state)
{
	struct world *world = *state;
	struct keys_user *user;
	char longest[3000];

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(keys_find_user_by_fingerprint(world->keys,
	    "bob@beta.test", longest, &user, NULL), ERR_UNKNOWN_ADDRESS);
	assert_int_equal(keys_find_user_by_fingerprint(world->keys,
	    "bob@beta.test", longest, &user, NULL), ERR_UNKNOWN_ADDRESS);
}

/* With more users than places each is still himself. */
static void
more_than_places(void **state)
{
	struct world *world = *state;
	struct keys_user *user;
	char address[40];

	for (int i = 0; i < USERS; i++) {
		snprintf(address, sizeof(address), "u%d@beta.test", i);
		assert_int_equal(keys_create_user(world->other, address, NULL),
		    0);
	}
	for (int i = 0; i < 2 * USERS; i++) {
		snprintf(address, sizeof(address), "u%d@beta.test",
		    i * 7 % USERS);
		user = find(world->keys, address);
		assert_string_equal(user->signet->address, address);
		keys_user_free(user);
	}
}

/* ---- threads ---- */

static void *
ask(void *argument)
{
	struct world *world = argument;
	struct keys_user *user;

	for (int i = 0; i < ROUNDS; i++) {
		user = find(world->keys, i % 2 == 0 ? "bob@beta.test"
		                                    : "relay@beta.test");
		assert_string_equal(user->signet->address, i % 2 == 0
		    ? "bob@beta.test" : "relay@beta.test");
		keys_user_free(user);
	}
	return NULL;
}

static void
many_threads(void **state)
{
	struct world *world = *state;
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, world),
		    0);
	for (int i = 0; i < 20; i++)
		world_sql(world, i % 2 == 0
		    ? "UPDATE user SET disabled = 1"
		    : "UPDATE user SET disabled = 0");
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

#define KEPT_TEST(test)                                                        \
	cmocka_unit_test_setup_teardown(test, set_up, world_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    KEPT_TEST(given_out_again),
	    KEPT_TEST(changes_show_at_once),
	    KEPT_TEST(new_users_show_at_once),
	    KEPT_TEST(a_store_that_takes_its_place_is_used),
	    KEPT_TEST(strangers_take_no_place),
	    KEPT_TEST(long_names),
	    KEPT_TEST(more_than_places),
	    KEPT_TEST(many_threads),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
