/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "client/peer_session.h"

enum { QUIT_TIME = 1000 };

void
peer_reply_init(struct peer_reply *reply)
{
	*reply = (struct peer_reply){.listing = buffer_make(0)};
}

void
peer_reply_free(struct peer_reply *reply)
{
	buffer_free(&reply->listing);
}

bool
peer_confirms(const struct peer *peer)
{
	return peer->confirms;
}

bool
peer_is_resumed(const struct peer *peer)
{
	return peer->tls.resumed;
}

bool
peer_tells_more(int later, int earlier)
{
	const bool unreachable = later == ERR_UNREACHABLE ||
	    later == ERR_TIMEOUT;

	return !unreachable || earlier == 0 || earlier == ERR_UNREACHABLE ||
	    earlier == ERR_TIMEOUT;
}

/* Hands the engine's reply over; its listing is moved, not copied. */
static void
hand_over(struct peer *peer, struct peer_reply *reply)
{
	struct dmtp_client *client = &peer->client;

	buffer_free(&reply->listing);
	reply->code = client->code;
	snprintf(reply->text, sizeof(reply->text), "%.*s",
	    (int)sizeof(reply->text) - 1, client->text);
	text_make_plain(reply->text);
	reply->listing = client->listing;
	client->listing = buffer_make(client->listing.limit);
	dmtp_client_next(client);
}

/* Counts what the listing has grown by; *counted is what was counted before. */
static int
count_listing(struct peer *peer, size_t *counted, struct fault *fault)
{
	const size_t length = peer->client.listing.length;
	size_t grown;

	if (peer->room == NULL || length <= PEER_LISTING_OWN + *counted)
		return 0;
	grown = length - PEER_LISTING_OWN - *counted;
	*counted += grown;
	if (atomic_fetch_add(&peer->room->held, grown) + grown <=
	    PEER_LISTINGS_MOST)
		return 0;
	return fault_set(fault, ERR_BUSY,
	    "no room for a listing of %zu octets and more", length);
}

static int
read_more(struct peer *peer, struct deadline deadline, struct fault *fault)
{
	size_t got;
	int err = stream_read(peer->stream, peer->input, sizeof(peer->input),
	    &got, deadline);

	if (err == 0 && got == 0)
		err = ERR_UNREACHABLE;
	if (err != 0)
		return fault_set(fault, err, "waiting for a reply: %s",
		    error_row(err)->text);
	peer->unread = span_of(peer->input, got);
	return 0;
}

int
peer_read_reply(struct peer *peer, struct deadline deadline,
    struct peer_reply *reply, struct fault *fault)
{
	bool complete = false;
	size_t counted = 0;
	int err;

	do {
		err = dmtp_client_feed(&peer->client, &peer->unread, &complete,
		    fault);
		if (err == 0)
			err = count_listing(peer, &counted, fault);
		if (err == 0 && !complete)
			err = read_more(peer, deadline, fault);
	} while (err == 0 && !complete);
	if (counted > 0)
		atomic_fetch_sub(&peer->room->held, counted);
	if (err == 0)
		hand_over(peer, reply);
	if (err != 0 || reply->code == reply_row(REPLY_CLOSING)->code)
		peer->useless = true;
	return err;
}

int
peer_send(struct peer *peer, struct span octets, struct deadline deadline,
    struct fault *fault)
{
	int err = stream_write(peer->stream, octets, deadline);

	if (err == 0)
		return 0;
	peer->useless = true;
	return fault_set(fault, err, "sending: %s", error_row(err)->text);
}

static bool
can_be_sent(const char *line)
{
	size_t length = strlen(line);

	for (size_t i = 0; i < length; i++)
		if (line[i] < 0x20 || line[i] > 0x7e)
			return false;
	return length < DMTP_LINE_LIMIT;
}

int
peer_say(struct peer *peer, const char *line, struct deadline deadline,
    struct peer_reply *reply, struct fault *fault)
{
	char text[DMTP_LINE_LIMIT + 1];
	int err;

	reply->code = 0;
	if (!can_be_sent(line))
		return fault_set(fault, ERR_USAGE,
		    "a command that DMTP cannot carry");
	if (peer->useless)
		return fault_set(fault, ERR_UNREACHABLE,
		    "the session has ended");
	snprintf(text, sizeof(text), "%s\n", line);
	if ((err = peer_send(peer, span_string(text), deadline, fault)) != 0)
		return err;
	return peer_read_reply(peer, deadline, reply, fault);
}

int
peer_command(struct peer *peer, const char *line, struct deadline deadline,
    struct peer_reply *reply, struct fault *fault)
{
	int err = peer_say(peer, line, deadline, reply, fault);

	if (err != 0)
		fault_wrap(fault, "%s", peer->host);
	return err;
}

bool
peer_is_good(const struct peer *peer)
{
	return !peer->useless && peer->unread.length == 0;
}

/* True when the host has said goodbye as well. */
static bool
say_goodbye(struct peer *peer, struct deadline deadline)
{
	struct peer_reply reply;
	int err;

	peer_reply_init(&reply);
	err = peer_say(peer, "QUIT", deadline, &reply, NULL);
	/* The greeting of a host whose certificate failed was not waited for.
	 */
	if (err == 0 && (reply.code == reply_row(REPLY_BANNER)->code ||
			    reply.code == reply_row(REPLY_OK)->code))
		err = peer_read_reply(peer, deadline, &reply, NULL);
	peer_reply_free(&reply);
	return err == 0 && reply.code == reply_row(REPLY_BYE)->code;
}

void
peer_close_by(struct peer *peer, struct deadline deadline)
{
	if (peer == NULL)
		return;
	if (peer->stream != NULL && !peer->useless &&
	    say_goodbye(peer, deadline) && peer->accepted)
		stream_keep_session(peer->stream, peer->context,
		    peer->known_as, &peer->tls);
	dmtp_client_free(&peer->client);
	tls_peer_free(&peer->tls);
	stream_free(peer->stream);
	free(peer);
}

void
peer_close(struct peer *peer)
{
	peer_close_by(peer, deadline_in(QUIT_TIME));
}
