/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_BASE_MARK_H
#define DIME_BASE_MARK_H

/* The one that configure makes, not base/config.h. */
#include <config.h>

/*
 * A point of a delivery at which a test may hold the program, to kill it or
 * another at exactly that moment. Without --enable-test-hooks it is nothing.
 *
 *	MARK("injected");
 */
#ifdef DIME_TEST_HOOKS
#define MARK(name) mark_reach(name)
#else
#define MARK(name) ((void)0)
#endif

/*
 * When the directory that the environment names by DIME_MARKS has a file
 * `name`: makes a file `name.reached.THREAD` there and waits until `name` is
 * gone, half a minute at most. For MARK() alone.
 */
void mark_reach(const char *name);

#endif
