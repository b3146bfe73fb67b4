/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/policy_world.h"

#include "policy/inquiry.h"

static const char fingerprint_of_nobody[] =
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AA"
    "AAAAAAAAAA";

static struct facts_answer
ask_signet(struct world *world, const char *name, const char *fingerprint)
{
	return world_ask(world, inquiry_signet, "", name, fingerprint,
	    WORLD_PATIENCE);
}

static void
dark_with_signets(void **state)
{
	struct world *world = world_new("");
	struct org_signet *org = NULL;
	struct user_signet *user = NULL;
	struct facts_answer answer;
	struct fault fault;

	world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "pol=strict");
	answer = world_decide(world, "Bob@Beta.TEST");
	assert_int_equal(answer.action, POLICY_DARK);
	assert_int_equal(answer.err, 0);
	assert_string_equal(answer.cell, "mixed->strict");
	assert_string_equal(answer.source, "network");
	assert_true(answer.confirmed);
	assert_int_equal(facts_verify(&answer, "bob@beta.test", &org, &user,
	                     &fault), 0);
	org_signet_free(org);
	user_signet_free(user);
	facts_answer_free(&answer);
	assert_int_equal(world->fetched, 1);

	unit_case("from memory");
	answer = world_decide(world, "bob@beta.test");
	assert_int_equal(answer.action, POLICY_DARK);
	assert_string_equal(answer.source, "memory");
	facts_answer_free(&answer);
	assert_int_equal(world->fetched, 1);

	unit_case("another user: the organization is known");
	answer = world_decide(world, "carol@beta.test");
	assert_int_equal(answer.action, POLICY_DARK);
	facts_answer_free(&answer);
	assert_int_equal(world->fetched, 2);

	unit_case("users are asked for again after a quarter of an hour");
	world_pass(world, 599); /* later they would be refreshed */
	world_drop(world_decide(world, "bob@beta.test"));
	assert_int_equal(world->fetched, 2);
	world_pass(world, 301);
	world_drop(world_decide(world, "bob@beta.test"));
	assert_int_equal(world->fetched, 3);
	world_free(world);
}

/* A record with another POK makes what was verified under the old one void. */
static void
signets_follow_the_record(void **state)
{
	struct world *world = world_new("");
	struct facts_answer answer;

	world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "");
	answer = world_decide(world, "bob@beta.test");
	assert_int_equal(answer.action, POLICY_DARK);
	facts_answer_free(&answer);
	world_set_zone(world, (struct world_zone){"beta.test",
	    DNS_PRESENT_SECURE, 600,
	    {"pok=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo"}, false});
	world_pass(world, 600);
	answer = world_decide(world, "bob@beta.test");
	assert_int_equal(answer.action, POLICY_DEFER);
	assert_int_equal(answer.facts.signet, SIGNET_BAD);
	assert_int_equal(answer.user_signet.length, 0);
	facts_answer_free(&answer);
	world_free(world);
}

/* So does what the peer has said of a user. */
static void
refusals_follow_the_record(void **state)
{
	struct world *world = world_new("");
	struct facts_answer answer;

	world_set_zone(world, (struct world_zone){"beta.test",
	    DNS_PRESENT_SECURE, 60, {buffer_string(&world->record)}, false});
	world->peer = WORLD_NOT_ENABLED;
	answer = world_decide(world, "bob@beta.test");
	assert_int_equal(answer.facts.signet, SIGNET_NOT_ENABLED);
	facts_answer_free(&answer);
	world->peer = WORLD_SIGNETS;
	world_set_record(world, "beta.test", DNS_PRESENT_SECURE,
	    "pol=experimental");
	world_pass(world, 60);
	answer = world_decide(world, "bob@beta.test");
	assert_int_equal(answer.action, POLICY_DARK);
	facts_answer_free(&answer);
	world_free(world);
}

static const struct peer_case {
	const char *name, *fields;
	enum dns_answer dns;
	enum world_peer peer;
	bool confirms;
	enum policy_action action;
	enum signet_answer signet;
} peer_cases[] = {
    {"476 from a mixed domain", "pol=mixed", DNS_PRESENT_SECURE,
     WORLD_NOT_ENABLED, true, POLICY_DEFER, SIGNET_NOT_ENABLED},
    {"476 from an experimental one", "pol=experimental",
     DNS_PRESENT_SECURE, WORLD_NOT_ENABLED, false, POLICY_NAKED,
     SIGNET_NOT_ENABLED},
    {"476 that nothing confirms", "pol=experimental",
     DNS_PRESENT_INSECURE, WORLD_NOT_ENABLED, false, POLICY_DEFER,
     SIGNET_BAD},
    {"476 that a certificate confirms", "pol=experimental",
     DNS_PRESENT_INSECURE, WORLD_NOT_ENABLED, true, POLICY_NAKED,
     SIGNET_NOT_ENABLED},
    {"576", "pol=experimental", DNS_PRESENT_SECURE, WORLD_UNKNOWN,
     true, POLICY_REFUSE, SIGNET_UNKNOWN},
    {"576 that nothing confirms", "pol=experimental",
     DNS_PRESENT_INSECURE, WORLD_UNKNOWN, false, POLICY_DEFER,
     SIGNET_BAD},
    {"no organizational signet", "pol=experimental",
     DNS_PRESENT_SECURE, WORLD_ORG_UNKNOWN, true, POLICY_DEFER,
     SIGNET_BAD},
    {"dead", "pol=experimental", DNS_PRESENT_SECURE, WORLD_DEAD, true,
     POLICY_DEFER, SIGNET_DOWN},
    {"a signature by somebody else", "pol=experimental",
     DNS_PRESENT_SECURE, WORLD_BAD_SIGNATURE, true, POLICY_DEFER,
     SIGNET_BAD},
    {"another user's signet", "pol=experimental", DNS_PRESENT_SECURE,
     WORLD_OTHER_USER, true, POLICY_DEFER, SIGNET_BAD},
    {"another organization's key", "pol=experimental",
     DNS_PRESENT_SECURE, WORLD_OTHER_ORG, true, POLICY_DEFER,
     SIGNET_BAD},
    {"signets that nothing confirms", "pol=mixed",
     DNS_PRESENT_INSECURE, WORLD_SIGNETS, false, POLICY_DEFER,
     SIGNET_BAD},
    {"signets that a certificate confirms", "pol=mixed",
     DNS_PRESENT_INSECURE, WORLD_SIGNETS, true, POLICY_DARK,
     SIGNET_HELD},
};

