/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "dmtp/server.h"
#include "dmtpd/deliver_in.h"
#include "dmtpd/dmtpd.h"
#include "dmtpd/origin.h"
#include "dmtpd/signets.h"
#include "dmtpd/transit.h"

enum {
	PIECE = 4096, /* octets read at a time */
	MINUTE = 60 * 1000,
	HANDSHAKE = MINUTE,
	PARTING = 2 * 1000, /* for the peer to close after us */
	TRANSACTION_IDLE = 4 * MINUTE, /* the least, once MAIL was accepted */
	BULK = 30 * MINUTE,            /* the least for a message or listing */
	LARGE_OUTPUT = 16384,
	/* Sessions with Postfix that are kept: each has one of the hundred
	 * processes of DIME-IN, and only while messages come in quick
	 * succession. */
	INJECTIONS_MOST = 32,
	INJECTION_IDLE = 2 * 1000,
	WORK = 1 << 16, /* octets that, to be hashed, are the work of a MAIL */
};

struct session {
	struct dmtpd *dmtpd;
	struct stream *stream;
	struct live_settings live;
	struct dmtp_server server;
	struct source source;
	struct origin origin;
	bool looked_up; /* an origin was, somewhere else: once is enough */
	bool denied;    /* 450 was said for a limit, and the log knows */
	struct deadline idle;      /* from the last complete line */
	struct deadline bulk;      /* for the message that is coming in */
	bool in_data;
	struct share_holder memory; /* of dmtpd->data_memory */
	struct postfix_session injection; /* kept for the next message */
};

/* ---- events ---- */

static void
note_refused_mail(struct session *session, enum reply reply,
    const struct fault *fault)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "refused");
	log_text(&line, "peer", stream_peer(session->stream));
	log_text(&line, "origin", session->server.arguments[0].text);
	log_number(&line, "code", reply_row(reply)->code);
	log_text(&line, "text", fault->text);
	log_end(&line);
}

/* Once a session. */
static void
note_denied(struct session *session, const char *limit)
{
	struct log_line line;

	if (session->denied)
		return;
	session->denied = true;
	log_begin(&line, LOG_INFO, "denied");
	log_text(&line, "peer", stream_peer(session->stream));
	log_text(&line, "limit", limit);
	log_end(&line);
}

/* Whether the session's source may do that once more; else it is told. */
static bool
may(struct session *session, enum rate rate, int64_t per_minute)
{
	uint8_t key[SOURCE_KEY];

	source_key(&session->source, key);
	if (session->source.family == 0 ||
	    rates_take(session->dmtpd->rates, rate, span_of(key, sizeof(key)),
	        per_minute))
		return true;
	dmtp_server_answer(&session->server, REPLY_ACCESS_DENIED, "");
	note_denied(session, rate == RATE_MAIL ? "source_mail_limit"
	                                       : "source_signet_limit");
	return false;
}

/* What the source had us do was the work of so many MAIL. */
static void
charge(struct session *session, size_t times)
{
	uint8_t key[SOURCE_KEY];

	source_key(&session->source, key);
	if (session->source.family != 0)
		rates_charge(session->dmtpd->rates, RATE_MAIL,
		    span_of(key, sizeof(key)), session->live.source_mail_limit,
		    (int64_t)times);
}

/* Keeps the account of the octets that the session holds: the message and the
 * signet of its origin, which may have megabytes. False when they are more than
 * all sessions, or all of its source, may hold together. */
static bool
count_memory(struct session *session)
{
	size_t octets = session->server.message.capacity;

	if (session->origin.signet != NULL)
		octets += session->origin.signet->signet->length;
	return share_hold(&session->dmtpd->data_memory, &session->memory,
	    octets, (size_t)session->live.data_memory_limit);
}

static void
answer_mail(struct session *session)
{
	const struct dmtp_argument *a = session->server.arguments;
	const struct origin_question question = {a[0].text, a[1].text,
	    session->live.fetch_timeout, session->source,
	    &session->looked_up};
	struct fault fault = {0};
	enum reply reply = REPLY_ACCESS_DENIED;

	if (!may(session, RATE_MAIL, session->live.source_mail_limit))
		return;
	/* Better said before the message has come than after it. */
	if (!rates_left(session->dmtpd->rates, RATE_ORIGIN,
	        span_string(a[0].text), session->live.origin_message_limit))
		fault_set(&fault, ERR_ACCESS_DENIED,
		    "too many messages from this origin in a minute");
	else
		reply = origin_find(session->dmtpd, &question,
		    &session->origin, &fault);
	if (session->origin.signet != NULL)
		charge(session,
		    session->origin.signet->signet->length / WORK);
	if (!count_memory(session)) {
		origin_drop(&session->origin);
		fault_set(&fault, ERR_ACCESS_DENIED,
		    "no memory is left for the signet of this origin");
		reply = REPLY_ACCESS_DENIED;
	}
	if (reply != REPLY_OK)
		note_refused_mail(session, reply, &fault);
	dmtp_server_answer(&session->server, reply, "");
}

