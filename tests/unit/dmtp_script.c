/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/dmtp_script.h"

#include <stdlib.h>

/* "r576.test" asks the driver for 576. */
static enum reply
scripted(const char *name, enum reply usual)
{
	return name[0] == 'r' && name[1] >= '2' && name[1] <= '5'
	    ? reply_by_code(atoi(name + 1)) : usual;
}

static void
answer(struct dmtp_server *server, enum dmtp_server_event event,
    struct buffer *events)
{
	const struct dmtp_argument *a = server->arguments;

	switch (event) {
	case DMTP_SERVER_MAIL:
		buffer_printf(events, "M(%s)", a[0].text);
		dmtp_server_answer(server, scripted(a[0].text, REPLY_OK), "");
		break;
	case DMTP_SERVER_RCPT:
		buffer_printf(events, "R(%s)", a[0].text);
		dmtp_server_answer(server, scripted(a[0].text, REPLY_OK), "");
		break;
	case DMTP_SERVER_DATA:
		buffer_printf(events, "D(%s>%s:", server->origin.domain,
		    server->destination.domain);
		buffer_append_span(events, buffer_span(&server->message));
		buffer_append_string(events, ")");
		dmtp_server_answer(server, REPLY_ACCEPTED, "ID");
		break;
	case DMTP_SERVER_SGNT:
		buffer_printf(events, "S(%s%s)", a[0].text,
		    a[1].given ? "+" : "");
		dmtp_server_answer_listing(server, REPLY_USER_SIGNET,
		    span_string("-----BEGIN\nAAAA\n"));
		break;
	case DMTP_SERVER_VRFY:
		buffer_printf(events, "V(%s)", a[0].text);
		dmtp_server_answer(server, REPLY_ORG_CURRENT, "");
		break;
	case DMTP_SERVER_HIST:
		buffer_printf(events, "H(%s%s%s)", a[0].text,
		    a[1].given ? " start" : "", a[2].given ? " stop" : "");
		dmtp_server_answer(server, REPLY_SIGNET_UNAVAILABLE, "");
		break;
	case DMTP_SERVER_QUIT:
		buffer_append_string(events, "Q");
		break;
	case DMTP_SERVER_NOTHING:
		break;
	}
}

bool
dmtp_script_feed(struct dmtp_server *server, struct span input,
    struct buffer *events)
{
	enum dmtp_server_event event;

	do {
		event = dmtp_server_feed(server, &input);
		answer(server, event, events);
	} while (event != DMTP_SERVER_NOTHING && event != DMTP_SERVER_QUIT);
	return event != DMTP_SERVER_QUIT;
}

static struct dmtp_server session;

static void
start(void)
{
	static const struct dmtp_server_settings settings = {
	    .hostname = "mx.beta.test", .size_limit = SIZE_LIMIT};

	dmtp_server_start(&session, &settings);
}

static bool
feed_session(struct span input, struct buffer *events)
{
	return dmtp_script_feed(&session, input, events);
}

static void
end(struct buffer *output)
{
	buffer_append_span(output, buffer_span(&session.output));
	dmtp_server_free(&session);
}

const struct transcript_engine dmtp_script = {start, feed_session, end};
