/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_CORPUS_CORPUS_H
#define DIME_TESTS_CORPUS_CORPUS_H

#include "tests/unit/unit.h"

#include "base/span.h"

/* The corpus of awkward messages that tests/corpus/make writes. */

/* One of its messages. */
struct corpus_message {
	const char *name;
	struct span mail;
	const char *types; /* NULL: GMime finds the same parts as we do */
	const char *reason; /* where it does not */
};

/* Whether there is a Python to make the corpus with; says so if not. */
bool corpus_can_be_made(void);

/* Makes the corpus in a directory that unit_end() removes. Called by a group's
 * fixture. */
void corpus_make(void);

/* Calls `check` for each message; it says whether the message passes. Fails the
 * test if one does not, after all of them. */
void corpus_each(bool (*check)(const struct corpus_message *message));

#endif
