/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_NET_STREAM_H
#define DIME_NET_STREAM_H

#include <sys/socket.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"

/*
 * A connected socket, plain or TLS, with a deadline on every wait. Blocking
 * from the caller's view; used by one thread. This directory is the only one
 * that calls libssl.
 *
 * The deadline is the caller's and no octet moves it. What can be done at once
 * is done even when it has passed; nothing waits, or is tried again, after it.
 *
 * Errors throughout: ERR_TIMEOUT at the deadline, ERR_UNREACHABLE when the peer
 * cannot be reached or is gone, ERR_PROTOCOL when TLS breaks, ERR_SYSTEM,
 * ERR_MEMORY.
 *
 * OpenSSL writes with write(2): a process that uses TLS must ignore SIGPIPE.
 * server_new() sees to it; tls_client_new() and tls_server_new() do too.
 */
struct stream;

/* Takes over a connected descriptor, which becomes non-blocking,
 * close-on-exec and, for TCP, without delay. NULL without memory (the
 * descriptor is closed). */
struct stream *stream_of_fd(int fd);

int stream_connect_unix(const char *path, struct deadline deadline,
    struct stream **out, struct fault *fault);

/* `source`, unless NULL, is the address to bind to. */
int stream_connect(const struct sockaddr *address, socklen_t length,
    const struct sockaddr *source, socklen_t source_length,
    struct deadline deadline, struct stream **out, struct fault *fault);

/* Sends what a clean TLS shutdown needs, if TLS is up, and closes. NULL is
 * fine. */
void stream_free(struct stream *stream);

/*
 * Ends a conversation that went well, before stream_free(): says so in TLS and
 * TCP, and takes what still comes until the peer has closed too, at most until
 * the deadline. Whoever closes with input unread resets the connection, and
 * what was said last may be lost with it.
 */
void stream_finish(struct stream *stream, struct deadline deadline);

/* Ends reads and writes of the thread that uses the stream, now and from now
 * on; for shutdown. This and stream_end_input() are the functions here that
 * another thread may call, as long as the stream is not freed meanwhile. */
void stream_abort(struct stream *stream);

/* Ends reads only, once what has come already is read. Likewise for another
 * thread. */
void stream_end_input(struct stream *stream);

/*
 * Reads up to `size` octets, at least one. 0 in *got: the peer has closed. TLS
 * that ends without saying so is ERR_UNREACHABLE: somebody may have cut it.
 */
int stream_read(struct stream *stream, void *data, size_t size, size_t *got,
    struct deadline deadline);

/* Writes all of it. */
int stream_write(struct stream *stream, struct span data,
    struct deadline deadline);

/* Writes what can be written at once, *moved octets, perhaps none. */
int stream_write_some(struct stream *stream, struct span data, size_t *moved);

/* Ends what is written to a stream without TLS, for a peer that reads to the
 * end; what he sends can still be read. */
void stream_end_output(struct stream *stream);

/* For a thread that serves two: waits until one of them has octets to read, or
 * takes some, where that is asked for. What TLS holds already must have been
 * read. 0, ERR_TIMEOUT, ERR_UNREACHABLE when one is aborted, ERR_SYSTEM. */
struct stream_interest {
	struct stream *stream;
	bool reads, writes;
};
int stream_wait_two(const struct stream_interest interests[static 2],
    struct deadline deadline);

/*
 * The next line without its LF and a CR before it, at most `limit` octets with
 * the terminator: a view that is good until the next call. A longer one is
 * skipped to its end and is ERR_TOO_LARGE. ERR_UNREACHABLE at the end of input.
 */
int stream_read_line(struct stream *stream, size_t limit, struct span *line,
    struct deadline deadline);

/* Octets received and not yet consumed by stream_read_line() or stream_read();
 * none may be there when TLS starts. */
size_t stream_buffered(const struct stream *stream);

/* "unix", or the numeric address of the peer. */
const char *stream_peer(const struct stream *stream);

