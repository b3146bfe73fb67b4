/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/plan.h"

#include <stdlib.h>

enum { TEXT_LIMIT = 64 << 20 };

/* Whether Postfix can take the field as it is. */
static int
check(const struct header_field *field, size_t number, struct fault *fault)
{
	if (field->name.length == 0)
		return fault_set(fault, ERR_FORMAT,
		    "header line %zu is not a field", number);
	if (memchr(field->whole.data, '\0', field->whole.length) != NULL)
		return fault_set(fault, ERR_FORMAT,
		    "header field %zu holds a NUL", number);
	if (field->whole.length > PLAN_FIELD_MAX)
		return fault_set(fault, ERR_TOO_LARGE,
		    "header field %zu is longer than %d octets", number,
		    PLAN_FIELD_MAX);
	if (number > PLAN_FIELDS_MAX)
		return fault_set(fault, ERR_TOO_LARGE,
		    "more than %d header fields", PLAN_FIELDS_MAX);
	return 0;
}

/* Appends a C string with the line ends of `text` as LF. */
static void
append_text(struct buffer *out, struct span text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] != '\r' || i + 1 == text.length ||
		    text.data[i + 1] != '\n')
			buffer_u8(out, text.data[i]);
	buffer_u8(out, '\0');
}

static void
append_field(struct plan *plan, struct span name, struct span value)
{
	struct plan_field *field = &plan->fields[plan->count++];

	field->name = plan->text.length;
	append_text(&plan->text, name);
	field->value = plan->text.length;
	append_text(&plan->text, value);
}

static bool
is_left_out(const struct header_field *field, const char *hostname,
    const struct config_list *domains)
{
	return header_is(field, "Delivered-To") ||
	    (header_is(field, "Authentication-Results") &&
		results_is_ours(field->value, hostname, domains));
}

static bool
is_empty_line(struct span line)
{
	return span_equal_string(line, "\r\n") ||
	    span_equal_string(line, "\n");
}

static int
append_block(struct plan *plan, struct span block, const char *hostname,
    const struct config_list *domains, struct fault *fault)
{
	struct header_field field;

	for (size_t number = 1; header_next(&block, &field); number++) {
		int err;

		if (block.length == 0 && is_empty_line(field.whole))
			break;
		err = check(&field, number, fault);
		if (err != 0)
			return err;
		if (is_left_out(&field, hostname, domains))
			plan->removed++;
		else
			append_field(plan, field.name, field.value);
	}
	return plan->text.error == 0 ? 0 : fault_set(fault, plan->text.error,
	    "header: %s", error_row(plan->text.error)->text);
}

int
plan_make(struct span block, const struct results *results,
    const struct config_list *domains, struct plan *plan, struct fault *fault)
{
	struct buffer ours = buffer_make(4096);
	int err;

	*plan = (struct plan){.text = buffer_make(TEXT_LIMIT)};
	plan->fields = calloc(PLAN_FIELDS_MAX + 1, sizeof(*plan->fields));
	if (plan->fields == NULL) {
		err = fault_set(fault, ERR_MEMORY, "out of memory");
		goto out;
	}
	results_write(results, block, &ours);
	append_field(plan, span_string("Authentication-Results"),
	    buffer_span(&ours));
	err = ours.error != 0 ? fault_set(fault, ours.error, "results") :
	    append_block(plan, block, results->hostname, domains, fault);
out:
	buffer_free(&ours);
	if (err != 0)
		plan_free(plan);
	return err;
}

const char *
plan_name(const struct plan *plan, size_t index)
{
	return (const char *)plan->text.data + plan->fields[index].name;
}

const char *
plan_value(const struct plan *plan, size_t index)
{
	return (const char *)plan->text.data + plan->fields[index].value;
}

void
plan_free(struct plan *plan)
{
	free(plan->fields);
	buffer_free(&plan->text);
	*plan = (struct plan){.text = buffer_make(TEXT_LIMIT)};
}
