/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "tests/unit/forge_expect.h"

/* ---- payloads ---- */

static const struct payload_case {
	const char *name;
	struct forge_payload how;
	int err;
	const char *rule;
} payload_cases[] = {
    /* "hello" and its header are 74 octets: 6 to the next block. */
    {"just aligned", {0, 6, 6, 6, 0, 0}, 0, NULL},
    {"more blocks", {0, 22, 22, 22, 0, 0}, 0, NULL},
    {"most padding", {0, 246, 246, 246, 0, 0}, 0, NULL},
    {"pad octet too small", {0, 6, 22, 6, 0, 0}, ERR_CORRUPT,
        "padding has another length than it says"},
    {"pad octet too large", {0, 22, 6, 22, 0, 0}, ERR_CORRUPT,
        "padding has another length than it says"},
    {"padding holds something", {0, 6, 6, 0, 0, 0}, ERR_CORRUPT,
        "padding holds another octet than its length"},
    {"no pad octet", {0, 0, 6, 0, 0, 0}, ERR_CORRUPT,
        "padding has another length than it says"},
    {"alternate, no stuffing", {1, 0, 6, 0, 0, 0}, 0, NULL},
    {"alternate, one block", {1, 1, 22, 1, 0, 0}, 0, NULL},
    {"alternate, most", {1, 255, 4086, 255, 0, 0}, 0, NULL},
    {"alternate, too few", {1, 2, 22, 2, 0, 0}, ERR_CORRUPT,
        "padding has another length than it says"},
    {"alternate, too many", {1, 0, 22, 0, 0, 0}, ERR_CORRUPT,
        "padding has another length than it says"},
    {"alternate, other octet", {1, 1, 22, 0, 0, 0}, ERR_CORRUPT,
        "padding holds another octet than its length"},
    {"reserved flag 8", {8, 6, 6, 6, 0, 0}, ERR_CORRUPT,
        "a reserved flag is set"},
    {"reserved flag 16", {16, 6, 6, 6, 0, 0}, ERR_CORRUPT,
        "a reserved flag is set"},
    {"reserved flag 32", {32, 6, 6, 6, 0, 0}, ERR_CORRUPT,
        "a reserved flag is set"},
    {"reserved flag 64", {64, 6, 6, 6, 0, 0}, ERR_CORRUPT,
        "a reserved flag is set"},
    {"alternate key", {2, 6, 6, 6, 0, 0}, ERR_ALTERNATE_KEY,
        "needs the alternate key"},
    {"continued by nothing", {128, 6, 6, 6, 0, 0}, ERR_CORRUPT,
        "is not continued by the next chunk"},
    {"gzip that is none", {4, 6, 6, 6, 0, 0}, ERR_CORRUPT,
        "data is not gzip, or damaged"},
    {"no data", {0, 11, 6, 11, -5, 0}, ERR_CORRUPT,
        "data length is 0"},
    {"less data", {0, 7, 6, 7, -1, 0}, ERR_CORRUPT,
        "padding holds another octet than its length"},
    {"more data", {0, 6, 6, 6, 1, 0}, ERR_CORRUPT,
        "padding has another length than it says"},
    {"data up to the end", {0, 0, 6, 'x', 6, 0}, 0, NULL},
    {"data past the end", {0, 0, 6, 0, 7, 0}, ERR_CORRUPT,
        "data length passes the payload"},
    {"much data past the end", {0, 6, 6, 6, 0xfffff0, 0}, ERR_CORRUPT,
        "data length passes the payload"},
    {"signed by another", {0, 6, 6, 6, 0, WORLD_MALLORY}, ERR_CORRUPT,
        "plaintext signature is not the author's"},
    {"signed by the origin", {0, 6, 6, 6, 0, WORLD_ALPHA}, ERR_CORRUPT,
        "plaintext signature is not the author's"},
};

static void
payload_table(void **state)
{
	for (size_t i = 0; i < COUNT(payload_cases); i++) {
		const struct payload_case *test = &payload_cases[i];
		bool longer = test->how.length_by == 6;
		char words[128];
		struct forge forge;

		unit_case(test->name);
		forge_start_content(&forge);
		forge_chunk(&forge, 67, span_string("hello"), &test->how);
		forge_sign(&forge, NULL);
		snprintf(words, sizeof(words), "chunk 67 (Display-Content) at "
		    "offset 1335: %s", test->rule);
		forge_expect(&forge, test->err, test->err != 0 ? words
		    : longer ? "\r\nhelloxxxxxx"
		             : "\r\nhello");
	}
}

