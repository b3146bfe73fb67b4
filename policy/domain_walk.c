/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "policy/domain_private.h"
#include "policy/suffix.h"

/*
 * Part 4, "Location": from the organizational domain to the one asked for. The
 * most specific record governs, unless one above it is strict. Where the domain
 * has none of its own, the nearest above applies, unless that is explicit.
 */

/* ---- which names ---- */

/* The name that is one label longer than `name`, within `domain`. */
static const char *
longer(const char *domain, const char *name)
{
	name -= 2;
	while (name > domain && name[-1] != '.')
		name--;
	return name;
}

void
domain_walk_plan(struct domain_lookup *lookup)
{
	const char *name = suffixes_organization(
	    lookup->domains->settings.suffixes, lookup->domain);

	lookup->name_count = 0;
	while (name > lookup->domain && lookup->name_count < DOMAIN_WALK - 1) {
		lookup->names[lookup->name_count++] = name;
		name = longer(lookup->domain, name);
	}
	lookup->names[lookup->name_count++] = lookup->domain;
}

/* ---- what they come to ---- */

static bool
has_record(const struct domain_facts *part)
{
	return part->record.length > 0;
}

/* Nothing is known of what is below a name that could not be asked. */
static bool
is_broken(const struct domain_facts *part)
{
	return part->err != 0 && !has_record(part);
}

static bool
is_strict(const struct domain_facts *part)
{
	return has_record(part) && part->subdomain == RECORD_SUB_STRICT;
}

bool
domain_walk_is_over(const struct domain_lookup *lookup)
{
	const struct domain_facts *last =
	    lookup->parts[lookup->part_count - 1];

	return lookup->part_count == lookup->name_count || is_strict(last) ||
	    is_broken(last);
}

/* What DNS said of a part, and which name that was. */
static void
take_answer(struct domain_finding *finding, const struct domain_facts *part,
    const char *domain)
{
	struct fault fault;

	finding->dns = part->dns;
	finding->err = part->err;
	finding->reason[0] = '\0';
	if (part->err == 0)
		return;
	fault_set(&fault, part->err, "%s", part->reason);
	if (strcmp(part->domain, domain) != 0)
		fault_wrap(&fault, "%s", part->domain);
	memcpy(finding->reason, fault.text, sizeof(finding->reason));
}

/*
 * Below a name that could not be asked pins alone count: a strict one, or the
 * domain's own. What lies above does not: the domain may have a record of its
 * own, and its mail is not for another to read.
 */
static const struct domain_facts *
look_at_pins_below(struct domain_lookup *lookup)
{
	const struct domain_facts *failed =
	    lookup->parts[lookup->part_count - 1];
	struct domain_finding *finding = &lookup->finding;

	for (size_t i = lookup->part_count; i < lookup->name_count; i++) {
		domain_start_finding(lookup, lookup->names[i]);
		take_answer(finding, failed, lookup->domain);
		finding->expires = failed->value.expires;
		domain_look_at_pin(lookup);
		if (finding->text.length > 0 &&
		    (i + 1 == lookup->name_count ||
		        lookup->record->subdomain == RECORD_SUB_STRICT))
			return domain_facts_new(lookup, lookup->domain,
			    lookup->name);
	}
	return NULL;
}

/* The most specific record that the walk came upon, or NULL. */
static const struct domain_facts *
find_governing(const struct domain_lookup *lookup)
{
	const struct domain_facts *nearest = NULL;
	size_t at = 0;

	for (size_t i = 0; i < lookup->part_count; i++) {
		if (has_record(lookup->parts[i])) {
			nearest = lookup->parts[i];
			at = i;
		}
	}
	if (nearest != NULL && nearest->subdomain == RECORD_SUB_EXPLICIT &&
	    at + 1 < lookup->name_count)
		return NULL;
	return nearest;
}

static int64_t
earliest_expiry(const struct domain_lookup *lookup)
{
	int64_t expires = INT64_MAX;

	for (size_t i = 0; i < lookup->part_count; i++)
		expires = domain_between(INT64_MIN, expires,
		    lookup->parts[i]->value.expires);
	return expires;
}

static bool
is_insecure(enum dns_answer dns)
{
	return dns == DNS_PRESENT_INSECURE || dns == DNS_ABSENT_INSECURE;
}

/* That there is no record is proven where every answer was, and not known where
 * one failed, even if a pin stood in for it. */
static void
conclude_absence(struct domain_lookup *lookup, struct domain_finding *finding)
{
	finding->dns = DNS_ABSENT_PROVEN;
	for (size_t i = 0; i < lookup->part_count; i++) {
		const struct domain_facts *part = lookup->parts[i];

		if (finding->err == 0 && part->err != 0)
			take_answer(finding, part, lookup->domain);
		else if (finding->err == 0 && is_insecure(part->dns))
			finding->dns = DNS_ABSENT_INSECURE;
	}
}

static const struct domain_facts *
hold(const struct domain_facts *facts)
{
	return (const struct domain_facts *)memory_hold(
	    (struct memory_value *)(uintptr_t)&facts->value);
}

/* The facts of another name's record, for the domain asked for. */
static void
take_record(struct domain_finding *finding, const struct domain_facts *from,
    const char *domain)
{
	take_answer(finding, from, domain);
	finding->source = from->source;
	finding->secure = from->secure;
	finding->from_pin = from->from_pin;
	finding->pinned_until = from->pinned_until;
	buffer_append_span(&finding->text, from->record);
}

static const struct domain_facts *
conclude(struct domain_lookup *lookup)
{
	const struct domain_facts *last =
	    lookup->parts[lookup->part_count - 1];
	const struct domain_facts *governing;
	struct domain_finding *finding = &lookup->finding;

	/* The commonest: a domain that is its own organization. */
	if (lookup->name_count == 1)
		return hold(last);
	if (is_broken(last)) {
		governing = look_at_pins_below(lookup);
		if (governing != NULL)
			return governing;
	}
	governing = is_broken(last) ? NULL : find_governing(lookup);
	domain_start_finding(lookup, lookup->domain);
	finding->source = last->source;
	finding->expires = earliest_expiry(lookup);
	if (governing != NULL)
		take_record(finding, governing, lookup->domain);
	else
		conclude_absence(lookup, finding);
	if (finding->text.length > 0 &&
	    !domain_lookup_parse(lookup, buffer_span(&finding->text)))
		return NULL;
	return domain_facts_new(lookup, lookup->domain,
	    governing == NULL ? lookup->domain : governing->organization);
}

struct memory_value *
domain_walk_conclude(struct domain_lookup *lookup)
{
	const struct domain_facts *facts = conclude(lookup);

	return facts == NULL ? NULL
	                     : (struct memory_value *)(uintptr_t)&facts->value;
}
