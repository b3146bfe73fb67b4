/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/sealing.h"

#include "crypto/random.h"
#include "dime/armor.h"
#include "milter/relay.h"
#include "milter/replace.h"

void
sealing_start(struct sealing *sealing)
{
	*sealing = (struct sealing){0};
	facts_answer_init(&sealing->answer);
}

void
sealing_finish(struct sealing *sealing)
{
	keys_user_free(sealing->author);
	keys_org_free(sealing->origin);
	facts_answer_free(&sealing->answer);
	org_signet_free(sealing->destination);
	user_signet_free(sealing->recipient);
	buffer_free(&sealing->mime);
	buffer_free(&sealing->armor);
}

int
sealing_refuse(struct sealing *sealing, struct fault *fault, int err,
    const char *reason)
{
	sealing->permanent = true;
	return fault_set(fault, err, "%s", reason);
}

int
sealing_check_recipient(const struct session *session,
    struct sealing *sealing, struct fault *fault)
{
	const struct letter *letter = &session->letter;

	if (letter->recipients != 1)
		return fault_set(fault, ERR_CONFIG,
		    "%zu recipients: dimeenc_destination_recipient_limit must "
		    "be 1", letter->recipients);
	if (letter->recipient[0] == '\0')
		return sealing_refuse(sealing, fault, ERR_RECIPIENT,
		    "DIME has no form for this recipient address");
	return 0;
}

/* ---- policyd ---- */

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

static int
judge(struct sealing *sealing, struct fault *fault)
{
	const struct facts_answer *answer = &sealing->answer;
	const char *reason = answer->reason[0] != '\0' ? answer->reason :
	    error_row(answer->err)->text;
	int err = answer->err;

	switch (answer->action) {
	case POLICY_DARK:
		return facts_verify(answer, sealing->to,
		    &sealing->destination, &sealing->recipient, fault);
	case POLICY_NAKED:
		return fault_set(fault, ERR_NOT_ENABLED,
		    "not reached by DIME");
	case POLICY_REFUSE:
		return sealing_refuse(sealing, fault, err == 0 ||
		    error_row(err)->temporary ? ERR_POLICY : err, reason);
	default:
		return fault_set(fault, err == 0 ? ERR_BUSY : err, "%s",
		    reason);
	}
}

static int
ask(struct session *session, struct sealing *sealing, struct fault *fault)
{
	const struct config *config = session->site->config;
	struct facts_request request = {.verb = FACTS_DECIDE,
	    .from = sealing->author->signet->address, .to = sealing->to,
	    .fingerprint = "", .wait = config->fetch_timeout * 1000,
	    .sender = sealing->rule_sender,
	    .queue = session_queue_id(session)};
	int err;

	if (!crowd_enter(&session->milter->crowd, address_domain(sealing->to)))
		return fault_set(fault, ERR_BUSY,
		    "too many messages wait for news of this domain");
	err = facts_ask(session->milter->facts, &request, &sealing->answer,
	    fault);
	crowd_leave(&session->milter->crowd, address_domain(sealing->to));
	return err != 0 ? fault_wrap(fault, "dime-policyd") : 0;
}

/* A bounce to an address that has no signet goes to the domain itself, or
 * nowhere: whatever is said of the domain's relay@ does not let it out
 * naked. */
static int
ask_for_relay(struct session *session, struct sealing *sealing,
    struct fault *fault)
{
	int err;

	if (!letter_is_bounce(&session->letter) ||
	    sealing->answer.action != POLICY_REFUSE ||
	    sealing->answer.err != ERR_UNKNOWN_ADDRESS ||
	    !relay_wrap(session->letter.recipient_spelled,
	        sealing->to_spelled))
		return 0;
	address_normalize(span_string(sealing->to_spelled), sealing->to);
	facts_answer_free(&sealing->answer);
	facts_answer_init(&sealing->answer);
	err = ask(session, sealing, fault);
	if (err == 0 && sealing->answer.action == POLICY_NAKED)
		sealing->answer.action = POLICY_REFUSE;
	return err;
}

int
sealing_ask(struct session *session, struct sealing *sealing,
    struct fault *fault)
{
	int err;

