/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "milter/crowd.h"
#include "milter/plan.h"
#include "milter/relay.h"

static const char *names[] = {"beta.test"};
static const struct config_list domains = {names, 1};
static const struct results alice = {"mx.beta.test", "alice@alpha.test",
    "alpha.test"};
static const struct results relay = {"mx.beta.test", "relay@alpha.test",
    "alpha.test"};

static void
results_that_claim_to_be_ours(void **state)
{
	static const struct {
		const char *value;
		bool ours;
	} cases[] = {
	    {" mx.beta.test; dkim=pass", true},
	    {" MX.Beta.Test 1; dkim=pass", true},
	    {" beta.test; spf=pass", true},
	    {"beta.test;", true},
	    {"\r\n\t(x) beta.test(y) 1;\r\n\tspf=pass", true},
	    {" \"mx.beta.test\"; spf=pass", true},
	    {" ; none", true},
	    {"", true},
	    {" (beta.test", true},
	    {" mx.alpha.test; dkim=pass", false},
	    {" (mx.beta.test) mx.alpha.test; dkim=pass", false},
	    {" evil-beta.test; dkim=pass", false},
	    {" mx.beta.test.; dkim=pass", true},
	    {" mx2.beta.test; dkim=pass", true},
	    {" mx.beta.test.evil.test; dkim=pass", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].value);
		assert_int_equal(results_is_ours(span_string(cases[i].value),
		    "mx.beta.test", &domains), cases[i].ours);
	}
}

static void
verdicts(void **state)
{
	static const struct {
		const char *block;
		const struct results *results;
		const char *verdict;
	} cases[] = {
	    {"From: alice@alpha.test\r\n", &alice, "pass"},
	    {"From: x@list.alpha.test\r\n", &alice, "pass"},
	    {"From: alice@notalpha.test\r\n", &alice, "fail"},
	    {"From: dave@gamma.test\r\n", &alice, "fail"},
	    {"From: a@alpha.test\r\nFrom: b@alpha.test\r\n", &alice, "fail"},
	    {"From: a@alpha.test, b@gamma.test\r\n", &alice, "fail"},
	    {"Subject: x\r\n", &alice, "fail"},
	    {"From: alice@alpha.test\r\n", &relay, "neutral"},
	    {"From: dave@gamma.test\r\n", &relay, "fail"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].block);
		assert_string_equal(results_verdict(cases[i].results,
		    span_string(cases[i].block)), cases[i].verdict);
	}
}

static void
a_plan_is_exact(void **state)
{
	static const char block[] = "Received: x\r\n"
	    "Delivered-To: bob@beta.test\r\n"
	    "authentication-results: mx.beta.test; dime=pass\r\n"
	    "Authentication-Results: mx.alpha.test; dkim=pass\r\n"
	    "X-N:value\r\nX-S : two\r\n\tfolded \r\n \r\nFrom: \r\n"
	    "X-Bare: a\rb\r\nX-Empty:\r\n\r\n";
	static const struct {
		const char *name, *value;
	} expected[] = {
	    {"Authentication-Results", " mx.beta.test;\n\tdime=fail\n"
	     "\tpolicy.author=alice@alpha.test policy.origin=alpha.test"},
	    {"Received", " x"},
	    {"Authentication-Results", " mx.alpha.test; dkim=pass"},
	    {"X-N", "value"},
	    {"X-S ", " two\n\tfolded \n "},
	    {"From", " "},
	    {"X-Bare", " a\rb"},
	    {"X-Empty", ""},
	};
	struct plan plan;

	assert_int_equal(plan_make(span_string(block), &alice, &domains, &plan,
	    NULL), 0);
	assert_int_equal(plan.count, COUNT(expected));
	assert_int_equal(plan.removed, 2);
	for (size_t i = 0; i < COUNT(expected); i++) {
		unit_case(expected[i].name);
		assert_string_equal(plan_name(&plan, i), expected[i].name);
		assert_string_equal(plan_value(&plan, i), expected[i].value);
	}
	plan_free(&plan);
	assert_int_equal(plan_make(span_of(NULL, 0), &alice, &domains, &plan,
	    NULL), 0);
	assert_int_equal(plan.count, 1);
	plan_free(&plan);
}

static void
what_postfix_would_lose_is_refused(void **state)
{
	static const struct {
		struct span block;
		int err;
		const char *text;
	} cases[] = {
	    {{(const uint8_t *)"A: b\r\nno field\r\n", 16}, ERR_FORMAT,
	     "header line 2 is not a field"},
	    {{(const uint8_t *)" fold\r\n", 7}, ERR_FORMAT,
	     "header line 1 is not a field"},
	    {{(const uint8_t *)":x\r\n", 4}, ERR_FORMAT,
	     "header line 1 is not a field"},
	    {{(const uint8_t *)"A: b\0c\r\n", 8}, ERR_FORMAT,
	     "header field 1 holds a NUL"},
	    {{(const uint8_t *)"A: b\r\n\r\nC: d\r\n", 14}, ERR_FORMAT,
	     "header line 2 is not a field"},
	};
	struct buffer block = buffer_make(1 << 20);
	struct fault fault;
	struct plan plan;

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].text);
		assert_int_equal(plan_make(cases[i].block, &alice, &domains,
		    &plan, &fault), cases[i].err);
		assert_string_equal(fault.text, cases[i].text);
	}
	buffer_append_string(&block, "A:");
	while (block.length < PLAN_FIELD_MAX - 2)
		buffer_u8(&block, 'a');
	buffer_append_string(&block, "\r\n");
	assert_int_equal(plan_make(buffer_span(&block), &alice, &domains,
	    &plan, &fault), 0);
	plan_free(&plan);
	buffer_append_string(&block, " \r\n");
	assert_int_equal(plan_make(buffer_span(&block), &alice, &domains,
	    &plan, &fault), ERR_TOO_LARGE);
	buffer_reset(&block);
	for (size_t i = 0; i < PLAN_FIELDS_MAX; i++)
		buffer_append_string(&block, "A:\r\n");
	assert_int_equal(plan_make(buffer_span(&block), &alice, &domains,
	    &plan, &fault), 0);
	assert_int_equal(plan.count, PLAN_FIELDS_MAX + 1);
	plan_free(&plan);
	buffer_append_string(&block, "A:\r\n");
	assert_int_equal(plan_make(buffer_span(&block), &alice, &domains,
	    &plan, &fault), ERR_TOO_LARGE);
	buffer_free(&block);
}

