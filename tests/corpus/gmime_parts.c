/* SPDX-License-Identifier: BSD-2-Clause */
#include <gmime/gmime.h>

#include "tests/corpus/gmime_parts.h"

enum { ATTACHMENTS = 131 - 67 };

/* A walk through the tree. */
struct walk {
	struct span mail;
	struct gmime_parts *out;
	size_t body; /* where the mail's starts, as far as GMime says */
	bool attachments; /* the first attachment was seen */
};

/* What a part has around it. */
struct surroundings {
	const char *boundary; /* of the multipart that it is in */
	size_t depth;         /* how many those are */
	bool is_inline;       /* one of them is an alternative or a related */
};

static bool
is_type(GMimeObject *object, const char *type, const char *subtype)
{
	return g_mime_content_type_is_type(
	    g_mime_object_get_content_type(object), type, subtype);
}

static gint64
first_header(GMimeObject *object)
{
	GMimeHeaderList *headers = g_mime_object_get_header_list(object);
	gint64 first = -1;

	for (int i = 0; i < g_mime_header_list_get_count(headers); i++) {
		gint64 at = g_mime_header_get_offset(
		    g_mime_header_list_get_header_at(headers, i));

		if (at >= 0 && (first < 0 || at < first))
			first = at;
	}
	return first;
}

/* The stream of a leaf's content, a part of the mail's; NULL. */
static const GMimeStream *
content_of(GMimeObject *object)
{
	GMimeDataWrapper *content = NULL;

	if (GMIME_IS_PART(object))
		content = g_mime_part_get_content(GMIME_PART(object));
	return content == NULL ? NULL : g_mime_data_wrapper_get_stream(content);
}

static gint64
content_start(GMimeObject *object)
{
	const GMimeStream *content = content_of(object);

	return content == NULL ? -1 : content->bound_start;
}

static size_t
content_end(GMimeObject *object)
{
	const GMimeStream *content = content_of(object);

	return content == NULL ? GMIME_UNKNOWN : (size_t)content->bound_end;
}

/* The first octet of the part's header, or else of its content; -1. */
static gint64
first_octet(GMimeObject *part)
{
	gint64 first = first_header(part), inner;
	GMimeMessage *letter;
	GMimeObject *top;

	if (first >= 0 || !GMIME_IS_MESSAGE_PART(part))
		return first >= 0 ? first : content_start(part);
	letter = g_mime_message_part_get_message(GMIME_MESSAGE_PART(part));
	if (letter == NULL)
		return -1;
	/* The letter has its header apart from that of its content. */
	top = g_mime_message_get_mime_part(letter);
	first = first_header(GMIME_OBJECT(letter));
	inner = top == NULL ? -1 : first_octet(top);
	return first < 0 || (inner >= 0 && inner < first) ? inner : first;
}

static size_t
line_before(struct span mail, size_t at)
{
	if (at > 0)
		at--;
	while (at > 0 && mail.data[at - 1] != '\n')
		at--;
	return at;
}

static bool
is_delimiter(struct span mail, size_t at, const char *boundary)
{
	size_t length = strlen(boundary);

	return span_equal_string(span_slice(mail, at, 2), "--") &&
	    span_equal(span_slice(mail, at + 2, length),
	    span_of(boundary, length));
}

/* Where the part's delimiter line starts: a line or two before the part. */
static size_t
delimiter_of(struct walk *walk, GMimeObject *part, const char *boundary)
{
	gint64 first = first_octet(part);
	size_t at = (size_t)first;

	if (first < 0) {
		walk->out->complaint = "a part without a place";
		return 0;
	}
	for (int i = 0; i < 2; i++) {
		at = line_before(walk->mail, at);
		if (is_delimiter(walk->mail, at, boundary))
			return at;
	}
	walk->out->complaint = "a part without a delimiter line";
	return 0;
}

static void
add_chunk(struct walk *walk, uint8_t type, size_t start, size_t end,
    bool attached)
{
	struct gmime_parts *out = walk->out;

	if (attached)
		walk->attachments = true;
	if (walk->attachments)
		type += ATTACHMENTS;
	if (out->count < GMIME_CHUNKS)
		out->chunks[out->count++] = (struct gmime_chunk){
		    type, start, end};
}

