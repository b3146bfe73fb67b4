/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/log.h"
#include "client/peer.h"
#include "crypto/random.h"
#include "policy/fetch.h"
#include "policy/hosts.h"

enum {
	HOST_TIME = 60000,       /* milliseconds for one host, D12 */
	HISTORY_LIMIT = 8 << 20, /* octets of a listing: 10000 core signets */
	RECORD_TIME = 30000,     /* for a syndicate's record */
	SYNDICATES = 3,          /* that are asked */
	/* Connections of one fetch, to a domain's own hosts and to those of its
	 * syndicates: whoever may write a record could have us knock at
	 * thousands of others' doors. */
	OWN_CONNECTIONS = 40,
	SYNDICATE_CONNECTIONS = 20,
	OWN_SHARE = 75, /* percent of the time, where there are syndicates */
};

struct fetcher {
	struct dns_source dns;
	struct sites *sites;
	struct domains *domains;
	struct tls_context *tls;
	struct revocation *revocation;
	struct peer_room room;
};

void
fetch_result_free(struct fetch_result *result)
{
	signet_free(result->org);
	signet_free(result->user);
	buffer_free(&result->history);
	*result = (struct fetch_result){
	    .history = buffer_make(HISTORY_LIMIT)};
}

/* An answer that speaks for the organization; another host would say the same.
 */
static bool
is_authoritative(int err)
{
	return err == ERR_NOT_ENABLED || err == ERR_UNKNOWN_ADDRESS ||
	    err == ERR_REFUSED;
}

/* Whose hosts are asked: the organization's, or a syndicate's. */
struct visit {
	struct fetcher *fetcher;
	const struct config *config;
	const struct fetch_wish *wish;
	const char *domain;
	const struct record *record; /* by which the hosts are judged */
	bool record_secure;
	bool syndicate;
	size_t *connections; /* that may still be made */
};

static int
verify(struct peer *peer, const struct fetch_wish *wish,
    struct deadline deadline, struct fetch_result *result,
    struct fault *fault)
{
	const bool is_user = *wish->user != '\0';
	struct signet **out = is_user ? &result->user : &result->org;
	int err = peer_verify_signet(peer,
	    is_user ? wish->user : wish->organization, wish->held, deadline,
	    out, fault);

	result->current = err == 0 && *out == NULL;
	return err;
}

static int
ask_session(struct peer *peer, const struct fetch_wish *wish,
    struct deadline deadline, struct fetch_result *result,
    struct fault *fault)
{
	int err = 0;

	result->confirmed = peer_confirms(peer);
	if (*wish->history_start != '\0')
		return peer_fetch_history(peer, wish->user,
		    wish->history_start, wish->history_stop, deadline,
		    &result->history, fault);
	if (*wish->held != '\0')
		return verify(peer, wish, deadline, result, fault);
	if (wish->org)
		err = peer_fetch_signet(peer, wish->organization,
		    wish->org_fingerprint, deadline, &result->org, fault);
	if (err == 0 && *wish->user != '\0')
		err = peer_fetch_signet(peer, wish->user,
		    wish->user_fingerprint, deadline, &result->user, fault);
	return err;
}

/* A syndicate has what it was given, and speaks for nobody: neither does its
 * certificate confirm anything, nor is it known what it does not have. */
static int
hear_syndicate(int err, struct fetch_result *result, struct fault *fault)
{
	result->confirmed = false;
	if (!is_authoritative(err))
		return err;
	fault->err = ERR_DEFERRED;
	return ERR_DEFERRED;
}

/* What only a host says that nobody vouches for: another may do better. A
 * signet that an organizational one holds for needs no host's word. */
static bool
is_hearsay(const struct visit *visit, const struct facts_host *host, int err,
    const struct fetch_result *result)
{
	const bool is_word = is_authoritative(err) || result->current;

	if (result->confirmed || visit->syndicate)
		return false;
	if (!visit->record_secure)
		return is_word || (err == 0 && result->org != NULL);
	return is_word && host->unproven;
}

static int
refuse_hearsay(const struct visit *visit, struct fetch_result *result,
    struct fault *fault)
{
	fetch_result_free(result);
	result->asked = true;
	return fault_set(fault, ERR_UNCONFIRMED,
	    "%s: neither DNSSEC nor a certificate confirms what its host says",
	    visit->wish->organization);
}

