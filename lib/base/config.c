/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config_private.h"
#include "base/file.h"
#include "base/log.h"

static const struct config_row rows[] = {
#define SETTING(type, name, preset, least, most, programs, reloadable, help)   \
	{#type, #name, preset, programs, least, most, reloadable, help},
#include "base/config.def"
#undef SETTING
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), WORD_SIZE = 24 };

enum { FILE_LIMIT = 16 << 20 };

/* libConfuse's callbacks carry no argument of ours. */
static _Thread_local struct {
	const char *path;
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
	fault_set(loading.fault, ERR_CONFIG, "%s:%d: %s", loading.path,
	    parsed->line, text);
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

int
config_word_index(const char *words, const char *text)
{
	for (int index = 0; text != NULL; index++) {
		const size_t length = strcspn(words, "|");

		if (strlen(text) == length && strncmp(words, text, length) == 0)
			return index;
		if (words[length] == '\0')
			break;
		words += length + 1;
	}
	return -1;
}

int
config_check_word(cfg_t *parsed, const char *key, const char *words,
    const char *value)
{
	if (config_word_index(words, value) >= 0)
		return 0;
	cfg_error(parsed, "%s: \"%s\" is not one of %s", key,
	    value == NULL ? "" : value, words);
	return -1;
}

static int
validate_choice(cfg_t *parsed, cfg_opt_t *option)
{
	return config_check_word(parsed, option->name,
	    row_by_name(option->name)->preset, cfg_opt_getstr(option));
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
#define TEST_CHOICE(name, value)
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

/* `word` holds the default of a CHOICE until libConfuse has copied it. */
static void
describe(const struct config_row *row, cfg_opt_t *option,
    char word[static WORD_SIZE])
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
	else if (is_type(row, "CHOICE")) {
		snprintf(word, WORD_SIZE, "%.*s",
		    (int)strcspn(row->preset, "|"), row->preset);
		*option = (cfg_opt_t)CFG_STR(row->name, word, CFGF_NONE);
	} else
		*option = (cfg_opt_t)CFG_STR(row->name, row->preset, CFGF_NONE);
}

static cfg_t *
parser_new(void)
{
	static const cfg_opt_t end = CFG_END();
	char words[ROWS][WORD_SIZE];
	cfg_opt_t options[ROWS + 2];
	cfg_t *parsed;

	for (size_t i = 0; i < ROWS; i++)
		describe(&rows[i], &options[i], words[i]);
	config_rule_describe(&options[ROWS]);
	options[ROWS + 1] = end;
	/* libConfuse copies the table. */
	parsed = cfg_init(options, CFGF_NONE);
	if (parsed == NULL)
		return NULL;
	cfg_set_error_function(parsed, complain);
	for (size_t i = 0; i < ROWS; i++) {
		if (is_type(&rows[i], "NUMBER"))
			cfg_set_validate_func(parsed, rows[i].name,
			    validate_number);
		else if (is_type(&rows[i], "CHOICE"))
			cfg_set_validate_func(parsed, rows[i].name,
			    validate_choice);
		else if (!is_type(&rows[i], "FLAG") &&
		    !is_type(&rows[i], "LIST"))
			cfg_set_validate_func(parsed, rows[i].name,
			    validate_text);
	}
	config_rule_validate(parsed);
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
#define GET_CHOICE(name) GET_TEXT(name)
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

/* The file without its comments, as a C string. */
static int
read_text(const char *path, struct buffer *text, struct fault *fault)
{
	struct stat status;
	int err;

	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return fault_set(fault, ERR_CONFIG, "%s: not a regular file",
		    path);
	err = file_read(path, text, fault);
	if (err != 0)
		return err;
	/* libConfuse takes no empty text. */
	buffer_append_string(text, "\n");
	if (text->error != 0)
		return fault_set(fault, text->error, "%s: %s", path,
		    error_row(text->error)->text);
	if (memchr(text->data, '\0', text->length) != NULL)
		return fault_set(fault, ERR_CONFIG, "%s: holds a NUL", path);
	config_blank_comments(text);
	return 0;
}

static int
parse(const char *path, struct config *config, struct fault *fault)
{
	struct buffer text = buffer_make(FILE_LIMIT);
	int err = read_text(path, &text, fault);

	config_rule_start();
	config->parsed = parser_new();
	if (err == 0 && config->parsed == NULL)
		err = fault_set(fault, ERR_MEMORY, "%s: out of memory", path);
	if (err == 0 &&
	    (cfg_parse_buf(config->parsed, buffer_string(&text)) !=
	        CFG_SUCCESS || loading.failed))
		err = loading.failed
		    ? ERR_CONFIG
		    : fault_set(fault, ERR_CONFIG, "%s: cannot be read", path);
	buffer_free(&text);
	return err;
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
	loading.path = path;
	loading.fault = fault;
	loading.program = program;
	loading.failed = false;
	err = parse(path, config, fault);
	if (err == 0)
		err = collect(config->parsed, config);
	if (err == 0)
		err = config_rule_collect(config->parsed, &config->rules,
		    fault);
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
#define FREE_CHOICE(name)
#define FREE_SECRET(name)
#define FREE_READ(name)
#define FREE_NUMBER(name)
#define FREE_FLAG(name)
#define FREE_LIST(name) free(config->name.items)
#define SETTING(type, name, ...) FREE_##type(name);
#include "base/config.def"
#undef SETTING
	config_rule_free(&config->rules);
	if (config->parsed != NULL)
		cfg_free(config->parsed);
	free(config);
}

int
config_open_log(const struct config *config, const char *program,
    struct fault *fault)
{
	if (log_open(program, config->log_target,
	        log_level_by_name(config->log_level)) != 0)
		return fault_set(fault, ERR_CREATE,
		    "log_target: %s: cannot be opened", config->log_target);
	return 0;
}

bool
config_list_has(const struct config_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcasecmp(list->items[i], text) == 0)
			return true;
	return false;
}
