/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIMECTL_FIELDS_H
#define DIME_DIMECTL_FIELDS_H

#include "dime/signet.h"
#include "dimectl/dimectl.h"

/* The informational fields that `--field Name=value` asks for. */
struct fields {
	struct signet_extra extras[64];
	size_t count;
	struct buffer files[64]; /* what a field's @FILE holds */
};

/*
 * Reads the options for a signet of that layout and kind: the labels of its
 * fields, with @FILE for Image and Endorsements, any other name for an
 * undefined field. Each value must keep the rule of its field. *fields is given
 * to fields_free() in any case; its spans last until then. ERR_USAGE, or why a
 * file cannot be read.
 */
int fields_read(struct dimectl *ctl, enum layout layout,
    enum signet_magic magic, const struct option_list *options,
    struct fields *fields);

void fields_free(struct fields *fields);

/* The layout that `--layout` names; NULL is the standard one. ERR_USAGE. */
int fields_read_layout(struct dimectl *ctl, const char *word,
    enum layout *layout);

#endif
