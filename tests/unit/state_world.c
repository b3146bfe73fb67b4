/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/state_world.h"

#include <stdlib.h>

#include <sqlite3.h>

static int64_t
moved_wall(const struct clock *clock)
{
	return ((const struct moved_clock *)(const void *)clock)->now;
}

void
world_close(struct world *world)
{
	state_close(world->state);
	world->state = NULL;
}

void
world_reopen(struct world *world)
{
	struct fault fault = {0};

	world_close(world);
	assert_int_equal(state_open(world->path, 0660, &world->clock.clock,
	    &world->state, &fault), 0);
}

int
world_set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (world == NULL)
		return -1;
	strcpy(world->path, "/tmp/dimegate-unit-XXXXXX");
	unit_directory(world->path);
	strcat(world->path, "/state.db");
	world->clock.clock.wall = moved_wall;
	world->clock.now = START;
	world_reopen(world);
	*state = world;
	return 0;
}

int
world_tear_down(void **state)
{
	struct world *world = *state;

	state_close(world->state);
	free(world);
	return 0;
}

int64_t
world_sql(const char *path, const char *text)
{
	sqlite3_stmt *prepared;
	int64_t number = -1;
	sqlite3 *sqlite;

	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(sqlite, text, -1, &prepared, NULL),
	    SQLITE_OK);
	if (sqlite3_step(prepared) == SQLITE_ROW)
		number = sqlite3_column_int64(prepared, 0);
	assert_int_equal(sqlite3_finalize(prepared), SQLITE_OK);
	sqlite3_close(sqlite);
	return number;
}
