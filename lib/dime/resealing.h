/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIME_RESEALING_H
#define DIME_DIME_RESEALING_H

#include "dime/message.h"

/*
 * Two fields that mail in transit form may have inside of this site, when a
 * signet that it was sealed for is no more (doc/dmtp.md, section 5). They are
 * never sent to a peer.
 *
 *	Dimegate-Resealed: 1
 *	Dimegate-Author: <alice@alpha.test> [fingerprint]
 *
 * The first says how often the message was sealed anew; the second, between
 * dmtpd and dime-milter, which key opens it.
 */
extern const char resealing_count_field[];
extern const char resealing_author_field[];

enum { RESEALING_COUNT_MAX = 99 };

/* Read the values of the fields; false when they are not in this form. */
bool resealing_read_count(struct span value, unsigned int *count);
bool resealing_read_author(struct span value,
    char address[static ADDRESS_SIZE],
    char fingerprint[static SIGNET_FINGERPRINT_SIZE]);

/* Appends both fields, each with CR LF; the author as chunk 4 has him. */
void resealing_write(unsigned int count, const struct message_envelope *author,
    struct buffer *out);

#endif
