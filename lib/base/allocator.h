/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_BASE_ALLOCATOR_H
#define DIME_BASE_ALLOCATOR_H

#include "base/clock.h"

/*
 * Makes malloc(3) give memory back to the system: a daemon calls it first,
 * before there are threads. By itself glibc learns from the first large block
 * that is freed to keep such blocks, up to 64 MiB of them in each of its
 * arenas, so that a few strangers who send large messages make a program large
 * for good.
 */
void allocator_start(void);

/* Gives back what is free between blocks that are not, as after a thousand
 * connections at once; at most every ten seconds, since it looks at all there
 * is: not before `next`, which it moves. */
void allocator_give_back(struct deadline *next);

#endif
