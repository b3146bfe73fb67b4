/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/policy_world.h"

#include <stdio.h>

#include "policy/explain.h"
#include "policy/inquiry.h"

/* The rules of a site, in a whole policyd. */

/* ---- outbound ---- */

static const struct outbound_case {
	const char *rules;
	const char *from, *to;
	enum world_peer peer;
	enum policy_action action;
	const char *outcome;
	int64_t rule;
	bool by_rule;
} outbound_cases[] = {
    {"", "alice@alpha.test", "bob@legacy.test", WORLD_SIGNETS,
     POLICY_NAKED, "", 0, false},
    {"rule r { mode = required }", "alice@alpha.test",
     "bob@legacy.test", WORLD_SIGNETS, POLICY_REFUSE, "", 1, true},
    {"rule r { mode = required }", "alice@alpha.test",
     "bob@[192.0.2.1]", WORLD_SIGNETS, POLICY_REFUSE, "", 1, true},
    {"rule r { mode = required }", "alice@alpha.test",
     "bob@local.test", WORLD_SIGNETS, POLICY_NAKED, "", 0, false},
    {"rule r { mode = required }", "alice@alpha.test",
     "bob@mixed.test", WORLD_SIGNETS, POLICY_DARK, "", 1, false},
    {"rule r { mode = required }", "alice@alpha.test",
     "bob@experimental.test", WORLD_NOT_ENABLED, POLICY_DEFER,
     "on_no_signet", 1, true},
    {"rule r { mode = required\n on_no_signet = reject }",
     "alice@alpha.test", "bob@experimental.test", WORLD_NOT_ENABLED,
     POLICY_REFUSE, "on_no_signet", 1, true},
    {"rule r { on_no_signet = tempfail }", "alice@alpha.test",
     "bob@experimental.test", WORLD_NOT_ENABLED, POLICY_DEFER,
     "on_no_signet", 1, true},
    {"rule r { on_no_signet = naked }", "alice@alpha.test",
     "bob@experimental.test", WORLD_NOT_ENABLED, POLICY_NAKED,
     "on_no_signet", 1, false},
    {"rule r { on_no_signet = naked }", "alice@alpha.test",
     "bob@mixed.test", WORLD_NOT_ENABLED, POLICY_DEFER,
     "on_no_signet", 1, false},
    {"rule r { on_dns_error = reject }", "alice@alpha.test",
     "bob@bogus.test", WORLD_SIGNETS, POLICY_REFUSE, "on_dns_error", 1,
     true},
    {"rule r { to = {\".test\"}\n on_dns_error = tempfail }",
     "alice@alpha.test", "bob@bogus.test", WORLD_SIGNETS, POLICY_DEFER,
     "on_dns_error", 1, false},
    {"rule r { on_peer_down = reject }", "alice@alpha.test",
     "bob@mixed.test", WORLD_DEAD, POLICY_REFUSE, "on_peer_down", 1,
     true},
    {"rule r { on_peer_down = reject }", "alice@alpha.test",
     "bob@mixed.test", WORLD_BAD_SIGNATURE, POLICY_DEFER,
     "on_bad_signature", 1, false},
    {"rule r { on_bad_signature = reject }", "alice@alpha.test",
     "bob@mixed.test", WORLD_BAD_SIGNATURE, POLICY_REFUSE,
     "on_bad_signature", 1, true},
    {"rule r { on_bad_signature = reject }", "alice@alpha.test",
     "bob@mixed.test", WORLD_UNKNOWN, POLICY_REFUSE, "", 1, false},
    {"rule r { mode = off }", "alice@alpha.test", "bob@legacy.test",
     WORLD_SIGNETS, POLICY_NAKED, "", 1, false},
    {"rule r { mode = off }", "alice@alpha.test", "bob@mixed.test",
     WORLD_SIGNETS, POLICY_REFUSE, "", 1, true},
    {"rule r { mode = off }", "alice@alpha.test",
     "bob@strict.example", WORLD_SIGNETS, POLICY_REFUSE, "", 1, true},
    {"rule r { mode = off }", "alice@alpha.test",
     "bob@experimental.test", WORLD_SIGNETS, POLICY_REFUSE, "", 1,
     true},
    {"rule r { mode = off }", "alice@alpha.test",
     "bob@experimental.test", WORLD_NOT_ENABLED, POLICY_NAKED,
     "on_no_signet", 1, false},
    {"rule a { to = {\"x.test\"} }\nrule b { from = "
     "{\"alice@alpha.test\"}\n mode = required }", "alice@alpha.test",
     "bob@legacy.test", WORLD_SIGNETS, POLICY_REFUSE, "", 2, true},
    {"rule b { from = {\"alice@alpha.test\"}\n mode = required }",
     "eve@alpha.test", "bob@legacy.test", WORLD_SIGNETS, POLICY_NAKED,
     "", 0, false},
    {"rule r { on_dns_error = reject }", "alice@alpha.test",
     "bob@local.test", WORLD_SIGNETS, POLICY_NAKED, "", 0, false},
};

