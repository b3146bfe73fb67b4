/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIMECTL_DIMECTL_H
#define DIME_DIMECTL_DIMECTL_H

#include <jansson.h>

#include "base/buffer.h"
#include "base/error.h"

/*
 * A verb is a row of the table in main.c and a file verb_<noun>_<action>.c (or
 * verb_<noun>.c for short ones). It gets its own words and answers 0 or ERR_*;
 * main() turns that into the exit status and the one line on standard error. A
 * verb writes to `output`, which main() prints only when all went well.
 */
struct dimectl {
	const char *config_path; /* -c, or the built-in one */
	bool json;               /* --json */
	struct fault fault;
	struct buffer output; /* goes to standard output when the verb succeeds,
	                         or in any case when `show_partial` is set */
	bool show_partial;
};

/* One option of a verb. `target` is a char ** for the value of an option that
 * may stand once, a struct option_list * for one that repeats, a bool * for a
 * flag. */
enum option_kind { OPTION_VALUE, OPTION_REPEATED, OPTION_FLAG, OPTION_END };

struct option_list {
	const char *items[64];
	size_t count;
};

struct option_row {
	enum option_kind kind;
	const char *name; /* with the dashes: "--out" */
	void *target;
	bool required;
};

/*
 * Reads a verb's words by its table. Up to `operand_max` words that are not
 * options go to `operands`, at least `operand_min` must be there. ERR_USAGE
 * names the word.
 */
int option_read(struct dimectl *ctl, int count, char **words,
    const struct option_row *rows, const char **operands, int operand_min,
    int operand_max);

#endif
