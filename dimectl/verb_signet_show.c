/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "dime/signet_content.h"
#include "dimectl/explain.h"
#include "dimectl/files.h"
#include "dimectl/output.h"
#include "dimectl/verbs.h"

/* A field and all that is said of it. */
struct shown {
	const struct signet_field *field;
	const struct signet_field_row *row; /* NULL for an unknown type */
	const char *ignored; /* why the value is not used, or NULL */
	struct span used;    /* with `ignored`: what counts all the same */
};

static const char bad_name[] = "bad name";
static const char later_name[] = "the name stood before";

static struct shown
look_at(const struct signet *signet, const struct signet_field *field,
    bool is_later)
{
	struct shown shown = {.field = field,
	    .row = signet_field_row(signet->layout, signet->magic,
	        field->type)};

	if (shown.row == NULL)
		return shown;
	shown.ignored = signet_content_fault(shown.row->content, field->value,
	    &shown.used);
	if (shown.row->content == SIGNET_CONTENT_SOK &&
	    !signet_sok_is_good(field->value))
		shown.ignored = "permissions or key not valid";
	if (is_later)
		shown.ignored = later_name;
	if (field->type == SIGNET_UNDEFINED &&
	    !signet_name_is_good(field->name))
		shown.ignored = bad_name;
	return shown;
}

/* The key alone, the same in both layouts. */
static struct span
key_of(struct span value)
{
	return span_of(signet_key(value), CRYPTO_SIGN_PUBLIC);
}

/* ---- words ---- */

static const char *const permissions[] = {"users", "messages", "tls",
    "software"};
enum { PERMISSIONS = sizeof(permissions) / sizeof(permissions[0]) };

/* The highest level bit counts; the last three stand beside it. */
static void
level_words(uint8_t level, struct buffer *out)
{
	static const char special[] = "Top Secret // Special Access";
	static const char compartmented[] = "Top Secret // Special Access // "
	    "Extremely Compartmented Information";
	const char *const names[] = {"Sensitive", "Secret", "Top Secret",
	    special, compartmented};
	static const char *const programs[] = {"Yankee White",
	    "Shadow Hunter", "Underclass Applebaum"};
	const char *name = "Unprotected";

	for (size_t i = 0; i < 5; i++)
		if ((level & 1U << i) != 0)
			name = names[i];
	buffer_append_string(out, name);
	for (size_t i = 0; i < 3; i++)
		if ((level & 1U << (5 + i)) != 0)
			buffer_printf(out, " // %s", programs[i]);
}

/* ---- text ---- */

/* What the label column says. An undefined field goes by its own name. */
static void
print_label(struct buffer *out, const struct shown *shown)
{
	if (shown->row == NULL)
		buffer_append_string(out, "(unknown)");
	else if (shown->field->type != SIGNET_UNDEFINED)
		buffer_append_string(out, shown->row->label);
	else if (shown->ignored == bad_name)
		buffer_append_string(out, "(ignored: bad name)");
	else
		output_text(out, shown->field->name);
}

/* Text of any number of lines, or base64. */
static void
print_octets(struct buffer *out, struct span value)
{
	if (output_is_text(value)) {
		output_text(out, value);
	} else {
		buffer_append_string(out, "(base64) ");
		output_base64(out, value);
	}
}

static void
print_sok(struct buffer *out, const struct shown *shown)
{
	struct span value = shown->field->value;
	const char *separator = "";

	for (size_t i = 0; i < PERMISSIONS; i++)
		if ((value.data[0] & 1U << i) != 0) {
			buffer_printf(out, "%s%s", separator, permissions[i]);
			separator = ",";
		}
	if (shown->ignored != NULL)
		buffer_printf(out, "%s(ignored: permissions %u or key not "
		    "valid)", *separator == '\0' ? "" : " ", value.data[0]);
	buffer_u8(out, ' ');
	output_base64(out, key_of(value));
}

static void
print_alternate(struct buffer *out, struct span value)
{
	if (value.length == 0)
		return;
	buffer_printf(out, "level %u (", value.data[0]);
	level_words(value.data[0], out);
	buffer_printf(out, ") scheme %u ", value.data[1]);
	output_base64(out, span_slice(value, 2, SIZE_MAX));
}

