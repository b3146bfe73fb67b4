/* SPDX-License-Identifier: BSD-2-Clause */
#include "dime/headers.h"
#include "dime/mime_private.h"

/* More than have room in a boundary, at an octet each. */
enum { SECTIONS = MIME_BOUNDARY + 1 };

/* A parameter that holds a boundary, or a section of one (RFC 2231). */
struct value {
	struct span text; /* the rest of the field, from the value on */
	bool present;
	bool encoded;
};

struct boundary {
	struct value plain, encoded;
	struct value sections[SECTIONS];
};

/* ---- header fields (RFC 2045, 5.1; RFC 822 comments) ---- */

static void
skip(struct span *text, size_t count)
{
	*text = span_slice(*text, count, SIZE_MAX);
}

static bool
starts_with(struct span text, uint8_t octet)
{
	return text.length > 0 && text.data[0] == octet;
}

struct span
mime_trim_end(struct span text)
{
	while (text.length > 0 && (text.data[text.length - 1] == ' ' ||
	    text.data[text.length - 1] == '\t'))
		text.length--;
	return text;
}

static bool
is_space(uint8_t octet)
{
	return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n';
}

/* Comments nest. */
static void
skip_comment(struct span *text)
{
	size_t open = 0;

	do {
		if (text->data[0] == '(')
			open++;
		else if (text->data[0] == ')')
			open--;
		skip(text, text->data[0] == '\\' ? 2 : 1);
	} while (open > 0 && text->length > 0);
}

static void
skip_space(struct span *text)
{
	while (text->length > 0) {
		if (is_space(text->data[0]))
			skip(text, 1);
		else if (text->data[0] == '(')
			skip_comment(text);
		else
			break;
	}
}

static struct span
take_token(struct span *text)
{
	static const char specials[] = "()<>@,;:\\\"/[]?=";
	struct span token;
	size_t length = 0;

	skip_space(text);
	while (length < text->length && text->data[length] > ' ' &&
	    text->data[length] < 0x7f &&
	    strchr(specials, text->data[length]) == NULL)
		length++;
	token = span_slice(*text, 0, length);
	skip(text, length);
	return token;
}

static void
skip_quoted(struct span *text)
{
	skip(text, 1);
	while (text->length > 0 && text->data[0] != '"')
		skip(text, text->data[0] == '\\' ? 2 : 1);
	skip(text, 1);
}

/* Takes the semicolon in front of the next parameter; false without one. */
static bool
next_parameter(struct span *text)
{
	for (skip_space(text); text->length > 0; skip_space(text)) {
		if (text->data[0] == ';') {
			skip(text, 1);
			return true;
		}
		if (text->data[0] == '"')
			skip_quoted(text);
		else
			skip(text, 1);
	}
	return false;
}

static bool
ends_value(struct span text, bool quoted)
{
	if (quoted)
		return text.data[0] == '"';
	return is_space(text.data[0]) || text.data[0] == ';' ||
	    text.data[0] == '(' || text.data[0] == '"';
}

/* Puts what "%" and two hexadecimal digits stand for into *octet. */
static bool
take_percent(struct span *text, uint8_t *octet)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	size_t value[2];

	if (text->length < 3 || text->data[0] != '%')
		return false;
	for (size_t i = 0; i < 2; i++) {
		const char *digit = memchr(digits, text->data[i + 1],
		    sizeof(digits) - 1);

		if (digit == NULL)
			return false;
		value[i] = (size_t)(digit - digits) % 16;
	}
	*octet = (uint8_t)(value[0] << 4 | value[1]);
	skip(text, 2);
	return true;
}

/*
 * Appends a value, or a section of it, to the boundary; false if it gets too
 * long or its quotes are not closed. Without quotes it may be more than a
 * token: many programs write "=" so. An encoded one has as many `apostrophes`
 * before it: charset'language'value.
 */
static bool
append_value(const struct value *value, size_t apostrophes,
    struct mime_entity *entity)
{
	struct span text = value->text;
	bool quoted = starts_with(text, '"');

