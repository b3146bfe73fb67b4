/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/address.h"
#include "net/internal.h"
#include "net/tls_context.h"
#include "net/tls_kept.h"

enum {
	DER_LIMIT = 1 << 20,
	STAPLED_LIMIT = 1 << 20,
};

/* ---- a session's octets ---- */

/* A handshake that is not to be had was asked for (tls_context.c). */
static bool
was_ended(const SSL *tls)
{
	return (SSL_get_shutdown(tls) & SSL_RECEIVED_SHUTDOWN) != 0;
}

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
		if (!was_ended(stream->tls))
			return STREAM_AGAIN;
		stream->broken = true;
		return ERR_PROTOCOL;
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

/* ---- clients ---- */

static int
prepare(struct stream *stream, struct tls_context *context,
    const char *server_name, struct fault *fault)
{
	char name[DOMAIN_SIZE]; /* OpenSSL's macro casts a const away */
	int err;

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
	return 0;
}

/* Offers what is kept; whether it is taken is the host's business. */
static int
offer(SSL *tls, struct tls_context *context, const char *known_as,
    struct buffer *stapled)
{
	SSL_SESSION *kept = known_as == NULL ? NULL
	    : tls_kept_take(tls_context_kept(context), known_as, stapled);
	int err = 0;

	if (kept != NULL && SSL_set_session(tls, kept) != 1)
		err = ERR_MEMORY;
	SSL_SESSION_free(kept);
	return err != 0 ? err : stapled->error;
}

/* `stapled` came with the session that was offered. */
static int
describe(struct stream *stream, struct tls_context *context,
    const char *server_name, struct span stapled, struct tls_peer *peer,
    struct fault *fault)
{
	int err = tls_peer_read(peer, stream->tls, context, server_name);

	peer->resumed = SSL_session_reused(stream->tls) == 1;
	if (err == 0 && peer->resumed) {
		buffer_append_span(&peer->stapled, stapled);
		err = peer->stapled.error;
	}
	if (err == 0)
		return 0;
	tls_peer_free(peer);
	return fault_set(fault, err, "TLS: no certificate to judge");
}

int
stream_resume_tls_client(struct stream *stream, struct tls_context *context,
    const char *server_name, const char *known_as, struct tls_peer *peer,
    struct deadline deadline, struct fault *fault)
{
	struct buffer stapled = buffer_make(STAPLED_LIMIT);
	int err;

	*peer = (struct tls_peer){.der = buffer_make(DER_LIMIT),
	    .stapled = buffer_make(STAPLED_LIMIT)};
	err = prepare(stream, context, server_name, fault);
	if (err == 0 &&
	    (err = offer(stream->tls, context, known_as, &stapled)) != 0)
		fault_set(fault, err, "%s", "");
	if (err == 0)
		err = handshake(stream, deadline, fault);
	if (err == 0)
		err = describe(stream, context, server_name,
		    buffer_span(&stapled), peer, fault);
	buffer_free(&stapled);
	return err;
}

int
stream_start_tls_client(struct stream *stream, struct tls_context *context,
    const char *server_name, struct tls_peer *peer, struct deadline deadline,
    struct fault *fault)
{
	return stream_resume_tls_client(stream, context, server_name, NULL,
	    peer, deadline, fault);
}

/* Whoever joins two handshakes with one master secret can pass a session off as
 * another's, unless the secret depends on all that was said (RFC 7627). */
static bool
may_be_resumed(SSL *tls)
{
	const SSL_SESSION *session = SSL_get0_session(tls);

	return session != NULL && SSL_SESSION_is_resumable(session) == 1 &&
	    SSL_get_extms_support(tls) == 1;
}

void
stream_keep_session(struct stream *stream, struct tls_context *context,
    const char *known_as, const struct tls_peer *peer)
{
	short events;

	if (stream->tls == NULL || !may_be_resumed(stream->tls) ||
	    tls_say_end(stream, &events) != 0)
		return;
	tls_kept_put(tls_context_kept(context), known_as,
	    SSL_get1_session(stream->tls), buffer_span(&peer->stapled));
}
