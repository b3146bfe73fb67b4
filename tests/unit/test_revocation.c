/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"
#include "tests/unit/unit_ocsp.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#include "client/revocation.h"
#include "net/http.h"
#include "net/ocsp.h"

enum {
	LONG = 20000, /* a time that no test waits for */
	SHORT = 300,  /* one that some do */
};

static char directory[] = "/tmp/dimegate-unit-XXXXXX";
static struct unit_certificate authority, with_responder, without, two;
static struct responder *responder;
static struct tls_context *client;
static unsigned int port;

/* ---- the world ---- */

static int64_t passed; /* seconds by which the clock was moved */

static int64_t
wall(const struct clock *clock)
{
	return clock_wall(&clock_system) + passed;
}

static int64_t
monotonic(const struct clock *clock)
{
	return clock_monotonic(&clock_system);
}

static const struct clock moved = {wall, monotonic};

/* Whether the responder's host has an address, and how often it was asked for.
 */
static bool has_address;
static int looked_up;

static int
find(void *context, const char *host, struct deadline deadline,
    struct facts_host *out, struct fault *fault)
{
	looked_up++;
	assert_string_equal(host, "ocsp.test");
	*out = (struct facts_host){.address_count = 1};
	strcpy(out->addresses[0], "127.0.0.1");
	return has_address ? 0
	                   : fault_set(fault, ERR_UNREACHABLE,
	                         "%s: no public address", host);
}

static struct revocation *
fresh(void)
{
	const struct address_source addresses = {NULL, find};
	struct revocation *revocation;

	assert_int_equal(revocation_new(&addresses, &moved, &revocation), 0);
	passed = 0;
	has_address = true;
	looked_up = 0;
	responder_set(responder, RESPONDER_GOOD);
	responder_asked(responder);
	return revocation;
}

struct server {
	int fd;
	const struct unit_certificate *certificate;
};

/* What a handshake with a host that has the certificate leaves behind. */
static void *
serve(void *argument)
{
	struct server *server = argument;
	struct stream *stream = stream_of_fd(server->fd);
	struct tls_context *context;
	uint8_t octet;
	size_t got;

	assert_int_equal(tls_server_new(&(const struct tls_identity){
	    server->certificate->certificate_path,
	    server->certificate->key_path}, 1, &context, NULL), 0);
	if (stream_start_tls_server(stream, context, deadline_in(LONG),
	        NULL) == 0)
		stream_read(stream, &octet, 1, &got, deadline_in(LONG));
	stream_free(stream);
	tls_free(context);
	return NULL;
}

static void
shake_hands(const struct unit_certificate *certificate, struct tls_peer *peer)
{
	int ends[2];
	struct server server = {.certificate = certificate};
	struct stream *stream;
	pthread_t thread;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	server.fd = ends[0];
	stream = stream_of_fd(ends[1]);
	assert_int_equal(pthread_create(&thread, NULL, serve, &server), 0);
	assert_int_equal(stream_start_tls_client(stream, client,
	    "dx.beta.test", peer, deadline_in(LONG), NULL), 0);
	stream_free(stream);
	pthread_join(thread, NULL);
}

/* ---- responses ---- */

