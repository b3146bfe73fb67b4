/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTP_FRONT_H
#define DIME_DMTP_FRONT_H

#include "base/address.h"
#include "base/buffer.h"

/*
 * The front of a dual-protocol host (Part 7; doc/dmtp.md, section 7), without
 * I/O: it stands between an SMTP client and the site's own SMTP server, passes
 * what either says to the other, and looks for a client that wants DMTP.
 *
 *	front_start(&front, false);
 *	for each piece of input:
 *		event = front_take_client(&front, input);  or _server
 *		... write to_client and to_server, buffer_reset() them ...
 *
 * It looks at no more than it must: the greeting, the commands that may come
 * before mail, and their replies. Everything is passed on as it came, whenever
 * it came, but for the word DMTP in greeting and EHLO reply, and the commands
 * that are ours (MODE, STARTTLS with arguments, DMTP's own), which the server
 * never sees and which are answered in their turn. With the first command that
 * is not known to have one line and one reply (MAIL, AUTH, a bare STARTTLS,
 * QUIT, whatever is no line of SMTP), with a client that speaks before the
 * greeting, and with a reply to nothing it becomes a pipe for good.
 */

enum front_event {
	FRONT_NOTHING,
	/* The client is to have DMTP, or SMTP in TLS. Once to_client is written
	 * the handshake comes; once to_server is, that connection ends. For
	 * SMTP a new front, `is_secured`, goes on with a new connection. */
	FRONT_DMTP,
	FRONT_SMTP,
	/* Both connections must end: octets came in clear behind a STARTTLS
	 * that is ours, or one side was gone, or the server out of order,
	 * before it was answered. `why` has it. */
	FRONT_CLOSE,
};

enum {
	FRONT_LINE_LIMIT = 1024, /* octets of a line that is looked at */
	FRONT_TURNS = 32,        /* commands that wait for their replies */
};

struct front_line {
	size_t length;
	uint8_t octets[FRONT_LINE_LIMIT];
};

struct front {
	struct buffer to_client, to_server; /* the driver empties them */
	char host[DOMAIN_SIZE]; /* that STARTTLS named */
	const char *why; /* of FRONT_CLOSE: what was wrong about it */

	bool is_secured;
	enum front_event event, wanted;
	bool client_piped, server_piped;
	uint8_t turns[FRONT_TURNS]; /* what is to be said to the client next */
	size_t turn_count;
	bool in_reply; /* its first lines have come */
	uint64_t code; /* of the reply, then */
	struct front_line command, reply; /* that are coming in */
	struct front_line kept; /* line of an EHLO reply that another follows */
};

/*
 * `is_secured`: the client has TLS already, which ends here. The server's
 * greeting becomes the `250 OK ESMTP` that the client waits for, and nothing is
 * said of STARTTLS and DMTP any more.
 */
void front_start(struct front *front, bool is_secured);

void front_free(struct front *front);

/* Takes all of the input. An event is final: what the client sends after it in
 * clear makes it FRONT_CLOSE, what the server says after it is dropped. */
enum front_event front_take_client(struct front *front, struct span input);
enum front_event front_take_server(struct front *front, struct span input);

/* There will be no more from there: passes on what was held back. */
enum front_event front_end_client(struct front *front);
enum front_event front_end_server(struct front *front);

/* Whether the client may be read now: not before a secured one is greeted, who
 * does not know what the greeting was. */
bool front_reads_client(const struct front *front);

#endif
