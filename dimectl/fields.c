/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "dimectl/fields.h"

enum { IMAGE_LIMIT = 0xffffff };

static int
read_image(struct dimectl *ctl, struct span value, struct fields *fields,
    struct signet_extra *extra)
{
	if (value.length < 2 || value.data[0] != '@')
		return fault_set(&ctl->fault, ERR_USAGE,
		    "--field Image: the value must be @FILE");
	if (fields->image.length > 0)
		return fault_set(&ctl->fault, ERR_USAGE,
		    "--field Image: given twice");
	/* What follows the @ is the rest of a C string. */
	if (file_read((const char *)value.data + 1, &fields->image,
	    &ctl->fault) != 0)
		return fault_wrap(&ctl->fault, "--field Image");
	extra->value = buffer_span(&fields->image);
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
		if (row->content == SIGNET_CONTENT_IMAGE &&
		    (err = read_image(ctl, extra->value, fields, extra)) != 0)
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

	fields->count = 0;
	fields->image = buffer_make(IMAGE_LIMIT);
	for (size_t i = 0; i < options->count; i++)
		if ((err = read_one(ctl, layout, magic, options->items[i],
		    fields)) != 0)
			return err;
	return 0;
}

void
fields_free(struct fields *fields)
{
	buffer_free(&fields->image);
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
