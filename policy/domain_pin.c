/* SPDX-License-Identifier: BSD-2-Clause */
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

int
domain_set_pin(struct domains *domains, const char *domain, int64_t until,
    bool secure, struct span text)
{
	const int err = state_set_pin(domains->settings.state, domain, until,
	    secure, text);
	struct log_line line;

	if (err == 0)
		return 0;
	log_begin(&line, LOG_WARNING, "pin-not-kept");
	log_text(&line, "domain", domain);
	log_end(&line);
	return err;
}

static void
use_pin(struct domain_lookup *lookup, const struct state_pin *pin)
{
	struct log_line line;

	if (!domain_lookup_parse(lookup, buffer_span(&pin->record)))
		return;
	buffer_append_span(&lookup->text, buffer_span(&pin->record));
	lookup->from_pin = true;
	lookup->secure = pin->secure;
	lookup->source = "pin";
	if (!domain_is_absent(lookup->dns))
		return;
	/* Either the domain has left DIME before its own time, or somebody
	 * wants us to believe so. */
	log_begin(&line, LOG_WARNING, "record-gone");
	log_text(&line, "domain", lookup->domain);
	log_text(&line, "dns", dns_answer_name(lookup->dns));
	log_number(&line, "pinned_until", pin->until);
	log_end(&line);
}

void
domain_look_at_pin(struct domain_lookup *lookup)
{
	struct state_pin pin = {.record = buffer_make(RECORD_TEXT_LIMIT)};
	bool found = false;
	int err;

	err = state_get_pin(lookup->domains->settings.state, lookup->domain,
	    &found, &pin);
	if (err != 0 && !domain_is_present(lookup->dns)) {
		/* Whether there is a pin is not known, hence nothing is. */
		domain_lookup_fail(lookup, DNS_UNREACHABLE, err,
		    "state database: whether the domain is pinned is unknown");
		lookup->expires =
		    clock_wall(lookup->domains->settings.clock) +
		    DOMAIN_FAILURE_SECONDS;
	}
	if (err == 0 && found) {
		lookup->pinned_until = pin.until;
		if (!domain_is_present(lookup->dns))
			use_pin(lookup, &pin);
	}
	buffer_free(&pin.record);
}

