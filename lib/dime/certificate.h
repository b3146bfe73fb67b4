/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIME_CERTIFICATE_H
#define DIME_DIME_CERTIFICATE_H

#include <stdbool.h>

/*
 * Part 7's table of which TLS certificates a DMTP client accepts, as a pure
 * function, and whether the session confirms a signet (S17).
 */

/* What OCSP says of a certificate (D11). */
enum certificate_status {
	CERTIFICATE_UNREACHABLE, /* no usable answer, or nobody asked */
	CERTIFICATE_NO_RESPONDER, /* it names none: not applicable */
	CERTIFICATE_GOOD,
	CERTIFICATE_REVOKED,
	CERTIFICATE_UNKNOWN, /* to its own responder */
	CERTIFICATE_STATUSES
};

struct certificate_facts {
	bool record_secure; /* the record came DNSSEC-validated */
	bool record_has_tls;
	bool tls_matches;   /* record_tls_matches() */
	bool x509_valid;    /* chain, time and name */
	enum certificate_status status;
	bool name_in_domain; /* the name it is valid for is the target domain,
	                        or a dx or MX host inside the organization */
};

struct certificate_verdict {
	bool accept;
	bool confirms; /* the certificate itself is a confirming source */
	const char *reason;
};

/* Whether the verdict depends on the status, so that it has to be asked for:
 * who asks tells the responder whom this site speaks with. */
bool certificate_wants_status(const struct certificate_facts *facts);

struct certificate_verdict certificate_judge(
    const struct certificate_facts *facts);

#endif