static void
outbound_rules(void **state)
{
	for (size_t i = 0; i < COUNT(outbound_cases); i++) {
		const struct outbound_case *test = &outbound_cases[i];
		struct world *world = world_new(test->rules);
		struct facts_answer answer;

		unit_case(test->rules);
		world_populate(world);
		world->peer = test->peer;
		answer = world_ask(world, decide_outbound, test->from,
		    test->to, "", WORLD_PATIENCE);
		assert_int_equal(answer.action, test->action);
		assert_string_equal(answer.outcome, test->outcome);
		assert_int_equal(answer.rule_number, test->rule);
		assert_int_equal(answer.by_rule, test->by_rule);
		assert_int_equal(strstr(answer.reason, "; by rule ") != NULL,
		    test->by_rule);
		assert_int_equal(world_counter(world, "decided_by_rule"),
		    test->by_rule);
		facts_answer_free(&answer);
		world_free(world);
	}
}

/* An organization that cannot be asked in time is nobody's fault yet. */
static void
no_rule_acts_before_it_is_known(void **state)
{
	struct world *world =
	    world_new("rule r { on_dns_error = reject\n on_peer_down = reject\n"
	        "on_no_signet = reject\n on_bad_signature = reject }");
	struct facts_answer answer;

	world_populate(world);
	world->gate_closed = true;
	answer = world_ask(world, decide_outbound, "alpha.test",
	    "bob@mixed.test", "", 30);
	assert_int_equal(answer.action, POLICY_DEFER);
	assert_int_equal(answer.err, ERR_TIMEOUT);
	facts_answer_free(&answer);
	world_free(world);
}

/* The envelope sender counts, and for strangers' mail it is not the author's
 * domain. */
static void
the_sender_of_a_rule(void **state)
{
	struct world *world = world_new("rule r { from = {\"stranger.test\"}\n"
	    "mode = required }\nrule null { from = {\"<>\"}\n"
	    "mode = required }\n");
	static const struct {
		const char *sender;
		enum policy_action action;
	} cases[] = {
	    {"", POLICY_NAKED},
	    {"alice@alpha.test", POLICY_NAKED},
	    {"x@stranger.test", POLICY_REFUSE},
	    {"<>", POLICY_REFUSE},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct facts_request request = {.from =
		    "relay@alpha.test", .to = "bob@legacy.test",
		    .fingerprint = "", .wait = WORLD_PATIENCE,
		    .sender = cases[i].sender};
		struct facts_answer answer;

		unit_case(cases[i].sender);
		facts_answer_init(&answer);
		decide_outbound(&world->policyd, &request, &answer);
		assert_int_equal(answer.action, cases[i].action);
		facts_answer_free(&answer);
	}
	world_free(world);
}

/* ---- the maps ---- */

static void
maps_with_rules(void **state)
{
	static const struct {
		const char *map, *key, *reply;
	} cases[] = {
	    {"transport", "bob@legacy.test", NAKED},
	    {"transport", "bob@secret.test", ENCRYPT},
	    {"transport", "\"bob b\"@secret.test", ENCRYPT},
	    {"transport", "bob@mail.secret.test", NAKED},
	    {"transport", "bob@below.hidden.test", ENCRYPT},
	    {"transport", "vip@legacy.test", ENCRYPT},
	    {"transport", "VIP+tag@Legacy.test", ENCRYPT},
	    {"transport", "bob@secret.test.", ENCRYPT},
	    {"transport", "bob@[192.0.2.1]", NAKED},
	    {"transport", "*", NAKED},
	    {"transport", "", NAKED},
	    {"sender", "boss@alpha.test", ENCRYPT},
	    {"sender", "Boss+x@ALPHA.test", ENCRYPT},
	    {"sender", "alice@alpha.test", NAKED},
	    {"sender", "<>", ENCRYPT},
	    {"sender", "", ENCRYPT},
	};
	struct world *world = world_new("rule a { to = {\"secret.test\", "
	    "\".hidden.test\", \"vip@legacy.test\"}\n mode = required }\n"
	    "rule b { from = {\"boss@alpha.test\", \"<>\"}\n"
	    "mode = required }\n");

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].key);
		assert_string_equal(world_map(world, cases[i].map,
		                        cases[i].key), cases[i].reply);
	}
	assert_int_equal(world_counter(world, "map_required"), 6);
	assert_int_equal(world_counter(world, "map_required_sender"), 4);
	assert_int_equal(world_counter(world, "map_naked_literal"), 1);
	world_free(world);
}

