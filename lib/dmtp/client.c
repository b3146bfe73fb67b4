/* SPDX-License-Identifier: BSD-2-Clause */
#include "dmtp/client.h"

void
dmtp_client_start(struct dmtp_client *client)
{
	client->code = 0;
	client->text[0] = '\0';
	client->listing = buffer_make(DMTP_LISTING_LIMIT);
	client->complete = false;
	client->late = 0;
	client->error = 0;
	line_start(&client->lines, client->storage, sizeof(client->storage));
}

void
dmtp_client_next(struct dmtp_client *client)
{
	client->code = 0;
	client->text[0] = '\0';
	buffer_free(&client->listing);
	client->complete = false;
}

void
dmtp_client_free(struct dmtp_client *client)
{
	buffer_free(&client->listing);
}

static bool
is_clean(struct span line)
{
	for (size_t i = 0; i < line.length; i++)
		if (line.data[i] == 0 || line.data[i] == '\r' ||
		    line.data[i] > 0x7f)
			return false;
	return true;
}

/* The code that begins the line, or 0; *more is what stands behind the code
 * ('-' or ' '; ' ' also where the line has nothing else), *text the rest. */
static int
read_code(struct span line, char *more, struct span *text)
{
	uint64_t code;

	if (!span_number(span_slice(line, 0, 3), 599, &code) ||
	    line.length < 3 || code < 200)
		return 0;
	*more = line.length == 3 ? ' ' : (char)line.data[3];
	*text = span_slice(line, 4, line.length);
	return *more == '-' || *more == ' ' ? (int)code : 0;
}

/* The armor's END line, with four dashes or five. */
static bool
is_armor_end(struct span text)
{
	return span_equal_string(span_slice(text, 0, 8), "----END ") ||
	    span_equal_string(span_slice(text, 0, 9), "-----END ");
}

static bool
is_signet_listing(int code)
{
	return code == reply_row(REPLY_ORG_SIGNET)->code ||
	    code == reply_row(REPLY_USER_SIGNET)->code;
}

static int
add_to_listing(struct dmtp_client *client, struct span text,
    struct fault *fault)
{
	buffer_append_span(&client->listing, text);
	buffer_u8(&client->listing, '\n');
	if (client->listing.error == ERR_TOO_LARGE)
		return fault_set(fault, ERR_PROTOCOL,
		    "listing of more than %d octets", DMTP_LISTING_LIMIT);
	return client->listing.error;
}

/* One line of a reply, taken apart. */
static int
take_text(struct dmtp_client *client, char more, struct span text,
    struct fault *fault)
{
	bool at_end = is_signet_listing(client->code) && is_armor_end(text);
	int err;

	if ((more == '-' || at_end) &&
	    (err = add_to_listing(client, text, fault)) != 0)
		return err;
	client->complete = more == ' ' || at_end;
	if (more == '-' && at_end)
		client->late = client->code;
	if (more == ' ' && !at_end)
		span_copy_string(text, client->text, sizeof(client->text));
	return 0;
}

static int
take_line(struct dmtp_client *client, struct span line, struct fault *fault)
{
	int closing = reply_row(REPLY_CLOSING)->code;
	int late = client->late;
	struct span text;
	char more;
	int code;

	if (!is_clean(line))
		return fault_set(fault, ERR_PROTOCOL,
		    "reply line with an octet outside 01-7F or a lone CR");
	if ((code = read_code(line, &more, &text)) == 0)
		return fault_set(fault, ERR_PROTOCOL,
		    "reply line without a code: %.*s",
		    (int)span_slice(line, 0, 60).length, line.data);
	client->late = 0;
	if (code == late && more == ' ')
		return 0;
	if (code == closing && client->code != closing)
		dmtp_client_next(client);
	else if (client->code != 0 && client->code != code)
		return fault_set(fault, ERR_PROTOCOL,
		    "code %d within a reply with code %d", code, client->code);
	client->code = code;
	return take_text(client, more, text, fault);
}

static int
take_some(struct dmtp_client *client, struct span *input, struct fault *fault)
{
	struct span line;
	enum line_result result = line_feed(&client->lines, input, &line);

	if (result == LINE_COMPLETE)
		return take_line(client, line, fault);
	/* Nobody waits for the end of a line that is too long already. */
	if (result == LINE_TOO_LONG || client->lines.overlong)
		return fault_set(fault, ERR_PROTOCOL,
		    "reply line of more than %d octets", DMTP_LINE_LIMIT);
	return 0;
}

int
dmtp_client_feed(struct dmtp_client *client, struct span *input,
    bool *complete, struct fault *fault)
{
	while (client->error == 0 && !client->complete && input->length > 0)
		client->error = take_some(client, input, fault);
	*complete = client->error == 0 && client->complete;
	return client->error;
}