/* 256 octets of padding, for which there is no octet, are written as 0. */
static void
padding_of_256_is_read(void **state)
{
	const struct forge_payload how = {.padding = 256};
	const struct forge_payload more = {.padding = 512};
	struct forge forge;

	forge_start_content(&forge);
	forge_chunk(&forge, 67, span_string("hello world"), &how);
	forge_sign(&forge, NULL);
	forge_expect(&forge, 0, "\r\nhello world");
	forge_start_content(&forge);
	forge_chunk(&forge, 67, span_string("hello world"), &more);
	forge_sign(&forge, NULL);
	forge_expect(&forge, ERR_CORRUPT,
	    "padding has another length than it says");
}

/* "hello world" and its header are 80 octets. libdime aligns them with 16 more,
 * which is a block too many in the standard dialect. */
static void
alternate_padding_of_whole_blocks(void **state)
{
	static const struct {
		const char *name;
		struct forge_payload how;
		int err;
	} cases[] = {
	    {"none", {1, 0, 0, 0, 0, 0}, 0},
	    {"one block", {1, 1, 16, 1, 0, 0}, 0},
	    {"libdime's none", {1, 0, 16, 0, 0, 0}, ERR_CORRUPT},
	    {"libdime's one block", {1, 1, 32, 1, 0, 0}, ERR_CORRUPT},
	    {"a block less", {1, 1, 0, 1, 0, 0}, ERR_CORRUPT},
	    {"two blocks more", {1, 0, 32, 0, 0, 0}, ERR_CORRUPT},
	    {"another octet", {1, 0, 16, 16, 0, 0}, ERR_CORRUPT},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct forge forge;

		unit_case(cases[i].name);
		forge_start_content(&forge);
		forge_chunk(&forge, 67, span_string("hello world"),
		    &cases[i].how);
		forge_sign(&forge, NULL);
		forge_expect(&forge, cases[i].err, cases[i].err == 0
		        ? "\r\nhello world"
		        : "padding has another length than it says");
	}
}

/* ---- chunks and their order ---- */

/* A chunk of the plan: type, flags and text. */
struct step {
	uint8_t type, flags;
	const char *text;
};

enum { GOES_ON = 128 };

