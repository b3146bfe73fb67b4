/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "dmtpd/rates.h"
#include "dmtpd/tally.h"

static int64_t moved_time;

static int64_t
moved(const struct clock *clock)
{
	return moved_time;
}

static const struct clock moved_clock = {moved, moved};

/* `limit` at once, then one each time that a part of the minute has passed. */
static void
rates_of_a_key(void **state)
{
	struct rates *rates = rates_new(&moved_clock);
	const struct span a = span_string("a"), b = span_string("b");

	moved_time = 5000;
	for (int i = 0; i < 6; i++) {
		assert_true(rates_left(rates, RATE_MAIL, a, 6));
		assert_true(rates_take(rates, RATE_MAIL, a, 6));
	}
	assert_false(rates_left(rates, RATE_MAIL, a, 6));
	assert_false(rates_take(rates, RATE_MAIL, a, 6));
	assert_true(rates_take(rates, RATE_MAIL, b, 6));
	assert_true(rates_take(rates, RATE_SIGNETS, a, 6));
	assert_true(rates_take(rates, RATE_MAIL, a, 0));
	moved_time += 9999;
	assert_false(rates_take(rates, RATE_MAIL, a, 6));
	moved_time += 1;
	assert_true(rates_take(rates, RATE_MAIL, a, 6));
	assert_false(rates_take(rates, RATE_MAIL, a, 6));
	moved_time += 3600 * 1000;
	for (int i = 0; i < 6; i++)
		assert_true(rates_take(rates, RATE_MAIL, a, 6));
	assert_false(rates_take(rates, RATE_MAIL, a, 6));
	rates_free(rates);
}

static void
rates_are_charged(void **state)
{
	static const struct {
		int64_t times;
		int left; /* of 60 a minute */
	} cases[] = {{-1, 60}, {0, 60}, {1, 59}, {59, 1}, {60, 0}, {61, 0},
	    {INT64_MAX, 0}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rates *rates = rates_new(&moved_clock);
		const struct span key = span_string("key");
		int left = 0;

		moved_time = 5000;
		rates_charge(rates, RATE_MAIL, key, 0, 60);
		rates_charge(rates, RATE_MAIL, key, 60, cases[i].times);
		while (rates_take(rates, RATE_MAIL, key, 60))
			left++;
		assert_int_equal(left, cases[i].left);
		/* However much it was, a minute pays for it. */
		rates_charge(rates, RATE_MAIL, key, 60, 1000);
		moved_time += 60000;
		assert_true(rates_take(rates, RATE_MAIL, key, 60));
		rates_free(rates);
	}
}

static void
rates_remember_for_a_time(void **state)
{
	struct rates *rates = rates_new(&moved_clock);
	const struct span a = span_string("a");

	moved_time = 5000;
	assert_false(rates_remembers(rates, RATE_KNOWN, a));
	rates_remember(rates, RATE_KNOWN, a, 10);
	assert_true(rates_remembers(rates, RATE_KNOWN, a));
	assert_false(rates_remembers(rates, RATE_MAIL, a));
	moved_time += 9999;
	assert_true(rates_remembers(rates, RATE_KNOWN, a));
	moved_time += 1;
	assert_false(rates_remembers(rates, RATE_KNOWN, a));
	rates_free(rates);
}

/* However many keys there are, one in debt is not set free by a few that come
 * once: they make room for each other first. */
static void
rates_are_bounded(void **state)
{
	struct rates *rates = rates_new(&moved_clock);
	char key[16];

	moved_time = 5000;
	while (rates_take(rates, RATE_MAIL, span_string("busy"), 60))
		;
	for (int i = 0; i < 100000; i++) {
		snprintf(key, sizeof(key), "key%d", i);
		assert_true(rates_take(rates, RATE_MAIL, span_string(key),
		    60));
	}
	assert_false(rates_take(rates, RATE_MAIL, span_string("busy"), 60));
	rates_free(rates);
}

/* ---- rates of several nodes ---- */

static const uint8_t common[CRYPTO_MAC_KEY] = {1};
static const uint8_t another[CRYPTO_MAC_KEY] = {2};
static const struct tally_limits limits = {{
    [RATE_SIGNETS] = 6, [RATE_MAIL] = 6, [RATE_ORIGIN] = 0}};

