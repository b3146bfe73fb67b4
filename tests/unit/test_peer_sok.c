/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/peer_host.h"

#include "dmtp/reply.h"

static const uint8_t sok_seed[CRYPTO_SEED] = {4};
static const uint8_t foreign_seed[CRYPTO_SEED] = {5};
static const uint8_t scalar[CRYPTO_SCALAR] = {3};

static void
sign_again(const struct signet *signet, uint8_t type, const uint8_t *seed)
{
	const struct signet_field *field = signet_find(signet, type);

	crypto_ed25519_sign(seed, signet_below(signet, type),
	    signet->blob + (field->value.data - signet->blob));
}

/* Of beta.test, under the key of `seed`; its SOK may have any permissions, also
 * those that nobody makes. */
static struct signet *
make_org(const uint8_t *seed, uint8_t permissions)
{
	struct signet_sok sok = {.permissions = SIGNET_MAY_SIGN_TLS};
	uint8_t pok[CRYPTO_SIGN_PUBLIC], point[CRYPTO_POINT];
	struct buffer binary = buffer_make(10000);
	struct signet *signet;
	struct span value;

	crypto_ed25519_public(seed, pok);
	crypto_ed25519_public(sok_seed, sok.key);
	assert_int_equal(crypto_point_public(scalar, point), 0);
	assert_int_equal(signet_make_org(LAYOUT_STANDARD, pok,
	    signer_of_seed(seed), &sok, 1, point, "beta.test", NULL, 0,
	    &binary, NULL), 0);
	assert_int_equal(signet_parse(buffer_span(&binary), &signet, NULL), 0);
	buffer_free(&binary);
	value = signet_find(signet, SIGNET_ORG_SOK)->value;
	signet->blob[value.data - signet->blob] = permissions;
	sign_again(signet, SIGNET_FULL_SIGNATURE, seed);
	sign_again(signet, SIGNET_COMPLETE_SIGNATURE, seed);
	return signet;
}

/* What the host answers to SGNT; 0 permissions: 476. */
static void
write_org(const uint8_t *seed, uint8_t permissions, struct buffer *out)
{
	struct buffer armor = buffer_make(10000);
	struct signet *signet;

	*out = buffer_make(20000);
	if (permissions == 0) {
		buffer_append_string(out, "476 LATER\n");
		return;
	}
	signet = make_org(seed, permissions);
	signet_write(signet, &armor);
	reply_write_listing(REPLY_ORG_SIGNET, buffer_span(&armor), out);
	signet_free(signet);
	buffer_free(&armor);
}

static struct org_signet *
hold_org(const struct record *record, uint8_t permissions)
{
	struct org_signet *org = NULL;

	if (permissions != 0)
		assert_int_equal(signet_verify_org(make_org(pok_seed,
		    permissions), record->poks, record->pok_count, "beta.test",
		    &org, NULL), 0);
	return org;
}

#define ASKED "SGNT FOR=<beta.test>\nQUIT\n"
#define NO_VALUE "certificate: no tls value of the record signs"

struct sok_case {
	const char *name;
	const struct unit_certificate *certificate;
	bool secure;
	uint8_t held; /* permissions of the SOK of the one that is held */
	const uint8_t *seed; /* of the one that the host has */
	uint8_t told;        /* permissions of its SOK */
	const char *complaint, *heard;
};

static void
try_sok_case(const struct sok_case *test)
{
	const bool asked = strcmp(test->heard, ASKED) == 0;
	struct fault fault = {0};
	struct org_signet *held;
	struct buffer listing;
	struct record record;
	struct peer *peer;

	write_org(test->seed, test->told, &listing);
	struct host host = {.certificate = test->certificate,
	    .says = {BANNER, asked ? buffer_string(&listing) : BYE, BYE}};
	host_start(&host);
	host_make_record(&record, SIGNED, host.certificate);
	crypto_ed25519_sign(sok_seed, buffer_span(&host.certificate->der),
	    record.tls[0]);
	held = hold_org(&record, test->held);
	assert_int_equal(host_open_with(&host, &record, test->secure, held,
	    LONG, &peer, &fault),
	    test->complaint == NULL ? 0 : ERR_CERTIFICATE);
	if (test->complaint == NULL) {
		assert_int_equal(peer_confirms(peer),
		    test->certificate == &host_of_domain);
	} else {
		assert_non_null(strstr(fault.text, test->complaint));
		assert_null(peer);
	}
	peer_close(peer);
	host_end(&host, test->heard);
	org_signet_free(held);
	buffer_free(&listing);
}

static void
certificate_by_sok(void **state)
{
	const struct sok_case cases[] = {
	    {"asked", &foreign, true, 0, pok_seed, 4, NULL, ASKED},
	    {"held", &foreign, true, 4, pok_seed, 4, NULL, "QUIT\n"},
	    {"held, among others", &foreign, true, 7, pok_seed, 4, NULL,
	     "QUIT\n"},
	    {"the one held is an older one", &foreign, true, 3, pok_seed, 4,
	     NULL, ASKED},
	    {"without the permission", &foreign, true, 0, pok_seed, 3,
	     NO_VALUE, ASKED},
	    {"with a reserved bit", &foreign, true, 0, pok_seed, 4 | 16,
	     NO_VALUE, ASKED},
	    {"held with a reserved bit", &foreign, true, 4 | 16, pok_seed, 3,
	     NO_VALUE, ASKED},
	    {"of a foreign key", &foreign, true, 0, foreign_seed, 4,
	     "none of the domain's keys", ASKED},
	    {"476 is not believed", &foreign, true, 0, pok_seed, 0,
	     "SGNT: 476", ASKED},
	    {"insecure, valid by itself", &host_of_domain, false, 0, pok_seed,
	     4, NULL, ASKED},
	    {"insecure, valid by itself, refused", &host_of_domain, false, 0,
	     pok_seed, 3, NO_VALUE, ASKED},
	    {"insecure, not valid: not even asked", &foreign, false, 0,
	     pok_seed, 4, NO_VALUE, "QUIT\n"},
	    {"insecure, held, not valid", &foreign, false, 4, pok_seed, 4,
	     "must be valid by itself", "QUIT\n"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		try_sok_case(&cases[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(certificate_by_sok),
	};

	return cmocka_run_group_tests(tests, host_group_start, host_group_end);
}
