/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_NET_INTERNAL_H
#define DIME_NET_INTERNAL_H

#include <stdatomic.h>

#include "net/stream.h"

/* What the files of this directory share; nothing outside this directory
 * includes it. */

struct ssl_st;

struct stream {
	int fd;
	struct ssl_st *tls; /* NULL: plain */
	struct buffer input; /* received, not consumed; no memory when empty */
	size_t consumed;     /* octets at the front of it that are used up */
	size_t scanned;      /* octets after them that hold no line end */
	bool skipping;       /* within a line that was too long */
	bool broken;         /* no clean TLS shutdown is possible any more */
	atomic_bool aborted;
	char peer[64];
};

/* As stream_of_fd(), for a descriptor that is non-blocking and close-on-exec
 * already; `peer` is the other end, or of no IP family. */
struct stream *stream_of_socket(int fd, const struct sockaddr *peer,
    socklen_t length);

/*
 * One attempt to move octets, without waiting. 0 and *moved; STREAM_AGAIN with
 * the poll(2) events to wait for; or an error. A read of 0 octets is the end.
 */
enum { STREAM_AGAIN = 1 };

int tls_read(struct stream *stream, void *data, size_t size, size_t *moved,
    short *events);
int tls_write(struct stream *stream, const void *data, size_t size,
    size_t *moved, short *events);

/* Says goodbye. 0 once that is said, without an answer; STREAM_AGAIN as above;
 * an error. */
int tls_say_end(struct stream *stream, short *events);

/* Says goodbye once, without waiting for the answer, and frees. */
void tls_end(struct stream *stream);

/* Waits for `events`. 0, ERR_TIMEOUT, ERR_UNREACHABLE when aborted,
 * ERR_SYSTEM. */
int stream_wait(struct stream *stream, short events, struct deadline deadline);

/* The error for errno after a system call on a socket. */
int stream_error_of_errno(int number);

#endif
