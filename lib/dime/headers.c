/* SPDX-License-Identifier: BSD-2-Clause */
#include "crypto/base64.h"
#include "dime/headers_private.h"

enum {
	LAYOUT_COLUMNS = 72,
	LAYOUT_OCTETS = LAYOUT_COLUMNS / 4 * 3,
};

const char *const headers_labels[HEADERS_LABELS] = {
    "Date", "To", "CC", "From", "Organization", "Subject"};

const struct headers_end headers_ends[HEADERS_ENDS] = {
    {"crlf", "\r\n"}, {"lf", "\n"}, {"none", ""}};

const char headers_return_path[] = "Return-Path";
const char headers_layout[] = "DIME-Layout";

/* ---- fields ---- */

static size_t
line_length(struct span text)
{
	const uint8_t *end = NULL;

	if (text.length > 0)
		end = memchr(text.data, '\n', text.length);
	return end == NULL ? text.length : (size_t)(end - text.data) + 1;
}

static bool
is_blank(uint8_t octet)
{
	return octet == ' ' || octet == '\t';
}

bool
headers_next_field(struct span *rest, struct headers_field *field)
{
	size_t length = line_length(*rest), name = 0, colon;

	while (name < length && rest->data[name] > ' ' &&
	    rest->data[name] < 0x7f && rest->data[name] != ':')
		name++;
	for (colon = name; colon < length && is_blank(rest->data[colon]);)
		colon++;
	if (name == 0 || colon == length || rest->data[colon] != ':')
		return false;
	/* A last line without its end is not continued by what follows. */
	while (length < rest->length && is_blank(rest->data[length]))
		length += line_length(span_slice(*rest, length, SIZE_MAX));
	field->name = span_slice(*rest, 0, name);
	field->whole = span_slice(*rest, 0, length);
	field->body = span_slice(field->whole, colon + 1, SIZE_MAX);
	*rest = span_slice(*rest, length, SIZE_MAX);
	return true;
}

/* Which label the field has, or HEADERS_LABELS. */
static size_t
label_of(const struct headers_field *field)
{
	for (size_t i = 0; i < HEADERS_LABELS; i++)
		if (span_equal_nocase(field->name,
		    span_string(headers_labels[i])))
			return i;
	return HEADERS_LABELS;
}

struct span
headers_take_end(struct span rest)
{
	for (size_t i = 0; i < HEADERS_ENDS; i++) {
		struct span end = span_string(headers_ends[i].text);

		if (span_equal(span_slice(rest, 0, end.length), end))
			return span_slice(rest, 0, end.length);
	}
	return (struct span){NULL, 0};
}

void
headers_split(struct span mime, struct span *block, struct span *body)
{
	struct span rest = mime;
	struct headers_field field;

	while (headers_next_field(&rest, &field))
		;
	rest = span_slice(rest, headers_take_end(rest).length, SIZE_MAX);
	*block = span_slice(mime, 0, mime.length - rest.length);
	*body = rest;
}

struct span
headers_take_inventory(struct span block, struct headers_inventory *inventory)
{
	struct headers_field field;

	*inventory = (struct headers_inventory){.common_count = 0};
	while (headers_next_field(&block, &field)) {
		size_t label = label_of(&field);

		if (label == HEADERS_LABELS ||
		    inventory->common[label].whole.length > 0) {
			inventory->other_count++;
			continue;
		}
		inventory->common[label] = field;
		inventory->position[label] = inventory->other_count;
		inventory->order[inventory->common_count++] = label;
	}
	inventory->end = headers_take_end(block);
	return span_slice(block, inventory->end.length, SIZE_MAX);
}

/* ---- chunk 33 ---- */

/* What would break the line that a value becomes in chunk 33 turns into spaces;
 * the layout keeps it as it was. */
