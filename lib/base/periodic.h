/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_BASE_PERIODIC_H
#define DIME_BASE_PERIODIC_H

#include <stdint.h>

/*
 * Something that is done again and again in a thread of its own: at once, and
 * then so many milliseconds after the last time as that said.
 */
struct periodic;

/* `round` gets `context` and answers with the pause. ERR_MEMORY, ERR_SYSTEM. */
int periodic_new(int64_t (*round)(void *context), void *context,
    struct periodic **out);

/* Ends a pause; a round is waited for. */
void periodic_free(struct periodic *periodic);

#endif
