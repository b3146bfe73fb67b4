/* SPDX-License-Identifier: BSD-2-Clause */
#include "dimectl/policyd.h"
#include "dimectl/verbs.h"

static json_t *
explanation(const struct facts_request *request,
    const struct facts_answer *answer)
{
	return json_pack(
	    "{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:s, s:o, s:s, s:o, s:o, s:o,"
	    " s:o}",
	    "from", request->from,
	    "to", request->to,
	    "sender", record_policy_name(answer->facts.sender),
	    "dns", dns_answer_name(answer->facts.dns),
	    "receiver", record_policy_name(answer->facts.receiver),
	    "pinned", answer->facts.pinned,
	    "required", answer->facts.required,
	    "signet", signet_answer_name(answer->facts.signet),
	    "cell", policyd_text(answer->cell),
	    "action", policy_action_name(answer->action),
	    "reason", policyd_text(answer->reason),
	    "error", answer->err == 0
	        ? json_null()
	        : json_string(error_row(answer->err)->name),
	    "source", policyd_text(answer->source),
	    "organization", policyd_text(answer->organization));
}

int
verb_explain(struct dimectl *ctl, int count, char **words)
{
	static const struct option_row options[] = {{.kind = OPTION_END}};
	struct facts_request request = {.verb = FACTS_DECIDE,
	    .fingerprint = "", .wait = POLICYD_WAIT};
	struct facts_answer answer;
	const char *names[2];
	int err;

	err = option_read(ctl, count, words, options, names, 2, 2);
	if (err != 0)
		return err;
	request.from = names[0];
	request.to = names[1];
	err = policyd_ask(ctl, &request, &answer);
	if (err == 0)
		err = policyd_print(ctl, explanation(&request, &answer));
	facts_answer_free(&answer);
	return err;
}
