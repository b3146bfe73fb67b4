/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "base/log.h"
#include "policy/ahead.h"
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

	*out = (struct decide_name){.no_domain = true, .label = ""};
	if (at == NULL)
		return;
	/* Brackets do not make a domain anything else. */
	out->literal = at[1] == '[' &&
	    domain_is_ip_address(span_string(at + 1));
	if (out->literal)
		return;
	if (is_single_label(at + 1)) {
		out->label = at + 1;
		return;
	}
	out->no_domain = false;
	if (domain_normalize(span_string(at + 1), out->domain))
		address_normalize(span_string(text), out->address);
}

struct pattern_name
decide_pattern_name(const struct decide_name *name)
{
	struct pattern_name out = {0};

	memcpy(out.domain, name->domain, sizeof(out.domain));
	memcpy(out.address, name->address, sizeof(out.address));
	return out;
}

bool
decide_is_local(const struct site *site, const struct decide_name *name)
{
	if (name->no_domain)
		return !name->literal && (*name->label == '\0' ||
		    site_delivers_label(site, name->label));
	return site_delivers(site, name->domain);
}

/* The domain of an address, or the text itself. */
static const char *
domain_part(const char *text)
{
	const char *at = strrchr(text, '@');

	return at == NULL ? text : at + 1;
}

static bool
is_given(const char *text)
{
	return text != NULL && *text != '\0';
}

/* ---- what is told ---- */

void
decide_domain_facts(const struct policyd *policyd,
    const struct domain_facts *domain, struct policy_facts *facts)
{
	facts->dns = domain->dns;
	facts->pinned = domain->pinned_until > clock_wall(policyd->clock);
	facts->receiver = domain->policy;
	/* A pin whose record cannot be read is a pin all the same. */
	if (facts->pinned && domain->record.length == 0)
		facts->receiver = RECORD_MIXED;
}

static int64_t
age_of(const struct policyd *policyd, int64_t since)
{
	const int64_t age = clock_wall(policyd->clock) - since;

	return age > 0 ? age : 0;
}

void
decide_tell_domain(const struct policyd *policyd,
    const struct domain_facts *domain, bool hit, struct facts_answer *answer)
{
	decide_domain_facts(policyd, domain, &answer->facts);
	snprintf(answer->organization, sizeof(answer->organization), "%s",
	    domain->organization);
	snprintf(answer->source, sizeof(answer->source), "%s",
	    hit ? "memory" : domain->source);
	answer->age = age_of(policyd, domain->since);
	answer->confirmed = domain->record.length > 0 && domain->secure;
	answer->expires = domain->value.expires;
	answer->pinned_until = answer->facts.pinned ? domain->pinned_until : 0;
	buffer_append_span(&answer->record, domain->record);
}

static void
tell_origin(const struct policyd *policyd, const struct signet_facts *signet,
    bool hit, struct facts_origin *origin)
{
	snprintf(origin->source, sizeof(origin->source), "%s",
	    hit ? "memory" : signet->source);
	origin->age = age_of(policyd, signet->since);
	origin->expires = signet->value.expires;
}

void
decide_tell_signet(const struct policyd *policyd,
    const struct signet_facts *signet, bool hit, struct facts_answer *answer)
{
	answer->facts.signet = signet->answer;
	if (signet->org != NULL) {
		tell_origin(policyd, signet, hit, &answer->user);
		tell_origin(policyd, signet->org, hit, &answer->org);
		buffer_append_span(&answer->user_signet, signet->binary);
		buffer_append_span(&answer->org_signet, signet->org->binary);
	} else if (signet->answer == SIGNET_HELD) {
		tell_origin(policyd, signet, hit, &answer->org);
		buffer_append_span(&answer->org_signet, signet->binary);
	} else {
		/* What is said of it has a source and an end, too. */
		tell_origin(policyd, signet, hit, &answer->user);
	}
	if (signet->answer == SIGNET_HELD)
		answer->confirmed = true;
}

void
decide_tell_rule(const struct rule *rule, const struct pattern_name *from,
    const struct pattern_name *to, struct facts_answer *answer)
{
	struct buffer text = buffer_make(4096);

	if (rule == NULL)
		return;
	answer->rule_number = (int64_t)rule->number;
	rule_describe(rule, from, to, &text);
	snprintf(answer->rule, sizeof(answer->rule), "%s",
	    text.error == 0 ? buffer_string(&text) : rule->name);
	buffer_free(&text);
}

