/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_DOMAIN_PRIVATE_H
#define DIME_POLICY_DOMAIN_PRIVATE_H

#include "policy/domain.h"
#include "policy/flight.h"

/* What domain.c, domain_walk.c, domain_ask.c, domain_reply.c, domain_pin.c and
 * domain_redis.c share. */

struct domains {
	struct domains_settings settings;
	struct flights *flights;
	_Atomic uint64_t asked, redis, forced, refreshed, answers[DNS_ANSWERS];
};

/* What is found out of one name, its own record and pin only. */
struct domain_finding {
	enum dns_answer dns;
	int err;
	char reason[FAULT_TEXT_SIZE];
	const char *source;
	bool secure, from_pin;
	bool confirmed; /* `text` is what the pin remembers */
	enum record_policy least; /* the policy is no laxer, whatever `text`
	                             says, which nothing has confirmed */
	int64_t expires;
	int64_t pinned_until;
	struct buffer text; /* of the record in force; empty: none */
};

/* One flight: the walk from the organizational domain to the one asked for,
 * name by name, each through the tiers. */
struct domain_lookup {
	struct work_step step; /* first */
	struct domains *domains;
	struct flight *flight;
	char domain[DOMAIN_SIZE];
	const char *names[DOMAIN_WALK]; /* within `domain`; that comes last */
	size_t name_count;
	/* What is known of the names so far, each held. */
	const struct domain_facts *parts[DOMAIN_WALK];
	size_t part_count;
	/* The name under way is names[part_count]. */
	const char *name;
	/* Something that is known is looked up again before this time, when it
	 * expires; what holds no longer counts as not known. Else 0. */
	int64_t refresh;
	unsigned int place;       /* where its record is looked for */
	struct domain_finding finding, before; /* here; at earlier places */
	struct dns_reply *reply;
	struct record *record; /* what finding.text says; large, and therefore
	                          there only while it is worked on */
};

bool domain_is_present(enum dns_answer dns);
bool domain_is_absent(enum dns_answer dns);

/* `value`, or the bound that it passes. */
int64_t domain_between(int64_t least, int64_t value, int64_t most);

/* ---- domain_walk.c ---- */

/* Fills in the names: the organizational domain first. */
void domain_walk_plan(struct domain_lookup *lookup);

/* Whether nothing more specific is to be asked. */
bool domain_walk_is_over(const struct domain_lookup *lookup);

/* What the parts come to, for flight_land(). NULL without memory. */
struct memory_value *domain_walk_conclude(struct domain_lookup *lookup);

/* ---- domain_ask.c: one name's places in DNS ---- */

/* Asks at the first place; `done` runs with lookup->reply, as a step. */
void domain_ask(struct domain_lookup *lookup,
    void (*done)(struct work_step *step));

/* With a reply: whether another place is to be asked, which then is. Otherwise
 * the finding is what the places come to. */
bool domain_ask_further(struct domain_lookup *lookup);

/* ---- domain_reply.c ---- */

/* Parses into lookup->record; false when it is none. */
bool domain_lookup_parse(struct domain_lookup *lookup, struct span text);

/* The name came to nothing that may be kept for long. */
void domain_lookup_fail(struct domain_lookup *lookup, enum dns_answer dns,
    int err, const char *reason);

/* Makes of lookup->reply what there is to know. */
void domain_read_reply(struct domain_lookup *lookup);

/* ---- domain_pin.c ---- */

/* When a pin that this record sets now runs out. */
int64_t domain_pin_time(const struct domains *domains,
    const struct record *record, bool secure);

/* A failure is also logged: a record without its pin is better than none. */
int domain_set_pin(struct domains *domains, const char *domain,
    int64_t until, bool secure, struct span text);
/* Likewise one that another node has set, unless ours is newer. */
int domain_adopt_pin(struct domains *domains, const char *domain,
    int64_t until, bool secure, struct span text);

/* Takes the pin into account: its record comes into force where DNS gives none
 * (R8), and its policy binds where DNS gives another that nothing confirms. */
void domain_look_at_pin(struct domain_lookup *lookup);

/* The policy that the pin of one of the names binds the domain to; legacy where
 * there is none that applies. */
enum record_policy domain_pinned_policy(const struct domain_lookup *lookup,
    const char *name);

/* ---- domain_redis.c ---- */

/* What Redis keeps under MAC (doc/cache.md, section 3). */
struct domain_stored {
	enum dns_answer dns;
	unsigned int flags;
	int64_t pinned_until;
	struct span text;
};

/* The MAC says that a node of ours wrote it; all else is read as if it did not.
 * `text` is within `payload`. False for what no node writes. */
bool domain_stored_read(struct span payload, struct domain_stored *stored);
void domain_stored_write(const struct domain_stored *stored,
    struct buffer *out);

/* Fills the finding from Redis; false when that has nothing to be used. */
bool domain_redis_get(struct domain_lookup *lookup);
void domain_redis_put(const struct domain_lookup *lookup);
void domain_redis_drop(struct domains *domains, const char *domain);

/* Tells the other nodes that the record of these facts is pinned. */
void domain_redis_confirm(struct domains *domains,
    const struct domain_facts *facts, int64_t pinned_until);

/* ---- domain.c ---- */

/* Begins with nothing known of `name`. */
void domain_start_finding(struct domain_lookup *lookup, const char *name);

/* The finding as facts of `domain`, `organization` being the name whose record
 * it is. NULL without memory. */
const struct domain_facts *domain_facts_new(const struct domain_lookup *lookup,
    const char *domain, const char *organization);

#endif
