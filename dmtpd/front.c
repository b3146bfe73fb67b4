/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/log.h"
#include "dmtp/front.h"
#include "dmtpd/front.h"

enum {
	PIECE = 16384, /* octets read at a time */
	ENOUGH = PIECE, /* held for a client: he is not read until he reads */
	SECOND = 1000,
	GLANCE = 2 * SECOND, /* how often a waiting thread looks up */
	CONNECT = 30 * SECOND,
	HANDSHAKE = 60 * SECOND,
	/* The time-outs of SMTP are Postfix's; this is for what has died. */
	IDLE = 3600 * SECOND,
	/* For a client to take what is held for him, whatever else he does:
	 * Postfix, who would cut him off, may be gone, and is not heard
	 * then. */
	UNTAKEN = 300 * SECOND,
	/* For a client to read the last reply before he is cut off. */
	LINGER = 5 * SECOND,
};

/* A client and his connection to Postfix. */
struct relay {
	struct dmtpd *dmtpd;
	struct stream *client, *server;
	struct front front;
	bool client_ended, server_ended; /* there will be no more from there */
	bool server_shut;  /* nor will there be more for Postfix */
	bool client_waits; /* he spoke last: Postfix is at work */
	bool moved;        /* anything, in this turn */
	struct deadline end;   /* moved by octets */
	struct deadline taken; /* since nothing was held for the client */
	uint8_t octets[PIECE];
};

/* ---- the beginning ---- */

/* Who he is, for Postfix (PROXY protocol, version 1). */
static void
write_proxy_header(struct relay *relay)
{
	struct buffer *out = &relay->front.to_server;
	struct stream_end peer, own;

	stream_ends(relay->client, &peer, &own);
	if (peer.family == 0 || peer.family != own.family)
		buffer_append_string(out, "PROXY UNKNOWN\r\n");
	else
		buffer_printf(out, "PROXY %s %s %s %u %u\r\n",
		    peer.family == AF_INET ? "TCP4" : "TCP6", peer.address,
		    own.address, peer.port, own.port);
}

static void
say_closing(const struct dmtpd *dmtpd, struct stream *client, const char *why,
    struct deadline deadline)
{
	struct buffer line = buffer_make(512);

	buffer_printf(&line, "421 4.3.2 %s %s\r\n", dmtpd->hostname, why);
	stream_write(client, buffer_span(&line), deadline);
	buffer_free(&line);
}

static bool
connect_postfix(struct relay *relay, const struct front_route *route)
{
	struct fault fault = {0};

	if (stream_connect((const struct sockaddr *)&route->postfix,
	        route->postfix_length, NULL, 0, deadline_in(CONNECT),
	        &relay->server, &fault) == 0)
		return true;
	log_note(LOG_ERR, "front-unreachable",
	    "Postfix behind %s, port %u: %s", route->address, route->port,
	    fault.text);
	say_closing(relay->dmtpd, relay->client,
	    "service is not available, try again later", deadline_in(CONNECT));
	stream_finish(relay->client, deadline_in(LINGER));
	return false;
}

void
front_refuse(struct stream *stream, void *context)
{
	const struct dmtpd *dmtpd = context;
	struct stream_end peer, own;

	stream_ends(stream, &peer, &own);
	for (size_t i = 0; i < dmtpd->route_count; i++) {
		if (dmtpd->routes[i].port != own.port)
			continue;
		say_closing(dmtpd, stream, "too many connections",
		    deadline_in(0));
		return;
	}
}

/* ---- the middle ---- */

static int
write_out(struct relay *relay, struct stream *to, struct buffer *out)
{
	size_t moved;
	int err = stream_write_some(to, buffer_span(out), &moved);

	buffer_consume(out, moved);
	relay->moved |= moved > 0;
	return err != 0 ? err : out->error;
}

/* What comes next, if anything is there; *ended when nothing will be. */
static int
read_in(struct relay *relay, struct stream *from, struct span *input,
    bool *ended)
{
	int err;

	*input = span_of(relay->octets, 0);
	err = stream_read(from, relay->octets, sizeof(relay->octets),
	    &input->length, deadline_in(0));
	if (err == ERR_TIMEOUT)
		return 0;
	*ended = err != 0 || input->length == 0;
	relay->moved = true;
	return err;
}

static bool
wants_client(const struct relay *relay)
{
	return !relay->client_ended && relay->front.to_server.length == 0 &&
	    relay->front.to_client.length < ENOUGH &&
	    front_reads_client(&relay->front);
}

static bool
wants_server(const struct relay *relay)
{
	return !relay->server_ended && relay->front.to_client.length == 0;
}

/* A client who breaks off ends it: Postfix then sees the same. */
static int
turn_client(struct relay *relay, enum front_event *event)
{
	struct span input;
	int err = write_out(relay, relay->client, &relay->front.to_client);

	if (err != 0 || !wants_client(relay))
		return err;
	err = read_in(relay, relay->client, &input, &relay->client_ended);
	if (input.length > 0)
		relay->client_waits = true;
	*event = front_take_client(&relay->front, input);
	if (relay->client_ended && err == 0)
		*event = front_end_client(&relay->front);
	return err;
}

/* Postfix may have closed and left a last reply: it is read to the end whatever
 * becomes of what it is sent. */
static void
turn_server(struct relay *relay, enum front_event *event)
{
	struct buffer *out = &relay->front.to_server;
	struct span input;

	if (relay->server_shut || write_out(relay, relay->server, out) != 0) {
		relay->server_shut = true;
		buffer_reset(out);
	}
	if (!wants_server(relay))
		return;
	read_in(relay, relay->server, &input, &relay->server_ended);
	if (input.length > 0)
		relay->client_waits = false;
	*event = front_take_server(&relay->front, input);
	if (relay->server_ended)
		*event = front_end_server(&relay->front);
}

