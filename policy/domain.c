/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "policy/ahead.h"
#include "policy/domain_private.h"

enum { IN_THE_AIR = 20000 };

struct span
domain_key(char kind, const char *name, char *out, size_t size)
{
	int length = snprintf(out, size, "%c:%s", kind, name);

	return span_of(out, (size_t)length);
}

/* ---- facts ---- */

static void
destroy(struct memory_value *value)
{
	free(value);
}

const struct domain_facts *
domain_facts_new(const struct domain_lookup *lookup, const char *domain,
    const char *organization)
{
	const struct domain_finding *finding = &lookup->finding;
	const size_t names[] = {strlen(domain) + 1, strlen(organization) + 1};
	const size_t reason = strlen(finding->reason) + 1;
	const size_t octets = sizeof(struct domain_facts) + names[0] +
	    names[1] + reason + finding->text.length;
	struct domain_facts *facts = calloc(1, octets);
	char *at;

	if (facts == NULL)
		return NULL;
	memory_value_start(&facts->value, octets, finding->expires, destroy);
	facts->since = clock_wall(lookup->domains->settings.clock);
	if (finding->err == 0)
		facts->value.lifetime = finding->expires - facts->since;
	facts->dns = finding->dns;
	facts->secure = finding->secure;
	facts->from_pin = finding->from_pin;
	facts->confirmed = finding->confirmed;
	facts->pinned_until = finding->pinned_until;
	facts->err = finding->err;
	facts->source = finding->source;
	if (finding->text.length > 0) {
		facts->policy = lookup->record->policy > finding->least
		    ? lookup->record->policy
		    : finding->least;
		facts->subdomain = lookup->record->subdomain;
	}
	at = facts->tail;
	facts->domain = memcpy(at, domain, names[0]);
	at += names[0];
	facts->organization = memcpy(at, organization, names[1]);
	at += names[1];
	facts->reason = memcpy(at, finding->reason, reason);
	at += reason;
	if (finding->text.length > 0)
		memcpy(at, finding->text.data, finding->text.length);
	facts->record = span_of(at, finding->text.length);
	return facts;
}

void
domain_release(const struct domain_facts *facts)
{
	if (facts != NULL)
		memory_release((struct memory_value *)(uintptr_t)&facts->value);
}

/* ---- a flight ---- */

static struct memory_value *
value_of(const struct domain_facts *facts)
{
	return (struct memory_value *)(uintptr_t)&facts->value;
}

static void
lookup_free(struct domain_lookup *lookup)
{
	for (size_t i = 0; i < lookup->part_count; i++)
		domain_release(lookup->parts[i]);
	dns_reply_free(lookup->reply);
	buffer_free(&lookup->finding.text);
	free(lookup->record);
	free(lookup);
}

/* What was known is not given up for a failure. */
static bool
is_kept(const struct domain_lookup *lookup, const struct domain_facts *facts)
{
	return facts != NULL && (lookup->refresh == 0 || facts->err == 0);
}

/* Ends the flight. NULL: no memory. */
static void
land(struct domain_lookup *lookup, struct memory_value *value)
{
	struct domains *domains = lookup->domains;
	char key[DOMAIN_SIZE + 2];

	if (is_kept(lookup, (const struct domain_facts *)value)) {
		memory_put(domains->settings.memory,
		    domain_key('r', lookup->domain, key, sizeof(key)), value);
		if (lookup->refresh != 0)
			atomic_fetch_add(&domains->refreshed, 1);
	}
	flight_land(lookup->flight, value);
	lookup_free(lookup);
}

/* What is known of one name alone stands by itself in memory; of an
 * organizational domain that is all there is to know. */
static struct span
part_key(const struct domain_lookup *lookup, char *out, size_t size)
{
	return domain_key(lookup->part_count == 0 ? 'r' : 'n', lookup->name,
	    out, size);
}

