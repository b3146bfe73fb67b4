/* SPDX-License-Identifier: BSD-2-Clause */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/peer_session.h"

enum {
	CONNECT_TIME = 30 * 1000, /* D12 */
	GREETING_TIME = 60 * 1000,
};

static int
resolve(const char *address, unsigned int port, struct addrinfo **out,
    struct fault *fault)
{
	const struct addrinfo hints = {
	    .ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	char service[16];

	*out = NULL;
	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(address, service, &hints, out) != 0)
		return fault_set(fault, ERR_CONFIG,
		    "\"%s\" is not a numeric address", address);
	return 0;
}

static int
connect_to(const struct peer_target *target, struct deadline deadline,
    struct stream **out, struct fault *fault)
{
	struct addrinfo *to = NULL, *from = NULL;
	int err = resolve(target->address, target->port, &to, fault);

	if (err == 0 && *target->source != '\0')
		err = resolve(target->source, 0, &from, fault);
	/* A source of the other family cannot serve; the system chooses. */
	if (err == 0 && from != NULL && from->ai_family != to->ai_family) {
		freeaddrinfo(from);
		from = NULL;
	}
	if (err == 0)
		err = stream_connect(to->ai_addr, to->ai_addrlen,
		    from == NULL ? NULL : from->ai_addr,
		    from == NULL ? 0 : from->ai_addrlen,
		    deadline_earlier(deadline, deadline_in(CONNECT_TIME)), out,
		    fault);
	if (to != NULL)
		freeaddrinfo(to);
	if (from != NULL)
		freeaddrinfo(from);
	return err;
}

static int
secure(struct peer *peer, const struct peer_target *target,
    struct deadline deadline, struct fault *fault)
{
	int err;

	/* What came in clear is not for the session that TLS secures. */
	if (peer->unread.length > 0)
		err = fault_set(fault, ERR_PROTOCOL,
		    "octets came in clear before the TLS handshake");
	else
		err = stream_resume_tls_client(peer->stream, peer->context,
		    target->host, peer->known_as, &peer->tls, deadline, fault);
	if (err != 0)
		peer->useless = true;
	return err;
}

/* ---- greetings ---- */

static bool
says_dmtp(struct peer_reply *reply)
{
	return strstr(reply->text, "DMTP") != NULL ||
	    (reply->listing.length > 0 &&
		strstr(buffer_string(&reply->listing), "DMTP") != NULL);
}

/* A mail server of the old kind: DMTP is not to be had there. */
static bool
is_plain_smtp(const struct peer *peer, enum reply wanted,
    const struct peer_reply *reply)
{
	return peer->dual && wanted == REPLY_BANNER &&
	    reply->code == reply_row(REPLY_BANNER)->code;
}

static int
read_greeting(struct peer *peer, enum reply wanted, struct deadline deadline,
    struct fault *fault)
{
	struct peer_reply reply;
	int err;

	peer_reply_init(&reply);
	err = peer_read_reply(peer, deadline, &reply, fault);
	if (err == 0 && (reply.code != reply_row(wanted)->code ||
			    !says_dmtp(&reply)))
		err = fault_set(fault, is_plain_smtp(peer, wanted, &reply)
		        ? ERR_UNREACHABLE
		        : ERR_PROTOCOL,
		    "%s is not that of a DMTP host: %d %s",
		    wanted == REPLY_BANNER ? "banner" : "mode", reply.code,
		    reply.text);
	peer_reply_free(&reply);
	return err;
}

int
peer_greet(struct peer *peer, struct deadline deadline, struct fault *fault)
{
	int err;

	if (peer->welcomed)
		return 0;
	err = read_greeting(peer, peer->dual ? REPLY_OK : REPLY_BANNER,
	    deadline, fault);
	peer->welcomed = err == 0;
	return err;
}

/* From SMTP to where TLS is to begin. */
static int
elevate(struct peer *peer, const struct peer_target *target,
    struct deadline deadline, struct fault *fault)
{
	char line[DMTP_LINE_LIMIT];
	struct peer_reply reply;
	int err;

