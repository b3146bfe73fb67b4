/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "keys/database.h"

enum {
	/* Handles open at most: more than a program has threads that write, so
	 * that what only reads finds one while they all wait for a lock. */
	POOL_SIZE = 32,
	BUSY_TIMEOUT = 5000, /* milliseconds, for a lock and for a handle */
	QUIET = 10 * 1000, /* milliseconds, between two lines that say the same */
};

struct database {
	const struct database_schema *schema;
	char *path;
	pthread_mutex_t mutex;
	pthread_cond_t given;
	struct database_handle *idle;
	unsigned int open;
	/* What the log was told last, until when it is not told again, and how
	 * often it would have been. */
	int said;
	struct deadline quiet;
	int64_t unsaid;
};

const char *
database_path(const struct database *database)
{
	return database->path;
}

/* A disk that stays full fails every write: a line for each would fill the log
 * as well. */
static void
complain(struct database *database, int code, const char *text)
{
	const size_t length = strlen(database->path);
	struct log_line line;
	int64_t more;

	if (strncmp(text, database->path, length) == 0 &&
	    strncmp(text + length, ": ", 2) == 0)
		text += length + 2;
	pthread_mutex_lock(&database->mutex);
	if (code == database->said && deadline_left(database->quiet) > 0) {
		database->unsaid++;
		pthread_mutex_unlock(&database->mutex);
		return;
	}
	more = database->unsaid;
	database->said = code;
	database->quiet = deadline_in(QUIET);
	database->unsaid = 0;
	pthread_mutex_unlock(&database->mutex);
	log_begin(&line, LOG_ERR, "database-error");
	log_text(&line, "file", database->path);
	log_text(&line, "text", text);
	if (more > 0)
		log_number(&line, "more", more);
	log_end(&line);
}

/* SQLite's words, and the system's where it has refused something. */
static void
describe(const struct database_handle *handle, int code,
    char out[static FAULT_TEXT_SIZE])
{
	const char *text = sqlite3_errcode(handle->sqlite) == code
	    ? sqlite3_errmsg(handle->sqlite)
	    : sqlite3_errstr(code);
	const bool by_system = (code & 0xff) == SQLITE_IOERR ||
	    (code & 0xff) == SQLITE_CANTOPEN;
	const int number = by_system ? sqlite3_system_errno(handle->sqlite) : 0;

	snprintf(out, FAULT_TEXT_SIZE, "%s%s%s", text,
	    number != 0 ? ": " : "", number != 0 ? strerror(number) : "");
}

int
database_error(struct database_handle *handle, int code, struct fault *fault)
{
	char text[FAULT_TEXT_SIZE];
	const char *path = handle->database->path;
	int err = ERR_DATABASE;

	describe(handle, code, text);
	switch (code & 0xff) {
	case SQLITE_READONLY:
		/* One that was opened while it was so would stay so. */
		handle->broken = true;
		err = ERR_PERMISSION;
		break;
	case SQLITE_PERM:
		err = ERR_PERMISSION;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		/* Of a file that was written over it may remember too much. */
		handle->broken = true;
		break;
	case SQLITE_CANTOPEN:
		if (access(path, R_OK | W_OK) != 0 && errno == EACCES)
			err = ERR_PERMISSION;
		break;
	case SQLITE_BUSY:
		err = ERR_BUSY;
		break;
	}
	if (fault != NULL)
		return fault_set(fault, err, "%s: %s", path, text);
	complain(handle->database, code, text);
	return err;
}

static void
handle_free(struct database_handle *handle)
{
	if (handle == NULL)
		return;
	for (size_t i = 0; i < handle->database->schema->statement_count; i++)
		sqlite3_finalize(handle->prepared[i]);
	sqlite3_close(handle->sqlite);
	free(handle->prepared);
	free(handle);
}

/* Opens a handle to the file at `path`, which need not be the final one. */
static int
handle_open(struct database *database, const char *path,
    struct database_handle **out, struct fault *fault)
{
	static const char settings[] = "PRAGMA foreign_keys=ON;"
				       "PRAGMA trusted_schema=OFF;"
				       "PRAGMA cell_size_check=ON;";
	struct database_handle *handle = calloc(1, sizeof(*handle));
	int code, err;

	*out = NULL;
	if (handle == NULL)
		return fault_set(fault, ERR_MEMORY, "%s: out of memory", path);
	handle->database = database;
	handle->prepared = calloc(database->schema->statement_count + 1,
	    sizeof(*handle->prepared));
	if (handle->prepared == NULL) {
		free(handle);
		return fault_set(fault, ERR_MEMORY, "%s: out of memory", path);
	}
	/* A pool's handle has one thread at a time: no mutex of its own. */
	code = sqlite3_open_v2(path, &handle->sqlite,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code == SQLITE_OK) {
		sqlite3_busy_timeout(handle->sqlite, BUSY_TIMEOUT);
		sqlite3_db_config(handle->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1,
		    NULL);
		code = sqlite3_exec(handle->sqlite, settings, NULL, NULL, NULL);
	}
	if (code == SQLITE_OK)
		code = sqlite3_exec(handle->sqlite, database->schema->relaxed
		    ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL",
		    NULL, NULL, NULL);
	if (code != SQLITE_OK) {
		err = database_error(handle, code, fault);
		handle_free(handle);
		return err;
	}
	*out = handle;
	return 0;
}

