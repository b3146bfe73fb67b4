/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_ANCHOR_H
#define DIME_POLICY_ANCHOR_H

#include "base/error.h"

/*
 * Which names the trust anchors stand above. libunbound reads the keys; it
 * calls a name that no anchor covers "insecure", as it does one in a zone
 * proven unsigned, and only the latter may send mail naked.
 */
struct anchors;

/*
 * Reads the owner names of the DS and DNSKEY records in a zone file. ERR_CONFIG
 * when there is none or a line cannot be understood; ERR_NO_FILE,
 * ERR_PERMISSION.
 */
int anchors_read(const char *path, struct anchors **out, struct fault *fault);
void anchors_free(struct anchors *anchors);

/* Where they were read from, and what was read. Good as long as the anchors. */
const char *anchors_path(const struct anchors *anchors);
struct span anchors_text(const struct anchors *anchors);

/* Whether one of them is `name` or a name above it; any case. */
bool anchors_cover(const struct anchors *anchors, const char *name);

#endif
