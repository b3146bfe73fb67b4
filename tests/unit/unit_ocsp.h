/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_UNIT_OCSP_H
#define DIME_TESTS_UNIT_UNIT_OCSP_H

#include "tests/unit/unit_tls.h"

/* An OCSP responder on a loopback address, which answers as a test likes. */

enum responder_mode {
	RESPONDER_GOOD,
	RESPONDER_REVOKED,
	RESPONDER_UNKNOWN,
	RESPONDER_EXPIRED,    /* nextUpdate has passed */
	RESPONDER_FUTURE,     /* thisUpdate is to come */
	RESPONDER_NO_NEXT,    /* thisUpdate is now, no nextUpdate */
	RESPONDER_OLD_NO_NEXT, /* thisUpdate was yesterday, no nextUpdate */
	RESPONDER_NO_NONCE,
	RESPONDER_OTHER_NONCE,
	RESPONDER_FOREIGN,    /* signed by another authority's certificate */
	RESPONDER_DELEGATED,  /* signed by whom the issuer lets sign */
	RESPONDER_UNDELEGATED, /* by a certificate of the issuer's, but for
	                          something else */
	RESPONDER_OTHER,      /* about another certificate */
	RESPONDER_TRY_LATER,
	RESPONDER_SPOILT,     /* a bit of the signature is changed */
	RESPONDER_TRAILING,   /* octets behind the response */
	RESPONDER_GARBAGE,
	RESPONDER_HUGE,
	RESPONDER_SILENT,
	RESPONDER_CLOSES,
	RESPONDER_500,
	RESPONDER_REDIRECTS,  /* to itself */
	RESPONDER_OTHER_TYPE,
	RESPONDER_NOT_HTTP,
	RESPONDER_MODES
};

/* "good" and so on, as the names above. -1 for no such name. */
int responder_mode_by_name(const char *name);

struct responder;

/* Answers for certificates of the issuer, which outlives it. *port 0: any, and
 * set. `directory` is for certificates of its own. */
struct responder *responder_start(const char *address, unsigned int *port,
    const struct unit_certificate *issuer, const char *directory);
void responder_end(struct responder *responder);

void responder_set(struct responder *responder, enum responder_mode mode);
/* Connections since the last call. */
int responder_asked(struct responder *responder);

/* Appends a response in the given mode about a certificate, as a server would
 * staple it. */
void responder_make(struct responder *responder, enum responder_mode mode,
    const struct unit_certificate *certificate, struct buffer *out);

#endif