static const struct {
	enum responder_mode mode;
	enum certificate_status status;
	const char *complaint; /* NULL: there is an answer */
} cases[] = {
    {RESPONDER_GOOD, CERTIFICATE_GOOD, NULL},
    {RESPONDER_REVOKED, CERTIFICATE_REVOKED, NULL},
    {RESPONDER_UNKNOWN, CERTIFICATE_UNKNOWN, NULL},
    {RESPONDER_NO_NONCE, CERTIFICATE_GOOD, NULL},
    {RESPONDER_NO_NEXT, CERTIFICATE_GOOD, NULL},
    {RESPONDER_DELEGATED, CERTIFICATE_GOOD, NULL},
    {RESPONDER_EXPIRED, CERTIFICATE_UNREACHABLE, "not in time"},
    {RESPONDER_FUTURE, CERTIFICATE_UNREACHABLE, "not in time"},
    {RESPONDER_OLD_NO_NEXT, CERTIFICATE_UNREACHABLE, "not in time"},
    {RESPONDER_OTHER_NONCE, CERTIFICATE_UNREACHABLE, "another request"},
    {RESPONDER_FOREIGN, CERTIFICATE_UNREACHABLE, "not signed by"},
    {RESPONDER_UNDELEGATED, CERTIFICATE_UNREACHABLE, "not signed by"},
    {RESPONDER_SPOILT, CERTIFICATE_UNREACHABLE, "not signed by"},
    {RESPONDER_OTHER, CERTIFICATE_UNREACHABLE, "another certificate"},
    {RESPONDER_TRY_LATER, CERTIFICATE_UNREACHABLE, "trylater"},
    {RESPONDER_TRAILING, CERTIFICATE_UNREACHABLE, "no response"},
    {RESPONDER_GARBAGE, CERTIFICATE_UNREACHABLE, "no response"},
    {RESPONDER_HUGE, CERTIFICATE_UNREACHABLE, "too large"},
    {RESPONDER_SILENT, CERTIFICATE_UNREACHABLE, "timed out"},
    {RESPONDER_CLOSES, CERTIFICATE_UNREACHABLE, "ocsp.test"},
    {RESPONDER_500, CERTIFICATE_UNREACHABLE, "answer 500"},
    {RESPONDER_REDIRECTS, CERTIFICATE_UNREACHABLE, "answer 307"},
    {RESPONDER_OTHER_TYPE, CERTIFICATE_UNREACHABLE, "text/html"},
    {RESPONDER_NOT_HTTP, CERTIFICATE_UNREACHABLE, "ocsp.test"},
};

static void
responders(void **state)
{
	struct tls_peer peer;

	_Static_assert(COUNT(cases) == RESPONDER_MODES, "each once");
	shake_hands(&with_responder, &peer);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct revocation *revocation = fresh();
		const bool waits = cases[i].mode == RESPONDER_SILENT;
		struct fault fault = {0};

		responder_set(responder, cases[i].mode);
		assert_int_equal(revocation_check(revocation, &peer,
		    deadline_in(waits ? SHORT : LONG), &fault),
		    cases[i].status);
		if (cases[i].complaint != NULL &&
		    strstr(fault.text, cases[i].complaint) == NULL)
			fail_msg("case %zu: %s", i, fault.text);
		assert_int_equal(responder_asked(responder), 1);
		revocation_free(revocation);
	}
	tls_peer_free(&peer);
}

static void
stapled_responses(void **state)
{

	for (size_t i = 0; i < COUNT(cases); i++) {
		const enum responder_mode mode = cases[i].mode;
		struct revocation *revocation;
		enum certificate_status status;
		struct fault fault = {0};
		struct tls_peer peer;
		bool counts;

		if (mode >= RESPONDER_GARBAGE)
			continue;
		revocation = fresh();
		/* There is no request that a nonce could be of. */
		counts = cases[i].complaint == NULL ||
		    mode == RESPONDER_OTHER_NONCE;
		shake_hands(&with_responder, &peer);
		responder_make(responder, mode, &with_responder,
		    &peer.stapled);
		responder_set(responder, RESPONDER_REVOKED);
		status = revocation_check(revocation, &peer,
		    deadline_in(LONG), &fault);
		/* One that is no good is as if there were none. */
		assert_int_equal(responder_asked(responder), counts ? 0 : 1);
		assert_int_equal(status,
		    !counts                         ? CERTIFICATE_REVOKED
		        : cases[i].complaint != NULL ? CERTIFICATE_GOOD
		                                     : cases[i].status);
		tls_peer_free(&peer);
		revocation_free(revocation);
	}
}

/* ---- who is asked ---- */

static void
without_a_responder(void **state)
{
	struct revocation *revocation = fresh();
	struct tls_peer peer;

	shake_hands(&without, &peer);
	assert_int_equal(revocation_check(revocation, &peer,
	    deadline_in(LONG), NULL), CERTIFICATE_NO_RESPONDER);
	unit_case("but its server says that it is revoked");
	responder_make(responder, RESPONDER_REVOKED, &without, &peer.stapled);
	assert_int_equal(revocation_check(revocation, &peer,
	    deadline_in(LONG), NULL), CERTIFICATE_REVOKED);
	assert_int_equal(responder_asked(responder), 0);
	tls_peer_free(&peer);
	revocation_free(revocation);
}

