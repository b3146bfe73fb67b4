/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "tests/unit/refusal.h"
#include "tests/unit/unit.h"

void
refusal_expect(int err, const struct fault *fault, int wanted,
    const char *format, ...)
{
	char words[FAULT_TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	if (err != wanted || fault->err != wanted ||
	    strstr(fault->text, words) == NULL)
		fail_msg("%s with \"%s\" in place of %s with \"%s\"",
		    err == 0 ? "no error" : error_row(err)->name, fault->text,
		    error_row(wanted)->name, words);
	for (const char *at = fault->text; *at != '\0'; at++)
		assert_true(*at >= ' ' && *at != 0x7f);
}
