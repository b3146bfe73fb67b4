/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "dmtp/server.h"

/* How far the session has come; a set of them says where a verb may come. */
enum state {
	STATE_START = 1,     /* no HELO or EHLO yet */
	STATE_GREETED = 2,   /* between transactions */
	STATE_ORIGIN = 4,    /* MAIL accepted */
	STATE_RECIPIENT = 8, /* RCPT accepted */
	STATE_DATA = 16,     /* 354 said */
	STATE_TRANSACTION = STATE_ORIGIN | STATE_RECIPIENT,
	STATE_ANY = STATE_START | STATE_GREETED | STATE_TRANSACTION,
};

/* Where in a line of the message the next octet falls. */
enum data_position {
	POSITION_START,  /* first octet of a line */
	POSITION_DOT,    /* behind a dot that is the line's first octet */
	POSITION_DOT_CR, /* behind such a dot and a CR */
	POSITION_INSIDE,
};

enum {
	/* A pipelined batch of SGNT for signets with pictures fits. */
	OUTPUT_LIMIT = 64 << 20,
};

struct command {
	const char *verb;
	unsigned int states;
	bool aborts;
	const char *arguments;
	enum dmtp_server_event event;
	enum dmtp_server_event (*act)(struct dmtp_server *server,
	    const struct command *command);
};

static const struct command *command_table(size_t *count);

static void
say(struct dmtp_server *server, enum reply reply)
{
	reply_write(reply, "", &server->output);
}

static void
end_transaction(struct dmtp_server *server)
{
	if (server->state != STATE_START)
		server->state = STATE_GREETED;
	memset(&server->origin, 0, sizeof(server->origin));
	memset(&server->destination, 0, sizeof(server->destination));
	buffer_free(&server->message);
	server->data_refusal = REPLIES;
}

/* ---- what the verbs do ---- */

static enum dmtp_server_event
do_ask(struct dmtp_server *server, const struct command *command)
{
	server->pending = command->event;
	return command->event;
}

static enum dmtp_server_event
do_mail(struct dmtp_server *server, const struct command *command)
{
	if (server->arguments[2].number > server->settings.size_limit) {
		say(server, REPLY_TOO_LARGE);
		return DMTP_SERVER_NOTHING;
	}
	return do_ask(server, command);
}

static enum dmtp_server_event
do_data(struct dmtp_server *server, const struct command *command)
{
	server->state = STATE_DATA;
	server->data_position = POSITION_START;
	server->message = buffer_make(server->settings.size_limit);
	say(server, REPLY_SEND_MESSAGE);
	return DMTP_SERVER_NOTHING;
}

static void
greet(struct dmtp_server *server)
{
	memcpy(server->client, server->arguments[0].text,
	    sizeof(server->client));
	if (server->state == STATE_START)
		server->state = STATE_GREETED;
	say(server, REPLY_OK);
}

static enum dmtp_server_event
do_helo(struct dmtp_server *server, const struct command *command)
{
	greet(server);
	return DMTP_SERVER_NOTHING;
}

static enum dmtp_server_event
do_ehlo(struct dmtp_server *server, const struct command *command)
{
	buffer_printf(&server->output, "250-PIPELINING\n250-SIZE %zu\n",
	    server->settings.size_limit);
	greet(server);
	return DMTP_SERVER_NOTHING;
}

static void
say_mode(struct dmtp_server *server)
{
	reply_write(REPLY_OK, " DMTP", &server->output);
}

static enum dmtp_server_event
do_mode(struct dmtp_server *server, const struct command *command)
{
	say_mode(server);
	return DMTP_SERVER_NOTHING;
}

static enum dmtp_server_event
do_noop(struct dmtp_server *server, const struct command *command)
{
	say(server, REPLY_OK);
	return DMTP_SERVER_NOTHING;
}

static enum dmtp_server_event
do_rset(struct dmtp_server *server, const struct command *command)
{
	end_transaction(server);
	say(server, REPLY_OK);
	return DMTP_SERVER_NOTHING;
}

static enum dmtp_server_event
do_disabled(struct dmtp_server *server, const struct command *command)
{
	say(server, REPLY_COMMAND_DISABLED);
	return DMTP_SERVER_NOTHING;
}

