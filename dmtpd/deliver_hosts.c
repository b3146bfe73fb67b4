/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base/mark.h"
#include "client/facts.h"
#include "dmtpd/deliver_hosts.h"
#include "dmtpd/pool.h"

enum {
	HOST_WAIT = 90 * 1000,      /* connect 30, TLS and banner 60 s (D12) */
	SEARCH_WAIT = 5 * 60 * 1000, /* for all hosts together */
	AGAIN_WAIT = 20 * 1000,      /* for all idle sessions with a host */
	TURN_WAIT = 5 * 1000,        /* for others' sessions to end */
};

struct search {
	const struct deliver_hosts_request *request;
	struct deliver_hosts_result *result;
	struct fault *fault;
	struct deadline deadline;
	struct facts_answer facts; /* the hosts of a stage */
	struct record *record;     /* in force, NULL: none */
	bool all_asked;            /* no stage was left out, nor cut short */
	bool unknown; /* DNS may not have told all hosts, or addresses */
	bool met; /* some host, whatever was wrong with it then */
};

static int64_t
now(void)
{
	return clock_monotonic(&clock_system);
}

void
deliver_hosts_result_init(struct deliver_hosts_result *result)
{
	*result = (struct deliver_hosts_result){.session = ""};
	peer_reply_init(&result->reply);
}

void
deliver_hosts_result_free(struct deliver_hosts_result *result)
{
	peer_reply_free(&result->reply);
}

/* ---- policyd's word ---- */

/* The record that came with the answer; NULL without one that can be read. */
static int
take_record(struct search *search, struct fault *fault)
{
	const struct buffer *text = &search->facts.record;
	int err = ERR_MEMORY;

	if (search->record == NULL)
		search->record = malloc(sizeof(*search->record));
	if (search->record == NULL)
		return fault_set(fault, err, "%s", "");
	err = text->length == 0
	    ? fault_set(fault, ERR_PROTOCOL,
	          "policyd names hosts without a record")
	    : record_parse(buffer_span(text), search->record, NULL, NULL,
	          fault);
	if (err != 0) {
		free(search->record);
		search->record = NULL;
	}
	return err;
}

/* The hosts of a stage. The record of the answer stays in force when there are
 * none. */
static int
find_hosts(struct search *search, enum hosts_stage stage, struct fault *fault)
{
	const struct deliver_hosts_request *request = search->request;
	const struct facts_request question = {.verb = FACTS_HOSTS,
	    .from = "", .to = request->mail->destination, .fingerprint = "",
	    .wait = request->live->fetch_timeout,
	    .stage = hosts_stage_name(stage)};
	int64_t start = now();
	int err, unread;

	facts_answer_free(&search->facts);
	facts_answer_init(&search->facts);
	err = facts_ask(request->dmtpd->facts, &question, &search->facts,
	    fault);
	search->result->ms_facts += now() - start;
	if (err == 0 && search->facts.err != 0)
		err = fault_set(fault, search->facts.err, "%s",
		    search->facts.reason);
	unread = take_record(search, err == 0 ? fault : NULL);
	search->result->recorded = search->record != NULL;
	return err != 0 ? err : unread;
}

static bool
is_outdated(const struct search *search)
{
	const struct deliver_hosts_request *request = search->request;
	const struct facts_answer *facts = &search->facts;

	return request->current_only && facts->org_fingerprint[0] != '\0' &&
	    strcmp(facts->organization, request->mail->destination) == 0 &&
	    strcmp(facts->org_fingerprint,
	        request->mail->destination_fingerprint) != 0;
}

/* ---- one host ---- */

static int
transfer(struct search *search, struct peer *peer)
{
	struct deliver_hosts_result *result = search->result;
	int64_t start = now();
	int err;

	MARK("session-open");
	err = peer_deliver(peer, search->request->mail, &result->reply,
	    search->fault);
	result->ms_command = now() - start;
	return err;
}

/* Whether another host may do better: this one could not be spoken with, or
 * refused because of its own load. A session that breaks later may have
 * delivered: that is for the queue to try again, and for 255 to find out. */
