/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "dmtpd/postfix.h"
#include "net/stream.h"

/* A DMTP peer waits at least 8 minutes for the answer to its message. */
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
	};
	struct deadline deadline = deadline_in(PATIENCE);
	struct smtp_client client;
	struct stream *stream = NULL;
	int err;

	*answer = (struct postfix_answer){0};
	err = stream_connect_unix(mail->socket, deadline, &stream, fault);
	if (err != 0)
		return fault_wrap(fault, "Postfix");
	smtp_client_start(&client, &order);
	err = converse(stream, &client, deadline);
	stream_free(stream);
	if (err != 0)
		return fault_set(fault, err, "Postfix at %s: %s",
		    mail->socket, error_row(err)->text);
	read_answer(&client, answer);
	return 0;
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
