/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_NET_TLS_KEPT_H
#define DIME_NET_TLS_KEPT_H

#include <openssl/ssl.h>

#include "net/stream.h"

/*
 * TLS sessions of a client that have ended well, by the names of their peers:
 * bounded in number and time. Each is taken once; a connection that resumes it
 * and ends well puts it back. Between the files of TLS only; any thread.
 */
struct tls_kept;

/* NULL without memory. */
struct tls_kept *tls_kept_new(void);
void tls_kept_free(struct tls_kept *kept);

/* Takes the session over; without memory it is not kept. The OCSP response came
 * with the handshake that made it: none comes when it is resumed. */
void tls_kept_put(struct tls_kept *kept, const char *name,
    SSL_SESSION *session, struct span stapled);

/* A session, which the caller frees, and its response, appended; or NULL. */
SSL_SESSION *tls_kept_take(struct tls_kept *kept, const char *name,
    struct buffer *stapled);

#endif
