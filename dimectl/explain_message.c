/* SPDX-License-Identifier: BSD-2-Clause */
#include "dimectl/elements.h"
#include "dimectl/explain.h"

int
explain_message(struct dimectl *ctl, const struct message *message)
{
	struct elements elements;
	int err, end_err;

	elements_start(&elements, ctl, "doc/dmime.md");
	err = message_explain(message, &elements.explainer, &ctl->fault);
	end_err = elements_end(&elements);
	return err != 0 ? err : end_err;
}
