/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "policy/domain_private.h"

enum {
	NAME_LIMIT = 253, /* octets of a name that DNS can hold */
	SYNTAX_TTL = 3600,
};

/* Where a record may stand, in the order of asking (R1). */
enum place { PLACE_TYPE, PLACE_DIME, PLACE_DX, PLACES };

static bool
is_asked(const struct domain_lookup *lookup, unsigned int place)
{
	const struct domains_settings *settings = &lookup->domains->settings;

	return place == PLACE_DIME ||
	    (place == PLACE_TYPE && settings->record_type != 0) ||
	    (place == PLACE_DX && settings->dx_records);
}

/* In the resolver's thread, which must not block. */
static void
dns_answered(void *context, struct dns_reply *reply)
{
	struct domain_lookup *lookup = context;

	lookup->reply = reply;
	work_give(lookup->domains->settings.work, &lookup->step);
}

/* No zone can hold a record at a name that is too long. */
static void
answer_too_long(struct domain_lookup *lookup)
{
	struct dns_reply *reply = dns_reply_new(DNS_ABSENT_PROVEN, "");

	if (reply != NULL)
		reply->ttl = SYNTAX_TTL;
	dns_answered(lookup, reply);
}

static void
ask_here(struct domain_lookup *lookup)
{
	static const char *const prefixes[PLACES] = {[PLACE_TYPE] = "",
	    [PLACE_DIME] = "_dime.", [PLACE_DX] = "_dx."};
	const struct domains_settings *settings = &lookup->domains->settings;
	char name[DOMAIN_SIZE + 8];
	int length;

	length = snprintf(name, sizeof(name), "%s%s",
	    prefixes[lookup->place], lookup->name);
	if (length > NAME_LIMIT) {
		answer_too_long(lookup);
		return;
	}
	atomic_fetch_add(&lookup->domains->asked, 1);
	settings->dns.ask(settings->dns.context, name,
	    lookup->place == PLACE_TYPE ? settings->record_type : DNS_TYPE_TXT,
	    dns_answered, lookup);
}

static bool
go_to_place(struct domain_lookup *lookup, unsigned int place)
{
	while (place < PLACES && !is_asked(lookup, place))
		place++;
	lookup->place = place;
	return place < PLACES;
}

void
domain_ask(struct domain_lookup *lookup, void (*done)(struct work_step *step))
{
	lookup->step.run = done;
	lookup->before = (struct domain_finding){.dns = DNS_ABSENT_PROVEN,
	    .expires = INT64_MAX};
	go_to_place(lookup, PLACE_TYPE);
	ask_here(lookup);
}

/* There is none only where no place has it: a failure anywhere is doubt, and
 * one insecure answer makes the absence insecure. */
static void
take_earlier_into_account(struct domain_lookup *lookup)
{
	struct domain_finding *finding = &lookup->finding;
	const struct domain_finding *before = &lookup->before;

	if (domain_is_present(finding->dns) || finding->err != 0)
		return;
	if (before->err != 0) {
		finding->dns = before->dns;
		finding->err = before->err;
		memcpy(finding->reason, before->reason,
		    sizeof(finding->reason));
	} else if (before->dns == DNS_ABSENT_INSECURE &&
	    finding->dns == DNS_ABSENT_PROVEN) {
		finding->dns = DNS_ABSENT_INSECURE;
	}
	if (before->expires < finding->expires)
		finding->expires = before->expires;
}

/* A type that a server does not know may fail (Part 4); `_dx`, the last resort,
 * is for what is known not to be at `_dime`. */
static bool
goes_on(const struct domain_lookup *lookup)
{
	if (domain_is_absent(lookup->finding.dns))
		return true;
	return lookup->place == PLACE_TYPE &&
	    (lookup->finding.dns == DNS_BOGUS ||
	        lookup->finding.dns == DNS_UNREACHABLE);
}

bool
domain_ask_further(struct domain_lookup *lookup)
{
	take_earlier_into_account(lookup);
	if (!goes_on(lookup) || !go_to_place(lookup, lookup->place + 1))
		return false;
	lookup->before = lookup->finding;
	lookup->before.text = (struct buffer){0};
	ask_here(lookup);
	return true;
}
