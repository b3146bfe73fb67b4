/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_KEYS_DATABASE_H
#define DIME_KEYS_DATABASE_H

#include <sqlite3.h>

#include "base/error.h"

/*
 * An SQLite file and a pool of handles to it, for any number of threads. The
 * file is in WAL mode, every commit is synced (unless `relaxed`), and it comes
 * into being whole: made under another name and linked into place, so that
 * nobody ever meets one without its tables or with the wrong mode. SQLite gives
 * its -wal and -shm files the mode of the file itself, whatever the umask.
 *
 * When another file is put in its place, that one is used from the next call
 * on; one that could not be used is tried again with each.
 *
 * Whoever uses it needs write permission on the directory too, and programs
 * that run as different users a common group and a set-group-ID directory.
 */
struct database;

struct database_schema {
	const char *what; /* "state database", for messages */
	int32_t application_id;
	int32_t version;
	const char *create; /* the tables and indices of a new one */
	const char *const *statements; /* see statement.h */
	size_t statement_count;
	/* A commit is not synced, or only with a later one: it outlives the
	 * program, however that ends, but perhaps not the machine. There is one
	 * handle then, whose users take turns. */
	bool relaxed;
};

/*
 * Opens `path`; when it is missing, it is made with permissions `mode`, or
 * ERR_NO_FILE when `mode` is 0. Other errors: ERR_CREATE, ERR_PERMISSION,
 * ERR_VERSION for a newer schema, ERR_DATABASE for anything that is not a sound
 * file of this kind. `fault` names the file. The schema must outlive it.
 */
int database_open(const struct database_schema *schema, const char *path,
    unsigned int mode, struct database **out, struct fault *fault);

/* Nobody may hold a handle any more. */
void database_close(struct database *database);

/* As database_open() was given it; good until database_close(). */
const char *database_path(const struct database *database);

/* ---- for statement.c ---- */

struct database_handle {
	struct database *database;
	sqlite3 *sqlite;
	sqlite3_stmt **prepared; /* by number, NULL until first used */
	bool broken; /* is closed when it is given back */
	struct database_handle *next;
};

/*
 * An idle handle, a new one, or, when all of the pool are out, the first that
 * comes back. ERR_BUSY when none does in time; errors of database_open() when
 * the file is another one now. Without a `fault` they are in the log.
 */
int database_take(struct database *database, struct database_handle **out,
    struct fault *fault);
void database_give(struct database_handle *handle);

/* Whether another file, or none, is at the path since the handle was opened. */
bool database_has_moved(const struct database_handle *handle);

/* The statement of that number, ready to be bound; NULL when SQLite refuses
 * it. */
sqlite3_stmt *database_prepare(struct database_handle *handle, size_t number);

/*
 * The error of a call that returned `code` as ERR_BUSY, ERR_PERMISSION or
 * ERR_DATABASE. SQLite's words go to `fault` with the name of the file, or to
 * the log when `fault` is NULL: the same ones every ten seconds at most. The
 * handle is not used again where that could go on failing for itself.
 */
int database_error(struct database_handle *handle, int code,
    struct fault *fault);

#endif
