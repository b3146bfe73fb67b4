/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdatomic.h>
#include <stdlib.h>

#include "crypto/random.h"
#include "dime/record.h"
#include "keys/statement.h"
#include "keys/state.h"

enum {
	DAY = 86400,
	PIN_SECURE = 365 * DAY, /* ahead at most (R8) */
	PIN_INSECURE = 30 * DAY,
	/* A pin that has run out stays for as long again: a clock that is ahead
	 * for a while must not cost those that are to hold. */
	PIN_REST = 365 * DAY,
	NOTE_LIFE = 7 * DAY, /* a mail waits in a queue for 5 days by default */
	DELIVERED_LIFE = 30 * DAY, /* D6 */
	/* What nobody has tried for so long is not known to be failing: the 72
	 * hours of Part 7, MAIL. */
	FAILURE_LIFE = 3 * DAY,
	/* A note that seems to last longer was written when the clock was
	 * ahead. */
	NAKED_LIFE = DAY,
	KNOWN_LIFE = 400 * DAY, /* who writes once a year stays known */
};

/* Strangers choose the names. A failure that has no place here is a new one. */
#define FAILURES_MAX "10000"
#define KNOWN_MAX "100000" /* of one organization */
#define PIN_MOST "31536000" /* PIN_SECURE */

struct state {
	struct database *database;
	/* The same file, for what may be lost with the machine. */
	struct database *relaxed;
	const struct clock *clock;
	_Atomic int64_t naked_until; /* the last such note runs out by then */
};

static const char tables[] =
    "CREATE TABLE pin ("
    " domain TEXT PRIMARY KEY, until INTEGER NOT NULL,"
    " secure INTEGER NOT NULL, record BLOB NOT NULL,"
    " confirmed INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE note ("
    " queue_id TEXT PRIMARY KEY, login TEXT NOT NULL, sender TEXT NOT NULL,"
    " body BLOB NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE delivered ("
    " identifier TEXT NOT NULL, recipient TEXT NOT NULL,"
    " until INTEGER NOT NULL,"
    " PRIMARY KEY (identifier, recipient)) WITHOUT ROWID;"
    "CREATE TABLE failure ("
    " name TEXT PRIMARY KEY, since INTEGER NOT NULL,"
    " until INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE naked ("
    " recipient TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE known ("
    " address TEXT PRIMARY KEY, organization TEXT NOT NULL,"
    " core BLOB NOT NULL, seen INTEGER NOT NULL,"
    " until INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE node ("
    " one INTEGER PRIMARY KEY CHECK (one = 1), id BLOB NOT NULL);"
    "CREATE INDEX pin_until ON pin (until);"
    "CREATE INDEX note_until ON note (until);"
    "CREATE INDEX delivered_until ON delivered (until);"
    "CREATE INDEX failure_until ON failure (until);"
    "CREATE INDEX naked_until ON naked (until);"
    "CREATE INDEX known_organization ON known (organization);"
    "CREATE INDEX known_until ON known (until);";

enum {
	SET_PIN,
	ADOPT_PIN,
	GET_PIN,
	FORGET_PIN,
	SET_NOTE,
	GET_NOTE,
	SET_DELIVERED,
	GET_DELIVERED,
	SET_FAILURE,
	GET_FAILURE,
	FORGET_FAILURE,
	SET_NAKED,
	GET_NAKED,
	SET_KNOWN,
	GET_KNOWN,
	FORGET_KNOWN,
	SET_NODE,
	GET_NODE,
	LAST_NAKED,
	EXPIRE_PIN,
	EXPIRE_NOTE,
	EXPIRE_DELIVERED,
	EXPIRE_FAILURE,
	EXPIRE_NAKED,
	EXPIRE_KNOWN,
	STATEMENTS
};

/* What a clock that was ahead has put too far ahead is cut when the record is
 * confirmed again. */
#define WRITE_PIN                                                              \
	"INSERT INTO pin (domain, until, secure, record, confirmed)"           \
	" VALUES (?, ?, ?, ?, ?) ON CONFLICT (domain) DO UPDATE SET"           \
	" until = max(min(until, excluded.confirmed + " PIN_MOST "),"         \
	" excluded.until),"                                                    \
	" secure = excluded.secure, record = excluded.record,"                 \
	" confirmed = excluded.confirmed"

