/* SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "net/ocsp.h"
#include "net/tls_context.h"

enum {
	SKEW = 300, /* seconds that two clocks may differ */
	/* Seconds that a response without nextUpdate is good for; newer ones
	 * are to be had at any time. */
	NO_NEXT_UPDATE = 300,
	DAY = 86400,
};

struct ocsp_query {
	STACK_OF(X509) *chain; /* the peer's */
	X509_STORE *authorities;
	STACK_OF(OPENSSL_STRING) *responders;
	OCSP_CERTID *id;
	OCSP_REQUEST *request;
};

/* ---- the question ---- */

/* A certificate that is itself an authority's is its own issuer. */
static X509 *
issuer_of(const struct ocsp_query *query)
{
	return sk_X509_value(query->chain,
	    sk_X509_num(query->chain) > 1 ? 1 : 0);
}

static bool
prepare(struct ocsp_query *query)
{
	X509 *certificate = sk_X509_value(query->chain, 0);
	OCSP_CERTID *asked;

	query->responders = X509_get1_ocsp(certificate);
	query->id = OCSP_cert_to_id(NULL, certificate, issuer_of(query));
	query->request = OCSP_REQUEST_new();
	if (query->id == NULL || query->request == NULL)
		return false;
	asked = OCSP_CERTID_dup(query->id);
	if (asked == NULL ||
	    OCSP_request_add0_id(query->request, asked) == NULL) {
		OCSP_CERTID_free(asked);
		return false;
	}
	return OCSP_request_add1_nonce(query->request, NULL, -1) == 1;
}

int
ocsp_query_new(const struct tls_peer *peer, struct ocsp_query **out,
    struct fault *fault)
{
	struct ocsp_query *query;

	*out = NULL;
	if (!peer->chain_valid)
		return fault_set(fault, ERR_CERTIFICATE,
		    "OCSP: no valid chain to ask about");
	query = calloc(1, sizeof(*query));
	if (query == NULL)
		return fault_set(fault, ERR_MEMORY, "%s", "");
	query->chain = peer->chain->verified;
	query->authorities = peer->chain->authorities;
	if (!prepare(query)) {
		ERR_clear_error();
		ocsp_query_free(query);
		return fault_set(fault, ERR_MEMORY, "%s", "");
	}
	*out = query;
	return 0;
}

void
ocsp_query_free(struct ocsp_query *query)
{
	if (query == NULL)
		return;
	X509_email_free(query->responders);
	OCSP_CERTID_free(query->id);
	OCSP_REQUEST_free(query->request);
	free(query);
}

const char *
ocsp_responder(const struct ocsp_query *query, size_t index)
{
	if (index >= INT_MAX ||
	    (int)index >= sk_OPENSSL_STRING_num(query->responders))
		return NULL;
	return sk_OPENSSL_STRING_value(query->responders, (int)index);
}

int
ocsp_write(const struct ocsp_query *query, struct buffer *out)
{
	int length = i2d_OCSP_REQUEST(query->request, NULL);
	uint8_t *space = length <= 0 ? NULL
	                             : buffer_extend(out, (size_t)length);

	if (space == NULL) {
		ERR_clear_error();
		return ERR_MEMORY;
	}
	i2d_OCSP_REQUEST(query->request, &space);
	return 0;
}

/* ---- the answer ---- */

static int
refuse(struct fault *fault, const char *what)
{
	return fault_set(fault, ERR_CERTIFICATE, "OCSP: %s", what);
}

/* The whole of it must be one response, and a successful one. */
static int
parse(struct span octets, OCSP_BASICRESP **out, struct fault *fault)
{
	const unsigned char *at = octets.data;
	OCSP_RESPONSE *response;
	int err = 0;

	*out = NULL;
	if (octets.length > LONG_MAX)
		return refuse(fault, "too large");
	response = d2i_OCSP_RESPONSE(NULL, &at, (long)octets.length);
	if (response == NULL || at != octets.data + octets.length)
		err = refuse(fault, "what came is no response");
	else if (OCSP_response_status(response) !=
	    OCSP_RESPONSE_STATUS_SUCCESSFUL)
		err = fault_set(fault, ERR_CERTIFICATE,
		    "OCSP: the responder says %s",
		    OCSP_response_status_str(OCSP_response_status(response)));
	else if ((*out = OCSP_response_get1_basic(response)) == NULL)
		err = refuse(fault, "what came is no basic response");
	OCSP_RESPONSE_free(response);
	return err;
}

/* Many responders hand out what they signed beforehand, without a nonce. */
static bool
nonce_fits(const struct ocsp_query *query, OCSP_BASICRESP *basic)
{
	int result = OCSP_check_nonce(query->request, basic);

	return result == 1 || result == -1;
}

static int
read_times(ASN1_GENERALIZEDTIME *this_update,
    ASN1_GENERALIZEDTIME *next_update, int64_t *seconds, struct fault *fault)
{
	int days, rest;

	/* Without nextUpdate, what was said a while ago proves nothing. */
	if (OCSP_check_validity(this_update, next_update, SKEW,
	        next_update == NULL ? NO_NEXT_UPDATE + SKEW : -1) != 1)
		return refuse(fault, "the response is not in time");
	*seconds = NO_NEXT_UPDATE;
	if (next_update == NULL)
		return 0;
	if (ASN1_TIME_diff(&days, &rest, NULL, next_update) != 1)
		return refuse(fault, "a time that is none");
	*seconds = (int64_t)days * DAY + rest;
	if (*seconds < 0)
		*seconds = 0;
	return 0;
}

static int
judge(const struct ocsp_query *query, OCSP_BASICRESP *basic, bool stapled,
    enum ocsp_status *status, int64_t *seconds, struct fault *fault)
{
	ASN1_GENERALIZEDTIME *this_update = NULL, *next_update = NULL;
	int found = V_OCSP_CERTSTATUS_UNKNOWN;

	if (!stapled && !nonce_fits(query, basic))
		return refuse(fault, "the response is to another request");
	if (OCSP_basic_verify(basic, query->chain, query->authorities,
	        OCSP_NOEXPLICIT) != 1)
		return refuse(fault, "not signed by whom the certificate's "
		    "issuer lets sign");
	if (OCSP_resp_find_status(basic, query->id, &found, NULL, NULL,
	        &this_update, &next_update) != 1)
		return refuse(fault, "the response is about another "
		    "certificate");
	*status = found == V_OCSP_CERTSTATUS_GOOD ? OCSP_GOOD
	    : found == V_OCSP_CERTSTATUS_REVOKED  ? OCSP_REVOKED
	                                          : OCSP_UNKNOWN;
	return read_times(this_update, next_update, seconds, fault);
}

int
ocsp_read(const struct ocsp_query *query, struct span response, bool stapled,
    enum ocsp_status *status, int64_t *seconds, struct fault *fault)
{
	OCSP_BASICRESP *basic;
	int err;

	*status = OCSP_UNKNOWN;
	*seconds = 0;
	err = parse(response, &basic, fault);
	if (err == 0)
		err = judge(query, basic, stapled, status, seconds, fault);
	OCSP_BASICRESP_free(basic);
	ERR_clear_error();
	return err;
}
