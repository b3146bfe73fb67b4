/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/tls_world.h"

#include <poll.h>
#include <unistd.h>

#include <openssl/err.h>

/* Our side against plain OpenSSL. */

struct raw {
	int fd;
	SSL_CTX *context;
	void (*use)(SSL *session, bool shaken, struct raw *raw);
	bool shaken;
	int (*handshake)(SSL *session);
	pthread_t thread;
};

static void *
run_raw(void *argument)
{
	struct raw *raw = argument;
	SSL *session = SSL_new(raw->context);

	SSL_set_fd(session, raw->fd);
	raw->shaken = raw->handshake(session) == 1;
	if (raw->use != NULL)
		raw->use(session, raw->shaken, raw);
	SSL_free(session);
	close(raw->fd);
	return NULL;
}

/* Returns our end. */
static int
start_raw(struct raw *raw)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	raw->fd = pair[1];
	assert_int_equal(pthread_create(&raw->thread, NULL, run_raw, raw), 0);
	return pair[0];
}

static SSL_CTX *
raw_context(const SSL_METHOD *method, int version, const char *suites)
{
	SSL_CTX *context = SSL_CTX_new(method);

	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_min_proto_version(context, version);
	SSL_CTX_set_max_proto_version(context, version);
	assert_int_equal(SSL_CTX_set_cipher_list(context, suites), 1);
	return context;
}

/* Renegotiation is not to be had, and nothing to resume a session with. */
static void
ask_for_more(SSL *session, bool shaken, struct raw *raw)
{
	raw->shaken = shaken && SSL_session_reused(session) == 0 &&
	    SSL_SESSION_has_ticket(SSL_get0_session(session)) == 0 &&
	    SSL_renegotiate(session) == 1 && SSL_do_handshake(session) == 1;
}

/* Asks for another handshake and does not hear the answer: whether the session
 * ends all the same. */
static void
ask_and_not_hear(SSL *session, bool shaken, struct raw *raw)
{
	struct pollfd end = {.fd = raw->fd, .events = POLLIN};
	char octets[1000];
	ssize_t got = -1;

	SSL_set0_rbio(session, BIO_new(BIO_s_mem()));
	raw->shaken = shaken && SSL_renegotiate(session) == 1 &&
	    SSL_do_handshake(session) == -1 &&
	    SSL_get_error(session, -1) == SSL_ERROR_WANT_READ;
	while (raw->shaken && got != 0 && poll(&end, 1, LONG / 2) == 1)
		got = read(raw->fd, octets, sizeof(octets));
	raw->shaken = got == 0;
	ERR_clear_error();
}

static const char suite[] = "ECDHE-RSA-AES256-GCM-SHA384";

