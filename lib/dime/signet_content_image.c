/* SPDX-License-Identifier: BSD-2-Clause */
#include <zlib.h>

#include "base/cursor.h"
#include "dime/signet_content.h"

enum {
	SIGNATURE_LENGTH = 8,
	TYPE_LENGTH = 4,
	HEADER_LENGTH = 13,      /* of the value of IHDR */
	DIMENSION_MOST = 0x7fffffff,
};

/* One chunk of a PNG image: what its checksum covers, and its value. */
struct chunk {
	struct span type;
	struct span value;
};

static bool
is_of_type(const struct chunk *chunk, const char *type)
{
	return span_equal_string(chunk->type, type);
}

/* Takes a chunk; false where none stands. */
static bool
take_chunk(struct cursor *cursor, struct chunk *chunk)
{
	uint32_t length = cursor_u32(cursor);
	struct span covered;
	uint32_t checksum;

	if (length > DIMENSION_MOST)
		return false;
	covered = cursor_take(cursor, (size_t)TYPE_LENGTH + length);
	checksum = cursor_u32(cursor);
	if (cursor->failed ||
	    crc32(0, covered.data, (uInt)covered.length) != checksum)
		return false;
	chunk->type = span_slice(covered, 0, TYPE_LENGTH);
	chunk->value = span_slice(covered, TYPE_LENGTH, SIZE_MAX);
	return true;
}

/* The pairs of colour type and bits a sample that there are. */
static bool
is_depth_for(uint8_t colour, uint8_t depth)
{
	static const uint8_t depths[] = {
	    [0] = 1 | 2 | 4 | 8 | 16, /* grey */
	    [2] = 8 | 16,             /* red, green, blue */
	    [3] = 1 | 2 | 4 | 8,      /* palette */
	    [4] = 8 | 16,             /* grey and alpha */
	    [6] = 8 | 16,             /* red, green, blue, alpha */
	};

	return colour < sizeof(depths) && (depth & (depth - 1)) == 0 &&
	    (depths[colour] & depth) != 0;
}

static bool
read_header(const struct chunk *chunk, struct signet_image *image)
{
	struct cursor cursor = cursor_start(chunk->value);
	uint8_t depth, colour, compression, filter, interlace;

	if (!is_of_type(chunk, "IHDR") || chunk->value.length != HEADER_LENGTH)
		return false;
	image->width = cursor_u32(&cursor);
	image->height = cursor_u32(&cursor);
	depth = cursor_u8(&cursor);
	colour = cursor_u8(&cursor);
	compression = cursor_u8(&cursor);
	filter = cursor_u8(&cursor);
	interlace = cursor_u8(&cursor);
	return image->width >= 1 && image->width <= DIMENSION_MOST &&
	    image->height >= 1 && image->height <= DIMENSION_MOST &&
	    is_depth_for(colour, depth) && compression == 0 && filter == 0 &&
	    interlace <= 1;
}

/* From the signature to the end chunk. */
static bool
read_png(struct span value, struct signet_image *image)
{
	struct cursor cursor = cursor_start(value);
	struct chunk chunk = {.type = {NULL, 0}};
	bool has_data = false;

	if (!span_equal_string(cursor_take(&cursor, SIGNATURE_LENGTH),
	    "\x89PNG\r\n\x1a\n") || !take_chunk(&cursor, &chunk) ||
	    !read_header(&chunk, image))
		return false;
	while (!is_of_type(&chunk, "IEND")) {
		if (!take_chunk(&cursor, &chunk) || is_of_type(&chunk, "IHDR"))
			return false;
		has_data = has_data || is_of_type(&chunk, "IDAT");
	}
	return has_data && cursor_done(&cursor);
}

const char *
signet_content_image(struct span value, struct signet_image *image)
{
	*image = (struct signet_image){0, 0};
	if (value.length > SIGNET_IMAGE_LIMIT)
		return "more than 1048576 octets";
	if (!read_png(value, image))
		return "not a PNG image";
	if (image->width != image->height)
		return "width and height differ";
	return NULL;
}
