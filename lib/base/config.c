/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <confuse.h>

#include "base/config.h"
#include "base/log.h"

static const struct config_row rows[] = {
#define SETTING(type, name, preset, least, most, programs, reloadable, help)   \
	{#type, #name, preset, programs, least, most, reloadable, help},
#include "base/config.def"
#undef SETTING
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* libConfuse's callbacks carry no argument of ours. */
static _Thread_local struct {
	struct fault *fault;
	enum config_program program;
	bool failed;
} loading;

const struct config_row *
config_rows(size_t *count)
{
	*count = ROWS;
	return rows;
}

static void complain(cfg_t *parsed, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* The first complaint is the one to show; what follows is its consequence. */
static void
complain(cfg_t *parsed, const char *format, va_list arguments)
{
	char text[200];

	if (loading.failed)
		return;
	loading.failed = true;
	vsnprintf(text, sizeof(text), format, arguments);
	fault_set(loading.fault, ERR_CONFIG, "%s:%d: %s",
	    parsed->filename == NULL ? "?" : parsed->filename, parsed->line,
	    text);
}

static const struct config_row *
row_by_name(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static bool
is_type(const struct config_row *row, const char *type)
{
	return strcmp(row->type, type) == 0;
}

static int
validate_text(cfg_t *parsed, cfg_opt_t *option)
{
	const struct config_row *row = row_by_name(option->name);
	const char *value = cfg_opt_getstr(option);

	if (row->least > 0 && (value == NULL || *value == '\0')) {
		cfg_error(parsed, "%s: must not be empty", option->name);
		return -1;
	}
	return 0;
}

static int
validate_number(cfg_t *parsed, cfg_opt_t *option)
{
	const struct config_row *row = row_by_name(option->name);
	long value = cfg_opt_getnint(option, 0);

	if (value < row->least || value > row->most) {
		cfg_error(parsed, "%s: %ld is not between %lld and %lld",
		    option->name, value, (long long)row->least,
		    (long long)row->most);
		return -1;
	}
	return 0;
}

static bool
uses(const struct config_row *row, enum config_program program)
{
	return strchr(row->programs, (char)program) != NULL;
}

/* Once the whole file is read, so that defaults are tested as well. A SECRET is
 * left to file_read_secret(), which says more; dimectl creates some of them. */
static int
check_paths(const char *path, const struct config *config)
{
#define TEST_TEXT(name, value)
#define TEST_SECRET(name, value)
#define TEST_NUMBER(name, value)
#define TEST_FLAG(name, value)
#define TEST_LIST(name, value)
#define TEST_READ(name, value)                                                 \
	if (uses(row_by_name(name), loading.program) && *(value) != '\0' &&    \
	    access(value, R_OK) != 0)                                          \
		return fault_set(loading.fault, ERR_CONFIG, "%s: %s: %s: %s",  \
		    path, name, value, strerror(errno));
#define SETTING(type, name, ...) TEST_##type(#name, config->name)
#include "base/config.def"
#undef SETTING
	return 0;
}

static int
check_log_level(const char *path, const struct config *config)
{
	if (log_level_by_name(config->log_level) >= 0)
		return 0;
	return fault_set(loading.fault, ERR_CONFIG,
	    "%s: log_level: \"%s\" is not error, warning, info or debug", path,
	    config->log_level);
}

static void
describe(const struct config_row *row, cfg_opt_t *option)
{
	if (is_type(row, "NUMBER"))
		*option = (cfg_opt_t)CFG_INT(row->name,
		    strtol(row->preset, NULL, 0), CFGF_NONE);
	else if (is_type(row, "FLAG"))
		*option = (cfg_opt_t)CFG_BOOL(row->name,
		    strcmp(row->preset, "true") == 0, CFGF_NONE);
	else if (is_type(row, "LIST"))
		*option = (cfg_opt_t)CFG_STR_LIST(row->name,
		    (char *)(uintptr_t)(row->preset == NULL ? "{}"
		                                            : row->preset),
		    CFGF_NONE);
	else
		*option = (cfg_opt_t)CFG_STR(row->name, row->preset, CFGF_NONE);
}

static cfg_t *
parser_new(void)
{
	static const cfg_opt_t end = CFG_END();
	cfg_opt_t options[ROWS + 1];
	cfg_t *parsed;

	for (size_t i = 0; i < ROWS; i++)
		describe(&rows[i], &options[i]);
	options[ROWS] = end;
	/* libConfuse copies the table. */
	parsed = cfg_init(options, CFGF_NONE);
	if (parsed == NULL)
		return NULL;
	cfg_set_error_function(parsed, complain);
	for (size_t i = 0; i < ROWS; i++) {
		if (is_type(&rows[i], "NUMBER"))
			cfg_set_validate_func(parsed, rows[i].name,
			    validate_number);
		else if (!is_type(&rows[i], "FLAG") &&
		    !is_type(&rows[i], "LIST"))
			cfg_set_validate_func(parsed, rows[i].name,
			    validate_text);
	}
	return parsed;
}

static int
get_list(cfg_t *parsed, const char *name, struct config_list *list)
{
	list->count = cfg_size(parsed, name);
	list->items = calloc(list->count + 1, sizeof(*list->items));
	if (list->items == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < list->count; i++)
		list->items[i] = cfg_getnstr(parsed, name, (unsigned int)i);
	return 0;
}

static int
collect(cfg_t *parsed, struct config *config)
{
	int err = 0;

#define GET_TEXT(name) config->name = cfg_getstr(parsed, #name)
#define GET_SECRET(name) GET_TEXT(name)
#define GET_READ(name) GET_TEXT(name)
#define GET_NUMBER(name) config->name = cfg_getint(parsed, #name)
#define GET_FLAG(name) config->name = cfg_getbool(parsed, #name) != 0
#define GET_LIST(name)                                                         \
	if (err == 0)                                                          \
	err = get_list(parsed, #name, &config->name)
#define SETTING(type, name, ...) GET_##type(name);
#include "base/config.def"
#undef SETTING
	return err;
}

static int
parse(const char *path, struct config *config, struct fault *fault)
{
	struct stat status;
	int result;

	/* cfg_parse() says nothing of why a file cannot be opened, and ends the
	 * process over a directory. */
	if (stat(path, &status) != 0 || access(path, R_OK) != 0)
		return fault_set(fault,
		    errno == EACCES ? ERR_PERMISSION : ERR_NO_FILE, "%s: %s",
		    path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return fault_set(fault, ERR_CONFIG, "%s: not a regular file",
		    path);
	config->parsed = parser_new();
	if (config->parsed == NULL)
		return fault_set(fault, ERR_MEMORY, "%s: out of memory", path);
	result = cfg_parse(config->parsed, path);
	if (result == CFG_SUCCESS && !loading.failed)
		return 0;
	if (!loading.failed)
		fault_set(fault, ERR_CONFIG, "%s: cannot be read", path);
	return ERR_CONFIG;
}

int
config_load(const char *path, enum config_program program,
    struct config **out, struct fault *fault)
{
	struct config *config = calloc(1, sizeof(*config));
	int err;

	*out = NULL;
	if (config == NULL)
		return fault_set(fault, ERR_MEMORY, "%s: out of memory", path);
	loading.fault = fault;
	loading.program = program;
	loading.failed = false;
	err = parse(path, config, fault);
	if (err == 0)
		err = collect(config->parsed, config);
	if (err == 0)
		err = check_log_level(path, config);
	if (err == 0)
		err = check_paths(path, config);
	loading.fault = NULL;
	if (err != 0)
		config_free(config);
	else
		*out = config;
	return err;
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
#define FREE_TEXT(name)
#define FREE_SECRET(name)
#define FREE_READ(name)
#define FREE_NUMBER(name)
#define FREE_FLAG(name)
#define FREE_LIST(name) free(config->name.items)
#define SETTING(type, name, ...) FREE_##type(name);
#include "base/config.def"
#undef SETTING
	if (config->parsed != NULL)
		cfg_free(config->parsed);
	free(config);
}

bool
config_list_has(const struct config_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcasecmp(list->items[i], text) == 0)
			return true;
	return false;
}
