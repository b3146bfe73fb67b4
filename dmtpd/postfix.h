/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_POSTFIX_H
#define DIME_DMTPD_POSTFIX_H

#include "base/error.h"
#include "dmtp/smtp_client.h"

/* Handing sealed messages to an smtpd of Postfix on a unix socket. */

/* A session that may be kept between them, at first zeroes. */
struct postfix_session {
	struct stream *stream; /* NULL: there is none */
	unsigned int mails;    /* that it has taken */
	bool pipelines;        /* Postfix takes commands ahead */
};

enum { POSTFIX_QUEUE_SIZE = 64, POSTFIX_ENHANCED_SIZE = 12 };

struct postfix_mail {
	const char *socket;
	const char *helo;
	const char *sender;    /* as struct smtp_client_mail has it */
	const char *recipient; /* likewise */
	struct span head;      /* with the empty line behind it */
	struct span armor;
	/* Used if there is one, and kept for the next; NULL: none is kept. */
	struct postfix_session *session;
};

/* What Postfix said to it. */
struct postfix_answer {
	enum smtp_client_step decided;
	int code;
	char enhanced[POSTFIX_ENHANCED_SIZE]; /* "5.7.1"; "" without one */
	/* nnn of a text that begins `DIME-nnn`, which is the milter's own word;
	 * 0 for any other. */
	int word;
	char text[SMTP_CLIENT_TEXT_SIZE]; /* behind all of that */
	char queue[POSTFIX_QUEUE_SIZE];   /* id of what was accepted, or "" */
};

/*
 * One transaction, with seven minutes for it. 0 when Postfix has answered,
 * whatever it said; else why it did not, and the fault names the socket. What a
 * session that was kept refuses for now, or does not take to its end, is tried
 * in a new one: smtpd may have been told to end, or have lost its milter.
 */
int postfix_send(const struct postfix_mail *mail,
    struct postfix_answer *answer, struct fault *fault);

/* Says QUIT to a session that was kept, if there is one. */
void postfix_session_end(struct postfix_session *session);

/* Whether the message is in Postfix's queue. */
bool postfix_has_it(const struct postfix_answer *answer);

/* Sets the fault to ERR_REFUSED and what was said, for the log: the text of
 * Postfix's own refusals may name the mailbox and is left out. */
void postfix_explain(const struct postfix_answer *answer,
    struct fault *fault);

#endif
