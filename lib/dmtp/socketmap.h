/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTP_SOCKETMAP_H
#define DIME_DMTP_SOCKETMAP_H

#include "base/buffer.h"
#include "base/error.h"

/*
 * Postfix's socketmap (socketmap_table(5)), the server's side: a netstring
 * `name SP key` comes, a netstring `STATUS SP text` goes back.
 */

enum {
	SOCKETMAP_QUERY_LIMIT = 10000,  /* octets inside the netstring */
	SOCKETMAP_REPLY_LIMIT = 100000, /* likewise; Postfix reads no more */
};

enum socketmap_status {
	SOCKETMAP_OK,       /* text: the value */
	SOCKETMAP_NOTFOUND, /* no text */
	SOCKETMAP_TEMP,     /* text: the reason, as for those below */
	SOCKETMAP_TIMEOUT,
	SOCKETMAP_PERM,
};

struct socketmap_query {
	struct span map; /* printable ASCII, never empty */
	struct span key; /* any octets, spaces included; may be empty */
};

/* Reads what was inside a netstring; the views point into `text`.
 * ERR_FORMAT. */
int socketmap_read(struct span text, struct socketmap_query *query,
    struct fault *fault);

/*
 * Appends a reply, netstring and all. A text that Postfix would not read to its
 * end turns the reply into TEMP.
 */
void socketmap_write(enum socketmap_status status, const char *text,
    struct buffer *out);

#endif
