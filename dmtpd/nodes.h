/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_NODES_H
#define DIME_DMTPD_NODES_H

#include "dmtpd/dmtpd.h"

/*
 * What the site's other nodes know of a message, asked of dime-policyd. None of
 * these takes longer than two seconds, and none has to succeed: who hears
 * nothing delivers, perhaps a second time.
 */

enum nodes_word {
	NODES_NOTHING,   /* it is ours to deliver; or nothing is known */
	NODES_DELIVERING, /* another node is at it */
	NODES_DELIVERED, /* another node has delivered it */
};

/* Before a message goes to Postfix. After NODES_NOTHING one of the two below
 * follows. */
enum nodes_word nodes_claim(struct dmtpd *dmtpd, const char *identifier,
    const char *recipient);

/* It is in Postfix's queue. */
void nodes_delivered(struct dmtpd *dmtpd, const char *identifier,
    const char *recipient);
/* It is not, and another node may try. */
void nodes_release(struct dmtpd *dmtpd, const char *identifier,
    const char *recipient);

#endif
