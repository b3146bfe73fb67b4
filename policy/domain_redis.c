/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/cursor.h"
#include "policy/domain_private.h"

enum {
	DAY = 86400,
	/* What stands before the text of a record: DNS's answer, and whether
	 * the pin is a secure one and when it runs out. The text is DNS's, or
	 * the pin's where DNS says that there is none. */
	HEADER = 1 + 1 + 8,
};

static const char kind[] = "r";

void
domain_redis_put(const struct domain_lookup *lookup)
{
	struct buffer payload =
	    buffer_make(HEADER + RECORD_TEXT_LIMIT);

	buffer_u8(&payload, (uint8_t)lookup->dns);
	buffer_u8(&payload, lookup->secure);
	buffer_u64(&payload, (uint64_t)lookup->pinned_until);
	buffer_append_span(&payload, buffer_span(&lookup->text));
	if (payload.error == 0)
		cache_put(lookup->domains->settings.cache, kind,
		    span_string(lookup->domain), buffer_span(&payload),
		    lookup->expires);
	buffer_free(&payload);
}

struct stored {
	enum dns_answer dns;
	bool secure;
	int64_t pinned_until;
	struct span text;
};

/* The MAC says that a node of ours wrote it; all else is read as if it did not.
 */
static bool
read_stored(struct span payload, struct stored *stored)
{
	struct cursor cursor = cursor_start(payload);
	const uint8_t dns = cursor_u8(&cursor);
	const uint8_t secure = cursor_u8(&cursor);
	const uint64_t pinned_until = cursor_u64(&cursor);

	if (cursor.failed || dns >= DNS_ANSWERS || secure > 1 ||
	    pinned_until > INT64_MAX / 2)
		return false;
	*stored = (struct stored){(enum dns_answer)dns, secure == 1,
	    (int64_t)pinned_until, cursor.rest};
	if (domain_is_present(stored->dns))
		return cursor.rest.length > 0 &&
		    stored->secure == (stored->dns == DNS_PRESENT_SECURE);
	return domain_is_absent(stored->dns) &&
	    (cursor.rest.length > 0) == (pinned_until > 0);
}

/* Another node has seen the record that set it; here it is to hold as well. An
 * unsigned record's text may be newer than the pin, and nothing confirms it. */
static int
take_pin(struct domain_lookup *lookup, const struct stored *stored)
{
	const int64_t days = stored->secure ? DOMAIN_PIN_DAYS_SECURE
	                                    : DOMAIN_PIN_DAYS_INSECURE;

	if (stored->dns == DNS_PRESENT_INSECURE || stored->text.length == 0 ||
	    stored->pinned_until == 0)
		return 0;
	return domain_set_pin(lookup->domains, lookup->domain,
	    domain_between(0, stored->pinned_until,
	        clock_wall(lookup->domains->settings.clock) + days * DAY),
	    stored->secure, stored->text);
}

static bool
redis_read(struct domain_lookup *lookup, struct span payload, int64_t expires)
{
	const struct clock *clock = lookup->domains->settings.clock;
	struct stored stored;
	int err;

	if (!read_stored(payload, &stored) ||
	    (stored.text.length > 0 &&
	        !domain_lookup_parse(lookup, stored.text)))
		return false;
	lookup->dns = stored.dns;
	lookup->source = "redis";
	lookup->expires = domain_between(0, expires,
	    clock_wall(clock) + DOMAIN_TTL_MOST);
	err = take_pin(lookup, &stored);
	if (domain_is_present(stored.dns)) {
		lookup->secure = stored.secure;
		buffer_append_span(&lookup->text, stored.text);
	} else if (err != 0) {
		/* Or the absence would count where the pin does not. */
		domain_lookup_fail(lookup, DNS_UNREACHABLE, err,
		    "state database: a pin of the domain cannot be kept");
		lookup->expires = clock_wall(clock) + DOMAIN_FAILURE_SECONDS;
	}
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
