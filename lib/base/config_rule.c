/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/config_private.h"

enum { NAME_LIMIT = 60 };

static const struct config_rule_row rows[] = {
#define RULE_PATTERNS(name, help) {#name, NULL, help},
#define RULE_MODE(name, words, help) {#name, words, help},
#define RULE_OUTCOME(name, number, words, help) {#name, words, help},
#include "base/rule.def"
#undef RULE_PATTERNS
#undef RULE_MODE
#undef RULE_OUTCOME
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), RULES_LIMIT = 1000 };

/*
 * libConfuse tells a key's line only while it reads it. Of each rule the line
 * of its first key is kept, in order, until the rules are collected.
 */
static _Thread_local struct {
	long lines[RULES_LIMIT];
	size_t count;
	long open; /* of the rule that is being read; 0: no key yet */
	bool given[ROWS]; /* which words that has */
} places;

const struct config_rule_row *
config_rule_rows(size_t *count)
{
	*count = ROWS;
	return rows;
}

static const struct config_rule_row *
row_by_name(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

/* Of two values libConfuse takes the last, which may be the laxer one. */
static int
check_once(cfg_t *section, const struct config_rule_row *row)
{
	bool *given = &places.given[row - rows];

	if (*given)
		cfg_error(section, "%s: given twice", row->name);
	if (*given)
		return -1;
	*given = true;
	return 0;
}

/* ---- what libConfuse asks while it reads ---- */

static void
note_place(const cfg_t *section)
{
	if (places.open == 0)
		places.open = section->line;
}

static int
validate_word(cfg_t *section, cfg_opt_t *option)
{
	const struct config_rule_row *row = row_by_name(option->name);

	note_place(section);
	return check_once(section, row) != 0
	    ? -1
	    : config_check_word(section, option->name, row->words,
	          cfg_opt_getstr(option));
}

static int
validate_patterns(cfg_t *section, cfg_opt_t *option)
{
	note_place(section);
	for (unsigned int i = 0; i < cfg_opt_size(option); i++) {
		const char *text = cfg_opt_getnstr(option, i);

		if (pattern_is_valid(text))
			continue;
		cfg_error(section, "%s: \"%s\" is not *, <>, an address, a "
		    "domain or a domain behind a dot", option->name, text);
		return -1;
	}
	return 0;
}

/* Of an empty list no validation is asked. It would match nobody, or, as a list
 * that is not there, everybody. */
static int
check_not_empty(cfg_t *section, const char *key)
{
	const cfg_opt_t *option = cfg_getopt(section, key);

	if ((option->flags & CFGF_MODIFIED) == 0 || cfg_size(section, key) > 0)
		return 0;
	cfg_error(section, "rule \"%s\": %s: must not be an empty list",
	    cfg_title(section), key);
	return -1;
}

/* Names are words of the log and of `dimectl explain`. */
static bool
is_name(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < length; i++)
		if (name[i] < ' ' || name[i] > '~' || name[i] == '"')
			return false;
	return length > 0 && length <= NAME_LIMIT;
}

static void
start_rule(void)
{
	places.open = 0;
	memset(places.given, 0, sizeof(places.given));
}

/* What the keys say together. */
static int
validate_rule(cfg_t *parsed, cfg_opt_t *option)
{
	cfg_t *section = cfg_opt_getnsec(option, cfg_opt_size(option) - 1);
	const char *mode = cfg_getstr(section, "mode");
	const char *no_signet = cfg_getstr(section, "on_no_signet");

	note_place(section);
	if (!is_name(cfg_title(section))) {
		cfg_error(section, "rule: its name must be 1 to %d printing "
		    "ASCII characters", NAME_LIMIT);
		return -1;
	}
	if (check_not_empty(section, "from") != 0 ||
	    check_not_empty(section, "to") != 0)
		return -1;
	if (mode != NULL && strcmp(mode, "required") == 0 &&
	    no_signet != NULL && strcmp(no_signet, "naked") == 0) {
		cfg_error(section, "rule \"%s\": on_no_signet: \"naked\" "
		    "contradicts mode \"required\"", cfg_title(section));
		return -1;
	}
	if (places.count == RULES_LIMIT) {
		cfg_error(parsed, "rule: more than %d rules", RULES_LIMIT);
		return -1;
	}
	places.lines[places.count++] = places.open;
	start_rule();
	return 0;
}

