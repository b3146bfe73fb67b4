/* SPDX-License-Identifier: BSD-2-Clause */
#include "dimectl/elements.h"
#include "dimectl/explain.h"
#include "dimectl/files.h"

int
explain_signet(struct dimectl *ctl, const char *path)
{
	struct signet *signet;
	struct elements elements;
	int refusal, err;

	/* Anything but a signet, a key file above all, leaves nothing. */
	refusal = files_survey_signet(path, &signet, &ctl->fault);
	if (signet == NULL)
		return refusal;
	elements_start(&elements, ctl, "doc/signets.md");
	signet_explain(signet, &elements.explainer);
	signet_free(signet);
	err = elements_end(&elements);
	ctl->show_partial = err == 0;
	return err != 0 ? err : refusal;
}
