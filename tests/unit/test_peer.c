/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/unit/unit_tls.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "client/peer.h"
#include "dime/armor.h"
#include "dmtp/reply.h"

enum {
	LONG = 60000, /* a time that no test waits for */
	TURNS = 8,
};

static char directory[64] = "/tmp/dimegate-unit-XXXXXX";
static struct tls_context *client;
static EVP_PKEY *rsa_key, *short_key;
static struct unit_certificate authority, host_of_domain, domain_itself,
    foreign, small, with_ocsp;

/* ---- a host that does as it was told ---- */

/*
 * What the host says: first of all, then after every line that comes, after 354
 * after the message instead. NULL: nothing more, but the connection stays until
 * the client closes it. The list ends with CLOSE.
 */
#define CLOSE ((const char *)-1)

struct host {
	const struct unit_certificate *certificate;
	const char *says[TURNS];
	void *(*run)(void *); /* NULL: run_host() */
	const char *clear[2]; /* a dual-protocol host's banner, and its answer
	                         to STARTTLS: 2xx, and TLS begins */

	int listener;
	unsigned int port;
	struct buffer heard; /* lines with LF */
	pthread_t thread;
};

static bool
hear(struct host *host, struct stream *stream, bool message)
{
	struct span line;

	do {
		if (stream_read_line(stream, 1000, &line,
			deadline_in(LONG)) != 0)
			return false;
		buffer_append_span(&host->heard, line);
		buffer_append_string(&host->heard, "\n");
	} while (message && !span_equal_string(line, "."));
	return true;
}

static void
converse(struct host *host, struct stream *stream)
{
	bool message = false;

	for (size_t turn = 0; turn < TURNS; turn++) {
		const char *say = host->says[turn];

		if (say == CLOSE)
			return;
		if (say != NULL &&
		    stream_write(stream, span_string(say),
			deadline_in(LONG)) != 0)
			return;
		message = say != NULL && strncmp(say, "354", 3) == 0;
		if (!hear(host, stream, message))
			return;
	}
}

/* True when TLS is to begin. */
static bool
begin_in_clear(struct host *host, struct stream *stream)
{
	for (size_t i = 0; i < COUNT(host->clear); i++)
		if (host->clear[i] == NULL ||
		    stream_write(stream, span_string(host->clear[i]),
		        deadline_in(LONG)) != 0 ||
		    (i == 0 && !hear(host, stream, false)))
			return false;
	return host->clear[1][0] == '2';
}

static void *
run_host(void *argument)
{
	struct host *host = argument;
	struct stream *stream =
	    stream_of_fd(accept(host->listener, NULL, NULL));
	struct tls_context *context;

	if (host->clear[0] != NULL && !begin_in_clear(host, stream)) {
		converse(host, stream);
	} else if (host->certificate == NULL) {
		converse(host, stream);
	} else if (tls_server_new(&(const struct tls_identity){
		       host->certificate->certificate_path,
		       host->certificate->key_path}, 1, &context, NULL) == 0) {
		if (stream_start_tls_server(stream, context,
			deadline_in(LONG), NULL) == 0)
			converse(host, stream);
		tls_free(context);
	}
	stream_free(stream);
	return NULL;
}

static void
start_host(struct host *host)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct sockaddr *at = (struct sockaddr *)&address;
	socklen_t length = sizeof(address);

	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	host->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(host->listener, at, length), 0);
	assert_int_equal(getsockname(host->listener, at, &length), 0);
	assert_int_equal(listen(host->listener, 5), 0);
	host->port = ntohs(address.sin_port);
	host->heard = buffer_make(1 << 22);
	assert_int_equal(pthread_create(&host->thread, NULL,
	    host->run != NULL ? host->run : run_host, host), 0);
}

static void
end_host(struct host *host, const char *heard)
{
	pthread_join(host->thread, NULL);
	close(host->listener);
	if (heard != NULL)
		assert_string_equal(buffer_string(&host->heard), heard);
	buffer_free(&host->heard);
}

/* ---- what the client knows ---- */

static const uint8_t pok_seed[CRYPTO_SEED] = {1};
static const uint8_t user_seed[CRYPTO_SEED] = {2};
static const uint8_t scalar[CRYPTO_SCALAR] = {3};

enum record_kind { UNSIGNED, SIGNED, SIGNED_OTHER };

static void
make_record(struct record *record, enum record_kind kind,
    const struct unit_certificate *certificate)
{
	*record = (struct record){.pok_count = 1, .policy = RECORD_MIXED};
	crypto_ed25519_public(pok_seed, record->poks[0]);
	if (kind == UNSIGNED)
		return;
	record->tls_count = 1;
	crypto_ed25519_sign(pok_seed, buffer_span(&certificate->der),
	    record->tls[0]);
	if (kind == SIGNED_OTHER)
		record->tls[0][0] ^= 1;
}

static struct peer_room room;

