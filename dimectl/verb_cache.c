/* SPDX-License-Identifier: BSD-2-Clause */
#include "dimectl/policyd.h"
#include "dimectl/verbs.h"

static const struct option_row no_options[] = {{.kind = OPTION_END}};

int
verb_cache_show(struct dimectl *ctl, int count, char **words)
{
	const char *name = NULL;
	int err = option_read(ctl, count, words, no_options, &name, 1, 1);

	return err != 0 ? err : policyd_show(ctl, name, 0);
}

int
verb_cache_forget(struct dimectl *ctl, int count, char **words)
{
	struct facts_request request = {.verb = FACTS_FORGET, .from = "",
	    .fingerprint = "", .wait = POLICYD_WAIT};
	struct facts_answer answer;
	const char *name = NULL;
	int err;

	err = option_read(ctl, count, words, no_options, &name, 1, 1);
	if (err != 0)
		return err;
	request.to = name;
	err = policyd_ask(ctl, &request, &answer);
	if (err == 0 && answer.err != 0)
		err = fault_set(&ctl->fault, answer.err, "%s", answer.reason);
	else if (err == 0)
		err = policyd_print(ctl, json_pack("{s:s,s:s}", "name", name,
		    "result", answer.reason));
	facts_answer_free(&answer);
	return err;
}
