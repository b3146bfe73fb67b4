/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "dime/headers.h"
#include "dime/message.h"
#include "dime/mime.h"

static bool
is_attachment(const struct mime_segment *segment)
{
	return segment->type > MESSAGE_DISPLAY_CONTENT;
}

/* The segments of a mail are its body, in order, cut in front of delimiter
 * lines; those of attachments come last. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mime_segment segments[MIME_SEGMENTS];
	struct span block, body;
	size_t count, taken = 0;

	headers_split(span_of(data, size), &block, &body);
	count = mime_cut(block, body, segments);
	FUZZ_CHECK(count <= MIME_SEGMENTS && (count > 0) == (body.length > 0));
	for (size_t i = 0; i < count; i++) {
		const struct mime_segment *segment = &segments[i];

		FUZZ_CHECK(segment->data.length > 0);
		FUZZ_CHECK(segment->data.data == body.data + taken);
		taken += segment->data.length;
		FUZZ_CHECK(message_chunk_name(segment->type) != NULL);
		if (i == 0)
			continue;
		FUZZ_CHECK(span_equal_string(span_slice(segment->data, 0, 2),
		    "--"));
		FUZZ_CHECK(segment->data.data[-1] == '\n');
		FUZZ_CHECK(is_attachment(segment) ||
		    !is_attachment(&segments[i - 1]));
	}
	FUZZ_CHECK(taken == body.length);
	return 0;
}
