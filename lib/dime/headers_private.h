/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIME_HEADERS_PRIVATE_H
#define DIME_DIME_HEADERS_PRIVATE_H

#include "dime/headers.h"

/* What headers.c and headers_read.c share. Nothing else includes this. */

enum {
	HEADERS_LABELS = 6,
	HEADERS_ENDS = 3,
};

/* The fields of chunk 33, in its order. */
extern const char *const headers_labels[HEADERS_LABELS];

/* How a header block ends: the layout's word, and the octets. */
struct headers_end {
	const char *name;
	const char *text;
};
extern const struct headers_end headers_ends[HEADERS_ENDS];

/* The fields of ours at the front of chunk 34. */
extern const char headers_return_path[];
extern const char headers_layout[];

/* What a header block holds: the first field of each label, and the rest. */
struct headers_inventory {
	struct headers_field common[HEADERS_LABELS]; /* whole.length 0: none */
	size_t position[HEADERS_LABELS]; /* how many others come before it */
	size_t order[HEADERS_LABELS];    /* labels as they come in the block */
	size_t common_count;
	size_t other_count;
	struct span end; /* the empty line, if any */
};

/* The empty line at the front of `rest`, or nothing. */
struct span headers_take_end(struct span rest);

/* Takes stock of a block. Returns what is left behind its fields and its end:
 * nothing, in a block from headers_split(). */
struct span headers_take_inventory(struct span block,
    struct headers_inventory *inventory);

/* Appends the data of chunk 33. */
void headers_append_common(const struct headers_inventory *inventory,
    struct buffer *out);

#endif
