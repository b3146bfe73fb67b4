/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "dmtpd/inject.h"

/*
 * Without the milter's word: a refusal of the address, or of its mailbox, is
 * 510; of the size, 552; anything else may be a fault of this site and is 451,
 * which keeps the message in the peer's queue.
 */
static enum reply
reply_of(const struct postfix_answer *answer)
{
	enum reply named = answer->word == 0 ? REPLIES :
	    reply_by_code(answer->word);

	if (postfix_has_it(answer))
		return REPLY_ACCEPTED;
	if (named != REPLIES)
		return named;
	if (answer->code / 100 != 5)
		return REPLY_DATA_CORRUPTED;
	if (answer->code == 552 || strcmp(answer->enhanced, "5.3.4") == 0)
		return REPLY_TOO_LARGE;
	if (strncmp(answer->enhanced, "5.1.", 4) == 0 ||
	    strncmp(answer->enhanced, "5.2.", 4) == 0)
		return REPLY_RECIPIENT;
	return REPLY_DATA_CORRUPTED;
}

enum reply
inject(const struct injection *injection,
    char queue[static POSTFIX_QUEUE_SIZE], struct fault *fault)
{
	/* What is inside has a header of its own, which the milter puts there. */
	static const char no_header[] = "\r\n";
	const struct postfix_mail mail = {
	    .socket = injection->socket,
	    .helo = injection->helo,
	    .sender = injection->sender,
	    .recipient = injection->recipient,
	    .head = span_string(no_header),
	    .armor = injection->armor,
	    .session = injection->session,
	};
	struct postfix_answer answer;
	enum reply reply;
	int err;

	queue[0] = '\0';
	err = postfix_send(&mail, &answer, fault);
	if (err != 0)
		return REPLY_DATA_CORRUPTED;
	reply = reply_of(&answer);
	if (reply == REPLY_ACCEPTED)
		memcpy(queue, answer.queue, sizeof(answer.queue));
	else
		postfix_explain(&answer, fault);
	return reply;
}
