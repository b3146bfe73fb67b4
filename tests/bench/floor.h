/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_BENCH_FLOOR_H
#define DIME_TESTS_BENCH_FLOOR_H

#include "dime/message.h"

/*
 * The floor of a message: the calls into libraries that the format makes
 * unavoidable for exactly that message, on octets that lie ready, and nothing
 * else (tests/bench/README.md).
 */
struct floor;

/* `message` is that of `mime`, unlocked for the recipient. Both outlive the
 * floor. These end the program when memory or a library fails. */
struct floor *floor_of_seal(const struct message *message, struct span mime);
struct floor *floor_of_open(const struct message *message);
void floor_free(struct floor *floor);

/* Does all of it once. */
void floor_run(struct floor *floor);

#endif
