/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/keys_world.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/secret.h"

static void
a_missing_key_leaves_its_half_out(void **state)
{
	struct world *world = *state;
	struct keys_user *user;
	struct keys_org *org;
	struct fault fault = {0};

	world->settings.master_key_file = "";
	world_open(world);
	assert_int_equal(keys_find_org(world->keys, "alpha.test", &org, NULL),
	    0);
	assert_null(org->signer.sign);
	assert_true(world_agrees(org->agreer, org->signet->encryption));
	keys_org_free(org);
	assert_int_equal(keys_find_user(world->keys, "alice@alpha.test", &user,
	    NULL), 0);
	assert_null(user->signer.sign);
	assert_null(user->agreer.agree);
	assert_string_equal(user->signet->address, "alice@alpha.test");
	keys_user_free(user);
	assert_int_equal(keys_create_org(world->keys, "gamma.test", &fault),
	    ERR_NO_KEY);
	world_expect_fault(&fault, "master key");
	world->settings.master_key_file = world->master;
	world->settings.transport_key_file = "";
	world_open(world);
	assert_int_equal(keys_find_org(world->keys, "alpha.test", &org, NULL),
	    0);
	assert_null(org->agreer.agree);
	assert_true(world_signs(org->signer, org->signet->pok));
	keys_org_free(org);
	assert_int_equal(keys_create_org(world->keys, "gamma.test", &fault),
	    ERR_NO_KEY);
	world_expect_fault(&fault, "transport key");
}

static void
a_wrong_key_is_told_from_a_broken_row(void **state)
{
	struct world *world = *state;
	const char *files[] = {world->master, world->transport};
	struct fault fault = {0};
	struct keys *keys;

	world_close(world);
	for (size_t i = 0; i < COUNT(files); i++) {
		char saved[100];

		unit_case(files[i]);
		snprintf(saved, sizeof(saved), "%s.saved", files[i]);
		assert_int_equal(rename(files[i], saved), 0);
		assert_int_equal(keys_open(&world->settings, &keys, &fault),
		    ERR_NO_FILE);
		world_expect_fault(&fault, files[i]);
		/* Nothing may replace a key that rows are sealed with. */
		world->settings.create = true;
		assert_int_equal(keys_open(&world->settings, &keys, &fault),
		    ERR_NO_KEY);
		world_expect_fault(&fault, files[i]);
		world_expect_fault(&fault, world->database);
		assert_int_equal(access(files[i], F_OK), -1);
		assert_int_equal(secret_create_key(files[i], 0600, &fault), 0);
		assert_int_equal(keys_open(&world->settings, &keys, &fault),
		    ERR_NO_KEY);
		world->settings.create = false;
		assert_int_equal(keys_open(&world->settings, &keys, &fault),
		    ERR_NO_KEY);
		assert_null(keys);
		world_expect_fault(&fault, files[i]);
		world_expect_fault(&fault, world->database);
		world_expect_fault(&fault,
		    i == 0 ? "master key " : "transport key ");
		assert_int_equal(chmod(files[i], 0644), 0);
		assert_int_equal(keys_open(&world->settings, &keys, &fault),
		    ERR_PERMISSION);
		assert_int_equal(rename(saved, files[i]), 0);
	}
	world_open(world);
}

static unsigned int
mode_of(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_mode & 07777;
}

static void
files_are_made_with_their_modes(void **state)
{
	static const mode_t masks[] = {0, 077};
	struct world *world = *state;

	for (size_t i = 0; i < COUNT(masks); i++) {
		mode_t saved = umask(masks[i]);

		world_close(world);
		unlink(world->database);
		unlink(world->master);
		unlink(world->transport);
		world->settings.create = true;
		world_open(world);
		umask(saved);
		assert_int_equal(mode_of(world->master), 0600);
		assert_int_equal(mode_of(world->transport), 0640);
		assert_int_equal(mode_of(world->database), 0660);
		/* Existing key files are used, not replaced. */
		world_close(world);
		unlink(world->database);
		world_open(world);
		assert_int_equal(keys_create_org(world->keys, "a.test", NULL),
		    0);
		world_open(world);
	}
}

static void
unsound_files_are_refused_by_name(void **state)
{
	static const struct {
		const char *name, *sql;
		int err;
	} cases[] = {
	    {"newer schema", "PRAGMA user_version=3", ERR_VERSION},
	    {"older schema", "PRAGMA user_version=1", ERR_VERSION},
	    {"a state database", "PRAGMA application_id=0x444d5354",
	     ERR_DATABASE},
	    {"no tables", "PRAGMA writable_schema=ON;"
			  "DELETE FROM sqlite_schema;", ERR_DATABASE},
	};
	struct world *world = *state;
	struct keys *keys;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = {0};

		unit_case(cases[i].name);
		world_close(world);
		unlink(world->database);
		world->settings.create = true;
		world_open(world);
		world_close(world);
		world_sql(world, cases[i].sql);
		assert_int_equal(keys_open(&world->settings, &keys, &fault),
		    cases[i].err);
		assert_null(keys);
		world_expect_fault(&fault, world->database);
	}
	unlink(world->database);
	world->settings.create = false;
	assert_int_equal(keys_open(&world->settings, &keys, NULL), ERR_NO_FILE);
	assert_int_equal(access(world->database, F_OK), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST_TWO(a_missing_key_leaves_its_half_out),
	    WORLD_TEST_TWO(a_wrong_key_is_told_from_a_broken_row),
	    WORLD_TEST_TWO(files_are_made_with_their_modes),
	    WORLD_TEST_TWO(unsound_files_are_refused_by_name),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
