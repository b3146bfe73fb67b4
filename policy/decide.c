/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "base/log.h"
#include "policy/decide.h"

/* ---- names ---- */

/* What may still be a domain once its dots at the end are gone, but is none
 * that DNS could hold a record for. Outside ASCII there are other dots (U+3002
 * and its like), which Postfix turns into ours when it delivers. */
static bool
is_single_label(const char *domain)
{
	const char *dot = strchr(domain, '.');

	return address_is_ascii(domain) && (dot == NULL || dot[1] == '\0');
}

void
decide_read_name(const char *text, struct decide_name *out)
{
	const char *at = strrchr(text, '@');

	*out = (struct decide_name){.no_domain = true};
	if (at == NULL || at[1] == '[' || is_single_label(at + 1))
		return;
	out->no_domain = false;
	if (domain_normalize(span_string(at + 1), out->domain))
		address_normalize(span_string(text), out->address);
}

/* The domain of an address, or the text itself. */
static const char *
domain_part(const char *text)
{
	const char *at = strrchr(text, '@');

	return at == NULL ? text : at + 1;
}

/* ---- facts ---- */

void
decide_domain_facts(const struct policyd *policyd, const struct site *site,
    const struct domain_facts *domain, struct policy_facts *facts)
{
	facts->dns = domain->dns;
	facts->pinned = domain->pinned_until > clock_wall(policyd->clock);
	facts->receiver = domain->policy;
	/* A pin whose record cannot be read is a pin all the same. */
	if (facts->pinned && domain->record.length == 0)
		facts->receiver = RECORD_MIXED;
	facts->required = site_names_has(&site->required, domain->domain) ||
	    site_names_has(&site->required, domain->organization);
}

void
decide_tell_domain(const struct policyd *policyd, const struct site *site,
    const struct domain_facts *domain, bool hit, struct facts_answer *answer)
{
	decide_domain_facts(policyd, site, domain, &answer->facts);
	snprintf(answer->organization, sizeof(answer->organization), "%s",
	    domain->organization);
	snprintf(answer->source, sizeof(answer->source), "%s",
	    hit ? "memory" : domain->source);
	answer->confirmed = domain->record.length > 0 && domain->secure;
	answer->expires = domain->value.expires;
	answer->pinned_until = answer->facts.pinned ? domain->pinned_until : 0;
	buffer_append_span(&answer->record, domain->record);
}

/* ---- verdicts ---- */

static void
take_verdict(struct facts_answer *answer, struct policy_verdict verdict,
    const char *detail)
{
	answer->action = verdict.action;
	answer->err = verdict.err;
	snprintf(answer->cell, sizeof(answer->cell), "%s", verdict.cell);
	snprintf(answer->reason, sizeof(answer->reason), "%s%s%s",
	    verdict.reason, *detail == '\0' ? "" : ": ", detail);
}

static void
refuse(struct facts_answer *answer, int err, const char *reason)
{
	answer->action = POLICY_REFUSE;
	answer->err = err;
	snprintf(answer->reason, sizeof(answer->reason), "%s", reason);
}

/* Not known in time, or not to be found out now. */
static void
defer(struct facts_answer *answer, int err, const char *what)
{
	answer->action = POLICY_DEFER;
	answer->err = err;
	snprintf(answer->reason, sizeof(answer->reason), "%s: %s", what,
	    err == ERR_TIMEOUT ? "not known yet, asking goes on"
	                       : error_row(err)->text);
}

static void
deliver_here(struct facts_answer *answer)
{
	answer->action = POLICY_NAKED;
	answer->err = 0;
	answer->facts.dns = DNS_ABSENT_PROVEN;
	snprintf(answer->cell, sizeof(answer->cell), "local");
	snprintf(answer->source, sizeof(answer->source), "configuration");
	snprintf(answer->reason, sizeof(answer->reason),
	    "the domain is delivered here");
}

/* No record can exist for such a name. */
static void
judge_no_domain(struct facts_answer *answer,
    struct policy_verdict (*judge)(const struct policy_facts *facts))
{
	answer->facts.dns = DNS_ABSENT_PROVEN;
	answer->facts.receiver = RECORD_LEGACY;
	snprintf(answer->source, sizeof(answer->source), "syntax");
	take_verdict(answer, judge(&answer->facts),
	    "the address has no domain that could publish a record");
}

/* ---- outbound ---- */

static void
append_signets(const struct signet_facts *user, struct facts_answer *answer)
{
	buffer_append_span(&answer->user_signet, user->binary);
	buffer_append_span(&answer->org_signet, user->org->binary);
	answer->confirmed = true;
	if (answer->user_signet.error != 0 || answer->org_signet.error != 0)
		defer(answer, ERR_MEMORY, "signets");
}

/* The recipient's signet decides between dark, naked and waiting. */
static void
decide_by_signet(struct policyd *policyd, const struct domain_facts *domain,
    const struct decide_name *to, struct deadline deadline,
    struct facts_answer *answer)
{
	const struct signet_facts *signet;
	bool hit;
	int err;

	if (to->address[0] == '\0') {
		refuse(answer, ERR_RECIPIENT,
		    "DIME has no way to write this address");
		return;
	}
	if (!address_is_ascii(to->address)) {
		answer->facts.signet = SIGNET_NOT_ENABLED;
		take_verdict(answer, policy_decide(&answer->facts),
		    "the address is not ASCII, so no signet can be asked for");
		return;
	}
	err = signets_find(policyd->signets, domain, to->address, "", deadline,
	    &signet, &hit);
	if (err != 0) {
		defer(answer, err, "the recipient's signet");
		return;
	}
	answer->facts.signet = signet->answer;
	take_verdict(answer, policy_decide(&answer->facts), signet->reason);
	if (answer->action == POLICY_DEFER && signet->err != 0 &&
	    error_row(signet->err)->temporary)
		answer->err = signet->err;
	if (answer->action == POLICY_DARK)
		append_signets(signet, answer);
	signet_facts_release(signet);
}

