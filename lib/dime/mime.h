/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIME_MIME_H
#define DIME_DIME_MIME_H

#include "base/span.h"

/*
 * Where a mail's body is cut into content chunks (M17): at the delimiter lines
 * of its multiparts (RFC 2045, 2046). Only borders are found; nothing is
 * decoded, mended or refused.
 */

enum {
	MIME_DEPTH = 32,      /* a multipart within that many is a leaf */
	MIME_SEGMENTS = 1000, /* the last one takes all that remains */
};

struct mime_segment {
	uint8_t type; /* 65-67, 129-131: enum message_chunk_type */
	struct span data;
};

/*
 * Cuts `body`, the mail's with the header fields of `block`, into segments
 * which lie one behind the other and are the whole body. None is empty. Returns
 * how many they are: 0 for an empty body only.
 */
size_t mime_cut(struct span block, struct span body,
    struct mime_segment segments[static MIME_SEGMENTS]);

#endif
