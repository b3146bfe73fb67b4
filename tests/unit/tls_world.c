/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/tls_world.h"

char directory[64] = "/tmp/dimegate-unit-XXXXXX";

EVP_PKEY *rsa_key, *other_key;
struct unit_certificate authority, good, other, expired, small, curve;

static EVP_PKEY *short_key, *ec_key;

void
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

void *
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

int
start_server(struct side *side, struct tls_context *context)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	*side = (struct side){.fd = pair[1], .context = context};
	assert_int_equal(pthread_create(&side->thread, NULL, serve, side), 0);
	return pair[0];
}

struct tls_identity
identity(const struct unit_certificate *certificate)
{
	return (struct tls_identity){certificate->certificate_path,
	    certificate->key_path};
}

struct tls_context *
server_context(const struct unit_certificate *certificate)
{
	const struct tls_identity only = identity(certificate);
	struct tls_context *context;
	struct fault fault = {0};

	assert_int_equal(tls_server_new(&only, 1, &context, &fault), 0);
	return context;
}

struct tls_context *
client_context(const char *ca_file)
{
	struct tls_context *context;

	assert_int_equal(tls_client_new(ca_file, &context, NULL), 0);
	return context;
}

void
echo(struct stream *stream, const char *line, const char *answer)
{
	struct span got;

	assert_int_equal(stream_write(stream, span_string(line),
	    deadline_in(LONG)), 0);
	assert_int_equal(stream_read_line(stream, 100, &got,
	    deadline_in(LONG)), 0);
	assert_true(span_equal_string(got, answer));
}

int
tls_world_start(void **state)
{
	if (unit_start(state) != 0)
		return -1;
	unit_directory(directory);
	make_certificates();
	return 0;
}

int
tls_world_end(void **state)
{
	free_certificates();
	return unit_end(state);
}
