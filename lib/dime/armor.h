/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIME_ARMOR_H
#define DIME_DIME_ARMOR_H

#include "base/buffer.h"
#include "base/error.h"

/*
 * The printable form of signets, key files and messages: Radix-64 of RFC 4880
 * between BEGIN and END lines (doc/signets.md, doc/dmime.md).
 */
enum armor_kind {
	ARMOR_USER_SIGNET,
	ARMOR_ORG_SIGNET,
	ARMOR_SSR,
	ARMOR_USER_KEYS,
	ARMOR_ORG_KEYS,
	ARMOR_USER_KEY, /* these two are key files in the libdime layout */
	ARMOR_ORG_KEY,
	ARMOR_MESSAGE, /* no padding, no checksum line */
	ARMOR_KINDS
};

/* "USER SIGNET", "ENCRYPTED MESSAGE" and so on. */
const char *armor_label(enum armor_kind kind);

/* Appends `binary` in the form of its kind; lines end with LF. */
void armor_write(enum armor_kind kind, struct span binary, struct buffer *out);

/*
 * Appends the binary of the one armored object in `text`, whose label sets
 * *kind. Only white space may stand around it. Four or five dashes, padding and
 * the checksum line are optional; a checksum that is there must match. LF or
 * CRLF. ERR_FORMAT names the line.
 */
int armor_read(struct span text, enum armor_kind *kind, struct buffer *out,
    struct fault *fault);

/* Takes the next armored object off the front of *text: all up to its END line,
 * or to the end where there is none, and the white space behind. */
struct span armor_take(struct span *text);

/* Whether `data` looks armored: its first octets, white space aside, are
 * "----". Binary formats start with a magic number and never do. */
bool armor_is_armored(struct span data);

#endif
