/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_MILTER_PLAN_H
#define DIME_MILTER_PLAN_H

#include "base/error.h"
#include "milter/letter.h"
#include "milter/results.h"

/*
 * The header of an opened message as the list of fields to insert, so that what
 * Postfix queues is the original octet for octet: names as they are spelled,
 * values with their leading blank, folds with LF as the milter protocol wants
 * them.
 */

enum {
	/* Postfix shortens longer fields, and says nothing. */
	PLAN_FIELD_MAX = 60000,
	PLAN_FIELDS_MAX = LETTER_FIELDS_MAX,
};

struct plan_field {
	size_t name;  /* where the C string starts in `text` */
	size_t value;
};

struct plan {
	struct buffer text;
	struct plan_field *fields;
	size_t count;
	size_t removed; /* fields that were left out */
};

/*
 * Plans the fields of `block`, which may end with the empty line, behind our
 * own Authentication-Results field. Fields that claim to be ours
 * (results_is_ours()) and Delivered-To, which would make local delivery take
 * the message for a loop, are left out. ERR_FORMAT for a line that is no field
 * and for a NUL, ERR_TOO_LARGE for a field or a number of them that Postfix
 * cannot hold: it would lose them silently.
 */
int plan_make(struct span block, const struct results *results,
    const struct config_list *domains, struct plan *plan, struct fault *fault);

/* Name and value of a field, `index` below plan->count; good until
 * plan_free(). */
const char *plan_name(const struct plan *plan, size_t index);
const char *plan_value(const struct plan *plan, size_t index);

void plan_free(struct plan *plan);

#endif
