/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/keys_world.h"

struct collected {
	char cores[8][SIGNET_FINGERPRINT_SIZE];
	size_t count;
};

static int
collect(void *context, const struct signet *core)
{
	struct collected *collected = context;

	assert_int_equal(core->state, SIGNET_STATE_CORE);
	assert_true(collected->count < COUNT(collected->cores));
	signet_core_fingerprint(core, collected->cores[collected->count++]);
	return 0;
}

/* Old mail still finds its key. */
static void
find_each(struct world *world, const struct collected *all)
{
	struct keys_user *user;

	for (size_t i = 0; i < all->count; i++) {
		assert_int_equal(keys_find_user_by_fingerprint(world->keys,
		    "alice@alpha.test", all->cores[i], &user, NULL), 0);
		assert_string_equal(user->signet->core, all->cores[i]);
		assert_true(world_agrees(user->agreer,
		    user->signet->encryption));
		keys_user_free(user);
	}
	assert_int_equal(keys_find_user(world->keys, "alice@alpha.test", &user,
	    NULL), 0);
	assert_string_equal(user->signet->core, all->cores[all->count - 1]);
	keys_user_free(user);
}

static void
history_gives_the_chain_in_order(void **state)
{
	enum { NOT = -1, OPEN = 9 }; /* indices into the chain */
	static const struct {
		const char *name;
		int start, stop;
		int first, count; /* 0: refused */
	} cases[] = {
	    {"all", OPEN, OPEN, 0, 3},
	    {"all by name", 0, 2, 0, 3},
	    {"from the second", 1, OPEN, 1, 2},
	    {"to the second", OPEN, 1, 0, 2},
	    {"one", 1, 1, 1, 1},
	    {"backwards", 2, 0, 0, 0},
	    {"start outside", NOT, OPEN, 0, 0},
	    {"stop outside", OPEN, NOT, 0, 0},
	};
	struct world *world = *state;
	struct collected all = {.count = 0}, got;
	char outside[SIGNET_FINGERPRINT_SIZE];

	assert_int_equal(keys_rotate_user(world->keys, "alice@alpha.test",
	    NULL), 0);
	assert_int_equal(keys_rotate_user(world->keys, "alice@alpha.test",
	    NULL), 0);
	assert_int_equal(keys_history(world->keys, "alice@alpha.test", "", "",
	    collect, &all, NULL), 0);
	assert_int_equal(all.count, 3);
	memset(outside, 'A', sizeof(outside) - 1);
	outside[sizeof(outside) - 1] = '\0';
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *ends[2];
		const int marks[2] = {cases[i].start, cases[i].stop};

		unit_case(cases[i].name);
		for (int j = 0; j < 2; j++)
			ends[j] = marks[j] == OPEN ? ""
			    : marks[j] == NOT      ? outside
			                           : all.cores[marks[j]];
		got.count = 0;
		assert_int_equal(keys_history(world->keys,
		    "alice+tag@alpha.test", ends[0], ends[1], collect, &got,
		    NULL), cases[i].count == 0 ? ERR_UNKNOWN_ADDRESS : 0);
		assert_int_equal(got.count, cases[i].count);
		for (size_t j = 0; j < got.count; j++)
			assert_string_equal(got.cores[j],
			    all.cores[(size_t)cases[i].first + j]);
	}
	find_each(world, &all);
	assert_int_equal(keys_history(world->keys, "nobody@alpha.test", "", "",
	    collect, &got, NULL), ERR_UNKNOWN_ADDRESS);
}

/* The same chain in the libdime layout, for whoever knows one of its
 * signets. */
static void
history_of_the_libdime_layout(void **state)
{
	struct world *world = *state;
	struct collected all = {.count = 0}, got = {.count = 0};
	struct keys_user *user;

	assert_int_equal(keys_rotate_user(world->keys, "alice@alpha.test",
	    NULL), 0);
	assert_int_equal(keys_find_user_in(world->keys, LAYOUT_LIBDIME,
	    "alice@alpha.test", &user, NULL), 0);
	assert_int_equal(keys_history(world->keys, "alice@alpha.test", "",
	    user->signet->core, collect, &all, NULL), 0);
	assert_int_equal(all.count, 2);
	assert_string_equal(all.cores[1], user->signet->core);
	keys_user_free(user);
	assert_int_equal(keys_history(world->keys, "alice@alpha.test",
	    all.cores[0], "", collect, &got, NULL), 0);
	assert_int_equal(got.count, 2);
	assert_string_equal(got.cores[0], all.cores[0]);
	/* One end in each layout. */
	got.count = 0;
	assert_int_equal(keys_history(world->keys, "alice@alpha.test", "", "",
	    collect, &got, NULL), 0);
	assert_string_not_equal(got.cores[0], all.cores[0]);
	assert_int_equal(keys_history(world->keys, "alice@alpha.test",
	    all.cores[0], got.cores[1], collect, &got, NULL),
	    ERR_UNKNOWN_ADDRESS);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(keys_find_user_by_fingerprint(world->keys,
		    "alice@alpha.test", all.cores[i], &user, NULL), 0);
		assert_int_equal(user->signet->signet->layout, LAYOUT_LIBDIME);
		assert_string_equal(user->signet->core, all.cores[i]);
		assert_true(world_agrees(user->agreer,
		    user->signet->encryption));
		keys_user_free(user);
	}
}

static void
a_chain_without_custody_is_refused(void **state)
{
	struct world *world = *state;
	struct collected got = {.count = 0};
	struct fault fault = {0};

	world_sql(world, "UPDATE user SET previous = (SELECT id FROM user"
		   " WHERE identifier = 'bob@alpha.test')"
		   " WHERE identifier = 'alice@alpha.test'");
	assert_int_equal(keys_history(world->keys, "alice@alpha.test", "", "",
	    collect, &got, &fault), ERR_DATABASE);
	assert_int_equal(got.count, 0);
	world_expect_fault(&fault, "alice@alpha.test");
	/* A ring ends, too. */
	world_sql(world, "UPDATE user SET previous = id"
		   " WHERE identifier = 'alice@alpha.test'");
	assert_int_equal(keys_history(world->keys, "alice@alpha.test", "", "",
	    collect, &got, &fault), ERR_DATABASE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST_TWO(history_gives_the_chain_in_order),
	    WORLD_TEST_TWO(history_of_the_libdime_layout),
	    WORLD_TEST_TWO(a_chain_without_custody_is_refused),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
