/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_TRANSCRIPT_H
#define DIME_TESTS_UNIT_TRANSCRIPT_H

#include "tests/unit/unit.h"

#include "base/buffer.h"

/* What a client says, and what comes of it: the replies' codes as in
 * "220 250-250 ", and what the driver of the engine saw. */
struct transcript {
	const char *name, *text, *codes, *events;
};

/* A server's engine with the driver that a test gives it. */
struct transcript_engine {
	void (*start)(void);
	/* False when the session is over. */
	bool (*feed)(struct span input, struct buffer *events);
	/* Appends all that was said and frees. */
	void (*end)(struct buffer *output);
};

/* Runs one session over `text`, cut in two at `cut`, or into octets for
 * SIZE_MAX. */
void transcript_run(const struct transcript_engine *engine, struct span text,
    size_t cut, struct buffer *output, struct buffer *events);

/* Runs every case with every cut. */
void transcript_run_all(const struct transcript_engine *engine,
    const struct transcript *cases, size_t count);

#endif