static void
print_image(struct buffer *out, struct span value)
{
	struct signet_image image;

	signet_content_image(value, &image);
	buffer_printf(out, "%zu octets", value.length);
	if (image.width > 0)
		buffer_printf(out, ", %u x %u pixels", image.width,
		    image.height);
}

static void
print_informational(struct buffer *out, const struct shown *shown)
{
	bool partly = shown->ignored != NULL && shown->used.length > 0 &&
	    shown->row->content == SIGNET_CONTENT_PHONE;

	if (shown->ignored != NULL && shown->ignored != bad_name)
		buffer_printf(out, "(%signored: %s) ", partly ? "partly " : "",
		    shown->ignored);
	if (shown->row->content == SIGNET_CONTENT_IMAGE)
		print_image(out, shown->field->value);
	else
		print_octets(out, partly ? shown->used : shown->field->value);
}

static void
print_field(struct buffer *out, const struct shown *shown)
{
	buffer_printf(out, "%u ", shown->field->type);
	print_label(out, shown);
	buffer_append_string(out, ": ");
	if (shown->row == NULL) {
		buffer_append_string(out, "(base64) ");
		output_base64(out, shown->field->value);
	} else if (signet_content_is_informational(shown->row->content)) {
		print_informational(out, shown);
	} else if (shown->row->content == SIGNET_CONTENT_SIGNING_KEY) {
		output_base64(out, key_of(shown->field->value));
	} else if (shown->row->content == SIGNET_CONTENT_SOK) {
		print_sok(out, shown);
	} else if (shown->row->content == SIGNET_CONTENT_ALTERNATE) {
		print_alternate(out, shown->field->value);
	} else if (shown->row->content == SIGNET_CONTENT_IDENTIFIER) {
		output_text(out, shown->field->value);
	} else {
		/* Keys and signatures are base64 by the specification. */
		output_base64(out, shown->field->value);
	}
	buffer_u8(out, '\n');
}

/* ---- json ---- */

static json_t *
json_text(struct span text)
{
	return json_stringn(text.length == 0 ? "" : (const char *)text.data,
	    text.length);
}

static void
json_sok(json_t *object, const struct shown *shown)
{
	struct span value = shown->field->value;
	json_t *may = json_array();

	for (size_t i = 0; i < PERMISSIONS; i++)
		if ((value.data[0] & 1U << i) != 0)
			json_array_append_new(may, json_string(permissions[i]));
	json_object_set_new(object, "permissions",
	    json_integer(value.data[0]));
	json_object_set_new(object, "may", may);
	json_object_set_new(object, "valid",
	    json_boolean(shown->ignored == NULL));
	json_object_set_new(object, "base64",
	    output_json_base64(key_of(value)));
}

static void
json_alternate(json_t *object, struct span value)
{
	struct buffer words = buffer_make(200);

	level_words(value.data[0], &words);
	json_object_set_new(object, "level", json_integer(value.data[0]));
	json_object_set_new(object, "level_text", json_text(buffer_span(
	    &words)));
	json_object_set_new(object, "scheme", json_integer(value.data[1]));
	json_object_set_new(object, "base64",
	    output_json_base64(span_slice(value, 2, SIZE_MAX)));
	buffer_free(&words);
}

static void
json_image(json_t *object, struct span value)
{
	struct signet_image image;

	signet_content_image(value, &image);
	json_object_set_new(object, "size",
	    json_integer((json_int_t)value.length));
	if (image.width == 0)
		return;
	json_object_set_new(object, "width", json_integer(image.width));
	json_object_set_new(object, "height", json_integer(image.height));
}