static int
open_host_with(const struct host *host, const struct record *record,
    bool secure, const struct org_signet *org, int64_t time,
    struct peer **peer, struct fault *fault)
{
	const struct peer_target target = {
	    .host = "dx.beta.test",
	    .domain = "beta.test",
	    .address = "127.0.0.1",
	    .port = host->port,
	    .dual = host->clear[0] != NULL,
	    .source = "127.0.0.3",
	    .record = record,
	    .record_secure = secure,
	    .org = org,
	    .room = &room,
	};

	return peer_open(&target, client, deadline_in(time), peer, fault);
}

static int
open_host(const struct host *host, const struct record *record, bool secure,
    int64_t time, struct peer **peer, struct fault *fault)
{
	return open_host_with(host, record, secure, NULL, time, peer, fault);
}

/* A host with a good certificate and banner: the session is open. */
static struct peer *
open_good(struct host *host)
{
	struct fault fault = {0};
	struct record record;
	struct peer *peer;

	host->certificate = &host_of_domain;
	start_host(host);
	make_record(&record, SIGNED, host->certificate);
	assert_int_equal(open_host(host, &record, true, LONG, &peer, &fault),
	    0);
	return peer;
}

/* ---- opening ---- */

#define BANNER "220 <dx.beta.test> DMTP ready\n"
#define BYE "221 BYE\n"

