/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

static const struct error_row rows[] = {
#define ERROR(name, temporary, dmtp, smtp, enhanced, status, text)             \
	{#name, temporary, dmtp, smtp, enhanced, status, text},
#include "base/error.def"
#undef ERROR
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

const struct error_row *
error_row(int err)
{
	if (err <= ERR_TABLE_START || err >= ERR_TABLE_END)
		err = ERR_INTERNAL;
	return &rows[err - ERR_TABLE_START - 1];
}

int
error_by_name(const char *name)
{
	for (int i = 0; i < ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return ERR_TABLE_START + 1 + i;
	return ERR_INTERNAL;
}

int
fault_set(struct fault *fault, int err, const char *format, ...)
{
	va_list arguments;

	if (fault == NULL)
		return err;
	fault->err = err;
	va_start(arguments, format);
	vsnprintf(fault->text, sizeof(fault->text), format, arguments);
	va_end(arguments);
	if (fault->text[0] == '\0')
		snprintf(fault->text, sizeof(fault->text), "%s",
		    error_row(err)->text);
	text_make_plain(fault->text);
	return err;
}

int
fault_wrap(struct fault *fault, const char *format, ...)
{
	char old[FAULT_TEXT_SIZE];
	va_list arguments;
	size_t used;

	if (fault == NULL)
		return ERR_INTERNAL;
	memcpy(old, fault->text, sizeof(old));
	va_start(arguments, format);
	vsnprintf(fault->text, sizeof(fault->text), format, arguments);
	va_end(arguments);
	used = strlen(fault->text);
	snprintf(fault->text + used, sizeof(fault->text) - used, ": %s", old);
	text_make_plain(fault->text);
	return fault->err;
}

const char *
fault_text(const struct fault *fault, int err)
{
	if (fault != NULL && fault->err == err && fault->text[0] != '\0')
		return fault->text;
	return error_row(err)->text;
}