/* One end of a TCP connection. */
struct stream_end {
	int family; /* AF_INET, AF_INET6; 0: it is no TCP connection */
	char address[64]; /* numeric */
	unsigned int port;
};

/* The peer's end, and our own. */
void stream_ends(const struct stream *stream, struct stream_end *peer,
    struct stream_end *own);

/* ---- TLS 1.2, ECDHE-RSA-AES256-GCM-SHA384 only (D11) ---- */

struct tls_context; /* shared by threads */

/* Two PEM files: a server's certificate, which its chain may follow, and the
 * key. */
struct tls_identity {
	const char *certificate, *key;
};

/*
 * A server with `count` identities, at least one. A client that names a host by
 * SNI gets the first whose certificate is for that host; any other the first of
 * all (Part 7). ERR_CONFIG, ERR_NO_FILE, ERR_PERMISSION name the file and what
 * is wrong (not RSA, too short...).
 */
int tls_server_new(const struct tls_identity *identities, size_t count,
    struct tls_context **out, struct fault *fault);

/* Reads the files again for handshakes to come; sessions keep what they have.
 * On an error, as above, the context stays as it is. From any thread. */
int tls_server_reload(struct tls_context *context,
    const struct tls_identity *identities, size_t count, struct fault *fault);

/* A client; `ca_file` "" means that no chain ever verifies. ERR_CONFIG,
 * ERR_NO_FILE, ERR_PERMISSION as above. */
int tls_client_new(const char *ca_file, struct tls_context **out,
    struct fault *fault);

/* Sessions that are open stay good. NULL is fine. */
void tls_free(struct tls_context *context);

int stream_start_tls_server(struct stream *stream, struct tls_context *context,
    struct deadline deadline, struct fault *fault);

/* The same for a client that named the host before, in clear: SNI is not
 * asked. NULL: as above. */
int stream_start_tls_server_as(struct stream *stream,
    struct tls_context *context, const char *host, struct deadline deadline,
    struct fault *fault);

/* What a client must judge after the handshake, which itself accepts any
 * certificate. */
struct tls_peer {
	struct buffer der; /* the peer's certificate */
	unsigned int rsa_bits; /* 0: not RSA */
	bool chain_valid; /* to a known CA, in time */
	bool name_valid;  /* for the name that was asked for */
	struct tls_chain *chain; /* what verifying needs, and ocsp.h */
	struct buffer stapled; /* the OCSP response that came along, if any */
	bool resumed; /* all of this was shown in an earlier handshake */
};

void tls_peer_free(struct tls_peer *peer);

/*
 * Says again whether the chain is valid: with the authorities of the context
 * and at the time of now. For a peer that a handshake has filled. ERR_MEMORY.
 */
int tls_peer_verify(struct tls_peer *peer, struct tls_context *context);

/* Whether the certificate is valid for another name than the one asked for. */
bool tls_peer_has_name(const struct tls_peer *peer, const char *name);

/* Sends `server_name` as SNI. *peer is for tls_peer_free(), and empty on
 * failure. */
int stream_start_tls_client(struct stream *stream, struct tls_context *context,
    const char *server_name, struct tls_peer *peer, struct deadline deadline,
    struct fault *fault);

/*
 * The same, and resumes a session that is kept under `known_as`, if there is
 * one and the host wants to. What it showed when it was made is in *peer,
 * verified anew. A session is resumed once, unless it is then kept again: one
 * that fails is gone.
 */
int stream_resume_tls_client(struct stream *stream,
    struct tls_context *context, const char *server_name,
    const char *known_as, struct tls_peer *peer, struct deadline deadline,
    struct fault *fault);

/*
 * Ends a client's TLS after a conversation that went well, and keeps its
 * session for ten minutes, unless the host offers none. The name says all that
 * two connections must have in common. What may follow is stream_free().
 */
void stream_keep_session(struct stream *stream, struct tls_context *context,
    const char *known_as, const struct tls_peer *peer);

#endif
