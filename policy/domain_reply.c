/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "policy/domain_private.h"

bool
domain_is_present(enum dns_answer dns)
{
	return dns == DNS_PRESENT_SECURE || dns == DNS_PRESENT_INSECURE;
}

bool
domain_is_absent(enum dns_answer dns)
{
	return dns == DNS_ABSENT_PROVEN || dns == DNS_ABSENT_INSECURE;
}

/* ---- reading what DNS said ---- */

int64_t
domain_between(int64_t least, int64_t value, int64_t most)
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

void
domain_lookup_fail(struct domain_lookup *lookup, enum dns_answer dns, int err,
    const char *reason)
{
	struct domain_finding *finding = &lookup->finding;
	struct fault fault;

	finding->dns = dns;
	finding->err = fault_set(&fault, err, "%s", reason);
	memcpy(finding->reason, fault.text, sizeof(finding->reason));
}

/* Leaves the text of the record that is meant in the finding. */
static int
choose(struct domain_lookup *lookup, const struct span *texts, size_t count,
    struct fault *fault)
{
	int err = record_choose(texts, count, lookup->record, fault);

	for (size_t i = 0; err == 0 && i < count; i++)
		if (record_is_record(texts[i]))
			buffer_append_span(&lookup->finding.text, texts[i]);
	return err != 0 ? err : lookup->finding.text.error;
}

static bool
has_record_room(struct domain_lookup *lookup)
{
	if (lookup->record == NULL)
		lookup->record = calloc(1, sizeof(*lookup->record));
	return lookup->record != NULL;
}

bool
domain_lookup_parse(struct domain_lookup *lookup, struct span text)
{
	return has_record_room(lookup) &&
	    record_parse(text, lookup->record, NULL, NULL, NULL) == 0;
}

/* What the TXT records at the name come to: a record, none, or a bad one. */
static void
read_texts(struct domain_lookup *lookup, const struct dns_reply *reply)
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
		domain_lookup_fail(lookup, DNS_UNREACHABLE, ERR_DNS,
		    "no trust anchor covers the name, so nothing is proven");
	else if (err == ERR_NO_FILE)
		lookup->finding.dns =
		    secure ? DNS_ABSENT_PROVEN : DNS_ABSENT_INSECURE;
	else if (err == ERR_MEMORY)
		domain_lookup_fail(
		    lookup, DNS_UNREACHABLE, err, "out of memory");
	else if (err != 0)
		domain_lookup_fail(lookup, DNS_MALFORMED, ERR_RECORD,
		    fault_text(&fault, err));
	else
		lookup->finding.secure = secure;
	if (err != 0)
		buffer_reset(&lookup->finding.text);
	free(texts);
	buffer_free(&joined);
}

void
domain_read_reply(struct domain_lookup *lookup)
{
	struct dns_reply *reply = lookup->reply;
	struct domain_finding *finding = &lookup->finding;
	int64_t most = DOMAIN_TTL_MOST, ttl = 0;

	domain_start_finding(lookup, lookup->name);
	if (reply == NULL) {
		domain_lookup_fail(lookup, DNS_UNREACHABLE, ERR_MEMORY,
		    "out of memory");
	} else {
		ttl = reply->ttl;
		finding->dns = reply->answer;
		if (domain_is_present(reply->answer))
			read_texts(lookup, reply);
		else if (reply->answer == DNS_BOGUS)
			domain_lookup_fail(lookup, DNS_BOGUS, ERR_BOGUS,
			    reply->reason);
		else if (reply->answer == DNS_UNREACHABLE)
			domain_lookup_fail(lookup, DNS_UNREACHABLE, ERR_DNS,
			    reply->reason);
	}
	if (domain_is_absent(finding->dns))
		most = DOMAIN_TTL_ABSENT_MOST;
	finding->expires = clock_wall(lookup->domains->settings.clock) +
	    (finding->err != 0 ? DOMAIN_FAILURE_SECONDS
	                       : domain_between(DOMAIN_TTL_LEAST, ttl, most));
	dns_reply_free(reply);
	lookup->reply = NULL;
}
