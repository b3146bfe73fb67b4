/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_SPREAD_H
#define DIME_DMTPD_SPREAD_H

#include "dmtpd/dmtpd.h"

/*
 * Once a second, in a thread of its own, tells the site's other nodes by way of
 * dime-policyd what was counted here (dmtpd->rates), and hears what they have.
 * No session waits for it; without dime-policyd or Redis each node counts for
 * itself.
 */
struct spreader;

/* ERR_MEMORY, ERR_SYSTEM. */
int spreader_new(struct dmtpd *dmtpd, struct spreader **out);

/* Ends the thread, which takes two seconds at most. */
void spreader_free(struct spreader *spreader);

#endif
