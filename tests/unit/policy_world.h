/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_POLICY_WORLD_H
#define DIME_TESTS_UNIT_POLICY_WORLD_H

#include "tests/unit/unit.h"

#include <pthread.h>

#include "client/facts.h"
#include "policy/policyd.h"
#include "policy/work.h"

/*
 * A whole policyd, but for its sockets, in a world that a test scripts: what
 * DNS says of each name, what peers' hosts say, and what time it is.
 */

enum {
	WORLD_PATIENCE = 20000, /* milliseconds: longer than anything takes */
	DAY = 86400
};

/* What DNS answers to the TXT question for a domain; names not listed are
 * absent-proven. */
struct world_zone {
	const char *domain;
	enum dns_answer answer;
	int64_t ttl;
	const char *texts[3]; /* TXT records, each one string */
	bool not_anchored;
};

enum world_peer {
	WORLD_SIGNETS,       /* has the signets that are asked for */
	WORLD_NOT_ENABLED,   /* 476 for users */
	WORLD_UNKNOWN,       /* 576 for users */
	WORLD_ORG_UNKNOWN,   /* 576 for the organization */
	WORLD_DEAD,
	WORLD_BAD_SIGNATURE, /* users' signets by somebody else's key */
	WORLD_OTHER_USER,    /* another user's signet */
	WORLD_OTHER_ORG,     /* an organization's with another POK */
	WORLD_PEERS
};

struct world {
	struct policyd policyd; /* first */
	struct work *work;
	struct fetcher *fetcher; /* NULL: peers are scripted here */
	struct buffer record; /* text of a record with the peer's POK */
	/* The script. `lock` guards it. */
	pthread_mutex_t lock;
	pthread_cond_t opened;
	struct world_zone zones[8];
	size_t zone_count;
	enum world_peer peer;
	bool confirms; /* its certificate is a confirming source */
	bool gate_closed; /* fetches wait until it opens */
	bool dns_silent;  /* questions are not answered until the end */
	bool dns_dead;    /* last_answer was long ago */
	int asked, fetched;
	struct {
		dns_done *done;
		void *context;
	} silent[3000];
	size_t silent_count;
};

/* `settings`: lines for the configuration file, or "". */
struct world *world_new(const char *settings);
void world_free(struct world *world);

/* What a test brings along in place of the script above. */
struct world_parts {
	const char *settings;   /* as above */
	const char *state_path; /* of a state.db that outlives the world */
	struct cache *cache;    /* or NULL */
	const struct dns_source *dns;
	bool sessions; /* peers are asked over DMTP */
};
struct world *world_of_parts(const struct world_parts *parts);

/* The one clock of the process, which world_pass() moves. */
extern const struct clock world_clock;

/* Replaces what DNS says of a domain. Only what was not asked for yet, or has
 * expired, will see it. */
void world_set_zone(struct world *world, struct world_zone zone);

void world_clear_zones(struct world *world);

/* All that DNS may come to about a domain's record. */
enum world_dns {
	SAYS_SECURE,
	SAYS_INSECURE,
	SAYS_ABSENT_PROVEN,
	SAYS_ABSENT_INSECURE,
	SAYS_BOGUS,
	SAYS_UNREACHABLE,
	SAYS_MALFORMED,
	SAYS_UNPROVEN, /* no record, below no trust anchor */
	SAYS_STATES
};

/* Makes DNS say so, for a minute; `record`, where there is one, outlives it. */
void world_say(struct world *world, const char *domain, enum world_dns dns,
    const char *record);

/* A present record with the peer's POK and these further fields. */
void world_set_record(struct world *world, const char *domain,
    enum dns_answer answer, const char *fields);

/* What the tables of several tests name: mixed.test, strict.example,
 * experimental.test, bogus.test and unsigned.test. */
void world_populate(struct world *world);

void world_open_gate(struct world *world);

/* Moves the clock. */
void world_pass(struct world *world, int64_t seconds);
int64_t world_now(struct world *world);

/*
 * Signets by keys with the number `org` or `user`, for signet_free(). The
 * record's POK is number 1 and WORLD_SIGNETS are of user 2. `previous`, unless
 * 0, is the user's key before, which signs for the change.
 */
struct signet *world_org_signet(const char *domain, uint8_t org);
/* With a SOK (NULL: without). */
struct signet *world_org_signet_with(const char *domain, uint8_t org,
    const struct signet_sok *sok);
struct signet *world_user_signet(const char *address, uint8_t org,
    uint8_t user, uint8_t previous);

/* The secret behind a number. */
struct world_seed {
	uint8_t octets[CRYPTO_SEED];
};
struct world_seed world_seed(uint8_t number);

/* The answer of one of decide.h's or inquiry.h's functions; free it. */
struct facts_answer world_ask(struct world *world,
    void (*ask)(struct policyd *, const struct facts_request *,
        struct facts_answer *),
    const char *from, const char *to, const char *fingerprint, int64_t wait);

/* decide_outbound() for alice@alpha.test, with patience. */
struct facts_answer world_decide(struct world *world, const char *to);
/* Frees an answer that nobody reads. */
void world_drop(struct facts_answer answer);

/* What the map answers, "NOTFOUND", "OK value" and so on, good until the next
 * call; and two such answers. */
const char *world_map(struct world *world, const char *map, const char *key);
#define ENCRYPT "OK dimeenc:[127.0.0.1]:10029"
#define NAKED "NOTFOUND"

/* One of the figures that policyd counts. */
uint64_t world_counter(struct world *world, const char *name);

#endif
