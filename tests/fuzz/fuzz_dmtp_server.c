/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "dmtp/server.h"

static void
answer(struct dmtp_server *server, enum dmtp_server_event event)
{
	if (event == DMTP_SERVER_SGNT || event == DMTP_SERVER_HIST)
		dmtp_server_answer_listing(server, REPLY_USER_SIGNET,
		    span_string("one\ntwo\n"));
	else
		dmtp_server_answer(server, REPLY_OK, "");
}

/* A whole session, its input in pieces; all that is said goes to `said`. */
static void
converse(struct span input, size_t piece, struct buffer *said)
{
	static const struct dmtp_server_settings settings = {
	    .hostname = "a.test", .size_limit = 300};
	enum dmtp_server_event event = DMTP_SERVER_NOTHING;
	struct dmtp_server server;

	dmtp_server_start(&server, &settings);
	while (input.length > 0 && event != DMTP_SERVER_QUIT) {
		struct span part = span_slice(input, 0, piece);

		input = span_slice(input, piece, SIZE_MAX);
		while (event != DMTP_SERVER_QUIT &&
		    (event = dmtp_server_feed(&server, &part)) !=
		    DMTP_SERVER_NOTHING) {
			buffer_u8(said, (uint8_t)event);
			if (event == DMTP_SERVER_DATA)
				buffer_append_span(said,
				    buffer_span(&server.message));
			if (event != DMTP_SERVER_QUIT)
				answer(&server, event);
		}
	}
	dmtp_server_say_closing(&server);
	buffer_append_span(said, buffer_span(&server.output));
	dmtp_server_free(&server);
}

/* A client that sends all at once is answered like one that dribbles. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer whole = buffer_make(FUZZ_LIMIT);
	struct buffer octets = buffer_make(FUZZ_LIMIT);

	converse(span_of(data, size), SIZE_MAX, &whole);
	converse(span_of(data, size), 1, &octets);
	FUZZ_CHECK(span_equal(buffer_span(&whole), buffer_span(&octets)));
	buffer_free(&whole);
	buffer_free(&octets);
	return 0;
}
