/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include <libpsl.h>

#include "policy/suffix.h"

struct suffixes {
	psl_ctx_t *list;
};

int
suffixes_new(const char *path, struct suffixes **out, struct fault *fault)
{
	struct suffixes *suffixes = calloc(1, sizeof(*suffixes));

	*out = NULL;
	if (suffixes == NULL)
		return fault_set(fault, ERR_MEMORY, "out of memory");
	suffixes->list =
	    *path == '\0' ? psl_latest(NULL) : psl_load_file(path);
	/* What is no list is read as one without suffixes. */
	if (suffixes->list == NULL || psl_suffix_count(suffixes->list) == 0) {
		suffixes_free(suffixes);
		return fault_set(fault, ERR_CONFIG,
		    "public_suffix_file: %s: no Public Suffix List",
		    *path == '\0' ? "the system's" : path);
	}
	*out = suffixes;
	return 0;
}

void
suffixes_free(struct suffixes *suffixes)
{
	if (suffixes == NULL)
		return;
	psl_free(suffixes->list);
	free(suffixes);
}

const char *
suffixes_organization(const struct suffixes *suffixes, const char *domain)
{
	const char *organization =
	    psl_registrable_domain(suffixes->list, domain);

	return organization == NULL ? domain : organization;
}
