/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "dime/resealing.h"
#include "milter/relay.h"
#include "milter/replace.h"
#include "milter/reply.h"
#include "milter/sealing.h"

/*
 * DIME-RESEAL. dmtpd brings a message of ours back that its peer refused
 * because one of the signets that it was sealed for is no more. It is opened as
 * its author and sealed for the signets of now; what is inside is in memory
 * only.
 *
 * Nothing that came with the message is believed: the field that names the
 * author only says which key to try. The listener takes nothing but what opens
 * under that key, bears his signature and our organization's, and is for the
 * recipient of the envelope. Nor is it sealed again for the signets that it
 * has: who could make us do that had a second copy of every message delivered.
 */

enum {
	/* How often a message may be sealed anew. Each time it gets a new life
	 * in the queue. */
	RESEAL_MOST = 3,
	ARMOR_LIMIT = 2, /* binary octets, in times of message_size_limit */
};

struct resealing {
	struct sealing sealing;
	unsigned int count; /* which time it is, from 1 */
	struct message_envelope from; /* chunk 4: author, destination */
	struct message_envelope to;   /* chunk 5: recipient, origin */
	struct message *message;
	struct keys_user *author; /* as of then */
	struct keys_org *origin;  /* likewise */
	char sender[ADDRESS_SIZE]; /* that travels inside */
};

/* ---- what dmtpd says ---- */

static int
read_fields(const struct session *session, struct resealing *resealing,
    struct fault *fault)
{
	struct span block = buffer_span(&session->letter.header);
	struct header_field count, author;

	if (!header_is_sealed(block) ||
	    header_count(block, "Content-Type") != 1 ||
	    header_count(block, resealing_count_field) != 1 ||
	    header_count(block, resealing_author_field) != 1 ||
	    !header_find(block, resealing_count_field, &count) ||
	    !header_find(block, resealing_author_field, &author))
		return sealing_refuse(&resealing->sealing, fault, ERR_FORMAT,
		    "this listener takes what dmtpd brings back, and nothing "
		    "else");
	if (!resealing_read_count(count.value, &resealing->count) ||
	    !resealing_read_author(author.value, resealing->from.address,
		resealing->from.address_fingerprint))
		return sealing_refuse(&resealing->sealing, fault, ERR_FORMAT,
		    "dmtpd's fields are malformed");
	if (resealing->count > RESEAL_MOST)
		return sealing_refuse(&resealing->sealing, fault,
		    ERR_RECIPIENT_SIGNET, "sealed anew too often");
	return 0;
}

static int
read_message(struct session *session, struct resealing *resealing,
    struct fault *fault)
{
	struct letter *letter = &session->letter;
	struct sealing *sealing = &resealing->sealing;
	int err;

	if (letter->err != 0) {
		sealing->permanent = letter->err == ERR_TOO_LARGE;
		return fault_set(fault, letter->err, "sealed message: %s",
		    error_row(letter->err)->text);
	}
	err = message_read(buffer_span(&letter->body),
	    (size_t)session->site->config->message_size_limit * ARMOR_LIMIT,
	    &resealing->message, fault);
	buffer_free(&letter->body);
	if (err == 0)
		message_identifier(resealing->message, sealing->id);
	return err;
}

/* ---- whether it is ours ---- */

/* The keys that author and origin had then. */
static int
unlock(struct session *session, struct resealing *resealing,
    struct fault *fault)
{
	struct keys *keys = session->milter->keys;
	struct message *message = resealing->message;
	int err;

	if ((err = keys_find_user_by_fingerprint(keys,
		resealing->from.address, resealing->from.address_fingerprint,
		&resealing->author, fault)) != 0 ||
	    (err = message_unlock(message, MESSAGE_AUTHOR,
		resealing->author->agreer, fault)) != 0 ||
	    (err = message_origin_envelope(message, &resealing->from,
		fault)) != 0 ||
	    (err = message_destination_envelope(message, &resealing->to,
		fault)) != 0)
		return err;
	return keys_find_org_by_envelope(keys, resealing->to.domain,
	    resealing->to.domain_fingerprint, &resealing->origin, fault);
}

