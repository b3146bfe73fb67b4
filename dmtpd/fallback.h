/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_FALLBACK_H
#define DIME_DMTPD_FALLBACK_H

#include "dmtpd/deliver_out.h"
#include "dmtpd/postfix.h"

/* A message of ours whose destination has no host that can be reached for DMTP
 * (M20). */
struct fallback {
	const char *socket; /* of DIME-SMTP */
	const char *helo;
	const char *sender;    /* "" for <> */
	const char *recipient;
	struct span armor;
	const char *why; /* what the last host came to */
};

/*
 * Hands it to Postfix's smtpd DIME-SMTP, which queues it for the MX of the
 * recipient's domain. *verdict is for the one at hand: 250 when Postfix has it,
 * under the id that `queue` then gets, else 451. True for the first.
 */
bool fallback(const struct fallback *order, struct verdict *verdict,
    char queue[static POSTFIX_QUEUE_SIZE]);

#endif
