/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_TLS_WORLD_H
#define DIME_TESTS_UNIT_TLS_WORLD_H

#include "tests/unit/unit.h"
#include "tests/unit/unit_tls.h"

#include <pthread.h>

#include "net/stream.h"

/* Certificates, and our TLS server in a thread of the test. */

enum { LONG = 60000 }; /* a time that no test waits for */

/* In which the certificates' files are. */
extern char directory[64];

extern EVP_PKEY *rsa_key, *other_key;
/* All of dx.beta.test, but for the first: by that authority, by another one or
 * by themselves; expired, with a short key, with an EC key. */
extern struct unit_certificate authority, good, other, expired, small, curve;

/* Without names an authority; without an issuer signed by itself. */
void make_certificate(const char *name, const char *names, EVP_PKEY *key,
    int days, const struct unit_certificate *issuer,
    struct unit_certificate *out);

struct tls_identity identity(const struct unit_certificate *certificate);

/* With one certificate; tls_free() it. */
struct tls_context *server_context(const struct unit_certificate *certificate);
/* Trusts whom the file names; tls_free() it. */
struct tls_context *client_context(const char *ca_file);

struct side {
	int fd;
	struct tls_context *context;
	int err; /* of the handshake */
	struct fault fault;
	pthread_t thread;
};

/* Starts a server that answers every line with itself and ends at "quit";
 * returns the client's end. Join the thread. */
int start_server(struct side *side, struct tls_context *context);
/* The same server in this thread, on side->fd. */
void *serve(void *side);

/* The server must answer so. */
void echo(struct stream *stream, const char *line, const char *answer);

/* Group fixtures. */
int tls_world_start(void **state);
int tls_world_end(void **state);

#endif
