/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIMECTL_VERBS_H
#define DIME_DIMECTL_VERBS_H

#include "dimectl/dimectl.h"

/* Every verb of verbs.def: reads its words, works, fills ctl->output. Returns
 * 0, or ERR_* with the sentence in ctl->fault. */
#define VERB(noun, action, run, synopsis)                                      \
	int run(struct dimectl *ctl, int count, char **words);
#include "dimectl/verbs.def"
#undef VERB

#endif
