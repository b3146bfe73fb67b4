/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CLIENT_FACTS_H
#define DIME_CLIENT_FACTS_H

#include "base/clock.h"
#include "dime/policy.h"
#include "dime/signet.h"

/*
 * Asking dime-policyd (doc/facts.md). One netstring each way: a request of
 * lines `key value`, then an answer of such lines. What comes back was
 * validated by policyd; signets travel as octets with the POKs that confirmed
 * them, and are verified again by whoever uses them.
 */

enum facts_verb {
	FACTS_DECIDE,  /* from, to: what happens to mail; signets when dark */
	FACTS_INBOUND, /* from, to: may naked mail come in */
	FACTS_SIGNET,  /* name (domain or address), optional fingerprints */
	FACTS_HOSTS,   /* domain, stage: where to deliver, and the record */
	FACTS_NOTE_NAKED, /* from, to: DIME-OUT found that this recipient may go
	                     naked; the map shall say so at the next attempt */
	FACTS_FORGET,  /* name: drop from every tier, pin included */
	FACTS_STATUS,  /* counters, as text */
	FACTS_EXPLAIN, /* from, to: what would be decided, and why */
	FACTS_MET,     /* from, to, outcome: what becomes of a sealed message
	                  that met this when it was opened or delivered */
	FACTS_ADDRESSES, /* a host's name: its addresses */
	FACTS_STALE, /* name, fingerprint: the peer says that its signet with
	                that fingerprint is no more */
	FACTS_CLAIM, /* message, to: whether another node has delivered it, or
	                is at it; if not, no other shall be */
	FACTS_DELIVERED, /* message, to: all nodes shall know that it was */
	FACTS_RELEASE,   /* message, to: it was not; another node may try */
	FACTS_SPREAD,    /* counts, since: what was counted here, for what other
	                    nodes have counted */
	FACTS_VERBS
};

/* Where a domain's hosts are looked for, one after the other (D12). */
enum hosts_stage {
	HOSTS_DX, /* those of the record, in single-protocol mode */
	HOSTS_MX, /* the domain's MX hosts, in dual-protocol mode */
	HOSTS_DOMAIN, /* the domain itself, where the site wants that */
	HOSTS_STAGES
};
/* "dx", "mx", "domain"; the reader returns -1 for another. */
const char *hosts_stage_name(enum hosts_stage stage);
int hosts_stage_by_name(const char *name);

struct facts_request {
	enum facts_verb verb;
	const char *from; /* address, domain or "" */
	const char *to;   /* address or domain; the name for the other verbs */
	const char *fingerprint; /* or "" */
	int64_t wait;            /* milliseconds that the answer may take */
	/* The rest may be NULL, which is "". */
	const char *sender;  /* envelope sender for the site's rules, "<>" for
	                        none; "": `from` is it */
	const char *queue;   /* queue id for the log */
	const char *outcome; /* FACTS_MET: "on_peer_down" and so on */
	const char *stage;   /* FACTS_HOSTS: one of the above; "": "dx" */
	const char *org_fingerprint; /* FACTS_SIGNET of an address, with a
	                                fingerprint: under which signet of the
	                                organization; "": the current one */
	const char *message; /* message_signed_identifier() */
	const char *counts;  /* FACTS_SPREAD: base64 of what others shall have;
	                        "": nothing */
	const char *since;   /* base64 of the first octets of what was had
	                        last; "": nothing was */
};

enum {
	FACTS_HOSTS_MAX = 16,
	FACTS_ADDRESSES_MAX = 8,
	/* What a netstring may hold: two signets in base64 and the rest. */
	FACTS_REQUEST_LIMIT = 8192,
	FACTS_COUNTS_LIMIT = 5000, /* of which are base64 of counts */
	FACTS_ANSWER_LIMIT = 48 << 20,
};

struct facts_host {
	char name[DOMAIN_SIZE]; /* for SNI and certificate */
	unsigned int port;      /* 0 where nobody asked for a port */
	bool dual;              /* DMTP is reached through SMTP (STARTTLS) */
	bool unproven; /* DNSSEC does not secure who named it; not told */
	size_t address_count;
	char addresses[FACTS_ADDRESSES_MAX][46]; /* numeric */
};

/* Where a signet came from. */
struct facts_origin {
	char source[16];
	int64_t age, expires; /* seconds; a time */
};

