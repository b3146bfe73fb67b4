/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/policy_world.h"

#include <stdio.h>

#include "policy/explain.h"
#include "policy/inquiry.h"
#include "policy/map.h"

/* The site's rules, shadow mode and explanations, in a whole policyd. */

#define ENCRYPT "OK dimeenc:[127.0.0.1]:10029"
#define NAKED "NOTFOUND"

enum { LONG = 20000 /* milliseconds: longer than anything takes */ };

static uint64_t
counter(struct world *world, const char *name)
{
	struct buffer text = buffer_make(1 << 16);
	unsigned long long value = 0;
	const char *at;
	char line[60];

	buffer_append_string(&text, "\n");
	statistics_write(&world->policyd, &text);
	snprintf(line, sizeof(line), "\n%s ", name);
	at = strstr(buffer_string(&text), line);
	assert_non_null(at);
	assert_int_equal(sscanf(at + strlen(line), "%llu", &value), 1);
	buffer_free(&text);
	return value;
}

/* What is known of the domains that the tables below name. */
static void
populate(struct world *world)
{
	world_set_record(world, "mixed.test", DNS_PRESENT_SECURE, "pol=mixed");
	world_set_record(world, "strict.example", DNS_PRESENT_SECURE,
	    "pol=strict");
	world_set_record(world, "experimental.test", DNS_PRESENT_SECURE,
	    "pol=experimental");
	world_set_zone(world, (struct world_zone){"bogus.test", DNS_BOGUS, 60,
	    {NULL}, false});
	world_set_zone(world, (struct world_zone){"unsigned.test",
	    DNS_ABSENT_INSECURE, 600, {NULL}, false});
}

/* ---- outbound ---- */

