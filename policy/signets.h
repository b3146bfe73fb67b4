/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_SIGNETS_H
#define DIME_POLICY_SIGNETS_H

#include "policy/domain.h"
#include "policy/fetch.h"

/*
 * Signets of organizations and users, validated (S17): signed under the record
 * in force, confirmed by DNSSEC or by a certificate, and, of users known
 * before, in a chain of custody with the one seen last. Tiers: memory, Redis,
 * DMTP; one flight a name. What Redis brings is verified again, and what memory
 * holds counts only under the record that it was verified with.
 */

enum {
	SIGNETS_ORG_SECONDS = 2 * 86400,
	SIGNETS_USER_SECONDS = 15 * 60,
	SIGNETS_WHOLE_SECONDS = 86400, /* VRFY alone is enough for so long */
	SIGNETS_NOT_ENABLED_SECONDS = 5 * 60, /* 476 */
	SIGNETS_UNKNOWN_SECONDS = 60,         /* 576 */
	SIGNETS_FAILURE_SECONDS = 5,
};

struct signet_facts {
	struct memory_value value; /* first */
	int64_t since; /* when this node learned it */
	int64_t whole; /* when it came as a whole, and not as still current */
	enum signet_answer answer;
	int err;            /* 0 when held */
	const char *reason; /* of `err`, else "" */
	const char *source; /* "network", "redis" */
	const struct signet_facts *org; /* of a user's signet that is held */
	uint8_t record[CRYPTO_SHA512];  /* digest of the record it is under */
	char fingerprint[SIGNET_FINGERPRINT_SIZE]; /* org, or core */
	char full[SIGNET_FINGERPRINT_SIZE];        /* of a user's */
	struct span binary;
	uint8_t tail[]; /* where `reason` and `binary` point */
};

struct signets;

struct signets_settings {
	struct memory *memory;
	struct cache *cache; /* NULL: no Redis */
	struct domains *domains;
	const struct suffixes *suffixes;
	struct sites *sites;
	struct state *state; /* which signets of users were seen */
	struct fetch_source fetch;
	const struct clock *clock;
};

/* What the settings name must outlive it. ERR_MEMORY. */
int signets_new(const struct signets_settings *settings, struct signets **out);
/* Nobody waits for a flight any more (flights_stop()). */
void signets_stop(struct signets *signets);

/* As domains_drain(). */
bool signets_drain(struct signets *signets, struct deadline deadline);
void signets_free(struct signets *signets);

/*
 * Begins to ask the peer whether a signet that is held under this key of
 * memory, near its end, is still the current one (VRFY), so that it lasts
 * longer. What comes of it is seen in memory: a failure changes nothing. Other
 * keys, and older signets, which are held under their fingerprints, are passed
 * over.
 */
void signets_refresh(struct signets *signets, struct span key);

/*
 * The signet of a domain or address in normal form: the one with `fingerprint`
 * (org; core or full for users), or with "" the current one. A user's with a
 * fingerprint is to be under the organizational signet with the fingerprint
 * `org`, or with "" under the current one. `domain` is what
 * is known of the name's domain, and has a record in force. The caller releases
 * what it gets; *hit tells whether memory had it. ERR_TIMEOUT at the deadline,
 * while the work goes on; ERR_BUSY, ERR_MEMORY.
 */
int signets_find(struct signets *signets, const struct domain_facts *domain,
    const char *name, const char *fingerprint, const char *org,
    struct deadline deadline, const struct signet_facts **out, bool *hit);

/* What memory holds of the name's current signet under the record in force, or
 * NULL: nobody is asked. The caller releases it. */
const struct signet_facts *signets_held(struct signets *signets,
    const struct domain_facts *domain, const char *name);

void signet_facts_release(const struct signet_facts *facts);

/* Drops a domain's signet, and its users' as far as memory has them, or an
 * address's. What was seen of the address stays (state_forget_known()). */
void signets_forget(struct signets *signets, const char *name);

/* Likewise from memory only. */
void signets_drop(struct signets *signets, const char *name);

/* The peer says that the name's signet with that fingerprint ("": whichever is
 * held) is no more. Drops it, unless another is already held. */
void signets_stale(struct signets *signets, const char *name,
    const char *fingerprint);

struct signets_counters {
	uint64_t fetched, failed, redis, refreshed;
	uint64_t custody_followed, custody_broken;
};
void signets_count(struct signets *signets, struct signets_counters *out);

#endif