/* Whether the domain is ours and the fingerprint that of a signet it has, or
 * had not long ago. */
static int
check_destination(const struct session *session, const char *domain,
    const char *fingerprint)
{
	struct keys *keys = session->dmtpd->keys;
	struct keys_org *org = NULL;
	int err;

	err = keys_find_org(keys, domain, &org, NULL);
	keys_org_free(org);
	if (err != 0)
		return err == ERR_NO_KEY ? ERR_RECIPIENT : err;
	err = keys_find_org_by_fingerprint(keys, domain, fingerprint, &org,
	    NULL);
	if (err == 0 && !keys_takes_mail(keys, org->retired,
	        session->live.signet_grace))
		err = ERR_NO_KEY;
	keys_org_free(org);
	return err == ERR_NO_KEY ? ERR_DESTINATION_SIGNET : err;
}

static void
answer_rcpt(struct session *session)
{
	const struct dmtp_argument *a = session->server.arguments;
	int err = check_destination(session, a[0].text, a[1].text);

	dmtp_server_answer(&session->server,
	    err == 0 ? REPLY_OK : reply_of_error(err), "");
}

static void
end_injection(struct session *session)
{
	if (session->injection.stream == NULL)
		return;
	postfix_session_end(&session->injection);
	atomic_fetch_sub(&session->dmtpd->injections, 1);
}

/* After a delivery, which may have kept a session or ended the one that it
 * had. */
static void
count_injection(struct session *session, bool had)
{
	const bool has = session->injection.stream != NULL;

	if (had && !has)
		atomic_fetch_sub(&session->dmtpd->injections, 1);
	else if (has && !had &&
	    atomic_fetch_add(&session->dmtpd->injections, 1) >=
	        INJECTIONS_MOST)
		end_injection(session);
}

static void
answer_data(struct session *session)
{
	struct dmtp_server *server = &session->server;
	struct deliver_in delivery = {
	    .dmtpd = session->dmtpd,
	    .peer = stream_peer(session->stream),
	    .size_limit = transit_binary_size(
	        session->live.message_size_limit),
	    .origin_limit = session->live.origin_message_limit,
	    .grace = session->live.signet_grace,
	    .origin = session->origin.signet,
	    .origin_domain = server->origin.domain,
	    .destination = server->destination.domain,
	    .destination_fingerprint = server->destination.fingerprint,
	    .armor = &server->message,
	    .injection = &session->injection,
	};
	size_t length = server->message.length;
	const bool had = session->injection.stream != NULL;
	enum reply reply;

	reply = deliver_in(&delivery);
	count_injection(session, had);

	/* 578 may also be dime-milter's, which has tried all keys as well. */
	charge(session, length / WORK * (reply == REPLY_SIGNATURE
	    ? 1 + session->origin.signet->sok_count : delivery.in_vain));
	dmtp_server_answer(server, reply,
	    reply == REPLY_ACCEPTED || reply == REPLY_DUPLICATE
	        ? delivery.identifier : "");
}

/* SGNT, VRFY and HIST, of which a source has only so many: nobody shall list
 * our mailboxes by asking for one after the other. */
static void
answer_question(struct session *session, enum dmtp_server_event event)
{
	struct dmtpd *dmtpd = session->dmtpd;

	if (!may(session, RATE_SIGNETS, session->live.source_signet_limit))
		return;
	if (event == DMTP_SERVER_SGNT)
		signets_answer_sgnt(dmtpd, &session->server);
	else if (event == DMTP_SERVER_VRFY)
		signets_answer_vrfy(dmtpd, &session->server);
	else
		signets_answer_hist(dmtpd, &session->server);
}

static void
answer(struct session *session, enum dmtp_server_event event)
{
	switch (event) {
	case DMTP_SERVER_MAIL:
		/* Sessions are long: a transaction is by what is in force. */
		session->live = dmtpd_live(session->dmtpd);
		answer_mail(session);
		break;
	case DMTP_SERVER_RCPT:
		answer_rcpt(session);
		break;
	case DMTP_SERVER_DATA:
		answer_data(session);
		break;
	case DMTP_SERVER_SGNT:
	case DMTP_SERVER_VRFY:
	case DMTP_SERVER_HIST:
		answer_question(session, event);
		break;
	case DMTP_SERVER_QUIT:
	case DMTP_SERVER_NOTHING:
		break;
	}
}

/* ---- limits ---- */

static void
restart_idle(struct session *session)
{
	int64_t idle = session->live.idle_timeout;

	if (dmtp_server_in_transaction(&session->server) &&
	    idle < TRANSACTION_IDLE)
		idle = TRANSACTION_IDLE;
	session->idle = deadline_in(idle);
}

/* Half an hour for a message, and a minute more for each megabyte of it that
 * has come: a slow peer is waited for, a stalling one is not. */
static struct deadline
bulk_deadline(struct session *session)
{
	struct deadline bulk;

	if (!session->in_data)
		session->bulk = deadline_in(BULK);
	session->in_data = true;
	bulk = session->bulk;
	bulk.at += (int64_t)(session->server.message.length >> 20) * MINUTE;
	return bulk;
}

