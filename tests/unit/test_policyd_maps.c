/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/policy_world.h"

#include "policy/inquiry.h"

static void
map_names(void **state)
{
	static const struct {
		const char *map, *key, *reply;
	} cases[] = {
	    {"transport", "*", NAKED},
	    {"transport", "bob", NAKED},
	    {"transport", "", NAKED},
	    {"transport", "bob@alpha.test", NAKED},
	    {"transport", "Bob@ALPHA.test.", NAKED},
	    {"transport", "bob@local.test", NAKED},
	    {"transport", "bob@localhost", NAKED},
	    {"transport", "bob@[192.0.2.1]", NAKED},
	    {"transport", "bob@[IPv6:2001:db8::1]", NAKED},
	    {"transport", "bob@com.", NAKED},
	    {"transport", "bob@beta\xe3\x80\x82test", ENCRYPT},
	    {"transport", "bob@beta\xef\xbc\x8etest", ENCRYPT},
	    {"transport", "bob@beta\xef\xbd\xa1test", ENCRYPT},
	    {"transport", "bob@\xc3\xb6rg", ENCRYPT},
	    {"transport", "bob@beta.test", ENCRYPT},
	    {"transport", "BOB@BETA.TEST", ENCRYPT},
	    {"transport", "\"bob b\"@beta.test", ENCRYPT},
	    {"transport", "a@gamma.test@beta.test", ENCRYPT},
	    {"transport", "bob@gamma.test", NAKED},
	    {"transport", "\"bob b\"@gamma.test", NAKED},
	    {"transport", "bob@be ta.test", ENCRYPT},
	    {"transport", "bob@required.test", ENCRYPT},
	    {"sender", "alice@alpha.test", NAKED},
	    {"sender", "alice@strict.test", ENCRYPT},
	    {"sender", "Alice@Strict.test", ENCRYPT},
	    {"sender", "alice@strict\xe3\x80\x82test", ENCRYPT},
	    {"sender", "<>", NAKED},
	    {"sender", "", NAKED},
	    {"sender", "eve@beta.test", NAKED},
	    {"other", "bob@beta.test",
	     "PERM there are two maps: transport, sender"},
	};
	struct world *world = world_new("domains = {\"alpha.test\", "
	    "\"strict.test\"}\nstrict_domains = {\"strict.test\"}\n"
	    "rule \"r\" { to = {\"required.test\"}\nmode = required }\n");

	world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "");
	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].key);
		assert_string_equal(world_map(world, cases[i].map,
		                        cases[i].key), cases[i].reply);
	}
	world_free(world);
}

static void
map_setting(void **state)
{
	struct world *world =
	    world_new("seal_transport = \"other:[127.0.0.9]:99\"\n");

	world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "");
	assert_string_equal(world_map(world, "transport", "bob@beta.test"),
	    "OK other:[127.0.0.9]:99");
	world_free(world);
}

/* DIME-OUT's note lets one recipient by, for a while, and only where the table
 * does. */
