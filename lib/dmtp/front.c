/* SPDX-License-Identifier: BSD-2-Clause */
#include "dmtp/front.h"

enum {
	CODE_LENGTH = 3,
	/* A driver keeps far below: it reads only while there is little. */
	OUTPUT_LIMIT = 16 << 20,
};

/* What the client hears next: a reply of the server's, or a line of ours. */
enum turn {
	TURN_GREETING,
	TURN_REPLY,
	TURN_EHLO,
	TURN_OURS, /* those from here on */
	TURN_MODE = TURN_OURS,
	TURN_SYNTAX,
	TURN_ACTIVE,
	TURN_STARTTLS,
	TURN_NONE, /* no line that we know how to follow */
};

static const char *const our_words[] = {
    [TURN_MODE] = "250 OK ESMTP\r\n",
    [TURN_SYNTAX] = "501 5.5.4 ARGUMENT SYNTAX ERROR\r\n",
    [TURN_ACTIVE] = "503 5.5.1 TLS is active already\r\n",
    [TURN_STARTTLS] = "220 2.0.0 Ready to start TLS\r\n",
};

void
front_start(struct front *front, bool is_secured)
{
	memset(front, 0, sizeof(*front));
	front->to_client = buffer_make(OUTPUT_LIMIT);
	front->to_server = buffer_make(OUTPUT_LIMIT);
	front->is_secured = is_secured;
	front->turns[0] = TURN_GREETING;
	front->turn_count = 1;
}

void
front_free(struct front *front)
{
	buffer_free(&front->to_client);
	buffer_free(&front->to_server);
}

/* ---- lines ---- */

enum line_state { LINE_UNFINISHED, LINE_DONE, LINE_ODD };

/*
 * Moves octets from *input into `line`, up to and with an LF. LINE_ODD for what
 * is no line by the book, at the octet that shows it: a NUL, a CR that ends
 * nothing, more than fits. Nothing is lost: `line` and *input hold it all.
 */
static enum line_state
take_line(struct front_line *line, struct span *input)
{
	while (input->length > 0) {
		const uint8_t octet = *input->data;

		if (octet == 0 || line->length == sizeof(line->octets) ||
		    (octet != '\n' && line->length > 0 &&
		        line->octets[line->length - 1] == '\r'))
			return LINE_ODD;
		line->octets[line->length++] = octet;
		*input = span_slice(*input, 1, input->length);
		if (octet == '\n')
			return LINE_DONE;
	}
	return LINE_UNFINISHED;
}

static struct span
raw(const struct front_line *line)
{
	return span_of(line->octets, line->length);
}

/* Without its end. */
static struct span
text_of(const struct front_line *line)
{
	struct span rest = raw(line), text;

	return span_next_line(&rest, &text) ? text : rest;
}

/* Appends what the line holds, and empties it. */
static void
release(struct front_line *line, struct buffer *out)
{
	buffer_append_span(out, raw(line));
	line->length = 0;
}

static void
release_as(struct front_line *line, char separator, struct buffer *out)
{
	if (line->length > CODE_LENGTH)
		line->octets[CODE_LENGTH] = (uint8_t)separator;
	release(line, out);
}

/* Takes the word at the front of *rest; blanks around it go. */
static struct span
next_word(struct span *rest)
{
	size_t length = 0;
	struct span word;

	*rest = span_trim(*rest);
	while (length < rest->length && rest->data[length] != ' ' &&
	    rest->data[length] != '\t')
		length++;
	word = span_slice(*rest, 0, length);
	*rest = span_slice(*rest, length, rest->length);
	return word;
}

static bool
is_word(struct span word, const char *text)
{
	return span_equal_nocase(word, span_string(text));
}

/* ---- turns ---- */

static void
pipe_server(struct front *front)
{
	release(&front->kept, &front->to_client);
	release(&front->reply, &front->to_client);
	front->server_piped = true;
	front->turn_count = 0;
}

static void
end_turn(struct front *front)
{
	front->turn_count--;
	memmove(front->turns, front->turns + 1, front->turn_count);
}

/* Says what is ours to say; behind the last awaited reply of a client that is
 * not listened to any more the server is not, either. */
static void
settle(struct front *front)
{
	while (front->turn_count > 0 && front->turns[0] >= TURN_OURS) {
		enum turn turn = front->turns[0];

		buffer_append_string(&front->to_client, our_words[turn]);
		end_turn(front);
		if (turn == TURN_STARTTLS) {
			buffer_append_string(&front->to_server, "QUIT\r\n");
			front->event = front->wanted;
		}
	}
	if (front->client_piped && front->turn_count == 0)
		pipe_server(front);
}

