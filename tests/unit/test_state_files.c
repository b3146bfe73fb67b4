/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/state_world.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

/* The file: unsound, and shared. */

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
		world_close(world);
		unlink(world->path);
		world_reopen(world);
		world_close(world);
		if (*cases[i].sql != '\0')
			world_sql(world->path, cases[i].sql);
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
	world_close(world);
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
	assert_int_equal(world_sql(world->path,
	    "SELECT count(*) FROM delivered"),
	    THREADS * ROUNDS);
	assert_int_equal(world_sql(world->path, "SELECT count(*) FROM failure"),
	    ROUNDS);
}

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

/* Somebody holds the lock, and more threads than dime-policyd has for it wait
 * to write: Postfix's question is answered all the same. */
static void
readers_pass_by_writers(void **state)
{
	struct world *world = *state;
	struct pinner pinners[12];
	sqlite3 *other;
	const struct deadline while_they_wait = deadline_in(300);
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
	/* Whether they have come so far yet makes it easier, never harder. Who
	 * reads behind a writer goes on when the writer has given up, below. */
	while (deadline_left(while_they_wait) > 0)
		assert_int_equal(state_get_delivered(world->state, "1",
		    "bob@beta.test", &found), 0);
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(other);
	for (size_t i = 0; i < COUNT(pinners); i++) {
		pthread_join(pinners[i].thread, NULL);
		assert_int_equal(pinners[i].err, 0);
	}
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
	assert_int_equal(world_sql(path, "SELECT count(*) FROM naked"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(modes_do_not_depend_on_the_umask),
	    WORLD_TEST(unsound_files_are_refused_by_name),
	    WORLD_TEST(places_that_cannot_be_are_refused_by_name),
	    WORLD_TEST(a_broken_table_is_an_error),
	    WORLD_TEST(threads_and_programs_share),
	    WORLD_TEST(readers_pass_by_writers),
	    WORLD_TEST(programs_may_create_it_at_once),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