static const struct content_case {
	const char *name;
	struct step steps[8];
	int err;
	const char *mime;
} content_cases[] = {
    {"no content", {{0}}, 0, "\r\n"},
    {"two contents", {{67, 0, "a"}, {67, 0, "b"}}, 0, "\r\nab"},
    {"all kinds", {{66, 0, "a"}, {65, 0, "b"}, {67, 0, "c"},
        {65, 0, "d"}, {131, 0, "e"}, {129, 0, "f"}, {130, 0, "g"}}, 0,
        "\r\nabcdefg"},
    {"only an attachment", {{131, 0, "a"}}, 0, "\r\na"},
    {"display after attachment", {{131, 0, "a"}, {67, 0, "b"}},
        ERR_FORMAT,
        "chunk 67 (Display-Content) at offset 1547: out of order: "
        "its section is over"},
    {"pieces", {{67, GOES_ON, "a"}, {67, GOES_ON, "b"},
        {67, GOES_ON, "c"}, {67, 0, "d"}, {67, 0, "e"}}, 0,
        "\r\nabcde"},
    {"five pieces", {{67, GOES_ON, "a"}, {67, GOES_ON, "b"},
        {67, GOES_ON, "c"}, {67, GOES_ON, "d"}, {67, 0, "e"}},
        ERR_CORRUPT,
        "chunk 67 (Display-Content) at offset 2183: split into "
        "more pieces than its data needs"},
    {"continued by another type", {{67, GOES_ON, "a"}, {65, 0, "b"}},
        ERR_CORRUPT,
        "chunk 67 (Display-Content) at offset 1335: is not "
        "continued by the next chunk"},
    {"origin goes on", {{4, GOES_ON, "a"}}, ERR_FORMAT,
        "chunk 4 (Origin) at offset 1335: out of order"},
    {"ephemeral twice", {{2, 0, "a"}}, ERR_FORMAT,
        "chunk 2 (Ephemeral) at offset 1335: not a compressed"},
    {"last piece goes on", {{67, GOES_ON, "a"}, {67, GOES_ON, "b"}},
        ERR_CORRUPT, "chunk 67 (Display-Content) at offset 1547: is "
        "not continued by the next chunk"},
    {"display goes on in attachments", {{67, GOES_ON, "a"},
        {131, 0, "b"}}, ERR_CORRUPT, "chunk 67 (Display-Content) at "
        "offset 1335: is not continued by the next chunk"},
    {"pieces differ in flags", {{67, GOES_ON, "a"}, {67, 4, "b"}},
        ERR_CORRUPT, "chunk 67 (Display-Content) at offset 1547: "
        "pieces of one segment have different flags"},
    {"six pieces of a header", {{34, GOES_ON, "X"}, {34, GOES_ON, ":"},
        {34, GOES_ON, " "}, {34, GOES_ON, "y"}, {34, GOES_ON, "\r"},
        {34, 0, "\n"}}, ERR_CORRUPT, "chunk 34 (Headers) at offset "
        "2395: split into more pieces than its data needs"},
    {"header without layout", {{34, 0, "X: y\r\n"}, {67, 0, "a"}}, 0,
        "X: y\r\n\r\na"},
    {"header in pieces", {{34, GOES_ON, "X: "}, {34, 0, "y\r\n"},
        {67, 0, "a"}}, 0, "X: y\r\n\r\na"},
    {"header twice", {{34, 0, "X: y\r\n"}, {34, 0, "Z: y\r\n"}},
        ERR_CORRUPT,
        "chunk 34 (Headers) at offset 1547: stands twice"},
    {"header after content", {{67, 0, "a"}, {34, 0, "X: y\r\n"}},
        ERR_FORMAT,
        "chunk 34 (Headers) at offset 1547: out of order: its "
        "section is over"},
    {"common twice", {{33, 0, "\r\n"}}, ERR_FORMAT,
        "chunk 33 (Common) at offset 1335: stands twice"},
    {"destination late", {{5, 0, "a"}}, ERR_FORMAT,
        "chunk 5 (Destination) at offset 1335: out of order: its "
        "section is over"},
    {"header that runs on", {{34, 0, "Return-Path: <>\r\n"
        "DIME-Layout: end=none\r\nX: y\r\n"}, {67, 0, "Z: a\r\n"}},
        ERR_CORRUPT,
        "chunk 34 (Headers): the header goes on in the content"},
    {"header that goes on", {{34, 0, "Return-Path: <>\r\n"
        "DIME-Layout: end=none\r\nX: y\r\n"}, {67, 0, " a\r\n"}},
        ERR_CORRUPT,
        "chunk 34 (Headers): the header goes on in the content"},
    {"header without end", {{34, 0, "Return-Path: <>\r\n"
        "DIME-Layout: end=none\r\nX: y\r\n"}, {67, 0, "hello"}}, 0,
        "X: y\r\nhello"},
    {"layout against common", {{34, 0, "Return-Path: <>\r\n"
        "DIME-Layout: end=crlf\r\nSubject: evil\r\n"}}, ERR_CORRUPT,
        "chunk 34 (Headers), DIME-Layout: gives another header "
        "than chunk 33 (Common)"},
    {"bad header", {{34, 0, "X: y\r\n\r\nbody"}}, ERR_CORRUPT,
        "chunk 34 (Headers), 4 octets before the end of its data: "
        "not a header field"},
    {"tracing late", {{0, 0, "a"}}, ERR_FORMAT,
        "chunk 0 (Tracing) at offset 1335: out of order: its "
        "section is over"},
    {"name of a section", {{64, 0, "a"}}, ERR_FORMAT,
        "chunk 64 at offset 1335: the type is not known"},
    {"unknown chunk", {{200, 0, "a"}}, ERR_FORMAT,
        "chunk 200 at offset 1335: the type is not known"},
};