/* Everything that is known; empty or 0 where the verb does not concern it. */
struct facts_answer {
	int err;          /* 0, or why there is no better answer */
	char reason[FAULT_TEXT_SIZE];
	enum policy_action action;
	char cell[48];
	struct policy_facts facts;
	int64_t rule_number; /* of the site's rule that counts; 0: none */
	char rule[1000];     /* the same in words */
	bool by_rule;        /* without it the verdict were another */
	char outcome[24];    /* the rule's key that counts, or "" */
	char direction[12];  /* FACTS_EXPLAIN: outbound, inbound, local */
	bool shadow;         /* what is decided is not done */
	char organization[DOMAIN_SIZE]; /* whose record applies */
	bool confirmed;   /* S17 */
	int64_t expires;  /* of the record's place in the cache; 0: none */
	int64_t pinned_until; /* 0: no pin */
	char source[16];  /* memory, redis, network, pin */
	int64_t age;      /* seconds since this node learned it */
	struct facts_origin user, org;
	/* FACTS_HOSTS: of the organization's signet, if it is at hand. */
	char org_fingerprint[SIGNET_FINGERPRINT_SIZE];
	struct buffer record;      /* its text */
	struct buffer org_signet;  /* binary */
	struct buffer user_signet; /* binary */
	size_t host_count;
	struct facts_host hosts[FACTS_HOSTS_MAX];
	struct buffer text; /* FACTS_STATUS; FACTS_SPREAD: what other nodes gave
	                       as their counts, oldest first, each behind
	                       its length (4 octets) */
	struct buffer key; /* FACTS_SPREAD: a secret of the nodes' own */
};

void facts_answer_init(struct facts_answer *answer);
void facts_answer_free(struct facts_answer *answer);

/* The grammar, both sides. Readers refuse with ERR_FORMAT. The strings of a
 * read request point into `storage`, a buffer that the caller frees. */
void facts_request_write(const struct facts_request *request,
    struct buffer *out);
int facts_request_read(struct span text, struct facts_request *request,
    struct buffer *storage, struct fault *fault);
void facts_answer_write(const struct facts_answer *answer, struct buffer *out);
int facts_answer_read(struct span text, struct facts_answer *answer,
    struct fault *fault);

/* policyd closes a connection on which nothing is asked for so long;
 * milliseconds. */
enum { FACTS_SILENCE = 2 * 60 * 1000 };

/*
 * Asks at one facts socket, and keeps connections for questions to come: of
 * `connection_limit`, what policyd serves at a time, no more than an eighth, so
 * that those of two programs leave most of it to others; at most 16, and each
 * for a minute. A connection serves one question at a time. Any thread.
 */
struct facts_client;

/* A `connection_limit` of 0: nothing is kept. ERR_MEMORY. */
int facts_client_new(const char *socket_path, int64_t connection_limit,
    const struct clock *clock, struct facts_client **out);

/* Nobody may be asking. NULL is fine. */
void facts_client_free(struct facts_client *client);

/*
 * Asks and waits up to request->wait plus a second. 0 when there is an answer
 * (which may hold an err of its own); ERR_UNREACHABLE, ERR_TIMEOUT,
 * ERR_PROTOCOL when policyd does not answer: always temporary.
 *
 * When a connection that was kept ends without an octet of an answer, the
 * question is asked once more on a fresh one, in the same time: policyd was
 * started again. Only FACTS_SPREAD is not, for what it tells would count twice
 * if it had arrived; every other question may be asked again.
 */
int facts_ask(struct facts_client *client, const struct facts_request *request,
    struct facts_answer *answer, struct fault *fault);

/*
 * What becomes of a sealed message that met `outcome` ("on_bad_signature",
 * "on_peer_down") when it was opened or delivered: POLICY_REFUSE or
 * POLICY_DEFER; the latter also when policyd does not answer. `queue` may be
 * "".
 */
enum policy_action facts_met(struct facts_client *client,
    enum rule_outcome outcome, const char *from, const char *to,
    const char *queue);

/* The verified signets of an answer; NULL out-parameters are skipped. Errors as
 * signet_verify_*(); `address` is what was asked for. */
int facts_verify(const struct facts_answer *answer, const char *address,
    struct org_signet **org, struct user_signet **user, struct fault *fault);

#endif
