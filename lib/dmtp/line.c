/* SPDX-License-Identifier: BSD-2-Clause */
#include "dmtp/line.h"

void
line_start(struct line_reader *reader, uint8_t *storage, size_t limit)
{
	*reader = (struct line_reader){storage, limit, 0, false};
}

static void
hold(struct line_reader *reader, struct span octets)
{
	if (octets.length > reader->limit - reader->length)
		reader->overlong = true;
	if (reader->overlong || octets.length == 0)
		return;
	memcpy(reader->storage + reader->length, octets.data, octets.length);
	reader->length += octets.length;
}

static enum line_result
end_line(struct line_reader *reader, struct span *line)
{
	size_t length = reader->length;
	bool overlong = reader->overlong;

	reader->length = 0;
	reader->overlong = false;
	if (overlong)
		return LINE_TOO_LONG;
	length--;
	if (length > 0 && reader->storage[length - 1] == '\r')
		length--;
	*line = span_of(reader->storage, length);
	return LINE_COMPLETE;
}

enum line_result
line_feed(struct line_reader *reader, struct span *input, struct span *line)
{
	const uint8_t *end;
	size_t taken;

	if (input->length == 0)
		return LINE_PARTIAL;
	end = memchr(input->data, '\n', input->length);
	taken = end == NULL ? input->length : (size_t)(end - input->data) + 1;
	hold(reader, span_of(input->data, taken));
	input->data += taken;
	input->length -= taken;
	return end == NULL ? LINE_PARTIAL : end_line(reader, line);
}
