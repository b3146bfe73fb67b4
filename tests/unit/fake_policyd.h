/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_FAKE_POLICYD_H
#define DIME_TESTS_UNIT_FAKE_POLICYD_H

#include <pthread.h>

#include "client/facts.h"
#include "keys/keys.h"

/*
 * Answers on a facts socket as dime-policyd would, with signets out of a
 * keys.db, in a thread of its own.
 */
struct fake_policyd {
	struct keys *keys;
	pthread_t thread;
	int fd;
	char path[100];
	pthread_mutex_t lock;
	/* Under the lock: what it answers, and what it was asked. */
	enum policy_action action;
	enum policy_action met; /* to FACTS_MET */
	int err;
	const char *reason;
	unsigned int asked[FACTS_VERBS];
	char from[ADDRESS_SIZE], to[ADDRESS_SIZE], sender[ADDRESS_SIZE];
	enum layout org_layout, user_layout; /* of the signets it has */
	bool knows_users; /* and refuses to decide about anybody else */
};

void fake_policyd_start(struct fake_policyd *policyd, const char *path,
    struct keys *keys);
void fake_policyd_stop(struct fake_policyd *policyd);

/* What it shall answer from now on; forgets what it was asked. */
void fake_policyd_answer(struct fake_policyd *policyd,
    enum policy_action action, int err, const char *reason);

/* In which layouts it has signets from now on. */
void fake_policyd_has(struct fake_policyd *policyd, enum layout org,
    enum layout user);

/* From now on, until another answer is set: mail to nobody's address is
 * refused. */
void fake_policyd_knows_users(struct fake_policyd *policyd);

/* What becomes of sealed mail that meets something; POLICY_REFUSE until
 * then. */
void fake_policyd_met(struct fake_policyd *policyd, enum policy_action action);

/* How often this was asked since. */
unsigned int fake_policyd_asked(struct fake_policyd *policyd,
    enum facts_verb verb);

#endif