/* Everything in it, our own signatures included. */
static int
open_sealed(struct session *session, struct resealing *resealing,
    struct fault *fault)
{
	const struct message_parties parties = {
	    .author = resealing->author->signet,
	    .origin = resealing->origin->signet};
	size_t limit = (size_t)session->site->config->message_size_limit;
	struct buffer *mime = &resealing->sealing.mime;
	int err;

	err = message_verify_organization(resealing->message,
	    parties.origin, NULL, fault);
	if (err != 0)
		return err;
	*mime = buffer_make(limit + (16 << 20));
	err = message_open(resealing->message, &parties, limit, mime,
	    resealing->sender, fault);
	message_free(resealing->message);
	resealing->message = NULL;
	return err;
}

/* A bounce to a sender that is no user was sealed for relay@ (relay.h). */
static bool
is_recipient(const struct letter *letter, const char *address)
{
	char wrapped[ADDRESS_SIZE], normal[ADDRESS_SIZE];

	if (strcmp(letter->recipient, address) == 0)
		return true;
	return letter_is_bounce(letter) &&
	    relay_wrap(letter->recipient_spelled, wrapped) &&
	    address_normalize(span_string(wrapped), normal) &&
	    strcmp(normal, address) == 0;
}

/* The envelope says to whom it goes and where bounces go; seal.c has put both
 * inside, where nobody could change them. */
static int
check_envelope(const struct session *session,
    const struct resealing *resealing, struct fault *fault)
{
	const struct letter *letter = &session->letter;
	bool written = letter->sender[0] != '\0' || letter_is_bounce(letter);
	const char *sender = written ? letter->sender :
	    resealing->from.address;
	char inside[ADDRESS_SIZE];

	if (!is_recipient(letter, resealing->to.address))
		return fault_set(fault, ERR_MISMATCH,
		    "sealed for another recipient");
	address_normalize(span_string(resealing->sender), inside);
	if (strcmp(sender, inside) != 0)
		return fault_set(fault, ERR_MISMATCH,
		    "another envelope sender is inside");
	return 0;
}

/* A failure of ours may pass; what does not open never will. */
static int
open_as_author(struct session *session, struct resealing *resealing,
    struct fault *fault)
{
	int err;

	if ((err = read_fields(session, resealing, fault)) != 0)
		return err;
	if ((err = read_message(session, resealing, fault)) == 0 &&
	    (err = unlock(session, resealing, fault)) == 0 &&
	    (err = open_sealed(session, resealing, fault)) == 0)
		err = check_envelope(session, resealing, fault);
	if (err == ERR_UNKNOWN_ADDRESS)
		err = fault_set(fault, ERR_NO_ACCESS,
		    "no author of ours has the key that it was sealed with");
	if (err != 0 && !error_row(err)->temporary)
		resealing->sealing.permanent = true;
	return err;
}

/* ---- sealing it anew ---- */

/* The author and the origin of now. Who may not write any more gets nothing
 * signed, as at DIME-OUT. */
static int
find_parties(struct session *session, struct resealing *resealing,
    struct fault *fault)
{
	struct sealing *sealing = &resealing->sealing;
	struct keys *keys = session->milter->keys;
	int err;

	memcpy(sealing->domain, resealing->to.domain, sizeof(sealing->domain));
	if (!site_serves(session->site, sealing->domain))
		return sealing_refuse(sealing, fault, ERR_POLICY,
		    "its origin is not one of our domains any more");
	err = keys_find_user(keys, resealing->from.address, &sealing->author,
	    fault);
	if (err == ERR_UNKNOWN_ADDRESS ||
	    (err == 0 && sealing->author->disabled))
		return sealing_refuse(sealing, fault, ERR_POLICY,
		    "its author is not a user of DIME here any more");
	if (err != 0)
		return err;
	sealing->kind = strncmp(resealing->from.address, "relay@", 6) == 0 ?
	    AUTHOR_RELAY : AUTHOR_USER;
	return keys_find_org(keys, sealing->domain, &sealing->origin, fault);
}

