/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "base/log.h"
#include "client/facts.h"
#include "crypto/random.h"
#include "dime/armor.h"
#include "milter/milter.h"
#include "milter/received.h"
#include "milter/replace.h"
#include "milter/reply.h"

/*
 * DIME-OUT. One recipient a message; it is sealed in place, or refused. There
 * is no third way out of here: nothing leaves naked.
 */

enum author_kind { AUTHOR_RELAY, AUTHOR_USER };

struct sealing {
	struct received received; /* of pass 1 */
	char domain[DOMAIN_SIZE]; /* of ours that acts */
	enum author_kind kind;
	struct keys_user *author;
	struct keys_org *origin;
	char rule_sender[ADDRESS_SIZE];
	struct facts_answer answer;
	struct org_signet *destination;
	struct user_signet *recipient;
	struct buffer mime;
	struct buffer armor;
	bool permanent; /* the refusal is */
};

static void
start(struct sealing *sealing)
{
	*sealing = (struct sealing){0};
	facts_answer_init(&sealing->answer);
}

static void
finish(struct sealing *sealing)
{
	keys_user_free(sealing->author);
	keys_org_free(sealing->origin);
	facts_answer_free(&sealing->answer);
	org_signet_free(sealing->destination);
	user_signet_free(sealing->recipient);
	buffer_free(&sealing->mime);
	buffer_free(&sealing->armor);
}

/* Refuses for good. */
static int
refuse(struct sealing *sealing, struct fault *fault, int err,
    const char *reason)
{
	sealing->permanent = true;
	return fault_set(fault, err, "%s", reason);
}

/* What can be said before anybody is asked. */
static int
check_letter(struct session *session, struct sealing *sealing,
    struct fault *fault)
{
	const struct letter *letter = &session->letter;

