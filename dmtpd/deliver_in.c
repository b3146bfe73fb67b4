/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "base/log.h"
#include "base/mark.h"
#include "client/facts.h"
#include "dime/armor.h"
#include "dmtpd/deliver_in.h"
#include "dmtpd/inject.h"
#include "dmtpd/nodes.h"

/*
 * The order of the checks is that of Part 7: structure, organizational
 * signature, origin, recipient, recipient's signet. Whatever fails behind the
 * decryption is told to the peer by its code alone, so that nobody learns more
 * by trying.
 */

/* That an origin may have besides the one that signs: its POK, and SOKs. */
enum { KEYS_USUAL = 4 };

struct check {
	struct deliver_in *delivery;
	struct message *message;
	struct message_envelope envelope; /* chunk 5 */
	/* By which it is known again, whatever was done to it on the way. */
	char identity[SIGNET_FINGERPRINT_SIZE];
	enum reply reply;                 /* of the injection */
	char queue[POSTFIX_QUEUE_SIZE];
	size_t size;
	struct fault *fault;
};

/* ---- what is in the message ---- */

static int
read_message(struct check *check)
{
	struct buffer *armor = check->delivery->armor;
	int err;

	check->size = armor->length;
	if (!armor_is_armored(buffer_span(armor)))
		return fault_set(check->fault, ERR_FORMAT,
		    "what came after DATA is not armored");
	err = message_read(buffer_span(armor), check->delivery->size_limit,
	    &check->message, check->fault);
	buffer_free(armor);
	if (err == 0)
		message_identifier(check->message,
		    check->delivery->identifier);
	return err;
}

static int
unlock(struct check *check)
{
	const struct deliver_in *delivery = check->delivery;
	struct keys_org *org;
	int err;

	err = keys_find_org_by_fingerprint(delivery->dmtpd->keys,
	    delivery->destination, delivery->destination_fingerprint, &org,
	    check->fault);
	if (err != 0)
		return err;
	err = message_unlock(check->message, MESSAGE_DESTINATION, org->agreer,
	    check->fault);
	keys_org_free(org);
	return err;
}

/* Whoever signs with the last of many keys has us try all the others; one with
 * few does no wrong. */
static int
check_signature(struct check *check)
{
	struct deliver_in *delivery = check->delivery;
	size_t in_vain;
	int err;

	err = message_verify_organization(check->message, delivery->origin,
	    &in_vain, check->fault);
	if (err == ERR_SIGNATURE)
		delivery->in_vain = in_vain;
	else if (in_vain > KEYS_USUAL)
		delivery->in_vain = in_vain - KEYS_USUAL;
	return err;
}

static int
check_origin(struct check *check)
{
	const struct deliver_in *delivery = check->delivery;
	int err;

	if ((err = check_signature(check)) != 0)
		return err;
	message_signed_identifier(check->message, check->identity);
	err = message_destination_envelope(check->message, &check->envelope,
	    check->fault);
	if (err != 0)
		return err;
	if (strcmp(check->envelope.domain, delivery->origin_domain) != 0 ||
	    strcmp(check->envelope.domain_fingerprint,
	        message_org_fingerprint(delivery->origin)) != 0)
		return fault_set(check->fault, ERR_ORIGIN_INVALID,
		    "chunk 5 names another origin than MAIL");
	return 0;
}

/* Only what the origin has signed counts: with its name alone nobody can use up
 * what it may send. */
static int
check_rate(struct check *check)
{
	const struct deliver_in *delivery = check->delivery;

	return rates_take(delivery->dmtpd->rates, RATE_ORIGIN,
		   span_string(delivery->origin_domain), delivery->origin_limit)
	    ? 0
	    : fault_set(check->fault, ERR_ACCESS_DENIED,
		  "too many messages from this origin in a minute");
}

/* No sentence here names the mailbox: it would stand in the log. */
static int
check_recipient(struct check *check)
{
	const struct deliver_in *delivery = check->delivery;
	const struct message_envelope *envelope = &check->envelope;
	struct keys *keys = delivery->dmtpd->keys;
	struct keys_user *user = NULL;
	bool disabled;
	int err;

	if (strcmp(address_domain(envelope->address),
	        delivery->destination) != 0)
		return fault_set(check->fault, ERR_RECIPIENT,
		    "the recipient is not of RCPT's domain");
	err = keys_find_user(keys, envelope->address, &user, NULL);
	disabled = err == 0 && user->disabled;
	keys_user_free(user);
	if (err == ERR_UNKNOWN_ADDRESS)
		return fault_set(check->fault, ERR_RECIPIENT,
		    "no such recipient");
	if (err != 0)
		return fault_set(check->fault, err, "%s",
		    error_row(err)->text);
	err = keys_find_user_by_fingerprint(keys, envelope->address,
	    envelope->address_fingerprint, &user, NULL);
	if (err == 0 && !keys_takes_mail(keys, user->retired, delivery->grace))
		err = ERR_UNKNOWN_ADDRESS;
	keys_user_free(user);
	if (disabled || err == ERR_UNKNOWN_ADDRESS)
		return fault_set(check->fault, ERR_RECIPIENT_SIGNET,
		    "sealed for a signet that the recipient does not have");
	return err == 0 ? 0
	    : fault_set(check->fault, err, "%s", error_row(err)->text);
}

/* ---- handing over ---- */