static void
content_table(void **state)
{

	for (size_t i = 0; i < COUNT(content_cases); i++) {
		const struct content_case *test = &content_cases[i];
		struct forge forge;

		unit_case(test->name);
		forge_start_content(&forge);
		for (const struct step *step = test->steps;
		    step->text != NULL; step++)
			forge_text(&forge, step->type, step->text, step->flags);
		forge_sign(&forge, NULL);
		forge_expect(&forge, test->err, test->mime);
	}
}

static void
odd_sizes_are_refused(void **state)
{
	static const struct {
		const char *name;
		uint8_t type;
		size_t length;
	} cases[] = {
	    {"short ephemeral", 2, 32}, {"long ephemeral", 2, 34},
	    {"no point", 2, 33}, {"empty payload", 67, 0},
	    {"payload of 64", 67, 64}, {"payload of 79", 67, 79},
	    {"payload of 81", 67, 81}, {"payload of 90", 67, 90},
	    {"short signature", 255, 63}, {"long signature", 255, 65},
	    {"signature with a block more", 255, 80},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const uint8_t octets[128] = {0};
		struct forge forge;

		unit_case(cases[i].name);
		forge_start(&forge);
		if (cases[i].type == 2)
			forge.out.length = 6;
		if (cases[i].type == 2)
			forge_raw(&forge, 2, span_of(octets, cases[i].length));
		forge_envelope(&forge);
		forge_common(&forge);
		if (cases[i].type == 67)
			forge_raw(&forge, 67, span_of(octets, cases[i].length));
		if (cases[i].type == 255) {
			forge_sign(&forge, &(struct forge_signers){
			    WORLD_ALICE, WORLD_ALICE, -1, -1, -1});
			forge_raw(&forge, 255,
			    span_of(octets, cases[i].length));
		} else {
			forge_sign(&forge, NULL);
		}
		forge_expect(&forge, ERR_FORMAT, cases[i].type == 2
		        ? "chunk 2 (Ephemeral) at offset 6: not a compressed "
		          "secp256k1 point"
		    : cases[i].type == 67
		        ? "chunk 67 (Display-Content) at offset 1335: payload "
		          "is not a multiple of 16 from 80 octets on"
		        : "chunk 255 (Organizational-Signature) at offset "
		          "1855: payload is not the 64 octets of a signature");
	}
}

/* Three pieces and what the whole comes to, at most `limit` octets. */
static int
open_pieces(size_t limit, struct buffer *mime)
{
	struct message_parties parties = world_parties();
	char sender[ADDRESS_SIZE];
	struct message *message;
	struct forge forge;
	int err;

	forge_start_content(&forge);
	forge_text(&forge, 67, "hello", 128);
	forge_text(&forge, 67, " and ", 128);
	forge_text(&forge, 67, "goodbye", 0);
	forge_sign(&forge, NULL);
	message = world_message(forge_end(&forge), MESSAGE_RECIPIENT);
	err = message_open(message, &parties, limit, mime, sender, NULL);
	message_free(message);
	forge_free(&forge);
	return err;
}

/* From where no payload has room beside the mail to where all of them have. */
static void
limit_is_of_the_mail_alone(void **state)
{
	const struct span whole = span_string("\r\nhello and goodbye");

	for (size_t limit = 0; limit < whole.length + 200; limit++) {
		struct buffer mime = buffer_make(WORLD_LIMIT);
		struct buffer tight = buffer_make(limit);
		int err = limit < whole.length ? ERR_TOO_LARGE : 0;

		assert_int_equal(open_pieces(limit, &mime), err);
		assert_int_equal(open_pieces(WORLD_LIMIT, &tight), err);
		if (err == 0)
			assert_true(span_equal(buffer_span(&mime), whole));
		assert_true(span_equal(buffer_span(&mime),
		    buffer_span(&tight)));
		buffer_free(&mime);
		buffer_free(&tight);
	}
}

/* Opens it into a buffer of zeros: behind the mail it must hold nothing else
 * afterwards. */
static void
expect_wiped(struct forge *forge, int err)
{
	enum { ROOM = 4096 };
	struct message_parties parties = world_parties();
	struct buffer mime = buffer_make(WORLD_LIMIT);

	memset(buffer_extend(&mime, ROOM), 0, ROOM);
	buffer_reset(&mime);
	assert_int_equal(world_open(forge_end(forge), &parties, &mime), err);
	assert_true(mime.capacity < 2 * ROOM);
	for (size_t i = mime.length; i < ROOM; i++)
		assert_int_equal(mime.data[i], 0);
	buffer_free(&mime);
	forge_free(forge);
}

