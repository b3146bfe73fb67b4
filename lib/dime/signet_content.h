/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIME_SIGNET_CONTENT_H
#define DIME_DIME_SIGNET_CONTENT_H

#include "dime/signet.h"

/*
 * The rules for the values of informational fields (Part 5 with S15;
 * doc/signets.md, section 4, has them in words). field.def says which rule is
 * whose. A value that breaks its rule never makes a signet invalid: it is
 * carried and not used. We write none.
 */

enum { SIGNET_IMAGE_LIMIT = 1 << 20 };

/* Whether fields of that content are informational: whether there is a rule. */
bool signet_content_is_informational(enum signet_content content);

/*
 * NULL when `value` keeps the rule; an empty one always does. Otherwise what is
 * wrong with it, and *used is the part that counts all the same, the number of
 * a phone with a bad label, or else empty. *used is the whole of a good value.
 */
const char *signet_content_fault(enum signet_content content,
    struct span value, struct span *used);

struct signet_image {
	uint32_t width, height;
};

/*
 * The rule for images: NULL for a PNG image that may be used. Its chunks are
 * counted and their checksums tried; nothing is inflated. The dimensions are
 * set where they can be read, be the image good or not, and are otherwise 0.
 */
const char *signet_content_image(struct span value,
    struct signet_image *image);

/* The rule for URLs of http and https, or of https alone. */
const char *signet_content_url(struct span value, bool only_https);

#endif
