/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/address.h"
#include "net/internal.h"
#include "net/tls_context.h"

/* ---- a session's octets ---- */

/* What a call of OpenSSL that did not succeed means; its error queue, which
 * belongs to the thread, is empty afterwards. */
static int
outcome(struct stream *stream, int result, short *events)
{
	int kind = SSL_get_error(stream->tls, result);
	unsigned long first = ERR_peek_error();
	int number = errno;

	ERR_clear_error();
	switch (kind) {
	case SSL_ERROR_WANT_READ:
		*events = POLLIN;
		return STREAM_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		*events = POLLOUT;
		return STREAM_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return ERR_UNREACHABLE;
	case SSL_ERROR_SYSCALL:
		stream->broken = true;
		return number == 0 ? ERR_UNREACHABLE
				   : stream_error_of_errno(number);
	default:
		stream->broken = true;
		return ERR_GET_REASON(first) ==
			SSL_R_UNEXPECTED_EOF_WHILE_READING
		    ? ERR_UNREACHABLE
		    : ERR_PROTOCOL;
	}
}

int
tls_read(struct stream *stream, void *data, size_t size, size_t *moved,
    short *events)
{
	int result;

	errno = 0;
	result = SSL_read_ex(stream->tls, data, size, moved);
	if (result > 0)
		return 0;
	*moved = 0;
	if (SSL_get_error(stream->tls, result) == SSL_ERROR_ZERO_RETURN) {
		ERR_clear_error();
		return 0;
	}
	return outcome(stream, result, events);
}

int
tls_write(struct stream *stream, const void *data, size_t size, size_t *moved,
    short *events)
{
	int result;

	errno = 0;
	result = SSL_write_ex(stream->tls, data, size, moved);
	return result > 0 ? 0 : outcome(stream, result, events);
}

int
tls_say_end(struct stream *stream, short *events)
{
	int result;

	if (stream->broken || atomic_load(&stream->aborted))
		return ERR_UNREACHABLE;
	errno = 0;
	result = SSL_shutdown(stream->tls);
	return result >= 0 ? 0 : outcome(stream, result, events);
}

void
tls_end(struct stream *stream)
{
	short events;

	if (stream->tls == NULL)
		return;
	if ((SSL_get_shutdown(stream->tls) & SSL_SENT_SHUTDOWN) == 0)
		tls_say_end(stream, &events);
	ERR_clear_error();
	SSL_free(stream->tls);
	stream->tls = NULL;
}

/* ---- handshakes ---- */

/* The suite is the context's only one; a library that negotiated another would
 * be broken, and D11 asks for the check. */
static bool
is_the_suite(const SSL *tls)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(tls);

	return cipher != NULL && SSL_CIPHER_get_protocol_id(cipher) == 0xc030 &&
	    SSL_version(tls) == TLS1_2_VERSION;
}

static int
handshake_fault(int err, unsigned long first, struct fault *fault)
{
	const char *reason = ERR_reason_error_string(first);

	if (err == ERR_PROTOCOL)
		return fault_set(fault, err, "TLS handshake: %s",
		    reason != NULL ? reason : "failed");
	return fault_set(fault, err, "TLS handshake: %s",
	    err == ERR_TIMEOUT           ? "timed out"
		: err == ERR_UNREACHABLE ? "the peer has closed"
					 : error_row(err)->text);
}

static int
handshake(struct stream *stream, struct deadline deadline, struct fault *fault)
{
	unsigned long first = 0;
	short events;
	int result, err;

	for (;;) {
		ERR_clear_error();
		errno = 0;
		result = SSL_do_handshake(stream->tls);
		if (result == 1)
			break;
		first = ERR_peek_error();
		err = outcome(stream, result, &events);
		if (err == STREAM_AGAIN)
			err = stream_wait(stream, events, deadline);
		if (err != 0) {
			stream->broken = true;
			return handshake_fault(err, first, fault);
		}
	}
	if (!is_the_suite(stream->tls))
		return fault_set(fault, ERR_PROTOCOL,
		    "TLS handshake: not ECDHE-RSA-AES256-GCM-SHA384");
	return 0;
}

static int
start(struct stream *stream, struct tls_context *context, const char *host,
    struct fault *fault)
{
	/* What came in clear before the handshake was not said by the peer that
	 * the handshake proves. */
	if (stream_buffered(stream) > 0)
		return fault_set(fault, ERR_PROTOCOL,
		    "octets came in clear before the TLS handshake");
	stream->tls = tls_context_session(context, host);
	if (stream->tls == NULL || SSL_set_fd(stream->tls, stream->fd) != 1)
		return fault_set(fault, ERR_MEMORY, "%s", "");
	return 0;
}

