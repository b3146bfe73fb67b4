/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "base/mark.h"
#include "milter/received.h"
#include "milter/reply.h"
#include "milter/sealing.h"

/*
 * DIME-OUT. One recipient a message; it is sealed in place, or refused. There
 * is no third way out of here: nothing leaves naked.
 */

/* What can be said before anybody is asked. */
static int
check_letter(struct session *session, struct sealing *sealing,
    struct fault *fault)
{
	const struct letter *letter = &session->letter;
	int err = sealing_check_recipient(session, sealing, fault);

	if (err != 0)
		return err;
	if (letter->fields > LETTER_FIELDS_MAX)
		return sealing_refuse(sealing, fault, ERR_TOO_LARGE,
		    "the message has too many header fields");
	if (letter->err == ERR_TOO_LARGE)
		return sealing_refuse(sealing, fault, ERR_TOO_LARGE,
		    "the message is larger than message_size_limit");
	if (letter->err != 0)
		return fault_set(fault, letter->err, NULL);
	if (header_is_sealed(buffer_span(&letter->header)))
		return sealing_refuse(sealing, fault, ERR_POLICY,
		    "the message is sealed already");
	return 0;
}

/* Which domain of ours answers for the message. */
static int
choose_domain(struct session *session, struct sealing *sealing,
    struct fault *fault)
{
	const char *domain = NULL;

	if (session->letter.sender[0] != '\0' && site_serves(session->site,
	    address_domain(session->letter.sender)))
		domain = address_domain(session->letter.sender);
	else
		domain = site_forward_domain(session->site);
	if (domain == NULL ||
	    !domain_normalize(span_string(domain), sealing->domain))
		return fault_set(fault, ERR_CONFIG,
		    "no domain of ours acts for this sender: set domains");
	return 0;
}

/* Whether the user of the envelope sender is known to have sent the message:
 * the note of this queue id names the same sender and the same body. */
static int
is_proven(struct session *session, const struct sealing *sealing,
    bool *proven, struct fault *fault)
{
	struct letter *letter = &session->letter;
	uint8_t body[CRYPTO_SHA512];
	struct state_note note;
	bool found = false;
	int err;

	*proven = false;
	crypto_hash_end(&letter->hash, body);
	if (sealing->id[0] == '\0' || letter->sender[0] == '\0')
		return 0;
	err = state_get_note(session->milter->state, sealing->id,
	    &found, &note);
	if (err != 0)
		return fault_set(fault, err, "the author's note: %s",
		    error_row(err)->text);
	*proven = found && strcmp(note.sender, letter->sender) == 0 &&
	    crypto_equal(note.body, body, sizeof(body));
	return 0;
}

static int
find_author(struct session *session, struct sealing *sealing,
    struct fault *fault)
{
	struct keys *keys = session->milter->keys;
	char relay[ADDRESS_SIZE + 8];
	bool proven;
	int err = is_proven(session, sealing, &proven, fault);

	if (err == 0 && proven) {
		err = keys_find_user(keys, session->letter.sender,
		    &sealing->author, fault);
		if (err == 0 && !sealing->author->disabled) {
			sealing->kind = AUTHOR_USER;
			return 0;
		}
		keys_user_free(sealing->author);
		sealing->author = NULL;
		if (err == ERR_UNKNOWN_ADDRESS)
			err = 0;
	}
	if (err != 0)
		return err;
	snprintf(relay, sizeof(relay), "relay@%s", sealing->domain);
	return keys_find_user(keys, relay, &sealing->author, fault);
}

/* Tells policyd, whose map then routes the copy past us next time. */
static int
leave_to_smtp(struct session *session, struct sealing *sealing,
    struct fault *fault)
{
	struct facts_request request = {.verb = FACTS_NOTE_NAKED,
	    .from = sealing->author->signet->address,
	    .to = sealing->to, .fingerprint = "", .wait = 5000,
	    .sender = sealing->rule_sender};
	struct facts_answer answer;
	int err;

