/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTPD_BACKOFF_H
#define DIME_DMTPD_BACKOFF_H

#include <stdbool.h>

#include "base/clock.h"

/*
 * Hosts that failed lately. A delivery to one is put off at once, so that a
 * dead domain cannot hold every process that Postfix has for delivery; after
 * its time one delivery may try again, and the others wait for what comes of
 * it. In memory only and bounded: a host that falls out is merely tried again.
 * Any thread.
 */
struct backoff;

/* NULL without memory. */
struct backoff *backoff_new(const struct clock *clock);
void backoff_free(struct backoff *backoff);

/*
 * Whether a delivery may try the host. True lets this caller alone try a host
 * that failed before; it must say backoff_failed() or backoff_succeeded(), and
 * after a minute of silence another one may. When it is false, *err is that of
 * the failure.
 */
bool backoff_may_try(struct backoff *backoff, const char *host, int *err);

/* Puts the host off, which failed with that error: for 5 seconds, doubled with
 * each failure up to a minute. */
void backoff_failed(struct backoff *backoff, const char *host, int err);
void backoff_succeeded(struct backoff *backoff, const char *host);

#endif
