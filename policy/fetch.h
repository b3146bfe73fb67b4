/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_FETCH_H
#define DIME_POLICY_FETCH_H

#include "dime/record.h"
#include "dime/signet.h"
#include "policy/dns.h"
#include "policy/domain.h"
#include "policy/site.h"

/*
 * Where signets come from: peers' hosts, over DMTP (fetcher_source()), or a
 * test's script.
 */

struct fetch_wish {
	const char *organization;
	const struct record *record;
	bool record_secure;
	/* The organization's signet as far as it is held, verified under the
	 * record, for judging hosts; or NULL. */
	const struct org_signet *held_org;
	bool org;                     /* the organization's signet is wanted */
	const char *org_fingerprint;  /* that one; "": the current one */
	const char *user;             /* "": none is wanted */
	const char *user_fingerprint;
	/* The fingerprint (org; core) of the one that is held, or "": that it
	 * is still the current one is then as good as getting it. */
	const char *held;
	/* Unless "", not a signet of `user` is wanted but the chain of his core
	 * signets from this fingerprint to that one ("": the current one). */
	const char *history_start, *history_stop;
};

/* Unverified octets, for the caller to free, in whatever case. */
struct fetch_result {
	struct signet *org, *user;
	bool current; /* the one that is held is: there is none in its place */
	struct buffer history; /* as HIST lists it */
	bool asked;     /* some host was tried */
	bool confirmed; /* the session's certificate is a confirming source */
};

struct fetch_source {
	void *context;
	/*
	 * One session with one of the organization's hosts; or of those of its
	 * syndicates, whose word counts for nothing. 0 when all that is
	 * wanted came. ERR_NOT_ENABLED and ERR_UNKNOWN_ADDRESS are the host's
	 * word on the first thing that did not, and ERR_REFUSED on a history;
	 * anything else is temporary. `fault` is never NULL.
	 */
	int (*fetch)(void *context, const struct fetch_wish *wish,
	    struct deadline deadline, struct fetch_result *result,
	    struct fault *fault);
};

void fetch_result_free(struct fetch_result *result);

struct fetcher;

/* What it is given outlives it. Errors as tls_client_new() and
 * revocation_new(). */
int fetcher_new(const struct dns_source *dns, struct sites *sites,
    struct domains *domains, const struct clock *clock, struct fetcher **out,
    struct fault *fault);
void fetcher_free(struct fetcher *fetcher);
struct fetch_source fetcher_source(struct fetcher *fetcher);

#endif
