/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_UNIT_FORGE_EXPECT_H
#define DIME_TESTS_UNIT_FORGE_EXPECT_H

#include "tests/unit/message_forge.h"
#include "tests/unit/refusal.h"

/* Header, chunk 2, envelope and a chunk 33 without fields. */
void forge_start_content(struct forge *forge);

/* A chunk of text with these flags, padded to the next 16 octets. */
void forge_text(struct forge *forge, uint8_t type, const char *text,
    uint8_t flags);

/* Ends and frees the message, which bob opens: it must come to this mail, or be
 * refused with `err` and these words. */
void forge_expect(struct forge *forge, int err, const char *mime_or_words);

#endif
