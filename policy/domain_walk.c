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

/* Whether the part at `index` has a record that applies to the domain. */
static bool
applies(const struct domain_lookup *lookup, size_t index)
{
	return has_record(lookup->parts[index]) &&
	    (lookup->parts[index]->subdomain != RECORD_SUB_EXPLICIT ||
	        index + 1 == lookup->name_count);
}

/*
 * The most specific record that the walk came upon, or NULL where that does not
 * apply. One that says explicit and may be forged, as nothing confirms it, does
 * not undo what was confirmed: naked mail must not come of it. What its name's
 * pin remembers counts in its place, *pinned being its index then, or a
 * confirmed record above it.
 */
static const struct domain_facts *
find_governing(const struct domain_lookup *lookup, size_t *pinned)
{
	const struct domain_facts *part;
	bool doubtful = false;

	for (size_t i = lookup->part_count; i-- > 0;) {
		part = lookup->parts[i];
		if (!has_record(part) ||
		    (doubtful && !part->confirmed && part->pinned_until == 0))
			continue;
		if (applies(lookup, i) && (part->confirmed || !doubtful))
			return part;
		if (part->confirmed)
			return NULL;
		doubtful = true;
		if (part->pinned_until > 0) {
			*pinned = i;
			return NULL;
		}
	}
	return NULL;
}

/* The pin of the name at `index` in place of what DNS says there; NULL when it
 * leaves the domain alone, too. */
static const struct domain_facts *
govern_by_pin(struct domain_lookup *lookup, size_t index)
{
	const struct domain_facts *part = lookup->parts[index];

	domain_start_finding(lookup, lookup->names[index]);
	lookup->finding.dns = DNS_ABSENT_INSECURE;
	lookup->finding.expires = part->value.expires;
	domain_look_at_pin(lookup);
	return lookup->finding.text.length > 0 &&
	        lookup->record->subdomain != RECORD_SUB_EXPLICIT
	    ? domain_facts_new(lookup, lookup->domain, lookup->name)
	    : NULL;
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

/*
 * The policy that a record binds the domain to. One that may be forged does not
 * loosen what a confirmed one says that would apply without it, even if it says
 * that nothing below counts.
 */
static enum record_policy
find_least_policy(const struct domain_lookup *lookup,
    const struct domain_facts *governing)
{
	enum record_policy least = governing->policy;

	if (governing->confirmed || governing->secure)
		return least;
	for (size_t i = 0; i < lookup->part_count; i++) {
		const struct domain_facts *part = lookup->parts[i];

		if ((part->confirmed || part->secure) && applies(lookup, i) &&
		    part->policy > least)
			least = part->policy;
	}
	for (size_t i = lookup->part_count; i < lookup->name_count; i++) {
		const enum record_policy pinned = domain_pinned_policy(lookup,
		    lookup->names[i]);

		if (pinned > least)
			least = pinned;
	}
	return least;
}

/* The facts of another name's record, for the domain asked for. */
static void
take_record(const struct domain_lookup *lookup, struct domain_finding *finding,
    const struct domain_facts *from)
{
	const char *domain = lookup->domain;

	take_answer(finding, from, domain);
	finding->source = from->source;
	finding->secure = from->secure;
	finding->from_pin = from->from_pin;
	finding->confirmed = from->confirmed;
	finding->least = find_least_policy(lookup, from);
	finding->pinned_until = from->pinned_until;
	buffer_append_span(&finding->text, from->record);
}

/* A record that stands in for what DNS does not say, or NULL. */
static const struct domain_facts *
stand_in(struct domain_lookup *lookup, size_t pinned)
{
	if (is_broken(lookup->parts[lookup->part_count - 1]))
		return look_at_pins_below(lookup);
	return pinned < lookup->part_count ? govern_by_pin(lookup, pinned)
	                                   : NULL;
}

static const struct domain_facts *
conclude(struct domain_lookup *lookup)
{
	const struct domain_facts *last =
	    lookup->parts[lookup->part_count - 1];
	const struct domain_facts *governing = NULL, *found;
	struct domain_finding *finding = &lookup->finding;
	size_t pinned = SIZE_MAX;

	/* The commonest: a domain that is its own organization. */
	if (lookup->name_count == 1)
		return hold(last);
	if (!is_broken(last))
		governing = find_governing(lookup, &pinned);
	if (governing == NULL && (found = stand_in(lookup, pinned)) != NULL)
		return found;
	domain_start_finding(lookup, lookup->domain);
	finding->source = last->source;
	finding->expires = earliest_expiry(lookup);
	if (governing != NULL)
		take_record(lookup, finding, governing);
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
