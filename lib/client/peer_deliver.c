/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "base/mark.h"
#include "client/peer_session.h"

enum {
	MINUTE = 60 * 1000,
	EHLO_TIME = 4 * MINUTE,
	COMMAND_TIME = 8 * MINUTE,
	MEGABYTE = 1000000,
	PIECE = 16384, /* octets sent at once: a TLS record */
};

/* 0 when the reply is the one that goes on; else what it means. */
static int
expect(const struct peer_reply *reply, enum reply wanted, const char *verb,
    struct fault *fault)
{
	int err;

	if (reply->code == reply_row(wanted)->code)
		return 0;
	err = reply_error_of_code(reply->code);
	return fault_set(fault, err != 0 ? err : ERR_PROTOCOL, "%s: %d %s",
	    verb, reply->code, reply->text);
}

static int
step(struct peer *peer, const char *line, int64_t time, enum reply wanted,
    struct peer_reply *reply, struct fault *fault)
{
	char verb[8];
	int err;

	err = peer_command(peer, line, deadline_in(time), reply, fault);
	if (err != 0)
		return err;
	snprintf(verb, sizeof(verb), "%.4s", line);
	if ((err = expect(reply, wanted, verb, fault)) != 0)
		fault_wrap(fault, "%s", peer->host);
	return err;
}

static int
say_ehlo(struct peer *peer, const struct peer_mail *mail,
    struct peer_reply *reply, struct fault *fault)
{
	char line[2 * DMTP_LINE_LIMIT]; /* what is too long is refused */
	int err;

	if (peer->greeted)
		return 0;
	snprintf(line, sizeof(line), "EHLO <%s>", mail->helo);
	err = step(peer, line, EHLO_TIME, REPLY_OK, reply, fault);
	peer->greeted = err == 0;
	/* A host that does not like us says nothing about the message. */
	if (err != 0 && reply->code != 0 && !error_row(err)->temporary)
		err = ERR_DEFERRED;
	if (fault != NULL)
		fault->err = err;
	return err;
}

static int
say_envelope(struct peer *peer, const struct peer_mail *mail,
    struct peer_reply *reply, struct fault *fault)
{
	char line[2 * DMTP_LINE_LIMIT];
	int err;

	snprintf(line, sizeof(line), "MAIL FROM=<%s> FINGERPRINT=[%s]",
	    mail->origin, mail->origin_fingerprint);
	err = step(peer, line, COMMAND_TIME, REPLY_OK, reply, fault);
	if (err != 0)
		return err;
	snprintf(line, sizeof(line), "RCPT TO=<%s> FINGERPRINT=[%s]",
	    mail->destination, mail->destination_fingerprint);
	return step(peer, line, COMMAND_TIME, REPLY_OK, reply, fault);
}

/* DMTP stuffs no dots: what would end the message early cannot be sent. Armor
 * has no such line. */
static int
check_armor(struct span armor, struct fault *fault)
{
	struct span line;

	while (span_next_line(&armor, &line))
		if (line.length >= DMTP_LINE_LIMIT ||
		    span_equal_string(line, "."))
			return fault_set(fault, ERR_FORMAT,
			    "the message is not armored");
	return 0;
}

static int
send_armor(struct peer *peer, struct span armor, struct deadline deadline,
    struct fault *fault)
{
	struct buffer piece = buffer_make(PIECE + DMTP_LINE_LIMIT + 1);
	struct span line;
	int err = 0;

	while (err == 0 && span_next_line(&armor, &line)) {
		buffer_append_span(&piece, line);
		buffer_u8(&piece, '\n');
		if (piece.length < PIECE)
			continue;
		err = piece.error != 0 ? piece.error
				       : peer_send(peer, buffer_span(&piece),
					     deadline, fault);
		buffer_reset(&piece);
	}
	buffer_append_string(&piece, ".\n");
	if (err == 0)
		err = piece.error != 0 ? piece.error
				       : peer_send(peer, buffer_span(&piece),
					     deadline, fault);
	buffer_free(&piece);
	return err;
}

/* 354 was said. Part 7: wait at least 8 minutes and one for each megabyte. */
static int
send_message(struct peer *peer, struct span armor, struct peer_reply *reply,
    struct fault *fault)
{
	int64_t time = COMMAND_TIME +
	    (int64_t)(armor.length / MEGABYTE + 1) * MINUTE;
	int err;

	reply->code = 0;
	peer->has_message = true;
	err = send_armor(peer, armor, deadline_in(time), fault);
	MARK("message-sent");
	if (err == 0)
		err = peer_read_reply(peer, deadline_in(time), reply, fault);
	if (err != 0) {
		/* Whatever was sent is not to be taken for commands. */
		peer->useless = true;
		fault_wrap(fault, "%s: message", peer->host);
		return err;
	}
	if (reply->code == reply_row(REPLY_DUPLICATE)->code)
		return 0;
	if ((err = expect(reply, REPLY_ACCEPTED, "message", fault)) != 0)
		fault_wrap(fault, "%s", peer->host);
	return err;
}

int
peer_deliver(struct peer *peer, const struct peer_mail *mail,
    struct peer_reply *reply, struct fault *fault)
{
	int err;

	reply->code = 0;
	peer->has_message = false;
	if ((err = check_armor(mail->armor, fault)) != 0 ||
	    (err = say_ehlo(peer, mail, reply, fault)) != 0 ||
	    (err = say_envelope(peer, mail, reply, fault)) != 0 ||
	    (err = step(peer, "DATA", COMMAND_TIME, REPLY_SEND_MESSAGE, reply,
		 fault)) != 0)
		return err;
	return send_message(peer, mail->armor, reply, fault);
}

bool
peer_may_have_message(const struct peer *peer)
{
	return peer->has_message;
}
