/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_CORPUS_GMIME_PARTS_H
#define DIME_TESTS_CORPUS_GMIME_PARTS_H

#include "base/span.h"

/*
 * Where GMime finds the parts of a mail, and what content chunks M17 makes of
 * its tree. Nothing of lib/dime/mime.c is used.
 */

enum { GMIME_CHUNKS = 1000, GMIME_DEPTH = 32 };

struct gmime_chunk {
	uint8_t type;
	size_t start; /* in the mail */
	size_t end;   /* of a leaf's content; GMIME_UNKNOWN for other parts */
};
#define GMIME_UNKNOWN SIZE_MAX

struct gmime_parts {
	struct gmime_chunk chunks[GMIME_CHUNKS];
	size_t count;
	const char *complaint; /* what GMime's answer cannot mean, or NULL */
};

/* Between g_mime_init() and g_mime_shutdown(). */
void gmime_find_parts(struct span mail, struct gmime_parts *out);

#endif
