/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_NET_TLS_CONTEXT_H
#define DIME_NET_TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "net/stream.h"

/* Between the files of TLS and ocsp.c only. */

/* What a peer has shown, and what came of verifying it. */
struct tls_chain {
	X509 *own;
	STACK_OF(X509) *sent;     /* with it, in no certain order, or NULL */
	STACK_OF(X509) *verified; /* `own` first; NULL: it did not verify */
	X509_STORE *authorities;  /* with which that was tried last */
	int security_level;       /* OpenSSL's, likewise */
};

/* Fills an empty one, with the chain verified, after a client's handshake.
 * ERR_MEMORY, ERR_PROTOCOL: for tls_peer_free() in any case. */
int tls_peer_read(struct tls_peer *peer, SSL *tls, struct tls_context *context,
    const char *server_name);

/* A session of the context as it is now, NULL without memory. A server's has
 * the certificate for `host`, which lives until the handshake is over, unless
 * that is NULL. */
SSL *tls_context_session(struct tls_context *context, const char *host);

/* The authorities in force, which the caller frees, and how strong algorithms
 * and keys of a chain must be. */
X509_STORE *tls_context_authorities(struct tls_context *context,
    int *security_level);

/* A client's sessions that may be resumed. */
struct tls_kept *tls_context_kept(struct tls_context *context);

/* Whether the certificate, which may be NULL, is for the host. */
bool tls_certificate_has_name(X509 *certificate, const char *name);

/* Bits of an RSA key; 0 for another kind, or NULL. */
unsigned int tls_rsa_bits(const EVP_PKEY *key);

#endif
