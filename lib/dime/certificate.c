/* SPDX-License-Identifier: BSD-2-Clause */
#include "dime/certificate.h"

/* What confirms a signet where DNSSEC does not: the certificate has passed what
 * a CA-signed one must pass, for a name of the target domain. The OCSP check
 * belongs to that, except where Part 7 wants it skipped. */
static struct certificate_verdict
accepted(const struct certificate_facts *facts, const char *reason)
{
	bool status_known = facts->record_has_tls || facts->ocsp_good;

	return (struct certificate_verdict){
	    .accept = true,
	    .confirms = facts->x509_valid && facts->name_in_domain &&
	        status_known,
	    .reason = reason,
	};
}

static struct certificate_verdict
refused(const char *reason)
{
	return (struct certificate_verdict){false, false, reason};
}

struct certificate_verdict
certificate_judge(const struct certificate_facts *facts)
{
	if (facts->record_has_tls) {
		if (!facts->tls_matches)
			return refused("no tls value of the record signs the "
			    "certificate");
		if (facts->record_secure)
			return accepted(facts, "signed by a tls value of a "
			    "record that DNSSEC secures");
		if (!facts->x509_valid)
			return refused("signed by a tls value, but without "
			    "DNSSEC it must be valid by itself and is not");
		return accepted(facts,
		    "signed by a tls value, and valid by itself");
	}
	if (!facts->x509_valid)
		return refused("not valid by itself, and the record has no tls "
		    "value");
	if (!facts->ocsp_good)
		return refused("its status (OCSP) is not known to be good");
	return accepted(facts, "valid by itself");
}
