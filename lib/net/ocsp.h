/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_NET_OCSP_H
#define DIME_NET_OCSP_H

#include "net/stream.h"

/*
 * The status of a peer's certificate by OCSP (RFC 6960): what to ask, and what
 * an answer is worth. No I/O: http.h carries the one to a responder and the
 * other back.
 */

enum ocsp_status {
	OCSP_GOOD,
	OCSP_REVOKED,
	OCSP_UNKNOWN, /* the responder does not know the certificate */
};

struct ocsp_query;

/* About the certificate of a peer whose chain is valid, which must outlive it.
 * ERR_CERTIFICATE when there is no chain; ERR_MEMORY. */
int ocsp_query_new(const struct tls_peer *peer, struct ocsp_query **out,
    struct fault *fault);
void ocsp_query_free(struct ocsp_query *query);

/* The URI of a responder that the certificate names; NULL behind the last. */
const char *ocsp_responder(const struct ocsp_query *query, size_t index);

/* Appends the request, with a nonce. ERR_MEMORY. */
int ocsp_write(const struct ocsp_query *query, struct buffer *out);

/*
 * Reads a response: to this request, or with `stapled` one that came with the
 * handshake. 0 when it is signed by the certificate's issuer or by whom the
 * issuer lets sign, speaks of this certificate, is in time, and has the
 * request's nonce or none; then *status, and in *seconds for how long the
 * response is good. Else ERR_CERTIFICATE with the reason, or ERR_MEMORY.
 */
int ocsp_read(const struct ocsp_query *query, struct span response,
    bool stapled, enum ocsp_status *status, int64_t *seconds,
    struct fault *fault);

#endif