struct node {
	struct rates *rates;
	struct tally tally;
};

static struct node
new_node(const uint8_t *secret)
{
	struct node node = {.rates = rates_new(&moved_clock)};

	assert_non_null(node.rates);
	rates_share(node.rates, secret);
	tally_start(&node.tally, &moved_clock);
	return node;
}

/* So many more may be taken, which then are. */
static int
take_all(struct node *node, enum rate rate, const char *key)
{
	int taken = 0;

	while (rates_take(node->rates, rate, span_string(key), 6))
		taken++;
	return taken;
}

static struct buffer
written(struct node *node)
{
	struct buffer text = buffer_make(TALLY_SIZE);

	tally_write(&node->tally, node->rates, &text);
	assert_int_equal(text.error, 0);
	return text;
}

static void
read_by(struct node *node, const struct buffer *text)
{
	tally_read(&node->tally, buffer_span(text), &limits, node->rates);
}

/* The clock gives seconds as well as milliseconds; here a second is as long as
 * a millisecond, and nothing is told late. */
static void
nodes_count_together(void **state)
{
	struct node a, b, stranger;
	struct buffer text, nothing;

	moved_time = 5000;
	a = new_node(common);
	b = new_node(common);
	stranger = new_node(another);
	for (int i = 0; i < 4; i++)
		assert_true(rates_take(a.rates, RATE_MAIL, span_string("x"),
		    6));
	text = written(&a);
	nothing = written(&a);
	assert_int_equal(nothing.length, 0);
	read_by(&b, &text);
	assert_memory_equal(b.tally.mark, text.data, TALLY_MARK);
	/* The same again, as somebody in Redis may show it; and its own. */
	read_by(&b, &text);
	read_by(&a, &text);
	read_by(&stranger, &text);
	assert_int_equal(take_all(&b, RATE_MAIL, "x"), 2);
	assert_int_equal(take_all(&b, RATE_SIGNETS, "x"), 6);
	assert_int_equal(take_all(&b, RATE_MAIL, "y"), 6);
	assert_int_equal(take_all(&a, RATE_MAIL, "x"), 2);
	assert_int_equal(take_all(&stranger, RATE_MAIL, "x"), 6);
	buffer_free(&text);
	/* What was heard is not told on: only what was taken here. */
	text = written(&b);
	assert_int_equal(text.length, TALLY_HEAD + 3 * TALLY_COUNT);
	read_by(&a, &text);
	assert_int_equal(take_all(&a, RATE_MAIL, "x"), 0);
	buffer_free(&text);
	rates_free(a.rates);
	rates_free(b.rates);
	rates_free(stranger.rates);
}

/* However much others say, it is over when a minute is. */
static void
counts_use_up_a_minute_at_most(void **state)
{
	static const struct {
		const char *name;
		int times;
		uint32_t count;
		int64_t age, later;
		int left;
	} cases[] = {
	    {"none", 1, 0, 0, 0, 6},
	    {"some", 1, 2, 0, 0, 4},
	    {"some, twice", 2, 2, 0, 0, 2},
	    {"all", 1, 6, 0, 0, 0},
	    {"all, twice", 2, 6, 0, 0, 0},
	    {"all, twice, and a step later", 2, 6, 0, 10000, 1},
	    {"more", 1, UINT32_MAX, 0, 0, 0},
	    {"more, and a step later", 1, UINT32_MAX, 0, 10000, 1},
	    {"more, and a minute later", 1, UINT32_MAX, 0, 60000, 6},
	    {"more, often, and a minute later", 9, UINT32_MAX, 0, 60000, 6},
	    {"a while ago", 1, 4, 20000, 0, 4},
	    {"all, a while ago", 1, 6, 20000, 0, 2},
	    {"long ago", 1, 6, 60000, 0, 6},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct node node = new_node(common);
		struct rate_count count;

		unit_case(cases[i].name);
		moved_time = 500000;
		assert_true(rates_take(node.rates, RATE_MAIL, span_string("x"),
		    6));
		assert_int_equal(rates_collect(node.rates, &count, 1), 1);
		assert_int_equal(count.rate, RATE_MAIL);
		assert_int_equal(count.count, 1);
		rates_share(node.rates, another);
		rates_share(node.rates, common); /* all is forgotten */
		count.count = cases[i].count;
		for (int j = 0; j < cases[i].times; j++)
			rates_add(node.rates, &count, 6, cases[i].age);
		rates_add(node.rates, &count, 0, 0); /* no limit */
		moved_time += cases[i].later;
		assert_int_equal(take_all(&node, RATE_MAIL, "x"),
		    cases[i].left);
		rates_free(node.rates);
	}
}

