/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_ORIGIN_H
#define DIME_DMTPD_ORIGIN_H

#include "dmtp/reply.h"
#include "dmtpd/dmtpd.h"

/*
 * The origin of a message, for MAIL: its signet, confirmed, with just this
 * fingerprint, asked of dime-policyd. REPLY_OK and *out (for
 * org_signet_free()), or the refusal: 470 for now, 570 when it has failed for
 * 72 hours, 575 when there is no record or no such signet. `fault` says why.
 */
enum reply origin_find(struct dmtpd *dmtpd, int64_t wait, const char *domain,
    const char *fingerprint, struct org_signet **out, struct fault *fault);

#endif