void
decide_log(const char *event, const struct facts_request *request,
    const struct facts_answer *answer)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, event);
	if (is_given(request->queue))
		log_text(&line, "queue", request->queue);
	log_text(&line, "from", is_given(request->sender) ? request->sender
	                                                  : request->from);
	log_text(&line, "to", request->to);
	log_text(&line, "action", policy_action_name(answer->action));
	if (answer->shadow)
		log_text(&line, "mode", "shadow");
	log_text(&line, "cell", answer->cell);
	log_text(&line, "dns", dns_answer_name(answer->facts.dns));
	log_text(&line, "signet", signet_answer_name(answer->facts.signet));
	log_text(&line, "source", answer->source);
	if (answer->rule_number != 0)
		log_number(&line, "rule", answer->rule_number);
	if (answer->outcome[0] != '\0')
		log_text(&line, "outcome", answer->outcome);
	if (answer->err != 0)
		log_text(&line, "error", error_row(answer->err)->name);
	log_text(&line, "reason", answer->reason);
	log_end(&line);
}

/* ---- verdicts ---- */

typedef struct policy_verdict judge(const struct policy_facts *facts,
    const struct rule *rule);

/* One question while it is being answered. */
struct question {
	struct policyd *policyd;
	const struct site *site;
	struct deadline deadline;
	judge *judge;
	const struct rule *rule;
	struct facts_answer *answer;
};

static void
take_verdict(struct question *question, const char *detail)
{
	struct facts_answer *answer = question->answer;
	const struct policy_verdict verdict =
	    question->judge(&answer->facts, question->rule);

	answer->by_rule = question->rule != NULL &&
	    verdict.action != question->judge(&answer->facts, NULL).action;
	answer->action = verdict.action;
	answer->err = verdict.err;
	snprintf(answer->cell, sizeof(answer->cell), "%s", verdict.cell);
	snprintf(answer->outcome, sizeof(answer->outcome), "%s",
	    rule_outcome_name(verdict.outcome));
	snprintf(answer->reason, sizeof(answer->reason), "%s%s%s%s%s",
	    verdict.reason, *detail == '\0' ? "" : ": ", detail,
	    answer->by_rule ? "; by rule " : "",
	    answer->by_rule ? question->rule->name : "");
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
judge_no_domain(struct question *question)
{
	struct facts_answer *answer = question->answer;

	answer->facts.dns = DNS_ABSENT_PROVEN;
	answer->facts.receiver = RECORD_LEGACY;
	snprintf(answer->source, sizeof(answer->source), "syntax");
	take_verdict(question,
	    "the address has no domain that could publish a record");
}

/* ---- outbound ---- */

/* The recipient's signet decides between dark, naked and waiting. */
static void
decide_by_signet(struct question *question, const struct domain_facts *domain,
    const struct decide_name *to)
{
	struct facts_answer *answer = question->answer;
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
		take_verdict(question,
		    "the address is not ASCII, so no signet can be asked for");
		return;
	}
	err = signets_find(question->policyd->signets, domain, to->address, "",
	    "", question->deadline, &signet, &hit);
	if (err != 0) {
		defer(answer, err, "the recipient's signet");
		return;
	}
	decide_tell_signet(question->policyd, signet, hit, answer);
	take_verdict(question, signet->reason);
	if (answer->action == POLICY_DEFER && signet->err != 0 &&
	    error_row(signet->err)->temporary)
		answer->err = signet->err;
	if (answer->user_signet.error != 0 || answer->org_signet.error != 0)
		defer(answer, ERR_MEMORY, "signets");
	if (answer->action != POLICY_DARK) {
		buffer_reset(&answer->user_signet);
		buffer_reset(&answer->org_signet);
	}
	signet_facts_release(signet);
}