static void
outbound_rules(void **state)
{
	static const struct {
		const char *rules;
		const char *from, *to;
		enum world_peer peer;
		enum policy_action action;
		const char *outcome;
		int64_t rule;
		bool by_rule;
	} cases[] = {
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

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world *world = world_new(cases[i].rules);
		struct facts_answer answer;

		unit_case(cases[i].rules);
		populate(world);
		world->peer = cases[i].peer;
		answer = world_ask(world, decide_outbound, cases[i].from,
		    cases[i].to, "", LONG);
		assert_int_equal(answer.action, cases[i].action);
		assert_string_equal(answer.outcome, cases[i].outcome);
		assert_int_equal(answer.rule_number, cases[i].rule);
		assert_int_equal(answer.by_rule, cases[i].by_rule);
		assert_int_equal(strstr(answer.reason, "; by rule ") != NULL,
		    cases[i].by_rule);
		assert_int_equal(counter(world, "decided_by_rule"),
		    cases[i].by_rule);
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

	populate(world);
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
		    .fingerprint = "", .wait = LONG,
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
	assert_int_equal(counter(world, "map_required"), 6);
	assert_int_equal(counter(world, "map_required_sender"), 4);
	assert_int_equal(counter(world, "map_naked_literal"), 1);
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
		populate(world);
		world->peer = WORLD_NOT_ENABLED;
		facts_answer_free((answer = world_ask(world, decide_outbound,
		    "alpha.test", "bob@experimental.test", "", LONG), &answer));
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
		populate(world);
		for (size_t j = 0; j < COUNT(froms) * COUNT(tos); j++) {
			const char *from = froms[j % COUNT(froms)];
			const char *to = tos[j / COUNT(froms)];
			struct facts_answer answer = world_ask(world,
			    decide_outbound, from, to, "", LONG);
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
		populate(world);
		answer = world_ask(world, decide_inbound, cases[i].from,
		    cases[i].to, "", LONG);
		assert_int_equal(answer.action, cases[i].action);
		assert_int_equal(answer.by_rule, cases[i].by_rule);
		assert_int_equal(counter(world, "inbound_by_rule"),
		    cases[i].by_rule);
		facts_answer_free(&answer);
		world_free(world);
	}
}

/* ---- shadow mode ---- */

/* Whatever there is to be decided, the maps leave the mail alone. */
static void
shadow_changes_nothing(void **state)
{
	static const char *const keys[] = {"bob@mixed.test",
	    "bob@strict.example", "bob@experimental.test", "bob@bogus.test",
	    "bob@legacy.test", "bob@secret.test", "bob@unknown.test",
	    "bob@alpha.test", "bob@[192.0.2.1]", "bob", "*", "",
	    "bob@\xc3\xb6rg", "bob@be ta.test"};
	static const char *const senders[] = {"alice@alpha.test",
	    "boss@strict.test", "eve@alpha.test", "", "x@stranger.test"};
	struct world *world = world_new("mode = shadow\n"
	    "domains = {\"alpha.test\", \"strict.test\"}\n"
	    "strict_domains = {\"strict.test\"}\n"
	    "rule a { to = {\"secret.test\"}\n mode = required }\n"
	    "rule b { from = {\"eve@alpha.test\"}\n mode = required }\n");
	char longer[700];

	populate(world);
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	for (size_t i = 0; i < COUNT(keys); i++) {
		unit_case(keys[i]);
		assert_string_equal(world_map(world, "transport", keys[i]),
		    NAKED);
	}
	assert_string_equal(world_map(world, "transport", longer), NAKED);
	for (size_t i = 0; i < COUNT(senders); i++) {
		unit_case(senders[i]);
		assert_string_equal(world_map(world, "sender", senders[i]),
		    NAKED);
	}
	unit_case("and count");
	assert_int_equal(counter(world, "shadow_recipients"), 7);
	assert_int_equal(counter(world, "shadow_senders"), 2);
	assert_int_equal(counter(world, "map_required"), 1);
	world_free(world);
}

/*
 * It causes no naked mail of its own: what DIME-OUT has got, from before or by
 * a route of the site's own, is decided as ever, and no note is written that
 * would outlast the mode.
 */
static void
shadow_decides_as_ever(void **state)
{
	static const char *const tos[] = {"bob@mixed.test",
	    "bob@strict.example", "bob@experimental.test", "bob@bogus.test",
	    "bob@legacy.test", "bob@secret.test", "bob@unsigned.test"};
	static const char rules[] =
	    "rule a { to = {\"secret.test\"}\n mode = required }\n";
	char settings[200];
	struct world *real = world_new(rules), *shadow;

	snprintf(settings, sizeof(settings), "mode = shadow\n%s", rules);
	shadow = world_new(settings);
	populate(real);
	populate(shadow);
	for (size_t i = 0; i < COUNT(tos); i++) {
		struct facts_answer a = world_ask(real, decide_outbound,
		    "alice@alpha.test", tos[i], "", LONG);
		struct facts_answer b = world_ask(shadow, decide_outbound,
		    "alice@alpha.test", tos[i], "", LONG);

		unit_case(tos[i]);
		assert_int_equal(a.action, b.action);
		assert_int_equal(a.err, b.err);
		assert_string_equal(a.reason, b.reason);
		assert_false(a.shadow);
		assert_true(b.shadow);
		facts_answer_free(&a);
		facts_answer_free(&b);
	}
	unit_case("inbound");
	for (size_t i = 0; i < COUNT(tos); i++) {
		struct facts_answer a = world_ask(real, decide_inbound,
		    tos[i], "alice@alpha.test", "", LONG);
		struct facts_answer b = world_ask(shadow, decide_inbound,
		    tos[i], "alice@alpha.test", "", LONG);

		assert_int_equal(a.action, b.action);
		facts_answer_free(&a);
		facts_answer_free(&b);
	}
	assert_int_equal(counter(real, "shadow_inbound"), 0);
	assert_int_equal(counter(shadow, "shadow_inbound"),
	    counter(shadow, "inbound_refused") +
	        counter(shadow, "inbound_deferred"));
	assert_true(counter(shadow, "shadow_inbound") > 0);
	world_free(real);
	world_free(shadow);
}

/* ---- every way to naked mail has a counter ---- */

static void
ways_to_naked_mail(void **state)
{
	static const struct {
		const char *to, *counter;
		enum world_peer peer;
	} cases[] = {
	    {"bob@legacy.test", "decided_naked_proven", WORLD_SIGNETS},
	    {"bob@unsigned.test", "decided_naked_insecure", WORLD_SIGNETS},
	    {"bob@experimental.test", "decided_naked_476", WORLD_NOT_ENABLED},
	    {"bob@local.test", "decided_naked_local", WORLD_SIGNETS},
	    {"bob@[192.0.2.1]", "decided_naked_literal", WORLD_SIGNETS},
	    {"bob@mixed.test", "decided_dark", WORLD_SIGNETS},
	    {"bob@bogus.test", "decided_defer", WORLD_SIGNETS},
	    {"bob@mixed.test", "decided_refuse", WORLD_UNKNOWN},
	};
	static const struct {
		const char *from, *counter;
	} inbound[] = {
	    {"bob@legacy.test", "inbound_naked_proven"},
	    {"bob@unsigned.test", "inbound_naked_insecure"},
	    {"bob@experimental.test", "inbound_naked_record"},
	    {"alice@alpha.test", "inbound_naked_local"},
	    {"", "inbound_naked_null"},
	    {"bob@mixed.test", "inbound_refused"},
	    {"bob@bogus.test", "inbound_deferred"},
	};
	static const struct {
		const char *key, *counter;
	} maps[] = {
	    {"bob@legacy.test", "map_naked_proven"},
	    {"bob@unsigned.test", "map_naked_insecure"},
	    {"bob@[192.0.2.1]", "map_naked_literal"},
	    {"bob@local.test", "map_local"},
	    {"bob@mixed.test", "map_encrypt"},
	    {"bob@be ta.test", "map_unknown"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world *world = world_new("");
		struct facts_answer answer;

		unit_case(cases[i].counter);
		populate(world);
		world->peer = cases[i].peer;
		facts_answer_free((answer = world_ask(world, decide_outbound,
		    "alpha.test", cases[i].to, "", LONG), &answer));
		assert_int_equal(counter(world, cases[i].counter), 1);
		world_free(world);
	}
	for (size_t i = 0; i < COUNT(inbound); i++) {
		struct world *world = world_new("");
		struct facts_answer answer;

		unit_case(inbound[i].counter);
		populate(world);
		facts_answer_free((answer = world_ask(world, decide_inbound,
		    inbound[i].from, "alice@alpha.test", "", LONG), &answer));
		assert_int_equal(counter(world, inbound[i].counter), 1);
		world_free(world);
	}
	for (size_t i = 0; i < COUNT(maps); i++) {
		struct world *world = world_new("");

		unit_case(maps[i].counter);
		populate(world);
		world_map(world, "transport", maps[i].key);
		assert_int_equal(counter(world, maps[i].counter), 1);
		world_free(world);
	}
}

/* ---- explanations ---- */

static void
explanations(void **state)
{
	static const struct {
		const char *from, *to, *direction;
		enum policy_action action;
		const char *reason, *rule;
	} cases[] = {
	    {"alice@alpha.test", "bob@mixed.test", "outbound", POLICY_DARK,
	     "the recipient's signet is held", ""},
	    {"alpha.test", "bob@legacy.test", "outbound", POLICY_NAKED,
	     "the domain is known to have no record", ""},
	    {"alice@alpha.test", "bob@secret.test", "outbound", POLICY_REFUSE,
	     "a rule of this site forbids naked mail here; by rule quiet",
	     "quiet: mode required, to secret.test"},
	    {"x@stranger.test", "bob@legacy.test", "outbound", POLICY_NAKED,
	     "the domain is known", ""},
	    {"<>", "bob@bogus.test", "outbound", POLICY_DEFER,
	     "DNSSEC validation", ""},
	    {"bob@mixed.test", "alice@alpha.test", "inbound", POLICY_REFUSE,
	     "the policies of the two domains forbid naked mail", ""},
	    {"bob@legacy.test", "alpha.test", "inbound", POLICY_NAKED,
	     "the policies of the two domains allow naked mail", ""},
	    {"alice@alpha.test", "eve@alpha.test", "local", POLICY_NAKED,
	     "the domain is delivered here", ""},
	    {"bob@mixed.test", "eve@local.test", "local", POLICY_NAKED,
	     "the domain is delivered here", ""},
	    {"alice@alpha.test", "bob@[192.0.2.1]", "outbound", POLICY_NAKED,
	     "the domain is known to have no record: the address has no "
	     "domain", ""},
	};
	struct world *world = world_new("rule quiet { to = {\"secret.test\"}\n"
	    "mode = required }\n");

	populate(world);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct facts_answer answer = world_ask(world, explain_answer,
		    cases[i].from, cases[i].to, "", LONG);

		unit_case(cases[i].to);
		assert_int_equal(answer.action, cases[i].action);
		assert_string_equal(answer.direction, cases[i].direction);
		assert_string_equal(answer.rule, cases[i].rule);
		if (strncmp(answer.reason, cases[i].reason,
		        strlen(cases[i].reason)) != 0)
			fail_msg("%s", answer.reason);
		facts_answer_free(&answer);
	}
	world_free(world);
}

/* It is looked up as for mail, and nothing else happens. */
static void
explaining_changes_nothing(void **state)
{
	static const char *const names[] = {"decided_dark",
	    "decided_naked_proven", "decided_naked_476", "decided_by_rule",
	    "inbound_refused", "inbound_naked_proven", "map_noted"};
	struct world *world = world_new("");
	struct facts_answer answer;

	populate(world);
	world->peer = WORLD_NOT_ENABLED;
	facts_answer_free((answer = world_ask(world, explain_answer,
	    "alice@alpha.test", "bob@experimental.test", "", LONG), &answer));
	facts_answer_free((answer = world_ask(world, explain_answer,
	    "bob@mixed.test", "alice@alpha.test", "", LONG), &answer));
	for (size_t i = 0; i < COUNT(names); i++) {
		unit_case(names[i]);
		assert_int_equal(counter(world, names[i]), 0);
	}
	unit_case("no note");
	assert_string_equal(world_map(world, "transport",
	    "bob@experimental.test"), ENCRYPT);
	unit_case("the next one finds what was looked up");
	assert_int_equal(world->asked, 2);
	assert_int_equal(world->fetched, 1);
	answer = world_ask(world, decide_outbound, "alice@alpha.test",
	    "bob@experimental.test", "", LONG);
	assert_int_equal(answer.action, POLICY_NAKED);
	assert_string_equal(answer.source, "memory");
	assert_string_equal(answer.user.source, "memory");
	assert_int_equal(world->asked, 2);
	assert_int_equal(world->fetched, 1);
	facts_answer_free(&answer);
	world_free(world);
}

static void
explanations_need_a_domain(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
	    {"a", "b"}, {"alice@alpha.test", "b"}, {"a", "bob@beta.test"},
	    {"alice@alpha.test", ""}, {"alice@alpha.test", "<>"},
	    {"alice@alpha.test", "bob@"}, {"alice@alpha.test", "bob@com"},
	    {"alice@alpha.test", "bob@be ta.test"}, {"@", "bob@beta.test"},
	};
	struct world *world = world_new("");

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct facts_answer answer = world_ask(world, explain_answer,
		    cases[i].from, cases[i].to, "", LONG);

		unit_case(cases[i].to);
		assert_int_equal(answer.err, ERR_USAGE);
		assert_int_not_equal(answer.action, POLICY_NAKED);
		assert_non_null(strstr(answer.reason, "is not an address"));
		facts_answer_free(&answer);
	}
	assert_int_equal(world->asked, 0);
	world_free(world);
}