static void
notes(void **state)
{
	struct world *world = world_new("");
	struct facts_answer answer;

	world_set_record(world, "beta.test", DNS_PRESENT_SECURE,
	    "pol=experimental");
	world->peer = WORLD_NOT_ENABLED;
	assert_string_equal(world_map(world, "transport", "bob@beta.test"),
	    ENCRYPT);
	unit_case("nothing is known yet: no note");
	world->gate_closed = true;
	answer = world_ask(world, inquiry_note_naked, "alpha.test",
	    "bob@beta.test", "", 0);
	assert_int_not_equal(answer.err, 0);
	facts_answer_free(&answer);
	world_open_gate(world);
	unit_case("after the decision");
	answer = world_decide(world, "bob@beta.test");
	assert_int_equal(answer.action, POLICY_NAKED);
	facts_answer_free(&answer);
	assert_string_equal(world_map(world, "transport", "bob@beta.test"),
	    ENCRYPT);
	answer = world_ask(world, inquiry_note_naked, "alpha.test",
	    "bob@beta.test", "", 0);
	assert_int_equal(answer.err, 0);
	facts_answer_free(&answer);
	assert_string_equal(world_map(world, "transport", "BOB@beta.test"),
	    NAKED);
	assert_string_equal(world_map(world, "transport", "carol@beta.test"),
	    ENCRYPT);
	unit_case("a record that became stricter is stronger");
	world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "pol=mixed");
	world_pass(world, 601);
	assert_string_equal(world_map(world, "transport", "bob@beta.test"),
	    ENCRYPT);
	unit_case("so is a pin when DNS fails");
	world_set_zone(world, (struct world_zone){"beta.test",
	    DNS_UNREACHABLE, 60, {NULL}, false});
	world_pass(world, 601);
	assert_string_equal(world_map(world, "transport", "bob@beta.test"),
	    ENCRYPT);
	unit_case("it runs out");
	world_set_record(world, "beta.test", DNS_PRESENT_SECURE,
	    "pol=experimental");
	world_pass(world, 1000);
	assert_string_equal(world_map(world, "transport", "bob@beta.test"),
	    NAKED);
	world_pass(world, 5400);
	assert_string_equal(world_map(world, "transport", "bob@beta.test"),
	    ENCRYPT);
	world_free(world);
}

/* An absence that was validated stands in for DNS that is slow to say it again,
 * and does not for DNS that somebody has tampered with. */
static void
notes_of_an_absence(void **state)
{
	struct world *world = world_new("");
	struct facts_answer answer;

	answer = world_ask(world, decide_outbound, "alpha.test",
	    "dave@gamma.test", "", WORLD_PATIENCE);
	facts_answer_free(&answer);
	answer = world_ask(world, inquiry_note_naked, "alpha.test",
	    "dave@gamma.test", "", 0);
	assert_int_equal(answer.err, 0);
	facts_answer_free(&answer);
	world_pass(world, 3600);
	world_set_zone(world, (struct world_zone){"gamma.test",
	    DNS_UNREACHABLE, 60, {NULL}, false});
	assert_string_equal(world_map(world, "transport", "dave@gamma.test"),
	    NAKED);
	assert_string_equal(world_map(world, "transport", "eve@gamma.test"),
	    ENCRYPT);
	world_pass(world, 10);
	world_set_zone(world, (struct world_zone){"gamma.test", DNS_BOGUS, 60,
	    {NULL}, false});
	assert_string_equal(world_map(world, "transport", "dave@gamma.test"),
	    ENCRYPT);
	world_free(world);
}

/* Nor does it for what is not known yet, when the disk has a pin: memory may
 * have lost what it knew, at a restart for instance. */
static void
notes_behind_a_pin(void **state)
{
	struct world *world = world_new("");
	struct facts_answer answer;
	static const uint8_t key[] = "r:gamma.test";

	world_drop(world_decide(world, "dave@gamma.test"));
	answer = world_ask(world, inquiry_note_naked, "alpha.test",
	    "dave@gamma.test", "", 0);
	assert_int_equal(answer.err, 0);
	facts_answer_free(&answer);
	world_set_record(world, "gamma.test", DNS_PRESENT_SECURE, "");
	world_pass(world, 600);
	assert_string_equal(world_map(world, "transport", "dave@gamma.test"),
	    ENCRYPT);
	memory_drop(world->policyd.memory, span_of(key, sizeof(key) - 1));
	world->dns_silent = true;
	assert_string_equal(world_map(world, "transport", "dave@gamma.test"),
	    ENCRYPT);
	world_free(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(map_names),
	    cmocka_unit_test(map_setting),
	    cmocka_unit_test(notes),
	    cmocka_unit_test(notes_of_an_absence),
	    cmocka_unit_test(notes_behind_a_pin),
	};

	return cmocka_run_group_tests_name("policyd", tests, unit_start,
	    unit_end);
}
