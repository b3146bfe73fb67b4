/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/secret.h"
#include "keys/keys_store.h"

enum { START = 1700000000 };

static int64_t
fixed_wall(const struct clock *clock)
{
	return START;
}

static const struct clock fixed_clock = {fixed_wall, fixed_wall};

struct world {
	char directory[64], database[80], master[80], transport[80];
	struct keys_settings settings;
	struct keys *keys;
};

static void
open_keys(struct world *world)
{
	struct fault fault = {0};

	keys_close(world->keys);
	world->keys = NULL;
	if (keys_open(&world->settings, &world->keys, &fault) != 0)
		fail_msg("%s", fault.text);
}

static void
close_keys(struct world *world)
{
	keys_close(world->keys);
	world->keys = NULL;
}

/* Two organizations, and two users in the first. */
static int
set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (world == NULL)
		return -1;
	*state = world;
	strcpy(world->directory, "/tmp/dimegate-unit-XXXXXX");
	unit_directory(world->directory);
	snprintf(world->database, sizeof(world->database), "%s/keys.db",
	    world->directory);
	snprintf(world->master, sizeof(world->master), "%s/master.key",
	    world->directory);
	snprintf(world->transport, sizeof(world->transport),
	    "%s/transport.key", world->directory);
	world->settings = (struct keys_settings){world->database,
	    world->master, world->transport, true, &fixed_clock};
	open_keys(world);
	assert_int_equal(keys_create_org(world->keys, "alpha.test", NULL), 0);
	assert_int_equal(keys_create_org(world->keys, "beta.test", NULL), 0);
	assert_int_equal(keys_create_user(world->keys, "alice@alpha.test",
	    NULL), 0);
	assert_int_equal(keys_create_user(world->keys, "bob@alpha.test", NULL),
	    0);
	world->settings.create = false;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *world = *state;

	keys_close(world->keys);
	free(world);
	return 0;
}

/* What somebody with an SQLite shell may do. */
static void
sql(const struct world *world, const char *text)
{
	char *complaint = NULL;
	sqlite3 *sqlite;

	assert_int_equal(sqlite3_open(world->database, &sqlite), SQLITE_OK);
	sqlite3_exec(sqlite, text, NULL, NULL, &complaint);
	if (complaint != NULL)
		fail_msg("%s: %s", text, complaint);
	sqlite3_close(sqlite);
}

static void
expect_fault(const struct fault *fault, const char *part)
{
	if (strstr(fault->text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, fault->text);
}

/* ---- finding ---- */

static bool
signs(struct signer signer, const uint8_t *public_key)
{
	const struct span data = span_string("something to sign");
	uint8_t signature[CRYPTO_SIGNATURE];

	assert_int_equal(signer.sign(&signer, data, signature), 0);
	return crypto_ed25519_verify(public_key, data, signature);
}

static bool
agrees(struct agreer agreer, const uint8_t *point)
{
	const uint8_t scalar[CRYPTO_SCALAR] = {7};
	uint8_t theirs[CRYPTO_POINT];
	struct crypto_kek ours, same;

	assert_int_equal(crypto_point_public(scalar, theirs), 0);
	assert_int_equal(crypto_agree(scalar, point, &same), 0);
	assert_int_equal(agreer.agree(agreer.context, theirs, &ours), 0);
	return memcmp(&ours, &same, sizeof(ours)) == 0;
}

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
	assert_true(signs(org->signer, org->signet->pok));
	assert_true(agrees(org->agreer, org->signet->encryption));
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
	expect_fault(&fault, "gamma.test");
	keys_org_free(org);
	keys_org_free(same);
	keys_org_free(NULL);
}