static int
ask_address(const struct visit *visit, const struct facts_host *host,
    const char *address, struct deadline deadline,
    struct fetch_result *result, struct fault *fault)
{
	const struct peer_target target = {
	    .host = host->name,
	    .domain = visit->domain,
	    .address = address,
	    .port = host->port,
	    .dual = host->dual,
	    .source = visit->config->bind_address,
	    .record = visit->record,
	    .record_secure = visit->record_secure,
	    .org = visit->syndicate ? NULL : visit->wish->held_org,
	    .trust_foreign_dx = visit->config->trust_foreign_dx,
	    .revocation = visit->fetcher->revocation,
	    .room = &visit->fetcher->room,
	};
	struct peer *peer = NULL;
	int err;

	fetch_result_free(result);
	result->asked = true;
	deadline = deadline_earlier(deadline, deadline_in(HOST_TIME));
	err = peer_open(&target, visit->fetcher->tls, deadline, &peer, fault);
	if (err == 0)
		err = ask_session(peer, visit->wish, deadline, result, fault);
	peer_close(peer);
	if (is_hearsay(visit, host, err, result))
		return refuse_hearsay(visit, result, fault);
	return visit->syndicate ? hear_syndicate(err, result, fault) : err;
}

static void
log_attempt(const struct visit *visit, const struct facts_host *host,
    const char *address, int err, const struct fault *fault)
{
	const struct fetch_wish *wish = visit->wish;
	struct log_line line;

	log_begin(&line, err == 0 || is_authoritative(err) ? LOG_INFO
	                                                   : LOG_NOTICE,
	    "fetch");
	log_text(&line, "organization", wish->organization);
	if (*wish->user != '\0')
		log_text(&line, "user", wish->user);
	if (visit->syndicate)
		log_text(&line, "syndicate", visit->domain);
	log_text(&line, "host", host->name);
	log_text(&line, "address", address);
	log_number(&line, "port", host->port);
	log_text(&line, "result", err == 0 ? "ok" : error_row(err)->name);
	if (err != 0)
		log_text(&line, "reason", fault_text(fault, err));
	log_end(&line);
}

/* Of one stage; false when another may do better. *err and *fault are what it
 * all came to so far. */
static bool
ask_stage(const struct visit *visit, enum hosts_stage stage,
    struct deadline deadline, struct fetch_result *result, int *err,
    struct fault *fault)
{
	const struct hosts_wish hosts_wish = {&visit->fetcher->dns,
	    visit->config, visit->domain, visit->record, stage};
	struct facts_host hosts[FACTS_HOSTS_MAX];
	struct fault now = {0};
	size_t count;
	int found = hosts_find(&hosts_wish, deadline, hosts, &count, &now);

	/* To signets that is all the same. */
	if (found == ERR_DNS)
		found = now.err = ERR_UNREACHABLE;
	/* What hosts that were asked came to says more. */
	if (found != 0 && !result->asked) {
		*fault = now;
		*err = found;
	}
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < hosts[i].address_count &&
		     *visit->connections > 0 && deadline_left(deadline) > 0;
		     j++) {
			--*visit->connections;
			found = ask_address(visit, &hosts[i],
			    hosts[i].addresses[j], deadline, result, &now);
			log_attempt(visit, &hosts[i], hosts[i].addresses[j],
			    found, &now);
			if (peer_tells_more(found, *err)) {
				*fault = now;
				*err = found;
			}
			if (found == 0 || is_authoritative(found))
				return true;
		}
	}
	return false;
}

/* Of all stages, likewise. */
static bool
ask_all(const struct visit *visit, struct deadline deadline,
    struct fetch_result *result, int *err, struct fault *fault)
{
	bool done = false;

	for (int stage = HOSTS_DX; stage < HOSTS_STAGES && !done &&
	     *visit->connections > 0 && deadline_left(deadline) > 0; stage++)
		done = ask_stage(visit, (enum hosts_stage)stage, deadline,
		    result, err, fault);
	return done;
}

/* ---- syndicates ---- */

/* One of them, by its own record. */
static bool
ask_syndicate(const struct visit *own, const char *name,
    struct deadline deadline, struct fetch_result *result, int *err,
    struct fault *fault)
{
	struct visit visit = *own;
	const struct domain_facts *domain;
	struct record *record = malloc(sizeof(*record));
	bool hit, done = false;

