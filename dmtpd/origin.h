/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_ORIGIN_H
#define DIME_DMTPD_ORIGIN_H

#include "dmtp/reply.h"
#include "dmtpd/dmtpd.h"

struct origin_question {
	const char *domain, *fingerprint;
	int64_t wait;    /* milliseconds */
	struct source source; /* of the session */
	bool *looked_up; /* of the session: whether it has made this site look
	                    anything up elsewhere */
};

/* The origin of a session's last MAIL; at first zeroes. */
struct origin {
	struct org_signet *signet; /* confirmed; NULL: there is none */
	char domain[DOMAIN_SIZE];
	struct deadline fresh; /* until when it does for another MAIL */
};

/*
 * The origin of a message, for MAIL: its signet, confirmed, with just this
 * fingerprint, asked of dime-policyd, or still at hand from moments ago.
 * REPLY_OK, or the refusal, with no signet: 470 for now, 570 when it has failed
 * for 72 hours, 575 when there is no record or no such signet. `fault` says
 * why.
 *
 * A session can make this site look up one origin that it does not know; for a
 * second one it is 470 at once. All sessions together ask about so many at a
 * time and no more; others wait for their turn as long as for an answer.
 */
enum reply origin_find(struct dmtpd *dmtpd,
    const struct origin_question *question, struct origin *origin,
    struct fault *fault);

/* Between two messages: only a signet of the usual size stays at hand. */
void origin_rest(struct origin *origin);

void origin_drop(struct origin *origin);

#endif
