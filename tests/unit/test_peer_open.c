/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/peer_host.h"

#include <unistd.h>

static const struct certificate_case {
	const char *name;
	const struct unit_certificate *certificate;
	enum record_kind kind;
	bool secure, accepted, confirms;
	const char *complaint;
} certificate_cases[] = {
    {"secure, signed by the record", &foreign, SIGNED, true, true,
     false, NULL},
    {"secure, valid by itself too", &host_of_domain, SIGNED, true,
     true, true, NULL},
    {"secure, another one signed", &host_of_domain, SIGNED_OTHER, true,
     false, false, "no tls value"},
    {"insecure, signed and valid", &host_of_domain, SIGNED, false,
     true, true, NULL},
    {"insecure, signed, not valid", &foreign, SIGNED, false, false,
     false, "valid by itself"},
    {"insecure, another one signed", &host_of_domain, SIGNED_OTHER,
     false, false, false, "no tls value"},
    {"no tls value, valid for the host", &host_of_domain, UNSIGNED,
     false, true, true, NULL},
    {"no tls value, valid for the domain", &domain_itself, UNSIGNED,
     false, true, true, NULL},
    {"no tls value, not valid", &foreign, UNSIGNED, true, false, false,
     "not valid"},
    {"no tls value, responder not asked", &with_ocsp, UNSIGNED, true,
     false, false, "OCSP"},
    {"signed, responder need not be asked", &with_ocsp, SIGNED, true,
     true, true, NULL},
};

static void
certificate_table(void **state)
{
	for (size_t i = 0; i < COUNT(certificate_cases); i++) {
		const struct certificate_case *test = &certificate_cases[i];
		struct host host = {.certificate = test->certificate,
		    .says = {BANNER, BYE}};
		struct fault fault = {0};
		struct record record;
		struct peer *peer;
		int err;

		unit_case(test->name);
		host_start(&host);
		host_make_record(&record, test->kind, host.certificate);
		err = host_open(&host, &record, test->secure, LONG, &peer,
		    &fault);
		assert_int_equal(err, test->accepted ? 0 : ERR_CERTIFICATE);
		if (err != 0) {
			assert_null(peer);
			assert_non_null(strstr(fault.text,
			    "dx.beta.test [127.0.0.1]: certificate: "));
			assert_non_null(strstr(fault.text,
			    test->complaint));
		} else {
			assert_int_equal(peer_confirms(peer),
			    test->confirms);
			peer_close(peer);
		}
		/* Accepted or not, the host is told; first asked, where a
		 * SOK may have signed. */
		host_end(&host, test->kind == SIGNED_OTHER && err != 0
		    ? "SGNT FOR=<beta.test>\nQUIT\n" : "QUIT\n");
	}
}

/* Our own server refuses such a key, so that OpenSSL has to play the host. */
static void *
run_short_key(void *argument)
{
	struct host *host = argument;
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	SSL *session;
	int fd = accept(host->listener, NULL, NULL);
	char line[16] = "";

	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_use_certificate(context, small.certificate);
	SSL_CTX_use_PrivateKey(context, small.key);
	session = SSL_new(context);
	SSL_set_fd(session, fd);
	if (SSL_accept(session) == 1)
		SSL_read(session, line, sizeof(line) - 1);
	buffer_append_string(&host->heard, line);
	SSL_free(session);
	SSL_CTX_free(context);
	close(fd);
	return NULL;
}

/* Opens a session and closes it, or fails so. */
static void
expect_open(struct host *host, int err, const char *complaint)
{
	struct fault fault = {0};
	struct record record;
	struct peer *peer;

	host_start(host);
	host_make_record(&record, SIGNED, host->certificate);
	assert_int_equal(host_open(host, &record, true, LONG, &peer, &fault),
	    err);
	if (err != 0)
		assert_non_null(strstr(fault.text, complaint));
	peer_close(peer);
}

static void
dual_protocol(void **state)
{
#define ELEVATED "STARTTLS <dx.beta.test> MODE=DMTP\nQUIT\n"
#define ESMTP "220 dx.beta.test ESMTP DMTP Postfix\r\n"
	static const struct {
		const char *name, *banner, *starttls, *mode;
		int err;
		const char *complaint, *heard;
	} cases[] = {
	    {"as it should be", ESMTP, "220 GO AHEAD\r\n", "250 OK DMTP\n",
	     0, NULL, ELEVATED},
	    {"250 in clear as well", ESMTP, "250 OK\n",
	     "250 OK DMTP at your service\n", 0, NULL, ELEVATED},
	    {"a banner of several lines",
	     "220-dx.beta.test ESMTP\r\n220-DMTP\r\n220 ready\r\n",
	     "220 GO AHEAD\n", "250 OK DMTP\n", 0, NULL, ELEVATED},
	    {"does not offer DMTP", "220 dx.beta.test ESMTP\r\n", NULL, NULL,
	     ERR_UNREACHABLE, "banner is not that of a DMTP host", "QUIT\n"},
	    {"is busy", "421 DMTP later\r\n", NULL, NULL, ERR_PROTOCOL,
	     "banner is not that of a DMTP host: 421", ""},
	    {"refuses STARTTLS", ESMTP, "454 NO\n", BYE, ERR_PROTOCOL,
	     "STARTTLS: 454 NO", ELEVATED},
	    {"speaks on in clear", ESMTP, "220 GO AHEAD\n250 OK DMTP\n",
	     NULL, ERR_PROTOCOL, "came in clear",
	     "STARTTLS <dx.beta.test> MODE=DMTP\n"},
	    {"is in another mode", ESMTP, "220 GO AHEAD\n", "250 OK ESMTP\n",
	     ERR_PROTOCOL, "mode is not that of a DMTP host: 250 OK ESMTP",
	     ELEVATED},
	    {"repeats its banner", ESMTP, "220 GO AHEAD\n",
	     "220 <dx.beta.test> DMTP\n", ERR_PROTOCOL,
	     "mode is not that of a DMTP host: 220", ELEVATED},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host host = {.certificate = &host_of_domain,
		    .clear = {cases[i].banner, cases[i].starttls},
		    .says = {cases[i].mode, BYE}};

		unit_case(cases[i].name);
		expect_open(&host, cases[i].err, cases[i].complaint);
		host_end(&host, cases[i].heard);
	}
}

