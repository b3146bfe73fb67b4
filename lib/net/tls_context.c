/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/file.h"
#include "net/tls_context.h"
#include "net/tls_kept.h"

enum {
	RSA_BITS_LEAST = 2048,
	RSA_BITS_MOST = 16384,
	FILE_LIMIT = 1 << 20, /* octets of a certificate or key file */
};

/* The lock guards the pointer alone: OpenSSL counts the references that open
 * sessions hold on what it points to. */
struct tls_context {
	pthread_mutex_t lock;
	SSL_CTX *current;
	struct tls_kept *kept; /* a client's */
};

unsigned int
tls_rsa_bits(const EVP_PKEY *key)
{
	if (key == NULL ||
	    (!EVP_PKEY_is_a(key, "RSA") && !EVP_PKEY_is_a(key, "RSA-PSS")))
		return 0;
	return (unsigned int)EVP_PKEY_get_bits(key);
}

SSL *
tls_context_session(struct tls_context *context, const char *host)
{
	SSL *session;

	pthread_mutex_lock(&context->lock);
	session = SSL_new(context->current);
	pthread_mutex_unlock(&context->lock);
	if (session != NULL)
		SSL_set_app_data(session, (void *)(uintptr_t)host);
	return session;
}

X509_STORE *
tls_context_authorities(struct tls_context *context, int *security_level)
{
	X509_STORE *authorities;

	pthread_mutex_lock(&context->lock);
	*security_level = SSL_CTX_get_security_level(context->current);
	authorities = SSL_CTX_get_cert_store(context->current);
	X509_STORE_up_ref(authorities);
	pthread_mutex_unlock(&context->lock);
	return authorities;
}

struct tls_kept *
tls_context_kept(struct tls_context *context)
{
	return context->kept;
}

/* ---- what both sides want (D11) ---- */

#ifdef DIME_TEST_HOOKS
/* So that a test can decrypt what it captured. */
static void
log_secret(const SSL *session, const char *line)
{
	const char *path = getenv("DIME_KEYLOG");
	struct buffer text = buffer_make(4096);
	int fd;

	if (path == NULL || *path == '\0')
		return;
	buffer_printf(&text, "%s\n", line);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	/* One write a line: several processes share the file. */
	if (fd < 0 || write(fd, text.data, text.length) < 0)
		perror(path);
	if (fd >= 0)
		close(fd);
	buffer_free(&text);
}
#endif

/* Who asks for another handshake is told no and may ask again: OpenSSL would
 * answer, within one call, for as long as octets come. This is his last one:
 * nothing more is read. */
static void
end_at_renegotiation(int sent, int version, int type, const void *octets,
    size_t length, SSL *session, void *context)
{
	static const uint8_t no[] = {SSL3_AL_WARNING, SSL_AD_NO_RENEGOTIATION};

	if (sent == 1 && type == SSL3_RT_ALERT && length == sizeof(no) &&
	    memcmp(octets, no, sizeof(no)) == 0)
		SSL_set_shutdown(session,
		    SSL_get_shutdown(session) | SSL_RECEIVED_SHUTDOWN);
}

