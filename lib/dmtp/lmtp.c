/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "base/text.h"
#include "base/error.h"
#include "dmtp/lmtp.h"

/* How far the session has come. */
enum state {
	STATE_START = 1,     /* no LHLO yet */
	STATE_GREETED = 2,   /* between transactions */
	STATE_SENDER = 4,    /* MAIL accepted */
	STATE_RECIPIENT = 8, /* RCPT accepted */
	STATE_DATA = 16,     /* 354 said */
	STATE_ANY = STATE_START | STATE_GREETED | STATE_SENDER |
	    STATE_RECIPIENT,
};

/* What of a CR LF . CR LF has just been seen. Only all of it ends a message; a
 * bare LF never does, so that no message can smuggle in another one. */
enum data_position {
	POSITION_INSIDE,
	POSITION_CR,     /* behind a CR */
	POSITION_START,  /* behind a CR LF, or at the very start */
	POSITION_DOT,    /* behind the dot that starts a line */
	POSITION_DOT_CR, /* behind that dot and a CR */
};

enum { OUTPUT_LIMIT = 1 << 20, TEXT_LIMIT = 480 };

struct command {
	const char *verb;
	unsigned int states;
	enum lmtp_event (*act)(struct lmtp *lmtp, struct span arguments);
};

static enum lmtp_event
say(struct lmtp *lmtp, const char *line)
{
	buffer_append_string(&lmtp->output, line);
	buffer_append_string(&lmtp->output, "\r\n");
	return LMTP_NOTHING;
}

static void
end_transaction(struct lmtp *lmtp)
{
	if (lmtp->state != STATE_START)
		lmtp->state = STATE_GREETED;
	lmtp->sender[0] = '\0';
	lmtp->recipient[0] = '\0';
	lmtp->sender_given[0] = '\0';
	lmtp->recipient_given[0] = '\0';
	lmtp->lost = 0;
	buffer_free(&lmtp->message);
}

/* ---- arguments ---- */

/* "FROM:<...>" and what follows; a quoted local part may hold a '>'. */
static bool
take_path(struct span *text, const char *label, struct span *path)
{
	size_t skip = strlen(label), end;
	bool quoted = false;

	if (!span_equal_nocase(span_slice(*text, 0, skip), span_string(label)))
		return false;
	*text = span_slice(*text, skip, text->length);
	if (text->length == 0 || text->data[0] != '<')
		return false;
	for (end = 1; end < text->length; end++) {
		if (text->data[end] == '"')
			quoted = !quoted;
		else if (text->data[end] == '\\' && quoted)
			end++;
		else if (text->data[end] == '>' && !quoted)
			break;
	}
	if (end >= text->length)
		return false;
	*path = span_slice(*text, 1, end - 1);
	*text = span_slice(*text, end + 1, text->length);
	return text->length == 0 || text->data[0] == ' ';
}

/* Without control characters, so that it can be said again in a command. */
static bool
is_plain(struct span path)
{
	for (size_t i = 0; i < path.length; i++)
		if (path.data[i] < ' ' || path.data[i] == 0x7f)
			return false;
	return true;
}

/* Takes the next parameter of MAIL or RCPT; false at the end. */
static bool
take_parameter(struct span *text, struct span *parameter)
{
	const uint8_t *space;

	while (text->length > 0 && text->data[0] == ' ')
		*text = span_slice(*text, 1, text->length);
	if (text->length == 0)
		return false;
	space = memchr(text->data, ' ', text->length);
	*parameter = span_slice(*text, 0,
	    space == NULL ? text->length : (size_t)(space - text->data));
	*text = span_slice(*text, parameter->length, text->length);
	return true;
}

/* The reply to a parameter of MAIL that is refused, or NULL. */
static const char *
refuse_parameter(const struct lmtp *lmtp, struct span parameter)
{
	uint64_t size;

	if (span_equal_nocase(span_slice(parameter, 0, 5),
	        span_string("SIZE="))) {
		if (!span_number(span_slice(parameter, 5, parameter.length),
		        UINT64_MAX, &size))
			return "501 5.5.4 Bad SIZE";
		return size > lmtp->settings.size_limit
		    ? "552 5.3.4 Message too large" : NULL;
	}
	if (span_equal_nocase(parameter, span_string("BODY=7BIT")) ||
	    span_equal_nocase(parameter, span_string("BODY=8BITMIME")) ||
	    span_equal_nocase(parameter, span_string("SMTPUTF8")))
		return NULL;
	return "555 5.5.4 Unknown parameter";
}

