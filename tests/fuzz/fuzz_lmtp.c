/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "dmtp/lmtp.h"

/* A whole session, its input in pieces; all that is said goes to `said`. */
static void
converse(struct span input, size_t piece, struct buffer *said)
{
	static const struct lmtp_settings settings = {"a.test", 300};
	enum lmtp_event event = LMTP_NOTHING;
	struct lmtp lmtp;

	lmtp_start(&lmtp, &settings);
	while (input.length > 0 && event != LMTP_QUIT) {
		struct span part = span_slice(input, 0, piece);

		input = span_slice(input, piece, SIZE_MAX);
		while (event != LMTP_QUIT &&
		    (event = lmtp_feed(&lmtp, &part)) != LMTP_NOTHING) {
			buffer_u8(said, (uint8_t)event);
			if (event != LMTP_MESSAGE)
				continue;
			FUZZ_CHECK(lmtp.message.length <= settings.size_limit);
			buffer_append_span(said, buffer_span(&lmtp.message));
			lmtp_answer(&lmtp, 250, "2.0.0", "delivered");
		}
	}
	lmtp_say_closing(&lmtp);
	buffer_append_span(said, buffer_span(&lmtp.output));
	lmtp_free(&lmtp);
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