static const char *const statements[STATEMENTS] = {
    [SET_PIN] = WRITE_PIN,
    [ADOPT_PIN] = WRITE_PIN " WHERE excluded.until >= until",
    [GET_PIN] = "SELECT until, secure, record FROM pin"
		" WHERE domain = ? AND until > ?",
    [FORGET_PIN] = "DELETE FROM pin WHERE domain = ? AND confirmed <= ?",
    [SET_NOTE] = "INSERT OR REPLACE INTO note"
		 " (queue_id, login, sender, body, until)"
		 " VALUES (?, ?, ?, ?, ?)",
    [GET_NOTE] = "SELECT login, sender, body FROM note"
		 " WHERE queue_id = ? AND until > ?",
    [SET_DELIVERED] = "INSERT OR REPLACE INTO delivered"
		      " (identifier, recipient, until) VALUES (?, ?, ?)",
    [GET_DELIVERED] = "SELECT 1 FROM delivered"
		      " WHERE identifier = ? AND recipient = ? AND until > ?",
    [SET_FAILURE] = "INSERT INTO failure (name, since, until)"
		    " SELECT ?1, ?2, ?3 WHERE"
		    " (SELECT count(*) FROM failure) < " FAILURES_MAX
		    " OR EXISTS (SELECT 1 FROM failure WHERE name = ?1)"
		    " ON CONFLICT (name) DO UPDATE SET"
		    " since = CASE WHEN until > ?2 AND since <= ?2"
		    " THEN since ELSE ?2 END,"
		    " until = ?3 RETURNING since",
    [GET_FAILURE] = "SELECT 1 FROM failure WHERE name = ?",
    [FORGET_FAILURE] = "DELETE FROM failure WHERE name = ?",
    [SET_NAKED] = "INSERT INTO naked (recipient, until) VALUES (?, ?)"
		  " ON CONFLICT (recipient) DO UPDATE SET"
		  " until = excluded.until",
    [GET_NAKED] = "SELECT 1 FROM naked WHERE recipient = ?1"
		  " AND until > ?2 AND until <= ?3",
    [SET_KNOWN] = "INSERT INTO known"
		  " (address, organization, core, seen, until)"
		  " SELECT ?1, ?2, ?3, ?4, ?5 WHERE"
		  " (SELECT count(*) FROM known WHERE organization = ?2) <"
		  " " KNOWN_MAX
		  " OR EXISTS (SELECT 1 FROM known WHERE address = ?1)"
		  " ON CONFLICT (address) DO UPDATE SET"
		  " organization = ?2, core = ?3, seen = ?4, until = ?5",
    [GET_KNOWN] = "SELECT seen, core FROM known"
		  " WHERE address = ? AND until > ?",
    [FORGET_KNOWN] = "DELETE FROM known"
		     " WHERE address = ? AND seen <= ?",
    [SET_NODE] = "INSERT OR IGNORE INTO node (one, id) VALUES (1, ?)",
    [GET_NODE] = "SELECT id FROM node",
    [LAST_NAKED] = "SELECT coalesce(max(until), 0) FROM naked",
    [EXPIRE_PIN] = "DELETE FROM pin WHERE until <= ?",
    [EXPIRE_NOTE] = "DELETE FROM note WHERE until <= ?",
    [EXPIRE_DELIVERED] = "DELETE FROM delivered WHERE until <= ?",
    [EXPIRE_FAILURE] = "DELETE FROM failure WHERE until <= ?",
    [EXPIRE_NAKED] = "DELETE FROM naked WHERE until <= ?",
    [EXPIRE_KNOWN] = "DELETE FROM known WHERE until <= ?",
};

#define SCHEMA                                                                 \
	.what = "state database", .application_id = 0x444d5354, /* "DMST" */   \
	.version = 3, .create = tables, .statements = statements,              \
	.statement_count = STATEMENTS

static const struct database_schema schema = {SCHEMA};
static const struct database_schema relaxed_schema = {SCHEMA, .relaxed = true};

/* When it cannot be found out, each is looked for, and has its own error. */
static void
find_last_naked(struct state *state)
{
	struct statement statement;
	int64_t last = INT64_MAX;

	statement_start(&statement, state->database, LAST_NAKED, NULL);
	if (statement_next(&statement))
		last = statement_get_number(&statement, 0);
	statement_end(&statement);
	atomic_store(&state->naked_until, last);
}

void
state_close(struct state *state)
{
	if (state == NULL)
		return;
	database_close(state->database);
	database_close(state->relaxed);
	free(state);
}

int
state_open(const char *path, unsigned int mode, const struct clock *clock,
    struct state **out, struct fault *fault)
{
	struct state *state = calloc(1, sizeof(*state));
	int err;

