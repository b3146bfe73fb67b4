/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIME_EXPLAIN_H
#define DIME_DIME_EXPLAIN_H

#include "base/error.h"
#include "base/span.h"

/*
 * What every octet of a signet or message is, for people who want to see how
 * the formats work, or where an object is broken.
 *
 * The elements of an object come in order and cover it exactly: the first
 * starts at octet 0, each where the one before it ends, the last ends with the
 * object, whatever the octets are. Where the key is at hand, an element that is
 * encrypted is followed by the elements of its plaintext, which cover that in
 * the same way.
 */
enum { EXPLAIN_WHAT_SIZE = 160 };

struct explain_element {
	bool inside;   /* of the plaintext of the last element that is not */
	bool readable; /* there to be read by people, though maybe hostile */
	size_t offset; /* in the object, or in the plaintext */
	struct span octets; /* never empty; good during the call only */
	const char *rule;   /* number in doc/signets.md or doc/dmime.md */
	char what[EXPLAIN_WHAT_SIZE]; /* words of ours, printable ASCII */
};

/* Who is told. */
struct explainer {
	void (*element)(void *context, const struct explain_element *element);
	void *context;
};

/* ---- for those who explain ---- */

struct explanation {
	const struct explainer *explainer;
	struct span rest; /* what is not explained yet */
	size_t offset;
	bool inside;
};

struct explanation explain_start(const struct explainer *explainer,
    struct span whole, bool inside);

/* Tells of the next `length` octets, or of what there is of them, as one
 * element; of none when there are none. Returns them. */
struct span explain_next(struct explanation *explanation, size_t length,
    const char *rule, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for octets that people read. */
struct span explain_readable(struct explanation *explanation, size_t length,
    const char *rule, const char *what);

#endif
