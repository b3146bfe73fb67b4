/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_KEYS_KEYS_H
#define DIME_KEYS_KEYS_H

#include "base/clock.h"
#include "dime/keyfile.h"
#include "dime/message.h"
#include "dime/signet.h"

/*
 * Our own keys and signets (keys.db). Nobody gets a secret out of here: callers
 * find an organization or a user and get signers and agreers. Secrets are rows
 * sealed with XChaCha20-Poly1305 (table, identifier, kind, fingerprint and key
 * id as associated data): signing keys and users' keys under the master key,
 * organizations' encryption keys under the transport key. A program that lacks
 * one of the two keys opens the store without it; what it would need that key
 * for is then ERR_NO_KEY. Any thread; a pool of SQLite handles inside.
 *
 * What is found has been verified, and may be held by others at the same time:
 * callers only read it, and give it back with keys_org_free() or
 * keys_user_free(). Every change of the store, by whatever program, shows in
 * the next answer.
 */
struct keys;

struct keys_settings {
	const char *database;
	const char *master_key_file;    /* "" : do without */
	const char *transport_key_file; /* "" : do without */
	bool create;                    /* dimectl: makes database, key files */
	const struct clock *clock;
};

/* ERR_NO_FILE, ERR_PERMISSION, ERR_VERSION (a newer schema), ERR_NO_KEY (the
 * key file is not the one that sealed the rows), ERR_DATABASE; all name the
 * file. */
int keys_open(const struct keys_settings *settings, struct keys **out,
    struct fault *fault);
void keys_close(struct keys *keys);

/* ---- organizations ---- */

struct keys_org {
	struct org_signet *signet; /* ours, verified */
	struct signer signer;      /* POK; .sign NULL without the master key */
	struct agreer agreer;      /* .agree NULL without the transport key */
	int64_t created;
	int64_t retired; /* since when another is current; 0: this one is, -1:
			    this one has not been yet */
	int64_t id;
	void *owner;
};

/* The current organization of `domain`, with its signet in the standard layout,
 * or in that layout: the same keys. ERR_NO_KEY when it is not ours. This and
 * all below: ERR_DATABASE for a row that was tampered with, or that another key
 * has sealed, which a peer must not take for one that is not there. */
int keys_find_org(struct keys *keys, const char *domain,
    struct keys_org **out, struct fault *fault);
int keys_find_org_in(struct keys *keys, enum layout layout, const char *domain,
    struct keys_org **out, struct fault *fault);
/* The one, current or earlier, with that fingerprint; or that an envelope
 * calls by it (message_org_fingerprint()). Its signet is in the layout that
 * has it. */
int keys_find_org_by_fingerprint(struct keys *keys, const char *domain,
    const char *fingerprint, struct keys_org **out, struct fault *fault);
int keys_find_org_by_envelope(struct keys *keys, const char *domain,
    const char *fingerprint, struct keys_org **out, struct fault *fault);
/* The same as `org`, current or earlier, in that layout. */
int keys_org_in(struct keys *keys, enum layout layout,
    const struct keys_org *org, struct keys_org **out, struct fault *fault);
/* The one that is to follow the current one (keys_prepare_org()). */
int keys_find_org_prepared(struct keys *keys, const char *domain,
    struct keys_org **out, struct fault *fault);
/* The one before `org`, unless its successor has been current for longer than
 * `grace` seconds: ERR_NO_KEY. */
int keys_find_org_before(struct keys *keys, const struct keys_org *org,
    int64_t grace, struct keys_org **out, struct fault *fault);
void keys_org_free(struct keys_org *org);

/* ---- users ---- */

struct keys_user {
	struct user_signet *signet; /* with the address's own 254 and 255 */
	struct signer signer;       /* .sign NULL without the master key */
	struct agreer agreer;       /* likewise */
	int64_t created;
	int64_t retired; /* since when another is current; 0: this one is */
	int64_t id;
	int64_t org; /* the id of the organization that signed the signet */
	bool disabled;
	void *owner;
};

