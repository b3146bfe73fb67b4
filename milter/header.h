/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_MILTER_HEADER_H
#define DIME_MILTER_HEADER_H

#include "base/address.h"
#include "base/buffer.h"

/*
 * Header fields as octets: a block of lines that end with CRLF, folded lines
 * among them. Nothing here changes what it reads.
 */
struct header_field {
	struct span name;  /* up to the colon; empty when the line has none */
	struct span value; /* behind the colon, without the final line end */
	struct span whole;
};

/*
 * Takes the field at the front of *rest, with its folded lines. A line that is
 * no field (no colon, or a fold without a field before it) comes with an empty
 * name. False at the end.
 */
bool header_next(struct span *rest, struct header_field *field);

/* Whether the field is called `name`, blanks before its colon aside. */
bool header_is(const struct header_field *field, const char *name);

/* The first field called `name`. */
bool header_find(struct span block, const char *name,
    struct header_field *field);

/* How many fields are called `name`. */
size_t header_count(struct span block, const char *name);

/*
 * Takes white space, line ends and comments (RFC 5322, 3.2.2) off the front of
 * *text. False when a comment does not end.
 */
bool header_skip(struct span *text);

/* Takes a run of other octets than white space, ';', '(' and ')' off the front
 * of *text; empty when it starts with one of those. */
struct span header_word(struct span *text);

/* Whether the block says that the body is a sealed message in transit form. */
bool header_is_sealed(struct span block);

/*
 * The domain of the one mailbox in the From field of `block`. False, when there
 * is not exactly one From field with exactly one plain mailbox in it: what
 * readers could take for different authors has none.
 */
bool header_from_domain(struct span block, char out[static DOMAIN_SIZE]);

#endif