/* Hands an end of input on. True when that was all: what a client says to a
 * server who has closed has no reader. */
static bool
pass_ends(struct relay *relay)
{
	struct front *front = &relay->front;

	if (relay->server_ended && front->to_client.length == 0) {
		stream_finish(relay->client, deadline_in(LINGER));
		return true;
	}
	if (relay->client_ended && front->to_server.length == 0 &&
	    !relay->server_shut) {
		stream_end_output(relay->server);
		relay->server_shut = true;
	}
	return false;
}

static struct deadline
next_deadline(const struct relay *relay)
{
	return relay->front.to_client.length == 0
	    ? relay->end : deadline_earlier(relay->end, relay->taken);
}

/* Nothing could be moved: waits until something can. False when it is over; in
 * a stopping dmtpd as soon as the client is not waiting for Postfix. */
static bool
wait_for_more(struct relay *relay)
{
	struct front *front = &relay->front;
	const struct stream_interest interests[2] = {
	    {relay->client, wants_client(relay), front->to_client.length > 0},
	    {relay->server, wants_server(relay), front->to_server.length > 0},
	};
	int err;

	if (front->to_client.length == 0)
		buffer_free(&front->to_client);
	if (front->to_server.length == 0)
		buffer_free(&front->to_server);
	err = stream_wait_two(interests,
	    deadline_earlier(next_deadline(relay), deadline_in(GLANCE)));
	if (err != ERR_TIMEOUT)
		return err == 0;
	return relay->client_waits || !server_stopping(relay->dmtpd->server);
}

static enum front_event
pass_octets(struct relay *relay)
{
	enum front_event event = FRONT_NOTHING;

	relay->end = deadline_in(IDLE);
	relay->taken = deadline_in(UNTAKEN);
	for (;;) {
		relay->moved = false;
		if (turn_client(relay, &event) != 0)
			return FRONT_CLOSE;
		if (event == FRONT_NOTHING)
			turn_server(relay, &event);
		if (event != FRONT_NOTHING)
			return event;
		if (pass_ends(relay))
			return FRONT_CLOSE;
		if (relay->moved)
			relay->end = deadline_in(IDLE);
		if (relay->front.to_client.length == 0)
			relay->taken = deadline_in(UNTAKEN);
		if (deadline_left(next_deadline(relay)) == 0 ||
		    (!relay->moved && !wait_for_more(relay)))
			return FRONT_CLOSE;
	}
}

/* ---- the end ---- */

static void
log_refusal(const struct relay *relay)
{
	struct log_line line;

	log_begin(&line, LOG_WARNING, "starttls-refused");
	log_text(&line, "peer", stream_peer(relay->client));
	log_text(&line, "host", relay->front.host);
	log_text(&line, "text", relay->front.why);
	log_end(&line);
}

/* The last words before TLS; Postfix is told goodbye, and not waited for. */
static enum front_event
switch_over(struct relay *relay, enum front_event event)
{
	struct front *front = &relay->front;
	struct log_line line;
	size_t moved;

	log_begin(&line, LOG_INFO, "starttls");
	log_text(&line, "peer", stream_peer(relay->client));
	log_text(&line, "host", front->host);
	log_text(&line, "mode", event == FRONT_DMTP ? "DMTP" : "SMTP");
	log_end(&line);
	stream_write_some(relay->server, buffer_span(&front->to_server),
	    &moved);
	return stream_write(relay->client, buffer_span(&front->to_client),
	           deadline_in(HANDSHAKE)) == 0 ? event : FRONT_CLOSE;
}

/* One connection to Postfix; how it ended, with the host of STARTTLS in `host`,
 * unless the client is secured already. */
static enum front_event
pass_on(const struct front_route *route, struct stream *client,
    char host[DOMAIN_SIZE])
{
	struct relay *relay = calloc(1, sizeof(*relay));
	enum front_event event = FRONT_CLOSE;

	if (relay == NULL)
		return FRONT_CLOSE;
	relay->dmtpd = route->dmtpd;
	relay->client = client;
	front_start(&relay->front, host == NULL);
	if (connect_postfix(relay, route)) {
		write_proxy_header(relay);
		event = pass_octets(relay);
	}
	if (relay->front.event == FRONT_CLOSE)
		log_refusal(relay);
	if (event != FRONT_CLOSE)
		event = switch_over(relay, event);
	if (event != FRONT_CLOSE)
		memcpy(host, relay->front.host, DOMAIN_SIZE);
	stream_free(relay->server);
	front_free(&relay->front);
	free(relay);
	return event;
}

static bool
start_tls(const struct dmtpd *dmtpd, const char *host, struct stream *client)
{
	struct fault fault = {0};

	if (stream_start_tls_server_as(client, dmtpd->tls_server, host,
	        deadline_in(HANDSHAKE), &fault) == 0)
		return true;
	log_note(LOG_DEBUG, "handshake", "%s: %s", stream_peer(client),
	    fault.text);
	return false;
}

void
front_serve(struct stream *stream, void *context)
{
	const struct front_route *route = context;
	char host[DOMAIN_SIZE];
	enum front_event event = pass_on(route, stream, host);

	if (event == FRONT_DMTP)
		dmtp_session_elevate(stream, host, route->dmtpd);
	else if (event == FRONT_SMTP && start_tls(route->dmtpd, host, stream))
		pass_on(route, stream, NULL);
}
