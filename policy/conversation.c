/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "dmtp/netstring.h"
#include "policy/conversation.h"

enum {
	/* Milliseconds. An answer must be taken at once. */
	TAKING = 30 * 1000,
	ASKING = 30 * 1000, /* from a question's first octets to its last */
};

/* One question, of which `rest` holds what is left of the last read; `deadline`
 * is for its first octet. */
static int
read_question(struct stream *stream, struct netstring_reader *reader,
    uint8_t *octets, size_t size, struct span *rest, struct deadline deadline)
{
	bool complete = false, begun = false;
	int err = 0;

	while (err == 0 && !complete) {
		if (rest->length == 0) {
			rest->data = octets;
			err = stream_read(stream, octets, size, &rest->length,
			    deadline);
			if (err == 0 && rest->length == 0)
				return ERR_UNREACHABLE;
		}
		if (!begun)
			deadline = deadline_in(ASKING);
		begun = true;
		if (err == 0)
			err = netstring_feed(reader, rest, &complete);
	}
	return err;
}

void
conversation_hold(const struct conversation *conversation,
    struct stream *stream)
{
	struct buffer answer = buffer_make(conversation->answer_limit);
	struct netstring_reader reader;
	struct span rest = {NULL, 0};
	uint8_t octets[4096];
	int err = 0;

	netstring_start(&reader, conversation->question_limit);
	while (err == 0) {
		err = read_question(stream, &reader, octets, sizeof(octets),
		    &rest, deadline_in(conversation->silence));
		if (err != 0)
			break;
		conversation->answer(conversation->context,
		    netstring_content(&reader), &answer);
		netstring_next(&reader);
		err = answer.error;
		if (err == 0)
			err = stream_write(stream, buffer_span(&answer),
			    deadline_in(TAKING));
		/* A connection that is kept idle has no memory. */
		buffer_free(&answer);
	}
	if (err == ERR_FORMAT || err == ERR_TOO_LARGE)
		log_note(LOG_WARNING, "conversation", "ended: %s",
		    error_row(err)->text);
	netstring_free(&reader);
	buffer_free(&answer);
}