static void
json_value(json_t *object, const struct shown *shown)
{
	enum signet_content content = shown->row == NULL
	    ? SIGNET_CONTENT_SIGNATURE
	    : shown->row->content;
	struct span value = shown->field->value;

	if (content == SIGNET_CONTENT_SOK)
		json_sok(object, shown);
	else if (content == SIGNET_CONTENT_ALTERNATE && value.length > 0)
		json_alternate(object, value);
	else if (content == SIGNET_CONTENT_IMAGE)
		json_image(object, value);
	else if ((signet_content_is_informational(content) ||
	    content == SIGNET_CONTENT_IDENTIFIER || value.length == 0) &&
	    output_is_text(value))
		json_object_set_new(object, "value", json_text(value));
	else
		json_object_set_new(object, "base64", output_json_base64(
		    content == SIGNET_CONTENT_SIGNING_KEY ? key_of(value)
		                                          : value));
}

static json_t *
json_field(const struct shown *shown)
{
	json_t *object = json_pack("{si ss?}",
	    "type", (int)shown->field->type,
	    "label", shown->row == NULL ? NULL : shown->row->label);

	if (shown->field->type == SIGNET_UNDEFINED)
		json_object_set_new(object, "name",
		    shown->ignored == bad_name ? json_null()
		                               : json_text(shown->field->name));
	json_value(object, shown);
	if (shown->ignored == NULL)
		return object;
	json_object_set_new(object, "ignored", json_string(shown->ignored));
	if (shown->row->content == SIGNET_CONTENT_PHONE &&
	    shown->used.length > 0)
		json_object_set_new(object, "used", json_text(shown->used));
	return object;
}

/* ---- the whole ---- */

/* By name, then as they stand. */
static int
compare_names(const void *left, const void *right)
{
	const struct signet_field *a = *(const struct signet_field *const *)
	    left;
	const struct signet_field *b = *(const struct signet_field *const *)
	    right;
	int order = 0;

	if (a->name.length != b->name.length)
		return a->name.length < b->name.length ? -1 : 1;
	if (a->name.length > 0)
		order = memcmp(a->name.data, b->name.data, a->name.length);
	return order != 0 ? order : a < b ? -1 : a > b;
}

/* Marks the undefined fields whose name an earlier one has: there may be as
 * many as the parser lets pass, so they are sorted. */
static int
find_later_names(const struct signet *signet, bool *is_later)
{
	const struct signet_field **sorted =
	    calloc(signet->field_count + 1, sizeof(const void *));
	size_t count = 0;

	if (sorted == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < signet->field_count; i++)
		if (signet->fields[i].type == SIGNET_UNDEFINED)
			sorted[count++] = &signet->fields[i];
	qsort(sorted, count, sizeof(const void *), compare_names);
	for (size_t i = 1; i < count; i++)
		if (span_equal(sorted[i - 1]->name, sorted[i]->name))
			is_later[sorted[i] - signet->fields] = true;
	free(sorted);
	return 0;
}

static void
print_head(struct buffer *out, const struct signet *signet)
{
	buffer_printf(out, "kind %s\nstate %s\n",
	    signet_kind_name(signet->magic), signet_state_name(signet->state));
	if (signet->layout != LAYOUT_STANDARD)
		buffer_printf(out, "layout %s\n",
		    layout_name(signet->layout));
}

static int
show(struct dimectl *ctl, const struct signet *signet)
{
	bool *is_later = calloc(signet->field_count + 1, sizeof(*is_later));
	json_t *fields = json_array();

	if (is_later == NULL || find_later_names(signet, is_later) != 0) {
		free(is_later);
		json_decref(fields);
		return fault_set(&ctl->fault, ERR_MEMORY, "out of memory");
	}
	if (!ctl->json)
		print_head(&ctl->output, signet);
	for (size_t i = 0; i < signet->field_count; i++) {
		struct shown shown = look_at(signet, &signet->fields[i],
		    is_later[i]);

		if (ctl->json)
			json_array_append_new(fields, json_field(&shown));
		else
			print_field(&ctl->output, &shown);
	}
	free(is_later);
	if (ctl->json)
		return output_json(ctl, json_pack("{ss ss ss so}",
		    "kind", signet_kind_name(signet->magic),
		    "state", signet_state_name(signet->state),
		    "layout", layout_name(signet->layout), "fields", fields));
	json_decref(fields);
	return 0;
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
	err = show(ctl, signet);
	signet_free(signet);
	return err;
}