static int
take_number(void *context, int columns, char **values, char **names)
{
	if (values[0] != NULL)
		*(int32_t *)context = (int32_t)strtol(values[0], NULL, 10);
	return 0;
}

static int
pragma_number(struct database_handle *handle, const char *sql, int32_t *number,
    struct fault *fault)
{
	int code;

	*number = 0;
	code = sqlite3_exec(handle->sqlite, sql, take_number, number, NULL);
	return code == SQLITE_OK ? 0 : database_error(handle, code, fault);
}

static int
check_schema(struct database_handle *handle, struct fault *fault)
{
	const struct database_schema *schema = handle->database->schema;
	const char *path = handle->database->path;
	int32_t application_id, version;
	int err;

	if ((err = pragma_number(handle, "PRAGMA application_id",
	    &application_id, fault)) != 0 ||
	    (err = pragma_number(handle, "PRAGMA user_version", &version,
	    fault)) != 0)
		return err;
	if (application_id != schema->application_id || version < 1)
		return fault_set(fault, ERR_DATABASE, "%s: not a Dimegate %s",
		    path, schema->what);
	if (version > schema->version)
		return fault_set(fault, ERR_VERSION,
		    "%s: schema version %d is newer than this program's %d",
		    path, (int)version, (int)schema->version);
	if (version < schema->version)
		return fault_set(fault, ERR_VERSION,
		    "%s: schema version %d is older than this program's %d",
		    path, (int)version, (int)schema->version);
	return 0;
}

static int
create_error(const char *path, struct fault *fault)
{
	return fault_set(fault,
	    errno == EACCES || errno == EPERM ? ERR_PERMISSION : ERR_CREATE,
	    "%s: %s", path, strerror(errno));
}

static int
fill(struct database *database, const char *path, struct fault *fault)
{
	const struct database_schema *schema = database->schema;
	struct database_handle *handle = NULL;
	char numbers[100];
	int code, err;

	err = handle_open(database, path, &handle, fault);
	if (err != 0)
		return err;
	snprintf(numbers, sizeof(numbers),
	    "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT;",
	    (int)schema->application_id, (int)schema->version);
	if ((code = sqlite3_exec(handle->sqlite,
	    "PRAGMA journal_mode=WAL; BEGIN;", NULL, NULL, NULL)) !=
	    SQLITE_OK ||
	    (code = sqlite3_exec(handle->sqlite, schema->create, NULL, NULL,
	    NULL)) != SQLITE_OK ||
	    (code = sqlite3_exec(handle->sqlite, numbers, NULL, NULL, NULL)) !=
	    SQLITE_OK)
		err = database_error(handle, code, fault);
	handle_free(handle);
	return err;
}

/* Makes the file if there is none. Whoever else makes one at the same time
 * makes the same, and whose link(2) comes first does not matter. */
static int
create(struct database *database, unsigned int mode, struct fault *fault)
{
	char *temporary = NULL;
	int fd, err = 0;

	if (access(database->path, F_OK) == 0 || errno == EACCES)
		return 0;
	if (asprintf(&temporary, "%s.XXXXXX", database->path) < 0)
		return fault_set(fault, ERR_MEMORY, "%s: out of memory",
		    database->path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		err = create_error(database->path, fault);
		free(temporary);
		return err;
	}
	if (fchmod(fd, (mode_t)mode) != 0)
		err = create_error(database->path, fault);
	close(fd);
	if (err == 0)
		err = fill(database, temporary, fault);
	if (err == 0 && link(temporary, database->path) != 0 &&
	    errno != EEXIST)
		err = create_error(database->path, fault);
	unlink(temporary);
	free(temporary);
	return err;
}

