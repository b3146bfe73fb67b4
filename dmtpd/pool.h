/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_POOL_H
#define DIME_DMTPD_POOL_H

#include "client/peer.h"

/*
 * The delivery agent's sessions with peers' hosts: how many may be open at a
 * time, and those that wait for another message.
 *
 *	pool_enter -> pool_take, peer_again, until one is good or none is
 *	left -> else peer_open -> peer_deliver -> pool_leave
 *
 * A session is used again for what would open just the same: host, address,
 * port, mode, domain, source address and origin, for a peer need let a session
 * introduce one origin only. Idle ones are bounded in number, for each domain
 * and in all, and in time; so are the messages of a session, and its life. Any
 * thread.
 */
struct pool;

enum {
	POOL_IDLE_TIME = 60 * 1000, /* peers wait for 4 minutes at least */
	POOL_IDLE = 128,
	POOL_IDLE_DOMAIN = 8,
	POOL_MESSAGES = 100,           /* in a session */
	POOL_LIFE = 5 * 60 * 1000, /* so that other hosts have their turn */
};

/* Starts a thread that closes what has been idle for `idle_time` milliseconds.
 * ERR_MEMORY, ERR_SYSTEM. */
int pool_new(int64_t idle_time, struct pool **out);

/* Closes the sessions that are idle now. */
void pool_clear(struct pool *pool);

/* Closes them, lets nobody wait and keeps nothing any more. */
void pool_stop(struct pool *pool);

/* Waits until that is done. All visits must have ended. NULL is fine. */
void pool_free(struct pool *pool);

struct pool_wish {
	const struct peer_target *target;
	const char *origin; /* domain and fingerprint */
	/* Sessions at a time with the target's domain; likewise with its
	 * address and port. */
	size_t limit;
};

enum { POOL_KEY_SIZE = 1200 };

/* A delivery while it has a session or may open one; the caller's, unmoved. The
 * members are the pool's. */
struct pool_visit {
	const struct pool_wish *wish;
	char key[POOL_KEY_SIZE];
	struct pool_visit *next;
	bool active; /* else it waits */
	bool slow;   /* another one has waited for its end in vain */
	int64_t since;
	int64_t opened; /* its session */
	unsigned int messages;
};

/*
 * Waits for its turn, in the order of coming. ERR_BUSY at the deadline, when
 * the pool is stopped, and at once when somebody has waited in vain for all
 * those that are in the way: a slow peer shall not hold every process of
 * Postfix's. The wish lives until pool_leave(), which follows success only.
 */
int pool_enter(struct pool *pool, struct pool_visit *visit,
    const struct pool_wish *wish, struct deadline deadline,
    struct fault *fault);

/* An idle session, for peer_again(), which is the caller's. Or NULL: he may
 * open one; if need be another idle one has been closed for it. */
struct peer *pool_take(struct pool *pool, struct pool_visit *visit);

/* Ends the visit. Keeps the session if it is good for more, else closes it.
 * NULL: there is none. */
void pool_leave(struct pool *pool, struct pool_visit *visit,
    struct peer *peer);

#endif
