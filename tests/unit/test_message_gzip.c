/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <zlib.h>

#include "tests/unit/forge_expect.h"

static struct buffer
deflated(struct span data)
{
	struct buffer out = buffer_make(WORLD_LIMIT);
	z_stream stream = {.next_in = (Bytef *)(uintptr_t)data.data,
	    .avail_in = (uInt)data.length};
	size_t room = data.length + 1000;

	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9,
	    Z_DEFAULT_STRATEGY), Z_OK);
	stream.next_out = buffer_extend(&out, room);
	stream.avail_out = (uInt)room;
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	out.length -= stream.avail_out;
	deflateEnd(&stream);
	return out;
}

static void
gzip_chunk(struct forge *forge, struct span data, uint8_t flags)
{
	size_t padding = (16 - (69 + data.length) % 16) % 16;
	struct forge_payload how = {.flags = (uint8_t)(4 | flags),
	    .pad = (uint8_t)padding, .padding = padding,
	    .fill = (uint8_t)padding};

	forge_chunk(forge, 67, data, &how);
}

static void
gzip_is_read(void **state)
{
	struct buffer packed = deflated(span_string("hello hello hello"));
	struct span whole = buffer_span(&packed);

	/* In one piece, and cut everywhere in two. */
	for (size_t cut = 0; cut < whole.length; cut++) {
		struct forge forge;

		forge_start_content(&forge);
		if (cut > 0)
			gzip_chunk(&forge, span_slice(whole, 0, cut), 128);
		gzip_chunk(&forge, span_slice(whole, cut, SIZE_MAX), 0);
		forge_sign(&forge, NULL);
		forge_expect(&forge, 0, "\r\nhello hello hello");
	}
	buffer_free(&packed);
}

/* What is wrong with the i-th one below. */
static const char *
gzip_rule(const struct buffer *packed, size_t i)
{
	if (i > 0 && i < packed->length)
		return "chunk 67 (Display-Content) at offset 1335: gzip data "
		       "is cut off";
	if (i == 0 || i >= packed->length * 2)
		return "chunk 67 (Display-Content) at offset 1335: something "
		       "follows the gzip member";
	return "chunk 67 (Display-Content) at offset 1335: data is not gzip, "
	       "or damaged";
}

static void
bad_gzip_is_refused(void **state)
{
	struct buffer packed = deflated(span_string("hello hello hello"));

	for (size_t i = 0; i < packed.length * 2 + 2; i++) {
		struct buffer data = buffer_make(WORLD_LIMIT);
		struct forge forge;

		buffer_append_span(&data, buffer_span(&packed));
		if (i < packed.length && i > 0)
			data.length = i; /* cut off */
		else if (i < packed.length * 2 && i > 0)
			/* The header has octets that mean nothing. */
			data.data[i - packed.length] ^=
			    i - packed.length >= 4 && i - packed.length < 10
			    ? 0 : 0x10;
		else if (i == packed.length * 2)
			buffer_u8(&data, 0); /* something behind */
		else /* a second member */
			buffer_append_span(&data, buffer_span(&packed));
		forge_start_content(&forge);
		gzip_chunk(&forge, buffer_span(&data), 0);
		forge_sign(&forge, NULL);
		if (i > packed.length + 3 && i < packed.length + 10)
			forge_expect(&forge, 0, "\r\nhello hello hello");
		else
			forge_expect(&forge, ERR_CORRUPT,
			    gzip_rule(&packed, i));
		buffer_free(&data);
	}
	buffer_free(&packed);
}

static void
gzip_bomb_is_refused(void **state)
{
	enum { SIZE = 8 << 20 };
	struct message_parties parties = world_parties();
	struct buffer zeros = buffer_make(WORLD_LIMIT), packed;
	struct buffer mime = buffer_make(WORLD_LIMIT);
	char sender[ADDRESS_SIZE];
	struct fault fault = {0};
	struct message *message;
	struct forge forge;

	memset(buffer_extend(&zeros, SIZE), 0, SIZE);
	packed = deflated(buffer_span(&zeros));
	forge_start_content(&forge);
	gzip_chunk(&forge, buffer_span(&packed), 0);
	gzip_chunk(&forge, buffer_span(&packed), 0);
	forge_sign(&forge, NULL);
	message = world_message(forge_end(&forge), MESSAGE_RECIPIENT);
	assert_int_equal(message_open(message, &parties, 2 * SIZE + 2, &mime,
	    sender, NULL), 0);
	assert_int_equal(mime.length, 2 * SIZE + 2);
	buffer_free(&mime);
	assert_int_equal(message_open(message, &parties, 2 * SIZE + 1, &mime,
	    sender, NULL), ERR_TOO_LARGE);
	assert_int_equal(mime.length, 0);
	buffer_free(&mime);
	refusal_expect(message_open(message, &parties, 65536, &mime, sender,
	    &fault), &fault, ERR_TOO_LARGE, "chunk 67 (Display-Content) at "
	    "offset 1335: content is larger than allowed");
	assert_true(mime.capacity <= 1 << 20);
	message_free(message);
	buffer_free(&mime);
	buffer_free(&zeros);
	buffer_free(&packed);
	forge_free(&forge);
}

/* ---- the header alone ---- */

/* A signed message whose content is corrupt still shows its header; one whose
 * header is does not. */
int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gzip_is_read),
	    cmocka_unit_test(bad_gzip_is_refused),
	    cmocka_unit_test(gzip_bomb_is_refused),
	};

	return cmocka_run_group_tests(tests, world_start, world_end);
}
