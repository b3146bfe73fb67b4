/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/facts.h"
#include "dmtp/netstring.h"
#include "policy/claim.h"
#include "policy/conversation.h"
#include "policy/explain.h"
#include "policy/inquiry.h"
#include "policy/listen.h"
#include "policy/map.h"
#include "policy/spread.h"

enum {
	NETSTRING_FRAME = 16, /* octets around the content, at most */
	/* Milliseconds. Postfix keeps its connections for as long as its
	 * processes live. */
	MAP_SILENCE = 3600 * 1000,
};

/* ---- facts ---- */

static void (*const inquiries[FACTS_VERBS])(struct policyd *policyd,
    const struct facts_request *request, struct facts_answer *answer) = {
    [FACTS_DECIDE] = decide_outbound,
    [FACTS_INBOUND] = decide_inbound,
    [FACTS_SIGNET] = inquiry_signet,
    [FACTS_HOSTS] = inquiry_hosts,
    [FACTS_NOTE_NAKED] = inquiry_note_naked,
    [FACTS_FORGET] = inquiry_forget,
    [FACTS_STATUS] = inquiry_status,
    [FACTS_EXPLAIN] = explain_answer,
    [FACTS_MET] = explain_met,
    [FACTS_ADDRESSES] = inquiry_addresses,
    [FACTS_STALE] = inquiry_stale,
    [FACTS_CLAIM] = claim_take,
    [FACTS_DELIVERED] = claim_delivered,
    [FACTS_RELEASE] = claim_release,
    [FACTS_SPREAD] = spread_answer,
};

static void
answer_facts(void *context, struct span question, struct buffer *out)
{
	struct policyd *policyd = context;
	struct buffer storage = buffer_make(FACTS_REQUEST_LIMIT);
	struct buffer text = buffer_make(FACTS_ANSWER_LIMIT);
	struct facts_request request;
	struct facts_answer answer;
	struct fault fault = {0};

	facts_answer_init(&answer);
	atomic_fetch_add(&policyd->statistics.facts_requests, 1);
	if (facts_request_read(question, &request, &storage, &fault) == 0) {
		inquiries[request.verb](policyd, &request, &answer);
	} else {
		atomic_fetch_add(&policyd->statistics.facts_malformed, 1);
		answer.err = ERR_FORMAT;
		span_copy_string(span_string(fault.text), answer.reason,
		    sizeof(answer.reason));
	}
	facts_answer_write(&answer, &text);
	if (text.error != 0)
		out->error = text.error;
	else
		netstring_write(buffer_span(&text), out);
	facts_answer_free(&answer);
	buffer_free(&storage);
	buffer_free(&text);
}

void
listen_facts(struct stream *stream, void *context)
{
	const struct conversation conversation = {
	    .question_limit = FACTS_REQUEST_LIMIT,
	    .answer_limit = (size_t)FACTS_ANSWER_LIMIT + NETSTRING_FRAME,
	    .silence = FACTS_SILENCE,
	    .answer = answer_facts,
	    .context = context,
	};

	conversation_hold(&conversation, stream);
}

/* ---- the map ---- */

static void
answer_map(void *context, struct span question, struct buffer *out)
{
	struct socketmap_query query;
	enum socketmap_status status;
	struct fault fault;
	char text[512];

	if (socketmap_read(question, &query, &fault) != 0)
		socketmap_write(SOCKETMAP_PERM, fault.text, out);
	else {
		status = map_answer(context, &query, text);
		socketmap_write(status,
		    status == SOCKETMAP_NOTFOUND ? "" : text, out);
	}
}

void
listen_map(struct stream *stream, void *context)
{
	const struct conversation conversation = {
	    .question_limit = SOCKETMAP_QUERY_LIMIT,
	    .answer_limit = SOCKETMAP_REPLY_LIMIT,
	    .silence = MAP_SILENCE,
	    .answer = answer_map,
	    .context = context,
	};

	conversation_hold(&conversation, stream);
}
