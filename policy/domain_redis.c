/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/cursor.h"
#include "policy/ahead.h"
#include "policy/domain_private.h"

enum {
	DAY = 86400,
	/* What stands before the text of a record: DNS's answer, flags, and
	 * when the pin runs out. The text is DNS's, or the pin's where DNS says
	 * that there is none. */
	HEADER = 1 + 1 + 8,
};

enum flag {
	FLAG_SECURE = 1, /* the record, or the pin that stands in for it */
	FLAG_PINNED = 2, /* the pin remembers this very text */
	FLAGS = 3,
};

static const char kind[] = "r";

void
domain_stored_write(const struct domain_stored *stored, struct buffer *out)
{
	buffer_u8(out, (uint8_t)stored->dns);
	buffer_u8(out, (uint8_t)stored->flags);
	buffer_u64(out, (uint64_t)stored->pinned_until);
	buffer_append_span(out, stored->text);
}

static void
put(struct domains *domains, const char *name, enum dns_answer dns,
    unsigned int flags, int64_t pinned_until, struct span text,
    int64_t expires)
{
	const struct domain_stored stored = {dns, flags, pinned_until, text};
	struct buffer payload =
	    buffer_make(HEADER + RECORD_TEXT_LIMIT);

	if (domains->settings.cache == NULL)
		return;
	domain_stored_write(&stored, &payload);
	if (payload.error == 0)
		cache_put(domains->settings.cache, kind, span_string(name),
		    buffer_span(&payload), expires);
	buffer_free(&payload);
}

static unsigned int
flags_of(bool secure, bool pinned)
{
	return (secure ? FLAG_SECURE : 0) | (pinned ? FLAG_PINNED : 0);
}

void
domain_redis_put(const struct domain_lookup *lookup)
{
	const struct domain_finding *finding = &lookup->finding;

	put(lookup->domains, lookup->name, finding->dns,
	    flags_of(finding->secure, finding->confirmed),
	    finding->pinned_until, buffer_span(&finding->text),
	    finding->expires);
}

void
domain_redis_confirm(struct domains *domains, const struct domain_facts *facts,
    int64_t pinned_until)
{
	if (domain_is_present(facts->dns))
		put(domains, facts->organization, facts->dns,
		    flags_of(facts->secure, true), pinned_until,
		    facts->record, facts->value.expires);
}

bool
domain_stored_read(struct span payload, struct domain_stored *stored)
{
	struct cursor cursor = cursor_start(payload);
	const uint8_t dns = cursor_u8(&cursor);
	const uint8_t flags = cursor_u8(&cursor);
	const uint64_t pinned_until = cursor_u64(&cursor);
	const bool secure = (flags & FLAG_SECURE) != 0;

	if (cursor.failed || dns >= DNS_ANSWERS || flags > FLAGS ||
	    pinned_until > INT64_MAX / 2)
		return false;
	*stored = (struct domain_stored){(enum dns_answer)dns, flags,
	    (int64_t)pinned_until, cursor.rest};
	if (domain_is_present(stored->dns))
		return cursor.rest.length > 0 &&
		    secure == (stored->dns == DNS_PRESENT_SECURE);
	return domain_is_absent(stored->dns) &&
	    (cursor.rest.length > 0) == (pinned_until > 0);
}

/* Another node has seen the record that set it; here it is to hold as well. The
 * text may be newer than the pin: then nothing confirms it. */
static int
take_pin(struct domain_lookup *lookup, const struct domain_stored *stored)
{
	const bool secure = (stored->flags & FLAG_SECURE) != 0;
	const int64_t days = secure ? DOMAIN_PIN_DAYS_SECURE
	                            : DOMAIN_PIN_DAYS_INSECURE;

	if ((stored->flags & FLAG_PINNED) == 0 || stored->text.length == 0 ||
	    stored->pinned_until == 0)
		return 0;
	return domain_adopt_pin(lookup->domains, lookup->name,
	    domain_between(0, stored->pinned_until,
	        clock_wall(lookup->domains->settings.clock) + days * DAY),
	    secure, stored->text);
}

static bool
redis_read(struct domain_lookup *lookup, struct span payload, int64_t expires)
{
	const struct clock *clock = lookup->domains->settings.clock;
	struct domain_finding *finding = &lookup->finding;
	struct domain_stored stored;
	int err;

	if (!domain_stored_read(payload, &stored) ||
	    (stored.text.length > 0 &&
	        !domain_lookup_parse(lookup, stored.text)))
		return false;
	finding->dns = stored.dns;
	finding->source = "redis";
	finding->expires = domain_between(0, expires,
	    clock_wall(clock) + (domain_is_absent(stored.dns)
	                                ? DOMAIN_TTL_ABSENT_MOST
	                                : DOMAIN_TTL_MOST));
	err = take_pin(lookup, &stored);
	if (domain_is_present(stored.dns)) {
		finding->secure = stored.dns == DNS_PRESENT_SECURE;
		buffer_append_span(&finding->text, stored.text);
	} else if (err != 0) {
		/* Or the absence would count where the pin does not. */
		domain_lookup_fail(lookup, DNS_UNREACHABLE, err,
		    "state database: a pin of the domain cannot be kept");
		finding->expires = clock_wall(clock) + DOMAIN_FAILURE_SECONDS;
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

	found = ahead_get(lookup->domains->settings.memory,
	            lookup->domains->settings.cache, kind,
	            span_string(lookup->name), &payload, &expires) &&
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
