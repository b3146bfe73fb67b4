/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "dime/resealing.h"
#include "dmtpd/reseal.h"
#include "dmtpd/transit.h"

static void
say(struct verdict *verdict, int smtp, const char *enhanced)
{
	verdict->smtp = smtp;
	snprintf(verdict->enhanced, sizeof(verdict->enhanced), "%s", enhanced);
}

/* The peer's words and ours. */
static void
explain(const struct reseal *order, struct verdict *verdict, const char *text,
    const char *more)
{
	enum { SHARE = VERDICT_TEXT_SIZE / 2 - 16 };

	snprintf(verdict->text, sizeof(verdict->text), "%.*s: %s%.*s", SHARE,
	    order->why, text, SHARE, more);
}

/* Only the milter knows that a message is beyond help. Any other refusal may be
 * a fault of this site, which an administrator can mend while the message
 * waits. */
static void
judge(const struct reseal *order, const struct postfix_answer *answer,
    struct verdict *verdict)
{
	struct fault fault;

	if (postfix_has_it(answer)) {
		say(verdict, 250, "2.0.0");
		explain(order, verdict, "sealed anew as ", answer->queue);
	} else if (answer->word != 0 && answer->enhanced[0] != '\0') {
		say(verdict, answer->code, answer->enhanced);
		explain(order, verdict, "", answer->text);
	} else {
		postfix_explain(answer, &fault);
		say(verdict, 451, error_row(ERR_INTERNAL)->enhanced);
		explain(order, verdict, "sealing it anew: ", fault.text);
	}
}

bool
reseal(const struct reseal *order, struct verdict *verdict,
    char queue[static POSTFIX_QUEUE_SIZE])
{
	struct buffer head = buffer_make(SIZE_MAX);
	struct postfix_mail mail = {
	    .socket = order->socket,
	    .helo = order->helo,
	    .sender = order->sender,
	    .recipient = order->recipient,
	    .armor = order->armor,
	};
	struct postfix_answer answer = {0};
	struct fault fault = {0};
	int err;

	resealing_write(order->count + 1, order->origin, &head);
	buffer_append_string(&head, transit_head);
	mail.head = buffer_span(&head);
	err = head.error != 0 ? fault_set(&fault, head.error, NULL)
	    : postfix_send(&mail, &answer, &fault);
	buffer_free(&head);
	memcpy(queue, answer.queue, sizeof(answer.queue));
	if (err == 0) {
		judge(order, &answer, verdict);
		return postfix_has_it(&answer);
	}
	say(verdict, 451, error_row(ERR_INTERNAL)->enhanced);
	explain(order, verdict, "sealing it anew: ", fault_text(&fault, err));
	return false;
}
