/* SPDX-License-Identifier: BSD-2-Clause */
#include "dimectl/policyd.h"
#include "dimectl/verbs.h"

int
verb_resolve(struct dimectl *ctl, int count, char **words)
{
	static const struct option_row options[] = {{.kind = OPTION_END}};
	const char *name = NULL;
	int err = option_read(ctl, count, words, options, &name, 1, 1);

	return err != 0 ? err : policyd_show(ctl, name, POLICYD_WAIT);
}
