/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "client/facts.h"
#include "client/peer.h"
#include "dime/armor.h"
#include "dmtp/reply.h"
#include "dmtpd/deliver_out.h"
#include "dmtpd/ours.h"
#include "dmtpd/transit.h"

enum {
	HOST_WAIT = 90 * 1000,      /* connect 30, TLS and banner 60 s (D12) */
	SEARCH_WAIT = 5 * 60 * 1000, /* for all hosts together */
	STALE_WAIT = 1000,
};

struct attempt {
	struct deliver_out *delivery;
	struct live_settings live;
	struct message *message;
	struct keys_org *org; /* the origin: ours */
	struct message_envelope envelope; /* chunk 4 */
	/* Of the destination, as RCPT wants it (S11). */
	char destination[SIGNET_FINGERPRINT_SIZE];
	struct org_signet *destination_org; /* NULL: not asked for */
	struct buffer armor;
	struct facts_answer facts;
	struct record *record;
	struct peer_reply reply; /* the peer's word, code 0 without one */
	char host[DOMAIN_SIZE];  /* that had the last word */
	bool opened;             /* a session with it */
	char identifier[SIGNET_FINGERPRINT_SIZE];
	char queue[TRANSIT_QUEUE_SIZE];
	int64_t ms_facts, ms_open, ms_command; /* what took how long */
	struct fault fault;
};

static int64_t
now(void)
{
	return clock_monotonic(&clock_system);
}

/* ---- what may go out ---- */

static int
read_mail(struct attempt *attempt)
{
	struct deliver_out *delivery = attempt->delivery;
	struct transit transit;
	int err;

	err = transit_read(buffer_span(delivery->mail), &transit,
	    &attempt->fault);
	memcpy(attempt->queue, transit.queue, sizeof(attempt->queue));
	if (err == 0)
		err = message_read(transit.armor,
		    transit_binary_size(attempt->live.message_size_limit),
		    &attempt->message, &attempt->fault);
	buffer_free(delivery->mail);
	if (err != 0)
		return err;
	message_identifier(attempt->message, attempt->identifier);
	armor_write(ARMOR_MESSAGE, message_binary(attempt->message),
	    &attempt->armor);
	return attempt->armor.error;
}

/* Where it goes is what was sealed. That Postfix agrees is only asked so that a
 * queue that was tampered with, or got mixed up, shows. */
static int
check_destination(struct attempt *attempt)
{
	const char *domain = address_domain(attempt->delivery->recipient);

	if (domain_is_within(domain, attempt->envelope.domain))
		return 0;
	return fault_set(&attempt->fault, ERR_MISMATCH,
	    "sealed for %s, but queued for %s", attempt->envelope.domain,
	    domain);
}

/*
 * Envelopes of the libdime dialect call organizations by the core of their signet,
 * DMTP by the whole: policyd has the signet.
 */
static int
find_destination_signet(struct attempt *attempt)
{
	const char *domain = attempt->envelope.domain;
	const struct facts_request request = {.verb = FACTS_SIGNET,
	    .from = "", .to = domain, .fingerprint = "",
	    .wait = attempt->live.fetch_timeout};
	struct fault *fault = &attempt->fault;
	const struct org_signet *signet;
	struct facts_answer answer;
	int err;

	memcpy(attempt->destination, attempt->envelope.domain_fingerprint,
	    sizeof(attempt->destination));
	if (attempt->org->signet->signet->layout == LAYOUT_STANDARD)
		return 0;
	facts_answer_init(&answer);
	err = facts_ask(attempt->delivery->dmtpd->config->facts_socket,
	    &request, &answer, fault);
	if (err == 0 && answer.err != 0)
		err = fault_set(fault, answer.err, "%s", answer.reason);
	if (err == 0)
		err = facts_verify(&answer, domain, &attempt->destination_org,
		    NULL, fault);
	signet = attempt->destination_org;
	if (err == 0 && strcmp(message_org_fingerprint(signet),
	        attempt->destination) != 0)
		err = fault_set(fault, ERR_DESTINATION_SIGNET,
		    "sealed for another signet than %s has", domain);
	if (err == 0)
		memcpy(attempt->destination, signet->fingerprint,
		    sizeof(attempt->destination));
	facts_answer_free(&answer);
	return err;
}

