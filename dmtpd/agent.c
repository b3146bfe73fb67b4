/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "base/mark.h"
#include "dmtp/lmtp.h"
#include "dmtpd/deliver_out.h"
#include "dmtpd/transit.h"

enum {
	PIECE = 16384,
	IDLE = 10 * 60 * 1000,  /* Postfix keeps connections for later use */
	HEADER_ROOM = 64 * 1024, /* for what a queue puts in front */
};

struct session {
	struct dmtpd *dmtpd;
	struct stream *stream;
	struct lmtp lmtp;
	struct deadline idle; /* from the last complete line */
};

static void
answer_message(struct session *session)
{
	struct lmtp *lmtp = &session->lmtp;
	struct deliver_out delivery = {
	    .dmtpd = session->dmtpd,
	    .sender = lmtp->sender,
	    .recipient = lmtp->recipient,
	    .sender_given = lmtp->sender_given,
	    .recipient_given = lmtp->recipient_given,
	    .mail = &lmtp->message,
	};
	struct verdict verdict;

	MARK("agent-has-mail");
	deliver_out(&delivery, &verdict);
	MARK("peer-answered");
	lmtp_answer(lmtp, verdict.smtp, verdict.enhanced, verdict.text);
}

static int
flush(struct session *session)
{
	struct buffer *output = &session->lmtp.output;
	int err = output->error;

	session->idle = deadline_in(IDLE);
	if (err == 0 && output->length > 0)
		err = stream_write(session->stream, buffer_span(output),
		    session->idle);
	buffer_reset(output);
	return err;
}

/* True until QUIT. */
static bool
feed(struct session *session, struct span input)
{
	uint64_t lines = session->lmtp.lines;
	enum lmtp_event event;

	do {
		event = lmtp_feed(&session->lmtp, &input);
		if (event == LMTP_MESSAGE)
			answer_message(session);
	} while (event == LMTP_MESSAGE);
	if (session->lmtp.lines != lines)
		session->idle = deadline_in(IDLE);
	return event != LMTP_QUIT;
}

static void
converse(struct session *session)
{
	uint8_t octets[PIECE];
	struct span input;
	bool open = true;
	int err;

	err = flush(session);
	while (err == 0 && open) {
		err = dmtpd_read(session->dmtpd, session->stream,
		    session->idle, &input, octets, sizeof(octets));
		if (err == ERR_TIMEOUT) {
			lmtp_say_closing(&session->lmtp);
			flush(session);
		}
		if (err != 0 || input.length == 0)
			break;
		open = feed(session, input);
		if (session->lmtp.output.length > 0)
			err = flush(session);
	}
}

void
agent_serve(struct stream *stream, void *context)
{
	struct session session = {.dmtpd = context, .stream = stream};
	struct live_settings live = dmtpd_live(session.dmtpd);
	struct lmtp_settings settings;

	settings.hostname = session.dmtpd->hostname;
	settings.size_limit = HEADER_ROOM + transit_armor_size(
	    transit_binary_size(live.message_size_limit));
	lmtp_start(&session.lmtp, &settings);
	converse(&session);
	lmtp_free(&session.lmtp);
}
