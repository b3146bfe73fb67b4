/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_MILTER_MILTER_H
#define DIME_MILTER_MILTER_H

#include <libmilter/mfapi.h>

#include "base/config.h"
#include "client/facts.h"
#include "keys/keys.h"
#include "keys/state.h"
#include "milter/crowd.h"
#include "milter/letter.h"
#include "milter/site.h"

/*
 * dime-milter. One process, a thread a connection (libmilter's). Where a
 * connection comes from is the {daemon_name} that master.cf gives the listener:
 *
 *	DIME-SUBMIT  submit.c  notes who sent a message
 *	DIME-OUT     seal.c    seals a copy in place, or refuses it
 *	DIME-RESEAL  reseal.c  seals a copy anew whose signets are no more
 *	DIME-IN      open.c    opens a message in place, or refuses it
 *	DIME-MX      guard.c   refuses naked mail that policy forbids, and takes
 *	                       forged results off the rest; open.c
 */

enum listener {
	LISTENER_SUBMIT,
	LISTENER_OUT,
	LISTENER_RESEAL,
	LISTENER_IN,
	LISTENER_MX,
	LISTENERS
};

/* What all connections share. */
struct milter {
	struct site_holder site;
	struct keys *keys;
	struct state *state;
	uint8_t *seal_key; /* 32 octets, secret memory */
	struct crowd crowd;
	struct facts_client *facts;
	_Atomic int64_t connections;
};

struct session {
	SMFICTX *ctx;
	struct milter *milter;
	struct site *site; /* as configured when the connection began */
	enum listener listener;
	bool quiet; /* no reply to headers and body pieces is expected */
	/* DIME-MX: the recipient for whom policy is asked only if the message
	 * turns out not to be sealed; "": there is none. */
	char unjudged[ADDRESS_SIZE];
	struct letter letter;
};

/* The Postfix queue id of the current message, "" when there is none yet. */
const char *session_queue_id(const struct session *session);

/* A macro of Postfix's, such as "{rcpt_addr}"; "" when it is not sent. */
const char *session_macro(const struct session *session, const char *name);

/* Registers the callbacks, which use `milter`. False when libmilter refuses. */
bool session_register(struct milter *milter);

/* ---- what each listener does; all answer the end of a message ---- */

/* DIME-SUBMIT, DIME-OUT, DIME-RESEAL; DIME-IN and what is sealed at DIME-MX. */
sfsistat submit_message(struct session *session);
sfsistat seal_message(struct session *session);
sfsistat reseal_message(struct session *session);
sfsistat open_message(struct session *session);

/* DIME-MX at RCPT TO, and for naked mail at the end of its header: SMFIS_ACCEPT
 * when nothing of it is to be changed. */
sfsistat guard_recipient(struct session *session, const char *path);
sfsistat guard_header(struct session *session);

/* Naked mail that guard_header() did not accept. */
sfsistat guard_message(struct session *session);

#endif
