/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_POOL_WORLD_H
#define DIME_TESTS_UNIT_POOL_WORLD_H

#include "tests/unit/unit.h"
#include "tests/unit/unit_host.h"

#include "client/peer.h"
#include "dmtpd/pool.h"

/* A pool of sessions with one host, dx.beta.test. */

enum {
	LONG = 60000, /* a time that no test waits for */
	NEVER = 3600 * 1000,
};

/* The host of the test, whom it trusts, and what records say of the host's
 * certificate. */
extern struct unit_host *host;
extern struct tls_context *client;
extern struct record signing, other_signing, without_tls;

/* A certificate of the host, or for 0 seconds one of an authority. */
void make_certificate(const char *name, int seconds,
    struct unit_certificate *out);

/* The host as `signing` has it, and messages of alpha.test's to it. */
struct peer_target usual_target(void);
struct pool_wish usual_wish(const struct peer_target *target);

struct pool *fresh_pool(int64_t idle_time);

/* These must succeed. */
void enter(struct pool *pool, struct pool_visit *visit,
    const struct pool_wish *wish);
struct peer *open_new(const struct peer_target *target);

/* Leaves an idle session in the pool. */
void leave_idle(struct pool *pool, const struct pool_wish *wish);

/* Delivers a message as the agent does; whether a session was used again. */
bool deliver(struct pool *pool, const struct pool_wish *wish);

/* Group fixtures. */
int pool_world_start(void **state);
int pool_world_end(void **state);

/* Fixtures of a test: the host. */
int pool_host_start(void **state);
int pool_host_end(void **state);
#define WITH_HOST(test)                                                        \
	cmocka_unit_test_setup_teardown(test, pool_host_start, pool_host_end)

#endif
