/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/log.h"
#include "base/mark.h"
#include "client/facts.h"
#include "dime/headers.h"
#include "milter/milter.h"
#include "milter/plan.h"
#include "milter/relay.h"
#include "milter/replace.h"
#include "milter/reply.h"

/*
 * DIME-IN, and D/MIME that came to DIME-MX by SMTP. The message is verified as
 * its recipient can, opened in place and handed on, or refused.
 *
 * Whatever fails once a key of the recipient was used is told in one sentence:
 * a sender must not learn from us how far a forged message got. The log says
 * it.
 */

static const char refusal_text[] = "the message cannot be accepted";

struct opening {
	struct message *message;
	struct message_envelope from; /* chunk 4: author, destination */
	struct message_envelope to;   /* chunk 5: recipient, origin */
	struct keys_user *key; /* the recipient's current one, then the one
				  whose key opens it */
	struct facts_answer answer;
	struct org_signet *origin;
	struct user_signet *author;
	struct keys_org *destination;
	struct keys_user *recipient;
	struct buffer mime;
	char sender[ADDRESS_SIZE];
	char identity[SIGNET_FINGERPRINT_SIZE]; /* as dmtpd has noted it */
	bool duplicate; /* dmtpd has delivered it before */
	struct plan plan;
	bool decrypted; /* from here on the one sentence */
	int dmtp;       /* reply code of the refusal; 0: the error's own */
};

static void
start(struct opening *opening)
{
	*opening = (struct opening){0};
	facts_answer_init(&opening->answer);
}

static void
finish(struct opening *opening)
{
	message_free(opening->message);
	keys_user_free(opening->key);
	facts_answer_free(&opening->answer);
	org_signet_free(opening->origin);
	user_signet_free(opening->author);
	keys_org_free(opening->destination);
	keys_user_free(opening->recipient);
	buffer_free(&opening->mime);
	plan_free(&opening->plan);
}

static int
find_recipient(struct session *session, struct opening *opening,
    struct fault *fault)
{
	const struct letter *letter = &session->letter;
	int err;

	if (letter->recipients != 1 || letter->recipient[0] == '\0')
		return fault_set(fault, ERR_RECIPIENT,
		    "a sealed message has one recipient, with an address of "
		    "DIME's form");
	err = keys_find_user(session->milter->keys, letter->recipient,
	    &opening->key, fault);
	if (err == ERR_UNKNOWN_ADDRESS || (err == 0 && opening->key->disabled))
		return fault_set(fault, ERR_RECIPIENT,
		    "no user of DIME here has this address");
	return err;
}

/* The letter's body as a parsed message. */
static int
read_message(struct session *session, struct opening *opening,
    struct fault *fault)
{
	struct letter *letter = &session->letter;
	int err;

	if (letter->err != 0)
		return fault_set(fault, letter->err, "sealed message: %s",
		    error_row(letter->err)->text);
	err = message_read(buffer_span(&letter->body),
	    (size_t)session->site->config->message_size_limit * 2,
	    &opening->message, fault);
	buffer_free(&letter->body);
	if (err == 0)
		message_signed_identifier(opening->message,
		    opening->identity);
	return err;
}

/* Chunk 5. A slot does not tell for whom it is: under a wrong key it opens to
 * noise. */
static int
try_key(struct opening *opening, struct fault *fault)
{
	int err = message_unlock(opening->message, MESSAGE_RECIPIENT,
	    opening->key->agreer, fault);

	return err != 0 ? err : message_destination_envelope(opening->message,
	    &opening->to, fault);
}

static bool
is_other_key(int err)
{
	return err == ERR_NO_ACCESS || err == ERR_CORRUPT || err == ERR_FORMAT;
}

/* With the recipient's current key, or those before it for as long as mail for
 * them is taken. */
static int
unlock(struct session *session, struct opening *opening, struct fault *fault)
{
	struct keys *keys = session->milter->keys;
	const int64_t grace = session->site->config->signet_grace;
	struct keys_user *before;
	struct fault other = {0};
	int err = try_key(opening, fault), tried = err, found = 0;

	while (is_other_key(tried)) {
		found = keys_find_user_before(keys, opening->key, grace,
		    &before, &other);
		if (found != 0)
			break;
		keys_user_free(opening->key);
		opening->key = before;
		tried = try_key(opening, &other);
	}
	/* Where none did, what is said of it is what the current one met. */
	if (tried == 0 || found == ERR_UNKNOWN_ADDRESS)
		return tried == 0 ? 0 : err;
	*fault = other;
	return found != 0 ? found : tried;
}

/*
 * Chunks 5 and 4. dmtpd read chunk 5 with the organization's key and compared
 * the recipient's signet with those that mail is taken for; what none of their
 * keys opens is therefore not meant for him.
 */
