/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_FAKE_MTA_H
#define DIME_TESTS_UNIT_FAKE_MTA_H

#include "base/buffer.h"

/*
 * The mail server's side of the milter protocol (version 6), as Postfix speaks
 * it: sends one message and applies what the milter answers to its own copy.
 */

enum {
	MTA_ALL_ACTIONS = 0x1ff,
	MTA_ALL_STEPS = 0x1fffff,
	MTA_SENDER_UNANSWERED = 0x4000,
	MTA_LEADING_SPACE = 0x100000,
	MTA_FIELDS = 3000,
};

struct mta_field {
	char *name;
	char *value; /* with its leading blank; folds with LF */
};

struct mta {
	int fd;
	unsigned int steps; /* that the milter asked for */
	struct mta_field fields[MTA_FIELDS];
	size_t field_count;
	struct buffer body;
	bool body_replaced;
	char sender[1100];
	char sender_arguments[100];
	char added[1100], deleted[1100]; /* the last recipient that was */
	char reply[1000]; /* of the last command; "" for a plain verdict */
};

/* What is sent; the text has CRLF line ends, or is NULL to end after RCPT. */
struct mta_mail {
	const char *queue_id;
	const char *login; /* or NULL */
	const char *sender;
	const char *recipients[3];
	struct span text;
};

/* Negotiates and connects. 0 when the milter hung up during negotiation,
 * otherwise the verdict on the connection. */
char mta_open(struct mta *mta, const char *socket_path,
    const char *daemon_name, unsigned int steps);
void mta_close(struct mta *mta);

/*
 * Sends the mail. The verdict is the milter's letter: 'c' continue, 'a'
 * accept, 't' temporary, 'r' reject, 'y' with the reply in mta->reply. A
 * recipient that is not 'c' ends it.
 */
char mta_send(struct mta *mta, const struct mta_mail *mail);

/* Appends the message as it stands now. */
void mta_text(const struct mta *mta, struct buffer *out);

#endif