/* A rule for everybody spares what is delivered here, and the key with which
 * Postfix asks about no recipient at all. */
static void
maps_with_a_rule_for_all(void **state)
{
	static const struct {
		const char *key, *reply;
	} cases[] = {
	    {"bob@legacy.test", ENCRYPT}, {"bob@[192.0.2.1]", ENCRYPT},
	    {"bob@intranet", ENCRYPT}, {"bob@localhost", NAKED},
	    {"bob@LOCALHOST", NAKED}, {"bob@alpha.test", NAKED},
	    {"bob@local.test", NAKED}, {"bob", NAKED}, {"*", NAKED},
	    {"", NAKED},
	};
	struct world *world = world_new("rule all { mode = required }\n");

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].key);
		assert_string_equal(world_map(world, "transport",
		                        cases[i].key), cases[i].reply);
	}
	world_free(world);
}

/* DIME-OUT's note of a 476 counts where no rule is against it. */
static void
notes_obey_rules(void **state)
{
	static const struct {
		const char *rules;
		bool noted;
	} cases[] = {
	    {"", true},
	    {"rule r { mode = off }", true},
	    {"rule r { on_no_signet = naked }", true},
	    {"rule r { on_no_signet = tempfail }", false},
	    {"rule r { to = {\"bob@experimental.test\"}\n mode = required }",
	     false},
	    {"rule r { to = {\"eve@experimental.test\"}\n mode = required }",
	     true},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world *world = world_new(cases[i].rules);
		struct facts_answer answer;

		unit_case(cases[i].rules);
		world_populate(world);
		world->peer = WORLD_NOT_ENABLED;
		world_drop(world_ask(world, decide_outbound, "alpha.test",
		    "bob@experimental.test", "", WORLD_PATIENCE));
		answer = world_ask(world, inquiry_note_naked, "alpha.test",
		    "bob@experimental.test", "", 0);
		assert_int_equal(answer.err == 0, cases[i].noted);
		facts_answer_free(&answer);
		/* Even one that was written before there was a rule. */
		assert_int_equal(state_set_naked(world->policyd.state,
		    "bob@experimental.test", world_now(world) + 1000), 0);
		assert_string_equal(world_map(world, "transport",
		    "bob@experimental.test"),
		    cases[i].noted ? NAKED : ENCRYPT);
		world_free(world);
	}
}

/* Mail that DIME-OUT would let go naked finds both maps open, or it would wait
 * until it bounces; mail that it would not finds one of them closed. */
static void
maps_and_verdicts_agree(void **state)
{
	static const char *const rules[] = {
	    "",
	    "rule a { mode = required }",
	    "rule a { to = {\"legacy.test\"}\n mode = required }",
	    "rule a { from = {\"alice@alpha.test\"}\n mode = required }",
	    "rule a { to = {\"legacy.test\"} }\nrule b { mode = required }",
	    ("rule a { from = {\"alice@alpha.test\"} }\n"
	     "rule b { mode = required }"),
	    ("rule a { to = {\"legacy.test\"} }\n"
	     "rule b { from = {\"alice@alpha.test\"}\n mode = required }"),
	    ("rule a { from = {\"alice@alpha.test\"}\n to = {\"legacy.test\"} }"
	     "\nrule b { to = {\".test\"}\n mode = required }"),
	    "rule a { mode = off }",
	};
	static const char *const froms[] = {"alice@alpha.test",
	    "eve@alpha.test", "boss@strict.test"};
	static const char *const tos[] = {"bob@legacy.test",
	    "bob@unsigned.test", "bob@other.example", "bob@[192.0.2.1]"};

	for (size_t i = 0; i < COUNT(rules); i++) {
		char text[500];
		struct world *world;

		snprintf(text, sizeof(text), "domains = {\"alpha.test\", "
		    "\"strict.test\"}\nstrict_domains = {\"strict.test\"}\n%s",
		    rules[i]);
		world = world_new(text);
		unit_case(rules[i]);
		world_populate(world);
		for (size_t j = 0; j < COUNT(froms) * COUNT(tos); j++) {
			const char *from = froms[j % COUNT(froms)];
			const char *to = tos[j / COUNT(froms)];
			struct facts_answer answer = world_ask(world,
			    decide_outbound, from, to, "", WORLD_PATIENCE);
			const bool open =
			    strcmp(world_map(world, "transport", to), NAKED) ==
			        0 &&
			    strcmp(world_map(world, "sender", from), NAKED) ==
			        0;

			assert_int_equal(answer.action == POLICY_NAKED, open);
			facts_answer_free(&answer);
		}
		world_free(world);
	}
}

/* ---- inbound ---- */

