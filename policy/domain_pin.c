/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/log.h"
#include "policy/domain_private.h"

enum { DAY = 86400 };

int64_t
domain_pin_time(const struct domains *domains, const struct record *record,
    bool secure)
{
	const int64_t most =
	    secure ? DOMAIN_PIN_DAYS_SECURE : DOMAIN_PIN_DAYS_INSECURE;

	return clock_wall(domains->settings.clock) +
	    domain_between(1, record->expiry, most) * DAY;
}

static int
note_result(int err, const char *domain)
{
	struct log_line line;

	if (err == 0)
		return 0;
	log_begin(&line, LOG_WARNING, "pin-not-kept");
	log_text(&line, "domain", domain);
	log_end(&line);
	return err;
}

int
domain_set_pin(struct domains *domains, const char *domain, int64_t until,
    bool secure, struct span text)
{
	return note_result(state_set_pin(domains->settings.state, domain, until,
	                       secure, text), domain);
}

int
domain_adopt_pin(struct domains *domains, const char *domain, int64_t until,
    bool secure, struct span text)
{
	return note_result(state_adopt_pin(domains->settings.state, domain,
	                       until, secure, text), domain);
}

/* Either the domain has left DIME before its own time, or somebody wants us to
 * believe so. */
static void
note_forced_absence(const struct domain_lookup *lookup,
    const struct state_pin *pin)
{
	struct log_line line;

	atomic_fetch_add(&lookup->domains->forced, 1);
	log_begin(&line, LOG_WARNING, "record-gone");
	log_text(&line, "domain", lookup->name);
	log_text(&line, "dns", dns_answer_name(lookup->finding.dns));
	log_text(&line, "source", lookup->finding.source);
	log_number(&line, "pinned_until", pin->until);
	log_text(&line, "text", "possible attack: DNS denies a record that is "
	                        "pinned; mail stays DIME");
	log_end(&line);
}

static void
use_pin(struct domain_lookup *lookup, const struct state_pin *pin)
{
	struct domain_finding *finding = &lookup->finding;

	if (domain_is_absent(finding->dns))
		note_forced_absence(lookup, pin);
	if (!domain_lookup_parse(lookup, buffer_span(&pin->record)))
		return;
	buffer_append_span(&finding->text, buffer_span(&pin->record));
	finding->from_pin = true;
	finding->secure = pin->secure;
	finding->source = "pin";
	/* Afterwards nothing follows from it. */
	finding->expires = domain_between(0, finding->expires, pin->until);
}

/* Whether a pin would decide: where there is no record, or one that may be
 * forged takes what is below it out from under those above. */
static bool
depends_on_pin(const struct domain_lookup *lookup)
{
	const struct domain_finding *finding = &lookup->finding;

	return !domain_is_present(finding->dns) ||
	    (!finding->secure &&
	        lookup->record->subdomain == RECORD_SUB_EXPLICIT);
}

/* What the pin says is not known, and hence nothing is. */
static void
lack_pin(struct domain_lookup *lookup, int err, const char *reason)
{
	struct domain_finding *finding = &lookup->finding;

	buffer_reset(&finding->text);
	domain_lookup_fail(lookup, DNS_UNREACHABLE, err, reason);
	finding->expires = clock_wall(lookup->domains->settings.clock) +
	    DOMAIN_FAILURE_SECONDS;
}

/* The policy that the pin remembers binds until what took its record's place is
 * confirmed. False when that cannot be read. */
static bool
bind_policy(struct domain_lookup *lookup, const struct state_pin *pin)
{
	struct record *record = malloc(sizeof(*record));
	const bool good = record != NULL &&
	    record_parse(buffer_span(&pin->record), record, NULL, NULL, NULL) ==
	        0;

	lookup->finding.least = good ? record->policy : RECORD_STRICT;
	free(record);
	return good;
}

/* What the pin means beside what DNS says. */
static void
heed_pin(struct domain_lookup *lookup, const struct state_pin *pin)
{
	struct domain_finding *finding = &lookup->finding;

	finding->pinned_until = pin->until;
	if (!domain_is_present(finding->dns))
		use_pin(lookup, pin);
	finding->confirmed = span_equal(buffer_span(&finding->text),
	    buffer_span(&pin->record));
	if (!finding->confirmed && !finding->secure &&
	    !bind_policy(lookup, pin) && finding->err == 0 &&
	    depends_on_pin(lookup))
		lack_pin(lookup, ERR_RECORD,
		    "state database: the pin's record cannot be read");
}

void
domain_look_at_pin(struct domain_lookup *lookup)
{
	struct state_pin pin = {.record = buffer_make(RECORD_TEXT_LIMIT)};
	bool found = false;
	int err;

	err = state_get_pin(lookup->domains->settings.state, lookup->name,
	    &found, &pin);
	if (err != 0 && depends_on_pin(lookup))
		lack_pin(lookup, err,
		    "state database: whether the domain is pinned is unknown");
	if (err == 0 && found)
		heed_pin(lookup, &pin);
	buffer_free(&pin.record);
}

enum record_policy
domain_pinned_policy(const struct domain_lookup *lookup, const char *name)
{
	struct state_pin pin = {.record = buffer_make(RECORD_TEXT_LIMIT)};
	struct record *record = malloc(sizeof(*record));
	enum record_policy policy = RECORD_LEGACY;
	bool found = false;

	if (record != NULL &&
	    state_get_pin(lookup->domains->settings.state, name, &found,
	        &pin) == 0 &&
	    found &&
	    record_parse(buffer_span(&pin.record), record, NULL, NULL, NULL) ==
	        0 &&
	    (record->subdomain != RECORD_SUB_EXPLICIT ||
	        name == lookup->domain))
		policy = record->policy;
	buffer_free(&pin.record);
	free(record);
	return policy;
}
