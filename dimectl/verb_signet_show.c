/* SPDX-License-Identifier: BSD-2-Clause */
#include "dimectl/explain.h"
#include "dimectl/files.h"
#include "dimectl/output.h"
#include "dimectl/verbs.h"

/* How a value is shown: text where it is fit for a terminal, else base64. */
enum form { FORM_TEXT, FORM_BASE64, FORM_KEY, FORM_SOK, FORM_ALTERNATE };

static enum form
form_of(const struct signet_field_row *row, const struct signet_field *field)
{
	switch (row == NULL ? SIGNET_CONTENT_IMAGE : row->content) {
	case SIGNET_CONTENT_TEXT:
	case SIGNET_CONTENT_UNDEFINED:
	case SIGNET_CONTENT_IDENTIFIER:
		return output_is_text(field->value) ? FORM_TEXT : FORM_BASE64;
	case SIGNET_CONTENT_SIGNING_KEY:
		return FORM_KEY;
	case SIGNET_CONTENT_SOK:
		return FORM_SOK;
	case SIGNET_CONTENT_ALTERNATE:
		return field->value.length == 0 ? FORM_TEXT : FORM_ALTERNATE;
	default:
		return FORM_BASE64;
	}
}

/* The key alone, the same in both layouts. */
static struct span
key_of(struct span value)
{
	return span_of(signet_key(value), CRYPTO_SIGN_PUBLIC);
}

/* What the label column says. An undefined field goes by its own name. */
static void
print_label(struct buffer *out, const struct signet_field_row *row,
    const struct signet_field *field)
{
	if (row == NULL)
		buffer_append_string(out, "(unknown)");
	else if (field->type != SIGNET_UNDEFINED)
		buffer_append_string(out, row->label);
	else if (signet_name_is_good(field->name))
		buffer_append_span(out, field->name);
	else
		buffer_append_string(out, "(ignored: bad name)");
}

static void
print_sok(struct buffer *out, struct span value)
{
	static const char *const names[] = {"users", "messages", "tls",
	    "software"};
	const char *separator = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((value.data[0] & 1U << i) != 0) {
			buffer_printf(out, "%s%s", separator, names[i]);
			separator = ",";
		}
	if (!signet_sok_is_good(value))
		buffer_printf(out, "%s(ignored: permissions %u or key not "
		    "valid)", *separator == '\0' ? "" : " ", value.data[0]);
	buffer_u8(out, ' ');
	output_base64(out, key_of(value));
}

static void
print_field(struct buffer *out, const struct signet *signet,
    const struct signet_field *field)
{
	const struct signet_field_row *row =
	    signet_field_row(signet->layout, signet->magic, field->type);

	buffer_printf(out, "%u ", field->type);
	print_label(out, row, field);
	buffer_append_string(out, ": ");
	if (field->type == SIGNET_IMAGE) {
		buffer_printf(out, "%zu octets\n", field->value.length);
		return;
	}
	switch (form_of(row, field)) {
	case FORM_TEXT:
		buffer_append_span(out, field->value);
		break;
	case FORM_SOK:
		print_sok(out, field->value);
		break;
	case FORM_KEY:
		output_base64(out, key_of(field->value));
		break;
	case FORM_ALTERNATE:
		buffer_printf(out, "level %u scheme %u ", field->value.data[0],
		    field->value.data[1]);
		output_base64(out, span_slice(field->value, 2, SIZE_MAX));
		break;
	case FORM_BASE64:
		/* Keys and signatures are base64 by the specification. */
		if (row == NULL || row->content == SIGNET_CONTENT_TEXT ||
		    row->content == SIGNET_CONTENT_UNDEFINED)
			buffer_append_string(out, "(base64) ");
		output_base64(out, field->value);
		break;
	}
	buffer_u8(out, '\n');
}

static json_t *
json_text(struct span text)
{
	return json_stringn(text.length == 0 ? "" : (const char *)text.data,
	    text.length);
}

static json_t *
json_field(const struct signet *signet, const struct signet_field *field)
{
	const struct signet_field_row *row =
	    signet_field_row(signet->layout, signet->magic, field->type);
	struct span value = field->value;
	json_t *object = json_pack("{si ss?}", "type", (int)field->type,
	    "label", row == NULL ? NULL : row->label);

	if (field->type == SIGNET_UNDEFINED)
		json_object_set_new(object, "name",
		    signet_name_is_good(field->name) ? json_text(field->name)
		                                     : json_null());
	switch (form_of(row, field)) {
	case FORM_TEXT:
		json_object_set_new(object, "value", json_text(value));
		return object;
	case FORM_SOK:
		json_object_set_new(object, "permissions",
		    json_integer(value.data[0]));
		json_object_set_new(object, "valid",
		    json_boolean(signet_sok_is_good(value)));
		value = key_of(value);
		break;
	case FORM_KEY:
		value = key_of(value);
		break;
	case FORM_ALTERNATE:
		json_object_set_new(object, "level",
		    json_integer(value.data[0]));
		json_object_set_new(object, "scheme",
		    json_integer(value.data[1]));
		value = span_slice(value, 2, SIZE_MAX);
		break;
	case FORM_BASE64:
		break;
	}
	json_object_set_new(object, "base64", output_json_base64(value));
	return object;
}

static int
show_json(struct dimectl *ctl, const struct signet *signet)
{
	json_t *fields = json_array();

	for (size_t i = 0; i < signet->field_count; i++)
		json_array_append_new(fields,
		    json_field(signet, &signet->fields[i]));
	return output_json(ctl, json_pack("{ss ss ss so}", "kind",
	    signet_kind_name(signet->magic), "state",
	    signet_state_name(signet->state), "layout",
	    layout_name(signet->layout), "fields", fields));
}

int
verb_signet_show(struct dimectl *ctl, int count, char **argv)
{
	bool explain = false;
	const struct option_row rows[] = {
	    {OPTION_FLAG, "--explain", &explain, false},
	    {OPTION_END, NULL, NULL, false},
	};
	struct signet *signet;
	const char *path;
	int err;

	if ((err = option_read(ctl, count, argv, rows, &path, 1, 1)) != 0)
		return err;
	if (explain)
		return explain_signet(ctl, path);
	if ((err = files_read_signet(path, &signet, &ctl->fault)) != 0)
		return err;
	if (ctl->json) {
		err = show_json(ctl, signet);
	} else {
		buffer_printf(&ctl->output, "kind %s\nstate %s\n",
		    signet_kind_name(signet->magic),
		    signet_state_name(signet->state));
		if (signet->layout != LAYOUT_STANDARD)
			buffer_printf(&ctl->output, "layout %s\n",
			    layout_name(signet->layout));
		for (size_t i = 0; i < signet->field_count; i++)
			print_field(&ctl->output, signet, &signet->fields[i]);
	}
	signet_free(signet);
	return err;
}