static int
read_envelopes(struct session *session, struct opening *opening,
    struct fault *fault)
{
	int err;

	opening->decrypted = true;
	if ((err = unlock(session, opening, fault)) != 0 ||
	    (err = message_origin_envelope(opening->message, &opening->from,
		fault)) != 0)
		return err;
	/* dmtpd gives the origin of the DMTP dialogue as MAIL FROM. */
	if (session->listener == LISTENER_IN &&
	    (session->letter.sender[0] == '\0' ||
		strcmp(address_domain(session->letter.sender),
		    opening->to.domain) != 0))
		return fault_set(fault, ERR_MISMATCH,
		    "chunk 5 names another origin than the dialogue");
	return 0;
}

/* By which signets are asked for: in the libdime dialect, envelopes call
 * organizations by another, and the current one must do. */
static const char *
origin_fingerprint(const struct opening *opening)
{
	return opening->recipient->signet->signet->layout == LAYOUT_STANDARD
	    ? opening->to.domain_fingerprint
	    : "";
}

/* The author's signet, and that of the origin, as policyd confirmed them. */
static int
find_author(struct session *session, struct opening *opening,
    struct fault *fault)
{
	const struct config *config = session->site->config;
	const char *address = opening->from.address;
	struct facts_request request = {.verb = FACTS_SIGNET, .from = "",
	    .to = address,
	    .fingerprint = opening->from.address_fingerprint,
	    .org_fingerprint = origin_fingerprint(opening),
	    .wait = config->fetch_timeout * 1000};
	int err;

	if (!crowd_enter(&session->milter->crowd, opening->to.domain))
		return fault_set(fault, ERR_BUSY,
		    "too many messages wait for signets of this domain");
	err = facts_ask(session->milter->facts, &request, &opening->answer,
	    fault);
	crowd_leave(&session->milter->crowd, opening->to.domain);
	if (err != 0)
		return fault_wrap(fault, "dime-policyd");
	err = opening->answer.err;
	if (err != 0) {
		fault_set(fault, err, "author's signet: %s",
		    opening->answer.reason[0] != '\0' ?
		    opening->answer.reason : error_row(err)->text);
	} else
		err = facts_verify(&opening->answer, address,
		    &opening->origin, &opening->author, fault);
	/* Not to be had now: later. Not there: the origin's fault. */
	if (err != 0)
		opening->dmtp = error_row(err)->temporary ? 451 : 575;
	return err;
}

static int
find_ourselves(struct session *session, struct opening *opening,
    struct fault *fault)
{
	struct keys *keys = session->milter->keys;
	int err;

	err = keys_find_org_by_envelope(keys, opening->from.domain,
	    opening->from.domain_fingerprint, &opening->destination, fault);
	if (err != 0) {
		opening->dmtp = err == ERR_NO_KEY ? 576 : 451;
		return err;
	}
	err = keys_find_user_by_fingerprint(keys, session->letter.recipient,
	    opening->to.address_fingerprint, &opening->recipient, fault);
	if (err == 0 && opening->recipient->id != opening->key->id)
		err = fault_set(fault, ERR_RECIPIENT_SIGNET,
		    "chunk 5 names another signet of the recipient's than its "
		    "key is of");
	if (err == ERR_UNKNOWN_ADDRESS || err == ERR_NO_KEY)
		opening->dmtp = 586;
	return err;
}

static int
open_sealed(struct session *session, struct opening *opening,
    struct fault *fault)
{
	struct message_parties parties = {.author = opening->author,
	    .origin = opening->origin,
	    .destination = opening->destination->signet,
	    .recipient = opening->recipient->signet};
	size_t limit = (size_t)session->site->config->message_size_limit;
	int err;

	opening->mime = buffer_make(limit + (16 << 20));
	err = message_open(opening->message, &parties, limit, &opening->mime,
	    opening->sender, fault);
	message_free(opening->message);
	opening->message = NULL;
	return err;
}

/* A bounce goes to whoever the origin answers for, never to a third party. */
static const char *
envelope_sender(const struct opening *opening)
{
	if (opening->sender[0] == '\0' ||
	    domain_is_within(address_domain(opening->sender),
		opening->to.domain))
		return opening->sender;
	return opening->from.address;
}

/* A bounce to an address of SRS came to relay@, and goes on to where it
 * belongs. */
static int
unwrap_recipient(struct session *session, const struct opening *opening,
    struct fault *fault)
{
	const char *given = session->letter.recipient_spelled;
	char behind[ADDRESS_SIZE];

