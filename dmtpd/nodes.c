/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/facts.h"
#include "dmtpd/nodes.h"

enum { WAIT = 1000 /* milliseconds */ };

/* What dime-policyd says; 0 as well when it says nothing. */
static int
ask(struct dmtpd *dmtpd, enum facts_verb verb, const char *identifier,
    const char *recipient)
{
	const struct facts_request request = {.verb = verb, .from = "",
	    .to = recipient, .fingerprint = "", .wait = WAIT,
	    .message = identifier};
	struct facts_answer answer;
	int err = 0;

	facts_answer_init(&answer);
	if (facts_ask(dmtpd->facts, &request, &answer, NULL) == 0)
		err = answer.err;
	facts_answer_free(&answer);
	return err;
}

enum nodes_word
nodes_claim(struct dmtpd *dmtpd, const char *identifier, const char *recipient)
{
	switch (ask(dmtpd, FACTS_CLAIM, identifier, recipient)) {
	case ERR_EXISTS:
		return NODES_DELIVERED;
	case ERR_BUSY:
		return NODES_DELIVERING;
	default:
		return NODES_NOTHING;
	}
}

void
nodes_delivered(struct dmtpd *dmtpd, const char *identifier,
    const char *recipient)
{
	ask(dmtpd, FACTS_DELIVERED, identifier, recipient);
}

void
nodes_release(struct dmtpd *dmtpd, const char *identifier,
    const char *recipient)
{
	ask(dmtpd, FACTS_RELEASE, identifier, recipient);
}
