/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CLIENT_PEER_H
#define DIME_CLIENT_PEER_H

#include "dime/certificate.h"
#include "dime/record.h"
#include "dime/signet.h"
#include "net/stream.h"

/*
 * A DMTP session with a peer's host (Part 7): connect, TLS, banner, the
 * certificate table, commands. Used by dime-policyd to fetch signets and by
 * dmtpd's delivery agent.
 */

struct peer_target {
	const char *host;    /* dx or MX name: SNI, certificate */
	const char *domain;  /* the organization that we want to speak with */
	const char *address; /* numeric */
	unsigned int port;
	const char *source;  /* numeric address to bind to, or "" */
	const struct record *record;
	bool record_secure;
};

struct peer;

/*
 * Opens a session. ERR_UNREACHABLE, ERR_TIMEOUT, ERR_PROTOCOL (banner, suite) or
 * ERR_CERTIFICATE, each with host and reason: this host has failed, another may
 * do. `deadline` bounds all of it.
 */
int peer_open(const struct peer_target *target, struct tls_context *tls,
    struct deadline deadline, struct peer **out, struct fault *fault);

/* Says QUIT, without waiting long for the answer, and frees. NULL is fine. */
void peer_close(struct peer *peer);

/* Whether the session's certificate is itself a confirming source (S17). */
bool peer_confirms(const struct peer *peer);

/* A reply: its code, the text of its last line, and the armor of a listing. */
struct peer_reply {
	int code;
	char text[256];
	struct buffer listing; /* 270-, 280-, 290- lines without the prefix */
};

void peer_reply_init(struct peer_reply *reply);
void peer_reply_free(struct peer_reply *reply);

/* Sends one command line (without its end) and reads the reply. ERR_PROTOCOL,
 * ERR_TIMEOUT, ERR_UNREACHABLE: the session is then of no further use. */
int peer_command(struct peer *peer, const char *line,
    struct deadline deadline, struct peer_reply *reply, struct fault *fault);

/*
 * SGNT for a domain or address, optionally a given fingerprint: the octets of the
 * signet, unverified. ERR_NOT_ENABLED (476), ERR_UNKNOWN_ADDRESS (576), or
 * temporary errors.
 */
int peer_fetch_signet(struct peer *peer, const char *name,
    const char *fingerprint, struct deadline deadline, struct signet **out,
    struct fault *fault);

/* One mail transaction: EHLO if not said yet, MAIL, RCPT, DATA with the armored
 * message. 0 for 254 and 255. A refusal sets `reply` and returns the error that
 * fits its code (ERR_DESTINATION_SIGNET for 576 and so on). */
struct peer_mail {
	const char *helo;
	const char *origin, *origin_fingerprint;
	const char *destination, *destination_fingerprint;
	struct span armor;
};
int peer_deliver(struct peer *peer, const struct peer_mail *mail,
    struct peer_reply *reply, struct fault *fault);

/* The ERR_* number that a DMTP reply code means for whoever sent the command;
 * ERR_PROTOCOL for a code that no specification gives. 0 for 2xx and 354. */
int peer_error_of_code(int code);

#endif