static struct deadline
next_deadline(struct session *session)
{
	if (!dmtp_server_in_data(&session->server)) {
		session->in_data = false;
		return session->idle;
	}
	return deadline_earlier(session->idle, bulk_deadline(session));
}

/* A message that is too much is let go of. False when it has come to its end,
 * so that it is refused at once. */
static bool
bound_memory(struct session *session, enum dmtp_server_event event)
{
	if (count_memory(session))
		return true;
	note_denied(session, "data_memory_limit");
	dmtp_server_refuse_data(&session->server, REPLY_ACCESS_DENIED);
	if (event == DMTP_SERVER_DATA)
		dmtp_server_answer(&session->server, REPLY_ACCESS_DENIED, "");
	count_memory(session);
	return event != DMTP_SERVER_DATA;
}

/* ---- the conversation ---- */

static int
flush(struct session *session)
{
	struct buffer *output = &session->server.output;
	int err;

	if (output->length == 0)
		return output->error;
	restart_idle(session);
	err = stream_write(session->stream, buffer_span(output),
	    output->length > DMTP_LINE_LIMIT ? deadline_in(BULK)
	                                     : session->idle);
	buffer_free(output);
	restart_idle(session);
	return err;
}

/* True until the peer said QUIT, or takes no replies. Large ones are not
 * collected: a few lines can ask for many signets with pictures. */
static bool
feed(struct session *session, struct span input)
{
	struct dmtp_server *server = &session->server;
	uint64_t lines = server->lines;
	enum dmtp_server_event event;

	do {
		event = dmtp_server_feed(server, &input);
		if (bound_memory(session, event))
			answer(session, event);
		if (!dmtp_server_in_transaction(server))
			origin_rest(&session->origin);
		count_memory(session);
		/* Another message may begin in the same piece. */
		if (event == DMTP_SERVER_DATA)
			session->in_data = false;
		if (server->output.length > LARGE_OUTPUT &&
		    flush(session) != 0)
			return false;
	} while (event != DMTP_SERVER_NOTHING && event != DMTP_SERVER_QUIT);
	if (server->lines != lines)
		restart_idle(session);
	return event != DMTP_SERVER_QUIT;
}

/* Reads what comes next. A session with Postfix is not kept for long
 * meanwhile. */
static int
read_input(struct session *session, struct span *input, uint8_t *octets,
    size_t size)
{
	struct deadline deadline = next_deadline(session);

	if (session->injection.stream != NULL) {
		int err = dmtpd_read(session->dmtpd, session->stream,
		    deadline_earlier(deadline, deadline_in(INJECTION_IDLE)),
		    input, octets, size);

		if (err != ERR_TIMEOUT)
			return err;
		end_injection(session);
	}
	return dmtpd_read(session->dmtpd, session->stream, deadline, input,
	    octets, size);
}

static void
converse(struct session *session)
{
	uint8_t octets[PIECE];
	struct span input;
	bool open = true;
	int err;

	err = flush(session);
	while (err == 0 && open) {
		err = read_input(session, &input, octets, sizeof(octets));
		if (err == 0 && input.length == 0)
			break;
		if (err == ERR_TIMEOUT)
			dmtp_server_say_closing(&session->server);
		else if (err == 0)
			open = feed(session, input);
		if (err == 0 || err == ERR_TIMEOUT) {
			int flushed = flush(session);

			err = err != 0 ? err : flushed;
		}
	}
	if (err == 0 || err == ERR_TIMEOUT)
		stream_finish(session->stream, deadline_in(PARTING));
}

/* `host` is NULL unless STARTTLS named one. */
static void
serve(struct stream *stream, const char *host, struct dmtpd *dmtpd)
{
	struct session session = {.dmtpd = dmtpd, .stream = stream};
	struct dmtp_server_settings settings;
	struct fault fault;
	int err;

	session.live = dmtpd_live(session.dmtpd);
	session.source = source_of_text(stream_peer(stream),
	    &session.live.prefixes);
	session.memory.source = session.source;
	err = stream_start_tls_server_as(stream, dmtpd->tls_server, host,
	    deadline_in(HANDSHAKE), &fault);
	if (err != 0) {
		log_note(LOG_DEBUG, "handshake", "%s: %s", stream_peer(stream),
		    fault.text);
		return;
	}
	settings.hostname = session.dmtpd->hostname;
	settings.size_limit = transit_armor_size(
	    transit_binary_size(session.live.message_size_limit));
	settings.is_elevated = host != NULL;
	dmtp_server_start(&session.server, &settings);
	restart_idle(&session);
	converse(&session);
	end_injection(&session);
	dmtp_server_free(&session.server);
	origin_drop(&session.origin);
	count_memory(&session);
}

void
dmtp_session_serve(struct stream *stream, void *context)
{
	serve(stream, NULL, context);
}

void
dmtp_session_elevate(struct stream *stream, const char *host,
    struct dmtpd *dmtpd)
{
	serve(stream, host, dmtpd);
}
