/* SPDX-License-Identifier: BSD-2-Clause */
#include "dmtp/netstring.h"

void
netstring_start(struct netstring_reader *reader, size_t limit)
{
	*reader = (struct netstring_reader){
	    .state = NETSTRING_LENGTH,
	    .content = buffer_make(limit),
	};
}

/* One octet of `LENGTH:`. The limit is tested before the length grows, so that
 * no number of digits overflows it. */
static int
take_length(struct netstring_reader *reader, uint8_t octet)
{
	size_t limit = reader->content.limit;
	size_t digit;

	if (octet == ':' && reader->digits > 0) {
		reader->state = reader->length > 0 ? NETSTRING_CONTENT
						   : NETSTRING_END;
		return 0;
	}
	if (octet < '0' || octet > '9' ||
	    (reader->digits > 0 && reader->length == 0))
		return ERR_FORMAT;
	digit = (size_t)(octet - '0');
	if (digit > limit || reader->length > (limit - digit) / 10)
		return ERR_TOO_LARGE;
	reader->length = reader->length * 10 + digit;
	reader->digits++;
	return 0;
}

/* The buffer grows with what has come, not with what was announced. */
static int
take_content(struct netstring_reader *reader, struct span *input)
{
	size_t missing = reader->length - reader->content.length;
	struct span part = span_slice(*input, 0, missing);

	buffer_append_span(&reader->content, part);
	*input = span_slice(*input, part.length, input->length);
	if (reader->content.length == reader->length)
		reader->state = NETSTRING_END;
	return reader->content.error;
}

static int
take_some(struct netstring_reader *reader, struct span *input)
{
	uint8_t octet;

	if (reader->state == NETSTRING_CONTENT)
		return take_content(reader, input);
	octet = input->data[0];
	*input = span_slice(*input, 1, input->length);
	if (reader->state == NETSTRING_LENGTH)
		return take_length(reader, octet);
	if (octet != ',')
		return ERR_FORMAT;
	reader->state = NETSTRING_COMPLETE;
	return 0;
}

int
netstring_feed(struct netstring_reader *reader, struct span *input,
    bool *complete)
{
	while (reader->error == 0 && reader->state != NETSTRING_COMPLETE &&
	    input->length > 0)
		reader->error = take_some(reader, input);
	*complete = reader->error == 0 && reader->state == NETSTRING_COMPLETE;
	return reader->error;
}

struct span
netstring_content(const struct netstring_reader *reader)
{
	return buffer_span(&reader->content);
}

void
netstring_next(struct netstring_reader *reader)
{
	int error = reader->error;

	buffer_free(&reader->content);
	netstring_start(reader, reader->content.limit);
	reader->error = error;
}

void
netstring_free(struct netstring_reader *reader)
{
	buffer_free(&reader->content);
}

void
netstring_write(struct span content, struct buffer *out)
{
	buffer_printf(out, "%zu:", content.length);
	buffer_append_span(out, content);
	buffer_u8(out, ',');
}
