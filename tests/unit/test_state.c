/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/file.h"
#include "base/log.h"
#include "keys/state.h"

enum { DAY = 86400, START = 1700000000 };

struct moved_clock {
	struct clock clock;
	int64_t now;
};

static int64_t
moved_wall(const struct clock *clock)
{
	return ((const struct moved_clock *)(const void *)clock)->now;
}

struct world {
	struct moved_clock clock;
	char path[64];
	struct state *state;
};

static void
reopen(struct world *world)
{
	struct fault fault = {0};

	state_close(world->state);
	world->state = NULL;
	assert_int_equal(state_open(world->path, 0660, &world->clock.clock,
	    &world->state, &fault), 0);
}

static int
set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (world == NULL)
		return -1;
	strcpy(world->path, "/tmp/dimegate-unit-XXXXXX");
	unit_directory(world->path);
	strcat(world->path, "/state.db");
	world->clock.clock.wall = moved_wall;
	world->clock.now = START;
	reopen(world);
	*state = world;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *world = *state;

	state_close(world->state);
	free(world);
	return 0;
}

/* What an administrator, or an accident, may do to the file. */
static int64_t
sql(const char *path, const char *text)
{
	sqlite3_stmt *prepared;
	int64_t number = -1;
	sqlite3 *sqlite;

	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(sqlite, text, -1, &prepared, NULL),
	    SQLITE_OK);
	if (sqlite3_step(prepared) == SQLITE_ROW)
		number = sqlite3_column_int64(prepared, 0);
	assert_int_equal(sqlite3_finalize(prepared), SQLITE_OK);
	sqlite3_close(sqlite);
	return number;
}

static void
expect_pin(struct world *world, const char *domain, bool found, int64_t until,
    bool secure, const char *record)
{
	struct state_pin pin;
	bool answer;

	assert_int_equal(state_get_pin(world->state, domain, &answer, &pin), 0);
	assert_int_equal(answer, found);
	if (found) {
		assert_int_equal(pin.until, until);
		assert_int_equal(pin.secure, secure);
		assert_string_equal(buffer_string(&pin.record), record);
	}
	buffer_free(&pin.record);
}

static void
a_pin_only_moves_later(void **state)
{
	static const struct {
		const char *name;
		int64_t until, expected; /* days from the start */
		bool secure;
	} cases[] = {
	    {"first", 10, 10, true},
	    {"earlier", 5, 10, true},
	    {"earlier and insecure", 7, 10, false},
	    {"insecure beyond its limit", 100, 30, false},
	    {"later", 40, 40, true},
	    {"insecure keeps what was", 100, 40, false},
	    {"secure beyond its limit", 1000, 365, true},
	    {"in the past", -1, 365, true},
	};
	struct world *world = *state;
	char record[40];

	expect_pin(world, "a.test", false, 0, false, "");
	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		snprintf(record, sizeof(record), "pok=%zu", i);
		assert_int_equal(state_set_pin(world->state, "a.test",
		    START + cases[i].until * DAY, cases[i].secure,
		    span_string(record)), 0);
		expect_pin(world, "a.test", true,
		    START + cases[i].expected * DAY, cases[i].secure, record);
	}
	expect_pin(world, "b.test", false, 0, false, "");
	reopen(world);
	expect_pin(world, "a.test", true, START + 365 * (int64_t)DAY, true,
	    "pok=7");
}

static void
a_pin_runs_out_and_can_be_forgotten(void **state)
{
	struct world *world = *state;

	assert_int_equal(state_set_pin(world->state, "a.test", START + 100,
	    true, span_string("r")), 0);
	world->clock.now = START + 99;
	expect_pin(world, "a.test", true, START + 100, true, "r");
	world->clock.now = START + 100;
	expect_pin(world, "a.test", false, 0, false, "");
	assert_int_equal(state_set_pin(world->state, "a.test", START + 200,
	    false, span_string("")), 0);
	expect_pin(world, "a.test", true, START + 200, false, "");
	assert_int_equal(state_forget_pin(world->state, "a.test",
	    INT64_MAX), 0);
	expect_pin(world, "a.test", false, 0, false, "");
	assert_int_equal(state_forget_pin(world->state, "a.test",
	    INT64_MAX), 0);
}

