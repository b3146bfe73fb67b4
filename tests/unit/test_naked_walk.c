/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/policy_world.h"

#include <stdio.h>

#include "base/log.h"
#include "policy/decide.h"

/*
 * The property of test_naked.c for a subdomain: every combination of what DNS
 * says and what is pinned, of it and of the organizational domain above it,
 * with each value that the record above may have for `sub`. What it ought to be
 * is written down here from Part 4, not from the code.
 */

static const char above[] = "beta.test", below[] = "sub.beta.test";

struct combination {
	enum world_dns above, below;
	bool above_pinned, below_pinned;
	enum record_subdomain sub; /* of the record above, and of its pin */
};

static bool
is_present(enum world_dns dns)
{
	return dns == SAYS_SECURE || dns == SAYS_INSECURE;
}

static bool
is_absent(enum world_dns dns)
{
	return dns == SAYS_ABSENT_PROVEN || dns == SAYS_ABSENT_INSECURE;
}

static bool
ought_to_be_naked(const struct combination *c)
{
	/* Naked needs the domain's own absence, and no pin of it. */
	if (!is_absent(c->below) || c->below_pinned)
		return false;
	/* And DNS's word on the record above: none, or explicit. */
	if (is_absent(c->above))
		return !c->above_pinned || c->sub == RECORD_SUB_EXPLICIT;
	return is_present(c->above) && c->sub == RECORD_SUB_EXPLICIT;
}

/* Whose record applies; NULL: nobody's, or that is not known. */
static const char *
ought_to_govern(const struct combination *c)
{
	const bool in_force = is_present(c->above) || c->above_pinned;

	if (in_force && c->sub == RECORD_SUB_STRICT)
		return above;
	if (is_present(c->below) && (in_force || is_absent(c->above)))
		return below;
	if (c->below_pinned)
		return below;
	return in_force && is_absent(c->below) &&
	        c->sub != RECORD_SUB_EXPLICIT
	    ? above
	    : NULL;
}

static void
set(const struct combination *c, struct world *world, const char *record,
    const char *own)
{
	struct state *pins = world->policyd.state;
	const int64_t until = world_now(world) + 7 * DAY;

	assert_int_equal(domains_forget(world->policyd.domains, above), 0);
	assert_int_equal(domains_forget(world->policyd.domains, below), 0);
	world_clear_zones(world);
	world_say(world, above, c->above, record);
	world_say(world, below, c->below, own);
	if (c->above_pinned)
		assert_int_equal(state_set_pin(pins, above, until, true,
		                     span_string(record)), 0);
	if (c->below_pinned)
		assert_int_equal(state_set_pin(pins, below, until, true,
		                     span_string(own)), 0);
}

static void
check(const struct combination *c, struct world *world)
{
	const char *governing = ought_to_govern(c);
	struct facts_answer given;
	char record[200], own[200], name[100];
	bool naked;

	snprintf(name, sizeof(name), "%d%s above with sub=%s, %d%s below",
	    (int)c->above, c->above_pinned ? " pinned" : "",
	    record_subdomain_name(c->sub), (int)c->below,
	    c->below_pinned ? " pinned" : "");
	snprintf(record, sizeof(record), "%s sub=%s",
	    buffer_string(&world->record), record_subdomain_name(c->sub));
	snprintf(own, sizeof(own), "%s", buffer_string(&world->record));
	set(c, world, record, own);
	given = world_ask(world, decide_outbound, "alice@alpha.test",
	    "bob@sub.beta.test", "", WORLD_PATIENCE);
	naked = given.action == POLICY_NAKED;
	if (naked != ought_to_be_naked(c))
		fail_msg("%s: naked: %d: %s", name, naked, given.reason);
	if ((given.record.length > 0) != (governing != NULL) ||
	    (governing != NULL && strcmp(given.organization, governing) != 0))
		fail_msg("%s: the record of %s", name,
		    given.record.length > 0 ? given.organization : "nobody");
	facts_answer_free(&given);
	naked = strcmp(world_map(world, "transport", "bob@sub.beta.test"),
	    "NOTFOUND") == 0;
	if (naked != ought_to_be_naked(c))
		fail_msg("%s: the map: naked: %d", name, naked);
}

static void
every_combination(void **state)
{
	struct world *world = world_new("");

	world->peer = WORLD_DEAD;
	for (int i = 0; i < SAYS_STATES * SAYS_STATES; i++)
		for (unsigned int pins = 0; pins < 4; pins++)
			for (int sub = RECORD_SUB_EXPLICIT;
			     sub <= RECORD_SUB_STRICT; sub++) {
				const struct combination c = {
				    (enum world_dns)(i / SAYS_STATES),
				    (enum world_dns)(i % SAYS_STATES),
				    (pins & 1) != 0, (pins & 2) != 0,
				    (enum record_subdomain)sub};

				check(&c, world);
			}
	world_free(world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_combination),
	};

	log_open("test", "stderr", LOG_CRIT);
	return cmocka_run_group_tests_name("naked below", tests, unit_start,
	    unit_end);
}
