/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "policy/ahead.h"
#include "policy/hosts.h"
#include "policy/inquiry.h"
#include "policy/purge.h"

/* A recipient stays noted for longer than Postfix's largest back-off (4000
 * seconds), or its copy in queue 1 would never meet the note. */
enum { NOTE_SECONDS = 5400 };

static void
set_error(struct facts_answer *answer, int err, const char *name,
    const char *reason)
{
	struct fault fault;

	answer->err = fault_set(&fault, err, "%s: %s", name,
	    *reason == '\0' ? error_row(err)->text : reason);
	memcpy(answer->reason, fault.text, sizeof(answer->reason));
}

/* ---- a domain's record ---- */

/*
 * The facts of the domain, told in the answer. NULL when they cannot be had, or
 * when no record is in force: `absent` is then the error for a domain that is
 * known to have none.
 */
static const struct domain_facts *
find_record(struct policyd *policyd, const char *name, int absent,
    struct deadline deadline, struct facts_answer *answer)
{
	const struct domain_facts *domain;
	bool hit;
	int err;

	err = domains_find(policyd->domains, name, deadline, &domain, &hit);
	if (err != 0) {
		set_error(answer, err, name, "");
		return NULL;
	}
	decide_tell_domain(policyd, domain, hit, answer);
	if (domain->record.length > 0)
		return domain;
	if (domain->err != 0)
		set_error(answer, domain->err, name, domain->reason);
	else
		set_error(answer, absent, name, "publishes no record");
	domain_release(domain);
	return NULL;
}

/* ---- signets ---- */

/*
 * Only the authority's own word is permanent; a signet that does not verify may
 * be somebody in between, or a rotation half done.
 */
static int
error_of_signet(const struct signet_facts *signet, bool is_address,
    const char *fingerprint)
{
	if (signet->answer == SIGNET_UNKNOWN)
		return is_address && *fingerprint == '\0'
		    ? ERR_UNKNOWN_ADDRESS
		    : ERR_ORIGIN_INVALID;
	if (signet->answer == SIGNET_NOT_ENABLED)
		return ERR_NOT_ENABLED;
	return error_row(signet->err)->temporary ? signet->err
	                                         : ERR_ORIGIN_WAIT;
}

static const char *
org_fingerprint_of(const struct facts_request *request)
{
	return request->org_fingerprint == NULL ? "" : request->org_fingerprint;
}

static void
find_signet(struct policyd *policyd, const struct domain_facts *domain,
    const char *name, const struct facts_request *request,
    struct deadline deadline, struct facts_answer *answer)
{
	const char *fingerprint = request->fingerprint;
	const struct signet_facts *signet;
	bool hit;
	int err;

	err = signets_find(policyd->signets, domain, name, fingerprint,
	    org_fingerprint_of(request), deadline, &signet, &hit);
	if (err != 0) {
		set_error(answer, err, name, "");
		return;
	}
	decide_tell_signet(policyd, signet, hit, answer);
	if (answer->user_signet.error != 0 || answer->org_signet.error != 0) {
		set_error(answer, ERR_MEMORY, name, "");
	} else if (signet->answer != SIGNET_HELD) {
		set_error(answer,
		    error_of_signet(signet, strchr(name, '@') != NULL,
		        fingerprint),
		    name, signet->reason);
	}
	signet_facts_release(signet);
}

static void
log_signet(const struct facts_request *request,
    const struct facts_answer *answer)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "signet");
	log_text(&line, "name", request->to);
	log_text(&line, "dns", dns_answer_name(answer->facts.dns));
	log_text(&line, "signet", signet_answer_name(answer->facts.signet));
	log_text(&line, "source", answer->source);
	if (answer->err != 0) {
		log_text(&line, "error", error_row(answer->err)->name);
		log_text(&line, "reason", answer->reason);
	}
	log_end(&line);
}

/* Empty, or of its form. */
static bool
is_fingerprint(const char *text)
{
	return *text == '\0' || signet_is_fingerprint(span_string(text));
}

/* Under an organizational signet other than the current one only a certain
 * signet of a user is asked for. */
static bool
has_good_fingerprints(const struct facts_request *request)
{
	const char *org = org_fingerprint_of(request);

	return is_fingerprint(request->fingerprint) && is_fingerprint(org) &&
	    (*org == '\0' ||
	        (*request->fingerprint != '\0' &&
	            strchr(request->to, '@') != NULL));
}

void
inquiry_signet(struct policyd *policyd, const struct facts_request *request,
    struct facts_answer *answer)
{
	const struct deadline deadline = deadline_in(request->wait);
	const bool is_address = strchr(request->to, '@') != NULL;
	const struct domain_facts *domain;
	char name[ADDRESS_SIZE];

	if (!(is_address ? address_normalize(span_string(request->to), name)
	                 : domain_normalize(span_string(request->to), name)) ||
	    !has_good_fingerprints(request)) {
		set_error(answer, ERR_USAGE, request->to,
		    "not a domain, an address, or with a fingerprint");
		return;
	}
	if (request->wait > 0)
		ahead_read(policyd, name, request->fingerprint);
	domain = find_record(policyd, is_address ? address_domain(name) : name,
	    ERR_ORIGIN_INVALID, deadline, answer);
	if (domain != NULL && is_address && !address_is_ascii(name)) {
		answer->facts.signet = SIGNET_NOT_ENABLED;
		set_error(answer, ERR_NOT_ENABLED, name,
		    "not ASCII, so no signet can be asked for");
	} else if (domain != NULL) {
		find_signet(policyd, domain,
		    is_address ? name : domain->organization, request,
		    deadline, answer);
	}
	domain_release(domain);
	log_signet(request, answer);
}

