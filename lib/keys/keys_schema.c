/* SPDX-License-Identifier: BSD-2-Clause */
#include "keys/keys_store.h"

static const char tables[] =
    "CREATE TABLE org ("
    " id INTEGER PRIMARY KEY,"
    " domain TEXT NOT NULL,"
    " fingerprint TEXT NOT NULL,"
    " created INTEGER NOT NULL,"
    " retired INTEGER,"
    " signet BLOB NOT NULL,"
    " libdime_core TEXT NOT NULL,"
    " libdime_fingerprint TEXT NOT NULL,"
    " libdime BLOB NOT NULL,"
    " master_id TEXT NOT NULL,"
    " signing BLOB NOT NULL,"
    " transport_id TEXT NOT NULL,"
    " encryption BLOB NOT NULL,"
    " UNIQUE (domain, fingerprint));"
    "CREATE UNIQUE INDEX org_current ON org (domain) WHERE retired IS NULL;"

    "CREATE TABLE user ("
    " id INTEGER PRIMARY KEY,"
    " org INTEGER NOT NULL REFERENCES org (id),"
    " previous INTEGER UNIQUE REFERENCES user (id),"
    " identifier TEXT NOT NULL,"
    " core TEXT NOT NULL UNIQUE,"
    " full TEXT NOT NULL UNIQUE,"
    " created INTEGER NOT NULL,"
    " retired INTEGER,"
    " disabled INTEGER NOT NULL,"
    " signet BLOB NOT NULL,"
    " libdime_core TEXT NOT NULL,"
    " libdime_full TEXT NOT NULL,"
    " libdime BLOB NOT NULL,"
    " master_id TEXT NOT NULL,"
    " signing BLOB NOT NULL,"
    " encryption BLOB NOT NULL);"

    "CREATE TABLE address ("
    " address TEXT NOT NULL,"
    " domain TEXT NOT NULL,"
    " user INTEGER NOT NULL REFERENCES user (id),"
    " created INTEGER NOT NULL,"
    " retired INTEGER,"
    " tail BLOB NOT NULL,"
    " libdime_tail BLOB NOT NULL,"
    " PRIMARY KEY (address, user)) WITHOUT ROWID;"
    "CREATE UNIQUE INDEX address_current ON address (address)"
    " WHERE retired IS NULL;"
    "CREATE INDEX address_domain ON address (domain);"
    "CREATE INDEX address_user ON address (user);";

#define ORG_COLUMNS                                                            \
	"SELECT id, domain, signet, libdime, master_id, signing,"              \
	" transport_id, encryption, created, retired FROM org "

#define USER_COLUMNS                                                           \
	"SELECT user.org, user.identifier, user.signet, user.libdime,"         \
	" user.disabled, address.address, address.tail,"                       \
	" address.libdime_tail, user.master_id, user.signing,"                 \
	" user.master_id, user.encryption, user.created, user.retired,"        \
	" user.id"                                                             \
	" FROM address JOIN user ON user.id = address.user "

/* The signets of an address, the oldest first. */
#define CHAIN_OF(column)                                                       \
	"WITH RECURSIVE chain (id, depth) AS ("                                \
	" SELECT user, 0 FROM address WHERE address = ?1 AND retired IS NULL"  \
	" UNION ALL SELECT user.previous, depth + 1 FROM chain"                \
	" JOIN user ON user.id = chain.id"                                     \
	" WHERE user.previous IS NOT NULL AND depth < ?2)"                     \
	" SELECT user." column " FROM chain JOIN user ON user.id = chain.id"   \
	" ORDER BY depth DESC"

