/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_TRANSIT_H
#define DIME_DMTPD_TRANSIT_H

#include "base/error.h"
#include "base/span.h"

/*
 * The transit form (M20): how a sealed message stands in a mail queue. Mail
 * with a header that tells nothing of what is inside, and the armor as its
 * body.
 */

/* The header that a message gets on its way into the queue, with the empty line
 * behind it. */
extern const char transit_head[];

enum { TRANSIT_QUEUE_SIZE = 64 };

/* Mail in transit form, as views. */
struct transit {
	struct span armor; /* the body */
	/* Queue id that the topmost Received field shows, "" without one. */
	char queue[TRANSIT_QUEUE_SIZE];
	unsigned int resealed; /* how often it was sealed anew */
};

/*
 * Takes mail with CR LF or LF line ends apart. Fields that a queue adds in
 * front are passed over. ERR_FORMAT when it is not in transit form: nothing
 * that is not sealed may go out.
 */
int transit_read(struct span mail, struct transit *out, struct fault *fault);

/* Octets that mail of at most `limit` octets can have once it is sealed:
 * chunks, keyslots and padding add to it. */
size_t transit_binary_size(int64_t limit);

/* Octets that the armor of a message of `size` octets can have at most. */
size_t transit_armor_size(size_t size);

#endif
