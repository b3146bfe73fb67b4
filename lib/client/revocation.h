/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CLIENT_REVOCATION_H
#define DIME_CLIENT_REVOCATION_H

#include "client/facts.h"
#include "dime/certificate.h"
#include "net/stream.h"

/*
 * The status of peers' certificates (OCSP, D11), asked for by HTTP and kept as
 * long as the responses are good, at most a day and a bounded number of them.
 * Any thread.
 */
struct revocation;

/* Where the addresses of a responder's host come from: only such that may be
 * connected to. 0 or an error, temporary. */
struct address_source {
	void *context;
	int (*find)(void *context, const char *host, struct deadline deadline,
	    struct facts_host *out, struct fault *fault);
};

/* Before other threads start. ERR_MEMORY, ERR_SYSTEM. */
int revocation_new(const struct address_source *addresses,
    const struct clock *clock, struct revocation **out);
void revocation_free(struct revocation *revocation);

/*
 * The status of a peer's certificate whose chain is valid. A response that came
 * with the handshake is as good as one that was asked for. Of the responders
 * that the certificate names two are asked, 10 s in all. `fault` says why the
 * answer is CERTIFICATE_UNREACHABLE. Without a `revocation` nobody is asked.
 */
enum certificate_status revocation_check(struct revocation *revocation,
    const struct tls_peer *peer, struct deadline deadline,
    struct fault *fault);

#endif