/* The same keys in another layout, the same octets whenever it is asked for, found
 * by each of its fingerprints. */
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
	assert_true(signs(libdime->signer, org->signet->pok));
	assert_true(agrees(libdime->agreer, org->signet->encryption));
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
	assert_true(signs(libdime->signer, user->signet->signing));
	assert_true(agrees(libdime->agreer, user->signet->encryption));
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
			expect_fault(&fault, cases[i].asked);
			continue;
		}
		assert_int_equal(err, 0);
		assert_string_equal(user->signet->address, cases[i].found);
		assert_int_equal(user->signet->signet->state,
		    SIGNET_STATE_COMPLETE);
		assert_false(user->disabled);
		assert_true(signs(user->signer, user->signet->signing));
		assert_true(agrees(user->agreer, user->signet->encryption));
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
	expect_fault(&fault, "alpha.test");
	assert_int_equal(keys_create_user(world->keys, "alice@alpha.test",
	    &fault), ERR_EXISTS);
	expect_fault(&fault, "alice@alpha.test");
	assert_int_equal(keys_create_user(world->keys, "relay@alpha.test",
	    &fault), ERR_EXISTS);
	assert_int_equal(keys_create_user(world->keys, "dave@gamma.test",
	    &fault), ERR_NO_KEY);
	expect_fault(&fault, "gamma.test");
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
look_up(void *context, const struct keys_listing *row)
{
	struct keys_org *org = NULL;
	int err = keys_find_org(context, row->name, &org, NULL);

	if (err == 0 && strcmp(org->signet->fingerprint, row->fingerprint) != 0)
		err = ERR_MISMATCH;
	keys_org_free(org);
	return err;
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

	sql(world, "UPDATE user SET disabled = 1"
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

/* ---- sealing keys ---- */

static void
a_missing_key_leaves_its_half_out(void **state)
{
	struct world *world = *state;
	struct keys_user *user;
	struct keys_org *org;
	struct fault fault = {0};

	world->settings.master_key_file = "";
	open_keys(world);
	assert_int_equal(keys_find_org(world->keys, "alpha.test", &org, NULL),
	    0);
	assert_null(org->signer.sign);
	assert_true(agrees(org->agreer, org->signet->encryption));
	keys_org_free(org);
	assert_int_equal(keys_find_user(world->keys, "alice@alpha.test", &user,
	    NULL), 0);
	assert_null(user->signer.sign);
	assert_null(user->agreer.agree);
	assert_string_equal(user->signet->address, "alice@alpha.test");
	keys_user_free(user);
	assert_int_equal(keys_create_org(world->keys, "gamma.test", &fault),
	    ERR_NO_KEY);
	expect_fault(&fault, "master key");
	world->settings.master_key_file = world->master;
	world->settings.transport_key_file = "";
	open_keys(world);
	assert_int_equal(keys_find_org(world->keys, "alpha.test", &org, NULL),
	    0);
	assert_null(org->agreer.agree);
	assert_true(signs(org->signer, org->signet->pok));
	keys_org_free(org);
	assert_int_equal(keys_create_org(world->keys, "gamma.test", &fault),
	    ERR_NO_KEY);
	expect_fault(&fault, "transport key");
}

static void
a_wrong_key_is_told_from_a_broken_row(void **state)
{
	struct world *world = *state;
	const char *files[] = {world->master, world->transport};
	struct fault fault = {0};
	struct keys *keys;

	close_keys(world);
	for (size_t i = 0; i < COUNT(files); i++) {
		char saved[100];

		unit_case(files[i]);
		snprintf(saved, sizeof(saved), "%s.saved", files[i]);
		assert_int_equal(rename(files[i], saved), 0);
		assert_int_equal(keys_open(&world->settings, &keys, &fault),
		    ERR_NO_FILE);
		expect_fault(&fault, files[i]);
		/* Nothing may replace a key that rows are sealed with. */
		world->settings.create = true;
		assert_int_equal(keys_open(&world->settings, &keys, &fault),
		    ERR_NO_KEY);
		expect_fault(&fault, files[i]);
		expect_fault(&fault, world->database);
		assert_int_equal(access(files[i], F_OK), -1);
		assert_int_equal(secret_create_key(files[i], 0600, &fault), 0);
		assert_int_equal(keys_open(&world->settings, &keys, &fault),
		    ERR_NO_KEY);
		world->settings.create = false;
		assert_int_equal(keys_open(&world->settings, &keys, &fault),
		    ERR_NO_KEY);
		assert_null(keys);
		expect_fault(&fault, files[i]);
		expect_fault(&fault, world->database);
		expect_fault(&fault, i == 0 ? "master key " : "transport key ");
		assert_int_equal(chmod(files[i], 0644), 0);
		assert_int_equal(keys_open(&world->settings, &keys, &fault),
		    ERR_PERMISSION);
		assert_int_equal(rename(saved, files[i]), 0);
	}
	open_keys(world);
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

		close_keys(world);
		unlink(world->database);
		unlink(world->master);
		unlink(world->transport);
		world->settings.create = true;
		open_keys(world);
		umask(saved);
		assert_int_equal(mode_of(world->master), 0600);
		assert_int_equal(mode_of(world->transport), 0640);
		assert_int_equal(mode_of(world->database), 0660);
		/* Existing key files are used, not replaced. */
		close_keys(world);
		unlink(world->database);
		open_keys(world);
		assert_int_equal(keys_create_org(world->keys, "a.test", NULL),
		    0);
		open_keys(world);
	}
}

/* ---- what was tampered with ---- */

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

static void
tampered_rows_are_refused(void **state)
{
	static const struct {
		const char *name, *sql, *complaint;
	} cases[] = {
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
	struct world *world = *state;
	char command[300];

	close_keys(world);
	snprintf(command, sizeof(command), "cp %s %s.good", world->database,
	    world->database);
	assert_int_equal(system(command), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = {0};
		struct keys_org *org = NULL;
		struct keys_user *user = NULL;
		enum layout layout = strstr(cases[i].sql, "libdime") != NULL
		    ? LAYOUT_LIBDIME
		    : LAYOUT_STANDARD;
		int err;

		unit_case(cases[i].name);
		sql(world, cases[i].sql);
		open_keys(world);
		err = *cases[i].name == 'o'
		    ? keys_find_org_in(world->keys, layout,
		          "alpha.test", &org, &fault)
		    : keys_find_user_in(world->keys, layout,
		          "alice@alpha.test", &user, &fault);
		assert_int_equal(err, ERR_DATABASE);
		assert_null(org);
		assert_null(user);
		expect_fault(&fault, cases[i].complaint);
		expect_fault(&fault, world->database);
		close_keys(world);
		snprintf(command, sizeof(command), "cp %s.good %s",
		    world->database, world->database);
		assert_int_equal(system(command), 0);
	}
}

static void
a_row_of_another_key_is_no_key(void **state)
{
	struct world *world = *state;
	struct fault fault = {0};
	struct keys_org *org;

	sql(world, "UPDATE org SET master_id = '0123456789abcdef'");
	assert_int_equal(keys_find_org(world->keys, "alpha.test", &org,
	    &fault), ERR_NO_KEY);
	expect_fault(&fault, "0123456789abcdef");
	expect_fault(&fault, world->master);
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
		close_keys(world);
		unlink(world->database);
		world->settings.create = true;
		open_keys(world);
		close_keys(world);
		sql(world, cases[i].sql);
		assert_int_equal(keys_open(&world->settings, &keys, &fault),
		    cases[i].err);
		assert_null(keys);
		expect_fault(&fault, world->database);
	}
	unlink(world->database);
	world->settings.create = false;
	assert_int_equal(keys_open(&world->settings, &keys, NULL), ERR_NO_FILE);
	assert_int_equal(access(world->database, F_OK), -1);
}

/* ---- history ---- */

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

static struct signet *
parsed(struct buffer *binary)
{
	struct signet *signet;

	assert_int_equal(signet_parse(buffer_span(binary), &signet, NULL), 0);
	buffer_reset(binary);
	return signet;
}

/* The signet that follows that of `user`, with custody. */
static struct signet *
make_next(struct world *world, enum layout layout,
    const struct keys_user *user, const struct keyfile *secrets)
{
	struct buffer binary = buffer_make(SIGNET_MAX_LENGTH);
	uint8_t signing[CRYPTO_SIGN_PUBLIC], point[CRYPTO_POINT];
	struct signet *ssr, *next;
	struct keys_org *org;

	crypto_ed25519_public(secrets->seed, signing);
	assert_int_equal(crypto_point_public(secrets->scalar, point), 0);
	assert_int_equal(signet_make_ssr(layout, signing,
	    signer_of_seed(secrets->seed), point, &user->signer, &binary,
	    NULL), 0);
	ssr = parsed(&binary);
	assert_int_equal(keys_find_org(world->keys,
	    address_domain(user->signet->address), &org, NULL), 0);
	assert_int_equal(signet_make_user(ssr, user->signet->signet,
	    org->signer, user->signet->address, NULL, 0, &binary, NULL), 0);
	next = parsed(&binary);
	signet_free(ssr);
	keys_org_free(org);
	buffer_free(&binary);
	return next;
}

static void
bind_blob(sqlite3_stmt *prepared, int number, struct span blob)
{
	assert_int_equal(sqlite3_bind_blob(prepared, number, blob.data,
	    (int)blob.length, SQLITE_TRANSIENT), SQLITE_OK);
}

static void
store_next(struct world *world, const char *address,
    struct signet *const signets[static LAYOUTS],
    const struct keyfile *secrets)
{
	static const char *const texts[] = {
	    "UPDATE address SET retired = 1 WHERE address = ?1",
	    "INSERT INTO user (org, previous, identifier, core, full, created,"
	    " disabled, signet, master_id, signing, encryption,"
	    " libdime_core, libdime_full, libdime)"
	    " SELECT org, id, ?1, ?2, ?3, 0, 0, ?4, master_id, ?5, ?6,"
	    " ?8, ?9, ?10"
	    " FROM user WHERE identifier = ?1 ORDER BY id DESC LIMIT 1",
	    "INSERT INTO address (address, domain, user, created, tail,"
	    " libdime_tail) SELECT identifier, 'alpha.test', id, 0, ?7, ?11"
	    " FROM user"
	    " WHERE identifier = ?1 ORDER BY id DESC LIMIT 1",
	};
	char core[LAYOUTS][SIGNET_FINGERPRINT_SIZE];
	char full[LAYOUTS][SIGNET_FINGERPRINT_SIZE];
	struct keys_place place = {"user", address, "signing",
	    full[LAYOUT_STANDARD]};
	struct buffer cut[LAYOUTS];
	uint8_t signing[KEYS_SEALED], encryption[KEYS_SEALED];
	sqlite3_stmt *prepared;
	sqlite3 *sqlite;

	for (int i = 0; i < LAYOUTS; i++) {
		cut[i] = buffer_make(SIGNET_MAX_LENGTH);
		signet_core_fingerprint(signets[i], core[i]);
		signet_full_fingerprint(signets[i], full[i]);
		assert_int_equal(signet_split(signets[i], SIGNET_STATE_FULL,
		    &cut[i], NULL), 0);
	}
	keys_seal(&world->keys->master, &place, secrets->seed, signing, NULL);
	place.kind = "encryption";
	keys_seal(&world->keys->master, &place, secrets->scalar, encryption,
	    NULL);
	assert_int_equal(sqlite3_open(world->database, &sqlite), SQLITE_OK);
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_int_equal(sqlite3_prepare_v2(sqlite, texts[i], -1,
		    &prepared, NULL), SQLITE_OK);
		sqlite3_bind_text(prepared, 1, address, -1, SQLITE_TRANSIENT);
		if (i == 1) {
			for (int j = 0; j < LAYOUTS; j++) {
				sqlite3_bind_text(prepared, 2 + 6 * j, core[j],
				    -1, SQLITE_TRANSIENT);
				sqlite3_bind_text(prepared, 3 + 6 * j, full[j],
				    -1, SQLITE_TRANSIENT);
				bind_blob(prepared, 4 + 6 * j,
				    buffer_span(&cut[j]));
			}
			bind_blob(prepared, 5,
			    span_of(signing, sizeof(signing)));
			bind_blob(prepared, 6,
			    span_of(encryption, sizeof(encryption)));
		} else if (i == 2) {
			for (int j = 0; j < LAYOUTS; j++)
				bind_blob(prepared, 7 + 4 * j, span_slice(
				    signet_binary(signets[j]), cut[j].length,
				    SIZE_MAX));
		}
		assert_int_equal(sqlite3_step(prepared), SQLITE_DONE);
		sqlite3_finalize(prepared);
	}
	sqlite3_close(sqlite);
	for (int i = 0; i < LAYOUTS; i++)
		buffer_free(&cut[i]);
}

