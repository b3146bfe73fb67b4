/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>

#include "policy/policyd.h"

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
	write_one(out, "records_gone", domains.forced);
	for (int i = 0; i < DNS_ANSWERS; i++)
		buffer_printf(out, "dns_%s %" PRIu64 "\n",
		    dns_answer_name((enum dns_answer)i), domains.answers[i]);
	signets_count(policyd->signets, &signets);
	write_one(out, "signets_fetched", signets.fetched);
	write_one(out, "signets_failed", signets.failed);
	write_one(out, "signets_from_redis", signets.redis);
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