void
config_rule_start(void)
{
	places.count = 0;
	start_rule();
}

void
config_rule_describe(cfg_opt_t *option)
{
	static const cfg_opt_t end = CFG_END();
	static cfg_opt_t keys[ROWS + 1];

	for (size_t i = 0; i < ROWS; i++)
		keys[i] = rows[i].words == NULL
		    ? (cfg_opt_t)CFG_STR_LIST(rows[i].name, NULL, CFGF_NONE)
		    : (cfg_opt_t)CFG_STR(rows[i].name, NULL, CFGF_NONE);
	keys[ROWS] = end;
	*option = (cfg_opt_t)CFG_SEC("rule", keys,
	    CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
}

void
config_rule_validate(cfg_t *parsed)
{
	char path[40];

	for (size_t i = 0; i < ROWS; i++) {
		snprintf(path, sizeof(path), "rule|%s", rows[i].name);
		cfg_set_validate_func(parsed, path,
		    rows[i].words == NULL ? validate_patterns : validate_word);
	}
	cfg_set_validate_func(parsed, "rule", validate_rule);
}

/* ---- what it has read ---- */

static int
get_patterns(cfg_t *section, const char *key, struct pattern_set *set,
    struct fault *fault)
{
	const size_t count = cfg_size(section, key);
	const char **texts = calloc(count + 1, sizeof(*texts));
	int err;

	if (texts == NULL)
		return fault_set(fault, ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < count; i++)
		texts[i] = cfg_getnstr(section, key, (unsigned int)i);
	err = pattern_set_make(texts, count, set, fault);
	free(texts);
	return err;
}

static int
action_by_name(const char *name)
{
	int action = RULE_ACTIONS - 1;

	while (name != NULL && action > RULE_UNSET &&
	    strcmp(name, rule_action_name((enum rule_action)action)) != 0)
		action--;
	return name == NULL ? RULE_UNSET : action;
}

static int
get_rule(cfg_t *section, struct rule *rule, struct fault *fault)
{
	int mode;
	int err;

	rule->name = cfg_title(section);
	if ((err = get_patterns(section, "from", &rule->from, fault)) != 0 ||
	    (err = get_patterns(section, "to", &rule->to, fault)) != 0)
		return err;
	mode = config_word_index(row_by_name("mode")->words,
	    cfg_getstr(section, "mode"));
	rule->mode = mode < 0 ? RULE_OPPORTUNISTIC : (enum rule_mode)mode;
	for (int i = 0; i < RULE_OUTCOMES; i++)
		rule->on[i] = (enum rule_action)action_by_name(
		    cfg_getstr(section,
		        rule_outcome_name((enum rule_outcome)i)));
	return 0;
}

int
config_rule_collect(cfg_t *parsed, struct rules *rules, struct fault *fault)
{
	const size_t count = cfg_size(parsed, "rule");
	int err = 0;

	rules->items = calloc(count + 1, sizeof(*rules->items));
	if (rules->items == NULL)
		return fault_set(fault, ERR_MEMORY, "out of memory");
	for (; err == 0 && rules->count < count; rules->count++) {
		struct rule *rule = &rules->items[rules->count];

		rule->number = rules->count + 1;
		rule->line = places.lines[rules->count];
		err = get_rule(cfg_getnsec(parsed, "rule",
		    (unsigned int)rules->count), rule, fault);
	}
	return err;
}

void
config_rule_free(struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		pattern_set_free(&rules->items[i].from);
		pattern_set_free(&rules->items[i].to);
	}
	free(rules->items);
	*rules = (struct rules){0};
}
