/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "dime/headers.h"

static void
rebuild(struct span common, struct span others)
{
	struct buffer block = buffer_make(FUZZ_LIMIT);
	char sender[ADDRESS_SIZE];
	bool has_sender;

	headers_read(common, others, &block, sender, &has_sender, NULL);
	buffer_free(&block);
}

/* What chunks 33 and 34 made of a block say gives that block, octet for
 * octet. */
static void
round_trip(struct span mime)
{
	struct buffer common = buffer_make(FUZZ_LIMIT);
	struct buffer others = buffer_make(FUZZ_LIMIT);
	struct buffer again = buffer_make(FUZZ_LIMIT);
	struct span block, body;
	char sender[ADDRESS_SIZE];
	bool has_sender;

	headers_split(mime, &block, &body);
	FUZZ_CHECK(block.length + body.length == mime.length);
	if (headers_write(block, "a@alpha.test", &common, &others, NULL) == 0) {
		FUZZ_CHECK(headers_read(buffer_span(&common),
		    buffer_span(&others), &again, sender, &has_sender,
		    NULL) == 0);
		FUZZ_CHECK(span_equal(block, buffer_span(&again)));
		FUZZ_CHECK(has_sender && strcmp(sender, "a@alpha.test") == 0);
	}
	buffer_free(&common);
	buffer_free(&others);
	buffer_free(&again);
}

/* The first octet says where chunk 33 ends and chunk 34 begins. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span whole = span_of(data, size);
	struct span rest = span_slice(whole, 1, SIZE_MAX);

	if (size == 0)
		return 0;
	rebuild(span_slice(rest, 0, data[0]),
	    span_slice(rest, data[0], SIZE_MAX));
	round_trip(rest);
	return 0;
}
