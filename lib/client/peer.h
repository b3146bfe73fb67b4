/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CLIENT_PEER_H
#define DIME_CLIENT_PEER_H

#include <stdatomic.h>

#include "client/revocation.h"
#include "dime/certificate.h"
#include "dime/record.h"
#include "dime/signet.h"
#include "net/stream.h"

/*
 * A DMTP session with a peer's host (Part 7): connect, TLS, banner, the
 * certificate table, commands. Used by dime-policyd to fetch signets and by
 * dmtpd's delivery agent.
 */

/*
 * What all sessions of a program together hold of listings that are still
 * coming in: many hosts with much to say shall not take all memory. The first
 * PEER_LISTING_OWN octets of a listing are not counted, so that what is of an
 * ordinary size always finds room. Starts as zeros; any thread.
 */
enum {
	PEER_LISTING_OWN = 1 << 16,
	PEER_LISTINGS_MOST = 256 << 20,
};
struct peer_room {
	atomic_size_t held;
};

struct peer_target {
	const char *host;    /* dx or MX name: SNI, certificate */
	const char *domain;  /* the organization that we want to speak with */
	const char *address; /* numeric */
	unsigned int port;
	bool dual; /* DMTP is reached by STARTTLS in an SMTP session */
	const char *source;  /* numeric address to bind to, or "" */
	const struct record *record;
	bool record_secure;
	/* The domain's signet, verified under the record, as far as it is held:
	 * its SOKs may have signed the certificate. Or NULL. */
	const struct org_signet *org;
	/* Whether a host outside of the domain may confirm for it (S17). */
	bool trust_foreign_dx;
	struct revocation *revocation; /* NULL: no status is asked for */
	struct peer_room *room; /* outlives the session; NULL: not counted */
};

struct peer;

/*
 * Opens a session. ERR_UNREACHABLE, ERR_TIMEOUT, ERR_PROTOCOL (banner, suite)
 * or ERR_CERTIFICATE, each with host and reason: this host has failed, another
 * may do. ERR_BUSY, here and from every command, when the listing that comes
 * finds no room. `deadline` bounds all of it; connecting takes at most 30 s of
 * it, TLS and the banner 60 s (D12). ERR_CONFIG for an address that is not
 * numeric.
 *
 * A dual-protocol host says so in its banner; `STARTTLS <host> MODE=DMTP` is
 * answered with 2xx, then comes TLS, then `250 OK DMTP` (doc/dmtp.md).
 *
 * The certificate: RSA of 2048 to 16384 bits, and what certificate_judge()
 * makes of it. It is valid by X.509 when its chain verifies and it is for the
 * host or for the domain itself.
 *
 * Where only a `tls` value by a SOK could make it good, and `org` has none
 * such, the session is provisional: the host is asked for the domain's signet
 * and for nothing else, the certificate is judged again with what comes and
 * verifies under the record, and that is then forgotten. Whatever goes wrong
 * there is ERR_CERTIFICATE; what the host says of the domain (476) is not
 * believed.
 *
 * A TLS session that an earlier one with the same host, address and domain left
 * behind is resumed; all of the above holds for it. `tls` outlives the session.
 */
int peer_open(const struct peer_target *target, struct tls_context *tls,
    struct deadline deadline, struct peer **out, struct fault *fault);

/*
 * Makes a session that was idle fit for another transaction with the target
 * that it was opened for, of which record and signet may have changed: the
 * certificate is judged like that of a new one, its chain verified anew; then
 * RSET. An error says nothing about the host; the session is good for
 * peer_close() only.
 */
int peer_again(struct peer *peer, const struct peer_target *target,
    struct deadline deadline, struct fault *fault);

/* Whether more may be said: false once the session broke, or the host said 421,
 * or something that it was not asked. */
bool peer_is_good(const struct peer *peer);

/* Whether its TLS session had been made before. */
bool peer_is_resumed(const struct peer *peer);

/* Says QUIT, if the session is still good for it, waits at most 1 s for the
 * answer and frees. NULL is fine. */
void peer_close(struct peer *peer);

/* The same, but waits until then. */
void peer_close_by(struct peer *peer, struct deadline deadline);

/* Whether the error that a later host came to is worth telling instead of that
 * of an earlier one: not that it cannot be reached, where that one could. */
bool peer_tells_more(int later, int earlier);

/* Whether the session's certificate is itself a confirming source (S17). */
bool peer_confirms(const struct peer *peer);

/* A reply: its code (0: there was none), the text of its last line made
 * printable, and the armor of a listing. */
struct peer_reply {
	int code;
	char text[256];
	struct buffer listing; /* the other lines, without `CODE-` */
};

void peer_reply_init(struct peer_reply *reply);
void peer_reply_free(struct peer_reply *reply);

/*
 * Sends one command line (without its end) and reads the reply. ERR_PROTOCOL,
 * ERR_TIMEOUT, ERR_UNREACHABLE: the session is then of no further use, as it is
 * after a reply with code 421. ERR_USAGE, and nothing sent, for a line that
 * DMTP cannot carry: over 512 octets with its end, or with others than 20-7E.
 */
int peer_command(struct peer *peer, const char *line,
    struct deadline deadline, struct peer_reply *reply, struct fault *fault);

/*
 * SGNT for a domain or address, optionally (unless NULL or "") a given
 * fingerprint: the signet, parsed, of the kind and with the fingerprint that
 * were asked for, unverified. ERR_NOT_ENABLED (476, and an address that SGNT
 * cannot carry, S16), ERR_UNKNOWN_ADDRESS (576); all else is temporary, what
 * the peer said or sent being ERR_DEFERRED or ERR_PROTOCOL.
 */
int peer_fetch_signet(struct peer *peer, const char *name,
    const char *fingerprint, struct deadline deadline, struct signet **out,
    struct fault *fault);

/*
 * VRFY for a domain or address: 0 with *out NULL when the signet with that
 * fingerprint (an organization's, a user's core) is still the current one, and
 * else with the current one. Errors as above.
 */
int peer_verify_signet(struct peer *peer, const char *name,
    const char *fingerprint, struct deadline deadline, struct signet **out,
    struct fault *fault);

/*
 * HIST for a user: what it lists, core signets in armor, from the fingerprint
 * `start` to `stop` ("": to the current one), appended to `out`, unread.
 * ERR_UNKNOWN_ADDRESS (576: not a chain of his), ERR_REFUSED (any other 5xx);
 * all else is temporary, as above.
 */
int peer_fetch_history(struct peer *peer, const char *address,
    const char *start, const char *stop, struct deadline deadline,
    struct buffer *out, struct fault *fault);

/*
 * One mail transaction: EHLO if not said yet, MAIL, RCPT, DATA with the armored
 * message. 0 for 254 and 255. A refusal sets `reply` and returns the error that
 * fits its code (ERR_DESTINATION_SIGNET for 576 and so on); `fault` then names
 * the host and what it said.
 *
 * Waits as Part 7 recommends: 4 minutes for EHLO, 8 for each command, and for
 * the message to go and again for its reply 8 and one for every megabyte. A
 * session that took one message may take more.
 */
struct peer_mail {
	const char *helo; /* host name, or an address literal in brackets */
	const char *origin, *origin_fingerprint;
	const char *destination, *destination_fingerprint;
	struct span armor; /* lines end with LF or CRLF; sent with LF */
};
int peer_deliver(struct peer *peer, const struct peer_mail *mail,
    struct peer_reply *reply, struct fault *fault);

/* Whether that came so far that the host may have the message, whatever came of
 * it. */
bool peer_may_have_message(const struct peer *peer);

#endif
