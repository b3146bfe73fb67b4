/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/message_world.h"

/* Octets that do not compress, or one octet all over. */
static void
fill_body(struct span body, bool packs)
{
	static const uint8_t key[32] = {1};
	struct random_source random;
	uint8_t *octets = (uint8_t *)(uintptr_t)body.data;

	random_start_keyed(&random, key, span_string("body"));
	if (packs && body.length > 0)
		memset(octets, 'a', body.length);
	else if (!packs)
		random_fill(&random, octets, body.length);
	random_end(&random);
}

/* The chunks of a sealed body: cut into its parts, each compressed by
 * itself. */
static void
bodies_are_cut_and_compressed(void **state)
{
	enum { LONG = 100000, SAMPLE = 65536 };
	static const struct {
		const char *name;
		size_t random; /* octets that do not compress, */
		size_t same;   /* and behind them octets that do */
		bool packs;
	} cases[] = {{"nothing", 0, 0, false}, {"short", 20, 0, false},
	    {"long, all the same", 0, LONG, true},
	    {"random", LONG, 0, false}, {"first half random", 500, 500, true},
	    {"begins random", SAMPLE, LONG, false},
	    {"begins shrinking", SAMPLE - 1000, LONG, true},
	    {"random, as long as the sample", SAMPLE, 0, false}};
	static const struct span top = OCTETS(
	    "Content-Type: multipart/mixed; boundary=a\r\n\r\n"),
	    text = OCTETS("--a\r\n\r\nx\r\n"),
	    part = OCTETS("\r\n--a\r\nContent-Type: image/png\r\n\r\n");

	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t all = cases[i].random + cases[i].same;
		struct buffer mime = buffer_make(WORLD_LIMIT), sealed;
		struct message *message;
		const struct message_chunk *chunk;
		size_t found;

		unit_case(cases[i].name);
		buffer_append_span(&mime, top);
		assert_non_null(buffer_extend(&mime, all));
		fill_body(span_slice(buffer_span(&mime), top.length,
		    cases[i].random), false);
		fill_body(span_slice(buffer_span(&mime), top.length +
		    cases[i].random, SIZE_MAX), true);
		buffer_append_span(&mime, part);
		buffer_append_span(&mime, text);
		sealed = world_sealed(buffer_span(&mime), "cut", 3);
		message = world_message(buffer_span(&sealed),
		    MESSAGE_RECIPIENT);
		chunk = &message->chunks[5];
		assert_int_equal(chunk[0].type, 65);
		assert_int_equal(chunk[1].type, 131);
		assert_int_equal(chunk[2].type, 131);
		assert_int_equal(chunk[3].type, MESSAGE_TREE_SIGNATURE);
		assert_int_equal(message_try_chunk(message, chunk,
		    MESSAGE_RECIPIENT, &found, NULL), 0);
		if (cases[i].packs)
			assert_true(found < all + 2);
		else
			assert_int_equal(found, all + 2);
		message_free(message);
		world_expect_open(buffer_span(&sealed), buffer_span(&mime));
		buffer_free(&mime);
		buffer_free(&sealed);
	}
}

/* A body that needs three chunks, one that just does not need two, and one that
 * needs but one since it is compressed. */
static void
large_bodies_are_split(void **state)
{
	enum { PIECE = 16777131, HEADER = 14 };
	static const struct {
		size_t body;
		bool packs;
		size_t chunks;
	} cases[] = {{PIECE, false, 1}, {2 * PIECE + 1, false, 3},
	    {2 * PIECE + 1, true, 1}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer mime = buffer_make(WORLD_LIMIT), sealed;
		struct message *message;
		size_t found = 0;

		buffer_append_string(&mime, "Subject: b\r\n\r\n");
		assert_non_null(buffer_extend(&mime, cases[i].body));
		fill_body(span_slice(buffer_span(&mime), HEADER, SIZE_MAX),
		    cases[i].packs);
		sealed = world_sealed(buffer_span(&mime), "large", 0);
		message = world_message(buffer_span(&sealed),
		    MESSAGE_RECIPIENT);
		for (size_t j = 0; j < message->chunk_count; j++)
			found += message->chunks[j].type ==
			    MESSAGE_DISPLAY_CONTENT;
		assert_int_equal(found, cases[i].chunks);
		message_free(message);
		world_expect_open(buffer_span(&sealed), buffer_span(&mime));
		buffer_free(&mime);
		buffer_free(&sealed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bodies_are_cut_and_compressed),
	    cmocka_unit_test(large_bodies_are_split),
	};

	return cmocka_run_group_tests(tests, world_start, world_end);
}
