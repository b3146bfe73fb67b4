/* SPDX-License-Identifier: BSD-2-Clause */
#include "crypto/base64.h"
#include "dime/headers_private.h"

struct reading {
	struct span value[HEADERS_LABELS];
	bool present[HEADERS_LABELS];
	bool placed[HEADERS_LABELS];
	struct span rest; /* other fields that are not in the block yet */
	size_t copied;    /* how many are */
	size_t items;     /* of the layout that were met */
	struct buffer *block;
	struct fault *fault;
};

/* Cuts the line at the front of *rest at its CRLF. */
static bool
next_common_line(struct span *rest, struct span *line)
{
	const uint8_t *end = NULL;

	if (rest->length > 0)
		end = memchr(rest->data, '\n', rest->length);
	if (end == NULL || end == rest->data || end[-1] != '\r')
		return false;
	*line = span_of(rest->data, (size_t)(end - rest->data) - 1);
	*rest = span_slice(*rest, line->length + 2, SIZE_MAX);
	return memchr(line->data, '\r', line->length) == NULL &&
	    memchr(line->data, '\0', line->length) == NULL;
}

static int
common_fault(const struct reading *reading, size_t line, size_t offset,
    const char *rule)
{
	return fault_set(reading->fault, ERR_CORRUPT,
	    "chunk 33 (Common), line %zu at offset %zu of its data: %s", line,
	    offset, rule);
}

static int
layout_fault(const struct reading *reading, const char *rule)
{
	return fault_set(reading->fault, ERR_CORRUPT,
	    "chunk 34 (Headers), DIME-Layout, item %zu: %s", reading->items,
	    rule);
}

static int
read_common(struct reading *reading, struct span common)
{
	size_t label = 0, number = 0, length = common.length;
	struct span line;

	if (span_equal_string(common, "\r\n"))
		return 0;
	do {
		size_t offset = length - common.length;
		struct span name;
		const uint8_t *colon;

		number++;
		if (!next_common_line(&common, &line))
			return common_fault(reading, number, offset,
			    "not ended by CRLF, or with CR, LF or NUL in it");
		colon = memchr(line.data, ':', line.length);
		name = span_slice(line, 0,
		    colon == NULL ? 0 : (size_t)(colon - line.data));
		while (label < HEADERS_LABELS &&
		    !span_equal_string(name, headers_labels[label]))
			label++;
		if (label == HEADERS_LABELS)
			return common_fault(reading, number, offset,
			    "not a known label in its order");
		line = span_slice(line, name.length + 1, SIZE_MAX);
		if (line.length > 0 && line.data[0] != ' ')
			return common_fault(reading, number, offset,
			    "no space after the colon");
		reading->present[label] = true;
		reading->value[label++] = span_slice(line, 1, SIZE_MAX);
	} while (common.length > 0);
	return 0;
}

/* Takes a leading Return-Path, and whether it names a sender. */
static bool
take_sender(struct span *others, char sender[static ADDRESS_SIZE],
    bool *has_sender)
{
	struct span rest = *others, text;
	struct headers_field field;

	if (!headers_next_field(&rest, &field) ||
	    !span_equal_nocase(field.name, span_string(headers_return_path)))
		return false;
	*others = rest;
	if (!span_next_line(&field.body, &text) || field.body.length > 0)
		return true;
	text = span_trim(text);
	if (text.length < 2 || text.data[0] != '<' ||
	    text.data[text.length - 1] != '>')
		return true;
	text = span_slice(text, 1, text.length - 2);
	*has_sender = text.length == 0 || address_spell(text, sender);
	if (!*has_sender)
		sender[0] = '\0';
	return true;
}

static void
append_canonical(const struct reading *reading, size_t label)
{
	buffer_append_string(reading->block, headers_labels[label]);
	buffer_append_string(reading->block, ": ");
	buffer_append_span(reading->block, reading->value[label]);
	buffer_append_string(reading->block, "\r\n");
}

