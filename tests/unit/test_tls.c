/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "tests/unit/unit.h"
#include "tests/unit/unit_tls.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "base/file.h"
#include "net/stream.h"

enum { LONG = 60000 }; /* a time that no test waits for */

static char directory[64] = "/tmp/dimegate-unit-XXXXXX";

static EVP_PKEY *rsa_key, *other_key, *short_key, *ec_key;
static struct unit_certificate authority, good, other, expired, small, curve;

static void
make_certificate(const char *name, const char *names, EVP_PKEY *key, int days,
    const struct unit_certificate *issuer, struct unit_certificate *out)
{
	const struct unit_certificate_wish wish = {.name = name, .key = key,
	    .names = names, .days = days, .authority = names == NULL,
	    .issuer = issuer};

	unit_certificate_make(directory, &wish, out);
}

static void
make_certificates(void)
{
	rsa_key = unit_key(2048);
	other_key = unit_key(2048);
	short_key = unit_key(1024);
	ec_key = unit_key(0);
	make_certificate("authority", NULL, other_key, 100, NULL, &authority);
	make_certificate("good", "DNS:dx.beta.test,DNS:*.other.test", rsa_key,
	    100, &authority, &good);
	make_certificate("other", "DNS:dx.beta.test", other_key, 100, NULL,
	    &other);
	make_certificate("expired", "DNS:dx.beta.test", rsa_key, -1,
	    &authority, &expired);
	make_certificate("small", "DNS:dx.beta.test", short_key, 100,
	    &authority, &small);
	make_certificate("curve", "DNS:dx.beta.test", ec_key, 100, NULL,
	    &curve);
}

static void
free_certificates(void)
{
	struct unit_certificate *all[] = {&authority, &good, &other, &expired,
	    &small, &curve};
	EVP_PKEY *keys[] = {rsa_key, other_key, short_key, ec_key};

	for (size_t i = 0; i < COUNT(all); i++)
		unit_certificate_free(all[i]);
	for (size_t i = 0; i < COUNT(keys); i++)
		EVP_PKEY_free(keys[i]);
}

/* ---- our server in a thread ---- */

struct side {
	int fd;
	struct tls_context *context;
	int err; /* of the handshake */
	struct fault fault;
	pthread_t thread;
};

/* Answers every line with itself, ends at "quit". */
static void *
serve(void *argument)
{
	struct side *side = argument;
	struct stream *stream = stream_of_fd(side->fd);
	struct span line;

	side->err = stream_start_tls_server(stream, side->context,
	    deadline_in(LONG), &side->fault);
	while (side->err == 0 && stream_read_line(stream, 100, &line,
	    deadline_in(LONG)) == 0 && !span_equal_string(line, "quit")) {
		struct buffer out = buffer_make(200);

		buffer_append_span(&out, line);
		buffer_append_string(&out, "\n");
		stream_write(stream, buffer_span(&out), deadline_in(LONG));
		buffer_free(&out);
	}
	stream_free(stream);
	return NULL;
}

/* Returns the client's end. */
static int
start_server(struct side *side, struct tls_context *context)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	*side = (struct side){.fd = pair[1], .context = context};
	assert_int_equal(pthread_create(&side->thread, NULL, serve, side), 0);
	return pair[0];
}

static struct tls_identity
identity(const struct unit_certificate *certificate)
{
	return (struct tls_identity){certificate->certificate_path,
	    certificate->key_path};
}

static struct tls_context *
server_context(const struct unit_certificate *certificate)
{
	const struct tls_identity only = identity(certificate);
	struct tls_context *context;
	struct fault fault = {0};

	assert_int_equal(tls_server_new(&only, 1, &context, &fault), 0);
	return context;
}

static struct tls_context *
client_context(const char *ca_file)
{
	struct tls_context *context;

	assert_int_equal(tls_client_new(ca_file, &context, NULL), 0);
	return context;
}

static void
echo(struct stream *stream, const char *line, const char *answer)
{
	struct span got;

	assert_int_equal(stream_write(stream, span_string(line),
	    deadline_in(LONG)), 0);
	assert_int_equal(stream_read_line(stream, 100, &got,
	    deadline_in(LONG)), 0);
	assert_true(span_equal_string(got, answer));
}

