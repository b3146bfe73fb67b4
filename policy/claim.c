/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "policy/claim.h"

enum {
	/* Seconds. Postfix has 7 minutes to take a message
	 * (dmtpd/postfix.c). */
	CLAIM_SECONDS = 8 * 60,
	KEPT_SECONDS = 30 * 86400, /* D6 */
	NAME_SIZE = SIGNET_FINGERPRINT_SIZE + ADDRESS_SIZE,
	PAYLOAD_LIMIT = 1 + sizeof(struct node_id),
};

/* The first octet of a payload; behind CLAIMED stands by whom. */
enum claim_state { CLAIMED = 1, DELIVERED = 2 };

static const char kind[] = "m";

/* Whether the request names a message and its recipient, and there is a place
 * where other nodes look. `name` is what stands there. */
static bool
read_name(const struct policyd *policyd, const struct facts_request *request,
    char name[static NAME_SIZE], struct facts_answer *answer)
{
	char address[ADDRESS_SIZE];
	struct fault fault;

	if (!signet_is_fingerprint(span_string(request->message)) ||
	    !address_normalize(span_string(request->to), address)) {
		answer->err = fault_set(&fault, ERR_USAGE,
		    "not a message's identifier and an address");
		memcpy(answer->reason, fault.text, sizeof(answer->reason));
		return false;
	}
	snprintf(name, NAME_SIZE, "%s %s", request->message, address);
	return policyd->cache != NULL;
}

static void
write_claim(const struct policyd *policyd, struct buffer *payload)
{
	buffer_u8(payload, CLAIMED);
	buffer_append(payload, &policyd->self, sizeof(policyd->self));
}

/* A claim of this node's that was not given back: then dmtpd has died over it,
 * since it asks only for what it is not delivering already. */
static bool
is_ours(const struct policyd *policyd, struct span payload)
{
	return payload.length == PAYLOAD_LIMIT && payload.data[0] == CLAIMED &&
	    memcmp(payload.data + 1, &policyd->self,
	        sizeof(policyd->self)) == 0;
}

/* One that seems to last longer than claims do is of a clock that is ahead, and
 * would stand in the way for too long. */
static bool
is_anothers(const struct policyd *policyd, const struct cache_item *item)
{
	const struct span payload = buffer_span(&item->payload);

	return payload.length == PAYLOAD_LIMIT && payload.data[0] == CLAIMED &&
	    !is_ours(policyd, payload) &&
	    item->expires - clock_wall(policyd->clock) <= 2 * CLAIM_SECONDS;
}

static bool
is_delivered(struct span payload)
{
	return payload.length == 1 && payload.data[0] == DELIVERED;
}

static void
say(struct facts_answer *answer, int err, const char *reason)
{
	answer->err = err;
	snprintf(answer->reason, sizeof(answer->reason), "%s", reason);
}

void
claim_take(struct policyd *policyd, const struct facts_request *request,
    struct facts_answer *answer)
{
	const int64_t expires = clock_wall(policyd->clock) + CLAIM_SECONDS;
	struct buffer payload = buffer_make(PAYLOAD_LIMIT);
	struct cache_item item = {.kind = kind,
	    .payload = buffer_make(PAYLOAD_LIMIT)};
	char name[NAME_SIZE];

	if (!read_name(policyd, request, name, answer))
		return;
	item.name = span_string(name);
	write_claim(policyd, &payload);
	cache_claim(policyd->cache, buffer_span(&payload), expires, &item);
	if (item.found && is_delivered(buffer_span(&item.payload))) {
		atomic_fetch_add(&policyd->statistics.claims_delivered, 1);
		say(answer, ERR_EXISTS, "another node has delivered it");
	} else if (item.found && is_anothers(policyd, &item)) {
		atomic_fetch_add(&policyd->statistics.claims_held, 1);
		say(answer, ERR_BUSY, "another node is delivering it");
	} else if (item.found && item.expires != expires) {
		/* Of a delivery that broke off: it lasts for this one. */
		cache_put(policyd->cache, kind, item.name,
		    buffer_span(&payload), expires);
	}
	buffer_free(&payload);
	buffer_free(&item.payload);
}

void
claim_delivered(struct policyd *policyd, const struct facts_request *request,
    struct facts_answer *answer)
{
	static const uint8_t payload[] = {DELIVERED};
	char name[NAME_SIZE];

	if (read_name(policyd, request, name, answer) &&
	    !cache_put(policyd->cache, kind, span_string(name),
	        span_of(payload, sizeof(payload)),
	        clock_wall(policyd->clock) + KEPT_SECONDS))
		say(answer, ERR_UNREACHABLE, "Redis takes nothing");
}

void
claim_release(struct policyd *policyd, const struct facts_request *request,
    struct facts_answer *answer)
{
	struct buffer payload = buffer_make(PAYLOAD_LIMIT);
	char name[NAME_SIZE];
	int64_t expires;

	if (read_name(policyd, request, name, answer) &&
	    cache_get(policyd->cache, kind, span_string(name), &payload,
	        &expires) && is_ours(policyd, buffer_span(&payload)))
		cache_delete(policyd->cache, kind, span_string(name));
	buffer_free(&payload);
}