static bool
is_attachment(GMimeObject *part)
{
	const char *disposition = g_mime_object_get_disposition(part);

	return disposition != NULL &&
	    g_ascii_strcasecmp(disposition, "attachment") == 0;
}

/* A multipart that is not a leaf: it has parts, and its chunk is not the last
 * that there may be. */
static bool
is_frame(const struct walk *walk, GMimeObject *part, size_t depth)
{
	return GMIME_IS_MULTIPART(part) && depth < GMIME_DEPTH &&
	    walk->out->count < GMIME_CHUNKS - 1 &&
	    g_mime_multipart_get_count(GMIME_MULTIPART(part)) > 0;
}

static uint8_t
frame_type(GMimeObject *multipart)
{
	return is_type(multipart, "multipart", "alternative") ? 66 : 65;
}

static void walk_parts(struct walk *walk, GMimeObject *object,
    struct surroundings around);

static void
walk_part(struct walk *walk, GMimeObject *part, struct surroundings around)
{
	bool attached = is_attachment(part);
	size_t start = delimiter_of(walk, part, around.boundary);

	if (is_frame(walk, part, around.depth)) {
		add_chunk(walk, frame_type(part), start, GMIME_UNKNOWN,
		    attached);
		walk_parts(walk, part, around);
		return;
	}
	if (!around.is_inline && !is_type(part, "text", "*"))
		attached = true;
	add_chunk(walk, 67, start, content_end(part), attached);
}

/* The parts of a multipart; `around` is what that itself has around it. */
static void
walk_parts(struct walk *walk, GMimeObject *object, struct surroundings around)
{
	GMimeMultipart *multipart = GMIME_MULTIPART(object);

	around.boundary = g_mime_multipart_get_boundary(multipart);
	around.depth++;
	if (is_type(object, "multipart", "alternative") ||
	    is_type(object, "multipart", "related"))
		around.is_inline = true;
	for (int i = 0; i < g_mime_multipart_get_count(multipart) &&
	    walk->out->count < GMIME_CHUNKS; i++)
		walk_part(walk, g_mime_multipart_get_part(multipart, i),
		    around);
}

/* The whole mail: no chunk for its own header. */
static void
walk_mail(struct walk *walk, GMimeObject *top)
{
	struct surroundings around = {.depth = 0};
	GMimeMultipart *multipart;
	size_t first;

	if (!is_frame(walk, top, 0)) {
		if (walk->body < walk->mail.length)
			add_chunk(walk, 67, walk->body, content_end(top),
			    false);
		return;
	}
	multipart = GMIME_MULTIPART(top);
	first = delimiter_of(walk, g_mime_multipart_get_part(multipart, 0),
	    g_mime_multipart_get_boundary(multipart));
	if (first > walk->body)
		add_chunk(walk, frame_type(top), walk->body, GMIME_UNKNOWN,
		    false);
	walk_parts(walk, top, around);
}

/* GMime says where the header's last line ends. */
static size_t
behind_empty_line(struct span mail, size_t at)
{
	if (span_equal_string(span_slice(mail, at, 1), "\r"))
		at++;
	if (span_equal_string(span_slice(mail, at, 1), "\n"))
		at++;
	return at;
}

void
gmime_find_parts(struct span mail, struct gmime_parts *out)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(
	    mail.length == 0 ? "" : (const char *)mail.data, mail.length);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	struct walk walk = {.mail = mail, .out = out};

	*out = (struct gmime_parts){.count = 0};
	if (message == NULL) {
		/* It begins with no header field. */
		if (mail.length > 0)
			add_chunk(&walk, 67, 0, GMIME_UNKNOWN, false);
	} else {
		walk.body = behind_empty_line(mail,
		    (size_t)g_mime_parser_get_headers_end(parser));
		walk_mail(&walk, g_mime_message_get_mime_part(message));
		g_object_unref(message);
	}
	g_object_unref(parser);
	g_object_unref(stream);
}