static void
rotate(struct world *world, const char *address)
{
	struct keyfile *secrets = keyfile_new(KEYFILE_USER, 0);
	struct keys_user *user;
	struct signet *next[LAYOUTS];

	for (int i = 0; i < LAYOUTS; i++) {
		assert_int_equal(keys_find_user_in(world->keys, (enum layout)i,
		    address, &user, NULL), 0);
		next[i] = make_next(world, (enum layout)i, user, secrets);
		keys_user_free(user);
	}
	store_next(world, address, next, secrets);
	for (int i = 0; i < LAYOUTS; i++)
		signet_free(next[i]);
	keyfile_free(secrets);
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
	struct keys_user *old;
	char outside[SIGNET_FINGERPRINT_SIZE];

	rotate(world, "alice@alpha.test");
	rotate(world, "alice@alpha.test");
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
	/* Old mail still finds its key. */
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(keys_find_user_by_fingerprint(world->keys,
		    "alice@alpha.test", all.cores[i], &old, NULL), 0);
		assert_string_equal(old->signet->core, all.cores[i]);
		assert_true(agrees(old->agreer, old->signet->encryption));
		keys_user_free(old);
	}
	assert_int_equal(keys_find_user(world->keys, "alice@alpha.test", &old,
	    NULL), 0);
	assert_string_equal(old->signet->core, all.cores[2]);
	keys_user_free(old);
	assert_int_equal(keys_history(world->keys, "nobody@alpha.test", "", "",
	    collect, &got, NULL), ERR_UNKNOWN_ADDRESS);
}

