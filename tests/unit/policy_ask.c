/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/policy_world.h"

#include <stdio.h>

#include "policy/decide.h"
#include "policy/map.h"

struct facts_answer
world_ask(struct world *world,
    void (*ask)(struct policyd *, const struct facts_request *,
        struct facts_answer *),
    const char *from, const char *to, const char *fingerprint, int64_t wait)
{
	const struct facts_request request = {.from = from, .to = to,
	    .fingerprint = fingerprint, .wait = wait};
	struct facts_answer answer;

	facts_answer_init(&answer);
	ask(&world->policyd, &request, &answer);
	return answer;
}

struct facts_answer
world_decide(struct world *world, const char *to)
{
	return world_ask(world, decide_outbound, "alice@alpha.test", to, "",
	    WORLD_PATIENCE);
}

void
world_drop(struct facts_answer answer)
{
	facts_answer_free(&answer);
}

const char *
world_map(struct world *world, const char *map, const char *key)
{
	static const char *const names[] = {"OK", "NOTFOUND", "TEMP",
	    "TIMEOUT", "PERM"};
	static char out[600];
	const struct socketmap_query query = {span_string(map),
	    span_string(key)};
	enum socketmap_status status;
	char text[512];

	status = map_answer(&world->policyd, &query, text);
	snprintf(out, sizeof(out), "%s%s%s", names[status],
	    status == SOCKETMAP_NOTFOUND ? "" : " ",
	    status == SOCKETMAP_NOTFOUND ? "" : text);
	return out;
}

uint64_t
world_counter(struct world *world, const char *name)
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
