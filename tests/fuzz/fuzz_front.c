/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "dmtp/front.h"

/*
 * A conversation: an octet says by its highest bit who speaks and by the others
 * how many of the octets behind it are what he says. The first octet's lowest
 * bit says whether the client has TLS.
 */

struct said {
	struct buffer client, server;
};

static enum front_event
converse(struct span input, size_t piece, struct front *front,
    struct said *said)
{
	enum front_event event = FRONT_NOTHING;

	front_start(front, input.length > 0 && (input.data[0] & 1) != 0);
	input = span_slice(input, 1, input.length);
	while (input.length > 1) {
		const bool is_server = (input.data[0] & 0x80) != 0;
		struct span words = span_slice(input, 1, input.data[0] & 0x7f);

		input = span_slice(input, words.length + 1, input.length);
		if (!is_server && !front_reads_client(front))
			continue;
		buffer_append_span(is_server ? &said->server : &said->client,
		    words);
		for (; words.length > 0;
		     words = span_slice(words, piece, words.length))
			event = is_server
			    ? front_take_server(front,
			          span_slice(words, 0, piece))
			    : front_take_client(front,
			          span_slice(words, 0, piece));
		if (event == FRONT_CLOSE)
			break;
	}
	if (event == FRONT_NOTHING) {
		front_end_client(front);
		event = front_end_server(front);
	}
	return event;
}

/* Whether all octets of `part` are in `whole` in this order; '-' and ' ', which
 * may stand for each other behind a code, are passed over. */
static bool
is_within(struct span part, struct span whole)
{
	size_t at = 0;

	for (size_t i = 0; i < part.length; i++) {
		if (part.data[i] == '-' || part.data[i] == ' ')
			continue;
		while (at < whole.length && whole.data[at] != part.data[i])
			at++;
		if (at++ >= whole.length)
			return false;
	}
	return true;
}

static void
check(const struct front *front, enum front_event event,
    const struct said *said)
{
	struct span to_server = buffer_span(&front->to_server);
	struct span to_client = buffer_span(&front->to_client);

	FUZZ_CHECK(front->to_client.error == 0 && front->to_server.error == 0);
	if (event == FRONT_DMTP || event == FRONT_SMTP) {
		FUZZ_CHECK(*front->host != '\0' && !front->is_secured);
		FUZZ_CHECK(to_server.length >= 6);
		to_server.length -= 6; /* QUIT and its end */
	}
	if (event == FRONT_CLOSE) {
		FUZZ_CHECK(!front->is_secured);
		return;
	}
	/* Nothing is made up for the server, and nothing of its words lost. */
	FUZZ_CHECK(is_within(to_server, buffer_span(&said->client)));
	FUZZ_CHECK(front->is_secured || event != FRONT_NOTHING ||
	    is_within(buffer_span(&said->server), to_client));
	/* Nor of the client's once it is a pipe. */
	FUZZ_CHECK(event != FRONT_NOTHING ||
	    (front->client_piped && front->server_piped &&
	        front->command.length == 0 && front->reply.length == 0 &&
	        front->kept.length == 0));
}

/* Once in the pieces that the input names, once octet by octet: the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct said said[2] = {
	    {buffer_make(FUZZ_LIMIT), buffer_make(FUZZ_LIMIT)},
	    {buffer_make(FUZZ_LIMIT), buffer_make(FUZZ_LIMIT)},
	};
	struct front front[2];
	enum front_event event[2];

	for (size_t i = 0; i < 2; i++) {
		event[i] = converse(span_of(data, size), i == 0 ? 128 : 1,
		    &front[i], &said[i]);
		check(&front[i], event[i], &said[i]);
	}
	FUZZ_CHECK(event[0] == event[1]);
	FUZZ_CHECK(event[0] == FRONT_CLOSE ||
	    (span_equal(buffer_span(&front[0].to_client),
	         buffer_span(&front[1].to_client)) &&
	        span_equal(buffer_span(&front[0].to_server),
	            buffer_span(&front[1].to_server))));
	for (size_t i = 0; i < 2; i++) {
		front_free(&front[i]);
		buffer_free(&said[i].client);
		buffer_free(&said[i].server);
	}
	return 0;
}
