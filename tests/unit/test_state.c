/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/state_world.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* What state.db says, and for how long. */

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
	world_reopen(world);
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
	world_reopen(world);
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
	world_reopen(world);
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

	world_sql(world->path, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
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
		assert_int_equal(world_sql(world->path, count), cases[i].left);
	}
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
	world_close(world);
	world_reopen(world);
	assert_int_equal(state_get_node(world->state, again), 0);
	assert_memory_equal(id, again, sizeof(id));
	/* Another database is another node's. */
	world_close(world);
	unlink(world->path);
	world_reopen(world);
	assert_int_equal(state_get_node(world->state, again), 0);
	assert_memory_not_equal(id, again, sizeof(id));
	world_sql(world->path, "UPDATE node SET id = x'00'");
	assert_int_equal(state_get_node(world->state, again), ERR_DATABASE);
}

/* ---- a bad night ---- */

/* Lets no file of the process grow, as a full disk would not (the error is
 * EFBIG where it would be ENOSPC). Returns what undoes it. */
static rlim_t
fill_disk(rlim_t size)
{
	struct rlimit limit;
	rlim_t before;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	before = limit.rlim_cur;
	limit.rlim_cur = size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	return before;
}

static void
a_full_disk_is_got_over(void **state)
{
	struct world *world = *state;
	struct state_note note = {"l", "s", {0}};
	int64_t since;
	bool found;
	rlim_t before;
	int errors[6];

	assert_int_equal(state_set_pin(world->state, "a.test", START + DAY,
	    true, span_string("pok=1")), 0);
	assert_int_equal(state_set_delivered(world->state, "one", "r"), 0);
	before = fill_disk(0);
	errors[0] = state_set_delivered(world->state, "two", "r");
	errors[1] = state_set_note(world->state, "q", &note);
	errors[2] = state_failing_since(world->state, "origin", &since);
	errors[3] = state_set_pin(world->state, "b.test", START + DAY, true,
	    span_string("pok=1"));
	errors[4] = state_get_delivered(world->state, "one", "r", &found);
	errors[5] = state_expire(world->state);
	fill_disk(before);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(errors[i], ERR_DATABASE);
	unit_case("what was noted before can be read");
	assert_int_equal(errors[4], 0);
	assert_true(found);
	unit_case("with nothing to be deleted nothing is written");
	assert_int_equal(errors[5], 0);
	unit_case("space again");
	assert_int_equal(state_set_delivered(world->state, "two", "r"), 0);
	assert_int_equal(state_get_delivered(world->state, "two", "r", &found),
	    0);
	assert_true(found);
	assert_int_equal(state_set_note(world->state, "q", &note), 0);
	expect_pin(world, "a.test", true, START + DAY, true, "pok=1");
	expect_pin(world, "b.test", false, 0, false, "");
}

/* The clock was ahead for a while, and is right again. */
static void
a_clock_that_was_ahead(void **state)
{
	struct world *world = *state;
	const int64_t ahead = START + 1000 * (int64_t)DAY;
	int64_t since;

	world->clock.now = ahead;
	assert_int_equal(state_set_pin(world->state, "a.test",
	    ahead + 30 * DAY, true, span_string("pok=1")), 0);
	assert_int_equal(state_failing_since(world->state, "origin", &since),
	    0);
	world->clock.now = START;
	unit_case("a failure");
	assert_int_equal(state_failing_since(world->state, "origin", &since),
	    0);
	assert_int_equal(since, START);
	world->clock.now = START + 2 * DAY;
	assert_int_equal(state_failing_since(world->state, "origin", &since),
	    0);
	assert_int_equal(since, START);
	unit_case("a pin that is confirmed again");
	assert_int_equal(state_set_pin(world->state, "a.test",
	    START + 40 * DAY, true, span_string("pok=1")), 0);
	expect_pin(world, "a.test", true, START + (2 + 365) * (int64_t)DAY,
	    true, "pok=1");
	unit_case("and was confirmed now");
	assert_int_equal(state_forget_pin(world->state, "a.test",
	    world->clock.now), 0);
	expect_pin(world, "a.test", false, 0, false, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(a_pin_only_moves_later),
	    WORLD_TEST(a_pin_runs_out_and_can_be_forgotten),
	    WORLD_TEST(a_note_lives_seven_days),
	    WORLD_TEST(a_duplicate_is_known_for_thirty_days),
	    WORLD_TEST(failures_count_from_the_first_of_a_series),
	    WORLD_TEST(failures_of_many_names_are_bounded),
	    WORLD_TEST(a_naked_verdict_runs_out),
	    WORLD_TEST(signets_that_were_seen),
	    WORLD_TEST(not_all_of_an_organization_are_seen),
	    WORLD_TEST(a_node_stays_who_it_is),
	    WORLD_TEST(a_full_disk_is_got_over),
	    WORLD_TEST(a_clock_that_was_ahead),
	    WORLD_TEST(expiry_deletes_what_ran_out),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