	strcpy(sealing->to, session->letter.recipient);
	strcpy(sealing->to_spelled, session->letter.recipient_spelled);
	read_rule_sender(&session->letter, sealing);
	if ((err = ask(session, sealing, fault)) != 0 ||
	    (err = ask_for_relay(session, sealing, fault)) != 0)
		return err;
	return judge(sealing, fault);
}

/* ---- sealing ---- */

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

/* Author and origin were read one after the other. The signet of one from
 * before a rotation and of the other from after it are both good, but not
 * together: no receiver would take the message. */
static int
check_rotation(const struct sealing *sealing, struct fault *fault)
{
	return sealing->author->org == sealing->origin->id
	    ? 0
	    : fault_set(fault, ERR_BUSY,
	          "the organization has been rotated meanwhile");
}

/*
 * Everything that must change the random stream, each part with its length in
 * front. Where nothing tells it from a second message with the same content,
 * the stream is a random one: to the receiver the two would be one.
 */
static void
start_random(struct session *session, const struct sealing *sealing,
    const char *purpose, struct random_source *random)
{
	uint8_t digest[CRYPTO_SHA512];
	const struct span parts[] = {
	    span_string(purpose),
	    span_string(sealing->id),
	    span_string(sealing->to_spelled),
	    span_string(session->letter.sender_given),
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
	if (sealing->id[0] == '\0' || label.error != 0)
		random_start(random);
	else
		random_start_keyed(random, session->milter->seal_key,
		    buffer_span(&label));
	buffer_free(&label);
}

static int
seal_binary(struct session *session, struct sealing *sealing,
    const char *purpose, const char *sender, struct buffer *binary,
    struct fault *fault)
{
	struct random_source random;
	struct message_seal order = {
	    .parties = {.author = sealing->author->signet,
	        .origin = sealing->origin->signet,
	        .destination = sealing->destination,
	        .recipient = sealing->recipient},
	    .author_signer = sealing->author->signer,
	    .origin_signer = sealing->origin->signer,
	    .sender = sender,
	    .recipient = sealing->to_spelled, /* with its +tag */
	    .random = &random};
	int err;

	start_random(session, sealing, purpose, &random);
	err = message_seal(&order, buffer_span(&sealing->mime), binary,
	    fault);
	random_end(&random);
	if (err == ERR_TOO_LARGE || err == ERR_FORMAT)
		sealing->permanent = true;
	return err;
}

int
sealing_seal(struct session *session, struct sealing *sealing,
    const char *purpose, const char *sender, struct fault *fault)
{
	struct buffer binary;
	int err;

	if (sealing->mime.error != 0)
		return fault_set(fault, sealing->mime.error, NULL);
	err = fit_layout(session, sealing, fault);
	if (err == 0)
		err = check_rotation(sealing, fault);
	if (err != 0)
		return err;
	binary = buffer_make(sealing->mime.length * 2 + (1 << 20));
	err = seal_binary(session, sealing, purpose, sender, &binary, fault);
	buffer_free(&sealing->mime);
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

/* ---- the outcome ---- */

int
sealing_replace(struct session *session, const struct sealing *sealing,
    struct fault *fault)
{
	int err;

	if ((err = replace_drop_header(session, fault)) != 0 ||
	    (err = replace_append(session, "MIME-Version", " 1.0",
		fault)) != 0 ||
	    (err = replace_append(session, "Content-Type",
		" application/vnd.dime-message", fault)) != 0 ||
	    (err = replace_body_lines(session, buffer_span(&sealing->armor),
		fault)) != 0)
		return err;
	return replace_sender(session, session->letter.sender_given, fault);
}

void
sealing_log(const struct session *session, const struct sealing *sealing,
    struct log_line *line)
{
	log_text(line, "to-domain", session->letter.recipient[0] == '\0' ?
	    "" : address_domain(session->letter.recipient));
	if (sealing->author != NULL) {
		log_text(line, "from-domain", sealing->domain);
		log_text(line, "author-kind",
		    sealing->kind == AUTHOR_USER ? "user" : "relay");
	}
	if (sealing->answer.cell[0] != '\0')
		log_text(line, "cell", sealing->answer.cell);
	if (sealing->answer.rule_number != 0)
		log_number(line, "rule", sealing->answer.rule_number);
}
