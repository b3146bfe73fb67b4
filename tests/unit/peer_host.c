/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/peer_host.h"

#include <unistd.h>

static char directory[64] = "/tmp/dimegate-unit-XXXXXX";
static struct tls_context *client;
static EVP_PKEY *rsa_key, *short_key;

struct unit_certificate authority, host_of_domain, domain_itself, foreign,
    with_ocsp, small;

const uint8_t pok_seed[CRYPTO_SEED] = {1};
struct peer_room room;

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

void
host_start(struct host *host)
{
	host->listener = unit_listen(&host->port);
	host->heard = buffer_make(1 << 22);
	assert_int_equal(pthread_create(&host->thread, NULL,
	    host->run != NULL ? host->run : run_host, host), 0);
}

void
host_end(struct host *host, const char *heard)
{
	pthread_join(host->thread, NULL);
	close(host->listener);
	if (heard != NULL)
		assert_string_equal(buffer_string(&host->heard), heard);
	buffer_free(&host->heard);
}

void
host_make_record(struct record *record, enum record_kind kind,
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

int
host_open_with(const struct host *host, const struct record *record,
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

int
host_open(const struct host *host, const struct record *record, bool secure,
    int64_t time, struct peer **peer, struct fault *fault)
{
	return host_open_with(host, record, secure, NULL, time, peer, fault);
}

struct peer *
host_open_good(struct host *host)
{
	struct fault fault = {0};
	struct record record;
	struct peer *peer;

	host->certificate = &host_of_domain;
	host_start(host);
	host_make_record(&record, SIGNED, host->certificate);
	assert_int_equal(host_open(host, &record, true, LONG, &peer, &fault),
	    0);
	return peer;
}

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
free_certificates(void)
{
	struct unit_certificate *certificates[] = {&authority, &host_of_domain,
	    &domain_itself, &foreign, &small, &with_ocsp};

	for (size_t i = 0; i < COUNT(certificates); i++)
		unit_certificate_free(certificates[i]);
	EVP_PKEY_free(rsa_key);
	EVP_PKEY_free(short_key);
}

int
host_group_start(void **state)
{
	if (unit_start(state) != 0)
		return -1;
	unit_directory(directory);
	make_certificates();
	return tls_client_new(authority.certificate_path, &client, NULL);
}

int
host_group_end(void **state)
{
	free_certificates();
	tls_free(client);
	return unit_end(state);
}
