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

/*
 * From now on the keys of each name are those of a file of its own in
 * `directory`, which libunbound keeps up to date as the zone changes them
 * (RFC 5011); one that is not there yet is made of what was read. With
 * `check_only` nothing is made or used. ERR_CONFIG for a file that holds no key
 * any more, ERR_CREATE or ERR_PERMISSION where none can be written.
 */
int anchors_follow(struct anchors *anchors, const char *directory,
    bool check_only, struct fault *fault);

/* The file of the name at `index`; NULL behind the last one, and when names
 * have none. */
const char *anchors_file(const struct anchors *anchors, size_t index);

/* Where they were read from, and what was read. Good as long as the anchors. */
const char *anchors_path(const struct anchors *anchors);
struct span anchors_text(const struct anchors *anchors);

/* Whether one of them is `name` or a name above it; any case. A name whose file
 * says that its keys were all revoked is an anchor no more. */
bool anchors_cover(const struct anchors *anchors, const char *name);

#endif
