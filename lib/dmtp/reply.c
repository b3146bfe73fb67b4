/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "base/text.h"
#include "dmtp/reply.h"

static const struct reply_row rows[] = {
#define REPLY(name, code, error, text) [name] = {code, error, text},
#include "dmtp/reply.def"
#undef REPLY
};

const struct reply_row *
reply_row(enum reply reply)
{
	return &rows[reply];
}

enum reply
reply_by_code(int code)
{
	size_t i = 0;

	while (i < REPLIES && rows[i].code != code)
		i++;
	return (enum reply)i;
}

enum reply
reply_of_error(int err)
{
	return reply_by_code(error_row(err)->dmtp);
}

int
reply_error_of_code(int code)
{
	enum reply reply = reply_by_code(code);

	if (reply != REPLIES)
		return rows[reply].error;
	return code >= 500 && code <= 599 ? ERR_REFUSED : ERR_PROTOCOL;
}

void
reply_write(enum reply reply, const char *more, struct buffer *out)
{
	char line[DMTP_LINE_LIMIT]; /* the LF takes the terminator's place */

	snprintf(line, sizeof(line), "%d %s%s", rows[reply].code,
	    rows[reply].text, more);
	text_make_plain(line);
	buffer_append_string(out, line);
	buffer_u8(out, '\n');
}

void
reply_write_listing(enum reply reply, struct span listing, struct buffer *out)
{
	struct span line;

	while (span_next_line(&listing, &line)) {
		buffer_printf(out, "%d-", rows[reply].code);
		buffer_append_span(out, line);
		buffer_u8(out, '\n');
	}
	reply_write(reply, "", out);
}