/*
 * The current user of `address`, or of the address without its +tag, with his
 * signet in the standard layout, or in that layout. ERR_UNKNOWN_ADDRESS when
 * there is none.
 */
int keys_find_user(struct keys *keys, const char *address,
    struct keys_user **out, struct fault *fault);
int keys_find_user_in(struct keys *keys, enum layout layout,
    const char *address, struct keys_user **out, struct fault *fault);
/* The one, current or earlier, whose core or full fingerprint that is; his
 * signet is in the layout that has it. */
int keys_find_user_by_fingerprint(struct keys *keys, const char *address,
    const char *fingerprint, struct keys_user **out, struct fault *fault);
/* The one before `user`, who was found by the same address, unless his
 * successor has been current for longer than `grace` seconds:
 * ERR_UNKNOWN_ADDRESS. */
int keys_find_user_before(struct keys *keys, const struct keys_user *user,
    int64_t grace, struct keys_user **out, struct fault *fault);
void keys_user_free(struct keys_user *user);

/* Whether mail that was sealed for a signet is still to be taken, by the
 * `retired` of its user or organization: that for the current one is, and for
 * an earlier one for `grace` seconds (signet_grace). */
bool keys_takes_mail(const struct keys *keys, int64_t retired, int64_t grace);

/*
 * Appends the core signets of the address's chain, oldest first, from the one
 * with core fingerprint `start` ("": the root) to `stop` ("": the current one),
 * both included, each through `each`, in the layout that these fingerprints
 * belong to. ERR_UNKNOWN_ADDRESS where the chain does not hold them in this
 * order (D8).
 */
int keys_history(struct keys *keys, const char *address, const char *start,
    const char *stop,
    int (*each)(void *context, const struct signet *core), void *context,
    struct fault *fault);

/* ---- provisioning (dimectl) ---- */

/* Creates keys and signet of a domain, and its users relay@ and mailer-daemon@.
 * ERR_EXISTS. */
int keys_create_org(struct keys *keys, const char *domain,
    struct fault *fault);
/* ERR_EXISTS; ERR_NO_KEY when the domain is not ours. */
int keys_create_user(struct keys *keys, const char *address,
    struct fault *fault);

/*
 * Gives a user new keys, and a signet with the custody signature of those
 * before, at all his addresses. ERR_UNKNOWN_ADDRESS; a +tag is not looked
 * through.
 */
int keys_rotate_user(struct keys *keys, const char *address,
    struct fault *fault);
/* Whether peers get his signet and he gets sealed mail. relay@ and
 * mailer-daemon@ cannot be disabled (ERR_USAGE). ERR_UNKNOWN_ADDRESS. */
int keys_disable_user(struct keys *keys, const char *address, bool disabled,
    struct fault *fault);

/* Makes the keys and the signet that keys_rotate_org() will put into force,
 * so that the record can name them before. ERR_NO_KEY; ERR_EXISTS when there
 * are. */
int keys_prepare_org(struct keys *keys, const char *domain,
    struct fault *fault);
/*
 * The prepared organization takes the place of the current one; its users get
 * signets of it, with new keys and the custody of those before. All or nothing.
 * ERR_NO_KEY when none is prepared.
 */
int keys_rotate_org(struct keys *keys, const char *domain,
    struct fault *fault);

struct keys_listing {
	const char *name;        /* domain or address */
	const char *fingerprint; /* org, or core */
	int64_t created;
	bool disabled;
};
/* In order of name; `within` limits users to a domain (NULL: all). `each` ends
 * the listing by answering other than 0; it may use the store. Signets and keys
 * are not looked at. */
int keys_list_orgs(struct keys *keys,
    int (*each)(void *context, const struct keys_listing *row), void *context,
    struct fault *fault);
int keys_list_users(struct keys *keys, const char *within,
    int (*each)(void *context, const struct keys_listing *row), void *context,
    struct fault *fault);

#endif