/* The hosts of a stage. The record of the answer stays in force when there are
 * none. */
static int
find_hosts(struct attempt *attempt, enum hosts_stage stage,
    struct fault *fault)
{
	const struct facts_request request = {.verb = FACTS_HOSTS,
	    .from = "", .to = attempt->envelope.domain, .fingerprint = "",
	    .wait = attempt->live.fetch_timeout,
	    .stage = hosts_stage_name(stage)};
	int64_t start = now();
	int err;

	facts_answer_free(&attempt->facts);
	facts_answer_init(&attempt->facts);
	err = facts_ask(attempt->delivery->dmtpd->config->facts_socket,
	    &request, &attempt->facts, fault);
	attempt->ms_facts += now() - start;
	if (err == 0 && attempt->facts.err != 0)
		err = fault_set(fault, attempt->facts.err, "%s",
		    attempt->facts.reason);
	if (attempt->record == NULL)
		attempt->record = malloc(sizeof(*attempt->record));
	if (attempt->record == NULL)
		return fault_set(fault, ERR_MEMORY, "%s", "");
	if (attempt->facts.record.length == 0 ||
	    record_parse(buffer_span(&attempt->facts.record), attempt->record,
	        NULL, NULL, err == 0 ? fault : NULL) != 0) {
		free(attempt->record);
		attempt->record = NULL;
		return err != 0 ? err : fault->err;
	}
	return err;
}

/* ---- one host ---- */

static int
transfer(struct attempt *attempt, struct peer *peer)
{
	const struct peer_mail mail = {
	    .helo = attempt->delivery->dmtpd->hostname,
	    .origin = attempt->org->signet->domain,
	    .origin_fingerprint = attempt->org->signet->fingerprint,
	    .destination = attempt->envelope.domain,
	    .destination_fingerprint = attempt->destination,
	    .armor = buffer_span(&attempt->armor),
	};
	int64_t start = now();
	int err;

	err = peer_deliver(peer, &mail, &attempt->reply, &attempt->fault);
	attempt->ms_command = now() - start;
	return err;
}

/* Whether another host may do better: this one could not be spoken with, or
 * refused because of its own load. A session that breaks later may have
 * delivered: that is for the queue to try again, and for 255 to find out. */
static bool
is_hosts_trouble(const struct attempt *attempt)
{
	return !attempt->opened || attempt->reply.code == 421 ||
	    attempt->reply.code == 450;
}

static int
try_address(struct attempt *attempt, const struct facts_host *host,
    const char *address, struct deadline search)
{
	struct dmtpd *dmtpd = attempt->delivery->dmtpd;
	const struct peer_target target = {
	    .host = host->name,
	    .domain = attempt->facts.organization,
	    .address = address,
	    .port = host->port,
	    .dual = host->dual,
	    .source = attempt->live.bind_address,
	    .record = attempt->record,
	    /* Of the record in force, which may be a pinned one. */
	    .record_secure = attempt->facts.confirmed,
	    .org = attempt->destination_org,
	    .revocation = dmtpd->revocation,
	    .room = &dmtpd->peer_room,
	};
	char name[DOMAIN_SIZE + 60];
	struct peer *peer = NULL;
	int64_t start = now();
	int err;

	peer_reply_free(&attempt->reply);
	peer_reply_init(&attempt->reply);
	attempt->opened = false;
	snprintf(name, sizeof(name), "%s %s %u", host->name, address,
	    host->port);
	if (!backoff_may_try(dmtpd->backoff, name))
		return fault_set(&attempt->fault, ERR_UNREACHABLE,
		    "%s[%s] failed a moment ago", host->name, address);
	err = peer_open(&target, dmtpd->tls_client,
	    deadline_earlier(search, deadline_in(HOST_WAIT)), &peer,
	    &attempt->fault);
	attempt->ms_open = now() - start;
	if (err != 0) {
		backoff_failed(dmtpd->backoff, name);
		return err;
	}
	attempt->opened = true;
	backoff_succeeded(dmtpd->backoff, name);
	err = transfer(attempt, peer);
	peer_close(peer);
	return err;
}