static void
decide_by_domain(struct policyd *policyd, const struct site *site,
    const struct decide_name *to, struct deadline deadline,
    struct facts_answer *answer)
{
	const struct domain_facts *domain;
	bool hit;
	int err;

	err = domains_find(policyd->domains, to->domain, deadline, &domain,
	    &hit);
	if (err != 0) {
		defer(answer, err, "the recipient's domain");
		return;
	}
	decide_tell_domain(policyd, site, domain, hit, answer);
	take_verdict(answer, policy_decide(&answer->facts), domain->reason);
	/* With a record in force the recipient's signet comes into it, unless
	 * the table says no in any case. */
	if (domain->record.length > 0 && answer->action != POLICY_NAKED &&
	    answer->action != POLICY_REFUSE)
		decide_by_signet(policyd, domain, to, deadline, answer);
	else if (answer->action == POLICY_DARK)
		defer(answer, ERR_INTERNAL, "no record in force");
	domain_release(domain);
}

static void
count_outbound(struct policyd *policyd, const struct facts_answer *answer)
{
	struct statistics *statistics = &policyd->statistics;

	switch (answer->action) {
	case POLICY_DARK:
		atomic_fetch_add(&statistics->decided_dark, 1);
		break;
	case POLICY_NAKED:
		atomic_fetch_add(&statistics->decided_naked, 1);
		if (answer->facts.signet == SIGNET_NOT_ENABLED)
			atomic_fetch_add(&statistics->decided_naked_476, 1);
		else if (answer->facts.dns == DNS_ABSENT_INSECURE)
			atomic_fetch_add(&statistics->decided_naked_insecure,
			    1);
		break;
	case POLICY_REFUSE:
		atomic_fetch_add(&statistics->decided_refuse, 1);
		break;
	case POLICY_DEFER:
	case POLICY_ACTIONS:
		atomic_fetch_add(&statistics->decided_defer, 1);
		break;
	}
}

static void
log_decision(const char *event, const struct facts_request *request,
    const struct facts_answer *answer)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, event);
	log_text(&line, "from", request->from);
	log_text(&line, "to", request->to);
	log_text(&line, "action", policy_action_name(answer->action));
	log_text(&line, "cell", answer->cell);
	log_text(&line, "dns", dns_answer_name(answer->facts.dns));
	log_text(&line, "signet", signet_answer_name(answer->facts.signet));
	log_text(&line, "source", answer->source);
	if (answer->err != 0)
		log_text(&line, "error", error_row(answer->err)->name);
	log_text(&line, "reason", answer->reason);
	log_end(&line);
}

void
decide_outbound(struct policyd *policyd, const struct facts_request *request,
    struct facts_answer *answer)
{
	const struct deadline deadline = deadline_in(request->wait);
	const struct site *site = sites_hold(policyd->sites);
	char sender[DOMAIN_SIZE];
	struct decide_name to;

	domain_normalize(span_string(domain_part(request->from)), sender);
	answer->facts.sender = site_policy_of(site, sender);
	decide_read_name(request->to, &to);
	if (to.no_domain)
		judge_no_domain(answer, policy_decide);
	else if (to.domain[0] == '\0')
		refuse(answer, ERR_RECIPIENT, "not a domain");
	else if (site_delivers(site, to.domain))
		deliver_here(answer);
	else
		decide_by_domain(policyd, site, &to, deadline, answer);
	sites_release(site);
	count_outbound(policyd, answer);
	log_decision("decide", request, answer);
}

/* ---- inbound ---- */

static void
judge_inbound(struct policyd *policyd, const struct site *site,
    const char *sender, struct deadline deadline, struct facts_answer *answer)
{
	const struct domain_facts *domain;
	bool hit;
	int err;

	err = domains_find(policyd->domains, sender, deadline, &domain, &hit);
	if (err != 0) {
		defer(answer, err, "the sender's domain");
		return;
	}
	decide_tell_domain(policyd, site, domain, hit, answer);
	take_verdict(answer, policy_accept_naked(&answer->facts),
	    domain->reason);
	domain_release(domain);
}

void
decide_inbound(struct policyd *policyd, const struct facts_request *request,
    struct facts_answer *answer)
{
	const struct deadline deadline = deadline_in(request->wait);
	const struct site *site = sites_hold(policyd->sites);
	struct statistics *statistics = &policyd->statistics;
	char receiver[DOMAIN_SIZE], sender[DOMAIN_SIZE];
	const char *from = domain_part(request->from);

	domain_normalize(span_string(domain_part(request->to)), receiver);
	/* What is not served over DIME here is a legacy domain. */
	answer->facts.sender = site_names_has(&site->domains, receiver)
	    ? site_policy_of(site, receiver)
	    : RECORD_LEGACY;
	if (domain_normalize(span_string(from), sender)) {
		if (site_delivers(site, sender))
			deliver_here(answer);
		else
			judge_inbound(policyd, site, sender, deadline, answer);
	} else {
		/* The null sender, a literal, something malformed: nothing that
		 * has a record. */
		judge_no_domain(answer, policy_accept_naked);
	}
	sites_release(site);
	atomic_fetch_add(
	    answer->action == POLICY_NAKED    ? &statistics->inbound_accepted
	    : answer->action == POLICY_REFUSE ? &statistics->inbound_refused
					      : &statistics->inbound_deferred,
	    1);
	log_decision("inbound", request, answer);
}
