/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIMECTL_ELEMENTS_H
#define DIME_DIMECTL_ELEMENTS_H

#include "dime/explain.h"
#include "dimectl/dimectl.h"

/*
 * Prints what explain.h tells of an object, a line an element, or as JSON:
 *
 *	struct elements elements;
 *
 *	elements_start(&elements, ctl, "doc/signets.md");
 *	signet_explain(signet, &elements.explainer);
 *	err = elements_end(&elements);
 */
struct elements {
	struct explainer explainer;
	struct dimectl *ctl;
	const char *document;
	json_t *list; /* with --json */
	bool without_memory;
};

/* `document` is where the rules stand. */
void elements_start(struct elements *elements, struct dimectl *ctl,
    const char *document);

/* Puts an end to what elements_start() began, in any case. */
int elements_end(struct elements *elements);

#endif