	*out = NULL;
	if (state == NULL)
		return fault_set(fault, ERR_MEMORY, "%s: out of memory", path);
	if ((err = database_open(&schema, path, mode, &state->database,
	    fault)) != 0 ||
	    (err = database_open(&relaxed_schema, path, 0, &state->relaxed,
	    fault)) != 0) {
		state_close(state);
		return err;
	}
	state->clock = clock;
	find_last_naked(state);
	*out = state;
	return 0;
}

static int64_t
now(const struct state *state)
{
	return clock_wall(state->clock);
}

static void
start(struct state *state, struct statement *statement, size_t number)
{
	statement_start(statement, state->database, number, NULL);
}

static int
write_pin(struct state *state, size_t number, const char *domain,
    int64_t until, bool secure, struct span record)
{
	int64_t latest = now(state) + (secure ? PIN_SECURE : PIN_INSECURE);
	struct statement statement;

	start(state, &statement, number);
	statement_text(&statement, domain);
	statement_number(&statement, until < latest ? until : latest);
	statement_number(&statement, secure);
	statement_blob(&statement, record);
	statement_number(&statement, now(state));
	return statement_run(&statement);
}

int
state_set_pin(struct state *state, const char *domain, int64_t until,
    bool secure, struct span record)
{
	return write_pin(state, SET_PIN, domain, until, secure, record);
}

int
state_adopt_pin(struct state *state, const char *domain, int64_t until,
    bool secure, struct span record)
{
	return write_pin(state, ADOPT_PIN, domain, until, secure, record);
}

int
state_get_pin(struct state *state, const char *domain, bool *found,
    struct state_pin *pin)
{
	struct statement statement;

	*found = false;
	*pin = (struct state_pin){.record = buffer_make(RECORD_TEXT_LIMIT)};
	start(state, &statement, GET_PIN);
	statement_text(&statement, domain);
	statement_number(&statement, now(state));
	if (statement_next(&statement)) {
		*found = true;
		pin->until = statement_get_number(&statement, 0);
		pin->secure = statement_get_number(&statement, 1) != 0;
		buffer_append_span(&pin->record,
		    statement_get_blob(&statement, 2));
	}
	return statement_end(&statement) != 0 ? statement.err
	                                      : pin->record.error;
}

int
state_forget_pin(struct state *state, const char *domain, int64_t before)
{
	struct statement statement;

	start(state, &statement, FORGET_PIN);
	statement_text(&statement, domain);
	statement_number(&statement, before);
	return statement_run(&statement);
}

int
state_set_note(struct state *state, const char *queue_id,
    const struct state_note *note)
{
	struct statement statement;

	start(state, &statement, SET_NOTE);
	statement_text(&statement, queue_id);
	statement_text(&statement, note->login);
	statement_text(&statement, note->sender);
	statement_blob(&statement, span_of(note->body, sizeof(note->body)));
	statement_number(&statement, now(state) + NOTE_LIFE);
	return statement_run(&statement);
}

int
state_get_note(struct state *state, const char *queue_id, bool *found,
    struct state_note *note)
{
	struct statement statement;

	*found = false;
	memset(note, 0, sizeof(*note));
	start(state, &statement, GET_NOTE);
	statement_text(&statement, queue_id);
	statement_number(&statement, now(state));
	if (statement_next(&statement)) {
		statement_get_text(&statement, 0, note->login,
		    sizeof(note->login));
		statement_get_text(&statement, 1, note->sender,
		    sizeof(note->sender));
		statement_get_octets(&statement, 2, note->body,
		    sizeof(note->body));
		*found = statement.err == 0;
	}
	return statement_end(&statement);
}

int
state_set_delivered(struct state *state, const char *identifier,
    const char *recipient)
{
	struct statement statement;

	/* Without this note a message that is sent again is delivered again,
	 * and whoever heard 254 does not send it again: not worth a sync
	 * each. */
	statement_start(&statement, state->relaxed, SET_DELIVERED, NULL);
	statement_text(&statement, identifier);
	statement_text(&statement, recipient);
	statement_number(&statement, now(state) + DELIVERED_LIFE);
	return statement_run(&statement);
}

int
state_get_delivered(struct state *state, const char *identifier,
    const char *recipient, bool *found)
{
	struct statement statement;

	statement_start(&statement, state->relaxed, GET_DELIVERED, NULL);
	statement_text(&statement, identifier);
	statement_text(&statement, recipient);
	statement_number(&statement, now(state));
	*found = statement_next(&statement);
	return statement_end(&statement);
}

