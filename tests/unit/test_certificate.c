/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "dime/certificate.h"

enum tls { NONE, MATCHES, MISMATCH };

/* Part 7's table, and the two lines that it leaves to its text. */
static void
part_7_table(void **state)
{
	static const struct {
		const char *name;
		bool secure;
		enum tls tls;
		bool x509, ocsp, accept;
	} cases[] = {
	    {"DNSSEC, matches", true, MATCHES, false, false, true},
	    {"DNSSEC, none, valid", true, NONE, true, true, true},
	    {"DNSSEC, none, valid, no status", true, NONE, true, false, false},
	    {"DNSSEC, none, not valid", true, NONE, false, true, false},
	    {"DNSSEC, mismatch", true, MISMATCH, true, true, false},
	    {"no DNSSEC, matches, valid", false, MATCHES, true, false, true},
	    {"no DNSSEC, matches, not valid", false, MATCHES, false, true,
	     false},
	    {"no DNSSEC, mismatch", false, MISMATCH, true, true, false},
	    {"no DNSSEC, none, valid", false, NONE, true, true, true},
	    {"no DNSSEC, none, valid, no status", false, NONE, true, false,
	     false},
	    {"no DNSSEC, none, not valid", false, NONE, false, true, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct certificate_facts facts = {
		    .record_secure = cases[i].secure,
		    .record_has_tls = cases[i].tls != NONE,
		    .tls_matches = cases[i].tls == MATCHES,
		    .x509_valid = cases[i].x509,
		    .ocsp_good = cases[i].ocsp,
		    .name_in_domain = true,
		};
		struct certificate_verdict verdict = certificate_judge(&facts);

		unit_case(cases[i].name);
		assert_int_equal(verdict.accept, cases[i].accept);
		/* Where the table accepts one that is valid by itself, it
		 * confirms; a self-signed one never does. */
		assert_int_equal(verdict.confirms,
		    cases[i].accept && cases[i].x509);
		assert_non_null(verdict.reason);
	}
}

static void
all_combinations(void **state)
{
	for (unsigned int bits = 0; bits < 64; bits++) {
		struct certificate_facts facts = {
		    .record_secure = (bits & 1) != 0,
		    .record_has_tls = (bits & 2) != 0,
		    .tls_matches = (bits & 4) != 0,
		    .x509_valid = (bits & 8) != 0,
		    .ocsp_good = (bits & 16) != 0,
		    .name_in_domain = (bits & 32) != 0,
		};
		struct certificate_verdict verdict = certificate_judge(&facts);

		if (facts.record_has_tls && !facts.tls_matches)
			assert_false(verdict.accept);
		if (!facts.x509_valid && !(facts.record_secure &&
		    facts.record_has_tls && facts.tls_matches))
			assert_false(verdict.accept);
		if (verdict.confirms) {
			assert_true(verdict.accept);
			assert_true(facts.x509_valid);
			assert_true(facts.name_in_domain);
		}
		/* A match that no tls value stands behind means nothing. */
		if (!facts.record_has_tls && facts.tls_matches) {
			facts.tls_matches = false;
			assert_int_equal(certificate_judge(&facts).accept,
			    verdict.accept);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(part_7_table),
	    cmocka_unit_test(all_combinations),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