/* How old what is known is, and how long it lasts. */
static void
ages(void **state)
{
	struct world *world = world_new("");
	struct facts_answer answer;

	populate(world);
	facts_answer_free((answer = world_ask(world, explain_answer,
	    "alpha.test", "bob@mixed.test", "", LONG), &answer));
	world_pass(world, 100);
	answer = world_ask(world, explain_answer, "alpha.test",
	    "bob@mixed.test", "", LONG);
	assert_string_equal(answer.source, "memory");
	assert_int_equal(answer.age, 100);
	assert_int_equal(answer.expires - world_now(world), 500);
	assert_int_equal(answer.user.age, 100);
	assert_int_equal(answer.user.expires - world_now(world),
	    SIGNETS_USER_SECONDS - 100);
	assert_int_equal(answer.org.age, 100);
	assert_int_equal(answer.org.expires - world_now(world),
	    SIGNETS_ORG_SECONDS - 100);
	facts_answer_free(&answer);
	world_free(world);
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
	assert_int_equal(counter(world, "met_refused"), 2);
	assert_int_equal(counter(world, "met_deferred"), 3);
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
	    cmocka_unit_test(shadow_changes_nothing),
	    cmocka_unit_test(shadow_decides_as_ever),
	    cmocka_unit_test(ways_to_naked_mail),
	    cmocka_unit_test(explanations),
	    cmocka_unit_test(explaining_changes_nothing),
	    cmocka_unit_test(explanations_need_a_domain),
	    cmocka_unit_test(ages),
	    cmocka_unit_test(what_sealed_mail_meets),
	};

	return cmocka_run_group_tests_name("policyd rules", tests, unit_start,
	    unit_end);
}