int
stream_start_tls_server(struct stream *stream, struct tls_context *context,
    struct deadline deadline, struct fault *fault)
{
	return stream_start_tls_server_as(stream, context, NULL, deadline,
	    fault);
}

int
stream_start_tls_server_as(struct stream *stream, struct tls_context *context,
    const char *host, struct deadline deadline, struct fault *fault)
{
	int err = start(stream, context, host, fault);

	if (err != 0)
		return err;
	SSL_set_accept_state(stream->tls);
	return handshake(stream, deadline, fault);
}

bool
tls_certificate_has_name(X509 *certificate, const char *name)
{
	return X509_check_host(certificate, name, 0,
		   X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

static struct tls_chain *
keep_chain(const SSL *tls)
{
	STACK_OF(X509) *verified = SSL_get0_verified_chain(tls);
	struct tls_chain *chain = calloc(1, sizeof(*chain));

	if (chain == NULL || verified == NULL) {
		free(chain);
		return NULL;
	}
	chain->certificates = X509_chain_up_ref(verified);
	if (chain->certificates == NULL) {
		free(chain);
		return NULL;
	}
	chain->authorities = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(tls));
	X509_STORE_up_ref(chain->authorities);
	return chain;
}

static void
keep_stapled(SSL *tls, struct buffer *out)
{
	const unsigned char *response = NULL;
	long length = SSL_get_tlsext_status_ocsp_resp(tls, &response);

	if (response != NULL && length > 0)
		buffer_append_span(out, span_of(response, (size_t)length));
}

void
tls_peer_free(struct tls_peer *peer)
{
	buffer_free(&peer->der);
	buffer_free(&peer->stapled);
	if (peer->chain == NULL)
		return;
	sk_X509_pop_free(peer->chain->certificates, X509_free);
	X509_STORE_free(peer->chain->authorities);
	free(peer->chain);
	peer->chain = NULL;
}

static int
describe(SSL *tls, const char *server_name, struct tls_peer *peer)
{
	X509 *certificate = SSL_get1_peer_certificate(tls);
	uint8_t *space;
	int length;

	if (certificate == NULL)
		return ERR_PROTOCOL;
	length = i2d_X509(certificate, NULL);
	space = length <= 0 ? NULL
			    : buffer_extend(&peer->der, (size_t)length);
	if (space != NULL)
		i2d_X509(certificate, &space);
	peer->rsa_bits = tls_rsa_bits(X509_get0_pubkey(certificate));
	peer->chain_valid = SSL_get_verify_result(tls) == X509_V_OK;
	peer->name_valid = tls_certificate_has_name(certificate, server_name);
	if (peer->chain_valid)
		peer->chain = keep_chain(tls);
	keep_stapled(tls, &peer->stapled);
	X509_free(certificate);
	ERR_clear_error();
	return space != NULL && (!peer->chain_valid || peer->chain != NULL) &&
	        peer->stapled.error == 0
	    ? 0
	    : ERR_MEMORY;
}

bool
tls_peer_has_name(const struct tls_peer *peer, const char *name)
{
	const uint8_t *der = peer->der.data;
	X509 *certificate;
	bool has;

	if (peer->der.length == 0)
		return false;
	certificate = d2i_X509(NULL, &der, (long)peer->der.length);
	has = certificate != NULL && tls_certificate_has_name(certificate, name);
	X509_free(certificate);
	ERR_clear_error();
	return has;
}

int
stream_start_tls_client(struct stream *stream, struct tls_context *context,
    const char *server_name, struct tls_peer *peer, struct deadline deadline,
    struct fault *fault)
{
	char name[DOMAIN_SIZE]; /* OpenSSL's macro casts a const away */
	int err;

	*peer = (struct tls_peer){.der = buffer_make(1 << 20),
	    .stapled = buffer_make(1 << 20)};
	if (!span_copy_string(span_string(server_name), name, sizeof(name)))
		return fault_set(fault, ERR_FORMAT,
		    "%s: too long for a host name", server_name);
	if ((err = start(stream, context, NULL, fault)) != 0)
		return err;
	if (SSL_set_tlsext_host_name(stream->tls, name) != 1 ||
	    SSL_set_tlsext_status_type(stream->tls, TLSEXT_STATUSTYPE_ocsp) !=
	        1)
		return fault_set(fault, ERR_MEMORY, "%s", "");
	SSL_set_connect_state(stream->tls);
	if ((err = handshake(stream, deadline, fault)) != 0)
		return err;
	if ((err = describe(stream->tls, server_name, peer)) != 0) {
		tls_peer_free(peer);
		return fault_set(fault, err, "TLS: no certificate to judge");
	}
	return 0;
}
