/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/reply.h"

#include <stdio.h>

/* Sends the reply. libmilter wants neither line ends nor a single '%' in it. */
static sfsistat
reply(struct session *session, int code, const char *enhanced,
    const char *text)
{
	char number[12], line[FAULT_TEXT_SIZE + 32], status[12];

	snprintf(number, sizeof(number), "%03d", code);
	snprintf(status, sizeof(status), "%s", enhanced);
	snprintf(line, sizeof(line), "%s", text);
	for (char *c = line; *c != '\0'; c++)
		if (*c < ' ' || *c > '~' || *c == '%')
			*c = '?';
	/* Should it fail, Postfix still refuses, in its own words. */
	smfi_setreply(session->ctx, number, status, line);
	return code / 100 == 5 ? SMFIS_REJECT : SMFIS_TEMPFAIL;
}

sfsistat
reply_error(struct session *session, int err, const char *text)
{
	const struct error_row *row = error_row(err);

	return reply(session, row->smtp, row->enhanced, text);
}

sfsistat
reply_defer(struct session *session, int err, const char *text)
{
	return reply_error(session,
	    error_row(err)->temporary ? err : ERR_INTERNAL, text);
}

sfsistat
reply_dmtp(struct session *session, int err, int dmtp, const char *text)
{
	const struct error_row *row = error_row(err);
	char line[FAULT_TEXT_SIZE];
	char enhanced[8];

	snprintf(line, sizeof(line), "DIME-%03d %s", dmtp, text);
	if (row->smtp / 100 == dmtp / 100)
		return reply(session, row->smtp, row->enhanced, line);
	snprintf(enhanced, sizeof(enhanced), "%d%s", dmtp / 100 % 10,
	    row->enhanced + 1);
	return reply(session, dmtp / 100 == 5 ? 550 : 451, enhanced, line);
}