static void
certificate_table(void **state)
{
	const struct {
		const char *name;
		const struct unit_certificate *certificate;
		enum record_kind kind;
		bool secure, accepted, confirms;
		const char *complaint;
	} cases[] = {
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

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host host = {.certificate = cases[i].certificate,
		    .says = {BANNER, BYE}};
		struct fault fault = {0};
		struct record record;
		struct peer *peer;
		int err;

		unit_case(cases[i].name);
		start_host(&host);
		make_record(&record, cases[i].kind, host.certificate);
		err = open_host(&host, &record, cases[i].secure, LONG, &peer,
		    &fault);
		assert_int_equal(err, cases[i].accepted ? 0 : ERR_CERTIFICATE);
		if (err != 0) {
			assert_null(peer);
			assert_non_null(strstr(fault.text,
			    "dx.beta.test [127.0.0.1]: certificate: "));
			assert_non_null(strstr(fault.text,
			    cases[i].complaint));
		} else {
			assert_int_equal(peer_confirms(peer),
			    cases[i].confirms);
			peer_close(peer);
		}
		/* Accepted or not, the host is told; first asked, where a
		 * SOK may have signed. */
		end_host(&host, cases[i].kind == SIGNED_OTHER && err != 0
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
		struct fault fault = {0};
		struct record record;
		struct peer *peer;

		unit_case(cases[i].name);
		start_host(&host);
		make_record(&record, SIGNED, host.certificate);
		assert_int_equal(open_host(&host, &record, true, LONG, &peer,
		    &fault), cases[i].err);
		if (cases[i].err != 0)
			assert_non_null(strstr(fault.text,
			    cases[i].complaint));
		peer_close(peer);
		end_host(&host, cases[i].heard);
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

	start_host(&host);
	make_record(&record, UNSIGNED, host.certificate);
	assert_int_equal(open_host(&host, &record, true, LONG, &peer, &fault),
	    ERR_CERTIFICATE);
	end_host(&host, ELEVATED);
}

static void
short_key_is_told_goodbye(void **state)
{
	struct host host = {.run = run_short_key};
	struct fault fault = {0};
	struct record record;
	struct peer *peer;

	start_host(&host);
	make_record(&record, SIGNED, &small);
	assert_int_equal(open_host(&host, &record, true, LONG, &peer, &fault),
	    ERR_CERTIFICATE);
	assert_non_null(strstr(fault.text,
	    "RSA key of 1024 bits, not 2048 to 16384"));
	end_host(&host, "QUIT\n");
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
		struct fault fault = {0};
		struct record record;
		struct peer *peer;

		unit_case(cases[i].name);
		start_host(&host);
		make_record(&record, SIGNED, host.certificate);
		assert_int_equal(open_host(&host, &record, true, LONG, &peer,
		    &fault), cases[i].err);
		if (cases[i].err != 0)
			assert_non_null(strstr(fault.text,
			    cases[i].complaint));
		peer_close(peer);
		end_host(&host, cases[i].heard);
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
		start_host(&host);
		make_record(&record, SIGNED, &host_of_domain);
		assert_int_equal(open_host(&host, &record, true, 300, &peer,
		    &fault), ERR_TIMEOUT);
		assert_non_null(strstr(fault.text, cases[i].complaint));
		assert_in_range(clock_monotonic(&clock_system) - start, 300,
		    LONG / 2);
		end_host(&host, NULL);
	}
}

static void
nobody_there(void **state)
{
	struct host host = {.says = {CLOSE}};
	struct fault fault = {0};
	struct record record;
	struct peer *peer;

	start_host(&host);
	make_record(&record, SIGNED, &host_of_domain);
	/* Without TLS the host only closes. */
	assert_int_equal(open_host(&host, &record, true, LONG, &peer, &fault),
	    ERR_UNREACHABLE);
	end_host(&host, "");
	assert_int_equal(open_host(&host, &record, true, LONG, &peer, &fault),
	    ERR_UNREACHABLE);
	assert_string_equal(fault.text,
	    "dx.beta.test [127.0.0.1]: connect: Connection refused");
	assert_null(peer);
}

/* ---- certificates by a SOK ---- */

static const uint8_t sok_seed[CRYPTO_SEED] = {4};
static const uint8_t foreign_seed[CRYPTO_SEED] = {5};

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
	start_host(&host);
	make_record(&record, SIGNED, host.certificate);
	crypto_ed25519_sign(sok_seed, buffer_span(&host.certificate->der),
	    record.tls[0]);
	held = hold_org(&record, test->held);
	assert_int_equal(open_host_with(&host, &record, test->secure, held,
	    LONG, &peer, &fault), test->complaint == NULL ? 0 : ERR_CERTIFICATE);
	if (test->complaint == NULL) {
		assert_int_equal(peer_confirms(peer),
		    test->certificate == &host_of_domain);
	} else {
		assert_non_null(strstr(fault.text, test->complaint));
		assert_null(peer);
	}
	peer_close(peer);
	end_host(&host, test->heard);
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

/* ---- commands ---- */

static void
commands(void **state)
{
	struct host host = {.says = {BANNER, "250 OK \033[31m\n",
	    "250-PIPELINING\n250 OK\n", "421 BYE\n"}};
	struct peer *peer = open_good(&host);
	struct fault fault = {0};
	struct peer_reply reply;
	char long_line[DMTP_LINE_LIMIT + 1];

	peer_reply_init(&reply);
	assert_int_equal(peer_command(peer, "NOOP\nNOOP", deadline_in(LONG),
	    &reply, &fault), ERR_USAGE);
	memset(long_line, 'x', DMTP_LINE_LIMIT);
	long_line[DMTP_LINE_LIMIT] = '\0';
	assert_int_equal(peer_command(peer, long_line, deadline_in(LONG),
	    &reply, &fault), ERR_USAGE);
	assert_int_equal(peer_command(peer, "NOOP", deadline_in(LONG), &reply,
	    &fault), 0);
	assert_int_equal(reply.code, 250);
	assert_string_equal(reply.text, "OK ?[31m");
	assert_int_equal(reply.listing.length, 0);
	assert_int_equal(peer_command(peer, "EHLO <a.test>",
	    deadline_in(LONG), &reply, &fault), 0);
	assert_string_equal(buffer_string(&reply.listing), "PIPELINING\n");
	assert_int_equal(peer_command(peer, "NOOP", deadline_in(LONG), &reply,
	    &fault), 0);
	assert_int_equal(reply.code, 421);
	/* Nothing goes to a host that has said so. */
	assert_int_equal(peer_command(peer, "NOOP", deadline_in(LONG), &reply,
	    &fault), ERR_UNREACHABLE);
	assert_int_equal(reply.code, 0);
	peer_reply_free(&reply);
	peer_close(peer);
	end_host(&host, "NOOP\nEHLO <a.test>\nNOOP\n");
}

/* ---- SGNT ---- */

static struct buffer org_armor, user_armor;
static char org_fingerprint[SIGNET_FINGERPRINT_SIZE];
static char core_fingerprint[SIGNET_FINGERPRINT_SIZE];

static void
make_signets(void)
{
	uint8_t pok[CRYPTO_SIGN_PUBLIC], signing[CRYPTO_SIGN_PUBLIC];
	uint8_t point[CRYPTO_POINT];
	struct buffer org = buffer_make(10000), ssr = buffer_make(10000),
		      user = buffer_make(10000);
	struct signet *signet;

	crypto_ed25519_public(pok_seed, pok);
	crypto_ed25519_public(user_seed, signing);
	assert_int_equal(crypto_point_public(scalar, point), 0);
	assert_int_equal(signet_make_org(LAYOUT_STANDARD,
	    pok, signer_of_seed(pok_seed), NULL,
	    0, point, "beta.test", NULL, 0, &org, NULL), 0);
	assert_int_equal(signet_make_ssr(LAYOUT_STANDARD,
	    signing, signer_of_seed(user_seed),
	    point, NULL, &ssr, NULL), 0);
	assert_int_equal(signet_parse(buffer_span(&ssr), &signet, NULL), 0);
	assert_int_equal(signet_make_user(signet, NULL,
	    signer_of_seed(pok_seed), "bob@beta.test", NULL, 0, &user, NULL),
	    0);
	signet_free(signet);
	org_armor = buffer_make(10000);
	user_armor = buffer_make(10000);
	armor_write(ARMOR_ORG_SIGNET, buffer_span(&org), &org_armor);
	armor_write(ARMOR_USER_SIGNET, buffer_span(&user), &user_armor);
	assert_int_equal(signet_parse(buffer_span(&org), &signet, NULL), 0);
	assert_true(signet_org_fingerprint(signet, org_fingerprint));
	signet_free(signet);
	assert_int_equal(signet_parse(buffer_span(&user), &signet, NULL), 0);
	assert_true(signet_core_fingerprint(signet, core_fingerprint));
	signet_free(signet);
	buffer_free(&org);
	buffer_free(&ssr);
	buffer_free(&user);
}

/* Each of these is what the host says to SGNT. */
static struct buffer listing_org, listing_user, listing_cut, listing_mixed;

static void
make_listings(void)
{
	listing_org = listing_user = listing_cut = listing_mixed =
	    buffer_make(20000);
	reply_write_listing(REPLY_ORG_SIGNET, buffer_span(&org_armor),
	    &listing_org);
	reply_write_listing(REPLY_USER_SIGNET, buffer_span(&user_armor),
	    &listing_user);
	/* Ends with the END line (D7). */
	buffer_append(&listing_cut, listing_org.data,
	    listing_org.length - strlen("270 OK\n"));
	reply_write_listing(REPLY_ORG_SIGNET, buffer_span(&user_armor),
	    &listing_mixed);
}

static void
fetch_table(void **state)
{
	static const char other[] =
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	    "AAAAAAAAAAAAAAAAAAAAAA";
	const struct {
		const char *name, *wanted, *fingerprint, *says;
		int err;
		const char *complaint;
	} cases[] = {
	    {"organization", "beta.test", NULL, buffer_string(&listing_org), 0,
	     NULL},
	    {"ends with END", "beta.test", "", buffer_string(&listing_cut), 0,
	     NULL},
	    {"by fingerprint", "beta.test", org_fingerprint,
	     buffer_string(&listing_org), 0, NULL},
	    {"user", "bob@beta.test", NULL, buffer_string(&listing_user), 0,
	     NULL},
	    {"user by core fingerprint", "bob@beta.test", core_fingerprint,
	     buffer_string(&listing_user), 0, NULL},
	    {"another fingerprint", "beta.test", other,
	     buffer_string(&listing_org), ERR_PROTOCOL, "another fingerprint"},
	    {"organization for a user", "bob@beta.test", NULL,
	     buffer_string(&listing_org), ERR_PROTOCOL, "SGNT: 270"},
	    {"user under the organization's code", "beta.test", NULL,
	     buffer_string(&listing_mixed), ERR_PROTOCOL,
	     "signet of kind 1789, not 1776"},
	    {"not enabled", "bob@beta.test", NULL,
	     "476 SIGNET TEMPORARILY UNAVAILABLE\n", ERR_NOT_ENABLED,
	     "dx.beta.test: SGNT: 476 SIGNET TEMPORARILY UNAVAILABLE"},
	    {"unknown", "bob@beta.test", NULL, "576 SIGNET UNAVAILABLE\n",
	     ERR_UNKNOWN_ADDRESS, "576"},
	    {"denied", "bob@beta.test", NULL, "450 ACCESS DENIED\n",
	     ERR_DEFERRED, "450"},
	    {"syntax", "bob@beta.test", NULL, "501 ARGUMENT SYNTAX ERROR\n",
	     ERR_DEFERRED, "501"},
	    {"OK without a listing", "beta.test", NULL, "270 OK\n",
	     ERR_PROTOCOL, "listing"},
	    {"listing of garbage", "beta.test", NULL,
	     "270-what is this\n270 OK\n", ERR_PROTOCOL, "listing"},
	    {"other success", "beta.test", NULL, "250 OK\n", ERR_PROTOCOL,
	     "SGNT: 250"},
	    {"no reply", "beta.test", NULL, "!\n", ERR_PROTOCOL,
	     "without a code"},
	    {"hangs up", "beta.test", NULL, CLOSE, ERR_UNREACHABLE, "waiting"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host host = {.says = {BANNER, cases[i].says, BYE}};
		struct peer *peer = open_good(&host);
		struct signet *signet;
		struct fault fault = {0};
		struct buffer heard = buffer_make(1000);
		int err;

		unit_case(cases[i].name);
		err = peer_fetch_signet(peer, cases[i].wanted,
		    cases[i].fingerprint, deadline_in(LONG), &signet, &fault);
		assert_int_equal(err, cases[i].err);
		assert_int_equal(err == 0, signet != NULL);
		if (err != 0) {
			assert_int_equal(fault.err, err);
			assert_non_null(strstr(fault.text,
			    cases[i].complaint));
			assert_non_null(strstr(fault.text, "dx.beta.test: "));
		}
		signet_free(signet);
		peer_close(peer);
		buffer_printf(&heard, "SGNT FOR=<%s>", cases[i].wanted);
		if (cases[i].fingerprint != NULL && *cases[i].fingerprint)
			buffer_printf(&heard, " FINGERPRINT=[%s]",
			    cases[i].fingerprint);
		buffer_append_string(&heard, "\n");
		if (cases[i].says != CLOSE && *cases[i].says != '!')
			buffer_append_string(&heard, "QUIT\n");
		end_host(&host, buffer_string(&heard));
		buffer_free(&heard);
	}
}

static void
verify_table(void **state)
{
	static const struct {
		const char *name, *says;
		int err;
	} cases[] = {
	    {"current", "281 USER SIGNET CURRENT\n", 0},
	    {"an organization's", "271 ORGANIZATIONAL SIGNET CURRENT\n",
	     ERR_PROTOCOL},
	    {"gone", "576 SIGNET UNAVAILABLE\n", ERR_UNKNOWN_ADDRESS},
	    {"disabled", "476 LATER\n", ERR_NOT_ENABLED},
	    {"not a core", "501 SYNTAX\n", ERR_DEFERRED},
	    {"no listing", "280 OK\n", ERR_PROTOCOL},
	    {"a listing of nothing", "280-\n280 OK\n", ERR_PROTOCOL},
	    {"a success that is none", "250 OK\n", ERR_PROTOCOL},
	    {"put off", "450 ACCESS DENIED\n", ERR_DEFERRED},
	};
	struct signet *signet;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host host = {.says = {BANNER, cases[i].says, BYE}};
		struct peer *peer = open_good(&host);
		struct fault fault = {0};

		unit_case(cases[i].name);
		assert_int_equal(peer_verify_signet(peer, "bob@beta.test",
		    "AA", deadline_in(LONG), &signet, &fault), cases[i].err);
		assert_int_equal(fault.err, cases[i].err);
		assert_null(signet);
		peer_close(peer);
		end_host(&host,
		    "VRFY FOR=<bob@beta.test> FINGERPRINT=[AA]\nQUIT\n");
	}
}

/* The current one comes in place of the one that was asked about. */
static void
verify_brings_another(void **state)
{
	struct host host = {.says = {BANNER,
	    buffer_string(&listing_user), BYE}};
	struct peer *peer = open_good(&host);
	struct fault fault = {0};
	struct signet *signet;

	assert_int_equal(peer_verify_signet(peer, "bob@beta.test", "AA",
	    deadline_in(LONG), &signet, &fault), 0);
	assert_non_null(signet);
	assert_int_equal(signet->magic, SIGNET_USER);
	signet_free(signet);
	peer_close(peer);
	end_host(&host, NULL);
}

static void
history_table(void **state)
{
	static const struct {
		const char *name, *start, *stop, *says;
		int err;
		const char *listing, *heard;
	} cases[] = {
	    {"up to one", "AA", "BB", "290-a\n290-b\n290 OK\n", 0, "a\nb\n",
	     "HIST FOR=<bob@beta.test> START=[AA] STOP=[BB]\nQUIT\n"},
	    {"up to the current one", "AA", "", "290-a\n290 OK\n", 0, "a\n",
	     "HIST FOR=<bob@beta.test> START=[AA]\nQUIT\n"},
	    {"not his", "AA", "", "576 SIGNET UNAVAILABLE\n",
	     ERR_UNKNOWN_ADDRESS, "", NULL},
	    {"not enabled", "AA", "", "476 LATER\n", ERR_NOT_ENABLED, "",
	     NULL},
	    {"never", "AA", "", "502 COMMAND DISABLED\n", ERR_REFUSED, "",
	     NULL},
	    {"not now", "AA", "", "451 LATER\n", ERR_DEFERRED, "", NULL},
	    {"nothing changed", "AA", "", "291 USER SIGNET CURRENT\n",
	     ERR_PROTOCOL, "", NULL},
	    {"another listing", "AA", "", "280-a\n280 OK\n", ERR_PROTOCOL, "",
	     NULL},
	    {"empty", "AA", "", "290 OK\n", 0, "", NULL},
	    {"closing", "AA", "", "290-a\n421 BYE\n", ERR_DEFERRED, "", NULL},
	    {"8-bit", "AA", "", "290-\x80\n", ERR_PROTOCOL, "", NULL},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host host = {.says = {BANNER, cases[i].says, BYE}};
		struct peer *peer = open_good(&host);
		struct buffer listing = buffer_make(1000);
		struct fault fault = {0};

		unit_case(cases[i].name);
		assert_int_equal(peer_fetch_history(peer, "bob@beta.test",
		    cases[i].start, cases[i].stop, deadline_in(LONG),
		    &listing, &fault), cases[i].err);
		assert_int_equal(fault.err, cases[i].err);
		assert_true(span_equal_string(buffer_span(&listing),
		    cases[i].listing));
		peer_close(peer);
		end_host(&host, cases[i].heard);
		buffer_free(&listing);
	}
}

static void
fetching_twice(void **state)
{
	struct host host = {.says = {BANNER, buffer_string(&listing_cut),
	    buffer_string(&listing_user), BYE}};
	struct peer *peer = open_good(&host);
	struct signet *signet;

	assert_int_equal(peer_fetch_signet(peer, "beta.test", NULL,
	    deadline_in(LONG), &signet, NULL), 0);
	signet_free(signet);
	assert_int_equal(peer_fetch_signet(peer, "bob@beta.test", NULL,
	    deadline_in(LONG), &signet, NULL), 0);
	signet_free(signet);
	/* An address that SGNT cannot carry counts as 476 (S16). */
	assert_int_equal(peer_fetch_signet(peer, "j\xc3\xb6rg@beta.test", NULL,
	    deadline_in(LONG), &signet, NULL), ERR_NOT_ENABLED);
	peer_close(peer);
	end_host(&host, "SGNT FOR=<beta.test>\nSGNT FOR=<bob@beta.test>\n"
	    "QUIT\n");
}

static void
fetching_ends_at_the_deadline(void **state)
{
	struct host host = {.says = {BANNER, "270-abc\n", NULL}};
	struct peer *peer = open_good(&host);
	struct fault fault = {0};
	struct signet *signet;

	assert_int_equal(peer_fetch_signet(peer, "beta.test", NULL,
	    deadline_in(50), &signet, &fault), ERR_TIMEOUT);
	assert_non_null(strstr(fault.text, "timed out"));
	peer_close(peer);
	end_host(&host, "SGNT FOR=<beta.test>\n");
}

/* A listing of `octets` octets, which is no signet. */
static struct buffer
make_long_listing(size_t octets)
{
	struct buffer lines = buffer_make(4 * octets);
	struct buffer listing = buffer_make(4 * octets);

	while (lines.length < octets)
		buffer_append_string(&lines, "of things that nobody wants\n");
	reply_write_listing(REPLY_ORG_SIGNET, buffer_span(&lines), &listing);
	buffer_free(&lines);
	return listing;
}

static void
listings_have_room_together(void **state)
{
	static const struct {
		const char *name;
		size_t octets, held;
		int err;
	} cases[] = {
	    {"short, all is taken", PEER_LISTING_OWN / 2, PEER_LISTINGS_MOST,
	     ERR_PROTOCOL},
	    {"long, all is taken", 2 * PEER_LISTING_OWN, PEER_LISTINGS_MOST,
	     ERR_BUSY},
	    {"long, too little is left", 2 * PEER_LISTING_OWN,
	     PEER_LISTINGS_MOST - PEER_LISTING_OWN + 1, ERR_BUSY},
	    {"long, enough is left", 2 * PEER_LISTING_OWN,
	     PEER_LISTINGS_MOST - PEER_LISTING_OWN - 100, ERR_PROTOCOL},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer listing = make_long_listing(cases[i].octets);
		struct host host = {
		    .says = {BANNER, buffer_string(&listing), BYE}};
		struct peer *peer = open_good(&host);
		struct fault fault = {0};
		struct signet *signet;

		print_message("case: %s\n", cases[i].name);
		room.held = cases[i].held;
		assert_int_equal(peer_fetch_signet(peer, "beta.test", NULL,
		    deadline_in(LONG), &signet, &fault), cases[i].err);
		assert_non_null(strstr(fault.text,
		    cases[i].err == ERR_BUSY ? "no room" : "listing"));
		/* Nothing stays counted. */
		assert_int_equal(room.held, cases[i].held);
		room.held = 0;
		peer_close(peer);
		end_host(&host, NULL);
		buffer_free(&listing);
	}
}

/* ---- delivery ---- */

static const char armor[] = "-----BEGIN ENCRYPTED MESSAGE-----\r\n\r\nBzcA\n"
			    "-----END ENCRYPTED MESSAGE-----";

#define EHLO "EHLO <alpha.test>\n"
#define MAIL "MAIL FROM=<alpha.test> FINGERPRINT=[fa]\n"
#define RCPT "RCPT TO=<beta.test> FINGERPRINT=[fb]\n"
#define MESSAGE                                                                \
	"DATA\n-----BEGIN ENCRYPTED MESSAGE-----\n\nBzcA\n"                    \
	"-----END ENCRYPTED MESSAGE-----\n.\n"

static const struct peer_mail mail = {
    .helo = "alpha.test",
    .origin = "alpha.test",
    .origin_fingerprint = "fa",
    .destination = "beta.test",
    .destination_fingerprint = "fb",
    .armor = {(const uint8_t *)armor, sizeof(armor) - 1},
};

static void
delivery_table(void **state)
{
	static const struct {
		const char *name;
		const char *says[5]; /* to EHLO, MAIL, RCPT, DATA, message */
		int err, code;
		const char *heard;
	} cases[] = {
	    {"accepted", {"250-SIZE 9\n250 OK\n", "250 OK\n", "250 OK\n",
	     "354 GO\n", "254 ACCEPTED=x\n"}, 0, 254,
	     EHLO MAIL RCPT MESSAGE "QUIT\n"},
	    {"duplicate", {"250 OK\n", "250 OK\n", "250 OK\n", "354 GO\n",
	     "255 DUPLICATE=x\n"}, 0, 255, EHLO MAIL RCPT MESSAGE "QUIT\n"},
	    {"origin signet awaited", {"250 OK\n", "470 WAIT\n", BYE},
	     ERR_ORIGIN_WAIT, 470, EHLO MAIL "QUIT\n"},
	    {"destination signet", {"250 OK\n", "250 OK\n", "576 STALE\n",
	     BYE}, ERR_DESTINATION_SIGNET, 576, EHLO MAIL RCPT "QUIT\n"},
	    {"no DATA", {"250 OK\n", "250 OK\n", "250 OK\n", "503 NO\n", BYE},
	     ERR_REFUSED, 503, EHLO MAIL RCPT "DATA\nQUIT\n"},
	    {"put off", {"250 OK\n", "250 OK\n", "250 OK\n", "354 GO\n",
	     "451 DATA CORRUPTED\n"}, ERR_DEFERRED, 451,
	     EHLO MAIL RCPT MESSAGE "QUIT\n"},
	    {"signature", {"250 OK\n", "250 OK\n", "250 OK\n", "354 GO\n",
	     "578 INVALID\n"}, ERR_SIGNATURE, 578,
	     EHLO MAIL RCPT MESSAGE "QUIT\n"},
	    {"a success that is none", {"250 OK\n", "250 OK\n", "250 OK\n",
	     "354 GO\n", "250 OK\n"}, ERR_PROTOCOL, 250,
	     EHLO MAIL RCPT MESSAGE "QUIT\n"},
	    {"DATA answered as if all were said", {"250 OK\n", "250 OK\n",
	     "250 OK\n", "254 ACCEPTED=x\n", BYE}, ERR_PROTOCOL, 254,
	     EHLO MAIL RCPT "DATA\nQUIT\n"},
	    {"MAIL answered as if it were DATA", {"250 OK\n", "354 GO\n", BYE},
	     ERR_PROTOCOL, 354, EHLO MAIL "QUIT\n"},
	    {"RCPT answered without a code", {"250 OK\n", "250 OK\n",
	     "yes, of course\n", CLOSE}, ERR_PROTOCOL, 0, EHLO MAIL RCPT},
	    {"RCPT answered 8-bit", {"250 OK\n", "250 OK\n", "250 \xff\n",
	     CLOSE}, ERR_PROTOCOL, 0, EHLO MAIL RCPT},
	    {"EHLO answered in two codes", {"250-SIZE 9\n550 NO\n", CLOSE},
	     ERR_PROTOCOL, 0, EHLO},
	    {"the message accepted in two codes", {"250 OK\n", "250 OK\n",
	     "250 OK\n", "354 GO\n", "254-ACCEPTED=x\n451 NO\n"},
	     ERR_PROTOCOL, 0, EHLO MAIL RCPT MESSAGE},
	    {"the host dislikes us, not the message", {"550 NO\n", BYE},
	     ERR_DEFERRED, 550, EHLO "QUIT\n"},
	    {"closing", {"250 OK\n", "421 BYE\n", CLOSE}, ERR_BUSY, 421,
	     EHLO MAIL},
	    {"gone before the reply", {"250 OK\n", "250 OK\n", "250 OK\n",
	     "354 GO\n", CLOSE}, ERR_UNREACHABLE, 0, EHLO MAIL RCPT MESSAGE},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct host host = {.says = {BANNER}};
		struct fault fault = {0};
		struct peer_reply reply;
		struct peer *peer;

		unit_case(cases[i].name);
		memcpy(host.says + 1, cases[i].says, sizeof(cases[i].says));
		host.says[6] = BYE;
		peer = open_good(&host);
		peer_reply_init(&reply);
		assert_int_equal(peer_deliver(peer, &mail, &reply, &fault),
		    cases[i].err);
		assert_int_equal(reply.code, cases[i].code);
		if (cases[i].err != 0) {
			assert_int_equal(fault.err, cases[i].err);
			assert_non_null(strstr(fault.text, "dx.beta.test: "));
		}
		peer_reply_free(&reply);
		peer_close(peer);
		end_host(&host, cases[i].heard);
	}
}

static void
two_messages_in_a_session(void **state)
{
	struct host host = {.says = {BANNER, "250 OK\n", "470 WAIT\n",
	    "250 OK\n", "250 OK\n", "354 GO\n", "254 ACCEPTED=x\n", BYE}};
	struct peer *peer = open_good(&host);
	struct peer_reply reply;

	peer_reply_init(&reply);
	assert_int_equal(peer_deliver(peer, &mail, &reply, NULL),
	    ERR_ORIGIN_WAIT);
	assert_int_equal(peer_deliver(peer, &mail, &reply, NULL), 0);
	peer_reply_free(&reply);
	peer_close(peer);
	end_host(&host, EHLO MAIL MAIL RCPT MESSAGE "QUIT\n");
}

static void
a_large_message(void **state)
{
	struct host host = {.says = {BANNER, "250 OK\n", "250 OK\n",
	    "250 OK\n", "354 GO\n", "254 ACCEPTED=x\n", BYE}};
	struct peer *peer = open_good(&host);
	struct buffer text = buffer_make(1 << 22), heard = buffer_make(1 << 22);
	struct peer_mail large = mail;
	struct peer_reply reply;

	for (int i = 0; i < 20000; i++)
		buffer_printf(&text, "%064d\n", i);
	large.armor = buffer_span(&text);
	peer_reply_init(&reply);
	assert_int_equal(peer_deliver(peer, &large, &reply, NULL), 0);
	peer_reply_free(&reply);
	peer_close(peer);
	buffer_append_string(&heard, EHLO MAIL RCPT "DATA\n");
	buffer_append_span(&heard, buffer_span(&text));
	buffer_append_string(&heard, ".\nQUIT\n");
	end_host(&host, buffer_string(&heard));
	buffer_free(&text);
	buffer_free(&heard);
}

/* Nothing that could end the message early, and be commands then, is sent. */
static void
what_is_not_armor_stays_here(void **state)
{
	struct host host = {.says = {BANNER, BYE}};
	struct peer *peer = open_good(&host);
	struct peer_mail bad = mail;
	struct fault fault = {0};
	struct peer_reply reply;

	peer_reply_init(&reply);
	bad.armor = span_string("abc\n.\r\nRSET\n");
	assert_int_equal(peer_deliver(peer, &bad, &reply, &fault), ERR_FORMAT);
	assert_int_equal(reply.code, 0);
	peer_reply_free(&reply);
	peer_close(peer);
	end_host(&host, "QUIT\n");
}

/* ---- */

static void
make_certificate(const char *name, const char *names, EVP_PKEY *key,
    const struct unit_certificate *issuer, const char *ocsp,
    struct unit_certificate *out)
{
	const struct unit_certificate_wish wish = {.name = name, .key = key,
	    .names = names, .days = 100, .authority = names == NULL,
	    .ocsp = ocsp, .issuer = issuer};

	unit_certificate_make(directory, &wish, out);
}

static void
make_certificates(void)
{
	rsa_key = unit_key(2048);
	short_key = unit_key(1024);
	make_certificate("authority", NULL, rsa_key, NULL, NULL, &authority);
	make_certificate("host", "DNS:dx.beta.test", rsa_key, &authority, NULL,
	    &host_of_domain);
	make_certificate("domain", "DNS:beta.test", rsa_key, &authority, NULL,
	    &domain_itself);
	make_certificate("foreign", "DNS:dx.gamma.test", rsa_key, NULL, NULL,
	    &foreign);
	make_certificate("small", "DNS:dx.beta.test", short_key, &authority,
	    NULL, &small);
	make_certificate("ocsp", "DNS:dx.beta.test", rsa_key, &authority,
	    "http://ocsp.test/", &with_ocsp);
}

static void
free_all(void)
{
	struct unit_certificate *certificates[] = {&authority, &host_of_domain,
	    &domain_itself, &foreign, &small, &with_ocsp};
	struct buffer *buffers[] = {&org_armor, &user_armor, &listing_org,
	    &listing_user, &listing_cut, &listing_mixed};

	for (size_t i = 0; i < COUNT(certificates); i++)
		unit_certificate_free(certificates[i]);
	for (size_t i = 0; i < COUNT(buffers); i++)
		buffer_free(buffers[i]);
	EVP_PKEY_free(rsa_key);
	EVP_PKEY_free(short_key);
}

static int
start(void **state)
{
	if (unit_start(state) != 0)
		return -1;
	unit_directory(directory);
	make_certificates();
	if (tls_client_new(authority.certificate_path, &client, NULL) != 0)
		return -1;
	make_signets();
	make_listings();
	return 0;
}

static int
end(void **state)
{
	free_all();
	tls_free(client);
	return unit_end(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(certificate_table),
	    cmocka_unit_test(certificate_by_sok),
	    cmocka_unit_test(dual_protocol),
	    cmocka_unit_test(dual_protocol_certificate),
	    cmocka_unit_test(short_key_is_told_goodbye),
	    cmocka_unit_test(banner_table),
	    cmocka_unit_test(silent_hosts),
	    cmocka_unit_test(nobody_there),
	    cmocka_unit_test(commands),
	    cmocka_unit_test(fetch_table),
	    cmocka_unit_test(verify_table),
	    cmocka_unit_test(verify_brings_another),
	    cmocka_unit_test(history_table),
	    cmocka_unit_test(fetching_twice),
	    cmocka_unit_test(fetching_ends_at_the_deadline),
	    cmocka_unit_test(listings_have_room_together),
	    cmocka_unit_test(delivery_table),
	    cmocka_unit_test(two_messages_in_a_session),
	    cmocka_unit_test(a_large_message),
	    cmocka_unit_test(what_is_not_armor_stays_here),
	};

	return cmocka_run_group_tests(tests, start, end);
}
