/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_SUFFIX_H
#define DIME_POLICY_SUFFIX_H

#include "base/error.h"

/* The Public Suffix List, which tells where one organization's names begin. The
 * only file that calls libpsl. */
struct suffixes;

/* From the list at `path`; for "" the newest that the system has. ERR_CONFIG
 * when that is none. */
int suffixes_new(const char *path, struct suffixes **out, struct fault *fault);
void suffixes_free(struct suffixes *suffixes);

/* The organizational domain (R2) of a domain in normal form, within `domain`.
 * A public suffix is its own. */
const char *suffixes_organization(const struct suffixes *suffixes,
    const char *domain);

#endif