static void
inbound_rules(void **state)
{
	static const struct {
		const char *rules, *from, *to;
		enum policy_action action;
		bool by_rule;
	} cases[] = {
	    {"rule r { from = {\"legacy.test\"}\n mode = required }",
	     "bob@legacy.test", "alice@alpha.test", POLICY_REFUSE, true},
	    {"rule r { from = {\"legacy.test\"}\n mode = required }",
	     "bob@other.test", "alice@alpha.test", POLICY_NAKED, false},
	    {"rule r { from = {\"legacy.test\"}\n to = {\"boss@alpha.test\"}\n"
	     "mode = required }", "bob@legacy.test", "boss@alpha.test",
	     POLICY_REFUSE, true},
	    {"rule r { from = {\"legacy.test\"}\n to = {\"boss@alpha.test\"}\n"
	     "mode = required }", "bob@legacy.test", "alice@alpha.test",
	     POLICY_NAKED, false},
	    {"rule r { from = {\"legacy.test\"}\n to = {\"boss@alpha.test\"}\n"
	     "mode = required }", "legacy.test", "boss@alpha.test",
	     POLICY_REFUSE, true},
	    {"rule r { mode = off }", "bob@mixed.test", "alice@alpha.test",
	     POLICY_REFUSE, false},
	    {"rule r { mode = off }", "bob@legacy.test", "alice@alpha.test",
	     POLICY_NAKED, false},
	    {"rule r { on_dns_error = reject }", "bob@bogus.test",
	     "alice@alpha.test", POLICY_REFUSE, true},
	    {"", "bob@bogus.test", "alice@alpha.test", POLICY_DEFER, false},
	    {"rule r { mode = required }", "alice@alpha.test",
	     "alice@alpha.test", POLICY_NAKED, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world *world = world_new(cases[i].rules);
		struct facts_answer answer;

		unit_case(cases[i].rules);
		world_populate(world);
		answer = world_ask(world, decide_inbound, cases[i].from,
		    cases[i].to, "", WORLD_PATIENCE);
		assert_int_equal(answer.action, cases[i].action);
		assert_int_equal(answer.by_rule, cases[i].by_rule);
		assert_int_equal(world_counter(world, "inbound_by_rule"),
		    cases[i].by_rule);
		facts_answer_free(&answer);
		world_free(world);
	}
}

/* ---- what sealed mail meets ---- */

static void
what_sealed_mail_meets(void **state)
{
	static const struct {
		const char *outcome, *from;
		int err;
		enum policy_action action;
		bool by_rule;
	} cases[] = {
	    {"on_bad_signature", "eve@other.test", 0, POLICY_REFUSE, false},
	    {"on_bad_signature", "eve@patient.test", 0, POLICY_DEFER, true},
	    {"on_bad_signature", "patient.test", 0, POLICY_DEFER, true},
	    {"on_peer_down", "eve@other.test", 0, POLICY_DEFER, false},
	    {"on_peer_down", "eve@patient.test", 0, POLICY_REFUSE, true},
	    {"on_dns_error", "eve@patient.test", ERR_USAGE, POLICY_DEFER,
	     false},
	    {"on_monday", "eve@patient.test", ERR_USAGE, POLICY_DEFER, false},
	    {"", "eve@patient.test", ERR_USAGE, POLICY_DEFER, false},
	};
	struct world *world = world_new("rule r { from = {\"patient.test\"}\n"
	    "on_bad_signature = tempfail\n on_peer_down = reject }\n");

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct facts_request request = {.from = cases[i].from,
		    .to = "bob@alpha.test", .fingerprint = "",
		    .outcome = cases[i].outcome};
		struct facts_answer answer;

		unit_case(cases[i].outcome);
		facts_answer_init(&answer);
		explain_met(&world->policyd, &request, &answer);
		assert_int_equal(answer.err, cases[i].err);
		assert_int_equal(answer.action, cases[i].action);
		assert_int_equal(answer.by_rule, cases[i].by_rule);
		facts_answer_free(&answer);
	}
	assert_int_equal(world_counter(world, "met_refused"), 2);
	assert_int_equal(world_counter(world, "met_deferred"), 3);
	world_free(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(outbound_rules),
	    cmocka_unit_test(no_rule_acts_before_it_is_known),
	    cmocka_unit_test(the_sender_of_a_rule),
	    cmocka_unit_test(maps_with_rules),
	    cmocka_unit_test(maps_with_a_rule_for_all),
	    cmocka_unit_test(notes_obey_rules),
	    cmocka_unit_test(maps_and_verdicts_agree),
	    cmocka_unit_test(inbound_rules),
	    cmocka_unit_test(what_sealed_mail_meets),
	};

	return cmocka_run_group_tests_name("policyd rules", tests, unit_start,
	    unit_end);
}
