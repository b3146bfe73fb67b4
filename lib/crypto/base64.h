/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CRYPTO_BASE64_H
#define DIME_CRYPTO_BASE64_H

#include "base/buffer.h"

/* Length of `octets` octets in base64 without padding. */
#define BASE64_LENGTH(octets) (((octets) * 4 + 2) / 3)

/* The most that base64_append_lines() appends for as many octets. */
#define BASE64_LINES_MOST(octets) (((octets) / 48 + 1) * 65)

/* Standard alphabet, no padding, terminated: `out` has
 * BASE64_LENGTH(data.length) + 1 octets. */
void base64_encode(struct span data, char *out);

/* Appends base64 in lines of 64 columns, each ended by LF; with `padding` the
 * last one is filled up with '='. */
void base64_append_lines(struct buffer *out, struct span data, bool padding);

/*
 * Decodes exactly out_length octets from base64 without padding: false for any
 * other length, alphabet, white space, or when unused bits are set.
 */
bool base64_decode_exact(struct span text, uint8_t *out, size_t out_length);

/*
 * Appends what `text` encodes. White space is passed over; padding may be there
 * or not; anything else, or set unused bits, is ERR_FORMAT. The second is for
 * keys: it takes several times as long, and the same time whatever they are.
 */
int base64_decode(struct span text, struct buffer *out);
int base64_decode_secret(struct span text, struct buffer *out);

#endif
