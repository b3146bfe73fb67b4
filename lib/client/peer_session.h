/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CLIENT_PEER_SESSION_H
#define DIME_CLIENT_PEER_SESSION_H

#include "client/peer.h"
#include "dmtp/client.h"

/* Between the files of peer.h only. */

struct peer {
	struct stream *stream;
	struct peer_room *room;
	struct dmtp_client client;
	struct tls_context *context;
	struct tls_peer tls;
	char host[DOMAIN_SIZE]; /* for messages */
	char known_as[2 * DOMAIN_SIZE + 80]; /* whose TLS may be resumed */
	bool dual;
	bool accepted; /* its certificate, by the last judgement */
	bool confirms;
	bool welcomed; /* its greeting was good */
	bool greeted; /* EHLO was said and taken */
	bool useless; /* nothing more may be said */
	bool has_message; /* perhaps */
	struct span unread; /* in `input` */
	uint8_t input[4096];
};

/* One of them failing makes the session useless; `fault` lacks the host. */
int peer_send(struct peer *peer, struct span octets, struct deadline deadline,
    struct fault *fault);
int peer_read_reply(struct peer *peer, struct deadline deadline,
    struct peer_reply *reply, struct fault *fault);

/* As peer_command(), but `fault` lacks the host. */
int peer_say(struct peer *peer, const char *line, struct deadline deadline,
    struct peer_reply *reply, struct fault *fault);

/* Takes the greeting under TLS, unless that was done. ERR_PROTOCOL when it is
 * not a DMTP host's, and errors as above. */
int peer_greet(struct peer *peer, struct deadline deadline,
    struct fault *fault);

/* Judges the certificate by the target's record and says whether it confirms.
 * One that only a SOK can have signed: greets, and asks the host for the
 * domain's signet. ERR_CERTIFICATE. */
int peer_judge(struct peer *peer, const struct peer_target *target,
    struct deadline deadline, struct fault *fault);

#endif
