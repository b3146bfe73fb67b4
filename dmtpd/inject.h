/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_INJECT_H
#define DIME_DMTPD_INJECT_H

#include "base/error.h"
#include "dmtp/reply.h"
#include "dmtpd/postfix.h"

/* A message for Postfix's smtpd DIME-IN. */
struct injection {
	const char *socket;
	const char *helo;
	const char *sender;
	const char *recipient;
	struct span armor;
	struct postfix_session *session; /* as struct postfix_mail has it */
};

/*
 * Gives the message, armor without a header, to the smtpd behind the socket. Its
 * verdict as a reply of DMTP: REPLY_ACCEPTED, with Postfix's queue id in
 * `queue`, or a refusal as doc/dmtp.md has it, with the reason in `fault`.
 */
enum reply inject(const struct injection *injection,
    char queue[static POSTFIX_QUEUE_SIZE], struct fault *fault);

#endif
