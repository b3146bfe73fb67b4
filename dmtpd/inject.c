/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "dmtp/smtp_client.h"
#include "dmtpd/inject.h"
#include "dmtpd/transit.h"
#include "net/stream.h"

/* The peer waits at least 8 minutes for the answer to its message. */
enum { PATIENCE = 7 * 60 * 1000, PIECE = 4096 };

static int
send_some(struct stream *stream, struct buffer *output,
    struct deadline deadline)
{
	int err = output->error;

	if (err == 0)
		err = stream_write(stream, buffer_span(output), deadline);
	buffer_reset(output);
	return err;
}

static int
receive_some(struct stream *stream, struct smtp_client *client,
    struct deadline deadline)
{
	uint8_t octets[PIECE];
	size_t got;
	int err;

	err = stream_read(stream, octets, sizeof(octets), &got, deadline);
	if (err == 0 && got == 0)
		err = ERR_UNREACHABLE;
	if (err == 0)
		err = smtp_client_receive(client, span_of(octets, got));
	return err;
}

/* Runs the transaction until it is decided; what comes after it does not
 * matter. */
static int
converse(struct stream *stream, struct smtp_client *client,
    struct deadline deadline)
{
	struct buffer output = buffer_make(1 << 20);
	int err = 0;

	while (err == 0 && !smtp_client_done(client)) {
		if (smtp_client_send(client, &output))
			err = send_some(stream, &output, deadline);
		else
			err = receive_some(stream, client, deadline);
	}
	buffer_free(&output);
	return client->code != 0 ? 0 : err;
}

/* "5.7.1 text": the text, with the enhanced code cut off. */
static const char *
behind_enhanced(const char *text)
{
	int class, subject, detail, used = 0;

	if (sscanf(text, "%1d.%3d.%3d %n", &class, &subject, &detail,
	        &used) < 3 || used == 0)
		return text;
	return text + used;
}

/* The code of a text that begins `DIME-nnn`: the milter's own word. */
static enum reply
named_reply(const char *text)
{
	int code;

	if (sscanf(behind_enhanced(text), "DIME-%3d", &code) != 1 ||
	    code < 400)
		return REPLIES;
	return reply_by_code(code);
}

static bool
starts_with(const char *text, const char *head)
{
	return strncmp(text, head, strlen(head)) == 0;
}

/*
 * Without the milter's word: a refusal of the address, or of its mailbox, is
 * 510; of the size, 552; anything else may be a fault of this site and is 451,
 * which keeps the message in the peer's queue.
 */
static enum reply
reply_of_smtp(const struct smtp_client *client)
{
	enum reply named = named_reply(client->text);

	if (client->decided == SMTP_CLIENT_MESSAGE && client->code / 100 == 2)
		return REPLY_ACCEPTED;
	if (named != REPLIES)
		return named;
	if (client->code / 100 != 5)
		return REPLY_DATA_CORRUPTED;
	if (client->code == 552 || starts_with(client->text, "5.3.4"))
		return REPLY_TOO_LARGE;
	if (starts_with(client->text, "5.1.") ||
	    starts_with(client->text, "5.2."))
		return REPLY_RECIPIENT;
	return REPLY_DATA_CORRUPTED;
}

/* "2.0.0 Ok: queued as ID" */
static void
take_queue_id(const char *text, char queue[static INJECT_QUEUE_SIZE])
{
	static const char label[] = "queued as ";
	const char *found = strstr(text, label);

	if (found != NULL)
		snprintf(queue, INJECT_QUEUE_SIZE, "%s",
		    found + sizeof(label) - 1);
}

static const char *
step_name(enum smtp_client_step step)
{
	static const char *const names[] = {
	    [SMTP_CLIENT_BANNER] = "greeting",
	    [SMTP_CLIENT_EHLO] = "EHLO",
	    [SMTP_CLIENT_MAIL] = "MAIL",
	    [SMTP_CLIENT_RCPT] = "RCPT",
	    [SMTP_CLIENT_DATA] = "DATA",
	    [SMTP_CLIENT_MESSAGE] = "message",
	};

	return names[step];
}

/* The text of a refusal may name the mailbox; only the code, and what the
 * milter says, are for the log. */
static void
explain(const struct smtp_client *client, struct fault *fault)
{
	const char *text = behind_enhanced(client->text);

	fault_set(fault, ERR_REFUSED, "Postfix: %s: %d %.*s%s",
	    step_name(client->decided), client->code,
	    (int)(text - client->text), client->text,
	    named_reply(client->text) != REPLIES ? text : "");
}

enum reply
inject(const struct injection *injection,
    char queue[static INJECT_QUEUE_SIZE], struct fault *fault)
{
	const struct smtp_client_mail mail = {
	    .helo = injection->helo,
	    .sender = injection->sender,
	    .recipient = injection->recipient,
	    .head = span_string(transit_head),
	    .body = injection->armor,
	};
	struct deadline deadline = deadline_in(PATIENCE);
	struct smtp_client client;
	struct stream *stream = NULL;
	enum reply reply;
	int err;

	queue[0] = '\0';
	err = stream_connect_unix(injection->socket, deadline, &stream, fault);
	if (err != 0) {
		fault_wrap(fault, "Postfix");
		return REPLY_DATA_CORRUPTED;
	}
	smtp_client_start(&client, &mail);
	err = converse(stream, &client, deadline);
	stream_free(stream);
	if (err != 0) {
		fault_set(fault, err, "Postfix at %s: %s", injection->socket,
		    error_row(err)->text);
		return REPLY_DATA_CORRUPTED;
	}
	reply = reply_of_smtp(&client);
	if (reply == REPLY_ACCEPTED)
		take_queue_id(client.text, queue);
	else
		explain(&client, fault);
	return reply;
}
