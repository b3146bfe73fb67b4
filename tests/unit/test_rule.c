/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "base/config.h"
#include "base/file.h"
#include "dime/policy.h"
#include "policy/rules.h"

static struct pattern_name
name_of(const char *text)
{
	struct pattern_name name;

	pattern_name_read(text, &name);
	return name;
}

/* ---- in the file ---- */

static char directory[] = "/tmp/dime-rule-XXXXXX";

static int
load(const char *text, struct config **out, struct fault *fault)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/conf", directory);
	assert_int_equal(file_write(path, span_string(text), 0600, true, NULL),
	    0);
	return config_load(path, CONFIG_DIMECTL, out, fault);
}

static void
rules_in_the_file(void **state)
{
	struct buffer text = buffer_make(2000);
	struct pattern_name from = name_of("alice@alpha.test");
	struct pattern_name to = name_of("bob@mail.law.test");
	const struct rule *rule;
	struct config *config;

	assert_int_equal(load("domains = {\"alpha.test\"}\n"
	    "rule \"law firms\" {\n"
	    "	to = {\"law.test\", \".law.test\"} # all of it\n"
	    "	mode = \"required\"\n"
	    "	on_dns_error = reject\n"
	    "}\n"
	    "rule two { from = \"*\" on_no_signet = naked\n"
	    "on_peer_down = tempfail\nmode = off }\n"
	    "rule three {}\n"
	    "log_level = \"debug\"\n", &config, NULL), 0);
	assert_int_equal(config->rules.count, 3);
	rule = &config->rules.items[0];
	assert_string_equal(rule->name, "law firms");
	assert_int_equal(rule->number, 1);
	assert_int_equal(rule->line, 3);
	assert_int_equal(rule->mode, RULE_REQUIRED);
	assert_true(rule->from.any);
	assert_false(rule->to.any);
	assert_int_equal(rule->on[RULE_DNS_ERROR], RULE_REJECT);
	assert_int_equal(rule->on[RULE_NO_SIGNET], RULE_UNSET);
	rule = &config->rules.items[1];
	assert_int_equal(rule->line, 7);
	assert_int_equal(rule->mode, RULE_OFF);
	assert_int_equal(rule->on[RULE_NO_SIGNET], RULE_NAKED);
	assert_int_equal(rule->on[RULE_PEER_DOWN], RULE_TEMPFAIL);
	assert_int_equal(config->rules.items[2].mode, RULE_OPPORTUNISTIC);

	rule = rule_find(&config->rules, &from, &to);
	rule_describe(rule, &from, &to, &text);
	assert_string_equal(buffer_string(&text), "law firms: mode required, "
	    "to .law.test, on_dns_error reject");
	to = name_of("bob@beta.test");
	assert_ptr_equal(rule_find(&config->rules, &from, &to),
	    &config->rules.items[1]);
	buffer_free(&text);
	config_free(config);
}