	if (record == NULL)
		return false;
	if (domains_find(own->fetcher->domains, name,
	        deadline_earlier(deadline, deadline_in(RECORD_TIME)), &domain,
	        &hit) == 0) {
		if (domain->record.length > 0 &&
		    record_parse(domain->record, record, NULL, NULL, NULL) ==
		        0) {
			visit.domain = domain->organization;
			visit.record = record;
			visit.record_secure = domain->secure;
			visit.syndicate = true;
			done = ask_all(&visit, deadline, result, err, fault);
		}
		domain_release(domain);
	}
	free(record);
	return done;
}

/* Only what DNSSEC secures makes a signet from there as good as one from the
 * organization; whether one is still current they cannot know. */
static bool
may_ask_syndicates(const struct visit *own)
{
	return own->record_secure && *own->wish->held == '\0' &&
	    own->record->syndicate_count > 0;
}

/* In random order. */
static void
ask_syndicates(const struct visit *own, struct deadline deadline,
    struct fetch_result *result, int *err, struct fault *fault)
{
	const struct record *record = own->record;
	const size_t count = record->syndicate_count;
	struct random_source random;
	size_t first;
	bool done = false;

	*own->connections = SYNDICATE_CONNECTIONS;
	random_start(&random);
	first = random_below(&random, (uint32_t)count);
	random_end(&random);
	for (size_t i = 0; i < count && i < SYNDICATES && !done &&
	     deadline_left(deadline) > 0; i++)
		done = ask_syndicate(own,
		    record->syndicates[(first + i) % count], deadline, result,
		    err, fault);
}

static int
fetch(void *context, const struct fetch_wish *wish, struct deadline deadline,
    struct fetch_result *result, struct fault *fault)
{
	struct fetcher *fetcher = context;
	const struct site *site = sites_hold(fetcher->sites);
	size_t connections = OWN_CONNECTIONS;
	const struct visit visit = {fetcher, site->config, wish,
	    wish->organization, wish->record, wish->record_secure, false,
	    &connections};
	const bool more = may_ask_syndicates(&visit);
	const struct deadline own = more
	    ? deadline_in(deadline_left(deadline) / 100 * OWN_SHARE)
	    : deadline;
	int err = ERR_UNREACHABLE;

	*result = (struct fetch_result){.history = buffer_make(HISTORY_LIMIT)};
	if (!ask_all(&visit, own, result, &err, fault) && more)
		ask_syndicates(&visit, deadline, result, &err, fault);
	sites_release(site);
	return err;
}

/* ---- the whole ---- */

static int
find_addresses(void *context, const char *host, struct deadline deadline,
    struct facts_host *out, struct fault *fault)
{
	struct fetcher *fetcher = context;
	const struct site *site = sites_hold(fetcher->sites);
	int err = hosts_find_addresses(&fetcher->dns, host,
	    site->config->allow_private_addresses, deadline, out, fault);

	sites_release(site);
	return err;
}

int
fetcher_new(const struct dns_source *dns, struct sites *sites,
    struct domains *domains, const struct clock *clock, struct fetcher **out,
    struct fault *fault)
{
	struct fetcher *fetcher = calloc(1, sizeof(*fetcher));
	const struct address_source addresses = {fetcher, find_addresses};
	const struct site *site;
	int err;

	*out = NULL;
	if (fetcher == NULL)
		return fault_set(fault, ERR_MEMORY, "out of memory");
	fetcher->dns = *dns;
	fetcher->sites = sites;
	fetcher->domains = domains;
	site = sites_hold(sites);
	err = tls_client_new(site->config->ca_file, &fetcher->tls, fault);
	sites_release(site);
	if (err == 0 && (err = revocation_new(&addresses, clock,
	                     &fetcher->revocation)) != 0)
		fault_set(fault, err, "libcurl: %s", error_row(err)->text);
	if (err != 0)
		fetcher_free(fetcher);
	else
		*out = fetcher;
	return err;
}

void
fetcher_free(struct fetcher *fetcher)
{
	if (fetcher == NULL)
		return;
	revocation_free(fetcher->revocation);
	tls_free(fetcher->tls);
	free(fetcher);
}

struct fetch_source
fetcher_source(struct fetcher *fetcher)
{
	return (struct fetch_source){fetcher, fetch};
}