/* The same chain in the libdime layout, for whoever knows one of its signets. */
static void
history_of_the_libdime_layout(void **state)
{
	struct world *world = *state;
	struct collected all = {.count = 0}, got = {.count = 0};
	struct keys_user *user;

	rotate(world, "alice@alpha.test");
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
		assert_true(agrees(user->agreer, user->signet->encryption));
		keys_user_free(user);
	}
}

static void
a_chain_without_custody_is_refused(void **state)
{
	struct world *world = *state;
	struct collected got = {.count = 0};
	struct fault fault = {0};

	sql(world, "UPDATE user SET previous = (SELECT id FROM user"
		   " WHERE identifier = 'bob@alpha.test')"
		   " WHERE identifier = 'alice@alpha.test'");
	assert_int_equal(keys_history(world->keys, "alice@alpha.test", "", "",
	    collect, &got, &fault), ERR_DATABASE);
	assert_int_equal(got.count, 0);
	expect_fault(&fault, "alice@alpha.test");
	/* A ring ends, too. */
	sql(world, "UPDATE user SET previous = id"
		   " WHERE identifier = 'alice@alpha.test'");
	assert_int_equal(keys_history(world->keys, "alice@alpha.test", "", "",
	    collect, &got, &fault), ERR_DATABASE);
}

