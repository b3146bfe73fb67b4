/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_OURS_H
#define DIME_DMTPD_OURS_H

#include "dmtpd/dmtpd.h"

/*
 * Finds the organization of ours that sealed the message: the one whose key
 * opens chunk 4. `sender` says where to begin, since the message itself tells
 * its origin only to those who can open it. *out is for keys_org_free(); its
 * signet is in the layout of the author's that chunk 4 names. ERR_NO_ACCESS
 * when none of ours can; ERR_SIGNATURE when it does not bear our signature
 * (255); ERR_MISMATCH when its author is not of that organization.
 */
int ours_find(struct dmtpd *dmtpd, const char *sender, struct message *message,
    struct keys_org **out, struct message_envelope *envelope,
    struct fault *fault);

#endif