static void
nobody_to_ask(void **state)
{
	struct revocation *revocation = fresh();
	struct fault fault = {0};
	struct tls_peer peer;

	shake_hands(&with_responder, &peer);
	unit_case("its host has no address that may be connected to");
	has_address = false;
	assert_int_equal(revocation_check(revocation, &peer,
	    deadline_in(LONG), &fault), CERTIFICATE_UNREACHABLE);
	assert_non_null(strstr(fault.text, "no public address"));
	unit_case("no time is left");
	has_address = true;
	assert_int_equal(revocation_check(revocation, &peer, deadline_in(0),
	    &fault), CERTIFICATE_UNREACHABLE);
	unit_case("nobody asks");
	assert_int_equal(revocation_check(NULL, &peer, deadline_in(LONG),
	    &fault), CERTIFICATE_UNREACHABLE);
	unit_case("a chain that is not valid");
	tls_peer_free(&peer);
	assert_int_equal(revocation_check(revocation, &peer,
	    deadline_in(LONG), &fault), CERTIFICATE_UNREACHABLE);
	assert_int_equal(responder_asked(responder), 0);
	revocation_free(revocation);
}

static void
the_second_responder(void **state)
{
	struct revocation *revocation = fresh();
	struct tls_peer peer;

	shake_hands(&two, &peer);
	assert_int_equal(revocation_check(revocation, &peer,
	    deadline_in(LONG), NULL), CERTIFICATE_GOOD);
	assert_int_equal(responder_asked(responder), 1);
	tls_peer_free(&peer);
	revocation_free(revocation);
}

/* ---- what is kept ---- */

/* What was learned while the clock was ahead is asked for again. */
static void
not_kept_when_the_clock_comes_back(void **state)
{
	struct revocation *revocation = fresh();
	struct tls_peer peer;

	shake_hands(&with_responder, &peer);
	assert_int_equal(revocation_check(revocation, &peer,
	    deadline_in(LONG), NULL), CERTIFICATE_GOOD);
	assert_int_equal(revocation_check(revocation, &peer,
	    deadline_in(LONG), NULL), CERTIFICATE_GOOD);
	assert_int_equal(responder_asked(responder), 1);
	passed = -365 * 86400;
	responder_set(responder, RESPONDER_REVOKED);
	assert_int_equal(revocation_check(revocation, &peer,
	    deadline_in(LONG), NULL), CERTIFICATE_REVOKED);
	tls_peer_free(&peer);
	revocation_free(revocation);
}

static void
kept_until_next_update(void **state)
{
	struct revocation *revocation = fresh();
	struct tls_peer peer;

	shake_hands(&with_responder, &peer);
	for (int i = 0; i < 3; i++)
		assert_int_equal(revocation_check(revocation, &peer,
		    deadline_in(LONG), NULL), CERTIFICATE_GOOD);
	assert_int_equal(responder_asked(responder), 1);
	unit_case("the answer is good for twelve hours");
	passed = 11 * 3600;
	responder_set(responder, RESPONDER_REVOKED);
	assert_int_equal(revocation_check(revocation, &peer,
	    deadline_in(LONG), NULL), CERTIFICATE_GOOD);
	passed = 13 * 3600;
	assert_int_equal(revocation_check(revocation, &peer,
	    deadline_in(LONG), NULL), CERTIFICATE_REVOKED);
	assert_int_equal(responder_asked(responder), 1);
	unit_case("a failure is not kept");
	passed = 26 * 3600;
	responder_set(responder, RESPONDER_500);
	assert_int_equal(revocation_check(revocation, &peer,
	    deadline_in(LONG), NULL), CERTIFICATE_UNREACHABLE);
	responder_set(responder, RESPONDER_GOOD);
	assert_int_equal(revocation_check(revocation, &peer,
	    deadline_in(LONG), NULL), CERTIFICATE_GOOD);
	tls_peer_free(&peer);
	revocation_free(revocation);
}

/* ---- URLs ---- */