static bool
is_hosts_trouble(const struct search *search)
{
	const struct deliver_hosts_result *result = search->result;

	return !result->opened || result->reply.code == 421 ||
	    result->reply.code == 450;
}

/* A session that was idle, if there is one that is still good; that none is
 * says nothing about the host. */
static struct peer *
use_again(struct search *search, struct pool_visit *visit)
{
	const struct deadline deadline = deadline_earlier(search->deadline,
	    deadline_in(AGAIN_WAIT));
	struct pool *pool = search->request->dmtpd->pool;
	struct peer *peer;

	while ((peer = pool_take(pool, visit)) != NULL) {
		if (peer_again(peer, visit->wish->target, deadline, NULL) == 0)
			return peer;
		peer_close(peer);
	}
	return NULL;
}

static int
open_new(struct search *search, const struct peer_target *target,
    struct peer **peer)
{
	struct dmtpd *dmtpd = search->request->dmtpd;
	char name[DOMAIN_SIZE + 60];
	int err;

	*peer = NULL;
	snprintf(name, sizeof(name), "%s %s %u", target->host, target->address,
	    target->port);
	if (!backoff_may_try(dmtpd->backoff, name, &err))
		return fault_set(search->fault, err,
		    "%s[%s] failed a moment ago", target->host,
		    target->address);
	err = peer_open(target, dmtpd->tls_client,
	    deadline_earlier(search->deadline, deadline_in(HOST_WAIT)), peer,
	    search->fault);
	if (err != 0)
		backoff_failed(dmtpd->backoff, name, err);
	else
		backoff_succeeded(dmtpd->backoff, name);
	return err;
}

static int
new_session(struct search *search, const struct peer_target *target,
    struct peer **peer)
{
	int err = open_new(search, target, peer);

	search->result->opened = err == 0;
	search->result->session = err != 0   ? ""
	    : peer_is_resumed(*peer) ? "resumed"
	                             : "new";
	return err;
}

static int
find_session(struct search *search, struct pool_visit *visit,
    struct peer **peer)
{
	struct deliver_hosts_result *result = search->result;
	int64_t start = now();
	int err = 0;

	*peer = use_again(search, visit);
	if (*peer == NULL) {
		err = new_session(search, visit->wish->target, peer);
	} else {
		result->opened = true;
		result->session = "reused";
	}
	result->ms_open = now() - start;
	return err;
}

/* Whether the host has had enough of a session, as of one with many messages,
 * before this one was sent. After minutes of silence nothing more is begun. */
static bool
wants_new_session(const struct search *search, const struct peer *peer,
    int err)
{
	return err != 0 && err != ERR_TIMEOUT &&
	    strcmp(search->result->session, "reused") == 0 &&
	    !peer_is_good(peer) && !peer_may_have_message(peer);
}

static void
forget_reply(struct deliver_hosts_result *result)
{
	peer_reply_free(&result->reply);
	peer_reply_init(&result->reply);
}

/* Its turn among those who have, or want, a session there. */
static int
visit_host(struct search *search, const struct peer_target *target)
{
	const struct deliver_hosts_request *request = search->request;
	struct pool *pool = request->dmtpd->pool;
	char origin[DOMAIN_SIZE + SIGNET_FINGERPRINT_SIZE];
	const struct pool_wish wish = {
	    .target = target,
	    .origin = origin,
	    .limit = (size_t)request->live->destination_session_limit,
	};
	struct peer *peer = NULL;
	struct pool_visit visit;
	int err;

	snprintf(origin, sizeof(origin), "%s %s", request->mail->origin,
	    request->mail->origin_fingerprint);
	err = pool_enter(pool, &visit, &wish, deadline_earlier(search->deadline,
	    deadline_in(TURN_WAIT)), search->fault);
	if (err != 0)
		return err;
	err = find_session(search, &visit, &peer);
	if (err == 0)
		err = transfer(search, peer);
	if (peer != NULL && wants_new_session(search, peer, err)) {
		peer_close(peer);
		forget_reply(search->result);
		err = new_session(search, target, &peer);
		if (err == 0)
			err = transfer(search, peer);
	}
	pool_leave(pool, &visit, peer);
	return err;
}

