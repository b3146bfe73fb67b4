/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/unit/unit_tls.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net/stream.h"
#include "net/tls_kept.h"

enum { LONG = 60000 }; /* a time that no test waits for */

#define HOST "dx.beta.test"

static char directory[64] = "/tmp/dimegate-unit-XXXXXX";
static EVP_PKEY *authority_key, *host_key;
static struct unit_certificate authority, good, brief;
static struct tls_context *client, *distrustful;

static void
make(const char *name, const char *names, EVP_PKEY *key, int days, int seconds,
    struct unit_certificate *out)
{
	const struct unit_certificate_wish wish = {.name = name, .key = key,
	    .names = names, .days = days, .seconds = seconds,
	    .authority = names == NULL,
	    .issuer = names == NULL ? NULL : &authority};

	unit_certificate_make(directory, &wish, out);
}

/* ---- a host that keeps its sessions ---- */

static const char response[] = "as if it were an OCSP response";

struct host {
	SSL_CTX *context;
	bool cuts; /* ends without a goodbye */
	int fd;
	pthread_t thread;
};

static int
staple(SSL *session, void *argument)
{
	unsigned char *copy = OPENSSL_memdup(response, sizeof(response));

	SSL_set_tlsext_status_ocsp_resp(session, copy, sizeof(response));
	return SSL_TLSEXT_ERR_OK;
}

static void
host_make(struct host *host, const struct unit_certificate *certificate)
{
	*host = (struct host){.context = SSL_CTX_new(TLS_server_method())};
	assert_non_null(host->context);
	SSL_CTX_set_max_proto_version(host->context, TLS1_2_VERSION);
	SSL_CTX_use_certificate(host->context, certificate->certificate);
	SSL_CTX_use_PrivateKey(host->context, certificate->key);
	SSL_CTX_set_tlsext_status_cb(host->context, staple);
}

/* One connection: waits for the client's goodbye. */
static void *
host_run(void *argument)
{
	struct host *host = argument;
	SSL *session = SSL_new(host->context);
	char octet;

	SSL_set_fd(session, host->fd);
	if (SSL_accept(session) == 1 && !host->cuts) {
		SSL_read(session, &octet, 1);
		SSL_shutdown(session);
	}
	SSL_free(session);
	close(host->fd);
	return NULL;
}

static struct stream *
host_start(struct host *host)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	host->fd = pair[1];
	assert_int_equal(pthread_create(&host->thread, NULL, host_run, host),
	    0);
	return stream_of_fd(pair[0]);
}

/* A connection that ends well. */
static void
connect_as(struct host *host, const char *known_as, bool keep,
    struct tls_peer *peer)
{
	struct stream *stream = host_start(host);
	struct fault fault = {0};

	if (stream_resume_tls_client(stream, client, HOST, known_as, peer,
	        deadline_in(LONG), &fault) != 0)
		fail_msg("%s", fault.text);
	if (keep)
		stream_keep_session(stream, client, known_as, peer);
	stream_free(stream);
	pthread_join(host->thread, NULL);
}

static bool
is_resumed(struct host *host, const char *known_as, bool keep)
{
	struct tls_peer peer;
	bool resumed;

	connect_as(host, known_as, keep, &peer);
	resumed = peer.resumed;
	tls_peer_free(&peer);
	return resumed;
}

/* ---- what is resumed ---- */

static void
a_kept_session_is_resumed(void **state)
{
	struct tls_peer peer;
	struct host host;

	host_make(&host, &good);
	for (int i = 0; i < 3; i++) {
		connect_as(&host, "a", true, &peer);
		assert_int_equal(peer.resumed, i > 0);
		/* Everything that a new session would show. */
		assert_true(span_equal(buffer_span(&peer.der),
		    buffer_span(&good.der)));
		assert_int_equal(peer.rsa_bits, 2048);
		assert_true(peer.chain_valid);
		assert_true(peer.name_valid);
		assert_true(tls_peer_has_name(&peer, "beta.test"));
		assert_true(span_equal(buffer_span(&peer.stapled),
		    span_of(response, sizeof(response))));
		tls_peer_free(&peer);
	}
	SSL_CTX_free(host.context);
}

static void
what_is_not_resumed(void **state)
{
	struct host host;

	host_make(&host, &good);
	unit_case("a name of its own");
	assert_false(is_resumed(&host, "b", true));
	assert_false(is_resumed(&host, "c", true));
	unit_case("no name");
	assert_false(is_resumed(&host, NULL, false));
	unit_case("twice");
	assert_true(is_resumed(&host, "b", false));
	assert_false(is_resumed(&host, "b", false));
	unit_case("one that the host has forgotten");
	SSL_CTX_flush_sessions(host.context, time(NULL) + 100000);
	assert_false(is_resumed(&host, "c", true));
	assert_true(is_resumed(&host, "c", false));
	SSL_CTX_free(host.context);
}