static void
a_session(void **state)
{
	struct tls_context *server = server_context(&good);
	struct tls_context *client =
	    client_context(authority.certificate_path);
	struct tls_peer peer;
	struct side side;
	struct stream *stream = stream_of_fd(start_server(&side, server));
	char octet;
	size_t got;

	assert_int_equal(stream_start_tls_client(stream, client,
	    "dx.beta.test", &peer, deadline_in(LONG), NULL), 0);
	assert_true(span_equal(buffer_span(&peer.der),
	    buffer_span(&good.der)));
	assert_int_equal(peer.rsa_bits, 2048);
	assert_true(peer.chain_valid);
	assert_true(peer.name_valid);
	assert_non_null(peer.chain);
	assert_true(tls_peer_has_name(&peer, "a.other.test"));
	assert_false(tls_peer_has_name(&peer, "other.test"));
	assert_false(tls_peer_has_name(&peer, "good"));
	echo(stream, "hello\n", "hello");
	echo(stream, "and again\r\n", "and again");
	assert_int_equal(stream_write(stream, span_string("quit\n"),
	    deadline_in(LONG)), 0);
	/* The end is said, not cut. */
	assert_int_equal(stream_read(stream, &octet, 1, &got,
	    deadline_in(LONG)), 0);
	assert_int_equal(got, 0);
	tls_peer_free(&peer);
	stream_free(stream);
	pthread_join(side.thread, NULL);
	assert_int_equal(side.err, 0);
	tls_free(server);
	tls_free(client);
}

