/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "client/facts.h"
#include "milter/milter.h"
#include "milter/replace.h"
#include "milter/reply.h"
#include "milter/results.h"

/*
 * DIME-MX. Domains whose policy is strict send no naked mail, and ours may not
 * take any: that is a question of the two domains in the envelope. Mail without
 * a sender (bounces) has no domain to ask about and is let in.
 */

enum { GUARD_WAIT = 20 }; /* seconds, below Postfix's milter_command_timeout */

static const char *
domain_of(const char *name)
{
	const char *at = strrchr(name, '@');

	return at == NULL ? name : at + 1;
}

static sfsistat
answer_verdict(struct session *session, const struct facts_answer *answer)
{
	int err = answer->err;

	switch (answer->action) {
	case POLICY_NAKED:
		return SMFIS_CONTINUE;
	case POLICY_REFUSE:
		err = err == 0 || error_row(err)->temporary ? ERR_POLICY : err;
		return reply_error(session, err, answer->reason);
	default:
		return reply_defer(session, err == 0 ? ERR_DNS : err,
		    answer->reason);
	}
}

/* In shadow mode what would have been done. */
static void
log_refusal(struct session *session, bool permanent, const char *from,
    const char *to, const struct facts_answer *answer, const char *reason)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, permanent ? "refused" : "deferred");
	/* Postfix has none before the first recipient is let in. */
	if (session_queue_id(session)[0] != '\0')
		log_text(&line, "queue", session_queue_id(session));
	log_text(&line, "listener", "DIME-MX");
	if (site_is_shadow(session->site))
		log_text(&line, "mode", "shadow");
	log_text(&line, "from-domain", domain_of(from));
	log_text(&line, "to-domain", domain_of(to));
	if (answer->cell[0] != '\0')
		log_text(&line, "cell", answer->cell);
	if (answer->rule_number != 0)
		log_number(&line, "rule", answer->rule_number);
	log_text(&line, "reason", reason);
	log_end(&line);
}

/* The address, or its domain when DIME has no form for the local part.
 * Postfix's own reading of an address undoes quotes, routes and the like; the
 * path that was given is for a server that tells nothing. */
static bool
read_name(const struct session *session, const char *macro,
    const char *path, char out[static ADDRESS_SIZE])
{
	const char *known = session_macro(session, macro);

	if (known[0] == '\0')
		known = path;
	return letter_read_path(known, out) || letter_read_domain(known, out);
}

/* What policyd says of it. In shadow mode that is only logged. */
static sfsistat
ask(struct session *session, const char *from, const char *to)
{
	const struct facts_request request = {.verb = FACTS_INBOUND,
	    .from = from, .to = to, .fingerprint = "",
	    .wait = GUARD_WAIT * 1000, .queue = session_queue_id(session)};
	struct facts_answer answer;
	struct fault fault = {0};
	sfsistat status;
	int err;

	facts_answer_init(&answer);
	err = facts_ask(session->milter->facts, &request, &answer, &fault);
	if (err != 0 || answer.action != POLICY_NAKED)
		log_refusal(session, err == 0 &&
		    answer.action == POLICY_REFUSE, from, to, &answer,
		    err != 0 ? fault_text(&fault, err) : answer.reason);
	if (site_is_shadow(session->site))
		status = SMFIS_CONTINUE;
	else if (err != 0)
		status = reply_defer(session, err,
		    "policy cannot be looked up now");
	else
		status = answer_verdict(session, &answer);
	facts_answer_free(&answer);
	return status;
}

/* The envelope sender of sealed mail that goes by SMTP. */
static bool
may_be_sealed(const char *from)
{
	return strncasecmp(from, "mailer-daemon@",
	    strlen("mailer-daemon@")) == 0;
}

sfsistat
guard_recipient(struct session *session, const char *path)
{
	char from[ADDRESS_SIZE], to[ADDRESS_SIZE];

	if (!read_name(session, "{mail_addr}", session->letter.sender_given,
		from) || !read_name(session, "{rcpt_addr}", path, to))
		return SMFIS_CONTINUE;
	/* Our own mail, and what we only relay, is not for the guard. */
	if (site_is_local(session->site, domain_of(from)) ||
	    !site_serves(session->site, domain_of(to)))
		return SMFIS_CONTINUE;
	/* A sealed message has one recipient. */
	if (may_be_sealed(from) && session->letter.recipients == 0) {
		snprintf(session->unjudged, sizeof(session->unjudged), "%s",
		    to);
		return SMFIS_CONTINUE;
	}
	return ask(session, from, to);
}

/* It is not sealed, then. */
static sfsistat
judge_late(struct session *session)
{
	char from[ADDRESS_SIZE];

	if (session->unjudged[0] == '\0' ||
	    !read_name(session, "{mail_addr}", session->letter.sender_given,
		from))
		return SMFIS_CONTINUE;
	return ask(session, from, session->unjudged);
}

static bool
is_forged(const struct site *site, const struct header_field *field)
{
	return header_is(field, "Authentication-Results") &&
	    results_are_forged(field->value, site->hostname,
		&site->config->domains);
}

sfsistat
guard_header(struct session *session)
{
	struct span block = buffer_span(&session->letter.header);
	struct header_field field;
	sfsistat status = judge_late(session);

	if (status != SMFIS_CONTINUE)
		return status;
	/* What is not all here may hide anything. */
	if (session->letter.err != 0)
		return reply_error(session, session->letter.err,
		    "the header is too large to be checked");
	while (header_next(&block, &field))
		if (is_forged(session->site, &field)) {
			session->letter.keep_body = false;
			return SMFIS_CONTINUE;
		}
	return SMFIS_ACCEPT;
}

sfsistat
guard_message(struct session *session)
{
	struct fault fault = {0};
	int err = replace_drop_fields(session, is_forged, &fault);
	struct log_line line;

	log_begin(&line, err == 0 ? LOG_NOTICE : LOG_ERR,
	    err == 0 ? "cleaned" : "deferred");
	log_text(&line, "queue", session_queue_id(session));
	log_text(&line, "listener", "DIME-MX");
	log_text(&line, "reason", err == 0 ?
	    "naked mail with results of DIME in our name" :
	    fault_text(&fault, err));
	log_end(&line);
	return err == 0 ? SMFIS_ACCEPT :
	    reply_defer(session, err, fault_text(&fault, err));
}
