/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_BASE_ERROR_H
#define DIME_BASE_ERROR_H

#include <stdbool.h>

/*
 * Functions that can fail return 0 or one of the negative ERR_* numbers below.
 * error.def says once, for each of them, whether it is temporary and what every
 * protocol that we speak makes of it.
 *
 * A refusal must name what is wrong and where. A function that judges input
 * from outside takes a struct fault and writes that sentence into it at the
 * place where it sees the fault; callers add context in front.
 */

enum error_code {
	ERR_OK = 0,
	ERR_TABLE_START = -1000,
#define ERROR(name, ...) name,
#include "base/error.def"
#undef ERROR
	ERR_TABLE_END
};

struct error_row {
	const char *name;
	bool temporary;
	int dmtp;
	int smtp;
	const char *enhanced;
	int exit_status;
	const char *text;
};

/* The row of `err`, which is an ERR_* number; of ERR_INTERNAL for any other. */
const struct error_row *error_row(int err);

/* The number whose name in error.def is `name`, or ERR_INTERNAL. */
int error_by_name(const char *name);

enum { FAULT_TEXT_SIZE = 320 };

/* One refusal: its number and the sentence for a human, without line ends. */
struct fault {
	int err;
	char text[FAULT_TEXT_SIZE];
};

/*
 * Sets `fault` (NULL is fine) to `err` and the formatted sentence, with control
 * and 8-bit characters replaced by '?'. Returns `err`, so that a function can
 * end in `return fault_set(...)`. An empty format takes the table's text.
 */
int fault_set(struct fault *fault, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts the formatted context and ": " in front of the sentence. Returns
 * fault->err, or ERR_INTERNAL for NULL. */
int fault_wrap(struct fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The sentence, or the table's text for `err` where none was written. */
const char *fault_text(const struct fault *fault, int err);

#endif