/* Those that do not fit come next, and none is left out or told twice. */
static void
many_keys_are_told_in_turn(void **state)
{
	struct node node = new_node(common);
	size_t told = 0, count;
	char key[16];

	moved_time = 5000;
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "key%d", i);
		assert_true(rates_take(node.rates, RATE_MAIL, span_string(key),
		    6));
	}
	do {
		struct buffer text = buffer_make(TALLY_SIZE);

		count = tally_write(&node.tally, node.rates, &text);
		assert_int_equal(text.length, count == 0 ? 0
		    : TALLY_HEAD + count * TALLY_COUNT);
		assert_true(count <= TALLY_COUNTS);
		told += count;
		buffer_free(&text);
	} while (count > 0);
	assert_int_equal(told, 1000);
	assert_int_equal(node.tally.number, 4);
	rates_free(node.rates);
}

/* A tally of one count, in which an octet is something else. */
static void
tallies_that_are_odd(void **state)
{
	static const struct {
		const char *name;
		size_t at, length;
		uint8_t octet;
		int left;
	} cases[] = {
	    {"good", 0, TALLY_HEAD + TALLY_COUNT, 7, 0},
	    {"from the future", TALLY_MARK, TALLY_HEAD + TALLY_COUNT, 255, 0},
	    {"no limit for it", TALLY_HEAD, TALLY_HEAD + TALLY_COUNT,
	        RATE_ORIGIN, 6},
	    {"no rate", TALLY_HEAD, TALLY_HEAD + TALLY_COUNT, RATES, 6},
	    {"no rate at all", TALLY_HEAD, TALLY_HEAD + TALLY_COUNT, 255, 6},
	    {"cut off", 0, TALLY_HEAD + TALLY_COUNT - 1, 7, 6},
	    {"only a head", 0, TALLY_HEAD, 7, 6},
	    {"half a head", 0, TALLY_HEAD - 1, 7, 6},
	    {"nothing", 0, 0, 7, 6},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct node a = new_node(common), b = new_node(common);
		struct buffer text;

		unit_case(cases[i].name);
		moved_time = 5000;
		assert_int_equal(take_all(&a, RATE_MAIL, "x"), 6);
		text = written(&a);
		text.data[cases[i].at] = cases[i].octet;
		text.length = cases[i].length;
		read_by(&b, &text);
		assert_int_equal(take_all(&b, RATE_MAIL, "x"), cases[i].left);
		buffer_free(&text);
		rates_free(a.rates);
		rates_free(b.rates);
	}
}

/* However many nodes there have been, those that are heard now count once. */
static void
nodes_come_and_go(void **state)
{
	struct node reader = new_node(common), steady = new_node(common);
	struct buffer kept;

	moved_time = 5000;
	assert_true(rates_take(steady.rates, RATE_MAIL, span_string("x"), 6));
	kept = written(&steady);
	read_by(&reader, &kept);
	for (int i = 0; i < 200; i++) {
		struct node other = new_node(common);
		struct buffer text;

		assert_true(rates_take(other.rates, RATE_MAIL,
		    span_string("y"), 6));
		text = written(&other);
		read_by(&reader, &text);
		read_by(&reader, &kept);
		buffer_free(&text);
		rates_free(other.rates);
	}
	assert_int_equal(take_all(&reader, RATE_MAIL, "x"), 5);
	buffer_free(&kept);
	rates_free(reader.rates);
	rates_free(steady.rates);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rates_of_a_key),
	    cmocka_unit_test(rates_are_charged),
	    cmocka_unit_test(rates_remember_for_a_time),
	    cmocka_unit_test(rates_are_bounded),
	    cmocka_unit_test(nodes_count_together),
	    cmocka_unit_test(counts_use_up_a_minute_at_most),
	    cmocka_unit_test(many_keys_are_told_in_turn),
	    cmocka_unit_test(tallies_that_are_odd),
	    cmocka_unit_test(nodes_come_and_go),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