/* Copies other fields until `count` of them were. */
static int
copy_others(struct reading *reading, size_t count)
{
	struct headers_field field;

	while (reading->copied < count) {
		if (!headers_next_field(&reading->rest, &field))
			return layout_fault(reading,
			    "there are not so many other fields");
		buffer_append_span(reading->block, field.whole);
		reading->copied++;
	}
	return 0;
}

/* Appends a field that the layout holds whole: one field of that label. */
static bool
append_raw(struct reading *reading, size_t label, struct span base64)
{
	size_t start = reading->block->length;
	struct headers_field field;
	struct span raw;

	if (base64_decode(base64, reading->block) != 0)
		return false;
	raw = span_slice(buffer_span(reading->block), start, SIZE_MAX);
	return headers_next_field(&raw, &field) && raw.length == 0 &&
	    span_equal_nocase(field.name, span_string(headers_labels[label]));
}

/* Puts one common field, `label@position` or `label@position=base64`, into the
 * block. */
static int
place_item(struct reading *reading, struct span item)
{
	const uint8_t *at = memchr(item.data, '@', item.length);
	const uint8_t *equals = memchr(item.data, '=', item.length);
	struct span name, number, raw;
	uint64_t position;
	size_t label = 0;
	int err;

	if (equals == NULL)
		equals = item.data + item.length;
	if (at == NULL || at > equals)
		return layout_fault(reading, "not a label with its place");
	name = span_of(item.data, (size_t)(at - item.data));
	number = span_of(at + 1, (size_t)(equals - at) - 1);
	while (label < HEADERS_LABELS &&
	    !span_equal_string(name, headers_labels[label]))
		label++;
	if (label == HEADERS_LABELS || !reading->present[label] ||
	    reading->placed[label])
		return layout_fault(reading,
		    "the label is not one of chunk 33, or was placed before");
	if (!span_number(number, SIZE_MAX / 2, &position) ||
	    position < reading->copied)
		return layout_fault(reading,
		    "the place is no number, or before the last one");
	reading->placed[label] = true;
	err = copy_others(reading, (size_t)position);
	if (err != 0)
		return err;
	if (equals == item.data + item.length) {
		append_canonical(reading, label);
		return 0;
	}
	raw = span_slice(item, (size_t)(equals - item.data) + 1, SIZE_MAX);
	if (append_raw(reading, label, raw))
		return 0;
	return layout_fault(reading,
	    "the base64 is not one field of that label");
}

/* Takes the part of *rest before the next ';'. */
static bool
next_item(struct span *rest, struct span *item)
{
	const uint8_t *end;

	if (rest->data == NULL)
		return false;
	end = memchr(rest->data, ';', rest->length);
	if (end == NULL) {
		*item = *rest;
		*rest = (struct span){NULL, 0};
		return true;
	}
	*item = span_of(rest->data, (size_t)(end - rest->data));
	*rest = span_of(end + 1, rest->length - item->length - 1);
	return true;
}

static int
read_end(struct reading *reading, struct span item, size_t *end)
{
	static const char key[] = "end=";

	if (span_equal_string(span_slice(item, 0, strlen(key)), key)) {
		item = span_slice(item, strlen(key), SIZE_MAX);
		for (*end = 0; *end < HEADERS_ENDS; ++*end)
			if (span_equal_string(item, headers_ends[*end].name))
				return 0;
	}
	return layout_fault(reading,
	    "does not say how the header ends");
}

/*
 * What chunk 33 says must be what the block says, or a reader of the one could
 * be shown something else than a reader of the other.
 */
static int
check_block(const struct reading *reading, struct span block,
    struct span common)
{
	struct buffer again = buffer_make(SIZE_MAX);
	struct headers_inventory inventory;
	bool same;

	same = headers_take_inventory(block, &inventory).length == 0;
	headers_append_common(&inventory, &again);
	same = same && again.error == 0 &&
	    span_equal(buffer_span(&again), common);
	buffer_free(&again);
	if (!same)
		return fault_set(reading->fault, ERR_CORRUPT,
		    "chunk 34 (Headers), DIME-Layout: gives another header "
		    "than chunk 33 (Common)");
	return 0;
}

