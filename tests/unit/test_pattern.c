/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "base/pattern.h"

static struct pattern_name
name_of(const char *text)
{
	struct pattern_name name;

	pattern_name_read(text, &name);
	return name;
}

static void
what_patterns_match(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} cases[] = {
	    {"*", "bob@beta.test", true},
	    {"*", "", true},
	    {"*", "bob", true},
	    {"*", "bob@[192.0.2.1]", true},
	    {"<>", "", true},
	    {"<>", "<>", true},
	    {"<>", "bob@beta.test", false},
	    {"<>", "bob", false},
	    {"beta.test", "bob@beta.test", true},
	    {"beta.test", "beta.test", true},
	    {"Beta.TEST", "Bob@BETA.test", true},
	    {"beta.test", "\"bob b\"@beta.test", true},
	    {"beta.test", "bob@mail.beta.test", false},
	    {"beta.test", "bob@notbeta.test", false},
	    {"beta.test", "", false},
	    {"beta.test", "beta.test@gamma.test", false},
	    {".beta.test", "bob@mail.beta.test", true},
	    {".beta.test", "bob@a.b.beta.test", true},
	    {".beta.test", "bob@beta.test", false},
	    {".beta.test", "bob@notbeta.test", false},
	    {".test", "bob@beta.test", true},
	    {".test", "bob@test.example", false},
	    {"bob@beta.test", "bob@beta.test", true},
	    {"Bob@Beta.test", "BOB@beta.TEST", true},
	    {"bob@beta.test", "bob+tag@beta.test", true},
	    {"bob+tag@beta.test", "bob@beta.test", false},
	    {"bob+tag@beta.test", "bob+tag@beta.test", true},
	    {"bob@beta.test", "eve@beta.test", false},
	    {"bob@beta.test", "beta.test", false},
	    {"j\xc3\xb6rg@beta.test", "j\xc3\xb6rg@beta.test", true},
	    {"b\xc3\xbc" "cher.test", "bob@xn--bcher-kva.test", true},
	    {".b\xc3\xbc" "cher.test", "bob@mx.xn--bcher-kva.test", true},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct pattern_name name = name_of(cases[i].name);
		struct pattern_set set;

		unit_case(cases[i].pattern);
		assert_true(pattern_is_valid(cases[i].pattern));
		assert_int_equal(pattern_set_make(&cases[i].pattern, 1, &set,
		                     NULL), 0);
		assert_int_equal(pattern_set_has(&set, &name, NULL),
		    cases[i].matches);
		pattern_set_free(&set);
	}
}

static void
what_is_no_pattern(void **state)
{
	static const char *const cases[] = {"", ".", "..", "@", "@beta.test",
	    "bob@", "bob", "*.beta.test", "bob@*", "*@beta.test",
	    ".bob@beta.test", "bob@.beta.test", "bob@[192.0.2.1]", "<",
	    "<bob@beta.test>", " beta.test", "beta.test ", "..beta.test",
	    "a..b", ".a..b", "\"bob b\"@beta.test", "beta test.test", "**"};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pattern_set set;
		struct fault fault;

		unit_case(cases[i]);
		assert_false(pattern_is_valid(cases[i]));
		assert_int_equal(pattern_set_make(&cases[i], 1, &set, &fault),
		    ERR_CONFIG);
		pattern_set_free(&set);
	}
}

/* Sets written as lists with spaces between. */
static struct pattern_set
set_of(const char *text)
{
	char copy[200], *rest = copy, *word;
	const char *texts[20];
	struct pattern_set set;
	size_t count = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strsep(&rest, " ")) != NULL)
		if (*word != '\0')
			texts[count++] = word;
	assert_int_equal(pattern_set_make(texts, count, &set, NULL), 0);
	return set;
}

static void
sets_among_themselves(void **state)
{
	static const struct {
		const char *a, *b;
		bool covers, covered, meets; /* a b, b a */
	} cases[] = {
	    {"", "", true, true, true},
	    {"*", "beta.test", true, false, true},
	    {"", "<>", true, false, true},
	    {"<>", "<> beta.test", false, true, true},
	    {"beta.test", "bob@beta.test", true, false, true},
	    {"beta.test", ".beta.test", false, false, false},
	    {".beta.test", "a.beta.test .b.beta.test", true, false, true},
	    {".test", ".beta.test beta.test", true, false, true},
	    {"bob@beta.test", "bob+x@beta.test", true, false, true},
	    {"bob@beta.test", "eve@beta.test", false, false, false},
	    {"beta.test gamma.test", "gamma.test delta.test", false, false,
	     true},
	    {"beta.test gamma.test", "gamma.test", true, false, true},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pattern_set a = set_of(cases[i].a);
		struct pattern_set b = set_of(cases[i].b);

		unit_case(cases[i].a);
		assert_int_equal(pattern_set_covers(&a, &b), cases[i].covers);
		assert_int_equal(pattern_set_covers(&b, &a), cases[i].covered);
		assert_int_equal(pattern_set_meets(&a, &b), cases[i].meets);
		assert_int_equal(pattern_set_meets(&b, &a), cases[i].meets);
		pattern_set_free(&a);
		pattern_set_free(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_patterns_match),
	    cmocka_unit_test(what_is_no_pattern),
	    cmocka_unit_test(sets_among_themselves),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