static void
a_crowd_has_a_limit(void **state)
{
	struct crowd crowd;

	crowd_start(&crowd, CROWD_PATIENCE);
	for (int i = 0; i < CROWD_LIMIT; i++)
		assert_true(crowd_enter(&crowd, "slow.test"));
	assert_false(crowd_enter(&crowd, "slow.test"));
	assert_true(crowd_enter(&crowd, "other.test"));
	crowd_leave(&crowd, "slow.test");
	assert_true(crowd_enter(&crowd, "slow.test"));
	assert_false(crowd_enter(&crowd, "slow.test"));
	crowd_end(&crowd);
}

/* Nobody waits out his hour for a crowd in which nothing moves. */
static void
a_crowd_that_stands_is_not_waited_for(void **state)
{
	struct crowd crowd;

	crowd_start(&crowd, 3600 * 1000);
	for (int i = 0; i < CROWD_LIMIT; i++)
		assert_true(crowd_enter(&crowd, "stuck.test"));
	for (int i = 0; i < 100; i++)
		assert_false(crowd_enter(&crowd, "stuck.test"));
	crowd_leave(&crowd, "stuck.test");
	assert_true(crowd_enter(&crowd, "stuck.test"));
	crowd_end(&crowd);
}

struct newcomer {
	struct crowd *crowd;
	atomic_bool here;
};

static void *
come(void *argument)
{
	struct newcomer *newcomer = argument;

	newcomer->here = true;
	return crowd_enter(newcomer->crowd, "busy.test") ? newcomer : NULL;
}

/* Who comes while others are just getting their news is not sent away. */
static void
a_crowd_that_moves_is_waited_for(void **state)
{
	struct crowd crowd;

	crowd_start(&crowd, CROWD_PATIENCE);
	for (int i = 0; i < CROWD_LIMIT; i++)
		assert_true(crowd_enter(&crowd, "busy.test"));
	for (int round = 0; round < 200; round++) {
		struct newcomer newcomer = {.crowd = &crowd};
		pthread_t thread;
		void *entered;

		assert_int_equal(pthread_create(&thread, NULL, come,
		    &newcomer), 0);
		while (!newcomer.here)
			sched_yield();
		crowd_leave(&crowd, "busy.test");
		assert_int_equal(pthread_join(thread, &entered), 0);
		assert_ptr_equal(entered, &newcomer);
	}
	crowd_end(&crowd);
}

#define FIFTY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void
senders_in_the_tag_of_relay(void **state)
{
	static const struct {
		const char *address, *wrapped;
		bool comes_back;
	} cases[] = {
	    {"SRS0=aB=3D=orig.example=User@alpha.test",
	        "relay+SRS0=aB=3D=orig.example=User@alpha.test", true},
	    {"SRS0+aB=3D=o.example=u@alpha.test",
	        "relay+SRS0+aB=3D=o.example=u@alpha.test", true},
	    {"srs1-x=y@alpha.test", "relay+srs1-x=y@alpha.test", true},
	    {"list-bounces+bob=beta.test@alpha.test",
	        "relay+list-bounces+bob=beta.test@alpha.test", false},
	    {"www-data@alpha.test", "relay+www-data@alpha.test", false},
	    {"SRS0@alpha.test", "relay+SRS0@alpha.test", false},
	    {"SRS01=x@alpha.test", "relay+SRS01=x@alpha.test", false},
	    {FIFTY "12345678@a.test", "relay+" FIFTY "12345678@a.test", false},
	    {FIFTY "123456789@a.test", NULL, false},
	    {"relay@alpha.test", NULL, false},
	    {"Relay+SRS0=x@alpha.test", NULL, false},
	};
	char wrapped[ADDRESS_SIZE], back[ADDRESS_SIZE];

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *expected = cases[i].wrapped;

		unit_case(cases[i].address);
		assert_int_equal(relay_wrap(cases[i].address, wrapped),
		    expected != NULL);
		assert_string_equal(wrapped, expected == NULL ? "" : expected);
		assert_int_equal(relay_unwrap(wrapped, back),
		    cases[i].comes_back);
		assert_string_equal(back, cases[i].comes_back ?
		    cases[i].address : "");
	}
	assert_true(relay_unwrap("RELAY+srs0=x@alpha.test", back));
	assert_string_equal(back, "srs0=x@alpha.test");
	assert_false(relay_unwrap("relay+", back));
	assert_false(relay_unwrap("SRS0=x@alpha.test", back));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(results_that_claim_to_be_ours),
	    cmocka_unit_test(verdicts),
	    cmocka_unit_test(a_plan_is_exact),
	    cmocka_unit_test(what_postfix_would_lose_is_refused),
	    cmocka_unit_test(a_crowd_has_a_limit),
	    cmocka_unit_test(a_crowd_that_moves_is_waited_for),
	    cmocka_unit_test(a_crowd_that_stands_is_not_waited_for),
	    cmocka_unit_test(senders_in_the_tag_of_relay),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
