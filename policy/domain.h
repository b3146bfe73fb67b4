/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_DOMAIN_H
#define DIME_POLICY_DOMAIN_H

#include "cache/cache.h"
#include "dime/policy.h"
#include "dime/record.h"
#include "keys/state.h"
#include "policy/dns.h"
#include "policy/memory.h"
#include "policy/work.h"

struct suffixes;

/*
 * What is known of a domain: DNS's answer about its management record, the pin,
 * and the record in force, which may be that of a domain above (Part 4,
 * "Location"). Each name between the organizational domain and this one has its
 * own place in the tiers (memory, Redis, DNS) and its own pin; one flight a
 * domain asks for all of them. Failures stay in memory for
 * DOMAIN_FAILURE_SECONDS, to bound the load, and nowhere else.
 */

enum {
	DOMAIN_FAILURE_SECONDS = 5,
	DOMAIN_TTL_LEAST = 60,
	DOMAIN_TTL_MOST = 86400,
	DOMAIN_TTL_ABSENT_MOST = 3600,
	DOMAIN_PIN_DAYS_SECURE = 365, /* R8 */
	DOMAIN_PIN_DAYS_INSECURE = 30,
	/* Names that are asked for one domain: the organizational one, the next
	 * ones down, and the domain itself. */
	DOMAIN_WALK = 8,
};

struct domain_facts {
	struct memory_value value; /* first; `expires` is when to ask again */
	int64_t since; /* when this node learned it */
	enum dns_answer dns;
	bool secure;   /* the record in force came DNSSEC-validated */
	bool from_pin; /* the record in force is the pin's: DNS gives none */
	bool confirmed; /* the record in force is what a pin remembers */
	enum record_policy policy; /* of the record in force, or a stricter one
	                              that was confirmed; else legacy */
	enum record_subdomain subdomain; /* likewise, else explicit */
	int64_t pinned_until;      /* 0: no pin */
	int err;               /* of BOGUS, UNREACHABLE, MALFORMED, else 0 */
	const char *source;    /* "network", "redis", "pin" */
	const char *domain;    /* what was asked for */
	const char *organization; /* whose record that is, else as `domain` */
	const char *reason;    /* of `err`, else "" */
	struct span record;    /* text in force; empty when there is none */
	char tail[];           /* where the above point */
};

struct domains;

struct domains_settings {
	struct memory *memory;
	struct cache *cache; /* NULL: no Redis */
	struct state *state;
	struct dns_source dns;
	struct work *work;
	const struct suffixes *suffixes;
	enum dns_type record_type; /* DIME's q-type; 0: not asked for */
	bool dx_records; /* `_dx` is read as a last resort */
	const struct clock *clock;
};

/* What the settings name must outlive it. ERR_MEMORY. */
int domains_new(const struct domains_settings *settings, struct domains **out);

/* Waits until nothing is in the air (dns must be answering still); false at the
 * deadline. */
bool domains_drain(struct domains *domains, struct deadline deadline);
void domains_free(struct domains *domains);

/*
 * The facts of a domain in normal form, to be released by the caller; *hit
 * tells whether memory had them. ERR_TIMEOUT at the deadline, while the work
 * goes on; ERR_BUSY, ERR_MEMORY. Whatever DNS has to say is no error here.
 */
int domains_find(struct domains *domains, const char *domain,
    struct deadline deadline, const struct domain_facts **out, bool *hit);

/* Looks up again what is near its end, unless another node has; soon returns.
 * What cannot be found out now stays as it was until it expires. */
void domains_refresh(struct domains *domains, const char *domain);

/* Gives up what domains_find() held for the caller. NULL is fine. */
void domain_release(const struct domain_facts *facts);

/* Notes that a certificate has confirmed the record in force (S17). */
void domains_confirm(struct domains *domains,
    const struct domain_facts *facts);

/* Drops what is known of the domain from every tier, its pin included, and what
 * follows from that for the domains below it. Errors as state_forget_pin(). */
int domains_forget(struct domains *domains, const char *domain);

/* Likewise because another node did at the time `before`, in seconds since
 * 1970: Redis is left alone, and a pin that was confirmed later stays. */
int domains_drop(struct domains *domains, const char *domain,
    int64_t before);

struct domains_counters {
	uint64_t asked; /* of DNS */
	uint64_t redis; /* answered by Redis */
	uint64_t refreshed; /* domains, before their end */
	uint64_t forced; /* absences against a pin: perhaps an attack */
	uint64_t answers[DNS_ANSWERS]; /* of DNS, name by name */
};
void domains_count(struct domains *domains, struct domains_counters *out);

/* The key of a domain in memory: `kind`, a colon and the name. */
struct span domain_key(char kind, const char *name, char *out, size_t size);

#endif
