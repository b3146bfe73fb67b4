/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/cursor.h"
#include "policy/domain_private.h"

enum {
	DAY = 86400,
	/* What stands before the text of a record: DNS's answer and the purge
	 * time of the pin that the record set. */
	HEADER = 1 + 8,
};

static const char kind[] = "r";

void
domain_redis_put(const struct domain_lookup *lookup)
{
	struct buffer payload =
	    buffer_make(HEADER + RECORD_TEXT_LIMIT);

	buffer_u8(&payload, (uint8_t)lookup->dns);
	buffer_u64(&payload, (uint64_t)lookup->pinned_until);
	if (domain_is_present(lookup->dns))
		buffer_append_span(&payload, buffer_span(&lookup->text));
	if (payload.error == 0)
		cache_put(lookup->domains->settings.cache, kind,
		    span_string(lookup->domain), buffer_span(&payload),
		    lookup->expires);
	buffer_free(&payload);
}

/* The MAC says that a node of ours wrote it; all else is read as if it did not.
 */
static bool
redis_read(struct domain_lookup *lookup, struct span payload, int64_t expires)
{
	struct cursor cursor = cursor_start(payload);
	const uint8_t dns = cursor_u8(&cursor);
	const uint64_t pinned_until = cursor_u64(&cursor);
	const struct clock *clock = lookup->domains->settings.clock;

	if (cursor.failed || dns >= DNS_ANSWERS ||
	    pinned_until > INT64_MAX / 2 ||
	    (!domain_is_present((enum dns_answer)dns) &&
	        !domain_is_absent((enum dns_answer)dns)) ||
	    domain_is_present((enum dns_answer)dns) != (cursor.rest.length > 0))
		return false;
	if (cursor.rest.length > 0 && !domain_lookup_parse(lookup, cursor.rest))
		return false;
	lookup->dns = (enum dns_answer)dns;
	lookup->secure = dns == DNS_PRESENT_SECURE;
	lookup->source = "redis";
	lookup->expires = domain_between(0, expires,
	    clock_wall(clock) + DOMAIN_TTL_MOST);
	buffer_append_span(&lookup->text, cursor.rest);
	/* Another node has seen the record; here the pin is to hold as well. */
	if (lookup->secure && pinned_until > 0)
		domain_set_pin(lookup->domains, lookup->domain,
		    domain_between(0, (int64_t)pinned_until,
		        clock_wall(clock) + DOMAIN_PIN_DAYS_SECURE * DAY),
		    true, cursor.rest);
	return true;
}

bool
domain_redis_get(struct domain_lookup *lookup)
{
	struct buffer payload =
	    buffer_make(HEADER + RECORD_TEXT_LIMIT);
	int64_t expires;
	bool found;

	found = lookup->domains->settings.cache != NULL &&
	    cache_get(lookup->domains->settings.cache, kind,
	        span_string(lookup->domain), &payload, &expires) &&
	    redis_read(lookup, buffer_span(&payload), expires);
	buffer_free(&payload);
	return found;
}

void
domain_redis_drop(struct domains *domains, const char *domain)
{
	if (domains->settings.cache != NULL)
		cache_delete(domains->settings.cache, kind,
		    span_string(domain));
}
