/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_DMTPD_H
#define DIME_DMTPD_DMTPD_H

#include <pthread.h>

#include "base/config.h"
#include "client/peer.h"
#include "dmtpd/backoff.h"
#include "dmtpd/rates.h"
#include "dmtpd/share.h"
#include "dmtpd/underway.h"
#include "keys/keys.h"
#include "keys/state.h"
#include "net/server.h"

/*
 * What the threads of dmtpd share. One thread serves one connection: of a DMTP
 * peer (dmtp_session.c), of Postfix's LMTP client (agent.c), or of an SMTP
 * client who may become a DMTP peer (front.c).
 */

/* Settings that SIGHUP may change; a conversation copies them at its start. */
struct live_settings {
	int64_t message_size_limit; /* octets of a binary message */
	int64_t data_memory_limit;
	int64_t fetch_timeout; /* milliseconds */
	int64_t idle_timeout;  /* milliseconds */
	struct source_prefixes prefixes;
	int64_t source_signet_limit, source_mail_limit; /* a minute */
	int64_t origin_message_limit;                   /* likewise */
	int64_t signet_grace;                           /* seconds */
	bool smtp_fallback;
	int64_t smtp_fallback_after;                    /* seconds */
	int64_t destination_session_limit;
	char bind_address[64];
	char forward_domain[DOMAIN_SIZE];
};

struct front_route;
struct pool;

struct dmtpd {
	const char *config_path;
	const struct config *config; /* as of the start, for what stays */
	char hostname[DOMAIN_SIZE];
	struct server *server;
	struct tls_context *tls_server;
	struct tls_context *tls_client;
	struct revocation *revocation; /* of peers' certificates */
	struct peer_room peer_room;    /* for what their hosts list */
	struct keys *keys;
	struct state *state;
	struct facts_client *facts; /* dime-policyd */
	struct backoff *backoff;   /* peers' hosts that failed lately */
	struct pool *pool;         /* sessions with the others */
	struct underway *underway; /* messages being injected */
	struct rates *rates;       /* what peers do, and how often */
	struct spreader *spreader; /* tells other nodes of it */
	struct front_route *routes; /* of the dual-protocol front */
	size_t route_count;
	struct share data_memory;   /* octets that incoming messages hold */
	struct share questions[2]; /* about origins: unknown ones, known ones */
	atomic_uint injections; /* sessions with Postfix that are kept */
	pthread_mutex_t live_lock;
	struct live_settings live;
};

/* A copy of the settings in force. */
struct live_settings dmtpd_live(struct dmtpd *dmtpd);

/* Which part of an address is a source. */
struct source_prefixes dmtpd_prefixes(const struct config *config);

/* Takes the reloadable settings of `config` over. */
void dmtpd_set_live(struct dmtpd *dmtpd, const struct config *config);

/*
 * Reads what comes next into `octets`; *input is then a view of it, empty when
 * the peer has closed. ERR_TIMEOUT, at the deadline or when the server stops:
 * the conversation must end. Other errors as stream_read().
 */
int dmtpd_read(struct dmtpd *dmtpd, struct stream *stream,
    struct deadline deadline, struct span *input, uint8_t *octets, size_t size);

/* The DMTP server's connection (Part 7); context is the struct dmtpd. */
void dmtp_session_serve(struct stream *stream, void *context);

/* Likewise for a client of the front's who was told to start TLS for DMTP with
 * this host of ours. */
void dmtp_session_elevate(struct stream *stream, const char *host,
    struct dmtpd *dmtpd);

/* The delivery agent's connection (RFC 2033); likewise. */
void agent_serve(struct stream *stream, void *context);

enum {
	/* Characters of a message identifier that log lines show. */
	DMTPD_LOG_IDENTIFIER = 16,
};

#endif
