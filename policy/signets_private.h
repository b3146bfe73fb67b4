/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_SIGNETS_PRIVATE_H
#define DIME_POLICY_SIGNETS_PRIVATE_H

#include <pthread.h>

#include "policy/flight.h"
#include "policy/signets.h"

/* What the files signets*.c share. */

/* A key is the name and, behind a space, which signet of it: "" for the current
 * one, a fingerprint, or the fingerprints of user and organization with a space
 * between them. */
enum {
	SIGNETS_WHICH_SIZE = 2 * SIGNET_FINGERPRINT_SIZE,
	SIGNETS_KEY_SIZE = ADDRESS_SIZE + SIGNETS_WHICH_SIZE + 4,
};

struct signets {
	struct signets_settings settings;
	struct flights *flights;
	pthread_mutex_t lock; /* of the list of tasks, and their `dropped` */
	struct signets_task *tasks;
	size_t task_count;
	_Atomic uint64_t fetched, failed, redis, refreshed;
	_Atomic uint64_t custody_followed, custody_broken;
};

/* One flight, in a thread of its own: a DMTP session blocks. */
struct signets_task {
	struct signets_task *next;
	struct signets *signets;
	struct flight *flight;
	char name[ADDRESS_SIZE]; /* an address, or a domain */
	char which[SIGNETS_WHICH_SIZE]; /* as in the key */
	char fingerprint[SIGNET_FINGERPRINT_SIZE];
	/* Of a domain: its own. */
	char org_fingerprint[SIGNET_FINGERPRINT_SIZE];
	char asked_domain[DOMAIN_SIZE];
	const char *organization; /* in there, by the Public Suffix List */
	bool is_user;
	bool refresh; /* the one that is held may be the answer */
	/* What is found out. */
	const struct signet_facts *held; /* to be refreshed, or NULL */
	bool current; /* the peer says that it still is */
	bool org_fetched; /* and not from a tier */
	bool again; /* for the second time, and as a whole */
	bool dropped; /* meanwhile, what it was to be; under signets->lock */
	const struct domain_facts *domain;
	struct record *record;
	uint8_t digest[CRYPTO_SHA512]; /* of the record's text */
	struct org_signet *org;
	const struct signet_facts *org_facts, *user_facts;
};

/* In place of a fingerprint in the key of a flight: a refresh. */
#define SIGNETS_REFRESH "*"

/* ---- signets_facts.c: values, and the memory tier ---- */

/* NULL without memory. */
struct signet_facts *signets_facts_new(const struct signets_task *task,
    enum signet_answer answer, int err, const char *reason,
    struct span binary, int64_t expires);
const struct signet_facts *signets_facts_of_org(
    const struct signets_task *task, const struct org_signet *org,
    int64_t expires);
/* Holds task->org_facts as well. */
const struct signet_facts *signets_facts_of_user(
    const struct signets_task *task, const struct user_signet *user,
    int64_t expires);

/* The value of facts, for memory and flights. */
struct memory_value *signets_facts_value(const struct signet_facts *facts);

/* The flight's and Redis's key of a signet. */
struct span signets_key(const char *name, const char *which,
    char out[static SIGNETS_KEY_SIZE]);
/* The second part of such a key. `org` is "" but for a user's signet. */
void signets_which(const char *fingerprint, const char *org,
    char out[static SIGNETS_WHICH_SIZE]);
/* The name in such a key. */
struct span signets_key_name(struct span key);

/* The one kept as what it is asked for, or the current one if it is that, in
 * either case under the record with that digest; held for the caller. `org` is
 * the fingerprint of the organizational signet that a user's is to be under, or
 * "". */
const struct signet_facts *signets_memory_find(struct signets *signets,
    const uint8_t *digest, const char *name, const char *fingerprint,
    const char *org);
/* Not what was dropped since the task began, here and in signets_redis_put():
 * it may have been asked for before. */
void signets_memory_keep(const struct signets_task *task, const char *name,
    const char *which, const struct signet_facts *facts);
/* Whether it is the key of a name's current signet, and of whose. */
bool signets_memory_is_current(struct span key, char name[static ADDRESS_SIZE]);

/* Whether the current one is held, and has another fingerprint. */
bool signets_memory_has_other(struct signets *signets, const char *name,
    const char *fingerprint);
void signets_memory_drop(struct signets *signets, const char *name);

/* ---- signets_tiers.c: verifying, and the Redis tier ---- */

/* Verifies and keeps in the task; takes over `signet` in any case. */
int signets_take_org(struct signets_task *task, struct signet *signet,
    struct fault *fault);
/* Likewise; *out is for user_signet_free(). */
int signets_take_user(const struct signets_task *task, struct signet *signet,
    struct user_signet **out, struct fault *fault);

void signets_redis_put(struct signets_task *task, const char *kind,
    const char *name, const char *which, const struct signet_facts *facts);

/* What memory or Redis have, verified, into the task. */
void signets_org_from_tiers(struct signets_task *task);
void signets_user_from_tiers(struct signets_task *task);

/* ---- signets_custody.c: users known before ---- */

/*
 * Whether a verified user's signet may be used: the address was never seen, it
 * has the signing key that was seen last, or a chain of custody, which the
 * domain's host is asked for, leads from one to the other. Notes what was seen.
 * ERR_CUSTODY when the chain is broken or missing and the site holds mail then;
 * other errors when that could not be found out.
 */
int signets_custody_check(struct signets_task *task,
    const struct user_signet *user, struct fault *fault);

/* Only whether it is the first or has the key that was seen last. */
bool signets_custody_agrees(struct signets_task *task,
    const struct user_signet *user);

/* ---- signets.c ---- */

/* Whether the task's name, or what holds it, was dropped since it began. */
bool signets_task_is_dropped(const struct signets_task *task);

/* ---- signets_task.c: from a name to its signet ---- */

/* Does the work, of the flight's thread. The value for flight_land(). */
struct memory_value *signets_task_work(struct signets_task *task);

/* The value of a failure, for flight_land() and, but for ERR_BUSY, memory. */
struct memory_value *signets_task_conclude(struct signets_task *task, int err,
    const struct fault *fault);

#endif