/* The certificate of a dual-protocol host is judged like any other's. */
static void
dual_protocol_certificate(void **state)
{
	struct host host = {.certificate = &foreign,
	    .clear = {ESMTP, "220 GO AHEAD\n"},
	    .says = {"250 OK DMTP\n", BYE}};
	struct fault fault = {0};
	struct record record;
	struct peer *peer;

	host_start(&host);
	host_make_record(&record, UNSIGNED, host.certificate);
	assert_int_equal(host_open(&host, &record, true, LONG, &peer, &fault),
	    ERR_CERTIFICATE);
	host_end(&host, ELEVATED);
}

static void
short_key_is_told_goodbye(void **state)
{
	struct host host = {.run = run_short_key};
	struct fault fault = {0};
	struct record record;
	struct peer *peer;

	host_start(&host);
	host_make_record(&record, SIGNED, &small);
	assert_int_equal(host_open(&host, &record, true, LONG, &peer, &fault),
	    ERR_CERTIFICATE);
	assert_non_null(strstr(fault.text,
	    "RSA key of 1024 bits, not 2048 to 16384"));
	host_end(&host, "QUIT\n");
}

static void
banner_table(void **state)
{
	static const struct {
		const char *name, *says;
		int err;
		const char *complaint, *heard;
	} cases[] = {
	    {"without angle brackets", "220 dx.beta.test DMTP\r\n", 0, NULL,
	     "QUIT\n"},
	    {"several lines", "220-dx.beta.test\n220 DMTP\n", 0, NULL,
	     "QUIT\n"},
	    {"SMTP", "220 dx.beta.test ESMTP Postfix\n", ERR_PROTOCOL,
	     "banner is not that of a DMTP host: 220 dx.beta.test ESMTP",
	     "QUIT\n"},
	    {"busy", "421 dx.beta.test DMTP too busy\n", ERR_PROTOCOL,
	     "banner is not that of a DMTP host: 421", ""},
	    {"garbage", "hello\n", ERR_PROTOCOL, "reply line without a code",
	     ""},
	    {"closes at once", CLOSE, ERR_UNREACHABLE, "waiting for a reply",
	     ""},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host host = {.certificate = &host_of_domain,
		    .says = {cases[i].says, BYE}};

		unit_case(cases[i].name);
		expect_open(&host, cases[i].err, cases[i].complaint);
		host_end(&host, cases[i].heard);
	}
}

static void
silent_hosts(void **state)
{
	const struct {
		const char *name;
		const struct unit_certificate *certificate;
		const char *complaint;
	} cases[] = {
	    {"no TLS", NULL, "TLS handshake: timed out"},
	    {"no banner", &host_of_domain, "waiting for a reply: timed out"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host host = {.certificate = cases[i].certificate};
		int64_t start = clock_monotonic(&clock_system);
		struct fault fault = {0};
		struct record record;
		struct peer *peer;

		unit_case(cases[i].name);
		host_start(&host);
		host_make_record(&record, SIGNED, &host_of_domain);
		assert_int_equal(host_open(&host, &record, true, 300, &peer,
		    &fault), ERR_TIMEOUT);
		assert_non_null(strstr(fault.text, cases[i].complaint));
		assert_in_range(clock_monotonic(&clock_system) - start, 300,
		    LONG / 2);
		host_end(&host, NULL);
	}
}

static void
nobody_there(void **state)
{
	struct host host = {.says = {CLOSE}};
	struct fault fault = {0};
	struct record record;
	struct peer *peer;

	host_start(&host);
	host_make_record(&record, SIGNED, &host_of_domain);
	/* Without TLS the host only closes. */
	assert_int_equal(host_open(&host, &record, true, LONG, &peer, &fault),
	    ERR_UNREACHABLE);
	host_end(&host, "");
	assert_int_equal(host_open(&host, &record, true, LONG, &peer, &fault),
	    ERR_UNREACHABLE);
	assert_string_equal(fault.text,
	    "dx.beta.test [127.0.0.1]: connect: Connection refused");
	assert_null(peer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(certificate_table),
	    cmocka_unit_test(dual_protocol),
	    cmocka_unit_test(dual_protocol_certificate),
	    cmocka_unit_test(short_key_is_told_goodbye),
	    cmocka_unit_test(banner_table),
	    cmocka_unit_test(silent_hosts),
	    cmocka_unit_test(nobody_there),
	};

	return cmocka_run_group_tests(tests, host_group_start, host_group_end);
}
