/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTP_CLIENT_H
#define DIME_DMTP_CLIENT_H

#include "dmtp/line.h"
#include "dmtp/reply.h"

/*
 * The client's side of a DMTP session (Part 7), without I/O: it puts the
 * replies of a server, which may be hostile, together from octets that come in
 * pieces of any size. The conversation is lock-step, so that one reply at a
 * time is all there is:
 *
 *	dmtp_client_start(&client);
 *	... send a command ...
 *	while (err == 0 && !complete && more octets came)
 *		err = dmtp_client_feed(&client, &input, &complete, fault);
 *	... client.code, client.text, client.listing ...
 *	dmtp_client_next(&client);
 */

enum {
	/* Octets of a listing: the armor of the largest signet that there can
	 * be, in lines of 64 characters, fits. */
	DMTP_LISTING_LIMIT = 23 << 20,
};

struct dmtp_client {
	/* Of the reply that is complete. */
	int code;
	char text[DMTP_LINE_LIMIT]; /* of its last line, without the code */
	struct buffer listing; /* the other lines without `CODE-`, LF ends */

	bool complete;
	int late;  /* code of a listing whose own last line may still come */
	int error; /* sticky */
	struct line_reader lines;
	uint8_t storage[DMTP_LINE_LIMIT];
};

void dmtp_client_start(struct dmtp_client *client);

/*
 * Takes octets from the front of *input, which is moved behind them: up to the
 * end of the reply, where *complete becomes true. Nothing more is taken until
 * dmtp_client_next().
 *
 * A 270 or 280 listing ends with its own line, `270 OK`, or already with the
 * END line of the armor (D7); in that case its own line, should it still come,
 * is no reply to the next command. 421 counts wherever it stands.
 *
 * ERR_PROTOCOL for a line that is longer than 512 octets, holds others than
 * 01-7F or a CR that ends no line, does not begin with a code from 200 to 599,
 * or changes the code within a reply, and for a listing over its limit;
 * ERR_MEMORY. Every later call answers the same error.
 */
int dmtp_client_feed(struct dmtp_client *client, struct span *input,
    bool *complete, struct fault *fault);

/* Forgets the reply and waits for the next. */
void dmtp_client_next(struct dmtp_client *client);

void dmtp_client_free(struct dmtp_client *client);

#endif