/* ---- what the verbs do ---- */

static enum lmtp_event
do_lhlo(struct lmtp *lmtp, struct span arguments)
{
	if (span_trim(arguments).length == 0)
		return say(lmtp, "501 5.5.4 LHLO needs a name");
	end_transaction(lmtp);
	lmtp->state = STATE_GREETED;
	buffer_printf(&lmtp->output,
	    "250-%s\r\n250-8BITMIME\r\n250-SIZE %zu\r\n250-SMTPUTF8\r\n"
	    "250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n",
	    lmtp->settings.hostname, lmtp->settings.size_limit);
	return LMTP_NOTHING;
}

static enum lmtp_event
do_mail(struct lmtp *lmtp, struct span arguments)
{
	struct span path, parameter;
	const char *refusal;

	if (!take_path(&arguments, "FROM:", &path) || !is_plain(path))
		return say(lmtp, "501 5.5.4 Syntax: MAIL FROM:<address>");
	while (take_parameter(&arguments, &parameter)) {
		refusal = refuse_parameter(lmtp, parameter);
		if (refusal != NULL)
			return say(lmtp, refusal);
	}
	address_normalize(path, lmtp->sender);
	span_copy_string(path, lmtp->sender_given,
	    sizeof(lmtp->sender_given));
	lmtp->state = STATE_SENDER;
	return say(lmtp, "250 2.1.0 OK");
}

static enum lmtp_event
do_rcpt(struct lmtp *lmtp, struct span arguments)
{
	struct span path, parameter;

	if (lmtp->state == STATE_RECIPIENT)
		return say(lmtp, "452 4.5.3 One recipient a message");
	if (!take_path(&arguments, "TO:", &path))
		return say(lmtp, "501 5.5.4 Syntax: RCPT TO:<address>");
	if (take_parameter(&arguments, &parameter))
		return say(lmtp, "555 5.5.4 Unknown parameter");
	if (!address_normalize(path, lmtp->recipient))
		return say(lmtp, "550 5.1.3 No address that DIME can carry");
	span_copy_string(path, lmtp->recipient_given,
	    sizeof(lmtp->recipient_given));
	lmtp->state = STATE_RECIPIENT;
	return say(lmtp, "250 2.1.5 OK");
}

static enum lmtp_event
do_data(struct lmtp *lmtp, struct span arguments)
{
	lmtp->state = STATE_DATA;
	lmtp->data_position = POSITION_START;
	lmtp->message = buffer_make(lmtp->settings.size_limit);
	return say(lmtp, "354 End with a dot on a line by itself");
}

static enum lmtp_event
do_rset(struct lmtp *lmtp, struct span arguments)
{
	end_transaction(lmtp);
	return say(lmtp, "250 2.0.0 OK");
}

static enum lmtp_event
do_noop(struct lmtp *lmtp, struct span arguments)
{
	return say(lmtp, "250 2.0.0 OK");
}

static enum lmtp_event
do_quit(struct lmtp *lmtp, struct span arguments)
{
	say(lmtp, "221 2.0.0 Bye");
	return LMTP_QUIT;
}

static const struct command commands[] = {
#define COMMAND(verb, states, act) {#verb, states, act},
#include "dmtp/lmtp_command.def"
#undef COMMAND
};

/* ---- command lines ---- */

static enum lmtp_event
execute(struct lmtp *lmtp, struct span line)
{
	struct span verb = span_slice(line, 0, 4);

	if (line.length > 4 && line.data[4] != ' ')
		return say(lmtp, "500 5.5.1 Unknown command");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!span_equal_nocase(verb, span_string(commands[i].verb)))
			continue;
		if ((commands[i].states & lmtp->state) == 0)
			return say(lmtp, "503 5.5.1 Not now");
		return commands[i].act(lmtp,
		    span_slice(line, 5, line.length));
	}
	return say(lmtp, "500 5.5.1 Unknown command");
}