static void
client_table(void **state)
{
	static const struct {
		const char *name;
		int version;
		const char *suites;
		bool accepted;
	} cases[] = {
	    {"what DMTP asks for", TLS1_2_VERSION, suite, true},
	    {"TLS 1.3 only", TLS1_3_VERSION, suite, false},
	    {"TLS 1.1 only", TLS1_1_VERSION, "ALL", false},
	    {"128 bits", TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", false},
	    {"ECDSA", TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384", false},
	    {"no forward secrecy", TLS1_2_VERSION, "AES256-GCM-SHA384", false},
	};
	struct tls_context *server = server_context(&good);

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct raw raw = {.handshake = SSL_connect};
		struct side side = {.context = server};

		unit_case(cases[i].name);
		raw.context = raw_context(TLS_client_method(),
		    cases[i].version, cases[i].suites);
		side.fd = start_raw(&raw);
		serve(&side);
		pthread_join(raw.thread, NULL);
		SSL_CTX_free(raw.context);
		assert_int_equal(raw.shaken, cases[i].accepted);
		assert_int_equal(side.err,
		    cases[i].accepted ? 0 : ERR_PROTOCOL);
		if (!cases[i].accepted)
			assert_non_null(strstr(side.fault.text,
			    "TLS handshake: "));
	}
	tls_free(server);
}

/* What a client says of a session with our server that it uses so. */
static bool
use_session(void (*use)(SSL *session, bool shaken, struct raw *raw))
{
	struct tls_context *server = server_context(&good);
	struct raw raw = {.handshake = SSL_connect, .use = use};
	struct side side = {.context = server};

	raw.context = raw_context(TLS_client_method(), TLS1_2_VERSION, suite);
	side.fd = start_raw(&raw);
	serve(&side);
	pthread_join(raw.thread, NULL);
	SSL_CTX_free(raw.context);
	assert_int_equal(side.err, 0);
	tls_free(server);
	return raw.shaken;
}

static void
no_renegotiation_no_tickets(void **state)
{
	assert_false(use_session(ask_for_more));
}

static void
renegotiation_ends_the_session(void **state)
{
	assert_true(use_session(ask_and_not_hear));
}

static void
server_table(void **state)
{
	const struct {
		const char *name;
		const struct unit_certificate *certificate;
		int version;
		const char *suites;
		unsigned int rsa_bits; /* 0: no session */
	} cases[] = {
	    {"what DMTP asks for", &good, TLS1_2_VERSION, suite, 2048},
	    {"short key: for the client to judge", &small, TLS1_2_VERSION,
	     suite, 1024},
	    {"TLS 1.3 only", &good, TLS1_3_VERSION, suite, 0},
	    {"128 bits", &good, TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256",
	     0},
	    {"ECDSA", &curve, TLS1_2_VERSION, "ALL", 0},
	};
	struct tls_context *client =
	    client_context(authority.certificate_path);

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct raw raw = {.handshake = SSL_accept};
		struct tls_peer peer;
		struct stream *stream;
		int err;

		unit_case(cases[i].name);
		raw.context = raw_context(TLS_server_method(),
		    cases[i].version, cases[i].suites);
		SSL_CTX_use_certificate(raw.context,
		    cases[i].certificate->certificate);
		SSL_CTX_use_PrivateKey(raw.context, cases[i].certificate->key);
		stream = stream_of_fd(start_raw(&raw));
		err = stream_start_tls_client(stream, client, "dx.beta.test",
		    &peer, deadline_in(LONG), NULL);
		assert_int_equal(err,
		    cases[i].rsa_bits != 0 ? 0 : ERR_PROTOCOL);
		if (err == 0)
			assert_int_equal(peer.rsa_bits, cases[i].rsa_bits);
		tls_peer_free(&peer);
		stream_free(stream);
		pthread_join(raw.thread, NULL);
		SSL_CTX_free(raw.context);
	}
	tls_free(client);
}

static void
a_cut_is_not_an_end(void **state)
{
	struct tls_context *client = client_context("");
	struct raw raw = {.handshake = SSL_accept};
	struct tls_peer peer;
	struct stream *stream;
	char octet;
	size_t got;

	raw.context = raw_context(TLS_server_method(), TLS1_2_VERSION, suite);
	SSL_CTX_use_certificate(raw.context, good.certificate);
	SSL_CTX_use_PrivateKey(raw.context, good.key);
	stream = stream_of_fd(start_raw(&raw));
	assert_int_equal(stream_start_tls_client(stream, client,
	    "dx.beta.test", &peer, deadline_in(LONG), NULL), 0);
	assert_int_equal(stream_read(stream, &octet, 1, &got,
	    deadline_in(LONG)), ERR_UNREACHABLE);
	tls_peer_free(&peer);
	stream_free(stream);
	pthread_join(raw.thread, NULL);
	SSL_CTX_free(raw.context);
	tls_free(client);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(client_table),
	    cmocka_unit_test(no_renegotiation_no_tickets),
	    cmocka_unit_test(renegotiation_ends_the_session),
	    cmocka_unit_test(server_table),
	    cmocka_unit_test(a_cut_is_not_an_end),
	};

	return cmocka_run_group_tests(tests, tls_world_start, tls_world_end);
}