static enum dmtp_server_event
do_help(struct dmtp_server *server, const struct command *command)
{
	const struct command *last = NULL, *table;
	size_t count;

	table = command_table(&count);
	for (size_t i = 0; i < count; i++) {
		if (table[i].act == do_disabled)
			continue;
		if (last != NULL)
			buffer_printf(&server->output, "214-%s\n", last->verb);
		last = &table[i];
	}
	buffer_printf(&server->output, "214 %s\n", last->verb);
	return DMTP_SERVER_NOTHING;
}

static enum dmtp_server_event
do_quit(struct dmtp_server *server, const struct command *command)
{
	end_transaction(server);
	say(server, REPLY_BYE);
	return DMTP_SERVER_QUIT;
}

static const struct command *
command_table(size_t *count)
{
	static const struct command commands[] = {
#define COMMAND(verb, states, aborts, arguments, event, act)                   \
	{#verb, states, aborts, arguments, event, act},
#include "dmtp/command.def"
#undef COMMAND
	};

	*count = sizeof(commands) / sizeof(commands[0]);
	return commands;
}

/* ---- command lines ---- */

static const struct command *
find_command(struct span verb)
{
	const struct command *table;
	size_t count;

	table = command_table(&count);
	for (size_t i = 0; i < count; i++)
		if (span_equal_nocase(verb, span_string(table[i].verb)))
			return &table[i];
	return NULL;
}

/* D1; a CR that ends no line is refused like an octet that does not belong. */
static bool
is_clean(struct span line)
{
	for (size_t i = 0; i < line.length; i++)
		if (line.data[i] == 0 || line.data[i] > 0x7f ||
		    line.data[i] == '\r')
			return false;
	return true;
}

/* Sequence before arguments: what comes at the wrong time is not looked at. */
static enum dmtp_server_event
execute(struct dmtp_server *server, struct span line)
{
	const uint8_t *space =
	    line.length == 0 ? NULL : memchr(line.data, ' ', line.length);
	struct span verb = space == NULL ? line
	    : span_of(line.data, (size_t)(space - line.data));
	const struct command *command = find_command(verb);

	if (command == NULL || !is_clean(line)) {
		say(server, REPLY_COMMAND_SYNTAX);
		return DMTP_SERVER_NOTHING;
	}
	if ((command->states & server->state) == 0) {
		say(server, command->event == DMTP_SERVER_RCPT &&
		    server->state == STATE_RECIPIENT
		    ? REPLY_DESTINATION_LIMITS : REPLY_SEQUENCE);
		return DMTP_SERVER_NOTHING;
	}
	if (command->aborts)
		end_transaction(server);
	if (!dmtp_arguments_read(command->arguments,
	        span_slice(line, verb.length, line.length),
	        server->arguments)) {
		say(server, REPLY_ARGUMENT_SYNTAX);
		return DMTP_SERVER_NOTHING;
	}
	return command->act(server, command);
}

static enum dmtp_server_event
feed_line(struct dmtp_server *server, struct span *input)
{
	struct span line;

	switch (line_feed(&server->reader, input, &line)) {
	case LINE_PARTIAL:
		return DMTP_SERVER_NOTHING;
	case LINE_TOO_LONG:
		server->lines++;
		say(server, REPLY_COMMAND_SYNTAX);
		return DMTP_SERVER_NOTHING;
	case LINE_COMPLETE:
		break;
	}
	server->lines++;
	return execute(server, line);
}

/* ---- the message ---- */

void
dmtp_server_refuse_data(struct dmtp_server *server, enum reply reply)
{
	buffer_free(&server->message);
	server->data_refusal = reply;
}

static void
keep(struct dmtp_server *server, const void *data, size_t length)
{
	if (server->data_refusal != REPLIES)
		return;
	buffer_append(&server->message, data, length);
	if (server->message.error != 0)
		dmtp_server_refuse_data(server,
		    server->message.error == ERR_TOO_LARGE
		    ? REPLY_TOO_LARGE : REPLY_DATA_CORRUPTED);
}

static enum dmtp_server_event
end_data(struct dmtp_server *server)
{
	enum reply refusal = server->data_refusal;

	server->lines++;
	if (refusal != REPLIES) {
		end_transaction(server);
		say(server, refusal);
		return DMTP_SERVER_NOTHING;
	}
	server->pending = DMTP_SERVER_DATA;
	return DMTP_SERVER_DATA;
}

/* Keeps the rest of the line, or as much of it as is there. */
static void
take_inside(struct dmtp_server *server, struct span *input)
{
	const uint8_t *end = memchr(input->data, '\n', input->length);
	size_t taken =
	    end == NULL ? input->length : (size_t)(end - input->data) + 1;

	keep(server, input->data, taken);
	*input = span_slice(*input, taken, input->length);
	if (end == NULL)
		return;
	server->lines++;
	server->data_position = POSITION_START;
}

/* Holds back what may yet be the final dot's line; true when it was. */
static bool
take_octet(struct dmtp_server *server, struct span *input)
{
	uint8_t octet = input->data[0];

	if (server->data_position == POSITION_START && octet == '.') {
		server->data_position = POSITION_DOT;
	} else if (server->data_position == POSITION_DOT && octet == '\r') {
		server->data_position = POSITION_DOT_CR;
	} else if (server->data_position != POSITION_START && octet == '\n') {
		*input = span_slice(*input, 1, input->length);
		return true;
	} else {
		if (server->data_position != POSITION_START)
			keep(server, ".\r",
			    server->data_position == POSITION_DOT ? 1 : 2);
		server->data_position = POSITION_INSIDE;
		return false;
	}
	*input = span_slice(*input, 1, input->length);
	return false;
}

static enum dmtp_server_event
feed_data(struct dmtp_server *server, struct span *input)
{
	if (server->data_position == POSITION_INSIDE)
		take_inside(server, input);
	else if (take_octet(server, input))
		return end_data(server);
	return DMTP_SERVER_NOTHING;
}

/* ---- the session ---- */

void
dmtp_server_start(struct dmtp_server *server,
    const struct dmtp_server_settings *settings)
{
	char banner[DOMAIN_SIZE + 8];

	memset(server, 0, sizeof(*server));
	server->settings = *settings;
	server->output = buffer_make(OUTPUT_LIMIT);
	server->state = STATE_START;
	line_start(&server->reader, server->line, sizeof(server->line));
	server->data_refusal = REPLIES;
	if (settings->is_elevated) {
		say_mode(server);
		return;
	}
	snprintf(banner, sizeof(banner), "<%s> DMTP", settings->hostname);
	reply_write(REPLY_BANNER, banner, &server->output);
}

void
dmtp_server_free(struct dmtp_server *server)
{
	buffer_free(&server->output);
	buffer_free(&server->message);
}

enum dmtp_server_event
dmtp_server_feed(struct dmtp_server *server, struct span *input)
{
	enum dmtp_server_event event = DMTP_SERVER_NOTHING;

	while (input->length > 0 && event == DMTP_SERVER_NOTHING)
		event = server->state == STATE_DATA
		    ? feed_data(server, input) : feed_line(server, input);
	return event;
}

static void
take_party(struct dmtp_server_party *party,
    const struct dmtp_argument arguments[static 2])
{
	span_copy_string(span_string(arguments[0].text), party->domain,
	    sizeof(party->domain));
	span_copy_string(span_string(arguments[1].text), party->fingerprint,
	    sizeof(party->fingerprint));
}

static void
settle(struct dmtp_server *server, enum reply reply)
{
	enum dmtp_server_event event = server->pending;

	server->pending = DMTP_SERVER_NOTHING;
	if (event == DMTP_SERVER_MAIL && reply == REPLY_OK) {
		take_party(&server->origin, server->arguments);
		server->state = STATE_ORIGIN;
	} else if (event == DMTP_SERVER_RCPT && reply == REPLY_OK) {
		take_party(&server->destination, server->arguments);
		server->state = STATE_RECIPIENT;
	} else if (event == DMTP_SERVER_DATA ||
	    (event == DMTP_SERVER_RCPT && reply_row(reply)->code == 576)) {
		end_transaction(server);
	}
}

void
dmtp_server_answer(struct dmtp_server *server, enum reply reply,
    const char *more)
{
	settle(server, reply);
	reply_write(reply, more, &server->output);
}

void
dmtp_server_answer_listing(struct dmtp_server *server, enum reply reply,
    struct span listing)
{
	settle(server, reply);
	reply_write_listing(reply, listing, &server->output);
}

void
dmtp_server_say_closing(struct dmtp_server *server)
{
	reply_write(REPLY_CLOSING, "", &server->output);
}

bool
dmtp_server_in_transaction(const struct dmtp_server *server)
{
	return (server->state & (STATE_TRANSACTION | STATE_DATA)) != 0;
}

bool
dmtp_server_in_data(const struct dmtp_server *server)
{
	return server->state == STATE_DATA;
}
