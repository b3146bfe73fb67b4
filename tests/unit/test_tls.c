/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "tests/unit/tls_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

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
	assert_in_range(clock_monotonic(&clock_system) - start, 30, LONG / 2);
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
	    cmocka_unit_test(silence_ends_at_the_deadline),
	    cmocka_unit_test(nothing_is_carried_into_tls),
	    cmocka_unit_test(no_tls_at_all),
	    cmocka_unit_test(key_log),
	};

	return cmocka_run_group_tests(tests, tls_world_start, tls_world_end);
}