static SSL_CTX *
make(const SSL_METHOD *method)
{
	SSL_CTX *made = SSL_CTX_new(method);

	if (made == NULL)
		return NULL;
	if (SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(made, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(made, "ECDHE-RSA-AES256-GCM-SHA384") !=
		1) {
		SSL_CTX_free(made);
		return NULL;
	}
	SSL_CTX_set_options(made,
	    SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_msg_callback(made, end_at_renegotiation);
	SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(made,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
#ifdef DIME_TEST_HOOKS
	SSL_CTX_set_keylog_callback(made, log_secret);
#endif
	return made;
}

/* Takes over `made`, which may be NULL. */
static int
wrap(SSL_CTX *made, struct tls_context **out, struct fault *fault)
{
	struct tls_context *context = calloc(1, sizeof(*context));

	if (made == NULL || context == NULL) {
		SSL_CTX_free(made);
		free(context);
		return fault_set(fault, ERR_MEMORY, "%s", "");
	}
	signal(SIGPIPE, SIG_IGN);
	pthread_mutex_init(&context->lock, NULL);
	context->current = made;
	*out = context;
	return 0;
}

void
tls_free(struct tls_context *context)
{
	if (context == NULL)
		return;
	SSL_CTX_free(context->current);
	tls_kept_free(context->kept);
	pthread_mutex_destroy(&context->lock);
	free(context);
}

/* ERR_CONFIG with the file, what is wrong and OpenSSL's word for it. */
static int
refuse(struct fault *fault, const char *path, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	ERR_clear_error();
	return fault_set(fault, ERR_CONFIG, "%s: %s%s%s", path, what,
	    reason != NULL ? ": " : "", reason != NULL ? reason : "");
}

/* ---- servers ---- */

/* OpenSSL would otherwise ask for a password on the terminal. */
static int
no_password(char *out, int size, int writing, void *context)
{
	return -1;
}

static int
use_key(SSL_CTX *made, const char *path, struct fault *fault)
{
	struct buffer text = buffer_make(FILE_LIMIT);
	EVP_PKEY *key = NULL;
	BIO *bio = NULL;
	unsigned int bits;
	int err = file_read_secret(path, true, &text, fault);

	if (err != 0)
		goto out;
	bio = BIO_new_mem_buf(text.data, (int)text.length);
	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	if (key == NULL) {
		err = refuse(fault, path, "no private key without a password");
		goto out;
	}
	bits = tls_rsa_bits(key);
	if (bits == 0)
		err = refuse(fault, path, "not an RSA key");
	else if (bits < RSA_BITS_LEAST || bits > RSA_BITS_MOST)
		err = fault_set(fault, ERR_CONFIG,
		    "%s: RSA key of %u bits, not %d to %d", path, bits,
		    RSA_BITS_LEAST, RSA_BITS_MOST);
	else if (SSL_CTX_use_PrivateKey(made, key) != 1)
		err = refuse(fault, path, "does not fit the certificate");
out:
	EVP_PKEY_free(key);
	BIO_free(bio);
	buffer_free(&text);
	return err;
}

/* The first certificate is the server's, the others its chain. */
static int
use_certificates(SSL_CTX *made, BIO *bio, const char *path,
    struct fault *fault)
{
	X509 *certificate;
	size_t count = 0;
	int done = 1;

	while (done == 1 && (certificate = PEM_read_bio_X509(bio, NULL,
				 no_password, NULL)) != NULL) {
		done = count++ == 0
		    ? SSL_CTX_use_certificate(made, certificate)
		    : (int)SSL_CTX_add1_chain_cert(made, certificate);
		X509_free(certificate);
	}
	if (done != 1)
		return refuse(fault, path, "certificate not usable");
	if (count == 0)
		return refuse(fault, path, "no PEM certificate");
	/* Anything but the end of the file is a chain that is cut short. */
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return refuse(fault, path, "damaged certificate in the chain");
	ERR_clear_error();
	return 0;
}

static int
use_chain(SSL_CTX *made, const char *path, struct fault *fault)
{
	struct buffer text = buffer_make(FILE_LIMIT);
	int err = file_read(path, &text, fault);
	BIO *bio = NULL;

	if (err == 0) {
		bio = BIO_new_mem_buf(text.data, (int)text.length);
		err = bio == NULL ? fault_set(fault, ERR_MEMORY, "%s", "")
				  : use_certificates(made, bio, path, fault);
	}
	BIO_free(bio);
	buffer_free(&text);
	return err;
}

static int
make_identity(const struct tls_identity *identity, SSL_CTX **out,
    struct fault *fault)
{
	SSL_CTX *made = make(TLS_server_method());
	int err;

	*out = NULL;
	ERR_clear_error();
	if (made == NULL)
		return fault_set(fault, ERR_MEMORY, "%s", "");
	if ((err = use_chain(made, identity->certificate, fault)) != 0 ||
	    (err = use_key(made, identity->key, fault)) != 0) {
		SSL_CTX_free(made);
		return err;
	}
	*out = made;
	return 0;
}

/* ---- several identities ---- */

/* What an SSL_CTX with the default certificate knows of the others. It
 * belongs to the SSL_CTX, which open sessions may hold longer than struct
 * tls_context. */
struct others {
	size_t count;
	SSL_CTX *contexts[];
};

static int others_index; /* of an SSL_CTX's data */
static pthread_once_t others_once = PTHREAD_ONCE_INIT;

static void
others_free(void *parent, void *data, CRYPTO_EX_DATA *ex_data, int index,
    long number, void *pointer)
{
	struct others *others = data;

	for (size_t i = 0; others != NULL && i < others->count; i++)
		SSL_CTX_free(others->contexts[i]);
	free(others);
}

static void
others_register(void)
{
	others_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL,
	    others_free);
}

static bool
is_for(SSL_CTX *context, const char *name)
{
	return tls_certificate_has_name(SSL_CTX_get0_certificate(context),
	    name);
}

/* Runs in the handshake, with the name that the client sent, if it did. What it
 * said before the handshake counts for more. */
static int
choose(SSL *session, int *alert, void *context)
{
	SSL_CTX *fallback = SSL_get_SSL_CTX(session);
	const struct others *others = SSL_CTX_get_ex_data(fallback,
	    others_index);
	const char *name = SSL_get_app_data(session);
	size_t i = 0;

	if (name == NULL)
		name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
	if (name == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	if (is_for(fallback, name))
		return SSL_TLSEXT_ERR_OK;
	while (i < others->count && !is_for(others->contexts[i], name))
		i++;
	ERR_clear_error();
	if (i == others->count)
		return SSL_TLSEXT_ERR_NOACK;
	return SSL_set_SSL_CTX(session, others->contexts[i]) != NULL
	    ? SSL_TLSEXT_ERR_OK
	    : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* `made` gets a certificate for each of the identities. */
static int
add_others(SSL_CTX *made, const struct tls_identity *identities, size_t count,
    struct fault *fault)
{
	struct others *others = calloc(1, sizeof(*others) +
	    count * sizeof(others->contexts[0]));
	int err = 0;

	pthread_once(&others_once, others_register);
	if (others == NULL || others_index < 0 ||
	    SSL_CTX_set_ex_data(made, others_index, others) != 1) {
		free(others);
		return fault_set(fault, ERR_MEMORY, "%s", "");
	}
	for (; others->count < count && err == 0; others->count += err == 0)
		err = make_identity(&identities[others->count],
		    &others->contexts[others->count], fault);
	SSL_CTX_set_tlsext_servername_callback(made, choose);
	return err;
}

static int
make_server(const struct tls_identity *identities, size_t count, SSL_CTX **out,
    struct fault *fault)
{
	int err = make_identity(&identities[0], out, fault);

	if (err == 0)
		err = add_others(*out, identities + 1, count - 1, fault);
	if (err != 0) {
		SSL_CTX_free(*out);
		*out = NULL;
	}
	return err;
}

int
tls_server_new(const struct tls_identity *identities, size_t count,
    struct tls_context **out, struct fault *fault)
{
	SSL_CTX *made;
	int err;

	*out = NULL;
	err = make_server(identities, count, &made, fault);
	return err != 0 ? err : wrap(made, out, fault);
}

int
tls_server_reload(struct tls_context *context,
    const struct tls_identity *identities, size_t count, struct fault *fault)
{
	SSL_CTX *made, *old;
	int err = make_server(identities, count, &made, fault);

	if (err != 0)
		return err;
	pthread_mutex_lock(&context->lock);
	old = context->current;
	context->current = made;
	pthread_mutex_unlock(&context->lock);
	SSL_CTX_free(old);
	return 0;
}

/* ---- clients ---- */

static int
load_authorities(SSL_CTX *made, const char *path, struct fault *fault)
{
	if (access(path, R_OK) != 0)
		return fault_set(fault, errno == ENOENT ? ERR_NO_FILE
		    : ERR_PERMISSION, "%s: %s", path, strerror(errno));
	if (SSL_CTX_load_verify_file(made, path) != 1)
		return refuse(fault, path, "no certificate authorities");
	ERR_clear_error();
	return 0;
}

/* tls_peer_verify() does it, for a handshake as for later. */
static int
do_not_verify(X509_STORE_CTX *work, void *context)
{
	return 1;
}

int
tls_client_new(const char *ca_file, struct tls_context **out,
    struct fault *fault)
{
	SSL_CTX *made = make(TLS_client_method());
	int err;

	*out = NULL;
	ERR_clear_error();
	if (made == NULL)
		return fault_set(fault, ERR_MEMORY, "%s", "");
	SSL_CTX_set_verify(made, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_cert_verify_callback(made, do_not_verify, NULL);
	if (*ca_file != '\0' &&
	    (err = load_authorities(made, ca_file, fault)) != 0) {
		SSL_CTX_free(made);
		return err;
	}
	if ((err = wrap(made, out, fault)) != 0)
		return err;
	(*out)->kept = tls_kept_new();
	if ((*out)->kept != NULL)
		return 0;
	tls_free(*out);
	*out = NULL;
	return fault_set(fault, ERR_MEMORY, "%s", "");
}