static int
read_items(struct reading *reading, struct span text)
{
	size_t start = reading->block->length, end = 0;
	struct span item;
	int err;

	reading->items = 1;
	if (!next_item(&text, &item))
		item = (struct span){NULL, 0};
	err = read_end(reading, item, &end);
	while (err == 0 && next_item(&text, &item)) {
		reading->items++;
		err = place_item(reading, item);
	}
	for (size_t i = 0; err == 0 && i < HEADERS_LABELS; i++)
		if (reading->present[i] && !reading->placed[i])
			err = fault_set(reading->fault, ERR_CORRUPT,
			    "chunk 34 (Headers), DIME-Layout: no place for %s",
			    headers_labels[i]);
	if (err != 0)
		return err;
	buffer_append_span(reading->block, reading->rest);
	if (headers_ends[end].text[0] != '\0' &&
	    reading->block->length > start &&
	    reading->block->data[reading->block->length - 1] != '\n')
		return fault_set(reading->fault, ERR_CORRUPT,
		    "chunk 34 (Headers), DIME-Layout: an end, but the last "
		    "field has no line end");
	buffer_append_string(reading->block, headers_ends[end].text);
	return 0;
}

/* Rebuilds the block by the layout in `field`. */
static int
read_layout(struct reading *reading, const struct headers_field *field,
    struct span common)
{
	struct buffer text = buffer_make(field->body.length);
	size_t start = reading->block->length;
	int err;

	for (size_t i = 0; i < field->body.length; i++)
		if (memchr(" \t\r\n", field->body.data[i], 4) == NULL)
			buffer_u8(&text, field->body.data[i]);
	err = text.error;
	if (err == 0)
		err = read_items(reading, buffer_span(&text));
	if (err == 0 && reading->block->error == 0)
		err = check_block(reading,
		    span_slice(buffer_span(reading->block), start, SIZE_MAX),
		    common);
	buffer_free(&text);
	return err;
}

/* Puts the block together as M16 says where there is no layout. */
static int
read_plain(struct reading *reading)
{
	struct span rest = reading->rest, line;
	struct headers_field field;

	for (size_t i = 0; i < HEADERS_LABELS; i++)
		if (reading->present[i])
			append_canonical(reading, i);
	while (headers_next_field(&rest, &field))
		while (span_next_line(&field.whole, &line)) {
			buffer_append_span(reading->block, line);
			buffer_append_string(reading->block, "\r\n");
		}
	/* Some writers close their list with the empty line. */
	rest = span_slice(rest, headers_take_end(rest).length, SIZE_MAX);
	if (rest.length > 0)
		return fault_set(reading->fault, ERR_CORRUPT,
		    "chunk 34 (Headers), %zu octets before the end of its "
		    "data: not a header field", rest.length);
	buffer_append_string(reading->block, "\r\n");
	return 0;
}

int
headers_read(struct span common, struct span others, struct buffer *block,
    char sender[static ADDRESS_SIZE], bool *has_sender, struct fault *fault)
{
	struct reading reading = {.block = block, .fault = fault};
	size_t start = block->length;
	struct headers_field layout;
	bool ours;
	int err;

	sender[0] = '\0';
	*has_sender = false;
	err = read_common(&reading, common);
	if (err != 0)
		return err;
	ours = take_sender(&others, sender, has_sender);
	reading.rest = others;
	if (ours && headers_next_field(&reading.rest, &layout) &&
	    span_equal_nocase(layout.name, span_string(headers_layout))) {
		err = read_layout(&reading, &layout, common);
	} else {
		reading.rest = others;
		err = read_plain(&reading);
	}
	if (block->error != 0)
		err = fault_set(fault, block->error, "header block: %s",
		    error_row(block->error)->text);
	if (err != 0)
		block->length = start;
	return err;
}
