/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_NET_TLS_CONTEXT_H
#define DIME_NET_TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "net/stream.h"

/* Between tls.c, tls_context.c and ocsp.c only. */

/* A chain that verified, the peer's certificate first, and the authorities that
 * it was verified with. */
struct tls_chain {
	STACK_OF(X509) *certificates;
	X509_STORE *authorities;
};

/* A session of the context as it is now, NULL without memory. A server's has the
 * certificate for `host`, which lives until the handshake is over, unless that is
 * NULL. */
SSL *tls_context_session(struct tls_context *context, const char *host);

/* Whether the certificate, which may be NULL, is for the host. */
bool tls_certificate_has_name(X509 *certificate, const char *name);

/* Bits of an RSA key; 0 for another kind, or NULL. */
unsigned int tls_rsa_bits(const EVP_PKEY *key);

#endif
