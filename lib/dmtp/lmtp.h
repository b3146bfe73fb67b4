/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTP_LMTP_H
#define DIME_DMTP_LMTP_H

#include "base/address.h"
#include "base/buffer.h"
#include "dmtp/line.h"

/*
 * The server's side of an LMTP session (RFC 2033), without I/O, for a delivery
 * agent that takes one recipient a message. Driven like the engine of
 * dmtp/server.h: octets go in, octets and events come out.
 *
 * Extensions: 8BITMIME, SIZE, SMTPUTF8, PIPELINING, ENHANCEDSTATUSCODES.
 * SMTPUTF8 because Postfix marks a message by the header that it had before it
 * was sealed, and returns one that its next hop would not take.
 */

enum lmtp_event {
	LMTP_NOTHING, /* all input is taken */
	LMTP_MESSAGE, /* sender, recipient and message are there */
	LMTP_QUIT,    /* answered; close when the output is written */
};

enum {
	LMTP_LINE_LIMIT = 2048, /* of a command: extensions add to 512 */
};

struct lmtp_settings {
	const char *hostname;
	size_t size_limit; /* octets of a message */
};

struct lmtp {
	struct lmtp_settings settings;
	struct buffer output; /* to be sent; the driver empties it */
	/* Of the transaction. `sender` is "" for <> and for what is no address
	 * that we could know. */
	char sender[ADDRESS_SIZE];
	char recipient[ADDRESS_SIZE];
	/* What stood between the angle brackets, printable but for UTF-8. */
	char sender_given[LMTP_LINE_LIMIT];
	char recipient_given[LMTP_LINE_LIMIT];
	struct buffer message; /* CRLF line ends, dots taken off */
	uint64_t lines; /* complete lines received: for time-outs */

	unsigned int state;
	unsigned int data_position;
	int lost; /* the error for which the message is not kept */
	struct line_reader reader;
	uint8_t line[LMTP_LINE_LIMIT];
};

/* Prepares a session, whose greeting is then in `output`. The settings'
 * strings must outlive it. */
void lmtp_start(struct lmtp *lmtp, const struct lmtp_settings *settings);

void lmtp_free(struct lmtp *lmtp);

/* As dmtp_server_feed(). LMTP_MESSAGE must be answered before the next call. */
enum lmtp_event lmtp_feed(struct lmtp *lmtp, struct span *input);

/*
 * Answers for the recipient and ends the transaction. `code` and `enhanced` as
 * in error.def; `text` is made one plain line.
 */
void lmtp_answer(struct lmtp *lmtp, int code, const char *enhanced,
    const char *text);

/* Says 421 for a session that the driver is about to close. */
void lmtp_say_closing(struct lmtp *lmtp);

#endif
