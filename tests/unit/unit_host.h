/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_UNIT_HOST_H
#define DIME_TESTS_UNIT_UNIT_HOST_H

#include <stdbool.h>

#include "tests/unit/unit_tls.h"

/*
 * A DMTP host on 127.0.0.1 that takes every message, in threads of the test:
 * any number of connections, TLS sessions that it lets clients resume, and what
 * it is told to do.
 */
struct unit_host;

struct unit_host *unit_host_start(const struct unit_certificate *certificate);
/* Ends the connections. */
void unit_host_end(struct unit_host *host);

unsigned int unit_host_port(const struct unit_host *host);

/* What it answers to a verb from now on: lines with LF. NULL: as usual. */
void unit_host_answers(struct unit_host *host, const char *verb,
    const char *answer);

/* The same, but only in sessions in which RSET was said. */
void unit_host_answers_late(struct unit_host *host, const char *verb,
    const char *answer);

/* Whether what is to be said to messages waits. */
void unit_host_holds(struct unit_host *host, bool holds);

/* Whether new connections are cut before TLS. */
void unit_host_turns_away(struct unit_host *host, bool turns_away);

/* Has every open connection say so, unasked, and returns when they have. ""
 * cuts them. */
void unit_host_blurts(struct unit_host *host, const char *text);

/* So far, but for `open`. */
struct unit_host_count {
	unsigned int connections; /* that shook hands */
	unsigned int resumed;     /* of these */
	unsigned int messages;    /* that came in whole */
	unsigned int resets, goodbyes;
	unsigned int open, most_open;
};
struct unit_host_count unit_host_count(struct unit_host *host);

/* Waits until the host is as a test wants it, with patience. */
void unit_host_wait(struct unit_host *host,
    bool (*is_so)(const struct unit_host_count *count, unsigned int number),
    unsigned int number);
bool unit_host_has_open(const struct unit_host_count *count,
    unsigned int number);
bool unit_host_has_messages(const struct unit_host_count *count,
    unsigned int number);

#endif