static void
a_note_lives_seven_days(void **state)
{
	struct world *world = *state;
	struct state_note note = {"alice", "alice@alpha.test", {1, 2, 3}};
	struct state_note other = {"bob", "bob@alpha.test", {9}}, got;
	bool found;

	assert_int_equal(state_get_note(world->state, "4Xabc", &found, &got),
	    0);
	assert_false(found);
	assert_int_equal(state_set_note(world->state, "4Xabc", &note), 0);
	assert_int_equal(state_set_note(world->state, "4Xabd", &other), 0);
	reopen(world);
	world->clock.now += 7 * DAY - 1;
	assert_int_equal(state_get_note(world->state, "4Xabc", &found, &got),
	    0);
	assert_true(found);
	assert_memory_equal(&got, &note, sizeof(note));
	world->clock.now++;
	assert_int_equal(state_get_note(world->state, "4Xabc", &found, &got),
	    0);
	assert_false(found);
	/* Postfix may give a queue id again. */
	assert_int_equal(state_set_note(world->state, "4Xabc", &other), 0);
	assert_int_equal(state_get_note(world->state, "4Xabc", &found, &got),
	    0);
	assert_true(found);
	assert_memory_equal(&got, &other, sizeof(other));
}

static void
expect_delivered(struct world *world, const char *identifier,
    const char *recipient, bool expected)
{
	bool found;

	assert_int_equal(state_get_delivered(world->state, identifier,
	    recipient, &found), 0);
	assert_int_equal(found, expected);
}

static void
a_duplicate_is_known_for_thirty_days(void **state)
{
	struct world *world = *state;

	expect_delivered(world, "id", "bob@beta.test", false);
	assert_int_equal(state_set_delivered(world->state, "id",
	    "bob@beta.test"), 0);
	assert_int_equal(state_set_delivered(world->state, "id",
	    "bob@beta.test"), 0);
	reopen(world);
	expect_delivered(world, "id", "bob@beta.test", true);
	expect_delivered(world, "id", "carol@beta.test", false);
	expect_delivered(world, "ID", "bob@beta.test", false);
	world->clock.now += 30 * DAY - 1;
	expect_delivered(world, "id", "bob@beta.test", true);
	world->clock.now++;
	expect_delivered(world, "id", "bob@beta.test", false);
}

static void
failures_count_from_the_first_of_a_series(void **state)
{
	struct world *world = *state;
	int64_t since;

	assert_int_equal(state_failing_since(world->state, "beta", &since), 0);
	assert_int_equal(since, START);
	world->clock.now += 2 * DAY;
	assert_int_equal(state_failing_since(world->state, "beta", &since), 0);
	assert_int_equal(since, START);
	world->clock.now += 3 * DAY - 1;
	assert_int_equal(state_failing_since(world->state, "beta", &since), 0);
	assert_int_equal(since, START);
	world->clock.now += 3 * DAY;
	assert_int_equal(state_failing_since(world->state, "beta", &since), 0);
	assert_int_equal(since, START + 8 * DAY - 1);
	world->clock.now++;
	assert_int_equal(state_succeeded(world->state, "beta"), 0);
	assert_int_equal(state_failing_since(world->state, "beta", &since), 0);
	assert_int_equal(since, START + 8 * DAY);
	assert_int_equal(state_failing_since(world->state, "gamma", &since), 0);
	assert_int_equal(since, START + 8 * DAY);
}

static void
failures_of_many_names_are_bounded(void **state)
{
	struct world *world = *state;
	char name[20];
	int64_t since;

	for (int i = 0; i < 10001; i++) {
		snprintf(name, sizeof(name), "name %d", i);
		assert_int_equal(state_failing_since(world->state, name,
		    &since), 0);
	}
	world->clock.now++;
	assert_int_equal(state_failing_since(world->state, "name 0", &since),
	    0);
	assert_int_equal(since, START);
	assert_int_equal(state_failing_since(world->state, "name 10000",
	    &since), 0);
	assert_int_equal(since, START + 1);
	world->clock.now += 7 * DAY;
	assert_int_equal(state_expire(world->state), 0);
	assert_int_equal(state_failing_since(world->state, "name 10000",
	    &since), 0);
	world->clock.now++;
	assert_int_equal(state_failing_since(world->state, "name 10000",
	    &since), 0);
	assert_int_equal(since, START + 7 * DAY + 1);
}

