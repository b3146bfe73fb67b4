/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_STATE_WORLD_H
#define DIME_TESTS_UNIT_STATE_WORLD_H

#include "tests/unit/unit.h"

#include "keys/state.h"

/* A state.db of the test's own, with a clock that the test moves. */

enum { DAY = 86400, START = 1700000000 };

struct moved_clock {
	struct clock clock;
	int64_t now;
};

struct world {
	struct moved_clock clock; /* START at first */
	char path[64];
	struct state *state;
};

/* Fixtures of a test. */
int world_set_up(void **state);
int world_tear_down(void **state);
#define WORLD_TEST(test)                                                       \
	cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

/* Opens the state, anew if it is open; it must be possible. */
void world_reopen(struct world *world);
void world_close(struct world *world);

/* What an administrator, or an accident, may do to the file: the number that
 * the statement gives, or -1. */
int64_t world_sql(const char *path, const char *text);

#endif
