/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_BASE_PATTERN_H
#define DIME_BASE_PATTERN_H

#include "base/address.h"
#include "base/error.h"

/*
 * Patterns for the sender or the recipient of a message:
 *
 *	*            anybody
 *	<>           nobody: the null sender
 *	user@domain  this address, with any `+tag`
 *	domain       every address at exactly this domain
 *	.domain      every address at a name below it
 *
 * Names count without case. A set may have thousands; it is asked in the time
 * of a few binary searches.
 */

struct pattern_set {
	bool any;  /* has `*`, or is empty */
	bool null; /* has `<>` */
	size_t count;
	char **items; /* addresses, domains, domains with a dot: sorted */
};

/*
 * Makes a set of `count` patterns; no pattern at all means anybody. The caller
 * gives it to pattern_set_free() in any case. ERR_CONFIG names the text that is
 * no pattern; ERR_MEMORY.
 */
int pattern_set_make(const char *const *texts, size_t count,
    struct pattern_set *set, struct fault *fault);
void pattern_set_free(struct pattern_set *set);

/* Whether pattern_set_make() would take it. */
bool pattern_is_valid(const char *text);

/* A sender or recipient, as far as it can be written. */
struct pattern_name {
	char domain[DOMAIN_SIZE];   /* "" when it has none that is one */
	char address[ADDRESS_SIZE]; /* "" when DIME cannot carry it */
	bool null;
};

/* `text` is an address, a domain, or the null sender as "" or "<>". */
void pattern_name_read(const char *text, struct pattern_name *out);

/* A name without domain and address is matched by `*` alone. When `matched` is
 * not NULL it becomes the pattern. */
bool pattern_set_has(const struct pattern_set *set,
    const struct pattern_name *name, const char **matched);

/* Whether `outer` has every name that `inner` has, as far as it can be told
 * from each pattern of `inner` alone. */
bool pattern_set_covers(const struct pattern_set *outer,
    const struct pattern_set *inner);

/* Whether there can be a name that both have. */
bool pattern_set_meets(const struct pattern_set *a,
    const struct pattern_set *b);

#endif