/* Whether the peer publishes just the signets that it has refused. */
static int
check_fresh(const struct resealing *resealing, struct fault *fault)
{
	const struct sealing *sealing = &resealing->sealing;

	if (strcmp(sealing->recipient->core,
		resealing->to.address_fingerprint) != 0 ||
	    strcmp(sealing->destination->domain,
		resealing->from.domain) != 0 ||
	    strcmp(message_org_fingerprint(sealing->destination),
		resealing->from.domain_fingerprint) != 0)
		return 0;
	return fault_set(fault, ERR_NO_KEY,
	    "the peer refuses the signets that it publishes");
}

/* As sealing_replace(), and the count, which is for dmtpd alone. */
static int
replace(struct session *session, const struct resealing *resealing,
    struct fault *fault)
{
	char count[24];
	int err = sealing_replace(session, &resealing->sealing, fault);

	snprintf(count, sizeof(count), " %u", resealing->count);
	return err != 0 ? err :
	    replace_append(session, resealing_count_field, count, fault);
}

static void
log_outcome(const struct session *session, const struct resealing *resealing,
    int err, const struct fault *fault, int64_t started)
{
	const struct sealing *sealing = &resealing->sealing;
	char was[17];
	struct log_line line;

	snprintf(was, sizeof(was), "%.16s", sealing->id);
	log_begin(&line, LOG_INFO, err == 0 ? "resealed" :
	    sealing->permanent ? "refused" : "deferred");
	log_text(&line, "listener", "DIME-RESEAL");
	log_text(&line, "queue", session_queue_id(session));
	log_text(&line, "was", was);
	log_number(&line, "count", resealing->count);
	sealing_log(session, sealing, &line);
	if (err == 0)
		log_number(&line, "size", (int64_t)sealing->armor.length);
	log_text(&line, "reason", err == 0 ? sealing->answer.reason :
	    fault_text(fault, err));
	log_number(&line, "ms", clock_monotonic(&clock_system) - started);
	log_end(&line);
}

/* dmtpd passes on what begins with our word, and takes anything else for a
 * fault of this site. */
static sfsistat
answer(struct session *session, const struct sealing *sealing, int err,
    const struct fault *fault)
{
	int said = sealing->permanent || error_row(err)->temporary ? err :
	    ERR_INTERNAL;

	return reply_dmtp(session, said, error_row(said)->smtp,
	    fault_text(fault, err));
}

static void
finish(struct resealing *resealing)
{
	message_free(resealing->message);
	keys_user_free(resealing->author);
	keys_org_free(resealing->origin);
	sealing_finish(&resealing->sealing);
}

sfsistat
reseal_message(struct session *session)
{
	int64_t started = clock_monotonic(&clock_system);
	struct resealing resealing = {0};
	struct sealing *sealing = &resealing.sealing;
	struct fault fault = {0};
	sfsistat status = SMFIS_ACCEPT;
	int err;

	sealing_start(sealing);
	if ((err = sealing_check_recipient(session, sealing, &fault)) == 0 &&
	    (err = open_as_author(session, &resealing, &fault)) == 0 &&
	    (err = find_parties(session, &resealing, &fault)) == 0 &&
	    (err = sealing_ask(session, sealing, &fault)) == 0 &&
	    (err = check_fresh(&resealing, &fault)) == 0 &&
	    (err = sealing_seal(session, sealing, "dime-milter reseal 1",
		resealing.sender, &fault)) == 0)
		err = replace(session, &resealing, &fault);
	if (err != 0)
		status = answer(session, sealing, err, &fault);
	log_outcome(session, &resealing, err, &fault, started);
	finish(&resealing);
	return status;
}
