/* SPDX-License-Identifier: BSD-2-Clause */
/* GMime finds the same parts in the same places. */
#include <gmime/gmime.h>

#include "tests/corpus/corpus.h"
#include "tests/corpus/gmime_parts.h"

#include "base/buffer.h"
#include "dime/headers.h"
#include "dime/mime.h"

enum { TEXT_LIMIT = 1 << 20 };

static struct mime_segment segments[MIME_SEGMENTS];
static struct gmime_parts parts;

/* Where the segment starts in the mail. */
static size_t
start_of(const struct corpus_message *message, size_t segment)
{
	return (size_t)(segments[segment].data.data - message->mail.data);
}

/* Behind the content of a leaf there is nothing but delimiter lines and what
 * they close. */
static bool
ends_well(const struct mime_segment *segment, size_t start, size_t end)
{
	struct span rest, line;

	if (end == GMIME_UNKNOWN)
		return true;
	if (end < start || end - start > segment->data.length)
		return false;
	rest = span_slice(segment->data, end - start, SIZE_MAX);
	if (rest.length == 0)
		return true;
	/* Of an empty part, GMime's content ends behind the empty line. */
	if (!span_equal_string(span_slice(rest, 0, 2), "--"))
		span_next_line(&rest, &line);
	return rest.length == 0 ||
	    span_equal_string(span_slice(rest, 0, 2), "--");
}

static bool
is_same(const struct corpus_message *message, size_t count)
{
	bool same = parts.complaint == NULL && parts.count == count;

	for (size_t i = 0; same && i < count; i++)
		same = segments[i].type == parts.chunks[i].type &&
		    start_of(message, i) == parts.chunks[i].start &&
		    ends_well(&segments[i], start_of(message, i),
		        parts.chunks[i].end);
	return same;
}

/* Whether the types that we find are those that the index states. */
static bool
has_types(const char *types, size_t count)
{
	struct buffer text = buffer_make(TEXT_LIMIT);
	bool same;

	for (size_t i = 0; i < count; i++)
		buffer_printf(&text, "%s%u", i == 0 ? "" : " ",
		    segments[i].type);
	same = strcmp(buffer_string(&text), types) == 0;
	buffer_free(&text);
	return same;
}

static void
print_difference(const struct corpus_message *message, size_t count)
{
	print_error("%s: %s\n\tours ", message->name,
	    parts.complaint == NULL ? "other parts" : parts.complaint);
	for (size_t i = 0; i < count; i++)
		print_error(" %u@%zu", segments[i].type,
		    start_of(message, i));
	print_error("\n\tGMime");
	for (size_t i = 0; i < parts.count; i++)
		print_error(" %u@%zu", parts.chunks[i].type,
		    parts.chunks[i].start);
	print_error("\n");
}

static bool
has_expected_parts(const struct corpus_message *message)
{
	struct span block, body;
	size_t count;

	headers_split(message->mail, &block, &body);
	count = mime_cut(block, body, segments);
	gmime_find_parts(message->mail, &parts);
	if (message->types == NULL) {
		if (is_same(message, count))
			return true;
	} else if (is_same(message, count)) {
		print_error("%s: GMime finds the same parts, but \"%s\"\n",
		    message->name, message->reason);
		return false;
	} else if (has_types(message->types, count))
		return true;
	print_difference(message, count);
	return false;
}

static void
parts_are_those_of_gmime(void **state)
{
	corpus_each(has_expected_parts);
}

static int
start(void **state)
{
	corpus_make();
	g_mime_init();
	return unit_start(state);
}

static int
end(void **state)
{
	g_mime_shutdown();
	return unit_end(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parts_are_those_of_gmime),
	};

	if (!corpus_can_be_made())
		return 77;
	return cmocka_run_group_tests_name("parts", tests, start, end);
}
