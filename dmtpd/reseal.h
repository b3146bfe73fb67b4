/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_RESEAL_H
#define DIME_DMTPD_RESEAL_H

#include "dmtpd/deliver_out.h"
#include "dmtpd/postfix.h"

/* A message of ours that its peer will never take: it was sealed for a signet
 * that is no more. */
struct reseal {
	const char *socket; /* of DIME-RESEAL */
	const char *helo;
	const char *sender;    /* LMTP's envelope, as it was given */
	const char *recipient; /* likewise */
	const struct message_envelope *origin; /* chunk 4 */
	unsigned int count; /* how often it was sealed anew before */
	struct span armor;
	const char *why; /* what the peer said */
};

/*
 * Has it opened and sealed anew by the milter behind Postfix's smtpd
 * DIME-RESEAL, which queues the new one. *verdict is for the old one: 250 when
 * Postfix has the new one, whose id `queue` then gets; the milter's refusal; or
 * 451. True for the first.
 */
bool reseal(const struct reseal *order, struct verdict *verdict,
    char queue[static POSTFIX_QUEUE_SIZE]);

#endif
