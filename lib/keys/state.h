/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_KEYS_STATE_H
#define DIME_KEYS_STATE_H

#include "base/buffer.h"
#include "base/clock.h"
#include "dime/signet.h"

/*
 * What must survive a restart on this node (state.db, SQLite in WAL mode,
 * shared by the three programs): pins, authorship notes, duplicates, failure
 * timers, users' signets that were seen, and who this node is. Any thread; a
 * pool of handles inside; every statement has a busy time-out. A failure is
 * ERR_DATABASE, ERR_BUSY or ERR_PERMISSION, logged with SQLite's words where it
 * happens.
 */
struct state;

/* Creates the database with `mode` when it is missing (see database.h).
 * ERR_CREATE, ERR_PERMISSION, ERR_VERSION, ERR_DATABASE name the file. */
int state_open(const char *path, unsigned int mode, const struct clock *clock,
    struct state **out, struct fault *fault);
void state_close(struct state *state);

/* ---- pins (R8) ---- */

struct state_pin {
	int64_t until;  /* purge time, seconds since 1970 */
	bool secure;    /* last confirmation was DNSSEC-secure */
	struct buffer record; /* text of the last confirmed record; the
	                         caller gives it to buffer_free() */
};

/*
 * Notes a confirmed record. The purge time only moves later, to at most 365
 * days from now when `secure` and 30 when not.
 */
int state_set_pin(struct state *state, const char *domain, int64_t until,
    bool secure, struct span record);
/* Likewise what another node has confirmed, unless the pin here runs out later
 * and is therefore the newer one. */
int state_adopt_pin(struct state *state, const char *domain, int64_t until,
    bool secure, struct span record);
/* *found is false when there is none or it has run out. An error is doubt and
 * not absence. *pin is set in any case. */
int state_get_pin(struct state *state, const char *domain, bool *found,
    struct state_pin *pin);
/* Unless it was confirmed after the time `before`. */
int state_forget_pin(struct state *state, const char *domain, int64_t before);

/* ---- authorship notes ---- */

struct state_note {
	char login[ADDRESS_SIZE];
	char sender[ADDRESS_SIZE];
	uint8_t body[CRYPTO_SHA512]; /* SHA-512 of what DIME-SUBMIT saw of it */
};

/* Kept for 7 days, longer than a queue keeps mail. */
int state_set_note(struct state *state, const char *queue_id,
    const struct state_note *note);
int state_get_note(struct state *state, const char *queue_id, bool *found,
    struct state_note *note);

/* ---- delivered messages (255) ---- */

/* Remembers a message identifier with its recipient for 30 days; the last ones
 * may be lost with the machine, not with the program. */
int state_set_delivered(struct state *state, const char *identifier,
    const char *recipient);
int state_get_delivered(struct state *state, const char *identifier,
    const char *recipient, bool *found);

/* ---- since when a thing has been failing (570 after 72 hours) ---- */

/* Notes a failure under `name` and sets *since to the first of the series,
 * which is now when there was none in the last 72 hours. 10000 names are kept
 * at most; one more is not noted until others have run out. */
int state_failing_since(struct state *state, const char *name, int64_t *since);
int state_succeeded(struct state *state, const char *name);

/* ---- recipients that may go naked (architecture: DIME-OUT's verdict) ---- */

/* For a day at most. Only one process at a time writes these: where none is
 * left, none is looked for, since Postfix asks about every recipient. */
int state_set_naked(struct state *state, const char *recipient, int64_t until);
int state_get_naked(struct state *state, const char *recipient, bool *found);

/* ---- users' signets that were seen (custody) ---- */

struct state_known {
	int64_t seen; /* when it was last noted */
	struct buffer core; /* the core signet, binary; the caller gives it to
	                       buffer_free() */
};

/*
 * Notes the core signet that an address has, in place of the one before, for
 * 400 days. 100000 addresses of an organization are kept at most; one more is
 * not noted until others have run out.
 */
int state_set_known(struct state *state, const char *address,
    const char *organization, struct span core);
/* *known is set in any case. */
int state_get_known(struct state *state, const char *address, bool *found,
    struct state_known *known);
/* Unless it was noted after the time `before`. */
int state_forget_known(struct state *state, const char *address,
    int64_t before);

/* ---- this node ---- */

enum { STATE_NODE_SIZE = 16 };

/* What names this node among those that share a Redis: random octets, made when
 * first asked for, that stay the same for as long as the database. */
int state_get_node(struct state *state, uint8_t id[static STATE_NODE_SIZE]);

/* Deletes what has run out, pins a year after they have. */
int state_expire(struct state *state);

#endif