static void
decide_by_domain(struct question *question, const struct decide_name *to)
{
	struct facts_answer *answer = question->answer;
	const struct domain_facts *domain;
	bool hit;
	int err;

	if (deadline_left(question->deadline) > 0)
		ahead_read(question->policyd,
		    to->address[0] != '\0' ? to->address : to->domain, "");
	err = domains_find(question->policyd->domains, to->domain,
	    question->deadline, &domain, &hit);
	if (err != 0) {
		defer(answer, err, "the recipient's domain");
		return;
	}
	decide_tell_domain(question->policyd, domain, hit, answer);
	take_verdict(question, domain->reason);
	/* With a record in force the recipient's signet comes into it, unless
	 * the table says no in any case, or a pin's record can help where DNS
	 * cannot. */
	if (domain->record.length > 0 && answer->action != POLICY_NAKED &&
	    (answer->action != POLICY_REFUSE ||
	    answer->outcome[0] != '\0'))
		decide_by_signet(question, domain, to);
	else if (answer->action == POLICY_DARK)
		defer(answer, ERR_INTERNAL, "no record in force");
	domain_release(domain);
}

static const char *
sender_of(const struct facts_request *request)
{
	return is_given(request->sender) ? request->sender : request->from;
}

void
decide_outbound_silently(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer)
{
	const struct site *site = sites_hold(policyd->sites);
	struct question question = {policyd, site, deadline_in(request->wait),
	    policy_decide, NULL, answer};
	struct pattern_name from, recipient;
	char sender[DOMAIN_SIZE], acting[DOMAIN_SIZE];
	struct decide_name to;

	pattern_name_read(sender_of(request), &from);
	domain_normalize(span_string(domain_part(request->from)), sender);
	domain_normalize(span_string(site_acting_domain(site, sender)),
	    acting);
	decide_read_name(request->to, &to);
	recipient = decide_pattern_name(&to);
	answer->shadow = site->shadow;
	answer->facts.sender = site_policy_of(site, acting);
	question.rule = rules_outbound(site->rules, &from, &recipient);
	if (*request->to == '\0') {
		refuse(answer, ERR_USAGE, "no recipient is named");
	} else if (decide_is_local(site, &to)) {
		deliver_here(answer);
	} else {
		decide_tell_rule(question.rule, &from, &recipient, answer);
		if (to.no_domain)
			judge_no_domain(&question);
		else if (to.domain[0] == '\0')
			refuse(answer, ERR_RECIPIENT, "not a domain");
		else
			decide_by_domain(&question, &to);
	}
	sites_release(site);
}

void
decide_outbound(struct policyd *policyd, const struct facts_request *request,
    struct facts_answer *answer)
{
	decide_outbound_silently(policyd, request, answer);
	statistics_count_outbound(&policyd->statistics, answer);
	decide_log("decide", request, answer);
}

/* ---- inbound ---- */

static void
judge_inbound(struct question *question, const char *sender)
{
	const struct domain_facts *domain;
	bool hit;
	int err;

	err = domains_find(question->policyd->domains, sender,
	    question->deadline, &domain, &hit);
	if (err != 0) {
		defer(question->answer, err, "the sender's domain");
		return;
	}
	decide_tell_domain(question->policyd, domain, hit, question->answer);
	take_verdict(question, domain->reason);
	domain_release(domain);
}

void
decide_inbound_silently(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer)
{
	const struct site *site = sites_hold(policyd->sites);
	struct question question = {policyd, site, deadline_in(request->wait),
	    policy_accept_naked, NULL, answer};
	struct pattern_name from, to;

	pattern_name_read(sender_of(request), &from);
	pattern_name_read(request->to, &to);
	answer->shadow = site->shadow;
	/* What is not served over DIME here is a legacy domain. */
	answer->facts.sender = site_names_has(&site->domains, to.domain)
	    ? site_policy_of(site, to.domain)
	    : RECORD_LEGACY;
	question.rule = rule_find(site->rules, &from, &to);
	if (from.domain[0] != '\0' && site_delivers(site, from.domain)) {
		deliver_here(answer);
	} else {
		decide_tell_rule(question.rule, &from, &to, answer);
		/* The null sender, a literal, something malformed: nothing that
		 * has a record. */
		if (from.domain[0] == '\0')
			judge_no_domain(&question);
		else
			judge_inbound(&question, from.domain);
	}
	sites_release(site);
}

void
decide_inbound(struct policyd *policyd, const struct facts_request *request,
    struct facts_answer *answer)
{
	decide_inbound_silently(policyd, request, answer);
	statistics_count_inbound(&policyd->statistics, answer);
	decide_log("inbound", request, answer);
}
