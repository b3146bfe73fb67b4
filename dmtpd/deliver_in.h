/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_DELIVER_IN_H
#define DIME_DMTPD_DELIVER_IN_H

#include "dmtp/reply.h"
#include "dmtpd/dmtpd.h"
#include "dmtpd/postfix.h"

/* A message that came in with DATA, and what MAIL and RCPT said of it. */
struct deliver_in {
	struct dmtpd *dmtpd;
	const char *peer;
	size_t size_limit; /* octets of the binary message */
	int64_t origin_limit; /* messages that an origin may send in a minute */
	int64_t grace; /* signet_grace */
	const struct org_signet *origin;
	const char *origin_domain;
	const char *destination;
	const char *destination_fingerprint;
	struct buffer *armor; /* freed as soon as it has been read */
	struct postfix_session *injection; /* kept, or NULL */
	char identifier[SIGNET_FINGERPRINT_SIZE]; /* out: of 254 and 255 */
	size_t in_vain; /* out: keys of the origin that were tried and had not
	                   signed, of which a few are free when another had */
};

/*
 * Checks the message (D6) and hands it to Postfix. REPLY_ACCEPTED once Postfix
 * has it in its queue, REPLY_DUPLICATE when it had it before, or the refusal.
 * Writes the log line.
 */
enum reply deliver_in(struct deliver_in *delivery);

#endif