static void
what_peers_say(void **state)
{
	for (size_t i = 0; i < COUNT(peer_cases); i++) {
		const struct peer_case *test = &peer_cases[i];
		struct world *world = world_new("");
		struct facts_answer answer;

		unit_case(test->name);
		world_set_record(world, "beta.test", test->dns,
		    test->fields);
		world->peer = test->peer;
		world->confirms = test->confirms;
		answer = world_decide(world, "bob@beta.test");
		assert_int_equal(answer.action, test->action);
		assert_int_equal(answer.facts.signet, test->signet);
		if (answer.action == POLICY_DEFER)
			assert_true(answer.err != 0 &&
			    error_row(answer.err)->temporary);
		if (answer.action != POLICY_DARK)
			assert_int_equal(answer.user_signet.length, 0);
		facts_answer_free(&answer);
		world_free(world);
	}
}

static void
expect_answer(struct world *world, const char *name, const char *fingerprint,
    int err)
{
	struct facts_answer answer = ask_signet(world, name, fingerprint);

	assert_int_equal(answer.err, err);
	facts_answer_free(&answer);
}

static void
signet_errors(void **state)
{
	struct world *world = world_new("");
	char fingerprint[SIGNET_FINGERPRINT_SIZE];
	struct facts_answer answer;
	struct signet *signet;

	world_set_record(world, "beta.test", DNS_PRESENT_SECURE, "");
	world_set_zone(world, (struct world_zone){"bogus.test", DNS_BOGUS, 60,
	    {NULL}, false});

	unit_case("no record");
	expect_answer(world, "gamma.test", "", ERR_ORIGIN_INVALID);
	unit_case("bogus");
	expect_answer(world, "bogus.test", "", ERR_BOGUS);
	unit_case("nonsense");
	expect_answer(world, "beta", "", ERR_USAGE);
	expect_answer(world, "beta.test", "short", ERR_USAGE);

	unit_case("the organization, by its fingerprint");
	answer = ask_signet(world, "beta.test", "");
	assert_int_equal(answer.err, 0);
	assert_int_equal(signet_parse(buffer_span(&answer.org_signet), &signet,
	                     NULL), 0);
	assert_true(signet_org_fingerprint(signet, fingerprint));
	signet_free(signet);
	facts_answer_free(&answer);
	assert_int_equal(world->fetched, 1);
	expect_answer(world, "beta.test", fingerprint, 0);
	assert_int_equal(world->fetched, 1);

	unit_case("a fingerprint that it does not have");
	answer = ask_signet(world, "beta.test", fingerprint_of_nobody);
	assert_int_equal(answer.err, ERR_ORIGIN_INVALID);
	assert_int_equal(answer.org_signet.length, 0);
	facts_answer_free(&answer);
	assert_int_equal(world->fetched, 2);
	unit_case("the current one is held nevertheless");
	expect_answer(world, "beta.test", "", 0);
	assert_int_equal(world->fetched, 2);

	unit_case("no such user");
	world->peer = WORLD_UNKNOWN;
	expect_answer(world, "eve@beta.test", "", ERR_UNKNOWN_ADDRESS);
	expect_answer(world, "eve@beta.test", fingerprint_of_nobody,
	    ERR_ORIGIN_INVALID);
	unit_case(
	    "a signature that does not hold may be a rotation: temporary");
	world->peer = WORLD_BAD_SIGNATURE;
	expect_answer(world, "carol@beta.test", "", ERR_ORIGIN_WAIT);
	unit_case("476");
	world->peer = WORLD_NOT_ENABLED;
	expect_answer(world, "dan@beta.test", "", ERR_NOT_ENABLED);
	world_free(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dark_with_signets),
	    cmocka_unit_test(signets_follow_the_record),
	    cmocka_unit_test(refusals_follow_the_record),
	    cmocka_unit_test(what_peers_say),
	    cmocka_unit_test(signet_errors),
	};

	return cmocka_run_group_tests_name("policyd", tests, unit_start,
	    unit_end);
}