static void
what_is_not_kept(void **state)
{
	struct host host;

	unit_case("the host offers none");
	host_make(&host, &good);
	SSL_CTX_set_session_cache_mode(host.context, SSL_SESS_CACHE_OFF);
	assert_false(is_resumed(&host, "d", true));
	SSL_CTX_set_session_cache_mode(host.context, SSL_SESS_CACHE_SERVER);
	assert_false(is_resumed(&host, "d", false));
	unit_case("its secret does not depend on the handshake");
	SSL_CTX_set_options(host.context, SSL_OP_NO_EXTENDED_MASTER_SECRET);
	assert_false(is_resumed(&host, "e", true));
	assert_false(is_resumed(&host, "e", false));
	SSL_CTX_free(host.context);
}

static void
a_cut_session_is_not_kept(void **state)
{
	struct tls_peer peer;
	struct stream *stream;
	struct host host;
	char octet;
	size_t got;

	host_make(&host, &good);
	host.cuts = true;
	stream = host_start(&host);
	assert_int_equal(stream_resume_tls_client(stream, client, HOST, "f",
	    &peer, deadline_in(LONG), NULL), 0);
	assert_int_not_equal(stream_read(stream, &octet, 1, &got,
	    deadline_in(LONG)), 0);
	stream_keep_session(stream, client, "f", &peer);
	tls_peer_free(&peer);
	stream_free(stream);
	pthread_join(host.thread, NULL);
	host.cuts = false;
	assert_false(is_resumed(&host, "f", false));
	SSL_CTX_free(host.context);
}

/* ---- verified anew ---- */

static void
the_authorities_of_now_count(void **state)
{
	struct tls_peer peer;
	struct host host;

	host_make(&host, &good);
	connect_as(&host, "g", true, &peer);
	assert_int_equal(tls_peer_verify(&peer, distrustful), 0);
	assert_false(peer.chain_valid);
	assert_int_equal(tls_peer_verify(&peer, client), 0);
	assert_true(peer.chain_valid);
	tls_peer_free(&peer);
	SSL_CTX_free(host.context);
}

static void
the_time_of_now_counts(void **state)
{
	const struct deadline patience = deadline_in(LONG);
	struct tls_peer first, second;
	struct host host;

	make("brief", "DNS:" HOST, host_key, 0, 3, &brief);
	host_make(&host, &brief);
	connect_as(&host, "h", true, &first);
	assert_true(first.chain_valid);
	while (X509_cmp_current_time(
	           X509_get0_notAfter(brief.certificate)) > 0) {
		assert_true(deadline_left(patience) > 0);
		poll(NULL, 0, 20);
	}
	assert_int_equal(tls_peer_verify(&first, client), 0);
	assert_false(first.chain_valid);
	connect_as(&host, "h", true, &second);
	assert_true(second.resumed);
	assert_false(second.chain_valid);
	tls_peer_free(&first);
	tls_peer_free(&second);
	SSL_CTX_free(host.context);
	unit_certificate_free(&brief);
}

/* ---- how many are kept ---- */

static bool
is_kept(struct tls_kept *kept, const char *name)
{
	struct buffer stapled = buffer_make(100);
	SSL_SESSION *session = tls_kept_take(kept, name, &stapled);

	assert_string_equal(buffer_string(&stapled),
	    session == NULL ? "" : name);
	buffer_free(&stapled);
	SSL_SESSION_free(session);
	return session != NULL;
}

static void
old_ones_give_way(void **state)
{
	struct tls_kept *kept = tls_kept_new();
	char name[16];
	int count = 0;

	assert_non_null(kept);
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "name%d", i);
		tls_kept_put(kept, name, SSL_SESSION_new(),
		    span_string(name));
	}
	assert_true(is_kept(kept, "name199"));
	for (int i = 0; i < 199; i++) {
		snprintf(name, sizeof(name), "name%d", i);
		count += is_kept(kept, name);
	}
	assert_int_equal(count, 127);
	tls_kept_free(kept);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_kept_session_is_resumed),
	    cmocka_unit_test(what_is_not_resumed),
	    cmocka_unit_test(what_is_not_kept),
	    cmocka_unit_test(a_cut_session_is_not_kept),
	    cmocka_unit_test(the_authorities_of_now_count),
	    cmocka_unit_test(the_time_of_now_counts),
	    cmocka_unit_test(old_ones_give_way),
	};
	int failed;

	unit_directory(directory);
	authority_key = unit_key(2048);
	host_key = unit_key(2048);
	make("authority", NULL, authority_key, 100, 0, &authority);
	make("good", "DNS:" HOST ",DNS:beta.test", host_key, 100, 0, &good);
	assert_int_equal(tls_client_new(authority.certificate_path, &client,
	    NULL), 0);
	assert_int_equal(tls_client_new("", &distrustful, NULL), 0);
	failed = cmocka_run_group_tests(tests, unit_start, unit_end);
	tls_free(client);
	tls_free(distrustful);
	unit_certificate_free(&authority);
	unit_certificate_free(&good);
	EVP_PKEY_free(authority_key);
	EVP_PKEY_free(host_key);
	return failed;
}
