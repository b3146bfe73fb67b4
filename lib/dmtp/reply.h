/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTP_REPLY_H
#define DIME_DMTP_REPLY_H

#include "base/buffer.h"
#include "base/error.h"

/* Replies of DMTP, by the table reply.def that both sides share. */

enum { DMTP_LINE_LIMIT = 512 }; /* octets of a line with its end (D1) */

enum reply {
#define REPLY(name, ...) name,
#include "dmtp/reply.def"
#undef REPLY
	REPLIES
};

struct reply_row {
	int code;
	int error; /* what a client makes of it */
	const char *text;
};

const struct reply_row *reply_row(enum reply reply);

/* The first row with `code`, or REPLIES when there is none. */
enum reply reply_by_code(int code);

/* With what a server answers the error: the first row with the DMTP code that
 * error.def gives it. */
enum reply reply_of_error(int err);

/*
 * What a reply code means for whoever sent the command: 0 for the codes from
 * 200 to 399 of the table, its error for the others. A code that Part 7 does
 * not know is ERR_REFUSED from 500 to 599, since all of these are permanent,
 * and otherwise ERR_PROTOCOL.
 */
int reply_error_of_code(int code);

/*
 * Appends one reply line: code, text and `more`, which may be "" and otherwise
 * brings its own space. Octets of `more` that a line may not hold become '?';
 * what would make the line too long is cut off.
 */
void reply_write(enum reply reply, const char *more, struct buffer *out);

/* Appends a multi-line reply: every line of `listing` behind `CODE-`, then the
 * reply's own line. The lines of `listing` must be short enough. */
void reply_write_listing(enum reply reply, struct span listing,
    struct buffer *out);

#endif
