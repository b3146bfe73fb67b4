/* SPDX-License-Identifier: BSD-2-Clause */
#include "dimectl/policyd.h"
#include "dimectl/verbs.h"

static json_t *
question(const struct facts_request *request, const struct facts_answer *answer)
{
	return json_pack("{s:s, s:s, s:s, s:s}",
	    "from", request->from,
	    "to", request->to,
	    "direction", answer->direction,
	    "mode", answer->shadow ? "shadow" : "enforce");
}

static json_t *
rule_or_null(const struct facts_answer *answer)
{
	if (answer->rule_number == 0)
		return json_null();
	return json_pack("{s:I, s:s, s:b}",
	    "number", (json_int_t)answer->rule_number,
	    "text", answer->rule,
	    "decides", answer->by_rule);
}

static json_t *
verdict(const struct facts_answer *answer)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:s}",
	    "sender", record_policy_name(answer->facts.sender),
	    "receiver", record_policy_name(answer->facts.receiver),
	    "cell", policyd_text(answer->cell),
	    "rule", rule_or_null(answer),
	    "outcome", policyd_text(answer->outcome),
	    "action", policy_action_name(answer->action),
	    "error", policyd_error(answer),
	    "reason", policyd_text(answer->reason),
	    "effect", "none: nothing is sent, noted or counted; what had to be "
	    "looked up is kept as for any mail");
}

static json_t *
explanation(const struct facts_request *request,
    const struct facts_answer *answer)
{
	json_t *object = policyd_join(question(request, answer),
	    policyd_domain(answer), policyd_signets(answer));

	return object == NULL
	    ? NULL
	    : policyd_join(object, verdict(answer), json_object());
}

int
verb_explain(struct dimectl *ctl, int count, char **words)
{
	static const struct option_row options[] = {{.kind = OPTION_END}};
	struct facts_request request = {.verb = FACTS_EXPLAIN,
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
	if (err == 0 && answer.err == ERR_USAGE)
		err = fault_set(&ctl->fault, ERR_USAGE, "%s", answer.reason);
	if (err == 0)
		err = policyd_print(ctl, explanation(&request, &answer));
	facts_answer_free(&answer);
	return err;
}