/* ---- hosts ---- */

static void
find_hosts(struct policyd *policyd, const struct domain_facts *domain,
    enum hosts_stage stage, struct deadline deadline,
    struct facts_answer *answer)
{
	const struct site *site = sites_hold(policyd->sites);
	struct record *record = malloc(sizeof(*record));
	struct fault fault = {0};
	struct hosts_wish wish = {&policyd->dns, site->config,
	    domain->organization, record, stage};
	int err = ERR_MEMORY;

	if (record != NULL &&
	    (err = record_parse(domain->record, record, NULL, NULL, &fault)) ==
	        0)
		err = hosts_find(&wish, deadline, answer->hosts,
		    &answer->host_count, &fault);
	if (err != 0)
		set_error(answer, err, domain->domain, fault_text(&fault, err));
	free(record);
	sites_release(site);
}

/* A delivery agent with a message for another signet need not offer it. */
static void
tell_current(struct policyd *policyd, const struct domain_facts *domain,
    struct facts_answer *answer)
{
	const struct signet_facts *held = signets_held(policyd->signets, domain,
	    domain->organization);

	if (held == NULL)
		return;
	if (held->answer == SIGNET_HELD)
		memcpy(answer->org_fingerprint, held->fingerprint,
		    sizeof(answer->org_fingerprint));
	signet_facts_release(held);
}

void
inquiry_hosts(struct policyd *policyd, const struct facts_request *request,
    struct facts_answer *answer)
{
	const struct deadline deadline = deadline_in(request->wait);
	const struct domain_facts *domain;
	char name[DOMAIN_SIZE];
	int stage = HOSTS_DX;

	if (request->stage != NULL && *request->stage != '\0')
		stage = hosts_stage_by_name(request->stage);
	if (!domain_normalize(span_string(request->to), name) || stage < 0) {
		set_error(answer, ERR_USAGE, request->to,
		    "not a domain, or no stage");
		return;
	}
	domain = find_record(policyd, name, ERR_UNREACHABLE, deadline, answer);
	if (domain != NULL) {
		tell_current(policyd, domain, answer);
		find_hosts(policyd, domain, (enum hosts_stage)stage, deadline,
		    answer);
	}
	domain_release(domain);
}

void
inquiry_addresses(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer)
{
	const struct site *site;
	char name[DOMAIN_SIZE];
	struct fault fault = {0};

	if (!domain_normalize(span_string(request->to), name)) {
		set_error(answer, ERR_USAGE, request->to, "not a host");
		return;
	}
	site = sites_hold(policyd->sites);
	answer->err = hosts_find_addresses(&policyd->dns, name,
	    site->config->allow_private_addresses, deadline_in(request->wait),
	    &answer->hosts[0], &fault);
	sites_release(site);
	answer->host_count = answer->err == 0;
	memcpy(answer->reason, fault.text, sizeof(answer->reason));
}

/* ---- notes ---- */

void
inquiry_note_naked(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer)
{
	struct facts_request again = *request;
	struct decide_name to;
	int err;

	again.wait = 0;
	decide_outbound_silently(policyd, &again, answer);
	if (answer->action != POLICY_NAKED) {
		if (answer->err == 0)
			set_error(answer, ERR_POLICY, request->to,
			    "not to go naked");
		return;
	}
	decide_read_name(request->to, &to);
	if (to.address[0] == '\0')
		return;
	err = state_set_naked(policyd->state, to.address,
	    clock_wall(policyd->clock) + NOTE_SECONDS);
	if (err != 0)
		set_error(answer, err, to.address, "");
}

/* ---- forgetting ---- */

static void
log_forgotten(const char *event, const char *name)
{
	struct log_line line;

	log_begin(&line, LOG_NOTICE, event);
	log_text(&line, "name", name);
	log_end(&line);
}

void
inquiry_forget(struct policyd *policyd, const struct facts_request *request,
    struct facts_answer *answer)
{
	static const char *const reaches[] = {
	    [PURGES_HERE] = "forgotten on this node only: there is no Redis",
	    [PURGES_NOT_NOW] =
	        "forgotten on this node only: Redis takes nothing",
	    [PURGES_TOLD] = "forgotten here, and within seconds on all nodes",
	};
	enum purges_reach reach = PURGES_HERE;
	char name[ADDRESS_SIZE];
	int err = ERR_USAGE;

	if (address_normalize(span_string(request->to), name) ||
	    domain_normalize(span_string(request->to), name))
		err = purges_forget(policyd, name, &reach);
	if (err != 0) {
		set_error(answer, err, request->to,
		    err == ERR_USAGE ? "not a domain or address" : "");
		return;
	}
	log_forgotten("forget", name);
	snprintf(answer->reason, sizeof(answer->reason), "%s", reaches[reach]);
}

void
inquiry_stale(struct policyd *policyd, const struct facts_request *request,
    struct facts_answer *answer)
{
	const bool is_address = strchr(request->to, '@') != NULL;
	char name[ADDRESS_SIZE];

	if (!(is_address ? address_normalize(span_string(request->to), name)
	                 : domain_normalize(span_string(request->to), name)) ||
	    (*request->fingerprint != '\0' &&
	        !signet_is_fingerprint(span_string(request->fingerprint)))) {
		set_error(answer, ERR_USAGE, request->to,
		    "not a domain, an address, or with a fingerprint");
		return;
	}
	log_forgotten("stale", name);
	signets_stale(policyd->signets, name, request->fingerprint);
}

void
inquiry_status(struct policyd *policyd, const struct facts_request *request,
    struct facts_answer *answer)
{
	statistics_write(policyd, &answer->text);
}