static int
try_address(struct search *search, const struct facts_host *host,
    const char *address)
{
	const struct deliver_hosts_request *request = search->request;
	struct deliver_hosts_result *result = search->result;
	const struct peer_target target = {
	    .host = host->name,
	    .domain = search->facts.organization,
	    .address = address,
	    .port = host->port,
	    .dual = host->dual,
	    .source = request->live->bind_address,
	    .record = search->record,
	    /* Of the record in force, which may be a pinned one. */
	    .record_secure = search->facts.confirmed,
	    .org = request->destination_org,
	    .revocation = request->dmtpd->revocation,
	    .room = &request->dmtpd->peer_room,
	};
	int err;

	forget_reply(result);
	result->opened = false;
	result->session = "";
	err = visit_host(search, &target);
	search->met |= result->opened ||
	    (err != ERR_UNREACHABLE && err != ERR_TIMEOUT);
	return err;
}

/* ---- all hosts ---- */

static int
try_host(struct search *search, const struct facts_host *host)
{
	struct deliver_hosts_result *result = search->result;
	const struct fault before = *search->fault;
	int err = fault_set(search->fault, ERR_UNREACHABLE,
	    "%s: DNS does not tell the address", host->name);

	snprintf(result->host, sizeof(result->host), "%s", host->name);
	search->unknown |= host->address_count == 0;
	for (size_t i = 0; i < host->address_count; i++) {
		err = try_address(search, host, host->addresses[i]);
		if (err == 0 || !is_hosts_trouble(search))
			break;
	}
	/* A port where nobody listens explains nothing. */
	if (is_hosts_trouble(search) && !peer_tells_more(err, before.err)) {
		*search->fault = before;
		err = before.err;
	}
	return err;
}

/* Whether another host may be tried, when one came to `err`. */
static bool
goes_on(const struct search *search, int err)
{
	return err != 0 && is_hosts_trouble(search) &&
	    deadline_left(search->deadline) > 0 &&
	    !server_stopping(search->request->dmtpd->server);
}

static int
try_hosts(struct search *search)
{
	const struct facts_answer *facts = &search->facts;
	int err = search->fault->err;

	for (size_t i = 0; i < facts->host_count; i++) {
		err = try_host(search, &facts->hosts[i]);
		if (!goes_on(search, err))
			break;
	}
	return err;
}

/* Stage by stage, in the order that policyd gives (D12). What the last host
 * came to says more than that a later stage has none. */
static int
try_stages(struct search *search)
{
	struct fault none = {0};
	int err = ERR_UNREACHABLE, stage;

	for (stage = HOSTS_DX; stage < HOSTS_STAGES; stage++) {
		int found = find_hosts(search, (enum hosts_stage)stage, &none);

		search->unknown |= found != 0 && found != ERR_UNREACHABLE;
		if (found != 0 && search->result->host[0] == '\0') {
			*search->fault = none;
			err = found;
		}
		if (search->record == NULL)
			break;
		if (is_outdated(search))
			return fault_set(search->fault, ERR_DESTINATION_SIGNET,
			    "sealed for another signet than %s has",
			    search->request->mail->destination);
		if (found == 0)
			err = try_hosts(search);
		if (!goes_on(search, err))
			break;
	}
	search->all_asked = stage == HOSTS_STAGES;
	return err;
}

int
deliver_hosts(const struct deliver_hosts_request *request,
    struct deliver_hosts_result *result, struct fault *fault)
{
	struct search search = {
	    .request = request,
	    .result = result,
	    .fault = fault,
	    .deadline = deadline_in(SEARCH_WAIT),
	};
	int err;

	facts_answer_init(&search.facts);
	err = try_stages(&search);
	result->absent = err != 0 && search.all_asked && !search.unknown &&
	    !search.met && search.record != NULL;
	facts_answer_free(&search.facts);
	free(search.record);
	return err;
}