void
domain_start_finding(struct domain_lookup *lookup, const char *name)
{
	buffer_free(&lookup->finding.text);
	lookup->finding = (struct domain_finding){.source = "network",
	    .text = buffer_make(RECORD_TEXT_LIMIT)};
	lookup->name = name;
}

/* The finding becomes the next part. False without memory. */
static bool
take_part(struct domain_lookup *lookup)
{
	const struct domain_facts *part =
	    domain_facts_new(lookup, lookup->name, lookup->name);
	char key[DOMAIN_SIZE + 2];

	if (part == NULL)
		return false;
	if (is_kept(lookup, part))
		memory_put(lookup->domains->settings.memory,
		    part_key(lookup, key, sizeof(key)), value_of(part));
	lookup->parts[lookup->part_count++] = part;
	return true;
}

enum progress { DONE, ASKING, NO_MEMORY };

static void finish(struct work_step *step);

/* The next name, from the tiers; ASKING when DNS is the one to say. */
static enum progress
find_part(struct domain_lookup *lookup)
{
	struct domains *domains = lookup->domains;
	struct memory_value *value;
	char key[DOMAIN_SIZE + 2];

	domain_start_finding(lookup, lookup->names[lookup->part_count]);
	value = (lookup->refresh == 0 ? memory_get : memory_look)(
	    domains->settings.memory, part_key(lookup, key, sizeof(key)));
	if (value != NULL && value->expires > lookup->refresh) {
		lookup->parts[lookup->part_count++] =
		    (const struct domain_facts *)value;
		return DONE;
	}
	memory_release(value);
	if (!domain_redis_get(lookup) ||
	    lookup->finding.expires <= lookup->refresh) {
		domain_start_finding(lookup, lookup->name);
		domain_ask(lookup, finish);
		return ASKING;
	}
	atomic_fetch_add(&domains->redis, 1);
	domain_look_at_pin(lookup);
	return take_part(lookup) ? DONE : NO_MEMORY;
}

/* Goes on with the walk; when it asks DNS the lookup is no longer ours. */
static void
go_on(struct domain_lookup *lookup)
{
	enum progress progress = DONE;

	while (progress == DONE &&
	    (lookup->part_count == 0 || !domain_walk_is_over(lookup)))
		progress = find_part(lookup);
	if (progress == DONE)
		land(lookup, domain_walk_conclude(lookup));
	else if (progress == NO_MEMORY)
		land(lookup, NULL);
}

/* With DNS's reply, in a thread that may block. */
static void
finish(struct work_step *step)
{
	struct domain_lookup *lookup = (struct domain_lookup *)step;
	struct domains *domains = lookup->domains;
	struct domain_finding *finding = &lookup->finding;

	domain_read_reply(lookup);
	if (domain_ask_further(lookup))
		return;
	atomic_fetch_add(&domains->answers[finding->dns], 1);
	if (finding->dns == DNS_PRESENT_SECURE)
		domain_set_pin(domains, lookup->name,
		    domain_pin_time(domains, lookup->record, true), true,
		    buffer_span(&finding->text));
	domain_look_at_pin(lookup);
	if (finding->err == 0)
		domain_redis_put(lookup);
	if (take_part(lookup))
		go_on(lookup);
	else
		land(lookup, NULL);
}

static void
begin(struct work_step *step)
{
	struct domain_lookup *lookup = (struct domain_lookup *)step;
	char key[DOMAIN_SIZE + 2];
	struct memory_value *value;

	value = memory_look(lookup->domains->settings.memory,
	    domain_key('r', lookup->domain, key, sizeof(key)));
	if (value != NULL && memory_value_is_ageing(value,
	        clock_wall(lookup->domains->settings.clock))) {
		lookup->refresh = value->expires;
		memory_release(value);
	} else if (value != NULL) {
		/* It has landed since the caller looked. */
		flight_land(lookup->flight, value);
		lookup_free(lookup);
		return;
	}
	domain_walk_plan(lookup);
	go_on(lookup);
}

