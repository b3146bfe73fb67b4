/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/message_forge.h"

static const char letter[] = "Subject: Papers\r\nX: y\r\n\r\nBring them.\r\n";

/* Lists what there is of a message for bob. Returns what refuses it, 0 for
 * nothing. */
static int
list(struct span binary, struct buffer *text)
{
	struct fault fault = {0};
	struct message *message;
	int err, refusal = 0;

	err = message_survey(binary, WORLD_LIMIT, &message, &fault);
	if (message == NULL)
		return err;
	message_unlock(message, MESSAGE_RECIPIENT,
	    agreer_of_scalar(world.keys[WORLD_BOB]), NULL);
	assert_int_equal(message_describe(message, text, &refusal,
	    err == 0 ? &fault : NULL), 0);
	assert_true(refusal == 0 || err != 0 || fault.text[0] != '\0');
	message_free(message);
	return err != 0 ? err : refusal;
}

static size_t
lines_of(const struct buffer *text)
{
	struct span rest = buffer_span(text), line;
	size_t count = 0;

	while (span_next_line(&rest, &line))
		count++;
	return count;
}

static void
good_message_is_listed(void **state)
{
	struct buffer sealed = world_sealed(span_string(letter), "list", 3);
	struct buffer text = buffer_make(WORLD_LIMIT);

	assert_int_equal(list(buffer_span(&sealed), &text), 0);
	assert_int_equal(lines_of(&text), 11);
	assert_non_null(strstr(buffer_string(&text),
	    "author recipient; recipient reads 13 octets\n"));
	buffer_free(&text);
	buffer_free(&sealed);
}

/* What only a signature shows is not seen here; what is cut off is. */
static void
damage_never_breaks_the_listing(void **state)
{
	struct buffer sealed = world_sealed(span_string(letter), "damage", 0);
	struct buffer text = buffer_make(WORLD_LIMIT);
	size_t longest = 0;

	for (size_t i = 0; i < sealed.length; i++) {
		assert_int_not_equal(list(span_of(sealed.data, i), &text), 0);
		/* The more there is, the more is listed. */
		assert_true(lines_of(&text) >= longest);
		longest = lines_of(&text);
		buffer_reset(&text);
	}
	assert_int_equal(longest, 8);
	for (size_t i = 0; i < sealed.length; i++) {
		sealed.data[i] ^= (uint8_t)(1 << i % 8);
		list(buffer_span(&sealed), &text);
		sealed.data[i] ^= (uint8_t)(1 << i % 8);
		buffer_reset(&text);
	}
	buffer_free(&text);
	buffer_free(&sealed);
}

/* Faults that show only when chunks are put together. */
static void
refusals_are_found(void **state)
{
	static const struct {
		const char *name;
		uint8_t type;
		const char *text;
		uint8_t flags;
		int err;
		const char *listed; /* with what the chunk itself is wrong, or
		                       in a line more, what it makes */
	} cases[] = {
	    {"good", 67, "hello", 0, 0, NULL},
	    {"not continued", 67, "hello", 128, ERR_CORRUPT,
	        "\nchunk 67 (Display-Content) at offset 1335: is not continued "
	        "by the next chunk\n"},
	    {"no gzip", 67, "hello", 4, ERR_CORRUPT,
	        "\nchunk 67 (Display-Content) at offset 1335: data is not gzip, "
	        "or damaged\n"},
	    {"reserved flag", 67, "hello", 8, ERR_CORRUPT,
	        "recipient finds it corrupt: a reserved flag is set\n"},
	    {"alternate key", 67, "hello", 2, ERR_ALTERNATE_KEY,
	        "recipient needs the alternate key\n"},
	    {"no header fields", 34, "hello", 0, ERR_CORRUPT,
	        "\nchunk 34 (Headers), 5 octets before the end of its data: "
	        "not a header field\n"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct forge_payload how = {.flags = cases[i].flags,
		    .pad = 6, .padding = 6, .fill = 6};
		struct buffer text = buffer_make(WORLD_LIMIT);
		struct forge forge;

		unit_case(cases[i].name);
		forge_start(&forge);
		forge_envelope(&forge);
		forge_common(&forge);
		forge_chunk(&forge, cases[i].type, span_string(cases[i].text),
		    &how);
		forge_sign(&forge, NULL);
		assert_int_equal(list(forge_end(&forge), &text), cases[i].err);
		assert_int_equal(lines_of(&text), cases[i].listed != NULL &&
		    cases[i].listed[0] == '\n' ? 9 : 8);
		if (cases[i].listed != NULL &&
		    strstr(buffer_string(&text), cases[i].listed) == NULL)
			fail_msg("%s", buffer_string(&text));
		forge_free(&forge);
		buffer_free(&text);
	}
}

/* Each chunk out of its place is shown as that, and what is behind it. */
static void
order_is_listed(void **state)
{
	struct buffer text = buffer_make(WORLD_LIMIT);
	struct forge forge;

	forge_start(&forge);
	forge_envelope(&forge);
	forge_common(&forge);
	forge_common(&forge);
	forge_chunk(&forge, 131, span_string("hello"), NULL);
	forge_chunk(&forge, 67, span_string("hello"), NULL);
	forge_raw(&forge, 66, span_string("hello"));
	forge_sign(&forge, NULL);
	assert_int_equal(list(forge_end(&forge), &text), ERR_FORMAT);
	assert_int_equal(lines_of(&text), 11);
	assert_non_null(strstr(buffer_string(&text), " 33  Common          "
	    "                                80  author recipient; refused: "
	    "stands twice; recipient reads 2 octets\n"));
	assert_non_null(strstr(buffer_string(&text),
	    "out of order: its section is over; recipient reads 5 octets\n"));
	assert_non_null(strstr(buffer_string(&text), "refused: payload is not "
	    "a multiple of 16 from 80 octets on; recipient finds it corrupt: "
	    "payload is too short\n"));
	forge_free(&forge);
	buffer_free(&text);
}

/* Chunks of no use, 4 octets each, are not kept without end. */
static void
listing_is_bounded(void **state)
{
	enum { CHUNKS = 100000, LISTED = 65536 };
	struct buffer binary = buffer_make(WORLD_LIMIT);
	struct fault fault = {0};
	struct message *message;

	buffer_u16(&binary, 1847);
	buffer_u32(&binary, CHUNKS * 4);
	memset(buffer_extend(&binary, CHUNKS * 4), 0, CHUNKS * 4);
	assert_int_equal(message_survey(buffer_span(&binary), WORLD_LIMIT,
	    &message, &fault), ERR_FORMAT);
	assert_string_equal(fault.text,
	    "chunk 0 (Tracing) at offset 10: stands twice");
	assert_int_equal(message->chunk_count, LISTED);
	message_free(message);
	buffer_free(&binary);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_message_is_listed),
	    cmocka_unit_test(damage_never_breaks_the_listing),
	    cmocka_unit_test(refusals_are_found),
	    cmocka_unit_test(order_is_listed),
	    cmocka_unit_test(listing_is_bounded),
	};

	return cmocka_run_group_tests(tests, world_start, world_end);
}