/* Each names the file, the line and the key. */
static void
bad_rules(void **state)
{
	static const struct {
		const char *name, *text, *complaint;
	} cases[] = {
	    {"unknown key", "rule a {\n to = {\"b.test\"}\n until = 3\n}\n",
	     ":3: no such option 'until'"},
	    {"unknown mode", "rule a {\n mode = \"maybe\"\n}\n",
	     ":2: mode: \"maybe\" is not one of opportunistic|off|required"},
	    {"naked on an error", "\nrule a {\n\n on_dns_error = naked\n}\n",
	     ":4: on_dns_error: \"naked\" is not one of tempfail|reject"},
	    {"naked for a dead peer", "rule a { on_peer_down = naked }\n",
	     ":1: on_peer_down: "},
	    {"naked for a bad signature",
	     "rule a { on_bad_signature = naked }\n",
	     ":1: on_bad_signature: "},
	    {"naked for another key", "rule a { on_key_change = naked }\n",
	     ":1: on_key_change: "},
	    {"no action", "rule a { on_no_signet = \"\" }\n",
	     ":1: on_no_signet: "},
	    {"not a pattern", "rule a {\n to = {\"b.test\",\n \"*.c.test\"}\n}",
	     ":3: to: \"*.c.test\" is not *, <>, an address"},
	    {"no pattern", "rule a {\n from = {}\n}\n",
	     ":3: rule \"a\": from: must not be an empty list"},
	    {"required and naked", "rule a {\n mode = required\n"
	     " on_no_signet = naked\n}\n", "rule \"a\": on_no_signet: "},
	    {"the same name twice", "rule a {}\nrule a {}\n", ":2: "},
	    {"no name", "rule {\n}\n", ":1: "},
	    {"an empty name", "rule \"\" {\n}\n", "rule: its name must be"},
	    {"a long name", "rule \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	     "aaaaaaaaaaaaaaaaaaaaa\" {\n}\n", "rule: its name must be"},
	    {"a word twice", "rule a {\n mode = off\n mode = required\n}\n",
	     ":3: mode: given twice"},
	    {"a list for a word", "rule a { mode = {\"off\"} }\n", ":1: "},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config *config;
		struct fault fault = {0};

		unit_case(cases[i].name);
		assert_int_equal(load(cases[i].text, &config, &fault),
		    ERR_CONFIG);
		assert_non_null(strstr(fault.text, directory));
		if (strstr(fault.text, cases[i].complaint) == NULL)
			fail_msg("%s", fault.text);
	}
}

/* libConfuse counts lines with comments wrong. */
static void
lines_behind_comments(void **state)
{
	static const struct {
		const char *text;
		int line;
	} cases[] = {
	    {"# one\n# two\n\nwrong = 1\n", 4},
	    {"#\n#\n#\nwrong = 1\n", 4},
	    {"hostname = x # a\nwrong = 1\n", 2},
	    {"hostname = x# a\nwrong = 1\n", 2},
	    {"// one\n//two\nwrong = 1\n", 3},
	    {"/* one\n two\n*/ wrong = 1\n", 3},
	    {"/**/ /* / */ /***/\nwrong = 1\n", 2},
	    {"hostname = \"a # b\"\nwrong = 1\n", 2},
	    {"hostname = \"a\\\" # b\"\nwrong = 1\n", 2},
	    {"hostname = 'a\" # b'\n# it's\nwrong = 1\n", 3},
	    {"log_target = /a//b\nwrong = 1\n", 2},
	    {"rule a { # it\n to = {\"b.test\", # one\n"
	     "\"c.test\" /* two */ }\nwrong = 1\n", 4},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = {0};
		struct config *config;
		char wanted[40];

		unit_case(cases[i].text);
		snprintf(wanted, sizeof(wanted),
		    ":%d: no such option 'wrong'", cases[i].line);
		assert_int_equal(load(cases[i].text, &config, &fault),
		    ERR_CONFIG);
		if (strstr(fault.text, wanted) == NULL)
			fail_msg("%s", fault.text);
	}
}

static void
what_stands_in_quotes(void **state)
{
	struct config *config;
	struct fault fault;

	if (load("hostname = \"a # b\" # c\nlog_target = 'x // y' // z\n"
	    "/* not closed", &config, &fault) != 0)
		fail_msg("%s", fault.text);
	assert_string_equal(config->hostname, "a # b");
	assert_string_equal(config->log_target, "x // y");
	config_free(config);
}

static void
odd_files(void **state)
{
	char path[300];
	struct config *config;
	struct fault fault;

	unit_case("empty");
	assert_int_equal(load("", &config, &fault), 0);
	config_free(config);
	unit_case("with a NUL");
	snprintf(path, sizeof(path), "%s/conf", directory);
	assert_int_equal(file_write(path, span_of("mode = shadow\n\0\n", 16),
	                     0600, true, NULL), 0);
	assert_int_equal(config_load(path, CONFIG_DIMECTL, &config, &fault),
	    ERR_CONFIG);
	assert_non_null(strstr(fault.text, "holds a NUL"));
}

