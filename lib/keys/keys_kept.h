/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_KEYS_KEYS_KEPT_H
#define DIME_KEYS_KEYS_KEPT_H

#include <stdatomic.h>

#include "keys/keys.h"

/*
 * Organizations and users that were read lately, so that one who is asked for a
 * thousand times a second is verified and unsealed once. What is kept holds for
 * as long as nobody, this or another program, has changed the store: SQLite is
 * asked before each use. Only what exists is kept, under the name that it has
 * in the store, so that nothing a stranger makes up takes any place; and no
 * more than a few hundred, none with a large signet. Any thread.
 */
struct keys_kept;

/* What is kept has several holders at a time, who may only read it. This
 * belongs to it: its secrets, in secret memory, and how many hold it. */
struct keys_owner {
	struct keys_pair *pair;
	atomic_uint holders;
};

/* With one holder. NULL without memory. */
struct keys_owner *keys_owner_new(void);

/* One holder less: true when that was the last, and the secrets are gone. NULL,
 * of what never came to be, is that too. */
bool keys_owner_leave(struct keys_owner *owner);

/* How something was asked for. Texts that do not apply are "". */
struct keys_question {
	enum {
		KEPT_ORG,
		KEPT_ORG_BY_FINGERPRINT,
		KEPT_ORG_BY_ENVELOPE,
		KEPT_USER,
		KEPT_USER_BY_FINGERPRINT,
	} kind;
	enum layout layout;
	const char *name; /* domain or address */
	const char *fingerprint;
};

/* NULL without memory. */
struct keys_kept *keys_kept_new(void);
void keys_kept_free(struct keys_kept *kept);

/*
 * What is kept as the answer, which the caller frees with keys_org_free() or
 * keys_user_free() as if it had been read; NULL when there is none. *version is
 * for keys_kept_keep().
 */
void *keys_kept_find(struct keys *keys, const struct keys_question *question,
    uint64_t *version);

/* Keeps `found`, which was read after keys_kept_find() gave `version`; the
 * caller goes on holding it. */
void keys_kept_keep(struct keys *keys, const struct keys_question *question,
    uint64_t version, void *found);

#endif