static void
a_naked_verdict_runs_out(void **state)
{
	struct world *world = *state;
	bool found;

	assert_int_equal(state_get_naked(world->state, "dave@gamma.test",
	    &found), 0);
	assert_false(found);
	assert_int_equal(state_set_naked(world->state, "dave@gamma.test",
	    START + 60), 0);
	assert_int_equal(state_get_naked(world->state, "dave@gamma.test",
	    &found), 0);
	assert_true(found);
	/* A newer verdict may also be a shorter one. */
	assert_int_equal(state_set_naked(world->state, "dave@gamma.test",
	    START + 30), 0);
	world->clock.now = START + 30;
	assert_int_equal(state_get_naked(world->state, "dave@gamma.test",
	    &found), 0);
	assert_false(found);
}

static void
expect_known(struct world *world, const char *address, bool found,
    int64_t seen, const char *core)
{
	struct state_known known;
	bool answer;

	assert_int_equal(state_get_known(world->state, address, &answer,
	    &known), 0);
	assert_int_equal(answer, found);
	assert_int_equal(known.seen, seen);
	assert_true(span_equal_string(buffer_span(&known.core), core));
	buffer_free(&known.core);
}

static void
signets_that_were_seen(void **state)
{
	struct world *world = *state;

	expect_known(world, "a@a.test", false, 0, "");
	assert_int_equal(state_set_known(world->state, "a@a.test", "a.test",
	    span_string("one")), 0);
	expect_known(world, "a@a.test", true, START, "one");
	expect_known(world, "b@a.test", false, 0, "");
	unit_case("another in its place");
	world->clock.now = START + 5;
	assert_int_equal(state_set_known(world->state, "a@a.test", "a.test",
	    span_string("two")), 0);
	expect_known(world, "a@a.test", true, START + 5, "two");
	unit_case("for 400 days");
	world->clock.now = START + 5 + 400 * (int64_t)DAY - 1;
	expect_known(world, "a@a.test", true, START + 5, "two");
	world->clock.now++;
	expect_known(world, "a@a.test", false, 0, "");
	assert_int_equal(state_expire(world->state), 0);
	world->clock.now = START;
	expect_known(world, "a@a.test", false, 0, "");
	unit_case("or until it is forgotten");
	assert_int_equal(state_set_known(world->state, "a@a.test", "a.test",
	    span_string("one")), 0);
	assert_int_equal(state_forget_known(world->state, "a@a.test",
	    START - 1), 0);
	expect_known(world, "a@a.test", true, START, "one");
	assert_int_equal(state_forget_known(world->state, "a@a.test",
	    INT64_MAX), 0);
	expect_known(world, "a@a.test", false, 0, "");
	assert_int_equal(state_forget_known(world->state, "a@a.test",
	    INT64_MAX), 0);
}

/* A stranger who invents users fills his own organization's share. */
static void
not_all_of_an_organization_are_seen(void **state)
{
	struct world *world = *state;

	sql(world->path, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
	    " SELECT i + 1 FROM n WHERE i < 100000)"
	    " INSERT INTO known SELECT 'u' || i || '@a.test', 'a.test', x'00',"
	    " 0, 9000000000 FROM n");
	assert_int_equal(state_set_known(world->state, "x@a.test", "a.test",
	    span_string("one")), 0);
	expect_known(world, "x@a.test", false, 0, "");
	assert_int_equal(state_set_known(world->state, "u7@a.test", "a.test",
	    span_string("one")), 0);
	expect_known(world, "u7@a.test", true, START, "one");
	assert_int_equal(state_set_known(world->state, "x@b.test", "b.test",
	    span_string("one")), 0);
	expect_known(world, "x@b.test", true, START, "one");
}