	if ((err = read_greeting(peer, REPLY_BANNER, deadline, fault)) != 0)
		return err;
	snprintf(line, sizeof(line), "STARTTLS <%s> MODE=DMTP", target->host);
	peer_reply_init(&reply);
	err = peer_say(peer, line, deadline, &reply, fault);
	if (err == 0 && reply.code / 100 != 2)
		err = fault_set(fault, ERR_PROTOCOL, "STARTTLS: %d %s",
		    reply.code, reply.text);
	peer_reply_free(&reply);
	return err;
}

static int
start_session(struct peer *peer, const struct peer_target *target,
    struct deadline deadline, struct fault *fault)
{
	int err = target->dual ? elevate(peer, target, deadline, fault) : 0;

	if (err != 0 ||
	    (err = secure(peer, target, deadline, fault)) != 0 ||
	    (err = peer_judge(peer, target, deadline, fault)) != 0)
		return err;
	return peer_greet(peer, deadline, fault);
}

static void
describe(struct peer *peer, const struct peer_target *target,
    struct tls_context *tls)
{
	dmtp_client_start(&peer->client);
	peer->context = tls;
	peer->room = target->room;
	peer->dual = target->dual;
	snprintf(peer->host, sizeof(peer->host), "%s", target->host);
	snprintf(peer->known_as, sizeof(peer->known_as), "%s %s %u %s",
	    target->host, target->address, target->port, target->domain);
}

int
peer_open(const struct peer_target *target, struct tls_context *tls,
    struct deadline deadline, struct peer **out, struct fault *fault)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	int err;

	*out = NULL;
	if (peer == NULL)
		return fault_set(fault, ERR_MEMORY, "%s", "");
	describe(peer, target, tls);
	err = connect_to(target, deadline, &peer->stream, fault);
	if (err == 0)
		err = start_session(peer, target,
		    deadline_earlier(deadline, deadline_in(GREETING_TIME)),
		    fault);
	if (err != 0) {
		fault_wrap(fault, "%s [%s]", target->host, target->address);
		peer_close(peer);
		return err;
	}
	*out = peer;
	return 0;
}

/* ---- again ---- */

/* A host that has said something unasked is about to close (421), has closed,
 * or answers what nobody asked. */
static int
has_said_nothing(struct peer *peer, struct fault *fault)
{
	size_t got;

	if (peer_is_good(peer) &&
	    stream_read(peer->stream, peer->input, sizeof(peer->input), &got,
	        deadline_in(0)) == ERR_TIMEOUT)
		return 0;
	peer->useless = true;
	return fault_set(fault, ERR_UNREACHABLE,
	    "the session ended while it was idle");
}

static int
reset(struct peer *peer, struct deadline deadline, struct fault *fault)
{
	struct peer_reply reply;
	int err;

	peer_reply_init(&reply);
	err = peer_say(peer, "RSET", deadline, &reply, fault);
	if (err == 0 && reply.code != reply_row(REPLY_OK)->code)
		err = fault_set(fault, ERR_PROTOCOL, "RSET: %d %s",
		    reply.code, reply.text);
	else if (err == 0 && !peer_is_good(peer))
		err = fault_set(fault, ERR_PROTOCOL,
		    "RSET: more than one reply");
	peer_reply_free(&reply);
	return err;
}

int
peer_again(struct peer *peer, const struct peer_target *target,
    struct deadline deadline, struct fault *fault)
{
	int err;

	if ((err = has_said_nothing(peer, fault)) == 0 &&
	    (err = tls_peer_verify(&peer->tls, peer->context)) != 0)
		fault_set(fault, err, "%s", "");
	if (err == 0 &&
	    (err = peer_judge(peer, target, deadline, fault)) == 0)
		err = reset(peer, deadline, fault);
	if (err != 0)
		fault_wrap(fault, "%s", peer->host);
	return err;
}
