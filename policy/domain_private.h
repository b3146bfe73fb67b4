/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_DOMAIN_PRIVATE_H
#define DIME_POLICY_DOMAIN_PRIVATE_H

#include "policy/domain.h"
#include "policy/flight.h"

/* What domain.c, domain_reply.c, domain_pin.c and domain_redis.c share. */

struct domains {
	struct domains_settings settings;
	struct flights *flights;
	_Atomic uint64_t asked, redis, answers[DNS_ANSWERS];
};

/* One lookup on its way through the tiers. */
struct domain_lookup {
	struct work_step step; /* first */
	struct domains *domains;
	struct flight *flight;
	struct dns_reply *reply;
	/* What is found out. */
	enum dns_answer dns;
	int err;
	char reason[FAULT_TEXT_SIZE];
	const char *source;
	bool secure, from_pin;
	int64_t expires;
	int64_t pinned_until;
	struct record *record; /* in force, when `text` is not empty; large, and
	                          therefore there only while it is worked on */
	struct buffer text;
	char domain[DOMAIN_SIZE];
};

bool domain_is_present(enum dns_answer dns);
bool domain_is_absent(enum dns_answer dns);

/* `value`, or the bound that it passes. */
int64_t domain_between(int64_t least, int64_t value, int64_t most);

/* Parses into lookup->record; false when it is none. */
bool domain_lookup_parse(struct domain_lookup *lookup, struct span text);

/* The lookup came to nothing that may be kept for long. */
void domain_lookup_fail(struct domain_lookup *lookup, enum dns_answer dns,
    int err, const char *reason);

/* Makes of lookup->reply what there is to know. */
void domain_read_reply(struct domain_lookup *lookup);

/* When a pin that this record sets now runs out. */
int64_t domain_pin_time(const struct domains *domains,
    const struct record *record, bool secure);

/* A failure is also logged: a record without its pin is better than none. */
int domain_set_pin(struct domains *domains, const char *domain,
    int64_t until, bool secure, struct span text);

/* Takes the pin into account: its record comes into force where DNS gives none
 * (R8). */
void domain_look_at_pin(struct domain_lookup *lookup);

/* Fills the lookup from Redis; false when that has nothing to be used. */
bool domain_redis_get(struct domain_lookup *lookup);
void domain_redis_put(const struct domain_lookup *lookup);
void domain_redis_drop(struct domains *domains, const char *domain);

#endif
