/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "client/facts.h"
#include "dmtp/netstring.h"
#include "net/stream.h"

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

static int
receive_answer(struct stream *stream, struct facts_answer *answer,
    struct deadline deadline, struct fault *fault)
{
	struct netstring_reader reader;
	uint8_t octets[8192];
	bool complete = false;
	int err = 0;

	netstring_start(&reader, FACTS_ANSWER_LIMIT);
	while (err == 0 && !complete) {
		struct span input = {octets, 0};

		err = stream_read(stream, octets, sizeof(octets),
		    &input.length, deadline);
		if (err == 0 && input.length == 0)
			err = ERR_UNREACHABLE;
		if (err == 0)
			err = netstring_feed(&reader, &input, &complete);
	}
	if (err == 0)
		err = facts_answer_read(netstring_content(&reader), answer,
		    fault);
	netstring_free(&reader);
	/* What it says badly is policyd's fault and not the mail's. */
	return err == ERR_FORMAT || err == ERR_TOO_LARGE ? ERR_PROTOCOL : err;
}

int
facts_ask(const char *socket_path, const struct facts_request *request,
    struct facts_answer *answer, struct fault *fault)
{
	struct deadline deadline = deadline_in(request->wait + GRACE);
	struct fault why = {0};
	struct stream *stream = NULL;
	int err;

	err = stream_connect_unix(socket_path, deadline, &stream, &why);
	if (err == 0 && (err = send_request(stream, request, deadline)) == 0)
		err = receive_answer(stream, answer, deadline, &why);
	stream_free(stream);
	if (err != 0)
		fault_set(fault, err, "dime-policyd at %s: %s", socket_path,
		    why.text[0] != '\0' ? why.text : error_row(err)->text);
	return err;
}

enum policy_action
facts_met(const char *socket_path, enum rule_outcome outcome, const char *from,
    const char *to, const char *queue)
{
	const struct facts_request request = {.verb = FACTS_MET, .from = from,
	    .to = to, .fingerprint = "", .wait = GRACE, .queue = queue,
	    .outcome = rule_outcome_name(outcome)};
	enum policy_action action = POLICY_DEFER;
	struct facts_answer answer;

	facts_answer_init(&answer);
	if (facts_ask(socket_path, &request, &answer, NULL) == 0 &&
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