static void
expiry_deletes_what_ran_out(void **state)
{
	static const char count[] =
	    "SELECT (SELECT count(*) FROM pin) * 10000"
	    " + (SELECT count(*) FROM note) * 1000"
	    " + (SELECT count(*) FROM delivered) * 100"
	    " + (SELECT count(*) FROM failure) * 10"
	    " + (SELECT count(*) FROM naked)";
	static const struct {
		int64_t now, left;
	} cases[] = {
	    {START + 59, 22222},
	    {START + 60, 22221},
	    {START + 3 * DAY, 22211},
	    {START + 7 * DAY, 21211},
	    {START + 7 * DAY + 60, 20211},
	    {START + 17 * DAY, 20201},
	    {START + 30 * DAY, 20001},
	    {START + 30 * DAY + 60, 20000},
	    {START + (20 + 365) * (int64_t)DAY - 1, 20000},
	    {START + (20 + 365) * (int64_t)DAY, 10000},
	    {START + (31 + 365) * (int64_t)DAY, 0},
	};
	struct world *world = *state;
	struct state_note note = {"l", "s", {0}};
	int64_t since;

	for (int i = 0; i < 2; i++) {
		const char *name = i == 0 ? "a.test" : "b.test";

		world->clock.now = START;
		assert_int_equal(state_set_pin(world->state, name,
		    START + (20 + i * 11) * DAY, true, span_string("")), 0);
		assert_int_equal(state_set_delivered(world->state, name, "r"),
		    0);
		assert_int_equal(state_set_naked(world->state, name,
		    START + 60 + i * 30 * DAY), 0);
		world->clock.now = START + i * 60;
		assert_int_equal(state_set_note(world->state, name, &note), 0);
		world->clock.now = START + i * 14 * DAY;
		assert_int_equal(state_failing_since(world->state, name,
		    &since), 0);
	}
	for (size_t i = 0; i < COUNT(cases); i++) {
		world->clock.now = cases[i].now;
		assert_int_equal(state_expire(world->state), 0);
		assert_int_equal(sql(world->path, count), cases[i].left);
	}
}

static void
modes_do_not_depend_on_the_umask(void **state)
{
	static const mode_t masks[] = {0, 022, 077};
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	struct world *world = *state;
	struct state *other;
	struct stat status;
	char path[100];

	for (size_t i = 0; i < COUNT(masks); i++) {
		mode_t saved = umask(masks[i]);

		snprintf(path, sizeof(path), "%s.%zu", world->path, i);
		assert_int_equal(state_open(path, 0660, &world->clock.clock,
		    &other, NULL), 0);
		assert_int_equal(state_set_naked(other, "r", START + 1), 0);
		for (size_t j = 0; j < COUNT(suffixes); j++) {
			snprintf(path, sizeof(path), "%s.%zu%s", world->path,
			    i, suffixes[j]);
			unit_case(path);
			assert_int_equal(stat(path, &status), 0);
			assert_int_equal(status.st_mode & 07777, 0660);
		}
		state_close(other);
		umask(saved);
	}
}

static void
overwrite(const char *path, off_t from, size_t length)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	for (size_t i = 0; i < length; i++)
		assert_int_equal(pwrite(fd, "\xa5", 1, from + (off_t)i), 1);
	close(fd);
}

static void
unsound_files_are_refused_by_name(void **state)
{
	static const struct {
		const char *name, *sql; /* "" : see below */
		int err;
		const char *text;
	} cases[] = {
	    {"newer schema", "PRAGMA user_version=4", ERR_VERSION,
	     "schema version 4 is newer than this program's 3"},
	    {"older schema", "PRAGMA user_version=1", ERR_VERSION,
	     "schema version 1 is older than this program's 3"},
	    {"another application's", "PRAGMA application_id=7", ERR_DATABASE,
	     "not a Dimegate state database"},
	    {"no version", "PRAGMA user_version=0", ERR_DATABASE,
	     "not a Dimegate state database"},
	    {"not SQLite", "", ERR_DATABASE, "file is not a database"},
	};
	struct world *world = *state;
	struct state *other;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = {0};

		unit_case(cases[i].name);
		state_close(world->state);
		world->state = NULL;
		unlink(world->path);
		reopen(world);
		state_close(world->state);
		world->state = NULL;
		if (*cases[i].sql != '\0')
			sql(world->path, cases[i].sql);
		else
			overwrite(world->path, 0, 100);
		assert_int_equal(state_open(world->path, 0660,
		    &world->clock.clock, &other, &fault), cases[i].err);
		assert_null(other);
		assert_non_null(strstr(fault.text, world->path));
		assert_non_null(strstr(fault.text, cases[i].text));
	}
	assert_int_equal(truncate(world->path, 0), 0);
	assert_int_equal(state_open(world->path, 0660, &world->clock.clock,
	    &other, NULL), ERR_DATABASE);
}