static void
urls(void **state)
{
	static const struct {
		const char *url, *host;
		unsigned int port;
	} good[] = {
	    {"http://ocsp.test", "ocsp.test", 80},
	    {"http://ocsp.test/", "ocsp.test", 80},
	    {"HTTP://ocsp.test:8080/a/b?c", "ocsp.test", 8080},
	};
	static const char *const bad[] = {"", "ocsp.test", "https://ocsp.test/",
	    "ftp://ocsp.test/", "file:///etc/passwd", "ldap://ocsp.test/",
	    "gopher://ocsp.test/", "http://", "http:///a", "http://localhost/",
	    "http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/",
	    "http://0177.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/",
	    "http://user@ocsp.test/", "http://user:word@ocsp.test/",
	    "http://ocsp.test:0/", "http://ocsp.test:65536/",
	    "http://ocsp.test:x/", "http://ocsp.test /",
	    "http://ocsp.test%00.evil.test/", "http://ocsp\r\n.test/",
	    "http://ocsp.test./"};
	struct http_place place;
	struct fault fault;

	for (size_t i = 0; i < COUNT(good); i++) {
		unit_case(good[i].url);
		assert_int_equal(http_read_url(good[i].url, &place, &fault),
		    0);
		assert_string_equal(place.host, good[i].host);
		assert_int_equal(place.port, good[i].port);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		unit_case(bad[i]);
		assert_int_equal(http_read_url(bad[i], &place, &fault),
		    ERR_FORMAT);
	}
}

/* Whatever the URL says, only the given addresses are connected to. */
static void
only_given_addresses(void **state)
{
	const char other[1][46] = {"127.0.0.9"};
	struct buffer out = buffer_make(1000);
	char url[64];
	struct http_post post = {.url = url, .request_type = "a/b",
	    .answer_type = "a/b", .body = span_string("x"),
	    .addresses = other[0], .address_size = sizeof(other[0]),
	    .address_count = 1};
	struct fault fault;

	snprintf(url, sizeof(url), "http://ocsp.test:%u/", port);
	responder_asked(responder);
	assert_int_equal(http_send(&post, deadline_in(LONG), &out, &fault),
	    ERR_UNREACHABLE);
	post.address_count = 0;
	assert_int_equal(http_send(&post, deadline_in(LONG), &out, &fault),
	    ERR_UNREACHABLE);
	assert_int_equal(responder_asked(responder), 0);
	assert_int_equal(out.length, 0);
	buffer_free(&out);
}

/* ---- */

static void
make(const char *name, EVP_PKEY *key, const char *ocsp,
    struct unit_certificate *out)
{
	const struct unit_certificate_wish wish = {.name = name, .key = key,
	    .names = "DNS:dx.beta.test", .days = 10, .ocsp = ocsp,
	    .issuer = &authority};

	unit_certificate_make(directory, &wish, out);
}

static int
start(void **state)
{
	EVP_PKEY *key = unit_key(2048);
	const struct unit_certificate_wish wish = {.name = "authority",
	    .key = key, .days = 10, .authority = true};
	char one_url[64], two_urls[128];

	if (unit_start(state) != 0)
		return -1;
	unit_directory(directory);
	unit_certificate_make(directory, &wish, &authority);
	responder = responder_start("127.0.0.1", &port, &authority,
	    directory);
	snprintf(one_url, sizeof(one_url), "http://ocsp.test:%u/", port);
	snprintf(two_urls, sizeof(two_urls), "http://127.0.0.1:%u/,OCSP;URI:"
	    "http://ocsp.test:%u/", port, port);
	make("with", key, one_url, &with_responder);
	make("without", key, NULL, &without);
	make("two", key, two_urls, &two);
	assert_int_equal(tls_client_new(authority.certificate_path, &client,
	    NULL), 0);
	EVP_PKEY_free(key);
	return http_start();
}

static int
end(void **state)
{
	http_end();
	responder_end(responder);
	unit_certificate_free(&authority);
	unit_certificate_free(&with_responder);
	unit_certificate_free(&without);
	unit_certificate_free(&two);
	tls_free(client);
	return unit_end(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(responders),
	    cmocka_unit_test(stapled_responses),
	    cmocka_unit_test(without_a_responder),
	    cmocka_unit_test(nobody_to_ask),
	    cmocka_unit_test(the_second_responder),
	    cmocka_unit_test(kept_until_next_update),
	    cmocka_unit_test(not_kept_when_the_clock_comes_back),
	    cmocka_unit_test(urls),
	    cmocka_unit_test(only_given_addresses),
	};

	return cmocka_run_group_tests(tests, start, end);
}