static void
nothing_is_left_in_the_buffer(void **state)
{
	static const struct {
		const char *name;
		struct forge_payload first, second;
		int err;
	} cases[] = {
	    {"good", {128, 6, 6, 6, 0, 0}, {0, 6, 6, 6, 0, 0}, 0},
	    {"long padding", {128, 246, 246, 246, 0, 0},
	        {0, 246, 246, 246, 0, 0}, 0},
	    {"bad padding", {0, 6, 6, 7, 0, 0}, {0}, ERR_CORRUPT},
	    {"bad padding, second", {128, 6, 6, 6, 0, 0}, {0, 6, 6, 7, 0, 0},
	        ERR_CORRUPT},
	    {"not the author's", {0, 6, 6, 6, 0, WORLD_MALLORY}, {0},
	        ERR_CORRUPT},
	    {"not the author's, second", {128, 6, 6, 6, 0, 0},
	        {0, 6, 6, 6, 0, WORLD_MALLORY}, ERR_CORRUPT},
	    {"alternate key", {2, 6, 6, 6, 0, 0}, {0}, ERR_ALTERNATE_KEY},
	    {"goes on too far", {128, 6, 6, 6, 0, 0}, {128, 6, 6, 6, 0, 0},
	        ERR_CORRUPT},
	    {"other flags, second", {128, 6, 6, 6, 0, 0}, {1, 0, 6, 0, 0, 0},
	        ERR_CORRUPT},
	    {"gzip, second", {128, 6, 6, 6, 0, 0}, {4, 6, 6, 6, 0, 0},
	        ERR_CORRUPT},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct forge forge;

		unit_case(cases[i].name);
		forge_start_content(&forge);
		forge_chunk(&forge, 67, span_string("hello"), &cases[i].first);
		if (cases[i].second.padding > 0)
			forge_chunk(&forge, 67, span_string("hello"),
			    &cases[i].second);
		forge_sign(&forge, NULL);
		expect_wiped(&forge, cases[i].err);
	}
}

/* Neither tracing nor the alternate key concern us. */
static void
tracing_and_alternate_are_stepped_over(void **state)
{
	static const uint8_t tracing[] = {0, 0, 0, 3, 'a', 'b', 'c'};
	static const uint8_t block[] = {1837 >> 8, 1837 & 0xff, 0, 2, 'x', 'y'};
	struct message_parties parties = world_parties();

	for (int i = 0; i < 8; i++) {
		struct buffer message = buffer_make(WORLD_LIMIT);
		struct buffer mime = buffer_make(WORLD_LIMIT);
		struct forge forge;
		struct span sealed;
		size_t added = i & 1 ? sizeof(tracing) : 0;

		forge_start(&forge);
		if (i & 4)
			forge_raw(&forge, 3, span_string("whatever this is"));
		forge_envelope(&forge);
		forge_common(&forge);
		forge_sign(&forge, NULL);
		sealed = forge_end(&forge);
		if (i & 2)
			buffer_append(&message, block, sizeof(block));
		buffer_u16(&message, 1847);
		buffer_u32(&message, (uint32_t)(sealed.length - 6 + added));
		if (i & 1)
			buffer_append(&message, tracing, sizeof(tracing));
		buffer_append_span(&message, span_slice(sealed, 6, SIZE_MAX));
		assert_int_equal(world_open(buffer_span(&message), &parties,
		    &mime), 0);
		buffer_free(&message);
		buffer_free(&mime);
		forge_free(&forge);
	}
}

/* An author without the signets of destination and recipient has only what the
 * envelopes say of both. */
