/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_UNIT_TLS_H
#define DIME_TESTS_UNIT_UNIT_TLS_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "base/buffer.h"

/* A certificate made for a test, in memory and in two PEM files. */
struct unit_certificate {
	EVP_PKEY *key;
	X509 *certificate;
	struct buffer der;
	char certificate_path[128];
	char key_path[128];
};

struct unit_certificate_wish {
	const char *name;      /* of the files, in the directory */
	EVP_PKEY *key;         /* a further reference is taken */
	const char *names;     /* "DNS:a.test,DNS:b.test" */
	int days;              /* until it expires; negative: it has */
	int seconds;           /* and so many more */
	bool authority;
	bool signs_ocsp;       /* may sign responses for its issuer */
	const char *ocsp;      /* URI of its responder, or NULL */
	const struct unit_certificate *issuer; /* NULL: signed by itself */
};

/* An RSA key of so many bits, or an EC key for 0. */
EVP_PKEY *unit_key(unsigned int bits);

void unit_certificate_make(const char *directory,
    const struct unit_certificate_wish *wish, struct unit_certificate *out);
void unit_certificate_free(struct unit_certificate *certificate);

#endif