static enum lmtp_event
feed_line(struct lmtp *lmtp, struct span *input)
{
	struct span line;

	switch (line_feed(&lmtp->reader, input, &line)) {
	case LINE_PARTIAL:
		return LMTP_NOTHING;
	case LINE_TOO_LONG:
		lmtp->lines++;
		return say(lmtp, "500 5.5.2 Line too long");
	case LINE_COMPLETE:
		break;
	}
	lmtp->lines++;
	return execute(lmtp, line);
}

/* ---- the message ---- */

static void
keep(struct lmtp *lmtp, const void *data, size_t length)
{
	if (lmtp->lost != 0)
		return;
	buffer_append(&lmtp->message, data, length);
	if (lmtp->message.error == 0)
		return;
	lmtp->lost = lmtp->message.error;
	buffer_free(&lmtp->message);
}

static enum lmtp_event
end_data(struct lmtp *lmtp)
{
	const int lost = lmtp->lost;

	if (lost == 0)
		return LMTP_MESSAGE;
	end_transaction(lmtp);
	return say(lmtp, lost == ERR_TOO_LARGE ? "552 5.3.4 Message too large"
	                                       : "451 4.3.0 Out of memory");
}

/* One octet at which the position may change; true at the message's end. */
static bool
take_octet(struct lmtp *lmtp, uint8_t octet)
{
	unsigned int before = lmtp->data_position;

	if (before == POSITION_START && octet == '.') {
		lmtp->data_position = POSITION_DOT;
		return false;
	}
	if (before == POSITION_DOT && octet == '\r') {
		lmtp->data_position = POSITION_DOT_CR;
		return false;
	}
	if (before == POSITION_DOT_CR && octet == '\n')
		return true;
	/* The dot itself is taken off, whatever follows it. */
	if (before == POSITION_DOT_CR)
		keep(lmtp, "\r", 1);
	keep(lmtp, &octet, 1);
	if (octet == '\r')
		lmtp->data_position = POSITION_CR;
	else if (before == POSITION_CR && octet == '\n')
		lmtp->data_position = POSITION_START;
	else
		lmtp->data_position = POSITION_INSIDE;
	if (lmtp->data_position == POSITION_START)
		lmtp->lines++;
	return false;
}

static enum lmtp_event
feed_data(struct lmtp *lmtp, struct span *input)
{
	const uint8_t *end;
	size_t plain;
	uint8_t octet;

	if (lmtp->data_position == POSITION_INSIDE) {
		end = memchr(input->data, '\r', input->length);
		plain = end == NULL ? input->length
		    : (size_t)(end - input->data);
		keep(lmtp, input->data, plain);
		*input = span_slice(*input, plain, input->length);
		if (input->length == 0)
			return LMTP_NOTHING;
	}
	octet = input->data[0];
	*input = span_slice(*input, 1, input->length);
	return take_octet(lmtp, octet) ? end_data(lmtp) : LMTP_NOTHING;
}

/* ---- the session ---- */

void
lmtp_start(struct lmtp *lmtp, const struct lmtp_settings *settings)
{
	memset(lmtp, 0, sizeof(*lmtp));
	lmtp->settings = *settings;
	lmtp->output = buffer_make(OUTPUT_LIMIT);
	lmtp->state = STATE_START;
	line_start(&lmtp->reader, lmtp->line, sizeof(lmtp->line));
	buffer_printf(&lmtp->output, "220 %s LMTP\r\n", settings->hostname);
}

void
lmtp_free(struct lmtp *lmtp)
{
	buffer_free(&lmtp->output);
	buffer_free(&lmtp->message);
}

enum lmtp_event
lmtp_feed(struct lmtp *lmtp, struct span *input)
{
	enum lmtp_event event = LMTP_NOTHING;

	while (input->length > 0 && event == LMTP_NOTHING)
		event = lmtp->state == STATE_DATA
		    ? feed_data(lmtp, input) : feed_line(lmtp, input);
	return event;
}

void
lmtp_answer(struct lmtp *lmtp, int code, const char *enhanced,
    const char *text)
{
	char line[TEXT_LIMIT];

	snprintf(line, sizeof(line), "%d %s %s", code, enhanced, text);
	text_make_plain(line);
	end_transaction(lmtp);
	say(lmtp, line);
}

void
lmtp_say_closing(struct lmtp *lmtp)
{
	say(lmtp, "421 4.3.2 Closing connection");
}
