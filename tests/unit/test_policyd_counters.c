/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/policy_world.h"

#include "policy/decide.h"

/* Every way to naked mail has a counter. */

static const struct outbound_way {
	const char *to, *counter;
	enum world_peer peer;
} outbound_ways[] = {
    {"bob@legacy.test", "decided_naked_proven", WORLD_SIGNETS},
    {"bob@unsigned.test", "decided_naked_insecure", WORLD_SIGNETS},
    {"bob@experimental.test", "decided_naked_476", WORLD_NOT_ENABLED},
    {"bob@local.test", "decided_naked_local", WORLD_SIGNETS},
    {"bob@[192.0.2.1]", "decided_naked_literal", WORLD_SIGNETS},
    {"bob@mixed.test", "decided_dark", WORLD_SIGNETS},
    {"bob@bogus.test", "decided_defer", WORLD_SIGNETS},
    {"bob@mixed.test", "decided_refuse", WORLD_UNKNOWN},
};

static const struct inbound_way {
	const char *from, *counter;
} inbound_ways[] = {
    {"bob@legacy.test", "inbound_naked_proven"},
    {"bob@unsigned.test", "inbound_naked_insecure"},
    {"bob@experimental.test", "inbound_naked_record"},
    {"alice@alpha.test", "inbound_naked_local"},
    {"", "inbound_naked_null"},
    {"bob@mixed.test", "inbound_refused"},
    {"bob@bogus.test", "inbound_deferred"},
};

static const struct map_way {
	const char *key, *counter;
} map_ways[] = {
    {"bob@legacy.test", "map_naked_proven"},
    {"bob@unsigned.test", "map_naked_insecure"},
    {"bob@[192.0.2.1]", "map_naked_literal"},
    {"bob@local.test", "map_local"},
    {"bob@mixed.test", "map_encrypt"},
    {"bob@be ta.test", "map_unknown"},
};

static void
try_outbound(struct world *world, const struct outbound_way *way)
{
	world->peer = way->peer;
	world_drop(world_ask(world, decide_outbound, "alpha.test", way->to, "",
	    WORLD_PATIENCE));
}

static void
try_inbound(struct world *world, const struct inbound_way *way)
{
	world_drop(world_ask(world, decide_inbound, way->from,
	    "alice@alpha.test", "", WORLD_PATIENCE));
}

static struct world *
begin(const char *counter)
{
	struct world *world = world_new("");

	unit_case(counter);
	world_populate(world);
	return world;
}

static void
end(struct world *world, const char *counter)
{
	assert_int_equal(world_counter(world, counter), 1);
	world_free(world);
}

static void
ways_to_naked_mail(void **state)
{
	for (size_t i = 0; i < COUNT(outbound_ways); i++) {
		const struct outbound_way *way = &outbound_ways[i];
		struct world *world = begin(way->counter);

		try_outbound(world, way);
		end(world, way->counter);
	}
	for (size_t i = 0; i < COUNT(inbound_ways); i++) {
		const struct inbound_way *way = &inbound_ways[i];
		struct world *world = begin(way->counter);

		try_inbound(world, way);
		end(world, way->counter);
	}
	for (size_t i = 0; i < COUNT(map_ways); i++) {
		const struct map_way *way = &map_ways[i];
		struct world *world = begin(way->counter);

		world_map(world, "transport", way->key);
		end(world, way->counter);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ways_to_naked_mail),
	};

	return cmocka_run_group_tests_name("policyd rules", tests, unit_start,
	    unit_end);
}