/* SQLite says "unable to open database file" of whatever it was. */
static int
check_file(const char *path, struct fault *fault)
{
	struct stat status;

	if (stat(path, &status) != 0 || access(path, R_OK) != 0)
		return fault_set(fault,
		    errno == EACCES ? ERR_PERMISSION : ERR_NO_FILE, "%s: %s",
		    path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return fault_set(fault, ERR_DATABASE, "%s: not a regular file",
		    path);
	return 0;
}

static struct database *
database_new(const struct database_schema *schema, const char *path)
{
	struct database *database = calloc(1, sizeof(*database));
	pthread_condattr_t attributes;

	if (database == NULL)
		return NULL;
	database->schema = schema;
	database->path = strdup(path);
	if (database->path == NULL) {
		free(database);
		return NULL;
	}
	pthread_mutex_init(&database->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&database->given, &attributes);
	pthread_condattr_destroy(&attributes);
	return database;
}

int
database_open(const struct database_schema *schema, const char *path,
    unsigned int mode, struct database **out, struct fault *fault)
{
	struct database *database = database_new(schema, path);
	struct database_handle *handle;
	int err;

	*out = NULL;
	if (database == NULL)
		return fault_set(fault, ERR_MEMORY, "%s: out of memory", path);
	if ((mode != 0 && (err = create(database, mode, fault)) != 0) ||
	    (err = database_take(database, &handle, fault)) != 0) {
		database_close(database);
		return err;
	}
	database_give(handle);
	*out = database;
	return 0;
}

void
database_close(struct database *database)
{
	struct database_handle *handle;

	if (database == NULL)
		return;
	while ((handle = database->idle) != NULL) {
		database->idle = handle->next;
		handle_free(handle);
	}
	pthread_cond_destroy(&database->given);
	pthread_mutex_destroy(&database->mutex);
	free(database->path);
	free(database);
}

static void
deadline_after(long milliseconds, struct timespec *at)
{
	clock_gettime(CLOCK_MONOTONIC, at);
	at->tv_sec += milliseconds / 1000;
	at->tv_nsec += milliseconds % 1000 * 1000000;
	if (at->tv_nsec >= 1000000000) {
		at->tv_sec++;
		at->tv_nsec -= 1000000000;
	}
}

/* Who writes often takes turns with one handle: those of several would sleep
 * until SQLite lets them, and read again what the others have changed. */
static unsigned int
most(const struct database *database)
{
	return database->schema->relaxed ? 1 : POOL_SIZE;
}

/* Takes an idle handle, or the right to open one (*out is then NULL). False
 * when neither was to be had in time. */
static bool
reserve(struct database *database, struct database_handle **out)
{
	struct timespec at;
	bool good = true;

	deadline_after(BUSY_TIMEOUT, &at);
	pthread_mutex_lock(&database->mutex);
	while (database->idle == NULL && database->open == most(database) &&
	    pthread_cond_timedwait(&database->given, &database->mutex, &at) ==
	    0)
		;
	*out = database->idle;
	if (*out != NULL)
		database->idle = (*out)->next;
	else if (database->open < most(database))
		database->open++;
	else
		good = false;
	pthread_mutex_unlock(&database->mutex);
	return good;
}

static void
unreserve(struct database *database)
{
	pthread_mutex_lock(&database->mutex);
	database->open--;
	pthread_cond_signal(&database->given);
	pthread_mutex_unlock(&database->mutex);
}

bool
database_has_moved(const struct database_handle *handle)
{
	int moved = 0;

	return sqlite3_file_control(handle->sqlite, "main",
	           SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
	    moved != 0;
}

/* Whatever is at the path by now. */
static int
open_another(struct database *database, struct database_handle **out,
    struct fault *fault)
{
	int err;

	if ((err = check_file(database->path, fault)) != 0 ||
	    (err = handle_open(database, database->path, out, fault)) != 0)
		return err;
	err = check_schema(*out, fault);
	if (err != 0) {
		handle_free(*out);
		*out = NULL;
	}
	return err;
}

static int
take(struct database *database, struct database_handle **out,
    struct fault *fault)
{
	int err;

	if (!reserve(database, out))
		return fault_set(fault, ERR_BUSY, "%s: all handles are in use",
		    database->path);
	if (*out != NULL && database_has_moved(*out)) {
		handle_free(*out);
		*out = NULL;
	}
	if (*out != NULL)
		return 0;
	err = open_another(database, out, fault);
	if (err != 0)
		unreserve(database);
	return err;
}

int
database_take(struct database *database, struct database_handle **out,
    struct fault *fault)
{
	struct fault own;
	int err = take(database, out, fault != NULL ? fault : &own);

	if (err != 0 && fault == NULL)
		complain(database, err == ERR_BUSY ? SQLITE_BUSY : err,
		    own.text);
	return err;
}

void
database_give(struct database_handle *handle)
{
	struct database *database = handle->database;

	if (handle->broken) {
		handle_free(handle);
		unreserve(database);
		return;
	}
	pthread_mutex_lock(&database->mutex);
	handle->next = database->idle;
	database->idle = handle;
	pthread_cond_signal(&database->given);
	pthread_mutex_unlock(&database->mutex);
}

sqlite3_stmt *
database_prepare(struct database_handle *handle, size_t number)
{
	sqlite3_stmt **prepared = &handle->prepared[number];

	if (*prepared == NULL)
		sqlite3_prepare_v3(handle->sqlite,
		    handle->database->schema->statements[number], -1,
		    SQLITE_PREPARE_PERSISTENT, prepared, NULL);
	return *prepared;
}
