/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_DNS_H
#define DIME_POLICY_DNS_H

#include "base/clock.h"
#include "base/error.h"
#include "base/span.h"
#include "dime/policy.h"

/*
 * Where DNS answers come from: the resolver (resolver.h), or a test's script.
 * All questions are of class IN.
 */

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_MX = 15,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AAAA = 28,
};

enum { DNS_REASON_SIZE = 200 };

/* One validated reply, one blob; whoever gets it frees it. */
struct dns_reply {
	enum dns_answer answer; /* never DNS_MALFORMED: nobody looked inside */
	/* A trust anchor stands above the name, so that "insecure" is proven
	 * and not merely unknown. */
	bool anchored;
	int64_t ttl;   /* seconds */
	char reason[DNS_REASON_SIZE]; /* of BOGUS and UNREACHABLE */
	size_t count;
	struct span *data; /* the records' RDATA, as on the wire */
};

/* A reply with no records. NULL without memory. */
struct dns_reply *dns_reply_new(enum dns_answer answer, const char *reason);

/* As above with the `count` records at `data`, which are copied. */
struct dns_reply *dns_reply_copy(enum dns_answer answer,
    const struct span *data, size_t count);

void dns_reply_free(struct dns_reply *reply);

/* Gets the reply of one question, and frees it; NULL when there was no memory
 * for one, which is as good as unreachable. It must not block. */
typedef void dns_done(void *context, struct dns_reply *reply);

struct dns_source {
	void *context;
	/* Asks; `done` is called exactly once, from any thread. */
	void (*ask)(void *context, const char *name, enum dns_type type,
	    dns_done *done, void *done_context);
	/* When something last came back, or else the start, in milliseconds of
	 * the machine's monotonic clock. */
	int64_t (*last_answer)(void *context);
	/* Forgets all that it may have kept. */
	void (*forget)(void *context);
};

/* One question of several. */
struct dns_question {
	const char *name;
	enum dns_type type;
};

/*
 * Asks all and waits until the last is answered or the deadline has passed.
 * replies[i], for the caller to free, stays NULL where none came. ERR_MEMORY.
 */
int dns_ask_all(const struct dns_source *source,
    const struct dns_question *questions, size_t count,
    struct deadline deadline, struct dns_reply **replies);

#endif
