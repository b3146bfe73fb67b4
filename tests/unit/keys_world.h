/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_KEYS_WORLD_H
#define DIME_TESTS_UNIT_KEYS_WORLD_H

#include "tests/unit/unit.h"

#include "keys/keys_store.h"

/* A key store of a test's own, with the organizations alpha.test and beta.test,
 * and the user alice@alpha.test. */

enum { START = 1700000000 };

struct world {
	char directory[64], database[80], master[80], transport[80];
	struct keys_settings settings; /* of `keys`; its clock shows world_now */
	struct keys *keys;
	struct keys *other; /* of another program; NULL unless a test opens it */
};

/* Set by world_set_up() to START. */
extern int64_t world_now;

/* Fixtures of a test. The settings make no files any more. */
int world_set_up(void **state);
/* And bob@alpha.test. */
int world_set_up_two(void **state);
int world_tear_down(void **state);
#define WORLD_TEST(test)                                                       \
	cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)
#define WORLD_TEST_TWO(test)                                                   \
	cmocka_unit_test_setup_teardown(test, world_set_up_two, world_tear_down)

/* Opens the store, anew if it is open; it must be possible. */
void world_open(struct world *world);
void world_close(struct world *world);

/* What somebody with an SQLite shell, or another program, may do. */
void world_sql(const struct world *world, const char *text);

/* Whether they belong to the public key, or to the public point. */
bool world_signs(struct signer signer, const uint8_t *public_key);
bool world_agrees(struct agreer agreer, const uint8_t *point);

/* The fault must say so. */
void world_expect_fault(const struct fault *fault, const char *part);

#endif
