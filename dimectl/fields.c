/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "dimectl/fields.h"

enum { FILE_LIMIT = 0xffffff }; /* more than any field may hold */

/* Fields whose values are binary: they come from a file. */
static bool
is_binary(const struct signet_field_row *row)
{
	return row->content == SIGNET_CONTENT_IMAGE ||
	    row->content == SIGNET_CONTENT_ENDORSEMENT;
}

static int
read_binary(struct dimectl *ctl, const char *label, const char *value,
    struct fields *fields, struct signet_extra *extra)
{
	struct buffer *file = &fields->files[fields->count];
	int err;

	if (value[0] != '@' || value[1] == '\0')
		return fault_set(&ctl->fault, ERR_USAGE,
		    "--field %s: the value must be @FILE", label);
	*file = buffer_make(FILE_LIMIT);
	if ((err = file_read(value + 1, file, &ctl->fault)) != 0) {
		fault_wrap(&ctl->fault, "--field %s", label);
		return err;
	}
	extra->value = buffer_span(file);
	return 0;
}

/* A label in other letters is a slip, not an undefined field. */
static int
check_spelling(struct dimectl *ctl, enum layout layout,
    enum signet_magic magic, struct span name)
{
	for (int type = 0; type <= UINT8_MAX; type++) {
		const struct signet_field_row *row =
		    signet_field_row(layout, magic, (uint8_t)type);

		if (row != NULL &&
		    span_equal_nocase(name, span_string(row->label)))
			return fault_set(&ctl->fault, ERR_USAGE,
			    signet_field_by_label(layout, magic,
			    span_string(row->label)) == NULL
			    ? "--field %.*s: %s is not an informational field"
			    : "--field %.*s: the label is spelled %s",
			    (int)name.length, (const char *)name.data,
			    row->label);
	}
	return 0;
}

static int
read_one(struct dimectl *ctl, enum layout layout, enum signet_magic magic,
    const char *option, struct fields *fields)
{
	const char *equals = strchr(option, '=');
	struct signet_extra *extra = &fields->extras[fields->count];
	const struct signet_field_row *row;
	struct span name;
	int err;

	if (equals == NULL || equals == option)
		return fault_set(&ctl->fault, ERR_USAGE,
		    "--field %s: must be Name=value", option);
	name = span_of(option, (size_t)(equals - option));
	row = signet_field_by_label(layout, magic, name);
	*extra = (struct signet_extra){.value = span_string(equals + 1)};
	if (row == NULL) {
		if ((err = check_spelling(ctl, layout, magic, name)) != 0)
			return err;
		extra->type = SIGNET_UNDEFINED;
		extra->name = name;
	} else {
		extra->type = row->type;
		if (is_binary(row) && (err = read_binary(ctl, row->label,
		    equals + 1, fields, extra)) != 0)
			return err;
	}
	fields->count++;
	return 0;
}

int
fields_read(struct dimectl *ctl, enum layout layout,
    enum signet_magic magic, const struct option_list *options,
    struct fields *fields)
{
	int err;

	*fields = (struct fields){.count = 0};
	for (size_t i = 0; i < options->count; i++)
		if ((err = read_one(ctl, layout, magic, options->items[i],
		    fields)) != 0)
			return err;
	err = signet_check_extras(layout, magic, fields->extras,
	    fields->count, &ctl->fault);
	if (err != 0)
		fault_wrap(&ctl->fault, "--field");
	return err;
}

void
fields_free(struct fields *fields)
{
	for (size_t i = 0; i < sizeof(fields->files) / sizeof(*fields->files);
	     i++)
		buffer_free(&fields->files[i]);
}

int
fields_read_layout(struct dimectl *ctl, const char *word, enum layout *layout)
{
	*layout = LAYOUT_STANDARD;
	if (word == NULL || strcmp(word, layout_name(*layout)) == 0)
		return 0;
	*layout = LAYOUT_LIBDIME;
	if (strcmp(word, layout_name(*layout)) == 0)
		return 0;
	return fault_set(&ctl->fault, ERR_USAGE,
	    "--layout %s: must be standard or libdime", word);
}
