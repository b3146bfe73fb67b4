/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIME_HEADERS_H
#define DIME_DIME_HEADERS_H

#include "base/address.h"
#include "base/buffer.h"
#include "base/error.h"

/*
 * The header block of a message as chunks 33 (common) and 34 (headers), and
 * back, octet for octet (M15, M16; doc/dmime.md).
 */

/* One header field with all its lines. */
struct headers_field {
	struct span name;
	struct span body; /* what follows the colon, line ends included */
	struct span whole;
};

/*
 * Takes the field at the front of *rest. False when something else stands
 * there: the empty line, the end, or a line that is no header field, at which
 * the header is over as it is for a mail server.
 */
bool headers_next_field(struct span *rest, struct headers_field *field);

/* Appends the value of a field as chunk 33 has it (M15): unfolded and trimmed,
 * a NUL or a line end that folds nothing as a space. */
void headers_append_value(const struct headers_field *field,
    struct buffer *out);

/* Splits a message into its header block, with the empty line that ends it if
 * there is one, and its body. */
void headers_split(struct span mime, struct span *block, struct span *body);

/* Appends the data segments of chunks 33 and 34 for a header block. `sender` is
 * the envelope sender, "" for <>. ERR_TOO_LARGE. */
int headers_write(struct span block, const char *sender, struct buffer *common,
    struct buffer *others, struct fault *fault);

/*
 * Appends the header block, its end included, that chunks 33 and 34 describe.
 * `others` is empty where the message has no chunk 34. Sets `sender` and
 * *has_sender from the leading Return-Path. A message by another implementation
 * brings no layout and is put together as M16 says. ERR_CORRUPT.
 */
int headers_read(struct span common, struct span others, struct buffer *block,
    char sender[static ADDRESS_SIZE], bool *has_sender, struct fault *fault);

#endif