	if (letter->recipients != 1)
		return fault_set(fault, ERR_CONFIG,
		    "%zu recipients: dimeenc_destination_recipient_limit must "
		    "be 1", letter->recipients);
	if (letter->recipient[0] == '\0')
		return refuse(sealing, fault, ERR_RECIPIENT,
		    "DIME has no form for this recipient address");
	if (letter->fields > LETTER_FIELDS_MAX)
		return refuse(sealing, fault, ERR_TOO_LARGE,
		    "the message has too many header fields");
	if (letter->err == ERR_TOO_LARGE)
		return refuse(sealing, fault, ERR_TOO_LARGE,
		    "the message is larger than message_size_limit");
	if (letter->err != 0)
		return fault_set(fault, letter->err, NULL);
	if (header_is_sealed(buffer_span(&letter->header)))
		return refuse(sealing, fault, ERR_POLICY,
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
	if (sealing->received.id[0] == '\0' || letter->sender[0] == '\0')
		return 0;
	err = state_get_note(session->milter->state, sealing->received.id,
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

/* The envelope sender as the site's rules take it, and as Postfix's map of
 * senders does: the address or, if DIME cannot write it, its domain. */
static void
read_rule_sender(const struct letter *letter, struct sealing *sealing)
{
	char *sender = sealing->rule_sender;

	if (letter_is_bounce(letter))
		strcpy(sender, "<>");
	else if (letter->sender[0] != '\0')
		strcpy(sender, letter->sender);
	else if (!letter_read_domain(letter->sender_given, sender))
		strcpy(sender, "?"); /* nobody in particular */
}

/* Tells policyd, whose map then routes the copy past us next time. */
static int
leave_to_smtp(struct session *session, struct sealing *sealing,
    struct fault *fault)
{
	struct facts_request request = {.verb = FACTS_NOTE_NAKED,
	    .from = sealing->author->signet->address,
	    .to = session->letter.recipient, .fingerprint = "", .wait = 5000,
	    .sender = sealing->rule_sender};
	struct facts_answer answer;
	int err;

	facts_answer_init(&answer);
	err = facts_ask(session->site->config->facts_socket, &request,
	    &answer, fault);
	if (err == 0)
		err = answer.err;
	facts_answer_free(&answer);
	if (err != 0)
		return fault_wrap(fault, "note for SMTP");
	return fault_set(fault, ERR_NOT_ENABLED,
	    "not reached by DIME; goes by SMTP at the next attempt");
}

static int
act_on(struct session *session, struct sealing *sealing, struct fault *fault)
{
	const struct facts_answer *answer = &sealing->answer;
	const char *reason = answer->reason[0] != '\0' ? answer->reason :
	    error_row(answer->err)->text;
	int err = answer->err;

	switch (answer->action) {
	case POLICY_DARK:
		return facts_verify(answer, session->letter.recipient,
		    &sealing->destination, &sealing->recipient, fault);
	case POLICY_NAKED:
		return leave_to_smtp(session, sealing, fault);
	case POLICY_REFUSE:
		return refuse(sealing, fault, err == 0 ||
		    error_row(err)->temporary ? ERR_POLICY : err, reason);
	default:
		return fault_set(fault, err == 0 ? ERR_BUSY : err, "%s",
		    reason);
	}
}

static int
ask_policy(struct session *session, struct sealing *sealing,
    struct fault *fault)
{
	const struct config *config = session->site->config;
	const char *to = session->letter.recipient;
	struct facts_request request = {.verb = FACTS_DECIDE,
	    .from = sealing->author->signet->address, .to = to,
	    .fingerprint = "", .wait = config->fetch_timeout * 1000,
	    .sender = sealing->rule_sender,
	    .queue = session_queue_id(session)};
	int err;

	read_rule_sender(&session->letter, sealing);
	if (!crowd_enter(&session->milter->crowd, address_domain(to)))
		return fault_set(fault, ERR_BUSY,
		    "too many messages wait for news of this domain");
	err = facts_ask(config->facts_socket, &request, &sealing->answer,
	    fault);
	crowd_leave(&session->milter->crowd, address_domain(to));
	if (err != 0)
		return fault_wrap(fault, "dime-policyd");
	return act_on(session, sealing, fault);
}

/* Our own signets in the layout that the recipient's has: a message has one. */
static int
fit_layout(struct session *session, struct sealing *sealing,
    struct fault *fault)
{
	enum layout layout = sealing->recipient->signet->layout;
	struct keys *keys = session->milter->keys;
	struct keys_user *author = NULL;
	struct keys_org *origin = NULL;
	int err;

	if (layout == LAYOUT_STANDARD)
		return 0;
	if ((err = keys_find_user_in(keys, layout,
		sealing->author->signet->address, &author, fault)) != 0 ||
	    (err = keys_find_org_in(keys, layout, sealing->domain, &origin,
		fault)) != 0) {
		keys_user_free(author);
		return err;
	}
	keys_user_free(sealing->author);
	keys_org_free(sealing->origin);
	sealing->author = author;
	sealing->origin = origin;
	return 0;
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

/*
 * Everything that must change the random stream, each part with its length in
 * front. Without a queue id two equal messages would be one to the receiver, so
 * that the stream is then a random one.
 */
static void
start_random(struct session *session, struct sealing *sealing,
    struct random_source *random)
{
	uint8_t digest[CRYPTO_SHA512];
	const struct span parts[] = {
	    span_string("dime-milter seal 1"),
	    span_string(sealing->received.id),
	    span_string(session->letter.recipient),
	    span_string(session->letter.sender),
	    span_of(digest, sizeof(digest)),
	    span_string(sealing->author->signet->core),
	    span_string(sealing->author->signet->full),
	    span_string(sealing->origin->signet->fingerprint),
	    span_string(sealing->destination->fingerprint),
	    span_string(sealing->recipient->core),
	    span_string(sealing->recipient->full),
	};
	struct buffer label = buffer_make(8192);

	crypto_sha512(buffer_span(&sealing->mime), digest);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		buffer_u32(&label, (uint32_t)parts[i].length);
		buffer_append_span(&label, parts[i]);
	}
	if (sealing->received.id[0] == '\0' || label.error != 0)
		random_start(random);
	else
		random_start_keyed(random, session->milter->seal_key,
		    buffer_span(&label));
	buffer_free(&label);
}

static int
seal(struct session *session, struct sealing *sealing, struct fault *fault)
{
	const struct letter *letter = &session->letter;
	struct random_source random;
	struct message_seal order = {
	    .parties = {.author = sealing->author->signet,
	        .origin = sealing->origin->signet,
	        .destination = sealing->destination,
	        .recipient = sealing->recipient},
	    .author_signer = sealing->author->signer,
	    .origin_signer = sealing->origin->signer,
	    .recipient = letter->recipient, /* with its +tag */
	    .random = &random};
	struct buffer binary;
	int err;

	/* A sender that DIME cannot write leaves the bounces to the author. */
	if (letter->sender[0] != '\0' || letter_is_bounce(letter))
		order.sender = letter->sender;
	build_mime(session, sealing);
	if (sealing->mime.error != 0)
		return fault_set(fault, sealing->mime.error, NULL);
	binary = buffer_make(sealing->mime.length * 2 + (1 << 20));
	start_random(session, sealing, &random);
	err = message_seal(&order, buffer_span(&sealing->mime), &binary,
	    fault);
	random_end(&random);
	buffer_free(&sealing->mime);
	if (err == ERR_TOO_LARGE || err == ERR_FORMAT)
		sealing->permanent = true;
	if (err == 0) {
		sealing->armor = buffer_make(binary.length * 2 + 4096);
		armor_write(ARMOR_MESSAGE, buffer_span(&binary),
		    &sealing->armor);
		err = sealing->armor.error == 0 ? 0 :
		    fault_set(fault, sealing->armor.error, NULL);
	}
	buffer_free(&binary);
	return err;
}

/* The transit form: two fields that say nothing of what is inside. */
static int
replace(struct session *session, struct sealing *sealing, struct fault *fault)
{
	int err;

	if ((err = replace_drop_header(session, fault)) != 0 ||
	    (err = replace_insert(session, 1, "MIME-Version", " 1.0",
		fault)) != 0 ||
	    (err = replace_insert(session, 2, "Content-Type",
		" application/vnd.dime-message", fault)) != 0 ||
	    (err = replace_body_lines(session, buffer_span(&sealing->armor),
		fault)) != 0)
		return err;
	return replace_sender(session, session->letter.sender_given, fault);
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
	log_text(&line, "pass1", sealing->received.id);
	log_text(&line, "to-domain", session->letter.recipient[0] == '\0' ?
	    "" : address_domain(session->letter.recipient));
	if (sealing->author != NULL) {
		log_text(&line, "from-domain", sealing->domain);
		log_text(&line, "author-kind",
		    sealing->kind == AUTHOR_USER ? "user" : "relay");
	}
	if (sealing->answer.cell[0] != '\0')
		log_text(&line, "cell", sealing->answer.cell);
	if (sealing->answer.rule_number != 0)
		log_number(&line, "rule", sealing->answer.rule_number);
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
	struct sealing sealing;
	sfsistat status;
	int err;

	start(&sealing);
	received_topmost(buffer_span(&session->letter.header),
	    &sealing.received);
	if ((err = check_letter(session, &sealing, &fault)) == 0 &&
	    (err = choose_domain(session, &sealing, &fault)) == 0 &&
	    (err = find_author(session, &sealing, &fault)) == 0 &&
	    (err = keys_find_org(session->milter->keys, sealing.domain,
		&sealing.origin, &fault)) == 0 &&
	    (err = ask_policy(session, &sealing, &fault)) == 0 &&
	    (err = fit_layout(session, &sealing, &fault)) == 0 &&
	    (err = seal(session, &sealing, &fault)) == 0)
		err = replace(session, &sealing, &fault);
	if (err == 0)
		status = SMFIS_ACCEPT;
	else if (sealing.permanent)
		status = reply_error(session, err, fault_text(&fault, err));
	else
		status = reply_defer(session, err, fault_text(&fault, err));
	log_outcome(session, &sealing, err, &fault, started);
	finish(&sealing);
	return status;
}
