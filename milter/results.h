/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_MILTER_RESULTS_H
#define DIME_MILTER_RESULTS_H

#include "base/config.h"
#include "milter/header.h"

/*
 * Authentication-Results (RFC 8601) of opened mail. The method is `dime`:
 *
 *	pass     a user's signature, and From is of the origin's domain
 *	neutral  the same by relay@, which signs what has no proven author
 *	fail     From is of another domain, or does not name one author
 */

/*
 * Whether the value of an Authentication-Results field bears our authserv-id:
 * the host name or one of our domains; also when it cannot be read, since then
 * nobody knows how others read it.
 */
bool results_is_ours(struct span value, const char *hostname,
    const struct config_list *domains);

/* Whether it also speaks of DIME, which in naked mail is never true. */
bool results_are_forged(struct span value, const char *hostname,
    const struct config_list *domains);

struct results {
	const char *hostname; /* authserv-id */
	const char *author;   /* address that signed */
	const char *origin;   /* domain that signed */
};

/* "pass", "neutral" or "fail" for a message with this header block. */
const char *results_verdict(const struct results *results, struct span block);

/* Appends the value for smfi_addheader(): a leading blank, folds with LF. */
void results_write(const struct results *results, struct span block,
    struct buffer *out);

#endif
