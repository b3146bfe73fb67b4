/* SPDX-License-Identifier: BSD-2-Clause */
#include "dime/headers.h"
#include "dime/message.h"
#include "dime/mime.h"

enum {
	BOUNDARY_MOST = 70, /* RFC 2046, 5.1.1 */
	TO_ATTACHMENTS = MESSAGE_ATTACHMENT_CONTENT - MESSAGE_DISPLAY_CONTENT,
	NO_LEVEL = MIME_DEPTH,
};

/* What the header of a message or part says. */
struct entity {
	bool shown;       /* text, or an inline part */
	bool attached;    /* by its disposition */
	bool alternative; /* this and the next two: what multipart it is */
	bool related;
	bool digest;
	size_t boundary_length; /* 0 for what is no multipart */
	uint8_t boundary[BOUNDARY_MOST];
};

/* A cut under way. */
struct cutting {
	struct mime_segment *segments;
	size_t count;
	struct span body;
	/* The multiparts that the current line is in, from the outermost. */
	struct entity levels[MIME_DEPTH];
	size_t depth;
	/* The segment that goes on: where it starts, whose it is, and the level
	 * that it opened, as long as nothing closed that. */
	size_t start;
	struct entity entity;
	size_t opened;
	bool in_header; /* of the part, which starts there: */
	size_t header;
	bool attachments; /* the first attachment was seen */
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

static struct span
trim_end(struct span text)
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

/* Reads the boundary, none if it is too long or its quotes are not closed.
 * Without quotes it may be more than a token: many programs write "=" so. */
static void
read_boundary(struct span text, struct entity *entity)
{
	bool quoted = starts_with(text, '"');
	size_t length = 0;

	if (quoted)
		skip(&text, 1);
	while (text.length > 0 && !ends_value(text, quoted)) {
		if (quoted && text.data[0] == '\\')
			skip(&text, 1);
		else if (text.data[0] == '\r' || text.data[0] == '\n') {
			skip(&text, 1);
			continue;
		}
		if (text.length == 0 || length == BOUNDARY_MOST)
			return;
		entity->boundary[length++] = text.data[0];
		skip(&text, 1);
	}
	if (quoted && text.length == 0)
		return;
	/* A delimiter's trailing white space means nothing. */
	entity->boundary_length =
	    trim_end(span_of(entity->boundary, length)).length;
}

static void
read_type(struct span text, struct entity *entity)
{
	struct span type = take_token(&text), subtype, name;

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
	while (next_parameter(&text)) {
		name = take_token(&text);
		skip_space(&text);
		if (!starts_with(text, '=') ||
		    !span_equal_nocase(name, span_string("boundary")))
			continue;
		skip(&text, 1);
		skip_space(&text);
		read_boundary(text, entity);
		return;
	}
}

/* The first field of a name counts. */
static void
read_header(struct span header, bool shown_without_type, struct entity *entity)
{
	struct headers_field field;
	bool typed = false, disposed = false;

	*entity = (struct entity){.shown = shown_without_type};
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

/* ---- segments ---- */

/* Whose multipart the line delimits, the outermost if several; NO_LEVEL. */
static size_t
find_delimiter(const struct cutting *cutting, struct span line, bool *closes)
{
	static const struct span dashes = {(const uint8_t *)"--", 2};

	if (!span_equal(span_slice(line, 0, dashes.length), dashes))
		return NO_LEVEL;
	line = trim_end(span_slice(line, dashes.length, SIZE_MAX));
	for (size_t i = 0; i < cutting->depth; i++) {
		const struct entity *level = &cutting->levels[i];
		size_t length = level->boundary_length;
		struct span tail = span_slice(line, length, SIZE_MAX);

		*closes = span_equal(tail, dashes);
		if ((tail.length == 0 || *closes) &&
		    span_equal(span_slice(line, 0, length),
		    span_of(level->boundary, length)))
			return i;
	}
	return NO_LEVEL;
}

/* Ends the segment at `end`, if anything is in it. */
static void
end_segment(struct cutting *cutting, size_t end, bool is_frame)
{
	const struct entity *entity = &cutting->entity;
	uint8_t type = MESSAGE_DISPLAY_CONTENT;

	if (is_frame)
		type = entity->alternative ? MESSAGE_DISPLAY_ALTERNATIVE
		                           : MESSAGE_DISPLAY_MULTIPART;
	if (entity->attached || (!is_frame && !entity->shown))
		cutting->attachments = true;
	if (cutting->attachments)
		type += TO_ATTACHMENTS;
	if (end > cutting->start)
		cutting->segments[cutting->count++] = (struct mime_segment){
		    type, span_slice(cutting->body, cutting->start,
		        end - cutting->start)};
	cutting->start = end;
}

static void
open_level(struct cutting *cutting)
{
	cutting->opened = NO_LEVEL;
	if (cutting->entity.boundary_length == 0 ||
	    cutting->depth == MIME_DEPTH)
		return;
	cutting->opened = cutting->depth;
	cutting->levels[cutting->depth++] = cutting->entity;
}

/* Takes in the header of the part, which `end` is behind. */
static void
end_header(struct cutting *cutting, size_t end)
{
	bool is_inline = false;

	cutting->in_header = false;
	read_header(span_slice(cutting->body, cutting->header,
	    end - cutting->header),
	    !cutting->levels[cutting->depth - 1].digest, &cutting->entity);
	for (size_t i = 0; i < cutting->depth; i++)
		if (cutting->levels[i].alternative ||
		    cutting->levels[i].related)
			is_inline = true;
	if (is_inline)
		cutting->entity.shown = true;
	open_level(cutting);
}

static bool
is_header_line(const struct cutting *cutting, struct span line, size_t at)
{
	struct headers_field field;

	if (at > cutting->header &&
	    (starts_with(line, ' ') || starts_with(line, '\t')))
		return true;
	return headers_next_field(&line, &field);
}

/* A delimiter line from `at` to `end`. */
static void
take_delimiter(struct cutting *cutting, size_t level, bool closes, size_t at,
    size_t end)
{
	bool is_frame = level == cutting->opened;

	if (closes) {
		cutting->depth = level;
		/* It had no part: a leaf. */
		cutting->opened = NO_LEVEL;
		return;
	}
	if (cutting->count == MIME_SEGMENTS - 1) {
		cutting->depth = 0;
		return;
	}
	end_segment(cutting, at, is_frame);
	cutting->depth = level + 1;
	cutting->opened = NO_LEVEL;
	cutting->in_header = true;
	cutting->header = end;
}

static void
take_line(struct cutting *cutting, struct span line, size_t at, size_t end)
{
	bool closes = false;
	size_t level = find_delimiter(cutting, line, &closes);

	if (cutting->in_header &&
	    (level != NO_LEVEL || !is_header_line(cutting, line, at))) {
		end_header(cutting, at);
		/* It may be the first of the multipart that now is open. */
		if (level == NO_LEVEL)
			level = find_delimiter(cutting, line, &closes);
	}
	if (level != NO_LEVEL)
		take_delimiter(cutting, level, closes, at, end);
}

size_t
mime_cut(struct span block, struct span body,
    struct mime_segment segments[static MIME_SEGMENTS])
{
	struct cutting cutting = {.segments = segments, .body = body};
	struct span rest = body, line;
	size_t at = 0;

	read_header(block, true, &cutting.entity);
	/* Attachments are parts. The message itself is none. */
	cutting.entity.shown = true;
	cutting.entity.attached = false;
	open_level(&cutting);
	while (cutting.depth > 0 && span_next_line(&rest, &line)) {
		size_t end = body.length - rest.length;

		take_line(&cutting, line, at, end);
		at = end;
	}
	if (cutting.in_header)
		end_header(&cutting, body.length);
	end_segment(&cutting, body.length, false);
	return cutting.count;
}
