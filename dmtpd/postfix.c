/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "dmtpd/postfix.h"
#include "net/stream.h"

/* A DMTP peer waits at least 8 minutes for the answer to its message. */
enum {
	PATIENCE = 7 * 60 * 1000,
	PIECE = 4096,
	MAILS_MOST = 50, /* in a session: a process of Postfix's has its end */
};

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

/* Cuts "5.7.1 " off the front. */
static const char *
take_enhanced(const char *text, char out[static POSTFIX_ENHANCED_SIZE])
{
	int class, subject, detail, used = 0;

	out[0] = '\0';
	if (sscanf(text, "%1d.%3d.%3d %n", &class, &subject, &detail,
	        &used) < 3 || used == 0)
		return text;
	snprintf(out, POSTFIX_ENHANCED_SIZE, "%d.%d.%d", class, subject,
	    detail);
	return text + used;
}

/* Cuts "DIME-578 " off the front. */
static const char *
take_word(const char *text, int *word)
{
	int used = 0;

	if (sscanf(text, "DIME-%3d%n", word, &used) == 1 && *word >= 400) {
		text += used;
		return *text == ' ' ? text + 1 : text;
	}
	*word = 0;
	return text;
}

/* "2.0.0 Ok: queued as ID" */
static void
take_queue_id(const char *text, char queue[static POSTFIX_QUEUE_SIZE])
{
	static const char label[] = "queued as ";
	const char *found = strstr(text, label);

	if (found != NULL)
		snprintf(queue, POSTFIX_QUEUE_SIZE, "%s",
		    found + sizeof(label) - 1);
}

static void
read_answer(const struct smtp_client *client, struct postfix_answer *answer)
{
	const char *text = take_enhanced(client->text, answer->enhanced);

	answer->decided = client->decided;
	answer->code = client->code;
	text = take_word(text, &answer->word);
	snprintf(answer->text, sizeof(answer->text), "%s", text);
	if (postfix_has_it(answer))
		take_queue_id(text, answer->queue);
}

/* ---- sessions ---- */

void
postfix_session_end(struct postfix_session *session)
{
	size_t moved;

	if (session->stream != NULL)
		stream_write_some(session->stream, span_string("QUIT\r\n"),
		    &moved);
	stream_free(session->stream);
	*session = (struct postfix_session){.stream = NULL};
}

/* In a session that was kept. False when it must be tried in a new one:
 * nothing was taken, and nothing said that holds there too, as the milter's
 * word does. */
static bool
try_again(struct postfix_session *session,
    const struct smtp_client_mail *order, struct deadline deadline,
    struct smtp_client *client, int *err)
{
	struct postfix_answer answer = {0};

	smtp_client_again(client, order, session->pipelines);
	*err = converse(session->stream, client, deadline);
	if (*err != 0)
		return smtp_client_has_sent(client);
	read_answer(client, &answer);
	return answer.code / 100 != 4 || answer.word != 0;
}

/* Puts the session aside, or ends it. Only what took the last mail is kept. */
static void
keep(struct postfix_session *session, struct stream *stream,
    const struct smtp_client *client, int err)
{
	const bool taken = err == 0 && client->error == 0 &&
	    client->decided == SMTP_CLIENT_MESSAGE && client->code / 100 == 2;

	session->stream = stream;
	session->pipelines = client->pipelines;
	if (taken && client->mail.keeps && ++session->mails < MAILS_MOST)
		return;
	if (taken && client->mail.keeps)
		postfix_session_end(session);
	stream_free(session->stream);
	*session = (struct postfix_session){.stream = NULL};
}

static int
transact(const struct postfix_mail *mail,
    const struct smtp_client_mail *order, struct smtp_client *client,
    struct fault *fault)
{
	struct postfix_session once = {.stream = NULL};
	struct postfix_session *session = mail->session != NULL
	    ? mail->session : &once;
	struct deadline deadline = deadline_in(PATIENCE);
	struct stream *stream = session->stream;
	int err;

	if (stream == NULL ||
	    !try_again(session, order, deadline, client, &err)) {
		stream_free(stream);
		*session = (struct postfix_session){.stream = NULL};
		err = stream_connect_unix(mail->socket, deadline, &stream,
		    fault);
		if (err != 0)
			return fault_wrap(fault, "Postfix");
		smtp_client_start(client, order);
		err = converse(stream, client, deadline);
	}
	keep(session, stream, client, err);
	return err == 0 ? 0 : fault_set(fault, err, "Postfix at %s: %s",
	    mail->socket, error_row(err)->text);
}

int
postfix_send(const struct postfix_mail *mail, struct postfix_answer *answer,
    struct fault *fault)
{
	const struct smtp_client_mail order = {
	    .helo = mail->helo,
	    .sender = mail->sender,
	    .recipient = mail->recipient,
	    .head = mail->head,
	    .body = mail->armor,
	    .keeps = mail->session != NULL,
	};
	struct smtp_client client;
	int err;

	*answer = (struct postfix_answer){0};
	err = transact(mail, &order, &client, fault);
	if (err == 0)
		read_answer(&client, answer);
	return err;
}

bool
postfix_has_it(const struct postfix_answer *answer)
{
	return answer->decided == SMTP_CLIENT_MESSAGE &&
	    answer->code / 100 == 2;
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

void
postfix_explain(const struct postfix_answer *answer, struct fault *fault)
{
	if (answer->word == 0)
		fault_set(fault, ERR_REFUSED, "Postfix: %s: %d %s",
		    step_name(answer->decided), answer->code,
		    answer->enhanced);
	else
		fault_set(fault, ERR_REFUSED, "Postfix: %s: %d %s DIME-%d %s",
		    step_name(answer->decided), answer->code,
		    answer->enhanced, answer->word, answer->text);
}