static void
pipe_client(struct front *front)
{
	release(&front->command, &front->to_server);
	front->client_piped = true;
	settle(front);
}

static void
close_both(struct front *front, const char *why)
{
	front->event = FRONT_CLOSE;
	front->why = why;
}

/* The server says what answers nothing that we know of, or no more. */
static void
give_up(struct front *front)
{
	if (front->wanted != FRONT_NOTHING) {
		close_both(front, "the server gave no reply before it");
		return;
	}
	pipe_server(front);
	pipe_client(front);
}

/* ---- the client ---- */

/* Commands that may come before mail, each with one line and one reply. DMTP's
 * own must be 501 here. */
static const struct {
	const char *verb, *argument; /* what its argument begins with */
	enum turn turn;
} commands[] = {
    {"EHLO", "", TURN_EHLO},
    {"HELO", "", TURN_REPLY},
    {"NOOP", "", TURN_REPLY},
    {"RSET", "", TURN_REPLY},
    {"HELP", "", TURN_REPLY},
    {"VERB", "", TURN_REPLY},
    {"EXPN", "", TURN_REPLY},
    {"SGNT", "", TURN_SYNTAX},
    {"HIST", "", TURN_SYNTAX},
    {"VRFY", "FOR=", TURN_SYNTAX},
    {"VRFY", "", TURN_REPLY},
    {"MAIL", "FROM=", TURN_SYNTAX},
};

/* `<domain>`, and perhaps ` MODE=DMTP` or ` MODE=SMTP`. */
static bool
read_starttls(struct front *front, struct span arguments)
{
	struct span name = next_word(&arguments);
	struct span mode = next_word(&arguments);

	if (arguments.length > 0 || name.length < 2 || name.data[0] != '<' ||
	    name.data[name.length - 1] != '>' ||
	    !domain_normalize(span_slice(name, 1, name.length - 2),
	        front->host))
		return false;
	if (is_word(mode, "MODE=DMTP"))
		front->wanted = FRONT_DMTP;
	else if (mode.length == 0 || is_word(mode, "MODE=SMTP"))
		front->wanted = FRONT_SMTP;
	return front->wanted != FRONT_NOTHING;
}

static enum turn
turn_of_starttls(struct front *front, struct span arguments)
{
	if (front->is_secured)
		return TURN_ACTIVE;
	/* That is the server's affair, and all that follows, too. */
	if (arguments.length == 0)
		return TURN_NONE;
	return read_starttls(front, arguments) ? TURN_STARTTLS : TURN_SYNTAX;
}

static enum turn
turn_of_command(struct front *front)
{
	struct span arguments = text_of(&front->command);
	struct span verb = next_word(&arguments);

	arguments = span_trim(arguments);
	if (is_word(verb, "STARTTLS"))
		return turn_of_starttls(front, arguments);
	if (is_word(verb, "MODE"))
		return arguments.length == 0 ? TURN_MODE : TURN_SYNTAX;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (is_word(verb, commands[i].verb) &&
		    is_word(span_slice(arguments, 0,
		                strlen(commands[i].argument)),
		        commands[i].argument))
			return commands[i].turn;
	return TURN_NONE;
}

static void
take_command(struct front *front)
{
	enum turn turn = front->turn_count < FRONT_TURNS
	    ? turn_of_command(front) : TURN_NONE;

	if (turn == TURN_NONE) {
		pipe_client(front);
		return;
	}
	front->turns[front->turn_count++] = (uint8_t)turn;
	if (turn < TURN_OURS)
		buffer_append_span(&front->to_server, raw(&front->command));
	front->command.length = 0;
	settle(front);
}

static bool
is_greeting(const struct front *front)
{
	return front->turn_count > 0 && front->turns[0] == TURN_GREETING;
}

bool
front_reads_client(const struct front *front)
{
	return !front->is_secured || !is_greeting(front);
}

enum front_event
front_take_client(struct front *front, struct span input)
{
	/* Whoever does not wait for the greeting wants no DMTP, and what the
	 * server makes of him is not to be changed by us. */
	if (is_greeting(front) && input.length > 0) {
		pipe_server(front);
		pipe_client(front);
	}
	while (input.length > 0 && !front->client_piped &&
	    front->wanted == FRONT_NOTHING) {
		enum line_state state = take_line(&front->command, &input);

		if (state == LINE_DONE)
			take_command(front);
		else if (state == LINE_ODD)
			pipe_client(front);
	}
	if (input.length > 0 && front->wanted != FRONT_NOTHING)
		close_both(front, "octets in clear came behind it");
	else
		buffer_append_span(&front->to_server, input);
	return front->event;
}