static void
places_that_cannot_be_are_refused_by_name(void **state)
{
	static const struct {
		const char *name, *path;
		int err;
	} cases[] = {
	    {"no directory", "/nowhere/state.db", ERR_CREATE},
	    {"a directory", "/tmp", ERR_DATABASE},
	    {"below a file", "/etc/passwd/state.db", ERR_CREATE},
	};
	struct world *world = *state;
	struct state *other;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = {0};

		unit_case(cases[i].name);
		assert_int_equal(state_open(cases[i].path, 0660,
		    &world->clock.clock, &other, &fault), cases[i].err);
		assert_null(other);
		assert_non_null(strstr(fault.text, cases[i].path));
	}
}

/* Doubt is never absence: no getter may say "not found" of a broken table. */
static void
a_broken_table_is_an_error(void **state)
{
	struct world *world = *state;
	struct state_note note;
	struct state_pin pin;
	struct stat status;
	int64_t since;
	bool found;

	assert_int_equal(state_set_pin(world->state, "a.test", START + DAY,
	    true, span_string("r")), 0);
	state_close(world->state);
	world->state = NULL;
	assert_int_equal(stat(world->path, &status), 0);
	overwrite(world->path, 4096, (size_t)status.st_size - 4096);
	assert_int_equal(state_open(world->path, 0660, &world->clock.clock,
	    &world->state, NULL), 0);
	assert_int_equal(state_get_pin(world->state, "a.test", &found, &pin),
	    ERR_DATABASE);
	assert_false(found);
	buffer_free(&pin.record);
	assert_int_equal(state_set_pin(world->state, "a.test", START + DAY,
	    true, span_string("r")), ERR_DATABASE);
	assert_int_equal(state_get_note(world->state, "1", &found, &note),
	    ERR_DATABASE);
	assert_int_equal(state_get_delivered(world->state, "1", "r", &found),
	    ERR_DATABASE);
	assert_int_equal(state_get_naked(world->state, "r", &found),
	    ERR_DATABASE);
	assert_int_equal(state_failing_since(world->state, "r", &since),
	    ERR_DATABASE);
	assert_int_equal(state_expire(world->state), ERR_DATABASE);
}

enum { THREADS = 40, ROUNDS = 4 };

struct worker {
	pthread_t thread;
	struct state *state;
	unsigned int number;
	int err;
	bool lost;
};

static void *
work(void *argument)
{
	struct worker *worker = argument;
	char name[40], shared[40];
	bool found = true;
	int64_t since;

	for (int i = 0; i < ROUNDS && worker->err == 0 && found; i++) {
		snprintf(name, sizeof(name), "m%u-%d", worker->number, i);
		snprintf(shared, sizeof(shared), "m%d", i);
		if ((worker->err = state_set_delivered(worker->state, name,
		    "r")) != 0 ||
		    (worker->err = state_failing_since(worker->state, shared,
		    &since)) != 0)
			break;
		worker->err = state_get_delivered(worker->state, name, "r",
		    &found);
	}
	worker->lost = !found;
	return NULL;
}

/* More threads than a pool has handles, and a second pool on the same file as
 * another program would have it. */
static void
threads_and_programs_share(void **state)
{
	struct world *world = *state;
	struct worker workers[THREADS] = {0};
	struct state *other;

	assert_int_equal(state_open(world->path, 0660, &world->clock.clock,
	    &other, NULL), 0);
	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i].state = i % 2 == 0 ? world->state : other;
		workers[i].number = i;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work,
		    &workers[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].err, 0);
		assert_false(workers[i].lost);
	}
	state_close(other);
	assert_int_equal(sql(world->path, "SELECT count(*) FROM delivered"),
	    THREADS * ROUNDS);
	assert_int_equal(sql(world->path, "SELECT count(*) FROM failure"),
	    ROUNDS);
}

struct opener {
	pthread_t thread;
	const struct world *world;
	const char *path;
	int err;
};

static void *
open_and_write(void *argument)
{
	struct opener *opener = argument;
	struct state *state;

	opener->err = state_open(opener->path, 0660,
	    &opener->world->clock.clock, &state, NULL);
	if (opener->err == 0)
		opener->err = state_set_naked(state, "r", START + 1);
	state_close(state);
	return NULL;
}

/* ---- readers do not wait for writers ---- */

struct pinner {
	struct state *state;
	pthread_t thread;
	char domain[32];
	int err;
};

static void *
set_one_pin(void *context)
{
	struct pinner *pinner = context;

	pinner->err = state_set_pin(pinner->state, pinner->domain,
	    START + DAY, true, span_string("pok="));
	return NULL;
}

