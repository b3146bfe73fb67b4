/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "base/log.h"
#include "policy/domain.h"
#include "policy/flight.h"

enum {
	IN_THE_AIR = 20000,
	DAY = 86400,
	/* What stands before the text of a record in Redis: DNS's answer and the
	 * purge time of the pin that the record set. */
	REDIS_HEADER = 1 + 8,
};

static const char redis_kind[] = "r";

struct domains {
	struct domains_settings settings;
	struct flights *flights;
	_Atomic uint64_t asked, redis, answers[DNS_ANSWERS];
};

/* One lookup on its way through the tiers. */
struct lookup {
	struct work_step step; /* first */
	struct domains *domains;
	struct flight *flight;
	struct dns_reply *reply;
	/* What is found out. */
	enum dns_answer dns;
	int err;
	char reason[DNS_REASON_SIZE];
	const char *source;
	bool secure, from_pin;
	int64_t expires;
	int64_t pinned_until;
	struct record *record; /* in force, when `text` is not empty; large, and
	                          therefore there only while it is worked on */
	struct buffer text;
	char domain[DOMAIN_SIZE];
};

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
make_facts(const struct lookup *lookup)
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

static bool
is_present(enum dns_answer dns)
{
	return dns == DNS_PRESENT_SECURE || dns == DNS_PRESENT_INSECURE;
}

static bool
is_absent(enum dns_answer dns)
{
	return dns == DNS_ABSENT_PROVEN || dns == DNS_ABSENT_INSECURE;
}

/* ---- reading what DNS said ---- */

static int64_t
between(int64_t least, int64_t value, int64_t most)
{
	return value < least ? least : value > most ? most : value;
}

/* The strings of a TXT record, joined; false when its lengths do not add up. */
static bool
join_strings(struct span data, struct buffer *out)
{
	while (data.length > 0) {
		const size_t length = data.data[0];

		if (length >= data.length)
			return false;
		buffer_append(out, data.data + 1, length);
		data = span_slice(data, length + 1, data.length);
	}
	return true;
}

static void
set_failure(struct lookup *lookup, enum dns_answer dns, int err,
    const char *reason)
{
	lookup->dns = dns;
	lookup->err = err;
	snprintf(lookup->reason, sizeof(lookup->reason), "%s", reason);
}

/* Leaves the text of the record that is meant in lookup->text. */
static int
choose(struct lookup *lookup, const struct span *texts, size_t count,
    struct fault *fault)
{
	int err = record_choose(texts, count, lookup->record, fault);

	for (size_t i = 0; err == 0 && i < count; i++)
		if (record_is_record(texts[i]))
			buffer_append_span(&lookup->text, texts[i]);
	return err != 0 ? err : lookup->text.error;
}

static bool
has_record_room(struct lookup *lookup)
{
	if (lookup->record == NULL)
		lookup->record = calloc(1, sizeof(*lookup->record));
	return lookup->record != NULL;
}

/* What the TXT records at the name come to: a record, none, or a bad one. */
static void
read_texts(struct lookup *lookup, const struct dns_reply *reply)
{
	const bool secure = reply->answer == DNS_PRESENT_SECURE;
	struct buffer joined = buffer_make((size_t)1 << 20);
	struct span *texts = calloc(reply->count, sizeof(*texts));
	struct fault fault = {0};
	size_t at = 0, count = 0;
	int err = texts == NULL || !has_record_room(lookup) ? ERR_MEMORY : 0;

	/* The buffer moves while it grows: lengths first, places after. */
	for (; err == 0 && count < reply->count; count++) {
		const size_t before = joined.length;

		if (!join_strings(reply->data[count], &joined))
			err = fault_set(&fault, ERR_RECORD,
			    "a TXT record's lengths do not add up");
		else
			texts[count].length = joined.length - before;
	}
	if (err == 0)
		err = joined.error;
	for (size_t i = 0; err == 0 && i < count; i++) {
		texts[i].data = joined.data + at;
		at += texts[i].length;
	}
	if (err == 0)
		err = choose(lookup, texts, count, &fault);
	if (err == ERR_NO_FILE && !secure && !reply->anchored)
		set_failure(lookup, DNS_UNREACHABLE, ERR_DNS,
		    "no trust anchor covers the name, so nothing is proven");
	else if (err == ERR_NO_FILE)
		lookup->dns = secure ? DNS_ABSENT_PROVEN : DNS_ABSENT_INSECURE;
	else if (err == ERR_MEMORY)
		set_failure(lookup, DNS_UNREACHABLE, err, "out of memory");
	else if (err != 0)
		set_failure(lookup, DNS_MALFORMED, ERR_RECORD,
		    fault_text(&fault, err));
	else
		lookup->secure = secure;
	if (err != 0)
		buffer_reset(&lookup->text);
	free(texts);
	buffer_free(&joined);
}

