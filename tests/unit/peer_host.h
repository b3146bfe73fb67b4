/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_PEER_HOST_H
#define DIME_TESTS_UNIT_PEER_HOST_H

#include "tests/unit/unit.h"
#include "tests/unit/unit_tls.h"

#include <pthread.h>

#include "client/peer.h"

/*
 * A host of beta.test that does as it is told, once: it takes one connection,
 * and says what the test wrote down for it. The client's side is
 * lib/client/peer.
 */

enum {
	LONG = 60000, /* a time that no test waits for */
	TURNS = 8,
};

/*
 * What the host says: first of all, then after every line that comes, after 354
 * after the message instead. NULL: nothing more, but the connection stays until
 * the client closes it. The list ends with CLOSE.
 */
#define CLOSE ((const char *)-1)

#define BANNER "220 <dx.beta.test> DMTP ready\n"
#define BYE "221 BYE\n"

struct host {
	const struct unit_certificate *certificate;
	const char *says[TURNS];
	void *(*run)(void *); /* NULL: as above */
	const char *clear[2]; /* a dual-protocol host's banner, and its answer
	                         to STARTTLS: 2xx, and TLS begins */

	int listener;
	unsigned int port;
	struct buffer heard; /* lines with LF */
	pthread_t thread;
};

void host_start(struct host *host);
/* Waits until the conversation is over. `heard`: what it must have heard, or
 * NULL. */
void host_end(struct host *host, const char *heard);

/* ---- certificates: of the host, and whom the client trusts ---- */

extern struct unit_certificate authority, host_of_domain, domain_itself,
    foreign, with_ocsp;
extern struct unit_certificate small; /* with a key that is too short */

/* ---- the client ---- */

extern const uint8_t pok_seed[CRYPTO_SEED];
/* For all listings of the client's. */
extern struct peer_room room;

enum record_kind { UNSIGNED, SIGNED, SIGNED_OTHER };

/* beta.test's record, with a tls value about the certificate. */
void host_make_record(struct record *record, enum record_kind kind,
    const struct unit_certificate *certificate);

/* Opens a session within `time` milliseconds. The record came over DNSSEC, or
 * did not. */
int host_open(const struct host *host, const struct record *record,
    bool secure, int64_t time, struct peer **peer, struct fault *fault);
/* The same, with the organization's signet at hand. */
int host_open_with(const struct host *host, const struct record *record,
    bool secure, const struct org_signet *org, int64_t time,
    struct peer **peer, struct fault *fault);
/* Starts the host, with a good certificate and banner: the session is open. */
struct peer *host_open_good(struct host *host);

/* Group fixtures. */
int host_group_start(void **state);
int host_group_end(void **state);

#endif
