/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_KEYS_KEYS_STORE_H
#define DIME_KEYS_KEYS_STORE_H

#include "keys/keys.h"
#include "keys/keys_kept.h"
#include "keys/statement.h"

/*
 * What the files keys*.c share: the tables, and rows with sealed secrets.
 *
 * An organization is a row of `org` for each signet that it has had: `retired`
 * is NULL for the current one, KEYS_PREPARED for one that is to follow it, else
 * the time since when another is current. A user is a row of `user` for each
 * signet that it has had, chained by `previous`; it holds the keys and fields 1
 * to 253. A row of `address` binds an address to such a row and holds the
 * fields 254 and 255 that make the signet complete for it, so that one core
 * serves all aliases. What is retired stays, to open old mail and to answer
 * HIST.
 *
 * The columns libdime... hold the same signets in the libdime layout, by the
 * same keys: made with the others, since only who creates keys can sign, and
 * stored, so that programs without the master key have them.
 *
 * Columns that can be derived from a signet are only for finding; what is read
 * is checked against the signet itself, and that against its signatures and the
 * sealed keys. A row that does not agree with itself is ERR_DATABASE.
 */

enum {
	KEYS_ID_SIZE = 17, /* of a sealing key, in hex, with the terminator */
	KEYS_SECRET = 32,  /* each secret is as long: seeds and scalars */
	KEYS_SEALED = KEYS_SECRET + CRYPTO_AEAD_NONCE + CRYPTO_AEAD_TAG,
	KEYS_CHAIN_LIMIT = 10000,
	KEYS_PREPARED = -1,
};
_Static_assert((int)CRYPTO_SEED == KEYS_SECRET &&
    (int)CRYPTO_SCALAR == KEYS_SECRET, "all secrets have one length");

/* The master key or the transport key. */
struct keys_sealer {
	const char *name; /* "master key" */
	char *file;       /* as configured, for messages */
	uint8_t *key;     /* secret memory; NULL when there is none */
	char id[KEYS_ID_SIZE];
};

struct keys {
	struct database *database;
	struct keys_sealer master, transport;
	const struct clock *clock;
	struct keys_kept *kept;
};

enum keys_statement {
	KEYS_GET_ORG,
	KEYS_GET_ORG_BY_FINGERPRINT,
	KEYS_GET_ORG_BY_ENVELOPE,
	KEYS_GET_ORG_BY_ID,
	KEYS_GET_ORG_PREPARED,
	KEYS_GET_ORG_BEFORE,
	KEYS_GET_USER,
	KEYS_GET_USER_BY_FINGERPRINT,
	KEYS_GET_USER_BEFORE,
	KEYS_GET_CHAIN,
	KEYS_GET_LIBDIME_CHAIN,
	KEYS_LIST_ORGS,
	KEYS_LIST_USERS,
	KEYS_ADD_ORG,
	KEYS_ADD_USER,
	KEYS_ADD_ADDRESS,
	KEYS_LIST_USER_IDS,
	KEYS_LIST_ADDRESSES,
	KEYS_RETIRE_ORG,
	KEYS_RETIRE_USER,
	KEYS_RETIRE_ADDRESSES,
	KEYS_SET_DISABLED,
	KEYS_GET_MASTER_ID,
	KEYS_GET_TRANSPORT_ID,
	KEYS_GET_VERSION,
	KEYS_STATEMENTS
};

extern const struct database_schema keys_schema;

/* Both secrets of an organization or a user, in secret memory. */
struct keys_pair {
	uint8_t seed[CRYPTO_SEED];
	uint8_t scalar[CRYPTO_SCALAR];
};

/* Where a sealed secret belongs; it opens nowhere else. */
struct keys_place {
	const char *table;       /* "org", "user" */
	const char *identifier;  /* domain, or a user's address of the first day */
	const char *kind;        /* "signing", "encryption" */
	const char *fingerprint; /* org, or full */
};

/* Seals a secret for its place. */
int keys_seal(const struct keys_sealer *sealer, const struct keys_place *place,
    const uint8_t secret[static KEYS_SECRET],
    uint8_t sealed[static KEYS_SEALED], struct fault *fault);

/*
 * Open what stands in `column` of the row, the id of its sealing key in the
 * column before, into `seed` or `scalar`, which must be secret memory and
 * outlive what stands in *signer or *agreer then. Without the sealing key these
 * stay empty, and all is well. ERR_NO_KEY when the row was sealed with another
 * key; ERR_DATABASE when it does not open at this place, or is not the private
 * key of the public one.
 */
int keys_open_signer(const struct keys_sealer *sealer, struct keys_place place,
    struct statement *row, int column,
    const uint8_t public_key[static CRYPTO_SIGN_PUBLIC],
    uint8_t seed[static CRYPTO_SEED], struct signer *signer,
    struct fault *fault);
int keys_open_agreer(const struct keys_sealer *sealer, struct keys_place place,
    struct statement *row, int column,
    const uint8_t point[static CRYPTO_POINT],
    uint8_t scalar[static CRYPTO_SCALAR], struct agreer *agreer,
    struct fault *fault);

/* Of a row that does not agree with itself: ERR_DATABASE with file, table and
 * identifier before what `fault` says; `err` itself when that is no verdict on
 * the row (ERR_MEMORY, ERR_NO_KEY). */
int keys_broken(const struct keys *keys, const struct keys_place *place,
    int err, struct fault *fault);

/* Takes the organization from the row of a KEYS_GET_ORG... statement, with its
 * signet in the standard layout. */
int keys_org_load(struct keys *keys, struct statement *row,
    struct keys_org **out, struct fault *fault);

/* Takes the user from the row of a KEYS_GET_USER... statement that was found by
 * `address`, with his signet in that layout. */
int keys_user_load(struct keys *keys, struct statement *row,
    enum layout layout, const char *address, struct keys_user **out,
    struct fault *fault);

/* What was retired after this is younger than `grace` seconds. */
int64_t keys_grace_start(const struct keys *keys, int64_t grace);

/* ---- keys_create.c, for keys_rotate.c too: within a transaction ---- */

/* ERR_NO_KEY unless both sealing keys are at hand. */
int keys_check_sealers(const struct keys *keys, struct fault *fault);

/* The current organization of a domain. ERR_NO_KEY. */
int keys_take_org(struct keys *keys, struct transaction *transaction,
    const char *domain, struct keys_org **out);

/* Makes keys and signets of an organization. `secrets` are new and stay the
 * caller's; `retired` is NULL for the current one. */
int keys_add_org(struct keys *keys, struct transaction *transaction,
    const struct keyfile *secrets, const char *domain, const int64_t *retired,
    int64_t *id);

/* A user signet to be. */
struct keys_plan {
	int64_t org;              /* row of the organization that signs */
	struct signer org_signer;
	char (*addresses)[ADDRESS_SIZE]; /* the first is the row's identifier */
	size_t address_count;
	struct keys_user *const *before; /* in each layout; NULL: the first */
};

/* Makes keys and signets of a user; the addresses may not be another's. */
int keys_add_user(struct keys *keys, struct transaction *transaction,
    const struct keys_plan *plan);

#endif
