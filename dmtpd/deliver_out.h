/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_DELIVER_OUT_H
#define DIME_DMTPD_DELIVER_OUT_H

#include "dmtpd/dmtpd.h"

enum { VERDICT_TEXT_SIZE = 640 };

/* What LMTP is told of one delivery attempt. */
struct verdict {
	int smtp;
	char enhanced[12];
	char text[VERDICT_TEXT_SIZE];
};

/* A message that Postfix handed over. */
struct deliver_out {
	struct dmtpd *dmtpd;
	const char *sender;    /* LMTP's envelope: a hint where to begin */
	const char *recipient; /* only to be compared with what is inside */
	const char *sender_given, *recipient_given; /* as they were written */
	struct buffer *mail;   /* freed as soon as it has been read */
};

/*
 * One attempt: checks that the message is ours and signed by us, and delivers
 * it to the domain for which it was sealed. Writes the log line.
 */
void deliver_out(struct deliver_out *delivery, struct verdict *verdict);

#endif
