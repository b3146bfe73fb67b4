/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DMTP_LINE_H
#define DIME_DMTP_LINE_H

#include "base/span.h"

/*
 * Puts the lines of a protocol together from octets that come in pieces of any
 * size. A line ends with LF; a CR directly before it belongs to the end. The
 * storage is the owner's; a line longer than it is skipped to its end.
 */
struct line_reader {
	uint8_t *storage;
	size_t limit;  /* octets of a line with its end, the size of storage */
	size_t length; /* held so far */
	bool overlong; /* within a line that is being skipped */
};

enum line_result {
	LINE_PARTIAL,  /* all input taken, no line yet */
	LINE_COMPLETE, /* *line is set */
	LINE_TOO_LONG, /* a line over the limit has come to its end */
};

void line_start(struct line_reader *reader, uint8_t *storage, size_t limit);

/*
 * Takes octets from the front of *input, which is moved behind them, up to the
 * end of the first line. *line, without its end, is good until the next call.
 */
enum line_result line_feed(struct line_reader *reader, struct span *input,
    struct span *line);

#endif
