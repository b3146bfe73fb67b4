/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/keys_world.h"

#include <stdio.h>
#include <stdlib.h>

#define BETWEEN_ORGS(column)                                                   \
	"CREATE TEMP TABLE saved AS SELECT domain, " column " AS c FROM org;"  \
	"UPDATE org SET " column " = (SELECT c FROM saved"                     \
	" WHERE saved.domain <> org.domain)"
#define BETWEEN_USERS(column)                                                  \
	"CREATE TEMP TABLE saved AS SELECT identifier AS i, " column           \
	" AS c FROM user WHERE identifier IN"                                  \
	" ('alice@alpha.test', 'bob@alpha.test');"                             \
	"UPDATE user SET " column " = (SELECT c FROM saved"                    \
	" WHERE i <> identifier) WHERE identifier IN (SELECT i FROM saved)"

static const struct tampered_case {
	const char *name, *sql, *complaint;
} tampered_cases[] = {
    {"org: signing keys swapped", BETWEEN_ORGS("signing"),
     "sealed signing key does not open"},
    {"org: encryption keys swapped", BETWEEN_ORGS("encryption"),
     "sealed encryption key does not open"},
    {"org: signets swapped", BETWEEN_ORGS("signet"), "field 254"},
    {"org: both keys the same", "UPDATE org SET signing = encryption",
     "sealed signing key does not open"},
    {"org: one octet", "UPDATE org SET signing ="
     " CAST(substr(signing, 1, 71) || x'00' AS BLOB)",
     "sealed signing key does not open"},
    {"org: cut short", "UPDATE org SET encryption ="
     " substr(encryption, 1, 39)",
     "sealed encryption key does not open"},
    {"org: empty", "UPDATE org SET encryption = x''",
     "sealed encryption key does not open"},
    {"org: no signet", "UPDATE org SET signet = x''", "org alpha.test"},
    {"org: a user's signet", "UPDATE org SET signet ="
     " (SELECT signet FROM user)", "org alpha.test"},
    {"user: signing keys swapped", BETWEEN_USERS("signing"),
     "sealed signing key does not open"},
    {"user: encryption keys swapped", BETWEEN_USERS("encryption"),
     "sealed encryption key does not open"},
    {"user: signing for encryption", "UPDATE user SET signing ="
     " encryption", "sealed signing key does not open"},
    {"user: signets swapped", BETWEEN_USERS("signet"), "field 255"},
    {"user: identifiers swapped", BETWEEN_USERS("identifier"),
     "sealed signing key does not open"},
    {"user: another's organization", "UPDATE user SET org = 3 - org",
     "user alice@alpha.test"},
    {"user: no organization", "UPDATE user SET org = 99",
     "its organization is missing"},
    {"user: cut short", "UPDATE user SET signet = substr(signet, 1, 4)",
     "cut short"},
    {"address: another user's", "UPDATE address SET user ="
     " (SELECT id FROM user WHERE identifier = 'bob@alpha.test')"
     " WHERE address = 'alice@alpha.test'", "field 255"},
    {"address: renamed", "UPDATE address SET address = 'x@alpha.test'"
     " WHERE address = 'alice@alpha.test';"
     "UPDATE address SET address = 'alice@alpha.test'"
     " WHERE address = 'bob@alpha.test'", "field 254"},
    {"address: no tail", "UPDATE address SET tail = x''",
     "user alice@alpha.test"},
    {"org: libdime signets swapped", BETWEEN_ORGS("libdime"),
     "none of the domain's keys"},
    {"org: the standard one for both", "UPDATE org SET libdime ="
     " signet", "is another one"},
    {"org: no libdime signet", "UPDATE org SET libdime = x''",
     "org alpha.test"},
    {"user: libdime signets swapped", BETWEEN_USERS("libdime"),
     "field 255"},
    {"user: the standard one for both", "UPDATE user SET libdime ="
     " signet; UPDATE address SET libdime_tail = tail",
     "is another one"},
    {"address: no libdime tail", "UPDATE address SET libdime_tail ="
     " x''", "user alice@alpha.test"},
};

static void
tampered_rows_are_refused(void **state)
{
	struct world *world = *state;
	char command[300];

	world_close(world);
	snprintf(command, sizeof(command), "cp %s %s.good", world->database,
	    world->database);
	assert_int_equal(system(command), 0);
	for (size_t i = 0; i < COUNT(tampered_cases); i++) {
		const struct tampered_case *test = &tampered_cases[i];
		struct fault fault = {0};
		struct keys_org *org = NULL;
		struct keys_user *user = NULL;
		enum layout layout = strstr(test->sql, "libdime") != NULL
		    ? LAYOUT_LIBDIME
		    : LAYOUT_STANDARD;
		int err;

		unit_case(test->name);
		world_sql(world, test->sql);
		world_open(world);
		err = *test->name == 'o'
		    ? keys_find_org_in(world->keys, layout,
		          "alpha.test", &org, &fault)
		    : keys_find_user_in(world->keys, layout,
		          "alice@alpha.test", &user, &fault);
		assert_int_equal(err, ERR_DATABASE);
		assert_null(org);
		assert_null(user);
		world_expect_fault(&fault, test->complaint);
		world_expect_fault(&fault, world->database);
		world_close(world);
		snprintf(command, sizeof(command), "cp %s.good %s",
		    world->database, world->database);
		assert_int_equal(system(command), 0);
	}
}

static void
a_row_of_another_key_is_not_absent(void **state)
{
	struct world *world = *state;
	struct fault fault = {0};
	struct keys_org *org;

	world_sql(world, "UPDATE org SET master_id = '0123456789abcdef'");
	assert_int_equal(keys_find_org(world->keys, "alpha.test", &org,
	    &fault), ERR_DATABASE);
	world_expect_fault(&fault, "0123456789abcdef");
	world_expect_fault(&fault, world->master);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST_TWO(tampered_rows_are_refused),
	    WORLD_TEST_TWO(a_row_of_another_key_is_not_absent),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
