/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "dime/certificate.h"

enum tls { NONE, MATCHES, MISMATCH };

static const struct part_7_case {
	const char *name;
	bool secure;
	enum tls tls;
	bool x509;
	enum certificate_status status;
	bool accept;
} part_7_cases[] = {
    {"DNSSEC, matches", true, MATCHES, false, CERTIFICATE_UNREACHABLE,
     true},
    {"DNSSEC, matches, revoked", true, MATCHES, true,
     CERTIFICATE_REVOKED, true},
    {"DNSSEC, none, valid, good", true, NONE, true, CERTIFICATE_GOOD,
     true},
    {"DNSSEC, none, valid, no responder", true, NONE, true,
     CERTIFICATE_NO_RESPONDER, true},
    {"DNSSEC, none, valid, no status", true, NONE, true,
     CERTIFICATE_UNREACHABLE, false},
    {"DNSSEC, none, valid, revoked", true, NONE, true,
     CERTIFICATE_REVOKED, false},
    {"DNSSEC, none, valid, unknown", true, NONE, true,
     CERTIFICATE_UNKNOWN, false},
    {"DNSSEC, none, not valid", true, NONE, false, CERTIFICATE_GOOD,
     false},
    {"DNSSEC, mismatch", true, MISMATCH, true, CERTIFICATE_GOOD,
     false},
    {"no DNSSEC, matches, valid", false, MATCHES, true,
     CERTIFICATE_UNREACHABLE, true},
    {"no DNSSEC, matches, not valid", false, MATCHES, false,
     CERTIFICATE_GOOD, false},
    {"no DNSSEC, mismatch", false, MISMATCH, true, CERTIFICATE_GOOD,
     false},
    {"no DNSSEC, none, valid, good", false, NONE, true,
     CERTIFICATE_GOOD, true},
    {"no DNSSEC, none, valid, no responder", false, NONE, true,
     CERTIFICATE_NO_RESPONDER, true},
    {"no DNSSEC, none, valid, no status", false, NONE, true,
     CERTIFICATE_UNREACHABLE, false},
    {"no DNSSEC, none, valid, revoked", false, NONE, true,
     CERTIFICATE_REVOKED, false},
    {"no DNSSEC, none, valid, unknown", false, NONE, true,
     CERTIFICATE_UNKNOWN, false},
    {"no DNSSEC, none, not valid", false, NONE, false,
     CERTIFICATE_GOOD, false},
};

/* Part 7's table, and the two lines that it leaves to its text. */
static void
part_7_table(void **state)
{
	for (size_t i = 0; i < COUNT(part_7_cases); i++) {
		const struct part_7_case *test = &part_7_cases[i];
		struct certificate_facts facts = {
		    .record_secure = test->secure,
		    .record_has_tls = test->tls != NONE,
		    .tls_matches = test->tls == MATCHES,
		    .x509_valid = test->x509,
		    .status = test->status,
		    .name_in_domain = true,
		};
		struct certificate_verdict verdict = certificate_judge(&facts);

		unit_case(test->name);
		assert_int_equal(verdict.accept, test->accept);
		/* Where the table accepts one that is valid by itself, it
		 * confirms; a self-signed one never does. */
		assert_int_equal(verdict.confirms,
		    test->accept && test->x509);
		assert_string_not_equal(verdict.reason, "not judged");
		/* The status is wanted where it decides, and only there. */
		assert_int_equal(certificate_wants_status(&facts),
		    test->tls == NONE && test->x509);
	}
}

static void
all_combinations(void **state)
{
	for (unsigned int bits = 0; bits < 32 * CERTIFICATE_STATUSES; bits++) {
		struct certificate_facts facts = {
		    .record_secure = (bits & 1) != 0,
		    .record_has_tls = (bits & 2) != 0,
		    .tls_matches = (bits & 4) != 0,
		    .x509_valid = (bits & 8) != 0,
		    .name_in_domain = (bits & 16) != 0,
		    .status = (enum certificate_status)(bits / 32),
		};
		struct certificate_verdict verdict = certificate_judge(&facts);

		assert_string_not_equal(verdict.reason, "not judged");
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
