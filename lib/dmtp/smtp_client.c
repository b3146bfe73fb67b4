/* SPDX-License-Identifier: BSD-2-Clause */
#include "dmtp/smtp_client.h"

#include "base/error.h"

enum {
	REPLY_LINES_MAX = 100,
	PIECE = 32768, /* octets of the message in one smtp_client_send() */
};

void
smtp_client_start(struct smtp_client *client,
    const struct smtp_client_mail *mail)
{
	memset(client, 0, sizeof(*client));
	client->mail = *mail;
	client->rest = mail->head;
	client->step = SMTP_CLIENT_BANNER;
	line_start(&client->reader, client->line, sizeof(client->line));
}

void
smtp_client_again(struct smtp_client *client,
    const struct smtp_client_mail *mail, bool pipelines)
{
	smtp_client_start(client, mail);
	client->pipelines = pipelines;
	client->step = SMTP_CLIENT_MAIL;
	client->to_send = true;
}

/* ---- sending ---- */

static void
append_line(struct buffer *out, struct span line)
{
	if (line.length > 0 && line.data[0] == '.')
		buffer_append_string(out, ".");
	buffer_append_span(out, line);
	buffer_append_string(out, "\r\n");
}

/* True when the final dot has gone out. */
static bool
append_message(struct smtp_client *client, struct buffer *out)
{
	size_t start = out->length;
	struct span line;

	while (out->length - start < PIECE && out->error == 0) {
		if (span_next_line(&client->rest, &line)) {
			append_line(out, line);
		} else if (!client->in_body) {
			client->in_body = true;
			client->rest = client->mail.body;
		} else {
			buffer_append_string(out, ".\r\n");
			return true;
		}
	}
	return false;
}

static void
append_command(const struct smtp_client *client, enum smtp_client_step step,
    struct buffer *out)
{
	const struct smtp_client_mail *mail = &client->mail;

	if (step == SMTP_CLIENT_EHLO)
		buffer_printf(out, "EHLO %s\r\n", mail->helo);
	else if (step == SMTP_CLIENT_MAIL)
		buffer_printf(out, "MAIL FROM:<%s>\r\n", mail->sender);
	else if (step == SMTP_CLIENT_RCPT)
		buffer_printf(out, "RCPT TO:<%s>\r\n", mail->recipient);
	else if (step == SMTP_CLIENT_DATA)
		buffer_append_string(out, "DATA\r\n");
}

/* Whether the command of the step goes out with the one before it. */
static bool
goes_along(const struct smtp_client *client, enum smtp_client_step step)
{
	return client->pipelines &&
	    (step == SMTP_CLIENT_RCPT || step == SMTP_CLIENT_DATA);
}

bool
smtp_client_send(struct smtp_client *client, struct buffer *out)
{
	if (!client->to_send || smtp_client_done(client))
		return false;
	client->to_send = false;
	if (client->step == SMTP_CLIENT_MESSAGE) {
		client->to_send = !append_message(client, out);
	} else if (client->step == SMTP_CLIENT_QUIT) {
		buffer_append_string(out, "QUIT\r\n");
		client->step = SMTP_CLIENT_DONE;
	} else {
		enum smtp_client_step step = client->step;

		do
			append_command(client, step++, out);
		while (goes_along(client, step));
	}
	return true;
}

/* ---- receiving ---- */

/* The class of reply that lets the step go on. */
static int
wanted_class(enum smtp_client_step step)
{
	return step == SMTP_CLIENT_DATA ? 3 : 2;
}

static void
take_reply(struct smtp_client *client)
{
	bool good = client->reply_code / 100 == wanted_class(client->step);

	if (good && client->step != SMTP_CLIENT_MESSAGE) {
		client->to_send = !goes_along(client, ++client->step);
		return;
	}
	client->to_send = true;
	client->decided = client->step;
	client->code = client->reply_code;
	client->step = good && client->mail.keeps ? SMTP_CLIENT_DONE
	                                          : SMTP_CLIENT_QUIT;
}

/* "250", "250 text" or "250-text"; all lines of a reply bear the same code. */
static bool
take_line(struct smtp_client *client, struct span line)
{
	uint64_t code;

	if (!span_number(span_slice(line, 0, 3), 599, &code) || code < 200 ||
	    (line.length > 3 && line.data[3] != ' ' && line.data[3] != '-'))
		return false;
	if (client->reply_lines == 0)
		client->reply_code = (int)code;
	if ((int)code != client->reply_code ||
	    ++client->reply_lines > REPLY_LINES_MAX)
		return false;
	if (client->reply_lines == 1) {
		struct span text = span_slice(line, 4,
		    sizeof(client->text) - 1);

		if (!span_copy_string(text, client->text, sizeof(client->text)))
			return false;
	} else if (client->step == SMTP_CLIENT_EHLO &&
	    span_equal_nocase(span_slice(line, 4, line.length),
	    span_string("PIPELINING")))
		client->pipelines = true;
	if (line.length > 3 && line.data[3] == '-')
		return true;
	client->reply_lines = 0;
	take_reply(client);
	return true;
}

int
smtp_client_receive(struct smtp_client *client, struct span input)
{
	struct span line;
	bool good = true;

	/* What was said ahead, and decided before it was answered, is. */
	while (good && input.length > 0 && client->error == 0 &&
	    client->step != SMTP_CLIENT_QUIT) {
		enum line_result result =
		    line_feed(&client->reader, &input, &line);

		if (result == LINE_COMPLETE)
			/* What nobody waits for would answer the next step. */
			good = !client->to_send && take_line(client, line);
		else
			good = result == LINE_PARTIAL;
	}
	if (!good)
		client->error = ERR_PROTOCOL;
	return client->error;
}

bool
smtp_client_has_sent(const struct smtp_client *client)
{
	return client->step > SMTP_CLIENT_MESSAGE ||
	    (client->step == SMTP_CLIENT_MESSAGE && !client->to_send);
}

bool
smtp_client_done(const struct smtp_client *client)
{
	return client->error != 0 || client->step == SMTP_CLIENT_DONE;
}