int
state_failing_since(struct state *state, const char *name, int64_t *since)
{
	struct statement statement;

	*since = now(state);
	start(state, &statement, SET_FAILURE);
	statement_text(&statement, name);
	statement_number(&statement, *since);
	statement_number(&statement, *since + FAILURE_LIFE);
	if (statement_next(&statement))
		*since = statement_get_number(&statement, 0);
	return statement_run(&statement);
}

int
state_succeeded(struct state *state, const char *name)
{
	struct statement statement;
	bool failed;
	int err;

	/* It seldom has: whoever only looks waits for no writer. */
	start(state, &statement, GET_FAILURE);
	statement_text(&statement, name);
	failed = statement_next(&statement);
	if ((err = statement_end(&statement)) != 0 || !failed)
		return err;
	start(state, &statement, FORGET_FAILURE);
	statement_text(&statement, name);
	return statement_run(&statement);
}

int
state_set_naked(struct state *state, const char *recipient, int64_t until)
{
	struct statement statement;
	int64_t last = atomic_load(&state->naked_until);

	while (last < until && !atomic_compare_exchange_weak(
	           &state->naked_until, &last, until))
		;
	start(state, &statement, SET_NAKED);
	statement_text(&statement, recipient);
	statement_number(&statement, until);
	return statement_run(&statement);
}

int
state_get_naked(struct state *state, const char *recipient, bool *found)
{
	struct statement statement;

	*found = false;
	if (atomic_load(&state->naked_until) <= now(state))
		return 0;
	start(state, &statement, GET_NAKED);
	statement_text(&statement, recipient);
	statement_number(&statement, now(state));
	statement_number(&statement, now(state) + NAKED_LIFE);
	*found = statement_next(&statement);
	return statement_end(&statement);
}

int
state_set_known(struct state *state, const char *address,
    const char *organization, struct span core)
{
	struct statement statement;

	start(state, &statement, SET_KNOWN);
	statement_text(&statement, address);
	statement_text(&statement, organization);
	statement_blob(&statement, core);
	statement_number(&statement, now(state));
	statement_number(&statement, now(state) + KNOWN_LIFE);
	return statement_run(&statement);
}

int
state_get_known(struct state *state, const char *address, bool *found,
    struct state_known *known)
{
	struct statement statement;

	*found = false;
	*known = (struct state_known){.core = buffer_make(SIGNET_MAX_LENGTH)};
	start(state, &statement, GET_KNOWN);
	statement_text(&statement, address);
	statement_number(&statement, now(state));
	if (statement_next(&statement)) {
		*found = true;
		known->seen = statement_get_number(&statement, 0);
		buffer_append_span(&known->core,
		    statement_get_blob(&statement, 1));
	}
	return statement_end(&statement) != 0 ? statement.err
	                                      : known->core.error;
}

int
state_forget_known(struct state *state, const char *address, int64_t before)
{
	struct statement statement;

	start(state, &statement, FORGET_KNOWN);
	statement_text(&statement, address);
	statement_number(&statement, before);
	return statement_run(&statement);
}

/* ---- this node ---- */

/* Of two programs that make it at once, the first one's stays. */
static int
make_node(struct state *state)
{
	uint8_t made[STATE_NODE_SIZE];
	struct random_source random;
	struct statement statement;

	random_start(&random);
	random_fill(&random, made, sizeof(made));
	random_end(&random);
	start(state, &statement, SET_NODE);
	statement_blob(&statement, span_of(made, sizeof(made)));
	return statement_run(&statement);
}

static int
read_node(struct state *state, bool *found, uint8_t id[static STATE_NODE_SIZE])
{
	struct statement statement;

	start(state, &statement, GET_NODE);
	*found = statement_next(&statement);
	if (*found)
		statement_get_octets(&statement, 0, id, STATE_NODE_SIZE);
	return statement_end(&statement);
}

int
state_get_node(struct state *state, uint8_t id[static STATE_NODE_SIZE])
{
	bool found;
	int err;

	memset(id, 0, STATE_NODE_SIZE);
	err = read_node(state, &found, id);
	if (err == 0 && !found) {
		err = make_node(state);
		if (err == 0)
			err = read_node(state, &found, id);
	}
	return err;
}

int
state_expire(struct state *state)
{
	struct statement statement;
	int err = 0;

	for (size_t i = EXPIRE_PIN; i <= EXPIRE_KNOWN && err == 0; i++) {
		start(state, &statement, i);
		statement_number(&statement,
		    now(state) - (i == EXPIRE_PIN ? PIN_REST : 0));
		err = statement_run(&statement);
	}
	return err;
}