static void
read_reply(struct lookup *lookup)
{
	const struct dns_reply *reply = lookup->reply;
	int64_t most = DOMAIN_TTL_MOST;

	if (reply == NULL) {
		set_failure(lookup, DNS_UNREACHABLE, ERR_MEMORY,
		    "out of memory");
	} else {
		lookup->dns = reply->answer;
		if (is_present(reply->answer))
			read_texts(lookup, reply);
		else if (reply->answer == DNS_BOGUS)
			set_failure(lookup, DNS_BOGUS, ERR_BOGUS,
			    reply->reason);
		else if (reply->answer == DNS_UNREACHABLE)
			set_failure(lookup, DNS_UNREACHABLE, ERR_DNS,
			    reply->reason);
	}
	if (is_absent(lookup->dns))
		most = DOMAIN_TTL_ABSENT_MOST;
	lookup->expires = clock_wall(lookup->domains->settings.clock) +
	    (lookup->err != 0
	            ? DOMAIN_FAILURE_SECONDS
	            : between(DOMAIN_TTL_LEAST, reply->ttl, most));
}

/* ---- pins ---- */

static int64_t
pin_time(const struct domains *domains, const struct record *record,
    bool secure)
{
	const int64_t most =
	    secure ? DOMAIN_PIN_DAYS_SECURE : DOMAIN_PIN_DAYS_INSECURE;

	return clock_wall(domains->settings.clock) +
	    between(1, record->expiry, most) * DAY;
}

static void
set_pin(struct domains *domains, const char *domain, int64_t until,
    bool secure, struct span text)
{
	struct log_line line;

	if (state_set_pin(domains->settings.state, domain, until, secure,
	        text) == 0)
		return;
	log_begin(&line, LOG_WARNING, "pin-not-kept");
	log_text(&line, "domain", domain);
	log_end(&line);
}

/* The record of the pin comes into force where DNS gives none (R8). */
static void
use_pin(struct lookup *lookup, const struct state_pin *pin)
{
	struct log_line line;

	if (!has_record_room(lookup) ||
	    record_parse(buffer_span(&pin->record), lookup->record, NULL, NULL,
	        NULL) != 0)
		return;
	buffer_append_span(&lookup->text, buffer_span(&pin->record));
	lookup->from_pin = true;
	lookup->secure = pin->secure;
	lookup->source = "pin";
	if (!is_absent(lookup->dns))
		return;
	/* Either the domain has left DIME before its own time, or somebody
	 * wants us to believe so. */
	log_begin(&line, LOG_WARNING, "record-gone");
	log_text(&line, "domain", lookup->domain);
	log_text(&line, "dns", dns_answer_name(lookup->dns));
	log_number(&line, "pinned_until", pin->until);
	log_end(&line);
}

static void
look_at_pin(struct lookup *lookup)
{
	struct state_pin pin = {.record = buffer_make(RECORD_TEXT_LIMIT)};
	bool found = false;
	int err;

	err = state_get_pin(lookup->domains->settings.state, lookup->domain,
	    &found, &pin);
	if (err != 0 && !is_present(lookup->dns)) {
		/* Whether there is a pin is not known, hence nothing is. */
		set_failure(lookup, DNS_UNREACHABLE, err,
		    "state database: whether the domain is pinned is unknown");
		lookup->expires =
		    clock_wall(lookup->domains->settings.clock) +
		    DOMAIN_FAILURE_SECONDS;
	}
	if (err == 0 && found) {
		lookup->pinned_until = pin.until;
		if (!is_present(lookup->dns))
			use_pin(lookup, &pin);
	}
	buffer_free(&pin.record);
}

/* ---- Redis ---- */