static void
envelopes_agree_without_signets(void **state)
{
	static const struct {
		const char *recipient;
		int err;
	} cases[] = {
	    {"bob@beta.test", 0},
	    {"bob@sub.beta.test", 0},
	    {"bob@gamma.test", ERR_MISMATCH},
	    {"bob@notbeta.test", ERR_MISMATCH},
	};
	struct message_parties parties = world_parties();

	parties.destination = NULL;
	parties.recipient = NULL;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer mime = buffer_make(WORLD_LIMIT);
		char sender[ADDRESS_SIZE];
		struct message *message;
		struct forge forge;

		unit_case(cases[i].recipient);
		forge_start(&forge);
		forge.recipient = cases[i].recipient;
		forge_envelope(&forge);
		forge_common(&forge);
		forge_sign(&forge, NULL);
		message = world_message(forge_end(&forge), MESSAGE_AUTHOR);
		assert_int_equal(message_open(message, &parties, WORLD_LIMIT,
		    &mime, sender, NULL), cases[i].err);
		message_free(message);
		buffer_free(&mime);
		forge_free(&forge);
	}
}

static void
second_tracing_is_refused(void **state)
{
	static const uint8_t blocks[] = {1837 >> 8, 1837 & 0xff, 0, 0,
	    1837 >> 8, 1837 & 0xff, 0, 0};
	struct message_parties parties = world_parties();
	struct buffer message = buffer_make(WORLD_LIMIT);
	struct buffer mime = buffer_make(WORLD_LIMIT);
	struct forge forge;

	forge_start_content(&forge);
	forge_sign(&forge, NULL);
	buffer_append(&message, blocks, sizeof(blocks));
	buffer_append_span(&message, forge_end(&forge));
	assert_int_equal(world_open(buffer_span(&message), &parties, &mime),
	    ERR_FORMAT);
	/* One is what may stand there, and it must be all there. */
	assert_int_equal(world_open(span_slice(buffer_span(&message), 4,
	    SIZE_MAX), &parties, &mime), 0);
	buffer_reset(&mime);
	message.data[3] = 255;
	assert_int_equal(world_open(span_slice(buffer_span(&message), 0, 100),
	    &parties, &mime), ERR_FORMAT);
	buffer_free(&message);
	buffer_free(&mime);
	forge_free(&forge);
}

static void
header_needs_no_content(void **state)
{
	static const struct {
		const char *name;
		uint8_t type;
		const char *text;
		uint8_t flags;
		int header, whole;
	} cases[] = {
	    {"good", 67, "hello", 0, 0, 0},
	    {"content is no gzip", 67, "hello", 4, 0, ERR_CORRUPT},
	    {"content is not continued", 67, "hello", 128, 0, ERR_CORRUPT},
	    {"header is no gzip", 34, "X: y\r\n", 4, ERR_CORRUPT, ERR_CORRUPT},
	    {"no header fields", 34, "hello", 0, ERR_CORRUPT, ERR_CORRUPT},
	};
	struct message_parties parties = world_parties();

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer out = buffer_make(WORLD_LIMIT);
		struct message *message;
		char sender[ADDRESS_SIZE];
		struct forge forge;

		unit_case(cases[i].name);
		forge_start_content(&forge);
		forge_text(&forge, cases[i].type, cases[i].text,
		    cases[i].flags);
		forge_sign(&forge, NULL);
		message = world_message(forge_end(&forge), MESSAGE_RECIPIENT);
		assert_int_equal(message_open_header(message, &parties,
		    WORLD_LIMIT, &out, sender, NULL), cases[i].header);
		assert_true(span_equal_string(buffer_span(&out),
		    cases[i].header == 0 ? "\r\n" : ""));
		buffer_reset(&out);
		assert_int_equal(message_open(message, &parties, WORLD_LIMIT,
		    &out, sender, NULL), cases[i].whole);
		message_free(message);
		forge_free(&forge);
		buffer_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(payload_table),
	    cmocka_unit_test(header_needs_no_content),
	    cmocka_unit_test(padding_of_256_is_read),
	    cmocka_unit_test(alternate_padding_of_whole_blocks),
	    cmocka_unit_test(content_table),
	    cmocka_unit_test(odd_sizes_are_refused),
	    cmocka_unit_test(limit_is_of_the_mail_alone),
	    cmocka_unit_test(nothing_is_left_in_the_buffer),
	    cmocka_unit_test(tracing_and_alternate_are_stepped_over),
	    cmocka_unit_test(envelopes_agree_without_signets),
	    cmocka_unit_test(second_tracing_is_refused),
	};

	return cmocka_run_group_tests(tests, world_start, world_end);
}