	if (!value->encoded)
		apostrophes = 0;
	for (skip(&text, quoted ? 1 : 0);
	    text.length > 0 && !ends_value(text, quoted); skip(&text, 1)) {
		uint8_t octet = text.data[0];

		if (octet == '\r' || octet == '\n')
			continue;
		if (apostrophes > 0) {
			if (octet == '\'')
				apostrophes--;
			continue;
		}
		if (quoted && octet == '\\') {
			skip(&text, 1);
			if (text.length == 0)
				return false;
			octet = text.data[0];
		} else if (value->encoded) {
			take_percent(&text, &octet);
		}
		if (entity->boundary_length == MIME_BOUNDARY)
			return false;
		entity->boundary[entity->boundary_length++] = octet;
	}
	return apostrophes == 0 && !(quoted && text.length == 0);
}

/* Where a boundary of this name goes: `boundary`, `boundary*`, `boundary*7` or
 * `boundary*7*`. NULL for all others. */
static struct value *
find_place(struct boundary *boundary, struct span name, bool *encoded)
{
	static const char label[] = "boundary";
	uint64_t number;

	if (!span_equal_nocase(span_slice(name, 0, strlen(label)),
	    span_string(label)))
		return NULL;
	skip(&name, strlen(label));
	*encoded = false;
	if (name.length == 0)
		return &boundary->plain;
	*encoded = name.data[name.length - 1] == '*';
	if (span_equal_string(name, "*"))
		return &boundary->encoded;
	if (*encoded)
		name.length--;
	if (!starts_with(name, '*') || !span_number(span_slice(name, 1,
	    SIZE_MAX), SECTIONS - 1, &number))
		return NULL;
	return &boundary->sections[number];
}

/* The first parameter of each name counts. */
static void
find_boundary(struct span text, struct boundary *boundary)
{
	bool encoded;

	*boundary = (struct boundary){.plain = {.present = false}};
	while (next_parameter(&text)) {
		struct value *place =
		    find_place(boundary, take_token(&text), &encoded);

		skip_space(&text);
		if (place == NULL || place->present || !starts_with(text, '='))
			continue;
		skip(&text, 1);
		skip_space(&text);
		*place = (struct value){text, true, encoded};
	}
}

/* Reads the boundary, whole or in sections (RFC 2231); none if it is bad. */
static void
read_boundary(struct span text, struct mime_entity *entity)
{
	struct boundary boundary;
	const struct value *value = boundary.sections;
	const struct value *end = value + SECTIONS;
	bool good;

	find_boundary(text, &boundary);
	if (boundary.plain.present || boundary.encoded.present) {
		value = boundary.plain.present ? &boundary.plain
		                               : &boundary.encoded;
		end = value + 1;
	}
	/* Charset and language stand in front of the first section only. */
	good = value->present && append_value(value, 2, entity);
	while (good && ++value < end && value->present)
		good = append_value(value, 0, entity);
	/* A delimiter's trailing white space means nothing. */
	entity->boundary_length = !good ? 0
	    : mime_trim_end(span_of(entity->boundary,
	          entity->boundary_length)).length;
}

static void
read_type(struct span text, struct mime_entity *entity)
{
	struct span type = take_token(&text), subtype;

	skip_space(&text);
	if (!starts_with(text, '/'))
		type.length = 0;
	skip(&text, 1);
	subtype = take_token(&text);
	/* What cannot be read is text (RFC 2045, 5.2). */
	entity->shown = type.length == 0 || subtype.length == 0 ||
	    span_equal_nocase(type, span_string("text"));
	if (entity->shown ||
	    !span_equal_nocase(type, span_string("multipart")))
		return;
	entity->alternative =
	    span_equal_nocase(subtype, span_string("alternative"));
	entity->related = span_equal_nocase(subtype, span_string("related"));
	entity->digest = span_equal_nocase(subtype, span_string("digest"));
	read_boundary(text, entity);
}

void
mime_entity_read(struct span header, bool shown_without_type,
    struct mime_entity *entity)
{
	struct headers_field field;
	bool typed = false, disposed = false;

	*entity = (struct mime_entity){.shown = shown_without_type};
	while (headers_next_field(&header, &field)) {
		if (!typed && span_equal_nocase(field.name,
		    span_string("Content-Type"))) {
			typed = true;
			read_type(field.body, entity);
		} else if (!disposed && span_equal_nocase(field.name,
		    span_string("Content-Disposition"))) {
			disposed = true;
			entity->attached =
			    span_equal_nocase(take_token(&field.body),
			    span_string("attachment"));
		}
	}
}