static void
judgement_table(void **state)
{
	const struct {
		const char *name;
		const struct unit_certificate *certificate;
		const char *ca_file, *server_name;
		bool chain_valid, name_valid;
	} cases[] = {
	    {"good", &good, authority.certificate_path, "dx.beta.test", true,
	     true},
	    {"no authorities", &good, "", "dx.beta.test", false, true},
	    {"other authority", &good, other.certificate_path, "dx.beta.test",
	     false, true},
	    {"self-signed", &other, authority.certificate_path, "dx.beta.test",
	     false, true},
	    {"expired", &expired, authority.certificate_path, "dx.beta.test",
	     false, true},
	    {"other name", &good, authority.certificate_path, "mx.beta.test",
	     true, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tls_context *server =
		    server_context(cases[i].certificate);
		struct tls_context *client = client_context(cases[i].ca_file);
		struct tls_peer peer;
		struct side side;
		struct stream *stream =
		    stream_of_fd(start_server(&side, server));

		unit_case(cases[i].name);
		assert_int_equal(stream_start_tls_client(stream, client,
		    cases[i].server_name, &peer, deadline_in(LONG), NULL), 0);
		assert_int_equal(peer.chain_valid, cases[i].chain_valid);
		assert_int_equal(peer.name_valid, cases[i].name_valid);
		tls_peer_free(&peer);
		stream_free(stream);
		pthread_join(side.thread, NULL);
		tls_free(server);
		tls_free(client);
	}
}

/* ---- our side against plain OpenSSL ---- */

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

/* ---- waiting, starting ---- */

static void
silence_ends_at_the_deadline(void **state)
{
	struct tls_context *client = client_context("");
	int64_t start = clock_monotonic(&clock_system);
	struct fault fault = {0};
	struct tls_peer peer;
	struct stream *stream;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	stream = stream_of_fd(pair[0]);
	assert_int_equal(stream_start_tls_client(stream, client,
	    "dx.beta.test", &peer, deadline_in(30), &fault), ERR_TIMEOUT);
	assert_string_equal(fault.text, "TLS handshake: timed out");
	assert_in_range(clock_monotonic(&clock_system) - start, 30, 5000);
	assert_int_equal(peer.der.length, 0);
	stream_free(stream);
	close(pair[1]);
	tls_free(client);
}

/* Commands slipped in before STARTTLS must not count as said inside TLS. */
static void
nothing_is_carried_into_tls(void **state)
{
	struct tls_context *server = server_context(&good);
	struct fault fault = {0};
	struct stream *stream;
	struct span line;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	stream = stream_of_fd(pair[0]);
	assert_int_equal(write(pair[1], "STARTTLS\nNOOP\n", 14), 14);
	assert_int_equal(stream_read_line(stream, 100, &line,
	    deadline_in(LONG)), 0);
	assert_int_equal(stream_start_tls_server(stream, server,
	    deadline_in(LONG), &fault), ERR_PROTOCOL);
	assert_non_null(strstr(fault.text, "in clear before"));
	stream_free(stream);
	close(pair[1]);
	tls_free(server);
}

static void
no_tls_at_all(void **state)
{
	struct tls_context *server = server_context(&good);
	struct stream *stream;
	struct fault fault = {0};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	stream = stream_of_fd(pair[0]);
	assert_int_equal(write(pair[1], "EHLO <a.test>\n", 14), 14);
	assert_int_equal(stream_start_tls_server(stream, server,
	    deadline_in(LONG), &fault), ERR_PROTOCOL);
	stream_free(stream);
	close(pair[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	stream = stream_of_fd(pair[0]);
	close(pair[1]);
	assert_int_equal(stream_start_tls_server(stream, server,
	    deadline_in(LONG), &fault), ERR_UNREACHABLE);
	assert_string_equal(fault.text, "TLS handshake: the peer has closed");
	stream_free(stream);
	tls_free(server);
}

/* ---- files ---- */

static void
write_locked_key(const char *path)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(PEM_write_PrivateKey(file, good.key,
	    EVP_aes_256_cbc(), (const unsigned char *)"secret", 6, NULL, NULL),
	    1);
	fclose(file);
	assert_int_equal(chmod(path, 0600), 0);
}

static void
server_file_table(void **state)
{
	char locked[128], loose[128], cut[128];
	const struct {
		const char *name, *certificate, *key;
		int err;
		const char *file, *complaint;
	} cases[] = {
	    {"no certificate file", "/nowhere/crt", good.key_path, ERR_NO_FILE,
	     "/nowhere/crt", ""},
	    {"no key file", good.certificate_path, "/nowhere/key", ERR_NO_FILE,
	     "/nowhere/key", ""},
	    {"key instead of certificate", good.key_path, good.key_path,
	     ERR_CONFIG, good.key_path, "no PEM certificate"},
	    {"key with a password", good.certificate_path, locked,
	     ERR_CONFIG, locked, "no private key without a password"},
	    {"other key", good.certificate_path, other.key_path, ERR_CONFIG,
	     other.key_path, "does not fit the certificate"},
	    {"RSA 1024", small.certificate_path, small.key_path, ERR_CONFIG,
	     "/small.", ""}, /* which file depends on the system's OpenSSL */
	    {"short key", good.certificate_path, small.key_path, ERR_CONFIG,
	     small.key_path, "RSA key of 1024 bits, not 2048 to 16384"},
	    {"EC", curve.certificate_path, curve.key_path, ERR_CONFIG,
	     curve.key_path, "not an RSA key"},
	    {"loose mode", good.certificate_path, loose, ERR_PERMISSION, loose,
	     ""},
	    {"damaged chain", cut, good.key_path, ERR_CONFIG, cut,
	     "damaged certificate in the chain"},
	};
	struct buffer text = buffer_make(100000);

	snprintf(locked, sizeof(locked), "%s/locked", directory);
	write_locked_key(locked);
	snprintf(loose, sizeof(loose), "%s/loose", directory);
	snprintf(cut, sizeof(cut), "%s/cut", directory);
	assert_int_equal(file_read(good.key_path, &text, NULL), 0);
	assert_int_equal(file_write(loose, buffer_span(&text), 0644, true,
	    NULL), 0);
	buffer_reset(&text);
	assert_int_equal(file_read(good.certificate_path, &text, NULL), 0);
	assert_int_equal(file_write(cut,
	    span_slice(buffer_span(&text), 0, text.length - 40), 0644, true,
	    NULL), 0);
	buffer_free(&text);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tls_context *context;
		struct fault fault = {0};

		unit_case(cases[i].name);
		assert_int_equal(tls_server_new(&(const struct tls_identity){
		    cases[i].certificate, cases[i].key}, 1, &context, &fault),
		    cases[i].err);
		assert_null(context);
		assert_non_null(strstr(fault.text, cases[i].file));
		assert_non_null(strstr(fault.text, cases[i].complaint));
	}
}

static void
authority_files(void **state)
{
	struct tls_context *context;
	struct fault fault = {0};

	assert_int_equal(tls_client_new("/nowhere/ca", &context, &fault),
	    ERR_NO_FILE);
	assert_non_null(strstr(fault.text, "/nowhere/ca"));
	assert_int_equal(tls_client_new(good.key_path, &context, &fault),
	    ERR_CONFIG);
	assert_non_null(strstr(fault.text, good.key_path));
	assert_null(context);
}

/* Which of the certificates a client gets that names the host. */
static void
assert_shown(struct tls_context *server, struct tls_context *client,
    const char *name, const struct unit_certificate *expected)
{
	struct tls_peer peer;
	struct side side;
	struct stream *stream = stream_of_fd(start_server(&side, server));

	assert_int_equal(stream_start_tls_client(stream, client, name, &peer,
	    deadline_in(LONG), NULL), 0);
	assert_true(span_equal(buffer_span(&peer.der),
	    buffer_span(&expected->der)));
	echo(stream, "hello\n", "hello");
	tls_peer_free(&peer);
	stream_free(stream);
	pthread_join(side.thread, NULL);
}

/* The first identity whose certificate is for the host, else the first of all;
 * a bad one among them at a reload leaves all as they were. */
static void
server_name_table(void **state)
{
	struct unit_certificate wild, twice;
	struct tls_context *server, *client = client_context("");
	struct fault fault = {0};

	make_certificate("wild", "DNS:*.gamma.test,DNS:gamma.test", rsa_key, 30,
	    NULL, &wild);
	make_certificate("twice", "DNS:a.gamma.test,DNS:dx.beta.test",
	    other_key, 30, NULL, &twice);
	{
		const struct tls_identity all[] = {identity(&good),
		    identity(&wild), identity(&twice)};
		const struct tls_identity bad[] = {identity(&other),
		    identity(&wild), {"/nowhere/crt", "/nowhere/key"}};

		assert_int_equal(tls_server_new(all, COUNT(all), &server,
		    NULL), 0);
		assert_int_equal(tls_server_reload(server, bad, COUNT(bad),
		    &fault), ERR_NO_FILE);
		assert_non_null(strstr(fault.text, "/nowhere/crt"));
	}
	assert_shown(server, client, "dx.beta.test", &good);
	assert_shown(server, client, "gamma.test", &wild);
	assert_shown(server, client, "a.gamma.test", &wild);
	assert_shown(server, client, "A.Gamma.TEST", &wild);
	assert_shown(server, client, "a.b.gamma.test", &good);
	assert_shown(server, client, "nowhere.test", &good);
	assert_shown(server, client, "192.0.2.1", &good);
	{
		const struct tls_identity fewer[] = {identity(&other),
		    identity(&twice)};

		assert_int_equal(tls_server_reload(server, fewer, COUNT(fewer),
		    NULL), 0);
	}
	assert_shown(server, client, "gamma.test", &other);
	assert_shown(server, client, "dx.beta.test", &other);
	assert_shown(server, client, "a.gamma.test", &twice);
	tls_free(server);
	tls_free(client);
	unit_certificate_free(&wild);
	unit_certificate_free(&twice);
}

static void
reload_keeps_sessions(void **state)
{
	const struct tls_identity nowhere = {"/nowhere/crt", good.key_path};
	const struct tls_identity another = identity(&other);
	struct tls_context *server = server_context(&good);
	struct tls_context *client = client_context("");
	struct tls_peer first_peer, second_peer;
	struct side first, second;
	struct stream *a = stream_of_fd(start_server(&first, server)), *b;

	assert_int_equal(stream_start_tls_client(a, client, "dx.beta.test",
	    &first_peer, deadline_in(LONG), NULL), 0);
	assert_int_equal(tls_server_reload(server, &nowhere, 1, NULL),
	    ERR_NO_FILE);
	assert_int_equal(tls_server_reload(server, &another, 1, NULL), 0);
	b = stream_of_fd(start_server(&second, server));
	assert_int_equal(stream_start_tls_client(b, client, "dx.beta.test",
	    &second_peer, deadline_in(LONG), NULL), 0);
	assert_true(span_equal(buffer_span(&first_peer.der),
	    buffer_span(&good.der)));
	assert_true(span_equal(buffer_span(&second_peer.der),
	    buffer_span(&other.der)));
	tls_free(server);
	echo(a, "still here\n", "still here");
	echo(b, "me too\n", "me too");
	tls_peer_free(&first_peer);
	tls_peer_free(&second_peer);
	stream_free(a);
	stream_free(b);
	pthread_join(first.thread, NULL);
	pthread_join(second.thread, NULL);
	tls_free(client);
}

static void
key_log(void **state)
{
#ifdef DIME_TEST_HOOKS
	struct buffer text = buffer_make(100000);
	char path[128];

	snprintf(path, sizeof(path), "%s/keylog", directory);
	setenv("DIME_KEYLOG", path, 1);
	a_session(state);
	unsetenv("DIME_KEYLOG");
	assert_int_equal(file_read(path, &text, NULL), 0);
	assert_non_null(strstr(buffer_string(&text), "CLIENT_RANDOM "));
	buffer_free(&text);
#else
	skip();
#endif
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_session),
	    cmocka_unit_test(judgement_table),
	    cmocka_unit_test(client_table),
	    cmocka_unit_test(no_renegotiation_no_tickets),
	    cmocka_unit_test(renegotiation_ends_the_session),
	    cmocka_unit_test(server_table),
	    cmocka_unit_test(server_name_table),
	    cmocka_unit_test(a_cut_is_not_an_end),
	    cmocka_unit_test(silence_ends_at_the_deadline),
	    cmocka_unit_test(nothing_is_carried_into_tls),
	    cmocka_unit_test(no_tls_at_all),
	    cmocka_unit_test(server_file_table),
	    cmocka_unit_test(authority_files),
	    cmocka_unit_test(reload_keeps_sessions),
	    cmocka_unit_test(key_log),
	};
	int failed;

	unit_directory(directory);
	make_certificates();
	failed = cmocka_run_group_tests(tests, unit_start, unit_end);
	free_certificates();
	return failed;
}
