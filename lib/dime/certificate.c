/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>

#include "dime/certificate.h"

enum secure { INSECURE, SECURE, ANY_SECURITY };
enum tls { TLS_NONE, TLS_MATCHES, TLS_MISMATCH };
enum x509 { INVALID, VALID, ANY_X509 };
enum { ANY_STATUS = CERTIFICATE_STATUSES };

/* Part 7's table, with the rows that only its text has. Exactly one row fits
 * any facts. */
static const struct row {
	enum secure secure;
	enum tls tls;
	enum x509 x509;
	int status;
	bool accept;
	const char *reason;
} rows[] = {
    {SECURE, TLS_MATCHES, ANY_X509, ANY_STATUS, true,
     "signed by a tls value of a record that DNSSEC secures"},
    {ANY_SECURITY, TLS_MISMATCH, ANY_X509, ANY_STATUS, false,
     "no tls value of the record signs the certificate"},
    {INSECURE, TLS_MATCHES, VALID, ANY_STATUS, true,
     "signed by a tls value, and valid by itself"},
    {INSECURE, TLS_MATCHES, INVALID, ANY_STATUS, false,
     "signed by a tls value, but without DNSSEC it must be valid by itself and "
     "is not"},
    {ANY_SECURITY, TLS_NONE, INVALID, ANY_STATUS, false,
     "not valid by itself, and the record has no tls value"},
    {ANY_SECURITY, TLS_NONE, VALID, CERTIFICATE_NO_RESPONDER, true,
     "valid by itself"},
    {ANY_SECURITY, TLS_NONE, VALID, CERTIFICATE_GOOD, true,
     "valid by itself, and its status (OCSP) is good"},
    {ANY_SECURITY, TLS_NONE, VALID, CERTIFICATE_REVOKED, false,
     "its issuer has revoked it (OCSP)"},
    {ANY_SECURITY, TLS_NONE, VALID, CERTIFICATE_UNKNOWN, false,
     "its issuer does not know it (OCSP)"},
    {ANY_SECURITY, TLS_NONE, VALID, CERTIFICATE_UNREACHABLE, false,
     "its status (OCSP) is not known to be good"},
};

static enum tls
tls_of(const struct certificate_facts *facts)
{
	if (!facts->record_has_tls)
		return TLS_NONE;
	return facts->tls_matches ? TLS_MATCHES : TLS_MISMATCH;
}

static bool
fits(const struct row *row, const struct certificate_facts *facts)
{
	return (row->secure == ANY_SECURITY ||
	           row->secure == (facts->record_secure ? SECURE : INSECURE)) &&
	    row->tls == tls_of(facts) &&
	    (row->x509 == ANY_X509 ||
	        row->x509 == (facts->x509_valid ? VALID : INVALID)) &&
	    (row->status == ANY_STATUS || row->status == (int)facts->status);
}

bool
certificate_wants_status(const struct certificate_facts *facts)
{
	return !facts->record_has_tls && facts->x509_valid;
}

/* What confirms a signet where DNSSEC does not: the certificate has passed what
 * a CA-signed one must pass, for a name of the target domain. */
struct certificate_verdict
certificate_judge(const struct certificate_facts *facts)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (fits(&rows[i], facts))
			return (struct certificate_verdict){
			    .accept = rows[i].accept,
			    .confirms = rows[i].accept && facts->x509_valid &&
			        facts->name_in_domain,
			    .reason = rows[i].reason,
			};
	return (struct certificate_verdict){false, false, "not judged"};
}
