/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_BASE_CONFIG_H
#define DIME_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/rule.h"

/*
 * The configuration file, one member a row of config.def, and the list of the
 * site's rules. It is read once and never changed: a reload makes a new one. A
 * file with an unknown key, a value of the wrong type or outside its range, or
 * a path that cannot be read is refused with the name of the file, the line and
 * the key.
 */

struct config_list {
	const char **items;
	size_t count;
};

typedef const char *config_TEXT;
typedef const char *config_CHOICE;
typedef const char *config_SECRET;
typedef const char *config_READ;
typedef int64_t config_NUMBER;
typedef bool config_FLAG;
typedef struct config_list config_LIST;

struct config {
	void *parsed; /* libConfuse's tree, which owns every string below */
#define SETTING(type, name, ...) config_##type name;
#include "base/config.def"
#undef SETTING
	struct rules rules;
};

/* Whom a row of config.def concerns. */
enum config_program {
	CONFIG_MILTER = 'M',
	CONFIG_POLICYD = 'P',
	CONFIG_DMTPD = 'D',
	CONFIG_DIMECTL = 'C',
};

/*
 * Reads `path` for `program` into *out, which the caller gives to
 * config_free(). Only files that this program uses are tested for being
 * readable; "" never is. Errors: ERR_NO_FILE, ERR_PERMISSION, ERR_CONFIG,
 * ERR_MEMORY.
 */
int config_load(const char *path, enum config_program program,
    struct config **out, struct fault *fault);

void config_free(struct config *config);

/* Starts logging as `program` where and how the file says. ERR_CREATE. */
int config_open_log(const struct config *config, const char *program,
    struct fault *fault);

/* Whether `list` holds `text`, ASCII letters without case. */
bool config_list_has(const struct config_list *list, const char *text);

/* One row of config.def, for the manual page and the sample. */
struct config_row {
	const char *type;
	const char *name;
	const char *preset;   /* default as it is written; NULL: empty list;
	                         of a CHOICE all its words, the default first */
	const char *programs;
	int64_t least;
	int64_t most;
	bool reloadable;
	const char *help;
};

/* All rows in the order of the table; *count gets their number. */
const struct config_row *config_rows(size_t *count);

/* One row of rule.def, likewise. */
struct config_rule_row {
	const char *name;
	const char *words; /* with '|' between them; NULL: a list of patterns */
	const char *help;
};
const struct config_rule_row *config_rule_rows(size_t *count);

#endif
