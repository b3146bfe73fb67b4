/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_DAEMON_H
#define DIME_POLICY_DAEMON_H

#include "net/server.h"
#include "policy/fetch.h"
#include "policy/policyd.h"
#include "policy/resolver.h"
#include "policy/work.h"

/*
 * policyd with the parts that it really runs on: libunbound, Redis, state.db,
 * DMTP.
 */
struct daemon {
	struct policyd policyd; /* first: what connections get */
	const char *config_path;
	struct server *server;
	struct work *work;
	struct resolver *resolver;
	struct fetcher *fetcher;
	struct periodic *tending;
	uint8_t *cache_key;       /* secret memory */
	struct buffer redis_password, sentinel_password;
};

/* Reads the configuration and all it names without changing anything: for -n.
 */
int daemon_check(const char *config_path, struct fault *fault);

/* Puts everything together. On failure daemon_free() must still be called. */
int daemon_start(struct daemon *daemon, const char *config_path,
    struct fault *fault);

/* Serves until a signal. */
void daemon_run(struct daemon *daemon);

/*
 * Frees all. False when a DMTP session with a peer did not end in time: its
 * thread still uses the parts, which therefore stay, and the process is to end.
 */
bool daemon_free(struct daemon *daemon);

#endif