/* Somebody holds the lock, and more threads than dime-policyd has for it wait to
 * write: Postfix's question is answered all the same. */
static void
readers_pass_by_writers(void **state)
{
	struct world *world = *state;
	struct pinner pinners[12];
	sqlite3 *other;
	int64_t start;
	bool found;

	assert_int_equal(sqlite3_open(world->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL,
	    NULL), SQLITE_OK);
	for (size_t i = 0; i < COUNT(pinners); i++) {
		pinners[i].state = world->state;
		snprintf(pinners[i].domain, sizeof(pinners[i].domain),
		    "d%zu.test", i);
		assert_int_equal(pthread_create(&pinners[i].thread, NULL,
		    set_one_pin, &pinners[i]), 0);
	}
	/* Whether they have come so far yet makes it easier, never harder. */
	start = clock_monotonic(&clock_system);
	while (clock_monotonic(&clock_system) - start < 300)
		assert_int_equal(state_get_delivered(world->state, "1",
		    "bob@beta.test", &found), 0);
	assert_in_range(clock_monotonic(&clock_system) - start, 300, 1300);
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(other);
	for (size_t i = 0; i < COUNT(pinners); i++) {
		pthread_join(pinners[i].thread, NULL);
		assert_int_equal(pinners[i].err, 0);
	}
}

static void
programs_may_create_it_at_once(void **state)
{
	struct world *world = *state;
	struct opener openers[8] = {0};
	char path[100];

	snprintf(path, sizeof(path), "%s.new", world->path);
	for (size_t i = 0; i < COUNT(openers); i++) {
		openers[i].world = world;
		openers[i].path = path;
		assert_int_equal(pthread_create(&openers[i].thread, NULL,
		    open_and_write, &openers[i]), 0);
	}
	for (size_t i = 0; i < COUNT(openers); i++) {
		pthread_join(openers[i].thread, NULL);
		assert_int_equal(openers[i].err, 0);
	}
	assert_int_equal(sql(path, "SELECT count(*) FROM naked"), 1);
}

static void
a_node_stays_who_it_is(void **state)
{
	static const uint8_t nobody[STATE_NODE_SIZE];
	uint8_t id[STATE_NODE_SIZE], again[STATE_NODE_SIZE];
	struct world *world = *state;

	assert_int_equal(state_get_node(world->state, id), 0);
	assert_memory_not_equal(id, nobody, sizeof(id));
	assert_int_equal(state_get_node(world->state, again), 0);
	assert_memory_equal(id, again, sizeof(id));
	state_close(world->state);
	world->state = NULL;
	reopen(world);
	assert_int_equal(state_get_node(world->state, again), 0);
	assert_memory_equal(id, again, sizeof(id));
	/* Another database is another node's. */
	state_close(world->state);
	world->state = NULL;
	unlink(world->path);
	reopen(world);
	assert_int_equal(state_get_node(world->state, again), 0);
	assert_memory_not_equal(id, again, sizeof(id));
	sql(world->path, "UPDATE node SET id = x'00'");
	assert_int_equal(state_get_node(world->state, again), ERR_DATABASE);
}

#define STATE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    STATE_TEST(a_pin_only_moves_later),
	    STATE_TEST(a_pin_runs_out_and_can_be_forgotten),
	    STATE_TEST(a_note_lives_seven_days),
	    STATE_TEST(a_duplicate_is_known_for_thirty_days),
	    STATE_TEST(failures_count_from_the_first_of_a_series),
	    STATE_TEST(failures_of_many_names_are_bounded),
	    STATE_TEST(a_naked_verdict_runs_out),
	    STATE_TEST(signets_that_were_seen),
	    STATE_TEST(not_all_of_an_organization_are_seen),
	    STATE_TEST(a_node_stays_who_it_is),
	    STATE_TEST(expiry_deletes_what_ran_out),
	    STATE_TEST(modes_do_not_depend_on_the_umask),
	    STATE_TEST(unsound_files_are_refused_by_name),
	    STATE_TEST(places_that_cannot_be_are_refused_by_name),
	    STATE_TEST(a_broken_table_is_an_error),
	    STATE_TEST(threads_and_programs_share),
	    STATE_TEST(readers_pass_by_writers),
	    STATE_TEST(programs_may_create_it_at_once),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
