/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/keys_world.h"

#include <stdio.h>
#include <stdlib.h>

enum { BUSY = 5000 /* milliseconds */ };

int64_t world_now;

static int64_t
moved_wall(const struct clock *clock)
{
	return world_now;
}

static const struct clock moved_clock = {moved_wall, moved_wall};

void
world_open(struct world *world)
{
	struct fault fault = {0};

	world_close(world);
	if (keys_open(&world->settings, &world->keys, &fault) != 0)
		fail_msg("%s", fault.text);
}

void
world_close(struct world *world)
{
	keys_close(world->keys);
	world->keys = NULL;
}

static void
name_files(struct world *world)
{
	strcpy(world->directory, "/tmp/dimegate-unit-XXXXXX");
	unit_directory(world->directory);
	snprintf(world->database, sizeof(world->database), "%s/keys.db",
	    world->directory);
	snprintf(world->master, sizeof(world->master), "%s/master.key",
	    world->directory);
	snprintf(world->transport, sizeof(world->transport),
	    "%s/transport.key", world->directory);
}

int
world_set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (world == NULL)
		return -1;
	*state = world;
	world_now = START;
	name_files(world);
	world->settings = (struct keys_settings){world->database,
	    world->master, world->transport, true, &moved_clock};
	world_open(world);
	assert_int_equal(keys_create_org(world->keys, "alpha.test", NULL), 0);
	assert_int_equal(keys_create_org(world->keys, "beta.test", NULL), 0);
	assert_int_equal(keys_create_user(world->keys, "alice@alpha.test",
	    NULL), 0);
	world->settings.create = false;
	return 0;
}

int
world_set_up_two(void **state)
{
	struct world *world;

	if (world_set_up(state) != 0)
		return -1;
	world = *state;
	return keys_create_user(world->keys, "bob@alpha.test", NULL);
}

int
world_tear_down(void **state)
{
	struct world *world = *state;

	keys_close(world->keys);
	keys_close(world->other);
	free(world);
	return 0;
}

void
world_sql(const struct world *world, const char *text)
{
	char *complaint = NULL;
	sqlite3 *sqlite;

	assert_int_equal(sqlite3_open(world->database, &sqlite), SQLITE_OK);
	sqlite3_busy_timeout(sqlite, BUSY);
	sqlite3_exec(sqlite, text, NULL, NULL, &complaint);
	if (complaint != NULL)
		fail_msg("%s: %s", text, complaint);
	sqlite3_close(sqlite);
}

bool
world_signs(struct signer signer, const uint8_t *public_key)
{
	const struct span data = span_string("something to sign");
	uint8_t signature[CRYPTO_SIGNATURE];

	assert_int_equal(signer.sign(&signer, data, signature), 0);
	return crypto_ed25519_verify(public_key, data, signature);
}

bool
world_agrees(struct agreer agreer, const uint8_t *point)
{
	const uint8_t scalar[CRYPTO_SCALAR] = {7};
	uint8_t theirs[CRYPTO_POINT];
	struct crypto_kek ours, same;

	assert_int_equal(crypto_point_public(scalar, theirs), 0);
	assert_int_equal(crypto_agree(scalar, point, &same), 0);
	assert_int_equal(agreer.agree(agreer.context, theirs, &ours), 0);
	return memcmp(&ours, &same, sizeof(ours)) == 0;
}

void
world_expect_fault(const struct fault *fault, const char *part)
{
	if (strstr(fault->text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, fault->text);
}
