/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "base/log.h"
#include "client/facts.h"
#include "dime/armor.h"
#include "dmtp/reply.h"
#include "dmtpd/deliver_hosts.h"
#include "dmtpd/deliver_out.h"
#include "dmtpd/fallback.h"
#include "dmtpd/ours.h"
#include "dmtpd/reseal.h"
#include "dmtpd/transit.h"

enum { STALE_WAIT = 1000 };

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
	struct deliver_hosts_result result;
	char identifier[SIGNET_FINGERPRINT_SIZE];
	char queue[TRANSIT_QUEUE_SIZE];
	unsigned int resealed; /* how often, before */
	/* When it was brought back to be sealed anew: the refusal for that,
	 * what came of it, and the id of the new one. */
	bool brought_back, sealed_anew;
	bool is_anew; /* and that is the outcome of the attempt */
	struct verdict refusal, anew;
	bool by_smtp; /* Postfix has it, to send it to the MX */
	char queue_anew[POSTFIX_QUEUE_SIZE];
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
	attempt->resealed = transit.resealed;
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
 * Envelopes of the libdime dialect call organizations by the core of their
 * signet, DMTP by the whole: policyd has the signet.
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
	err = facts_ask(attempt->delivery->dmtpd->facts, &request, &answer,
	    fault);
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

static int
find_host(struct attempt *attempt, bool current_only)
{
	const struct peer_mail mail = {
	    .helo = attempt->delivery->dmtpd->hostname,
	    .origin = attempt->org->signet->domain,
	    .origin_fingerprint = attempt->org->signet->fingerprint,
	    .destination = attempt->envelope.domain,
	    .destination_fingerprint = attempt->destination,
	    .armor = buffer_span(&attempt->armor),
	};
	const struct deliver_hosts_request request = {
	    .dmtpd = attempt->delivery->dmtpd,
	    .live = &attempt->live,
	    .mail = &mail,
	    .destination_org = attempt->destination_org,
	    .current_only = current_only,
	};

	return deliver_hosts(&request, &attempt->result, &attempt->fault);
}

/* ---- the outcome ---- */

/* No host could be spoken with at all. A rule of the site may know better than
 * to try again. */
