/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "dimectl/dimectl.h"

static const struct option_row *
find(const struct option_row *rows, const char *word, size_t length)
{
	for (; rows->kind != OPTION_END; rows++)
		if (strlen(rows->name) == length &&
		    strncmp(rows->name, word, length) == 0)
			return rows;
	return NULL;
}

static int
store(struct dimectl *ctl, const struct option_row *row, const char *value)
{
	if (row->kind == OPTION_REPEATED) {
		struct option_list *list = row->target;

		if (list->count == sizeof(list->items) / sizeof(*list->items))
			return fault_set(&ctl->fault, ERR_USAGE,
			    "%s: given too often", row->name);
		list->items[list->count++] = value;
		return 0;
	}
	const char **target = row->target;

	if (*target != NULL)
		return fault_set(&ctl->fault, ERR_USAGE, "%s: given twice",
		    row->name);
	*target = value;
	return 0;
}

/* Reads the option at words[*at] and moves *at behind what it took. */
static int
read_option(struct dimectl *ctl, const struct option_row *rows, int count,
    char **words, int *at)
{
	const char *word = words[(*at)++];
	const char *equals = strchr(word, '=');
	size_t length = equals == NULL ? strlen(word)
	                               : (size_t)(equals - word);
	const struct option_row *row = find(rows, word, length);

	if (row == NULL)
		return fault_set(&ctl->fault, ERR_USAGE, "%s: unknown option",
		    word);
	if (row->kind == OPTION_FLAG) {
		if (equals != NULL)
			return fault_set(&ctl->fault, ERR_USAGE,
			    "%s: takes no value", row->name);
		*(bool *)row->target = true;
		return 0;
	}
	if (equals != NULL)
		return store(ctl, row, equals + 1);
	if (*at == count)
		return fault_set(&ctl->fault, ERR_USAGE, "%s: needs a value",
		    row->name);
	return store(ctl, row, words[(*at)++]);
}

static int
check_required(struct dimectl *ctl, const struct option_row *rows)
{
	for (; rows->kind != OPTION_END; rows++) {
		if (!rows->required)
			continue;
		if (rows->kind == OPTION_REPEATED
		        ? ((struct option_list *)rows->target)->count == 0
		        : *(const char **)rows->target == NULL)
			return fault_set(&ctl->fault, ERR_USAGE,
			    "%s: is required", rows->name);
	}
	return 0;
}

int
option_read(struct dimectl *ctl, int count, char **words,
    const struct option_row *rows, const char **operands, int operand_min,
    int operand_max)
{
	int at = 0, operand_count = 0, err;
	bool options_over = false;

	while (at < count) {
		if (!options_over && strcmp(words[at], "--") == 0) {
			options_over = true;
			at++;
		} else if (!options_over && strcmp(words[at], "--json") == 0) {
			ctl->json = true;
			at++;
		} else if (!options_over && words[at][0] == '-' &&
		    words[at][1] != '\0') {
			err = read_option(ctl, rows, count, words, &at);
			if (err != 0)
				return err;
		} else if (operand_count == operand_max) {
			return fault_set(&ctl->fault, ERR_USAGE,
			    "%s: one word too many", words[at]);
		} else {
			operands[operand_count++] = words[at++];
		}
	}
	if (operand_count < operand_min)
		return fault_set(&ctl->fault, ERR_USAGE,
		    "a word is missing; see dimectl(8)");
	return check_required(ctl, rows);
}
