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
	char host[DOMAIN_SIZE]; /* for messages */
	bool confirms;
	bool greeted; /* EHLO was said and taken */
	bool useless; /* nothing more may be said */
	struct span unread; /* in `input` */
	uint8_t input[4096];
};

/* One of them failing makes the session useless; `fault` lacks the host. */
int peer_send(struct peer *peer, struct span octets, struct deadline deadline,
    struct fault *fault);
int peer_read_reply(struct peer *peer, struct deadline deadline,
    struct peer_reply *reply, struct fault *fault);

#endif
