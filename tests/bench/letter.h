/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_TESTS_BENCH_LETTER_H
#define DIME_TESTS_BENCH_LETTER_H

#include "base/buffer.h"

/* The mails that are measured. The same kind and length give the same
 * octets. */
enum letter_kind {
	LETTER_TEXT,       /* text/plain, words */
	LETTER_ATTACHMENT, /* multipart/mixed: words, and random octets in base64 */
	LETTER_RANDOM,     /* text/plain by its header, random octets */
	LETTER_KINDS
};

const char *letter_name(enum letter_kind kind);

/* Appends a mail of about `length` octets, at least 1000. */
void letter_write(enum letter_kind kind, size_t length, struct buffer *out);

#endif
