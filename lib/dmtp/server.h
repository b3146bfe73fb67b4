/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTP_SERVER_H
#define DIME_DMTP_SERVER_H

#include "base/buffer.h"
#include "dmtp/argument.h"
#include "dmtp/line.h"
#include "dmtp/reply.h"

/*
 * The server's side of a DMTP session (Part 7; our readings in doc/dmtp.md),
 * without I/O: octets go in, octets and events come out.
 *
 *	dmtp_server_start(&server, &settings);    greets
 *	for each piece of input:
 *		do
 *			event = dmtp_server_feed(&server, &input);
 *			... act, dmtp_server_answer(&server, reply, "") ...
 *		while (event != DMTP_SERVER_NOTHING);
 *		... write server.output, buffer_reset() ...
 *
 * The engine knows lines, verbs, arguments and sequence, and answers whatever
 * it can by itself. What needs knowledge becomes an event, which the driver
 * answers before it feeds again; the reply decides how the transaction stands
 * after it.
 */

enum dmtp_server_event {
	DMTP_SERVER_NOTHING, /* all input is taken */
	DMTP_SERVER_MAIL,    /* FROM, FINGERPRINT */
	DMTP_SERVER_RCPT,    /* TO, FINGERPRINT */
	DMTP_SERVER_DATA,    /* `message` is there */
	DMTP_SERVER_SGNT,    /* FOR, FINGERPRINT if given */
	DMTP_SERVER_VRFY,    /* FOR, FINGERPRINT */
	DMTP_SERVER_HIST,    /* FOR, START and STOP if given */
	DMTP_SERVER_QUIT,    /* answered; close when the output is written */
};

struct dmtp_server_settings {
	const char *hostname;
	size_t size_limit; /* octets between 354 and the final dot */
	bool is_elevated;  /* by STARTTLS: greeted with 250 instead of 220 */
};

/* A name with the fingerprint that came with it. */
struct dmtp_server_party {
	char domain[DOMAIN_SIZE];
	char fingerprint[88];
};

struct dmtp_server {
	struct dmtp_server_settings settings;
	struct buffer output; /* to be sent; the driver empties it */
	/* Of the event, in the order of command.def. */
	struct dmtp_argument arguments[ARGUMENTS_MAX];
	/* Of the transaction, as far as it got. */
	struct dmtp_server_party origin, destination;
	/* What came after DATA, without the final dot's line. The driver may
	 * buffer_free() it early. */
	struct buffer message;
	char client[DOMAIN_SIZE]; /* as HELO or EHLO said, else "" */
	uint64_t lines; /* complete lines received: for time-outs */

	unsigned int state;
	enum dmtp_server_event pending;
	enum reply data_refusal; /* REPLIES: none */
	unsigned int data_position;
	struct line_reader reader;
	uint8_t line[DMTP_LINE_LIMIT];
};

/* Prepares a session, whose greeting is then in `output`. The settings'
 * strings must outlive it. */
void dmtp_server_start(struct dmtp_server *server,
    const struct dmtp_server_settings *settings);

void dmtp_server_free(struct dmtp_server *server);

/*
 * Takes octets from the front of *input, which is moved behind them, until all
 * are taken or an event comes up. An event other than QUIT must be answered
 * before the next call.
 */
enum dmtp_server_event dmtp_server_feed(struct dmtp_server *server,
    struct span *input);

/*
 * Answers the event; `more` is what reply_write() takes. After MAIL, 250 starts
 * the transaction; after RCPT, 250 goes on, 576 drops the transaction and
 * anything else leaves it standing; DATA ends it in any case.
 */
void dmtp_server_answer(struct dmtp_server *server, enum reply reply,
    const char *more);

/* Likewise, with the lines of `listing` in front. */
void dmtp_server_answer_listing(struct dmtp_server *server, enum reply reply,
    struct span listing);

/* Says 421 for a session that the driver is about to close. */
void dmtp_server_say_closing(struct dmtp_server *server);

/*
 * Refuses the message that is coming in, which is then skipped to its end and
 * answered with `reply`; for a driver that runs short of memory.
 */
void dmtp_server_refuse_data(struct dmtp_server *server, enum reply reply);

/* Whether a transaction is open, and whether its message is coming in. */
bool dmtp_server_in_transaction(const struct dmtp_server *server);
bool dmtp_server_in_data(const struct dmtp_server *server);

#endif
