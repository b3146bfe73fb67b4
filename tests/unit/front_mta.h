/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_FRONT_MTA_H
#define DIME_TESTS_UNIT_FRONT_MTA_H

#include <stdint.h>

#include "base/span.h"

/*
 * An SMTP server behind dmtpd's front, in threads of the test: it expects the
 * PROXY protocol, and offers PIPELINING, CHUNKING and STARTTLS with a
 * certificate of its own. A message is answered with its octets and their sum;
 * LEAVE with a 421 and the end.
 */
void mta_start(void);
void mta_end(void);

/* What it greets with, line ends and all. */
void mta_greets(const char *text);

/* Forgets what it heard. */
void mta_forget(void);

/* Waits until it has heard all of `text`: lines, each with LF, of one
 * connection after the other, `(end)` where the client is gone. */
void mta_wait(const char *text);

/* The sum of a message with CR LF line ends. */
uint64_t mta_sum(uint64_t sum, struct span octets);
extern const uint64_t mta_sum_of_nothing;

#endif