static const char *const statements[KEYS_STATEMENTS] = {
    [KEYS_GET_ORG] = ORG_COLUMNS "WHERE domain = ? AND retired IS NULL",
    [KEYS_GET_ORG_BY_FINGERPRINT] = ORG_COLUMNS
	"WHERE domain = ?1"
	" AND ?2 IN (fingerprint, libdime_fingerprint)",
    [KEYS_GET_ORG_BY_ENVELOPE] = ORG_COLUMNS
	"WHERE domain = ?1 AND ?2 IN (fingerprint, libdime_core)",
    [KEYS_GET_ORG_BY_ID] = ORG_COLUMNS "WHERE id = ?",
    [KEYS_GET_ORG_PREPARED] = ORG_COLUMNS "WHERE domain = ? AND retired = -1",
    [KEYS_GET_ORG_BEFORE] = ORG_COLUMNS
	"WHERE domain = ?1 AND retired > ?2 AND id < ?3"
	" ORDER BY id DESC LIMIT 1",
    [KEYS_GET_USER] = USER_COLUMNS
	"WHERE address.address = ? AND address.retired IS NULL",
    [KEYS_GET_USER_BY_FINGERPRINT] = USER_COLUMNS
	"WHERE address.address = ?1 AND ?2 IN"
	" (user.core, user.full, user.libdime_core, user.libdime_full)",
    [KEYS_GET_USER_BEFORE] = USER_COLUMNS
	"WHERE address.address = ?1 AND user.retired > ?2"
	" AND user.id = (SELECT previous FROM user WHERE id = ?3)",
    [KEYS_GET_CHAIN] = CHAIN_OF("signet"),
    [KEYS_GET_LIBDIME_CHAIN] = CHAIN_OF("libdime"),
    [KEYS_LIST_ORGS] = "SELECT domain, fingerprint, created, 0 FROM org"
		       " WHERE retired IS NULL ORDER BY domain",
    [KEYS_LIST_USERS] =
	"SELECT address.address, user.core, address.created, user.disabled"
	" FROM address JOIN user ON user.id = address.user"
	" WHERE address.retired IS NULL AND (?1 IS NULL OR domain = ?1)"
	" ORDER BY address.address",
    [KEYS_ADD_ORG] =
	"INSERT INTO org (domain, fingerprint, created, signet, libdime_core,"
	" libdime_fingerprint, libdime, master_id, signing, transport_id,"
	" encryption, retired)"
	" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
    [KEYS_ADD_USER] =
	"INSERT INTO user (org, identifier, core, full, created, disabled,"
	" previous, signet, libdime_core, libdime_full, libdime, master_id,"
	" signing, encryption)"
	" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
    [KEYS_ADD_ADDRESS] =
	"INSERT INTO address (address, domain, user, created, tail,"
	" libdime_tail) VALUES (?, ?, ?, ?, ?, ?)",
    [KEYS_LIST_USER_IDS] =
	"SELECT DISTINCT user FROM address"
	" WHERE domain = ? AND retired IS NULL ORDER BY user",
    [KEYS_LIST_ADDRESSES] =
	"SELECT address FROM address"
	" WHERE user = ? AND retired IS NULL ORDER BY address",
    [KEYS_RETIRE_ORG] = "UPDATE org SET retired = ?2 WHERE id = ?1",
    [KEYS_RETIRE_USER] = "UPDATE user SET retired = ?2 WHERE id = ?1",
    [KEYS_RETIRE_ADDRESSES] =
	"UPDATE address SET retired = ?2 WHERE user = ?1 AND retired IS NULL",
    [KEYS_SET_DISABLED] = "UPDATE user SET disabled = ?2 WHERE id = ?1",
    /* The id of a sealing key other than ours comes first. */
    [KEYS_GET_MASTER_ID] =
	"SELECT master_id FROM (SELECT master_id FROM org"
	" UNION SELECT master_id FROM user)"
	" ORDER BY master_id = ? LIMIT 1",
    [KEYS_GET_TRANSPORT_ID] =
	"SELECT transport_id FROM org ORDER BY transport_id = ? LIMIT 1",
    /* Another number once somebody else than the handle has committed. */
    [KEYS_GET_VERSION] = "PRAGMA data_version",
};

const struct database_schema keys_schema = {
    .what = "key database",
    .application_id = 0x444d4b59, /* "DMKY" */
    .version = 2,
    .create = tables,
    .statements = statements,
    .statement_count = KEYS_STATEMENTS,
};