static void
start(void *context, struct flight *flight)
{
	struct domain_lookup *lookup = calloc(1, sizeof(*lookup));

	if (lookup == NULL) {
		flight_land(flight, NULL);
		return;
	}
	lookup->step.run = begin;
	lookup->domains = context;
	lookup->flight = flight;
	span_copy_string(flight_key(flight), lookup->domain,
	    sizeof(lookup->domain));
	work_give(lookup->domains->settings.work, &lookup->step);
}

/* ---- callers ---- */

int
domains_new(const struct domains_settings *settings, struct domains **out)
{
	struct domains *domains = calloc(1, sizeof(*domains));
	int err;

	*out = NULL;
	if (domains == NULL)
		return ERR_MEMORY;
	domains->settings = *settings;
	err = flights_new(IN_THE_AIR, start, domains, &domains->flights);
	if (err != 0)
		free(domains);
	else
		*out = domains;
	return err;
}

bool
domains_drain(struct domains *domains, struct deadline deadline)
{
	return flights_drain(domains->flights, deadline);
}

void
domains_free(struct domains *domains)
{
	if (domains == NULL)
		return;
	flights_free(domains->flights);
	free(domains);
}

int
domains_find(struct domains *domains, const char *domain,
    struct deadline deadline, const struct domain_facts **out, bool *hit)
{
	char key[DOMAIN_SIZE + 2];
	struct memory_value *value;
	int err = 0;

	value = memory_get(domains->settings.memory,
	    domain_key('r', domain, key, sizeof(key)));
	*hit = value != NULL;
	if (value == NULL)
		err = flights_join(domains->flights, span_string(domain),
		    deadline, &value);
	*out = (const struct domain_facts *)value;
	return err;
}

void
domains_refresh(struct domains *domains, const char *domain)
{
	struct memory_value *value;

	flights_join(domains->flights, span_string(domain), deadline_in(0),
	    &value);
	memory_release(value);
}

void
domains_confirm(struct domains *domains, const struct domain_facts *facts)
{
	struct record *record = malloc(sizeof(*record));
	int64_t until;

	if (record != NULL && !facts->from_pin &&
	    record_parse(facts->record, record, NULL, NULL, NULL) == 0) {
		until = domain_pin_time(domains, record, facts->secure);
		if (domain_set_pin(domains, facts->organization, until,
		        facts->secure, facts->record) == 0)
			domain_redis_confirm(domains, facts, until);
	}
	free(record);
}

/* Keys of the name's own, and of the domains below it, which may go by its
 * record. */
static bool
follows_from(void *context, struct span key)
{
	char name[DOMAIN_SIZE];

	return (key.data[0] == 'r' || key.data[0] == 'n') &&
	    span_copy_string(span_slice(key, 2, key.length), name,
	        sizeof(name)) &&
	    domain_is_within(name, context);
}

int
domains_forget(struct domains *domains, const char *domain)
{
	domain_redis_drop(domains, domain);
	return domains_drop(domains, domain, INT64_MAX);
}

int
domains_drop(struct domains *domains, const char *domain, int64_t before)
{
	const int err =
	    state_forget_pin(domains->settings.state, domain, before);
	char name[DOMAIN_SIZE];

	snprintf(name, sizeof(name), "%s", domain);
	ahead_drop(domains->settings.memory);
	memory_drop_matching(domains->settings.memory, follows_from, name);
	domains->settings.dns.forget(domains->settings.dns.context);
	return err;
}

void
domains_count(struct domains *domains, struct domains_counters *out)
{
	out->asked = atomic_load(&domains->asked);
	out->redis = atomic_load(&domains->redis);
	out->refreshed = atomic_load(&domains->refreshed);
	out->forced = atomic_load(&domains->forced);
	for (size_t i = 0; i < DNS_ANSWERS; i++)
		out->answers[i] = atomic_load(&domains->answers[i]);
}