enum front_event
front_end_client(struct front *front)
{
	if (front->wanted != FRONT_NOTHING)
		close_both(front, "the client has left");
	else if (!front->client_piped)
		pipe_client(front);
	return front->event;
}

/* ---- the server ---- */

/* Where DMTP belongs in a greeting: behind ESMTP, or else behind the host's
 * name. 0: nowhere, or it is there already. */
static size_t
place_of_dmtp(struct span line)
{
	struct span rest = span_slice(line, CODE_LENGTH + 1, line.length);
	size_t place = 0;
	struct span word;

	while ((word = next_word(&rest)).length > 0) {
		if (is_word(word, "DMTP"))
			return 0;
		if (place == 0 || is_word(word, "ESMTP"))
			place = (size_t)(word.data - line.data) + word.length;
	}
	return place;
}

static void
take_greeting_line(struct front *front, bool is_last)
{
	struct buffer *out = &front->to_client;
	struct span line = raw(&front->reply);
	size_t place;

	if (front->code == 220 && front->is_secured) {
		if (is_last)
			buffer_append_string(out, our_words[TURN_MODE]);
		return;
	}
	place = front->code == 220 ? place_of_dmtp(text_of(&front->reply)) : 0;
	buffer_append_span(out, span_slice(line, 0, place));
	if (place > 0)
		buffer_append_string(out, " DMTP");
	buffer_append_span(out, span_slice(line, place, line.length));
}

/* A line waits until it is known whether another follows it. */
static void
take_ehlo_line(struct front *front, bool is_last)
{
	static const char dmtp[] = "250-DMTP\r\n";
	struct span text = text_of(&front->reply);
	struct buffer *out = &front->to_client;

	if (front->code != 250 || text.length == CODE_LENGTH) {
		release(&front->kept, out);
		buffer_append_span(out, raw(&front->reply));
		return;
	}
	text = span_slice(text, CODE_LENGTH + 1, text.length);
	if (!front->is_secured || !front->in_reply ||
	    !is_word(span_trim(text), "STARTTLS")) {
		release_as(&front->kept, '-', out);
		front->kept = front->reply;
	}
	if (!front->is_secured && !front->in_reply) {
		release_as(&front->kept, '-', out);
		front->kept.length = sizeof(dmtp) - 1;
		memcpy(front->kept.octets, dmtp, front->kept.length);
	}
	if (is_last)
		release_as(&front->kept, ' ', out);
}

/* "250-text", "250 text" or "250"; all lines of a reply bear the same code. */
static bool
read_code(struct front *front, bool *is_last)
{
	struct span text = text_of(&front->reply);
	uint64_t code;

	if (!span_number(span_slice(text, 0, CODE_LENGTH), 599, &code) ||
	    code < 200 || (front->in_reply && code != front->code))
		return false;
	front->code = code;
	*is_last = text.length == CODE_LENGTH || text.data[CODE_LENGTH] != '-';
	return *is_last == (text.length == CODE_LENGTH ||
	    text.data[CODE_LENGTH] == ' ');
}

static void
take_reply_line(struct front *front)
{
	enum turn turn = front->turn_count > 0 ? front->turns[0] : TURN_NONE;
	bool is_last;

	if (turn == TURN_NONE || !read_code(front, &is_last)) {
		give_up(front);
		return;
	}
	if (turn == TURN_GREETING)
		take_greeting_line(front, is_last);
	else if (turn == TURN_EHLO)
		take_ehlo_line(front, is_last);
	else
		buffer_append_span(&front->to_client, raw(&front->reply));
	front->reply.length = 0;
	front->in_reply = !is_last;
	if (!is_last)
		return;
	end_turn(front);
	if (turn == TURN_GREETING && front->code != 220)
		give_up(front);
	settle(front);
}

enum front_event
front_take_server(struct front *front, struct span input)
{
	while (input.length > 0 && !front->server_piped &&
	    front->event == FRONT_NOTHING) {
		enum line_state state = take_line(&front->reply, &input);

		if (state == LINE_DONE)
			take_reply_line(front);
		else if (state == LINE_ODD)
			give_up(front);
	}
	if (front->event == FRONT_NOTHING)
		buffer_append_span(&front->to_client, input);
	return front->event;
}

enum front_event
front_end_server(struct front *front)
{
	if (front->event == FRONT_NOTHING && !front->server_piped)
		give_up(front);
	return front->event;
}
