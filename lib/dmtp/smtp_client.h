/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTP_SMTP_CLIENT_H
#define DIME_DMTP_SMTP_CLIENT_H

#include "base/buffer.h"
#include "dmtp/line.h"

/*
 * The client's side of one SMTP transaction with one recipient (RFC 5321),
 * without I/O: replies go in, octets to send come out.
 *
 *	smtp_client_start(&client, &mail);
 *	while (!smtp_client_done(&client))
 *		if (smtp_client_send(&client, &output))
 *			... write output, buffer_reset() ...
 *		else
 *			... read, smtp_client_receive(&client, input) ...
 *
 * To a server with PIPELINING (RFC 2920), MAIL, RCPT and DATA go at once; else
 * every reply is waited for. QUIT is said after the transaction, whatever came
 * of it, and no more replies are waited for; unless the mail was taken and the
 * session is to be kept for another, which smtp_client_again() begins.
 */

enum smtp_client_step {
	SMTP_CLIENT_BANNER,
	SMTP_CLIENT_EHLO,
	SMTP_CLIENT_MAIL,
	SMTP_CLIENT_RCPT,
	SMTP_CLIENT_DATA,
	SMTP_CLIENT_MESSAGE, /* after DATA: the message and the final dot */
	SMTP_CLIENT_QUIT,
	SMTP_CLIENT_DONE,
};

enum { SMTP_CLIENT_LINE_LIMIT = 1024, SMTP_CLIENT_TEXT_SIZE = 512 };

struct smtp_client_mail {
	const char *helo;
	const char *sender;    /* "" for <> */
	const char *recipient;
	/* Any line ends; sent with CR LF, dots doubled, a last line without its
	 * end completed. `head` goes in front of `body`. */
	struct span head, body;
	bool keeps; /* the session, if the mail is taken */
};

struct smtp_client {
	struct smtp_client_mail mail;
	/* The reply that decided: that of the final dot, or of the step that
	 * was refused. code is 0 until then. The text is that of its first
	 * line, behind code and space. */
	enum smtp_client_step decided;
	int code;
	char text[SMTP_CLIENT_TEXT_SIZE];
	int error; /* ERR_PROTOCOL: what came is no reply; nothing more to do */

	enum smtp_client_step step;
	bool to_send; /* otherwise a reply is awaited */
	bool pipelines; /* the server does */
	struct span rest; /* of head or body, not sent yet */
	bool in_body;
	int reply_code; /* of the reply that is coming in; 0: between replies */
	unsigned int reply_lines;
	struct line_reader reader;
	uint8_t line[SMTP_CLIENT_LINE_LIMIT];
};

/* The strings and spans of `mail` must outlive the client. No address of it may
 * hold control characters: they are in the form of base/address.h, or came from
 * a command (lmtp.h). */
void smtp_client_start(struct smtp_client *client,
    const struct smtp_client_mail *mail);

/* The same on a session that was kept: another mail, with the same helo.
 * `pipelines` as it was in the client that began the session. */
void smtp_client_again(struct smtp_client *client,
    const struct smtp_client_mail *mail, bool pipelines);

/* Whether all of the message has gone out: whatever comes now, the server may
 * have taken it. */
bool smtp_client_has_sent(const struct smtp_client *client);

/* Appends what is to be sent next, a piece of the message at a time. False when
 * a reply must come first. */
bool smtp_client_send(struct smtp_client *client, struct buffer *out);

/* Takes octets that came. ERR_PROTOCOL is final. */
int smtp_client_receive(struct smtp_client *client, struct span input);

/* Whether all is said, or has failed. */
bool smtp_client_done(const struct smtp_client *client);

#endif
