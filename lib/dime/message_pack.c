/* SPDX-License-Identifier: BSD-2-Clause */
#include <zlib.h>

#include "dime/message_private.h"

enum {
	PACK_LEVEL = 1,
	PACK_GZIP = 16 + MAX_WBITS,
	PACK_MEMORY = 8,     /* zlib's default */
	PACK_STEP = 8192,
	PACK_SAMPLE = 65536, /* that must shrink for the rest to be tried */
};

static void
deflate_all(z_stream *stream, struct buffer *out)
{
	int result = Z_OK;

	while (result == Z_OK && out->error == 0) {
		uint8_t step[PACK_STEP];

		stream->next_out = step;
		stream->avail_out = sizeof(step);
		result = deflate(stream, Z_FINISH);
		buffer_append(out, step, sizeof(step) - stream->avail_out);
		explicit_bzero(step, sizeof(step));
	}
	if (result != Z_STREAM_END && out->error == 0)
		out->error = ERR_INTERNAL;
}

/* Appends one gzip member; ERR_TOO_LARGE if it is not shorter than the data. */
static int
pack(struct span data, struct buffer *out)
{
	z_stream stream = {.zalloc = Z_NULL};

	out->limit = out->length + data.length - 1;
	if (deflateInit2(&stream, PACK_LEVEL, Z_DEFLATED, PACK_GZIP,
	        PACK_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return ERR_MEMORY;
	/* zlib does not write there. */
	stream.next_in = (Bytef *)(uintptr_t)data.data;
	stream.avail_in = (uInt)data.length;
	deflate_all(&stream, out);
	deflateEnd(&stream);
	return out->error;
}

int
segment_pack(struct span data, struct buffer *out)
{
	struct buffer sample = buffer_make(0);
	int err = 0;

	if (data.length == 0 || data.length > UINT32_MAX)
		return ERR_TOO_LARGE;
	if (data.length > PACK_SAMPLE)
		err = pack(span_slice(data, 0, PACK_SAMPLE), &sample);
	buffer_free(&sample);
	return err != 0 ? err : pack(data, out);
}
