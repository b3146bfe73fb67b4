/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/policy_world.h"

#include <stdio.h>

#include "policy/decide.h"

/* Shadow mode, in a whole policyd. */

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

	world_populate(world);
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
	assert_int_equal(world_counter(world, "shadow_recipients"), 7);
	assert_int_equal(world_counter(world, "shadow_senders"), 2);
	assert_int_equal(world_counter(world, "map_required"), 1);
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
	world_populate(real);
	world_populate(shadow);
	for (size_t i = 0; i < COUNT(tos); i++) {
		struct facts_answer a = world_ask(real, decide_outbound,
		    "alice@alpha.test", tos[i], "", WORLD_PATIENCE);
		struct facts_answer b = world_ask(shadow, decide_outbound,
		    "alice@alpha.test", tos[i], "", WORLD_PATIENCE);

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
		    tos[i], "alice@alpha.test", "", WORLD_PATIENCE);
		struct facts_answer b = world_ask(shadow, decide_inbound,
		    tos[i], "alice@alpha.test", "", WORLD_PATIENCE);

		assert_int_equal(a.action, b.action);
		facts_answer_free(&a);
		facts_answer_free(&b);
	}
	assert_int_equal(world_counter(real, "shadow_inbound"), 0);
	assert_int_equal(world_counter(shadow, "shadow_inbound"),
	    world_counter(shadow, "inbound_refused") +
	        world_counter(shadow, "inbound_deferred"));
	assert_true(world_counter(shadow, "shadow_inbound") > 0);
	world_free(real);
	world_free(shadow);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shadow_changes_nothing),
	    cmocka_unit_test(shadow_decides_as_ever),
	};

	return cmocka_run_group_tests_name("policyd rules", tests, unit_start,
	    unit_end);
}
