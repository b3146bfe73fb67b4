/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

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

static struct memory_value *
make_facts(const struct domain_lookup *lookup)
{
	const size_t name = strlen(lookup->domain) + 1;
	const size_t reason = strlen(lookup->reason) + 1;
	const size_t octets = sizeof(struct domain_facts) + name + reason +
	    lookup->text.length;
	struct domain_facts *facts = calloc(1, octets);
	char *at;

	if (facts == NULL)
		return NULL;
	memory_value_start(&facts->value, octets, lookup->expires, destroy);
	facts->dns = lookup->dns;
	facts->secure = lookup->secure;
	facts->from_pin = lookup->from_pin;
	facts->pinned_until = lookup->pinned_until;
	facts->err = lookup->err;
	facts->source = lookup->source;
	if (lookup->text.length > 0)
		facts->policy = lookup->record->policy;
	at = facts->tail;
	facts->domain = facts->organization =
	    memcpy(at, lookup->domain, name);
	facts->reason = memcpy(at + name, lookup->reason, reason);
	at += name + reason;
	if (lookup->text.length > 0)
		memcpy(at, lookup->text.data, lookup->text.length);
	facts->record = span_of(at, lookup->text.length);
	return &facts->value;
}

void
domain_release(const struct domain_facts *facts)
{
	if (facts != NULL)
		memory_release((struct memory_value *)(uintptr_t)&facts->value);
}

/* ---- a flight ---- */

static void
lookup_free(struct domain_lookup *lookup)
{
	dns_reply_free(lookup->reply);
	buffer_free(&lookup->text);
	free(lookup->record);
	free(lookup);
}

static void
land(struct domain_lookup *lookup)
{
	struct domains *domains = lookup->domains;
	struct memory_value *value = make_facts(lookup);
	char key[DOMAIN_SIZE + 2];

	if (value != NULL)
		memory_put(domains->settings.memory,
		    domain_key('r', lookup->domain, key, sizeof(key)), value);
	flight_land(lookup->flight, value);
}

/* With DNS's reply, in a thread that may block. */
static void
finish(struct work_step *step)
{
	struct domain_lookup *lookup = (struct domain_lookup *)step;
	struct domains *domains = lookup->domains;

	domain_read_reply(lookup);
	atomic_fetch_add(&domains->answers[lookup->dns], 1);
	if (lookup->dns == DNS_PRESENT_SECURE)
		domain_set_pin(domains, lookup->domain,
		    domain_pin_time(domains, lookup->record, true), true,
		    buffer_span(&lookup->text));
	domain_look_at_pin(lookup);
	land(lookup);
	if (lookup->err == 0 && domains->settings.cache != NULL)
		domain_redis_put(lookup);
	lookup_free(lookup);
}

/* In the resolver's thread, which must not block. */
static void
dns_answered(void *context, struct dns_reply *reply)
{
	struct domain_lookup *lookup = context;

	lookup->reply = reply;
	lookup->step.run = finish;
	work_give(lookup->domains->settings.work, &lookup->step);
}

static void
begin(struct work_step *step)
{
	struct domain_lookup *lookup = (struct domain_lookup *)step;
	struct domains *domains = lookup->domains;
	char key[DOMAIN_SIZE + 2], name[DOMAIN_SIZE + 6];
	struct memory_value *value;

	/* It may have landed since the caller looked. */
	value = memory_get(domains->settings.memory,
	    domain_key('r', lookup->domain, key, sizeof(key)));
	if (value != NULL) {
		flight_land(lookup->flight, value);
		lookup_free(lookup);
		return;
	}
	if (domain_redis_get(lookup)) {
		atomic_fetch_add(&domains->redis, 1);
		domain_look_at_pin(lookup);
		land(lookup);
		lookup_free(lookup);
		return;
	}
	atomic_fetch_add(&domains->asked, 1);
	snprintf(name, sizeof(name), "_dime.%s", lookup->domain);
	domains->settings.dns.ask(domains->settings.dns.context, name,
	    DNS_TYPE_TXT, dns_answered, lookup);
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
	lookup->source = "network";
	lookup->text = buffer_make(RECORD_TEXT_LIMIT);
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
domains_confirm(struct domains *domains, const struct domain_facts *facts)
{
	struct record *record = malloc(sizeof(*record));

	if (record != NULL && !facts->from_pin &&
	    record_parse(facts->record, record, NULL, NULL, NULL) == 0)
		domain_set_pin(domains, facts->organization,
		    domain_pin_time(domains, record, facts->secure),
		    facts->secure, facts->record);
	free(record);
}

int
domains_forget(struct domains *domains, const char *domain)
{
	const int err = state_forget_pin(domains->settings.state, domain);
	char key[DOMAIN_SIZE + 2];

	domain_redis_drop(domains, domain);
	memory_drop(domains->settings.memory,
	    domain_key('r', domain, key, sizeof(key)));
	domains->settings.dns.forget(domains->settings.dns.context);
	return err;
}

void
domains_count(struct domains *domains, struct domains_counters *out)
{
	out->asked = atomic_load(&domains->asked);
	out->redis = atomic_load(&domains->redis);
	for (size_t i = 0; i < DNS_ANSWERS; i++)
		out->answers[i] = atomic_load(&domains->answers[i]);
}
