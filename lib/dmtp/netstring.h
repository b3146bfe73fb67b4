/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTP_NETSTRING_H
#define DIME_DMTP_NETSTRING_H

#include "base/buffer.h"
#include "base/error.h"

/*
 * Netstrings, `LENGTH:content,`, as Postfix's socketmap and our facts socket
 * use them. A reader takes octets as they come, in pieces of any size, and does
 * no I/O:
 *
 *	netstring_start(&reader, limit);
 *	while (err == 0 && !complete && more octets came)
 *		err = netstring_feed(&reader, &input, &complete);
 *	... netstring_content(&reader) ...
 *	netstring_next(&reader);
 */
struct netstring_reader {
	enum {
		NETSTRING_LENGTH,
		NETSTRING_CONTENT,
		NETSTRING_END,
		NETSTRING_COMPLETE,
	} state;
	size_t digits;
	size_t length;
	struct buffer content;
	int error; /* sticky */
};

/* Reads netstrings of at most `limit` octets of content. */
void netstring_start(struct netstring_reader *reader, size_t limit);

/*
 * Takes octets from the front of *input, which is moved behind what was taken:
 * up to the end of the first netstring, where *complete becomes true. Nothing
 * more is taken until netstring_next().
 *
 * ERR_FORMAT when the length is not a plain decimal number without leading
 * zeros or the final comma is missing; ERR_TOO_LARGE, before any content is
 * stored, for a length over the limit; ERR_MEMORY. There is no way to go on
 * after an error: every later call answers it again.
 */
int netstring_feed(struct netstring_reader *reader, struct span *input,
    bool *complete);

/* The content of the complete netstring, good until netstring_next(). */
struct span netstring_content(const struct netstring_reader *reader);

/* Forgets the complete netstring and its memory and waits for the next. */
void netstring_next(struct netstring_reader *reader);

void netstring_free(struct netstring_reader *reader);

/* Appends `content` as a netstring. */
void netstring_write(struct span content, struct buffer *out);

#endif
