/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>

#include "policy/policyd.h"

/* ---- counting ---- */

static void
count_one(_Atomic uint64_t *counter)
{
	atomic_fetch_add(counter, 1);
}

static _Atomic uint64_t *
outbound_naked(struct statistics *statistics, const struct facts_answer *answer)
{
	if (strcmp(answer->source, "configuration") == 0)
		return &statistics->decided_naked_local;
	if (strcmp(answer->source, "syntax") == 0)
		return &statistics->decided_naked_literal;
	if (answer->facts.signet == SIGNET_NOT_ENABLED)
		return &statistics->decided_naked_476;
	return answer->facts.dns == DNS_ABSENT_INSECURE
	    ? &statistics->decided_naked_insecure
	    : &statistics->decided_naked_proven;
}

void
statistics_count_outbound(struct statistics *statistics,
    const struct facts_answer *answer)
{
	if (answer->by_rule)
		count_one(&statistics->decided_by_rule);
	switch (answer->action) {
	case POLICY_DARK:
		count_one(&statistics->decided_dark);
		break;
	case POLICY_NAKED:
		count_one(outbound_naked(statistics, answer));
		break;
	case POLICY_REFUSE:
		count_one(&statistics->decided_refuse);
		break;
	case POLICY_DEFER:
	case POLICY_ACTIONS:
		count_one(&statistics->decided_defer);
		break;
	}
}

static _Atomic uint64_t *
inbound_naked(struct statistics *statistics, const struct facts_answer *answer)
{
	if (strcmp(answer->source, "configuration") == 0)
		return &statistics->inbound_naked_local;
	if (strcmp(answer->source, "syntax") == 0)
		return &statistics->inbound_naked_null;
	if (answer->record.length > 0)
		return &statistics->inbound_naked_record;
	return answer->facts.dns == DNS_ABSENT_INSECURE
	    ? &statistics->inbound_naked_insecure
	    : &statistics->inbound_naked_proven;
}

void
statistics_count_inbound(struct statistics *statistics,
    const struct facts_answer *answer)
{
	if (answer->by_rule)
		count_one(&statistics->inbound_by_rule);
	if (answer->action == POLICY_NAKED) {
		count_one(inbound_naked(statistics, answer));
		return;
	}
	count_one(answer->action == POLICY_REFUSE
	    ? &statistics->inbound_refused
	    : &statistics->inbound_deferred);
	if (answer->shadow)
		count_one(&statistics->shadow_inbound);
}

/* ---- telling ---- */

static void
write_one(struct buffer *out, const char *name, uint64_t value)
{
	buffer_printf(out, "%s %" PRIu64 "\n", name, value);
}

static void
write_lookups(struct policyd *policyd, struct buffer *out)
{
	struct domains_counters domains;
	struct signets_counters signets;

	domains_count(policyd->domains, &domains);
	write_one(out, "records_asked", domains.asked);
	write_one(out, "records_from_redis", domains.redis);
	write_one(out, "records_refreshed", domains.refreshed);
	write_one(out, "records_gone", domains.forced);
	for (int i = 0; i < DNS_ANSWERS; i++)
		buffer_printf(out, "dns_%s %" PRIu64 "\n",
		    dns_answer_name((enum dns_answer)i), domains.answers[i]);
	signets_count(policyd->signets, &signets);
	write_one(out, "signets_fetched", signets.fetched);
	write_one(out, "signets_failed", signets.failed);
	write_one(out, "signets_from_redis", signets.redis);
	write_one(out, "signets_refreshed", signets.refreshed);
	write_one(out, "custody_followed", signets.custody_followed);
	write_one(out, "custody_broken", signets.custody_broken);
}

static void
write_tiers(struct policyd *policyd, struct buffer *out)
{
	struct memory_counters memory;
	struct cache_counters cache = {0};

	memory_count(policyd->memory, &memory);
	write_one(out, "memory_entries", memory.entries);
	write_one(out, "memory_octets", memory.octets);
	write_one(out, "memory_hits", memory.hits);
	write_one(out, "memory_misses", memory.misses);
	write_one(out, "memory_evicted", memory.evicted);
	if (policyd->cache != NULL)
		cache_count(policyd->cache, &cache);
	write_one(out, "redis_hits", cache.hits);
	write_one(out, "redis_misses", cache.misses);
	write_one(out, "redis_asked", cache.asked);
	write_one(out, "redis_errors", cache.errors);
	write_one(out, "redis_skipped", cache.skipped);
	write_one(out, "redis_tampered", cache.tampered);
	write_one(out, "redis_stored", cache.stored);
}

void
statistics_write(struct policyd *policyd, struct buffer *out)
{
#define STATISTIC(name)                                                        \
	write_one(out, #name, atomic_load(&policyd->statistics.name));
#include "policy/statistics.def"
#undef STATISTIC
	write_lookups(policyd, out);
	write_tiers(policyd, out);
}
