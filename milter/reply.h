/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_MILTER_REPLY_H
#define DIME_MILTER_REPLY_H

#include "milter/milter.h"

/*
 * What Postfix tells its client. The codes of an ERR_* number are those of
 * error.def. All three return what the callback returns.
 */

/* The number's own code, "451 4.7.5 TEXT". */
sfsistat reply_error(struct session *session, int err, const char *text);

/* As reply_error() for a temporary number; 451 4.3.0 for any other, whose cause
 * is not the message's and may pass. */
sfsistat reply_defer(struct session *session, int err, const char *text);

/*
 * For dmtpd, which answers its peer with `dmtp`: "550 5.7.7 DIME-578 TEXT".
 * Where the numbers disagree on whether it is permanent, DMTP's counts.
 */
sfsistat reply_dmtp(struct session *session, int err, int dmtp,
    const char *text);

#endif