/* ---- threads ---- */

enum { THREADS = 16, ROUNDS = 10 };

struct worker {
	pthread_t thread;
	struct keys *keys;
	unsigned int number;
	int err;
};

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

#define KEYS_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    KEYS_TEST(an_organization_has_signet_and_keys),
	    KEYS_TEST(an_organization_has_both_layouts),
	    KEYS_TEST(a_user_has_both_layouts),
	    KEYS_TEST(a_user_has_signet_and_keys),
	    KEYS_TEST(a_user_is_found_by_either_fingerprint),
	    KEYS_TEST(what_exists_is_not_made_again),
	    KEYS_TEST(listings_are_in_order),
	    KEYS_TEST(a_missing_key_leaves_its_half_out),
	    KEYS_TEST(a_wrong_key_is_told_from_a_broken_row),
	    KEYS_TEST(files_are_made_with_their_modes),
	    KEYS_TEST(tampered_rows_are_refused),
	    KEYS_TEST(a_row_of_another_key_is_no_key),
	    KEYS_TEST(unsound_files_are_refused_by_name),
	    KEYS_TEST(history_gives_the_chain_in_order),
	    KEYS_TEST(history_of_the_libdime_layout),
	    KEYS_TEST(a_chain_without_custody_is_refused),
	    KEYS_TEST(threads_find_and_create),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