static void
many_rules(void **state)
{
	struct buffer text = buffer_make(1 << 20);
	struct config *config;
	struct fault fault;

	for (int i = 0; i < 1000; i++)
		buffer_printf(&text, "rule r%d { to = {\"d%d.test\"} }\n", i,
		    i);
	assert_int_equal(load(buffer_string(&text), &config, &fault), 0);
	assert_int_equal(config->rules.count, 1000);
	assert_int_equal(config->rules.items[999].line, 1000);
	config_free(config);
	buffer_append_string(&text, "rule more {}\n");
	assert_int_equal(load(buffer_string(&text), &config, &fault),
	    ERR_CONFIG);
	assert_non_null(strstr(fault.text, "more than 1000 rules"));
	buffer_free(&text);
}

/* ---- which rule counts ---- */

static void
which_counts_outbound(void **state)
{
	static const struct {
		const char *rules, *from, *to, *name; /* name NULL: none */
	} cases[] = {
	    {"", "alice@alpha.test", "bob@beta.test", NULL},
	    {"rule a { to = {\"beta.test\"} } rule b {}", "alice@alpha.test",
	     "bob@beta.test", "a"},
	    {"rule a { to = {\"beta.test\"} } rule b {}", "alice@alpha.test",
	     "bob@gamma.test", "b"},
	    {"rule a {} rule b { to = {\"beta.test\"} mode = required }",
	     "alice@alpha.test", "bob@beta.test", "a"},
	    {"rule a { from = {\"alice@alpha.test\"} } "
	     "rule b { to = {\"beta.test\"} mode = required }",
	     "alice@alpha.test", "bob@beta.test", "b"},
	    {"rule a { from = {\"alice@alpha.test\"} } "
	     "rule b { to = {\"beta.test\"} mode = required }",
	     "alice@alpha.test", "bob@gamma.test", "a"},
	    {"rule a { to = {\"beta.test\"} } "
	     "rule b { from = {\"alpha.test\"} mode = required }",
	     "alice@alpha.test", "bob@beta.test", "b"},
	    {"rule a { to = {\"beta.test\"} } rule b { mode = required }",
	     "alice@alpha.test", "bob@beta.test", "a"},
	    {"rule a { to = {\"beta.test\"} } rule b { mode = required }",
	     "alice@alpha.test", "bob@gamma.test", "b"},
	    {"rule a { from = {\"alice@alpha.test\"} to = {\"beta.test\"}\n"
	     "on_peer_down = reject } "
	     "rule b { to = {\"beta.test\"} on_no_signet = tempfail }",
	     "alice@alpha.test", "bob@beta.test", "b"},
	    {"rule a { from = {\"<>\"} mode = required }", "",
	     "bob@beta.test", "a"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct pattern_name from = name_of(cases[i].from);
		const struct pattern_name to = name_of(cases[i].to);
		const struct rule *rule;
		struct config *config;
		struct fault fault;

		unit_case(cases[i].rules);
		if (load(cases[i].rules, &config, &fault) != 0)
			fail_msg("%s", fault.text);
		rule = rules_outbound(&config->rules, &from, &to);
		if (cases[i].name == NULL)
			assert_null(rule);
		else
			assert_string_equal(rule->name, cases[i].name);
		config_free(config);
	}
}

/*
 * What the maps rely on, over every list of three out of a set of rules: where
 * the rule that counts forbids naked mail, one of the maps knows it by its own
 * address alone; and where a map does, so does the rule that counts, or mail
 * would wait for a way that never opens.
 */
static void
maps_agree(void **state)
{
	static const char *const some[] = {
	    "",
	    "from = {\"alice@alpha.test\"}",
	    "to = {\"beta.test\"}",
	    "from = {\"alice@alpha.test\"}\nto = {\"beta.test\"}",
	    "mode = required",
	    "from = {\"alice@alpha.test\"}\nmode = required",
	    "to = {\"beta.test\"}\nmode = required",
	    ("from = {\"alice@alpha.test\"}\nto = {\"beta.test\"}\n"
	     "mode = required"),
	    "on_no_signet = reject",
	    "to = {\"beta.test\"}\non_no_signet = tempfail",
	    "from = {\"alpha.test\"}\non_no_signet = reject",
	    "from = {\"alpha.test\"}\nmode = off",
	};
	static const char *const froms[] = {"alice@alpha.test",
	    "eve@alpha.test", ""};
	static const char *const tos[] = {"bob@beta.test", "dave@gamma.test"};
	const struct pattern_set none = {0};
	size_t taken = 0;

	for (size_t i = 0; i < COUNT(some) * COUNT(some) * COUNT(some); i++) {
		struct config *config;
		struct fault fault;
		char text[500];

		snprintf(text, sizeof(text), "rule a {%s}\nrule b {%s}\n"
		    "rule c {%s}\n", some[i % COUNT(some)],
		    some[i / COUNT(some) % COUNT(some)],
		    some[i / COUNT(some) / COUNT(some)]);
		if (load(text, &config, &fault) != 0)
			fail_msg("%s", fault.text);
		if (rules_check(&config->rules, &none, &fault) != 0) {
			config_free(config);
			continue;
		}
		taken++;
		for (size_t j = 0; j < COUNT(froms) * COUNT(tos); j++) {
			const struct pattern_name from =
			    name_of(froms[j % COUNT(froms)]);
			const struct pattern_name to =
			    name_of(tos[j / COUNT(froms)]);
			const struct rules *rules = &config->rules;
			const enum policy_strictness counts =
			    policy_strictness(rules_outbound(rules, &from,
			    &to));
			const enum policy_strictness recipient =
			    policy_strictness(rules_of_recipient(rules, &to));
			const enum policy_strictness sender =
			    policy_strictness(rules_of_sender(rules, &from));

			assert_int_equal(counts,
			    recipient > sender ? recipient : sender);
			/* The sender's map knows but one answer. */
			assert_int_not_equal(sender, POLICY_NO_476);
		}
		config_free(config);
	}
	/* Ten of the twelve can hold. */
	assert_int_equal(taken, 10 * 10 * 10);
}

static void
rules_that_cannot_hold(void **state)
{
	static const struct {
		const char *rules, *complaint;
	} cases[] = {
	    {"rule a {\n from = {\"alice@alpha.test\"}\n to = {\"b.test\"}\n"
	     " mode = required }", "line 2: rule \"a\": mode: "},
	    {"rule a {}\nrule b { from = {\"alpha.test\"}\n"
	     "on_no_signet = tempfail }", "line 2: rule \"b\": on_no_signet: "},
	    {"rule a { from = {\"b.test\"}\n to = {\"alpha.test\"}\n"
	     "mode = required }", NULL},
	    {"rule a { from = {\"b.test\"}\n to = {\"bob@alpha.test\"}\n"
	     "on_no_signet = reject }", NULL},
	    {"rule a { from = {\"b.test\"}\n mode = required }", NULL},
	    {"rule a { from = {\"b.test\", \"*\"}\n to = {\"c.test\"}\n"
	     "mode = required }", NULL},
	};
	static const char *const domains[] = {"alpha.test"};
	struct pattern_set ours;

	assert_int_equal(pattern_set_make(domains, COUNT(domains), &ours,
	    NULL), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config *config;
		struct fault fault = {0};
		int err;

		unit_case(cases[i].rules);
		assert_int_equal(load(cases[i].rules, &config, &fault), 0);
		err = rules_check(&config->rules, &ours, &fault);
		assert_int_equal(err, cases[i].complaint == NULL ? 0
		                                                 : ERR_CONFIG);
		if (err != 0)
			assert_non_null(strstr(fault.text,
			    cases[i].complaint));
		config_free(config);
	}
	pattern_set_free(&ours);
}

/* ---- warnings ---- */

static char warnings[2000];

static void
warn(const char *text)
{
	snprintf(warnings + strlen(warnings),
	    sizeof(warnings) - strlen(warnings), "%s\n", text);
}

static void
what_is_warned_of(void **state)
{
	static const struct {
		const char *rules, *warning; /* "": none */
	} cases[] = {
	    {"rule a { to = {\"b.test\"} }\nrule b {}", ""},
	    {"rule a {}\nrule b { to = {\"b.test\"} }",
	     "line 2: rule \"b\" never counts: rule \"a\""},
	    {"rule a { to = {\".b.test\"} }\nrule b { to = {\"c.b.test\"} }",
	     "line 2: rule \"b\" never counts: rule \"a\""},
	    {"rule a { to = {\"b.test\"} }\n"
	     "rule b { to = {\"b.test\", \"c.test\"} }", ""},
	    {"rule a { from = {\"c.test\"}\nto = {\"b.test\"} }\n"
	     "rule b { to = {\"b.test\"} }", ""},
	    {"rule a { from = {\"alpha.test\"}\nto = {\"local.test\"} }",
	     "line 1: rule \"a\" never counts: mail between domains"},
	    {"rule a { from = {\"alpha.test\"} }\n"
	     "rule b { to = {\"b.test\"}\nmode = required }",
	     "line 1: rule \"a\" does not keep mail that leaves from rule "
	     "\"b\""},
	    {"rule a { to = {\"b.test\"} }\n"
	     "rule b { from = {\"x@alpha.test\"}\nmode = required }",
	     "line 1: rule \"a\" does not keep mail that leaves from rule "
	     "\"b\""},
	    {"rule a { to = {\"b.test\"} }\nrule b { mode = required }", ""},
	    {"rule a { to = {\"b.test\"} }\n"
	     "rule b { to = {\"c.test\"}\nmode = required }", ""},
	    {"rule a { from = {\"b.test\"}\nto = {\"alpha.test\"} }\n"
	     "rule b { from = {\"b.test\"}\nmode = required }", ""},
	};
	static const char *const domains[] = {"alpha.test", "local.test"};
	struct pattern_set ours;

	assert_int_equal(pattern_set_make(domains, COUNT(domains), &ours,
	    NULL), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config *config;

		unit_case(cases[i].rules);
		assert_int_equal(load(cases[i].rules, &config, NULL), 0);
		warnings[0] = '\0';
		rules_warn(&config->rules, &ours, warn);
		if (strncmp(warnings, cases[i].warning,
		        strlen(cases[i].warning)) != 0 ||
		    (*cases[i].warning == '\0' && warnings[0] != '\0'))
			fail_msg("%s", warnings);
		config_free(config);
	}
	pattern_set_free(&ours);
}

static void
names_go_both_ways(void **state)
{
	for (unsigned int i = 0; i <= RULE_OUTCOMES; i++)
		assert_int_equal(rule_outcome_by_name(
		    rule_outcome_name((enum rule_outcome)i)), i);
	assert_int_equal(rule_outcome_by_name("on_monday"), RULE_OUTCOMES);
}

static int
start(void **state)
{
	unit_directory(directory);
	return unit_start(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rules_in_the_file),
	    cmocka_unit_test(bad_rules),
	    cmocka_unit_test(lines_behind_comments),
	    cmocka_unit_test(what_stands_in_quotes),
	    cmocka_unit_test(odd_files),
	    cmocka_unit_test(many_rules),
	    cmocka_unit_test(which_counts_outbound),
	    cmocka_unit_test(maps_agree),
	    cmocka_unit_test(rules_that_cannot_hold),
	    cmocka_unit_test(what_is_warned_of),
	    cmocka_unit_test(names_go_both_ways),
	};

	return cmocka_run_group_tests_name("rule", tests, start, unit_end);
}
