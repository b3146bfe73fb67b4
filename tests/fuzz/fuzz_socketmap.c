/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "dmtp/netstring.h"
#include "dmtp/socketmap.h"

/* All queries of a client that sends in pieces, answered with their keys. */
static void
serve(struct span input, size_t piece, struct buffer *replies)
{
	struct netstring_reader reader;
	bool complete = false;
	int err = 0;

	netstring_start(&reader, 300);
	while (err == 0 && input.length > 0) {
		struct span part = span_slice(input, 0, piece);

		input = span_slice(input, piece, SIZE_MAX);
		while (part.length > 0 && (err = netstring_feed(&reader, &part,
		    &complete)) == 0 && complete) {
			struct socketmap_query query;
			char key[301] = "?";

			if (socketmap_read(netstring_content(&reader), &query,
			    NULL) == 0) {
				FUZZ_CHECK(query.map.length > 0);
				span_copy_string(query.key, key, sizeof(key));
			}
			socketmap_write(SOCKETMAP_OK, key, replies);
			netstring_next(&reader);
		}
	}
	buffer_printf(replies, "%d", err);
	netstring_free(&reader);
}

/* A client that sends all at once is answered like one that dribbles. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer whole = buffer_make(FUZZ_LIMIT);
	struct buffer octets = buffer_make(FUZZ_LIMIT);

	serve(span_of(data, size), SIZE_MAX, &whole);
	serve(span_of(data, size), 1, &octets);
	FUZZ_CHECK(span_equal(buffer_span(&whole), buffer_span(&octets)));
	buffer_free(&whole);
	buffer_free(&octets);
	return 0;
}