static void
redis_put(const struct lookup *lookup)
{
	struct buffer payload =
	    buffer_make(REDIS_HEADER + RECORD_TEXT_LIMIT);

	buffer_u8(&payload, (uint8_t)lookup->dns);
	buffer_u64(&payload, (uint64_t)lookup->pinned_until);
	if (is_present(lookup->dns))
		buffer_append_span(&payload, buffer_span(&lookup->text));
	if (payload.error == 0)
		cache_put(lookup->domains->settings.cache, redis_kind,
		    span_string(lookup->domain), buffer_span(&payload),
		    lookup->expires);
	buffer_free(&payload);
}

/* The MAC says that a node of ours wrote it; all else is read as if it did not. */
static bool
redis_read(struct lookup *lookup, struct span payload, int64_t expires)
{
	struct cursor cursor = cursor_start(payload);
	const uint8_t dns = cursor_u8(&cursor);
	const uint64_t pinned_until = cursor_u64(&cursor);
	const struct clock *clock = lookup->domains->settings.clock;

	if (cursor.failed || dns >= DNS_ANSWERS ||
	    pinned_until > INT64_MAX / 2 ||
	    (!is_present((enum dns_answer)dns) &&
	        !is_absent((enum dns_answer)dns)) ||
	    is_present((enum dns_answer)dns) != (cursor.rest.length > 0))
		return false;
	if (cursor.rest.length > 0 &&
	    (!has_record_room(lookup) ||
	        record_parse(cursor.rest, lookup->record, NULL, NULL, NULL) !=
	            0))
		return false;
	lookup->dns = (enum dns_answer)dns;
	lookup->secure = dns == DNS_PRESENT_SECURE;
	lookup->source = "redis";
	lookup->expires = between(0, expires,
	    clock_wall(clock) + DOMAIN_TTL_MOST);
	buffer_append_span(&lookup->text, cursor.rest);
	/* Another node has seen the record; here the pin is to hold as well. */
	if (lookup->secure && pinned_until > 0)
		set_pin(lookup->domains, lookup->domain,
		    between(0, (int64_t)pinned_until,
		        clock_wall(clock) + DOMAIN_PIN_DAYS_SECURE * DAY),
		    true, cursor.rest);
	return true;
}

static bool
redis_get(struct lookup *lookup)
{
	struct buffer payload =
	    buffer_make(REDIS_HEADER + RECORD_TEXT_LIMIT);
	int64_t expires;
	bool found;

	found = lookup->domains->settings.cache != NULL &&
	    cache_get(lookup->domains->settings.cache, redis_kind,
	        span_string(lookup->domain), &payload, &expires) &&
	    redis_read(lookup, buffer_span(&payload), expires);
	buffer_free(&payload);
	return found;
}

/* ---- a flight ---- */

static void
lookup_free(struct lookup *lookup)
{
	dns_reply_free(lookup->reply);
	buffer_free(&lookup->text);
	free(lookup->record);
	free(lookup);
}

static void
land(struct lookup *lookup)
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
	struct lookup *lookup = (struct lookup *)step;
	struct domains *domains = lookup->domains;

	read_reply(lookup);
	atomic_fetch_add(&domains->answers[lookup->dns], 1);
	if (lookup->dns == DNS_PRESENT_SECURE)
		set_pin(domains, lookup->domain,
		    pin_time(domains, lookup->record, true), true,
		    buffer_span(&lookup->text));
	look_at_pin(lookup);
	land(lookup);
	if (lookup->err == 0 && domains->settings.cache != NULL)
		redis_put(lookup);
	lookup_free(lookup);
}

/* In the resolver's thread, which must not block. */
static void
dns_answered(void *context, struct dns_reply *reply)
{
	struct lookup *lookup = context;

	lookup->reply = reply;
	lookup->step.run = finish;
	work_give(lookup->domains->settings.work, &lookup->step);
}

static void
begin(struct work_step *step)
{
	struct lookup *lookup = (struct lookup *)step;
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
	if (redis_get(lookup)) {
		atomic_fetch_add(&domains->redis, 1);
		look_at_pin(lookup);
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
	struct lookup *lookup = calloc(1, sizeof(*lookup));

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

void
domains_stop(struct domains *domains)
{
	flights_stop(domains->flights);
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
		set_pin(domains, facts->organization,
		    pin_time(domains, record, facts->secure), facts->secure,
		    facts->record);
	free(record);
}

int
domains_forget(struct domains *domains, const char *domain)
{
	const int err = state_forget_pin(domains->settings.state, domain);
	char key[DOMAIN_SIZE + 2];

	if (domains->settings.cache != NULL)
		cache_delete(domains->settings.cache, redis_kind,
		    span_string(domain));
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