/* ---- all hosts ---- */

static int
try_host(struct attempt *attempt, const struct facts_host *host,
    struct deadline search)
{
	const struct fault before = attempt->fault;
	int err = fault_set(&attempt->fault, ERR_UNREACHABLE,
	    "%s has no address", host->name);

	snprintf(attempt->host, sizeof(attempt->host), "%s", host->name);
	for (size_t i = 0; i < host->address_count; i++) {
		err = try_address(attempt, host, host->addresses[i], search);
		if (err == 0 || !is_hosts_trouble(attempt))
			break;
	}
	/* A port where nobody listens explains nothing. */
	if (is_hosts_trouble(attempt) && !peer_tells_more(err, before.err)) {
		attempt->fault = before;
		err = before.err;
	}
	return err;
}

/* Whether another host may be tried, when one came to `err`. */
static bool
goes_on(const struct attempt *attempt, int err, struct deadline search)
{
	return err != 0 && is_hosts_trouble(attempt) &&
	    deadline_left(search) > 0 &&
	    !server_stopping(attempt->delivery->dmtpd->server);
}

static int
try_hosts(struct attempt *attempt, struct deadline search)
{
	const struct facts_answer *facts = &attempt->facts;
	int err = attempt->fault.err;

	for (size_t i = 0; i < facts->host_count; i++) {
		err = try_host(attempt, &facts->hosts[i], search);
		if (!goes_on(attempt, err, search))
			break;
	}
	return err;
}

/* Stage by stage, in the order that policyd gives (D12). What the last host
 * came to says more than that a later stage has none. */
static int
try_stages(struct attempt *attempt)
{
	const struct deadline search = deadline_in(SEARCH_WAIT);
	struct fault none;
	int err = ERR_UNREACHABLE;

	for (int stage = HOSTS_DX; stage < HOSTS_STAGES; stage++) {
		int found = find_hosts(attempt, (enum hosts_stage)stage, &none);

		if (found != 0 && attempt->host[0] == '\0') {
			attempt->fault = none;
			err = found;
		}
		if (attempt->record == NULL)
			break;
		if (found == 0)
			err = try_hosts(attempt, search);
		if (!goes_on(attempt, err, search))
			break;
	}
	return err;
}

/* ---- the outcome ---- */

/* No host could be spoken with at all. A rule of the site may know better than
 * to try again. */
static int
judge_silence(struct attempt *attempt, int err)
{
	struct deliver_out *delivery = attempt->delivery;

	if (facts_met(delivery->dmtpd->config->facts_socket, RULE_PEER_DOWN,
	        attempt->org->signet->domain, delivery->recipient,
	        attempt->queue) == POLICY_DEFER)
		return err;
	attempt->fault.err = ERR_POLICY;
	return fault_wrap(&attempt->fault,
	    "a rule of this site wants no retry");
}

static bool
is_silence(const struct attempt *attempt, int err)
{
	return attempt->record != NULL && !attempt->opened &&
	    (err == ERR_UNREACHABLE || err == ERR_TIMEOUT ||
	        err == ERR_CERTIFICATE || err == ERR_PROTOCOL);
}

/* The peer has another signet by now: policyd is to fetch it, or what its
 * author sends again would be sealed for the old one once more. */
