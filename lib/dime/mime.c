/* SPDX-License-Identifier: BSD-2-Clause */
#include "dime/headers.h"
#include "dime/message.h"
#include "dime/mime_private.h"

enum {
	TO_ATTACHMENTS = MESSAGE_ATTACHMENT_CONTENT - MESSAGE_DISPLAY_CONTENT,
	NO_LEVEL = MIME_DEPTH,
};

/* A cut under way. */
struct cutting {
	struct mime_segment *segments;
	size_t count;
	struct span body;
	/* The multiparts that the current line is in, from the outermost. */
	struct mime_entity levels[MIME_DEPTH];
	size_t depth;
	/* The segment that goes on: where it starts, whose it is, and the level
	 * that it opened, as long as nothing closed that. */
	size_t start;
	struct mime_entity entity;
	size_t opened;
	bool in_header; /* of the part, which starts there: */
	size_t header;
	bool attachments; /* the first attachment was seen */
};

/* ---- segments ---- */

/* Whose multipart the line delimits, the outermost if several; NO_LEVEL. */
static size_t
find_delimiter(const struct cutting *cutting, struct span line, bool *closes)
{
	static const struct span dashes = {(const uint8_t *)"--", 2};

	if (!span_equal(span_slice(line, 0, dashes.length), dashes))
		return NO_LEVEL;
	line = mime_trim_end(span_slice(line, dashes.length, SIZE_MAX));
	for (size_t i = 0; i < cutting->depth; i++) {
		const struct mime_entity *level = &cutting->levels[i];
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
	const struct mime_entity *entity = &cutting->entity;
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
	mime_entity_read(span_slice(cutting->body, cutting->header,
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
	    line.length > 0 && (line.data[0] == ' ' || line.data[0] == '\t'))
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

	mime_entity_read(block, true, &cutting.entity);
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
