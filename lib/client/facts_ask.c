/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "client/facts_private.h"
#include "dmtp/netstring.h"

enum { GRACE = 1000 /* milliseconds for policyd's own work */ };

static int
send_request(struct stream *stream, const struct facts_request *request,
    struct deadline deadline)
{
	struct buffer text = buffer_make(FACTS_REQUEST_LIMIT);
	struct buffer out = buffer_make(FACTS_REQUEST_LIMIT + 16);
	int err;

	facts_request_write(request, &text);
	netstring_write(buffer_span(&text), &out);
	err = text.error != 0 ? text.error : out.error;
	if (err == 0)
		err = stream_write(stream, buffer_span(&out), deadline);
	buffer_free(&text);
	buffer_free(&out);
	return err;
}

/* How far an answer came. */
struct reception {
	bool begun; /* an octet of it is there */
	bool whole; /* all of it, and nothing behind it */
};

static int
receive_answer(struct stream *stream, struct facts_answer *answer,
    struct deadline deadline, struct reception *reception, struct fault *fault)
{
	struct netstring_reader reader;
	struct span input = {NULL, 0};
	uint8_t octets[8192];
	bool complete = false;
	int err = 0;

	netstring_start(&reader, FACTS_ANSWER_LIMIT);
	while (err == 0 && !complete) {
		input.data = octets;
		err = stream_read(stream, octets, sizeof(octets),
		    &input.length, deadline);
		if (err == 0 && input.length == 0)
			err = ERR_UNREACHABLE;
		if (err == 0) {
			reception->begun = true;
			err = netstring_feed(&reader, &input, &complete);
		}
	}
	if (err == 0)
		err = facts_answer_read(netstring_content(&reader), answer,
		    fault);
	reception->whole = err == 0 && input.length == 0;
	netstring_free(&reader);
	/* What it says badly is policyd's fault and not the mail's. */
	return err == ERR_FORMAT || err == ERR_TOO_LARGE ? ERR_PROTOCOL : err;
}

/* Takes the stream over. */
static int
converse(struct facts_client *client, struct stream *stream,
    const struct facts_request *request, struct facts_answer *answer,
    struct deadline deadline, struct reception *reception, struct fault *fault)
{
	int err = send_request(stream, request, deadline);

	if (err == 0)
		err = receive_answer(stream, answer, deadline, reception,
		    fault);
	if (reception->whole)
		facts_client_keep(client, stream);
	else
		stream_free(stream);
	return err;
}

static int
ask_freshly(struct facts_client *client, const struct facts_request *request,
    struct facts_answer *answer, struct deadline deadline, struct fault *fault)
{
	struct reception reception = {0};
	struct stream *stream;
	int err;

	err = stream_connect_unix(facts_client_path(client), deadline, &stream,
	    fault);
	return err != 0 ? err
	                : converse(client, stream, request, answer, deadline,
	                      &reception, fault);
}

int
facts_ask(struct facts_client *client, const struct facts_request *request,
    struct facts_answer *answer, struct fault *fault)
{
	struct deadline deadline = deadline_in(request->wait + GRACE);
	struct stream *kept = facts_client_take(client);
	struct reception reception = {0};
	struct fault why = {0};
	bool again = kept == NULL;
	int err = 0;

	if (kept != NULL) {
		err = converse(client, kept, request, answer, deadline,
		    &reception, &why);
		again = err == ERR_UNREACHABLE && !reception.begun &&
		    request->verb != FACTS_SPREAD;
	}
	if (again)
		err = ask_freshly(client, request, answer, deadline, &why);
	if (err != 0)
		fault_set(fault, err, "dime-policyd at %s: %s",
		    facts_client_path(client),
		    why.text[0] != '\0' ? why.text : error_row(err)->text);
	return err;
}

enum policy_action
facts_met(struct facts_client *client, enum rule_outcome outcome,
    const char *from, const char *to, const char *queue)
{
	const struct facts_request request = {.verb = FACTS_MET, .from = from,
	    .to = to, .fingerprint = "", .wait = GRACE, .queue = queue,
	    .outcome = rule_outcome_name(outcome)};
	enum policy_action action = POLICY_DEFER;
	struct facts_answer answer;

	facts_answer_init(&answer);
	if (facts_ask(client, &request, &answer, NULL) == 0 &&
	    answer.err == 0)
		action = answer.action;
	facts_answer_free(&answer);
	return action == POLICY_REFUSE ? POLICY_REFUSE : POLICY_DEFER;
}

/* ---- the signets of an answer ---- */

static int
verify_org(const struct facts_answer *answer, struct org_signet **out,
    struct fault *fault)
{
	struct signet *signet = NULL;
	struct record *record = malloc(sizeof(*record));
	int err = ERR_MEMORY;

	if (record == NULL)
		return fault_set(fault, err, "out of memory");
	if ((err = record_parse(buffer_span(&answer->record), record, NULL,
	         NULL, fault)) != 0 ||
	    (err = signet_parse(buffer_span(&answer->org_signet), &signet,
	         fault)) != 0)
		goto out;
	err = signet_verify_org(signet,
	    (const uint8_t(*)[CRYPTO_SIGN_PUBLIC])record->poks,
	    record->pok_count, answer->organization, out, fault);
	if (err != 0)
		signet_free(signet);
out:
	free(record);
	return err;
}

static int
verify_user(const struct facts_answer *answer, const char *address,
    const struct org_signet *org, struct user_signet **out,
    struct fault *fault)
{
	struct signet *signet;
	int err;

	err = signet_parse(buffer_span(&answer->user_signet), &signet, fault);
	if (err != 0)
		return err;
	err = signet_verify_user(signet, org, address, out, fault);
	if (err != 0)
		signet_free(signet);
	return err;
}

int
facts_verify(const struct facts_answer *answer, const char *address,
    struct org_signet **org, struct user_signet **user, struct fault *fault)
{
	struct org_signet *verified = NULL;
	int err;

	if (org != NULL)
		*org = NULL;
	if (user != NULL)
		*user = NULL;
	if (answer->err != 0)
		return fault_set(fault, answer->err, "%s", answer->reason);
	if (!answer->confirmed || answer->org_signet.length == 0 ||
	    (user != NULL && answer->user_signet.length == 0))
		return fault_set(fault, ERR_UNCONFIRMED,
		    "%s: dime-policyd has no confirmed signet", address);
	if ((err = verify_org(answer, &verified, fault)) != 0)
		return fault_wrap(fault, "%s", answer->organization);
	if (user != NULL &&
	    (err = verify_user(answer, address, verified, user, fault)) != 0) {
		org_signet_free(verified);
		return fault_wrap(fault, "%s", address);
	}
	if (org != NULL)
		*org = verified;
	else
		org_signet_free(verified);
	return 0;
}
