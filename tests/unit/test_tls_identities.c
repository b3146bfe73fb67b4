/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/tls_world.h"

#include <stdio.h>

#include <openssl/pem.h>
#include <sys/stat.h>

#include "base/file.h"

/* Certificates, keys and authorities: their files, and which is shown to
 * whom. */

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(server_name_table),
	    cmocka_unit_test(server_file_table),
	    cmocka_unit_test(authority_files),
	    cmocka_unit_test(reload_keeps_sessions),
	};

	return cmocka_run_group_tests(tests, tls_world_start, tls_world_end);
}