void
headers_append_value(const struct headers_field *field, struct buffer *out)
{
	struct span text = field->body;
	size_t start = out->length, length = text.length;
	uint8_t *value;

	if (length > 0 && text.data[length - 1] == '\n')
		length--;
	if (length < text.length && length > 0 &&
	    text.data[length - 1] == '\r')
		length--;
	value = buffer_extend(out, length);
	if (value == NULL)
		return;
	out->length = start;
	for (size_t i = 0; i < length; i++) {
		bool crlf = text.data[i] == '\r' && i + 1 < length &&
		    text.data[i + 1] == '\n';
		size_t next = i + (crlf ? 2 : 1);

		if ((crlf || text.data[i] == '\n') && next < length &&
		    is_blank(text.data[next])) {
			i = next - 1;
			continue;
		}
		*value++ = text.data[i] == '\r' || text.data[i] == '\n' ||
		            text.data[i] == '\0'
		        ? ' '
		        : text.data[i];
		out->length++;
	}
	text = span_trim(span_slice(buffer_span(out), start, SIZE_MAX));
	if (text.length > 0)
		memmove(out->data + start, text.data, text.length);
	out->length = start + text.length;
}

void
headers_append_common(const struct headers_inventory *inventory,
    struct buffer *out)
{
	if (inventory->common_count == 0)
		buffer_append_string(out, "\r\n");
	for (size_t i = 0; i < HEADERS_LABELS; i++) {
		if (inventory->common[i].whole.length == 0)
			continue;
		buffer_append_string(out, headers_labels[i]);
		buffer_append_string(out, ": ");
		headers_append_value(&inventory->common[i], out);
		buffer_append_string(out, "\r\n");
	}
}

/* ---- writing chunk 34 ---- */

/* Appends one common field's place, and its octets unless they are those of its
 * line in chunk 33. */
static void
append_layout_item(const struct headers_inventory *inventory, size_t label,
    struct buffer *out)
{
	struct headers_inventory alone = {.common_count = 1};
	struct buffer canonical = buffer_make(SIZE_MAX);
	struct span raw = inventory->common[label].whole;
	char line[LAYOUT_COLUMNS + 1];

	buffer_printf(out, "; %s@%zu", headers_labels[label],
	    inventory->position[label]);
	alone.common[label] = inventory->common[label];
	headers_append_common(&alone, &canonical);
	if (canonical.error != 0)
		out->error = canonical.error;
	else if (!span_equal(raw, buffer_span(&canonical))) {
		buffer_append_string(out, "=");
		while (raw.length > 0) {
			base64_encode(span_slice(raw, 0, LAYOUT_OCTETS), line);
			buffer_printf(out, "\r\n %s", line);
			raw = span_slice(raw, LAYOUT_OCTETS, SIZE_MAX);
		}
	}
	buffer_free(&canonical);
}

static void
append_layout(const struct headers_inventory *inventory, struct buffer *out)
{
	const char *end = "none";

	for (size_t i = 0; i < HEADERS_ENDS; i++)
		if (span_equal_string(inventory->end, headers_ends[i].text))
			end = headers_ends[i].name;
	buffer_printf(out, "%s: end=%s", headers_layout, end);
	for (size_t i = 0; i < inventory->common_count; i++)
		append_layout_item(inventory, inventory->order[i], out);
	buffer_append_string(out, "\r\n");
}

static void
append_others(struct span block, const struct headers_inventory *inventory,
    struct buffer *out)
{
	struct headers_field field;

	while (headers_next_field(&block, &field)) {
		size_t label = label_of(&field);

		if (label == HEADERS_LABELS ||
		    field.whole.data != inventory->common[label].whole.data)
			buffer_append_span(out, field.whole);
	}
}

int
headers_write(struct span block, const char *sender, struct buffer *common,
    struct buffer *others, struct fault *fault)
{
	struct headers_inventory inventory;
	char address[ADDRESS_SIZE] = "";
	int err;

	if (sender[0] != '\0' &&
	    !address_spell(span_string(sender), address))
		return fault_set(fault, ERR_FORMAT,
		    "envelope sender is not an address");
	if (headers_take_inventory(block, &inventory).length > 0)
		return fault_set(fault, ERR_FORMAT,
		    "header block holds more than header fields");
	headers_append_common(&inventory, common);
	buffer_printf(others, "%s: <%s>\r\n", headers_return_path, address);
	append_layout(&inventory, others);
	append_others(block, &inventory, others);
	err = common->error != 0 ? common->error : others->error;
	if (err != 0)
		return fault_set(fault, err, "header block: %s",
		    error_row(err)->text);
	return 0;
}