static enum reply
hand_over(struct check *check)
{
	const struct deliver_in *delivery = check->delivery;
	struct buffer armor = buffer_make(SIZE_MAX);
	char sender[ADDRESS_SIZE + sizeof("mailer-daemon@")];
	struct injection injection;
	enum reply reply;

	/* Written anew: what goes into the queue is what was checked. */
	armor_write(ARMOR_MESSAGE, message_binary(check->message), &armor);
	if (armor.error != 0) {
		buffer_free(&armor);
		fault_set(check->fault, ERR_MEMORY, "%s", "");
		return reply_of_error(ERR_MEMORY);
	}
	snprintf(sender, sizeof(sender), "mailer-daemon@%s",
	    delivery->origin_domain);
	injection = (struct injection){
	    .socket = delivery->dmtpd->config->inject_socket,
	    .helo = delivery->dmtpd->hostname,
	    .sender = sender,
	    .recipient = check->envelope.spelled,
	    .armor = buffer_span(&armor),
	    .session = delivery->injection,
	};
	reply = inject(&injection, check->queue, check->fault);
	buffer_free(&armor);
	return reply;
}

/* Here first: what the other nodes hear is for when the peer tries one of
 * them. */
static void
remember(struct check *check)
{
	const struct deliver_in *delivery = check->delivery;

	if (state_set_delivered(delivery->dmtpd->state, check->identity,
	        check->envelope.address) != 0)
		log_note(LOG_WARNING, "state", "a delivered message could not "
		    "be noted: sent again, it will be delivered again");
	nodes_delivered(delivery->dmtpd, check->identity,
	    check->envelope.address);
}

/* Hands it over unless another node of the site has, or does. */
static enum reply
deliver_claimed(struct check *check)
{
	const struct deliver_in *delivery = check->delivery;
	const char *recipient = check->envelope.address;
	enum reply reply;

	switch (nodes_claim(delivery->dmtpd, check->identity, recipient)) {
	case NODES_DELIVERED:
		fault_set(check->fault, ERR_EXISTS,
		    "another node has delivered it");
		return REPLY_DUPLICATE;
	case NODES_DELIVERING:
		fault_set(check->fault, ERR_BUSY,
		    "another node is just delivering it");
		return reply_of_error(ERR_BUSY);
	case NODES_NOTHING:
		break;
	}
	MARK("message-checked");
	reply = hand_over(check);
	if (reply == REPLY_ACCEPTED) {
		MARK("injected");
		remember(check);
		MARK("delivery-noted");
	} else
		nodes_release(delivery->dmtpd, check->identity, recipient);
	return reply;
}

/* With the message entered as under way: asks whether it was delivered before,
 * and delivers it. */
static enum reply
deliver_once(struct check *check)
{
	const struct deliver_in *delivery = check->delivery;
	bool found;
	int err;

	err = state_get_delivered(delivery->dmtpd->state, check->identity,
	    check->envelope.address, &found);
	if (err != 0) {
		fault_set(check->fault, err, "%s", error_row(err)->text);
		return reply_of_error(err);
	}
	return found ? REPLY_DUPLICATE : deliver_claimed(check);
}

/* A signature that does not hold is refused, unless a rule of the site would
 * rather have it come again. */
static enum reply
refuse(const struct check *check, int err)
{
	const struct deliver_in *delivery = check->delivery;

	if (err == ERR_SIGNATURE &&
	    facts_met(delivery->dmtpd->facts, RULE_BAD_SIGNATURE,
	        delivery->origin_domain, delivery->destination, "") ==
	        POLICY_DEFER)
		err = ERR_DEFERRED;
	return reply_of_error(err);
}

static enum reply
deliver(struct check *check)
{
	struct underway *underway = check->delivery->dmtpd->underway;
	struct underway_item item;
	enum reply reply;
	int err;

	if ((err = read_message(check)) != 0 || (err = unlock(check)) != 0 ||
	    (err = check_origin(check)) != 0 ||
	    (err = check_rate(check)) != 0 ||
	    (err = check_recipient(check)) != 0)
		return refuse(check, err);
	if (!underway_enter(underway, &item, check->identity)) {
		fault_set(check->fault, ERR_BUSY, "it is just being delivered");
		return reply_of_error(ERR_BUSY);
	}
	reply = deliver_once(check);
	underway_leave(underway, &item);
	return reply;
}

/* Never a mailbox: the queue id leads the administrator to it. */
static void
log_outcome(const struct check *check, enum reply reply, int64_t took)
{
	const struct deliver_in *delivery = check->delivery;
	char identifier[DMTPD_LOG_IDENTIFIER + 1];
	struct log_line line;

	snprintf(identifier, sizeof(identifier), "%.*s",
	    DMTPD_LOG_IDENTIFIER, delivery->identifier);
	log_begin(&line, LOG_INFO,
	    reply == REPLY_ACCEPTED || reply == REPLY_DUPLICATE ? "received"
								: "refused");
	log_text(&line, "peer", delivery->peer);
	log_text(&line, "origin", delivery->origin_domain);
	log_text(&line, "destination", delivery->destination);
	log_number(&line, "code", reply_row(reply)->code);
	log_text(&line, "id", identifier);
	log_number(&line, "size", (int64_t)check->size);
	log_text(&line, "queue", check->queue);
	log_number(&line, "ms", took);
	if (check->fault->text[0] != '\0')
		log_text(&line, "text", check->fault->text);
	log_end(&line);
}

enum reply
deliver_in(struct deliver_in *delivery)
{
	int64_t start = clock_monotonic(&clock_system);
	struct fault fault = {0};
	struct check check = {.delivery = delivery, .fault = &fault};
	enum reply reply;

	delivery->identifier[0] = '\0';
	delivery->in_vain = 0;
	reply = deliver(&check);
	message_free(check.message);
	log_outcome(&check, reply, clock_monotonic(&clock_system) - start);
	return reply;
}
