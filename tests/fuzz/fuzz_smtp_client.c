/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "dmtp/smtp_client.h"

/* A whole transaction; the server answers with the next line of `input`
 * whatever was said, which goes to `said`. */
static void
converse(struct span input, size_t piece, struct buffer *said)
{
	static const char head[] = "A: b\n", body[] = "\n.one\r\n..two\n.";
	const struct smtp_client_mail mail = {
	    .helo = "a.test",
	    .sender = "a@a.test",
	    .recipient = "b@b.test",
	    .head = span_string(head),
	    .body = span_string(body),
	};
	struct smtp_client client;

	smtp_client_start(&client, &mail);
	while (!smtp_client_done(&client)) {
		if (smtp_client_send(&client, said))
			continue;
		if (input.length == 0)
			break;
		smtp_client_receive(&client, span_slice(input, 0, piece));
		input = span_slice(input, piece, SIZE_MAX);
	}
	FUZZ_CHECK(said->error == 0 && said->length < 1024);
	FUZZ_CHECK(client.code == 0 || client.decided < SMTP_CLIENT_QUIT);
}

/* Octets that come one by one; and at most 7 at a time, which may be early
 * replies. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer said = buffer_make(FUZZ_LIMIT);

	converse(span_of(data, size), 1, &said);
	buffer_reset(&said);
	converse(span_of(data, size), 7, &said);
	buffer_free(&said);
	return 0;
}