	if (session->listener != LISTENER_IN ||
	    envelope_sender(opening)[0] != '\0' || !relay_unwrap(given, behind))
		return 0;
	return replace_recipient(session, given, behind, fault);
}

/* Sent by SMTP because DMTP was not to be had any more: it may have come by
 * that before. That it comes by SMTP is not noted, since Postfix may yet refuse
 * it. */
static int
look_for_duplicate(struct session *session, struct opening *opening,
    struct fault *fault)
{
	int err = session->listener != LISTENER_MX ? 0 :
	    state_get_delivered(session->milter->state, opening->identity,
		opening->to.address, &opening->duplicate);

	return err == 0 ? 0 :
	    fault_set(fault, err, "%s", error_row(err)->text);
}

static int
replace(struct session *session, struct opening *opening, struct fault *fault)
{
	struct results results = {session->site->hostname,
	    opening->from.address, opening->to.domain};
	struct span block, body;
	int err;

	headers_split(buffer_span(&opening->mime), &block, &body);
	err = plan_make(block, &results, &session->site->config->domains,
	    &opening->plan, fault);
	if (err != 0) {
		/* The message is verified; its author may know what it is. */
		opening->decrypted = false;
		opening->dmtp = err == ERR_TOO_LARGE ? 552 :
		    err == ERR_FORMAT ? 501 : 0;
		return err;
	}
	err = replace_drop_header(session, fault);
	for (size_t i = 0; i < opening->plan.count && err == 0; i++)
		err = replace_append(session, plan_name(&opening->plan, i),
		    plan_value(&opening->plan, i), fault);
	if (err == 0)
		err = replace_body(session, body, fault);
	if (err == 0)
		err = replace_sender(session, envelope_sender(opening), fault);
	return err != 0 ? err : unwrap_recipient(session, opening, fault);
}

/* A signature that does not hold is refused, unless a rule of the site would
 * rather have it come again. */
static int
judge_signature(struct session *session, struct opening *opening,
    struct fault *fault)
{
	if (facts_met(session->milter->facts, RULE_BAD_SIGNATURE,
		opening->from.address, session->letter.recipient,
		session_queue_id(session)) == POLICY_REFUSE)
		return ERR_SIGNATURE;
	opening->dmtp = 451;
	fault->err = ERR_DEFERRED;
	return ERR_DEFERRED;
}

static void
log_outcome(struct session *session, const struct opening *opening, int err,
    const struct fault *fault, int64_t started)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, err == 0 ?
	    opening->duplicate ? "duplicate" : "opened" :
	    error_row(err)->temporary ? "deferred" : "refused");
	log_text(&line, "queue", session_queue_id(session));
	if (session->letter.recipient[0] != '\0')
		log_text(&line, "to-domain",
		    address_domain(session->letter.recipient));
	if (opening->to.domain[0] != '\0')
		log_text(&line, "origin", opening->to.domain);
	if (err == 0) {
		log_number(&line, "size", (int64_t)opening->mime.length);
		log_number(&line, "removed",
		    (int64_t)opening->plan.removed);
	} else
		log_text(&line, "reason", fault_text(fault, err));
	log_number(&line, "ms", clock_monotonic(&clock_system) - started);
	log_end(&line);
}

static sfsistat
refuse(struct session *session, const struct opening *opening, int err,
    const struct fault *fault)
{
	return reply_dmtp(session, err, opening->dmtp != 0 ? opening->dmtp :
	    error_row(err)->dmtp, opening->decrypted ? refusal_text :
	    fault_text(fault, err));
}

sfsistat
open_message(struct session *session)
{
	int64_t started = clock_monotonic(&clock_system);
	struct fault fault = {0};
	struct opening opening;
	sfsistat status = SMFIS_ACCEPT;
	int err;

	start(&opening);
	if ((err = find_recipient(session, &opening, &fault)) == 0 &&
	    (err = read_message(session, &opening, &fault)) == 0 &&
	    (err = read_envelopes(session, &opening, &fault)) == 0 &&
	    (err = find_ourselves(session, &opening, &fault)) == 0 &&
	    (err = find_author(session, &opening, &fault)) == 0 &&
	    (err = open_sealed(session, &opening, &fault)) == 0 &&
	    (err = look_for_duplicate(session, &opening, &fault)) == 0 &&
	    !opening.duplicate)
		err = replace(session, &opening, &fault);
	if (err == ERR_SIGNATURE && opening.origin != NULL)
		err = judge_signature(session, &opening, &fault);
	if (err != 0)
		status = refuse(session, &opening, err, &fault);
	else if (opening.duplicate)
		status = SMFIS_DISCARD;
	log_outcome(session, &opening, err, &fault, started);
	MARK("opened");
	finish(&opening);
	return status;
}