static void
report_stale(const struct attempt *attempt)
{
	const bool user = attempt->reply.code ==
	    reply_row(REPLY_RECIPIENT_SIGNET)->code;
	const struct facts_request request = {.verb = FACTS_STALE, .from = "",
	    .to = user ? attempt->delivery->recipient
	               : attempt->envelope.domain,
	    .fingerprint = user ? "" : attempt->destination,
	    .wait = STALE_WAIT};
	struct facts_answer answer;

	if (!user &&
	    attempt->reply.code != reply_row(REPLY_DESTINATION_SIGNET)->code)
		return;
	facts_answer_init(&answer);
	facts_ask(attempt->delivery->dmtpd->config->facts_socket, &request,
	    &answer, NULL);
	facts_answer_free(&answer);
}

static void
give_verdict(const struct attempt *attempt, int err, struct verdict *verdict)
{
	const struct error_row *row = error_row(err);
	const struct peer_reply *reply = &attempt->reply;

	verdict->smtp = err == 0 ? 250 : row->smtp;
	verdict->enhanced = err == 0 ? "2.0.0" : row->enhanced;
	if (err == 0 || reply->code >= 400)
		snprintf(verdict->text, sizeof(verdict->text),
		    "%d %s (%s said so)", reply->code, reply->text,
		    attempt->envelope.domain);
	else
		snprintf(verdict->text, sizeof(verdict->text), "%s",
		    fault_text(&attempt->fault, err));
}

static void
log_outcome(const struct attempt *attempt, const struct verdict *verdict,
    int64_t took)
{
	char identifier[DMTPD_LOG_IDENTIFIER + 1];
	struct log_line line;

	snprintf(identifier, sizeof(identifier), "%.*s",
	    DMTPD_LOG_IDENTIFIER, attempt->identifier);
	log_begin(&line, LOG_INFO, verdict->smtp / 100 == 2 ? "delivered"
	    : verdict->smtp / 100 == 4			    ? "deferred"
							    : "bounced");
	log_text(&line, "queue", attempt->queue);
	log_text(&line, "destination", attempt->envelope.domain);
	log_text(&line, "host", attempt->host);
	log_number(&line, "code", attempt->reply.code);
	log_text(&line, "id", identifier);
	log_number(&line, "size", (int64_t)attempt->armor.length);
	log_number(&line, "facts_ms", attempt->ms_facts);
	log_number(&line, "open_ms", attempt->ms_open);
	log_number(&line, "command_ms", attempt->ms_command);
	log_number(&line, "ms", took);
	if (verdict->smtp / 100 != 2)
		log_text(&line, "text", verdict->text);
	log_end(&line);
}

void
deliver_out(struct deliver_out *delivery, struct verdict *verdict)
{
	struct attempt attempt = {.delivery = delivery};
	int64_t start = now();
	int err;

	attempt.live = dmtpd_live(delivery->dmtpd);
	attempt.armor = buffer_make(SIZE_MAX);
	facts_answer_init(&attempt.facts);
	peer_reply_init(&attempt.reply);
	if ((err = read_mail(&attempt)) == 0 &&
	    (err = ours_find(delivery->dmtpd, delivery->sender,
	         attempt.message, &attempt.org, &attempt.envelope,
	         &attempt.fault)) == 0 &&
	    (err = check_destination(&attempt)) == 0 &&
	    (err = find_destination_signet(&attempt)) == 0)
		err = try_stages(&attempt);
	if (is_silence(&attempt, err))
		err = judge_silence(&attempt, err);
	report_stale(&attempt);
	give_verdict(&attempt, err, verdict);
	log_outcome(&attempt, verdict, now() - start);
	message_free(attempt.message);
	keys_org_free(attempt.org);
	org_signet_free(attempt.destination_org);
	free(attempt.record);
	facts_answer_free(&attempt.facts);
	peer_reply_free(&attempt.reply);
	buffer_free(&attempt.armor);
}