	facts_answer_init(&answer);
	err = facts_ask(session->milter->facts, &request, &answer, fault);
	if (err == 0)
		err = answer.err;
	facts_answer_free(&answer);
	if (err != 0)
		return fault_wrap(fault, "note for SMTP");
	return fault_set(fault, ERR_NOT_ENABLED,
	    "not reached by DIME; goes by SMTP at the next attempt");
}

static int
ask_policy(struct session *session, struct sealing *sealing,
    struct fault *fault)
{
	int err = sealing_ask(session, sealing, fault);

	if (err == ERR_NOT_ENABLED && sealing->answer.action == POLICY_NAKED)
		return leave_to_smtp(session, sealing, fault);
	return err;
}

/* The message as it will come out at the other end. */
static void
build_mime(struct session *session, struct sealing *sealing)
{
	struct letter *letter = &session->letter;
	const struct site *site = session->site;

	sealing->mime = buffer_make(letter->header.length +
	    letter->body.length + (1 << 20));
	received_rewrite(buffer_span(&letter->header), sealing->domain,
	    site->hostname, &site->config->domains, &sealing->mime);
	buffer_append_string(&sealing->mime, "\r\n");
	buffer_append_span(&sealing->mime, buffer_span(&letter->body));
	buffer_free(&letter->body);
}

static int
seal(struct session *session, struct sealing *sealing, struct fault *fault)
{
	const struct letter *letter = &session->letter;

	build_mime(session, sealing);
	/* A sender that DIME cannot write leaves the bounces to the author. */
	return sealing_seal(session, sealing, "dime-milter seal 1",
	    letter->sender[0] != '\0' || letter_is_bounce(letter)
		? letter->sender_given
		: NULL, fault);
}

static void
log_outcome(struct session *session, const struct sealing *sealing, int err,
    const struct fault *fault, int64_t started)
{
	const char *event = err == 0 ? "sealed" :
	    sealing->permanent ? "refused" : "deferred";
	struct log_line line;

	log_begin(&line, LOG_INFO, event);
	log_text(&line, "queue", session_queue_id(session));
	log_text(&line, "pass1", sealing->id);
	sealing_log(session, sealing, &line);
	if (err == 0)
		log_number(&line, "size",
		    (int64_t)sealing->armor.length);
	log_text(&line, "reason",
	    err == 0 ? sealing->answer.reason : fault_text(fault, err));
	log_number(&line, "ms", clock_monotonic(&clock_system) - started);
	log_end(&line);
}

sfsistat
seal_message(struct session *session)
{
	int64_t started = clock_monotonic(&clock_system);
	struct fault fault = {0};
	struct received received;
	struct sealing sealing;
	sfsistat status;
	int err;

	MARK("to-be-sealed");
	sealing_start(&sealing);
	/* Of pass 1. */
	received_topmost(buffer_span(&session->letter.header), &received);
	span_copy_string(span_string(received.id), sealing.id,
	    sizeof(sealing.id));
	if ((err = check_letter(session, &sealing, &fault)) == 0 &&
	    (err = choose_domain(session, &sealing, &fault)) == 0 &&
	    (err = find_author(session, &sealing, &fault)) == 0 &&
	    (err = keys_find_org(session->milter->keys, sealing.domain,
		&sealing.origin, &fault)) == 0 &&
	    (err = ask_policy(session, &sealing, &fault)) == 0 &&
	    (err = seal(session, &sealing, &fault)) == 0)
		err = sealing_replace(session, &sealing, &fault);
	if (err == 0)
		status = SMFIS_ACCEPT;
	else if (sealing.permanent)
		status = reply_error(session, err, fault_text(&fault, err));
	else
		status = reply_defer(session, err, fault_text(&fault, err));
	log_outcome(session, &sealing, err, &fault, started);
	MARK("sealed");
	sealing_finish(&sealing);
	return status;
}
