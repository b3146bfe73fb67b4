/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_IDENTITIES_H
#define DIME_DMTPD_IDENTITIES_H

#include "base/config.h"
#include "net/stream.h"

/* The certificates that a configuration names, the default first. */
struct identities {
	struct tls_identity *items;
	size_t count;
	char *text; /* what the items after the first point into */
};

/* Takes tls_certificate, tls_key and tls_certificates; the configuration must
 * outlive *out, which the caller gives to identities_free() in any case.
 * ERR_CONFIG names an entry that is not CERTIFICATE:KEY; ERR_MEMORY. */
int identities_read(const struct config *config, struct identities *out,
    struct fault *fault);

void identities_free(struct identities *identities);

#endif