static int
judge_silence(struct attempt *attempt, int err)
{
	struct deliver_out *delivery = attempt->delivery;

	if (facts_met(delivery->dmtpd->facts, RULE_PEER_DOWN,
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
	return attempt->result.recorded && !attempt->result.opened &&
	    (err == ERR_UNREACHABLE || err == ERR_TIMEOUT ||
	        err == ERR_CERTIFICATE || err == ERR_PROTOCOL);
}

/* The destination's signet, or the recipient's, is no more. */
static bool
is_stale(const struct attempt *attempt, int err)
{
	const int code = attempt->result.reply.code;

	return code == reply_row(REPLY_DESTINATION_SIGNET)->code ||
	    code == reply_row(REPLY_RECIPIENT_SIGNET)->code ||
	    err == ERR_DESTINATION_SIGNET;
}

/* The peer says so: policyd is to fetch the new one. */
static void
report_stale(const struct attempt *attempt)
{
	const int code = attempt->result.reply.code;
	const bool user = code == reply_row(REPLY_RECIPIENT_SIGNET)->code;
	const struct facts_request request = {.verb = FACTS_STALE, .from = "",
	    .to = user ? attempt->delivery->recipient
	               : attempt->envelope.domain,
	    .fingerprint = user ? "" : attempt->destination,
	    .wait = STALE_WAIT};
	struct facts_answer answer;

	if (!user && code != reply_row(REPLY_DESTINATION_SIGNET)->code)
		return;
	facts_answer_init(&answer);
	facts_ask(attempt->delivery->dmtpd->facts, &request, &answer, NULL);
	facts_answer_free(&answer);
}

static void
give_verdict(const struct attempt *attempt, int err, struct verdict *verdict)
{
	const struct error_row *row = error_row(err);
	const struct peer_reply *reply = &attempt->result.reply;

	verdict->smtp = err == 0 ? 250 : row->smtp;
	snprintf(verdict->enhanced, sizeof(verdict->enhanced), "%s",
	    err == 0 ? "2.0.0" : row->enhanced);
	if (err == 0 || reply->code >= 400)
		snprintf(verdict->text, sizeof(verdict->text),
		    "%d %s (%s said so)", reply->code, reply->text,
		    attempt->envelope.domain);
	else
		snprintf(verdict->text, sizeof(verdict->text), "%s",
		    fault_text(&attempt->fault, err));
}

/* In place of a refusal for good, once an attempt, where the site wants
 * that. */
static void
seal_anew(struct attempt *attempt, int err)
{
	const struct dmtpd *dmtpd = attempt->delivery->dmtpd;
	const struct reseal order = {
	    .socket = dmtpd->config->reseal_socket,
	    .helo = dmtpd->hostname,
	    .sender = attempt->delivery->sender_given,
	    .recipient = attempt->delivery->recipient_given,
	    .origin = &attempt->envelope,
	    .count = attempt->resealed,
	    .armor = buffer_span(&attempt->armor),
	    .why = attempt->refusal.text,
	};

	if (attempt->brought_back || order.socket[0] == '\0')
		return;
	attempt->brought_back = true;
	give_verdict(attempt, err, &attempt->refusal);
	attempt->sealed_anew =
	    reseal(&order, &attempt->anew, attempt->queue_anew);
}

/*
 * Where policyd knows of another signet of the destination's, the message is
 * sealed for that one. If that cannot be now, the peer may take it as it is.
 * What was sealed anew already is offered in any case: hosts of a peer that
 * disagree would have it go to and fro.
 */
static int
offer(struct attempt *attempt)
{
	const struct config *config = attempt->delivery->dmtpd->config;
	int err;

	err = find_host(attempt,
	    config->reseal_socket[0] != '\0' && attempt->resealed == 0);
	if (err != ERR_DESTINATION_SIGNET || attempt->result.reply.code != 0)
		return err;
	seal_anew(attempt, err);
	return attempt->sealed_anew ? err : find_host(attempt, false);
}

/* A bounce must find its way: to LMTP's sender where the origin answers for
 * him, as when a message is opened, else to its author. */
static const char *
fallback_sender(const struct attempt *attempt)
{
	const char *sender = attempt->delivery->sender;

	return sender[0] == '\0' ||
	        domain_is_within(address_domain(sender),
	            attempt->org->signet->domain)
	    ? attempt->delivery->sender_given
	    : attempt->envelope.address;
}

/* Whether DMTP has been to be had nowhere for as long as the site waits for it.
 * Doubt waits. */
static bool
is_to_fall_back(const struct attempt *attempt)
{
	struct state *state = attempt->delivery->dmtpd->state;
	char name[DOMAIN_SIZE + sizeof("absent ")];
	int64_t since;

	if (!attempt->live.smtp_fallback)
		return false;
	snprintf(name, sizeof(name), "absent %s", attempt->envelope.domain);
	if (attempt->result.opened)
		state_succeeded(state, name);
	return attempt->result.absent &&
	    state_failing_since(state, name, &since) == 0 &&
	    clock_wall(&clock_system) - since >=
	        attempt->live.smtp_fallback_after;
}

static void
fall_back(struct attempt *attempt, int err, struct verdict *verdict)
{
	const struct dmtpd *dmtpd = attempt->delivery->dmtpd;
	char why[FAULT_TEXT_SIZE];
	const struct fallback order = {
	    .socket = dmtpd->config->smtp_fallback_socket,
	    .helo = dmtpd->hostname,
	    .sender = fallback_sender(attempt),
	    .recipient = attempt->delivery->recipient_given,
	    .armor = buffer_span(&attempt->armor),
	    .why = why,
	};

	snprintf(why, sizeof(why), "%s", fault_text(&attempt->fault, err));
	attempt->by_smtp = fallback(&order, verdict, attempt->queue_anew);
}

static const char *
event_name(const struct attempt *attempt, const struct verdict *verdict)
{
	if (attempt->by_smtp)
		return "by-smtp";
	if (verdict->smtp / 100 == 2)
		return attempt->sealed_anew ? "resealed" : "delivered";
	return verdict->smtp / 100 == 4 ? "deferred" : "bounced";
}

/* What the milter says of sealing anew may name the mailbox: it is in the
 * milter's log. */
static void
log_reason(const struct attempt *attempt, const struct verdict *verdict,
    struct log_line *line)
{
	if (attempt->brought_back)
		log_text(line, "anew", attempt->anew.enhanced);
	log_text(line, "text", attempt->is_anew ? attempt->refusal.text
						: verdict->text);
}

static void
log_outcome(const struct attempt *attempt, const struct verdict *verdict,
    int64_t took)
{
	char identifier[DMTPD_LOG_IDENTIFIER + 1];
	struct log_line line;

	snprintf(identifier, sizeof(identifier), "%.*s",
	    DMTPD_LOG_IDENTIFIER, attempt->identifier);
	log_begin(&line, LOG_INFO, event_name(attempt, verdict));
	log_text(&line, "queue", attempt->queue);
	if (attempt->sealed_anew || attempt->by_smtp)
		log_text(&line, "as", attempt->queue_anew);
	log_text(&line, "destination", attempt->envelope.domain);
	log_text(&line, "host", attempt->result.host);
	log_number(&line, "code", attempt->result.reply.code);
	log_text(&line, "id", identifier);
	log_number(&line, "size", (int64_t)attempt->armor.length);
	if (*attempt->result.session != '\0')
		log_text(&line, "session", attempt->result.session);
	log_number(&line, "facts_ms", attempt->result.ms_facts);
	log_number(&line, "open_ms", attempt->result.ms_open);
	log_number(&line, "command_ms", attempt->result.ms_command);
	log_number(&line, "ms", took);
	if (verdict->smtp / 100 != 2)
		log_reason(attempt, verdict, &line);
	log_end(&line);
}

/* What the peer said, or that none did. */
static void
conclude(struct attempt *attempt, int err, struct verdict *verdict)
{
	if (is_silence(attempt, err))
		err = judge_silence(attempt, err);
	report_stale(attempt);
	if (is_stale(attempt, err))
		seal_anew(attempt, err);
	attempt->is_anew = attempt->brought_back && is_stale(attempt, err);
	if (attempt->is_anew)
		*verdict = attempt->anew;
	else
		give_verdict(attempt, err, verdict);
}

void
deliver_out(struct deliver_out *delivery, struct verdict *verdict)
{
	struct attempt attempt = {.delivery = delivery};
	int64_t start = now();
	int err;

	attempt.live = dmtpd_live(delivery->dmtpd);
	attempt.armor = buffer_make(SIZE_MAX);
	deliver_hosts_result_init(&attempt.result);
	if ((err = read_mail(&attempt)) == 0 &&
	    (err = ours_find(delivery->dmtpd, delivery->sender,
	         attempt.message, &attempt.org, &attempt.envelope,
	         &attempt.fault)) == 0 &&
	    (err = check_destination(&attempt)) == 0 &&
	    (err = find_destination_signet(&attempt)) == 0)
		err = offer(&attempt);
	if (is_to_fall_back(&attempt))
		fall_back(&attempt, err, verdict);
	else
		conclude(&attempt, err, verdict);
	log_outcome(&attempt, verdict, now() - start);
	message_free(attempt.message);
	keys_org_free(attempt.org);
	org_signet_free(attempt.destination_org);
	deliver_hosts_result_free(&attempt.result);
	buffer_free(&attempt.armor);
}
