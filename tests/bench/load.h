/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_BENCH_LOAD_H
#define DIME_TESTS_BENCH_LOAD_H

#include <sys/types.h>

#include <openssl/ssl.h>

#include "tests/bench/figure.h"

/* What the parts of bench_load and bench_intake share. */

#define LOOPBACK "127.0.0.1"

enum { LOAD_USERS = 100, LOAD_KEY_BITS = 2048 };

/* ---- the servers ---- */

struct load_servers {
	pid_t dmtpd, floor;
	unsigned int dmtpd_port, floor_port;
};

/* Starts dmtpd, with keys of beta.test and its users u0 to u99, and the floor,
 * with the same certificate, in processes of their own; both answer then. */
void load_servers_start(const char *dmtpd, const char *floor,
    struct load_servers *out);
void load_servers_end(struct load_servers *servers);

/* ---- a client ---- */

struct load_client {
	int fd;
	SSL *tls; /* NULL: in clear */
	char input[16384]; /* what came of a line that has not ended */
	size_t length;
};

/* Settings of TLS as peers have them. */
SSL_CTX *load_context(void);

/*
 * Connects to an address of 127/8, shakes hands and takes the greeting; number
 * `i` comes from an address of its own. False when the server does not want it.
 */
bool load_open(struct load_client *client, SSL_CTX *context,
    const char *address, unsigned int port, size_t i);

/* Likewise, in clear over a unix socket. */
bool load_open_unix(struct load_client *client, const char *path);

void load_close(struct load_client *client);

void load_say(struct load_client *client, const char *text, size_t length);

/* Waits for that many replies, whatever number of lines each has; false, and
 * the line is printed, when one of them does not begin with `code`. */
bool load_hear(struct load_client *client, size_t replies, const char *code);

#endif
