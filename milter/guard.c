/* SPDX-License-Identifier: BSD-2-Clause */
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

static void
log_refusal(struct session *session, sfsistat status, const char *from,
    const char *to, const char *reason)
{
	struct log_line line;

	if (status == SMFIS_CONTINUE)
		return;
	log_begin(&line, LOG_INFO,
	    status == SMFIS_REJECT ? "refused" : "deferred");
	log_text(&line, "listener", "DIME-MX");
	log_text(&line, "from-domain", from);
	log_text(&line, "to-domain", to);
	log_text(&line, "reason", reason);
	log_end(&line);
}

/* Postfix's own reading of an address undoes quotes, routes and the like; the
 * path that was given is for a server that tells nothing. */
static bool
read_domain(const struct session *session, const char *macro,
    const char *path, char out[static DOMAIN_SIZE])
{
	const char *known = session_macro(session, macro);

	return letter_read_domain(known[0] != '\0' ? known : path, out);
}

sfsistat
guard_recipient(struct session *session, const char *path)
{
	struct facts_request request = {.verb = FACTS_INBOUND,
	    .fingerprint = "", .wait = GUARD_WAIT * 1000};
	char from[DOMAIN_SIZE], to[DOMAIN_SIZE];
	struct facts_answer answer;
	struct fault fault = {0};
	sfsistat status;
	int err;

	if (!read_domain(session, "{mail_addr}", session->letter.sender_given,
		from) || !read_domain(session, "{rcpt_addr}", path, to))
		return SMFIS_CONTINUE;
	request.from = from;
	request.to = to;
	/* Our own mail, and what we only relay, is not for the guard. */
	if (site_is_local(session->site, request.from) ||
	    !site_serves(session->site, request.to))
		return SMFIS_CONTINUE;
	facts_answer_init(&answer);
	err = facts_ask(session->site->config->facts_socket, &request,
	    &answer, &fault);
	status = err != 0 ?
	    reply_defer(session, err, "policy cannot be looked up now") :
	    answer_verdict(session, &answer);
	log_refusal(session, status, request.from, request.to,
	    err != 0 ? fault_text(&fault, err) : answer.reason);
	facts_answer_free(&answer);
	return status;
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
