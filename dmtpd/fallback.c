/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "dmtpd/fallback.h"
#include "dmtpd/transit.h"

static void
say(const struct fallback *order, struct verdict *verdict, int err,
    const char *text, const char *more)
{
	enum { SHARE = VERDICT_TEXT_SIZE / 2 - 32 };

	verdict->smtp = err == 0 ? 250 : 451;
	snprintf(verdict->enhanced, sizeof(verdict->enhanced), "%s",
	    err == 0 ? "2.0.0" : error_row(err)->enhanced);
	snprintf(verdict->text, sizeof(verdict->text), "%.*s: %s%.*s", SHARE,
	    order->why, text, SHARE, more);
}

bool
fallback(const struct fallback *order, struct verdict *verdict,
    char queue[static POSTFIX_QUEUE_SIZE])
{
	const struct postfix_mail mail = {
	    .socket = order->socket,
	    .helo = order->helo,
	    .sender = order->sender,
	    .recipient = order->recipient,
	    .head = span_string(transit_head),
	    .armor = order->armor,
	};
	struct postfix_answer answer = {0};
	struct fault fault = {0};
	int err = postfix_send(&mail, &answer, &fault);

	memcpy(queue, answer.queue, sizeof(answer.queue));
	if (err == 0 && postfix_has_it(&answer)) {
		say(order, verdict, 0, "goes by SMTP as ", answer.queue);
		return true;
	}
	/* Whatever it is, a fault of this site. */
	if (err == 0)
		postfix_explain(&answer, &fault);
	say(order, verdict, ERR_UNREACHABLE, "nor by SMTP: ", fault.text);
	return false;
}
