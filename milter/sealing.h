/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_MILTER_SEALING_H
#define DIME_MILTER_SEALING_H

#include "base/log.h"
#include "client/facts.h"
#include "milter/milter.h"

/*
 * What seal.c and reseal.c do alike, once they know the author, the origin and
 * what is to be sealed: asking policyd, sealing, and putting the armor in the
 * place of the letter.
 */

enum author_kind { AUTHOR_RELAY, AUTHOR_USER };

struct sealing {
	char domain[DOMAIN_SIZE]; /* of ours that acts */
	enum author_kind kind;
	struct keys_user *author;
	struct keys_org *origin;
	/* Tells the message from others with the same content: "" when nothing
	 * does. */
	char id[SIGNET_FINGERPRINT_SIZE];
	/* Whom it is sealed for: the recipient or, for a bounce, relay@. */
	char to[ADDRESS_SIZE];
	char to_spelled[ADDRESS_SIZE];
	char rule_sender[ADDRESS_SIZE];
	struct facts_answer answer;
	struct org_signet *destination;
	struct user_signet *recipient;
	struct buffer mime;
	struct buffer armor;
	bool permanent; /* the refusal is */
};

/* Everything in it is empty at first, and the sealing's own. */
void sealing_start(struct sealing *sealing);
void sealing_finish(struct sealing *sealing);

/* Sets the fault and makes the refusal permanent. Returns `err`. */
int sealing_refuse(struct sealing *sealing, struct fault *fault, int err,
    const char *reason);

/* One recipient, with an address that DIME has a form for. */
int sealing_check_recipient(const struct session *session,
    struct sealing *sealing, struct fault *fault);

/*
 * Asks policyd what happens between author and recipient. 0: dark, and both
 * signets are there, verified. A bounce to an address without a signet becomes
 * one to relay@ (relay.h). ERR_NOT_ENABLED with sealing->answer.action
 * POLICY_NAKED; any other error with its reason.
 */
int sealing_ask(struct session *session, struct sealing *sealing,
    struct fault *fault);

/*
 * Seals `mime`, which is freed, to `armor`, with the signets of author and
 * origin in the layout of the recipient's. `purpose` and sealing->id key the
 * random stream: the same message for the same signets comes out the same.
 * `sender` as in struct message_seal.
 */
int sealing_seal(struct session *session, struct sealing *sealing,
    const char *purpose, const char *sender, struct fault *fault);

/* Puts the transit form in the place of the letter: two fields that say nothing
 * of what is inside, and the armor. The envelope sender stays. */
int sealing_replace(struct session *session, const struct sealing *sealing,
    struct fault *fault);

/* Appends what log lines tell of it. */
void sealing_log(const struct session *session, const struct sealing *sealing,
    struct log_line *line);

#endif
