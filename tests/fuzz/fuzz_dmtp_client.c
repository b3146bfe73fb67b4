/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "dmtp/client.h"

/* All replies of a server that sends in pieces, as they were understood. */
static void
listen_to(struct span input, size_t piece, struct buffer *heard)
{
	struct dmtp_client client;
	bool complete = false;
	int err = 0;

	dmtp_client_start(&client);
	while (err == 0 && input.length > 0) {
		struct span part = span_slice(input, 0, piece);

		input = span_slice(input, piece, SIZE_MAX);
		while (part.length > 0 && (err = dmtp_client_feed(&client,
		    &part, &complete, NULL)) == 0 && complete) {
			FUZZ_CHECK(client.code >= 200 && client.code < 600);
			buffer_printf(heard, "%d %s\n", client.code,
			    client.text);
			buffer_append_span(heard, buffer_span(&client.listing));
			dmtp_client_next(&client);
		}
	}
	buffer_printf(heard, "%d", err);
	dmtp_client_free(&client);
}

/* A server that sends all at once is understood like one that dribbles. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer whole = buffer_make(FUZZ_LIMIT);
	struct buffer octets = buffer_make(FUZZ_LIMIT);

	listen_to(span_of(data, size), SIZE_MAX, &whole);
	listen_to(span_of(data, size), 1, &octets);
	FUZZ_CHECK(span_equal(buffer_span(&whole), buffer_span(&octets)));
	buffer_free(&whole);
	buffer_free(&octets);
	return 0;
}
