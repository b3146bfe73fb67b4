/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "tests/unit/unit.h"

#include "crypto/random.h"
#include "dime/headers.h"

enum { LIMIT = 1 << 24, ROUNDS = 3000 };

/* A view of a string literal that may hold NULs. */
#define OCTETS(text) {(const uint8_t *)(text), sizeof(text) - 1}

struct chunks {
	struct buffer common;
	struct buffer others;
};

static void
write_chunks(struct chunks *chunks, struct span block, const char *sender)
{
	struct fault fault = {0};

	chunks->common = buffer_make(LIMIT);
	chunks->others = buffer_make(LIMIT);
	assert_int_equal(headers_write(block, sender, &chunks->common,
	    &chunks->others, &fault), 0);
}

static void
free_chunks(struct chunks *chunks)
{
	buffer_free(&chunks->common);
	buffer_free(&chunks->others);
}

/* Chunk 33 as M15 wants it: known labels in their order, one line each. */
static void
check_common(struct span common)
{
	static const char *const order[] = {
	    "Date: ", "To: ", "CC: ", "From: ", "Organization: ", "Subject: "};
	size_t at = 0;

	if (span_equal_string(common, "\r\n"))
		return;
	assert_true(common.length > 0);
	while (common.length > 0) {
		const uint8_t *end = memchr(common.data, '\r', common.length);

		assert_non_null(end);
		assert_int_equal(end[1], '\n');
		while (at < COUNT(order) && !span_equal_string(
		    span_slice(common, 0, strlen(order[at])), order[at]))
			at++;
		assert_true(at++ < COUNT(order));
		common = span_slice(common,
		    (size_t)(end - common.data) + 2, SIZE_MAX);
	}
}

/* No line of the layout is longer than mail allows. */
static void
check_line_lengths(struct span others)
{
	struct span line;

	for (int i = 0; i < 2; i++)
		assert_true(span_next_line(&others, &line) &&
		    line.length < 998);
	while (span_next_line(&others, &line) && line.length > 0 &&
	    line.data[0] == ' ')
		assert_true(line.length < 998);
}

static void
round_trip(struct span mime)
{
	struct span block, body;
	struct chunks chunks;
	struct buffer again = buffer_make(LIMIT);
	struct fault fault = {0};
	char sender[ADDRESS_SIZE];
	bool has_sender;

	headers_split(mime, &block, &body);
	assert_int_equal(block.length + body.length, mime.length);
	write_chunks(&chunks, block, "alice@alpha.test");
	check_common(buffer_span(&chunks.common));
	check_line_lengths(buffer_span(&chunks.others));
	assert_int_equal(headers_read(buffer_span(&chunks.common),
	    buffer_span(&chunks.others), &again, sender, &has_sender, &fault),
	    0);
	assert_true(has_sender);
	assert_string_equal(sender, "alice@alpha.test");
	assert_true(span_equal(buffer_span(&again), block));
	buffer_free(&again);
	free_chunks(&chunks);
}

static const struct awkward_case {
	const char *name;
	struct span mime;
	size_t block; /* length of the header block */
	struct span common;
} awkward_cases[] = {
    {"empty message", OCTETS(""), 0, OCTETS("\r\n")},
    {"only an empty line", OCTETS("\r\n"), 2, OCTETS("\r\n")},
    {"only a bare empty line", OCTETS("\n"), 1, OCTETS("\r\n")},
    {"only a body", OCTETS("\r\nhello\r\n"), 2, OCTETS("\r\n")},
    {"body without empty line", OCTETS("hello there\r\n"), 0,
        OCTETS("\r\n")},
    {"plain", OCTETS("From: a@b.test\r\nSubject: x\r\n\r\nbody"), 30,
        OCTETS("From: a@b.test\r\nSubject: x\r\n")},
    {"no empty line", OCTETS("Subject: x\r\n"), 12,
        OCTETS("Subject: x\r\n")},
    {"no line end", OCTETS("Subject: x"), 10,
        OCTETS("Subject: x\r\n")},
    {"ends in CR", OCTETS("Subject: x\r"), 11,
        OCTETS("Subject: x\r\n")},
    {"bare LF", OCTETS("Subject: x\nTo: y\n\nbody\n"), 18,
        OCTETS("To: y\r\nSubject: x\r\n")},
    {"mixed line ends", OCTETS("Subject: x\nTo: y\r\n\nb"), 19,
        OCTETS("To: y\r\nSubject: x\r\n")},
    {"folded", OCTETS("Subject: a\r\n b\n\tc\r\n\r\n"), 21,
        OCTETS("Subject: a b\tc\r\n")},
    {"white space line", OCTETS("Subject: a\r\n \r\n b\r\n\r\n"), 21,
        OCTETS("Subject: a  b\r\n")},
    {"last line blank", OCTETS("Subject: a\r\n \r\n\r\n"), 17,
        OCTETS("Subject: a\r\n")},
    {"starts with white space", OCTETS(" a\r\nSubject: a\r\n"), 0,
        OCTETS("\r\n")},
    {"line without colon", OCTETS("To: a\r\nnothing\r\nSubject: b\r\n"),
        7, OCTETS("To: a\r\n")},
    {"NUL", OCTETS("Subject: a\0b\r\nX-\1: b\r\n\r\n"), 14,
        OCTETS("Subject: a b\r\n")},
    {"bare CR", OCTETS("Subject: a\rTo: b\r\nX: c\rd\r\n\r\n"), 28,
        OCTETS("Subject: a To: b\r\n")},
    {"CR CR LF", OCTETS("Subject: a\r\r\n\r\n"), 15,
        OCTETS("Subject: a\r\n")},
    {"CR CR LF blank", OCTETS("Subject: a\r\r\n b\r\n\r\n"), 19,
        OCTETS("Subject: a  b\r\n")},
    {"twice", OCTETS("Subject: a\r\nSUBJECT: b\r\nSubject: c\r\n\r\n"),
        38, OCTETS("Subject: a\r\n")},
    {"other case", OCTETS("sUBJECT: a\r\ncc: b\r\n\r\n"), 21,
        OCTETS("CC: b\r\nSubject: a\r\n")},
    {"space before colon", OCTETS("Subject : a\r\n\r\n"), 15,
        OCTETS("Subject: a\r\n")},
    {"empty values", OCTETS("Subject:\r\nTo: \r\nX:\r\n\r\n"), 22,
        OCTETS("To: \r\nSubject: \r\n")},
    {"8-bit", OCTETS("Subject: \xc3\xa4\xff\r\n\r\n"), 16,
        OCTETS("Subject: \xc3\xa4\xff\r\n")},
    {"fields named as ours",
        OCTETS("Return-Path: <x@y.test>\r\n"
               "DIME-Layout: end=lf\r\n\r\n"),
        48, OCTETS("\r\n")},
    {"ours between others",
        OCTETS("To: a\nDIME-Layout: end=lf\nSubject: b\n\n"), 38,
        OCTETS("To: a\r\nSubject: b\r\n")},
    {"all six and others",
        OCTETS("Received: 1\r\nSubject: s\r\nX: 2\r\n 3\r\nDate: d\r\n"
               "Organization: o\r\nX: 4\r\nFrom: f\r\nCC: c\r\n"
               "To: t\r\nTo: u\r\nY: 5\r\n\r\nbody"), 105,
        OCTETS("Date: d\r\nTo: t\r\nCC: c\r\nFrom: f\r\n"
               "Organization: o\r\nSubject: s\r\n")},
};

static void
awkward_blocks_come_back(void **state)
{
	for (size_t i = 0; i < COUNT(awkward_cases); i++) {
		const struct awkward_case *test = &awkward_cases[i];
		struct span block, body;
		struct chunks chunks;

		unit_case(test->name);
		headers_split(test->mime, &block, &body);
		assert_int_equal(block.length, test->block);
		write_chunks(&chunks, block, "");
		assert_true(span_equal(buffer_span(&chunks.common),
		    test->common));
		free_chunks(&chunks);
		round_trip(test->mime);
	}
}

/* Messages made of pieces that are awkward next to each other. */
static void
random_blocks_come_back(void **state)
{
	static const struct span pieces[] = {
	    OCTETS("Subject"), OCTETS("subject"), OCTETS("To"), OCTETS("CC"),
	    OCTETS("Date"), OCTETS("From"), OCTETS("Organization"),
	    OCTETS("X"), OCTETS("DIME-Layout"), OCTETS("Return-Path"),
	    OCTETS(":"), OCTETS(": "), OCTETS(": "), OCTETS(": "),
	    OCTETS("\r\n"), OCTETS("\r\n"), OCTETS("\r\n"), OCTETS("\n"),
	    OCTETS("\r"), OCTETS("\0"), OCTETS(" "), OCTETS("\t"),
	    OCTETS("\r\n "), OCTETS("value"), OCTETS("a: b\r\n"),
	    OCTETS("To: c\r\n"), OCTETS("Subject: d\r\n"),
	    OCTETS("From: e\r\n"), OCTETS("Date: f\n"),
	    OCTETS("X: g\r\n h\r\n"),
	    OCTETS("\xff"), OCTETS(";"), OCTETS("<"), OCTETS("@"),
	};
	const uint8_t key[32] = {1};
	struct random_source random;

	random_start_keyed(&random, key, span_string("headers"));
	for (int i = 0; i < ROUNDS; i++) {
		struct buffer mime = buffer_make(LIMIT);
		uint32_t count = random_below(&random, 24);

		for (uint32_t j = 0; j < count; j++)
			buffer_append_span(&mime,
			    pieces[random_below(&random, COUNT(pieces))]);
		round_trip(buffer_span(&mime));
		buffer_free(&mime);
	}
}

static void
long_fields_come_back(void **state)
{
	struct buffer mime = buffer_make(LIMIT);

	buffer_append_string(&mime, "Subject: ");
	for (int i = 0; i < 200000; i++)
		buffer_append_string(&mime, i % 70 == 69 ? "\r\n " : "x");
	buffer_append_string(&mime, "\r\n");
	for (int i = 0; i < 5000; i++)
		buffer_printf(&mime, "X-%d: %d\r\n", i, i);
	buffer_append_string(&mime, "To: after all of them\r\n\r\n");
	round_trip(buffer_span(&mime));
	buffer_free(&mime);
}

static void
sender_table(void **state)
{
	static const struct {
		const char *name, *others;
		bool has_sender;
		const char *sender;
	} cases[] = {
	    {"address", "Return-Path: <a@b.test>\r\n", true, "a@b.test"},
	    {"other case", "return-path: <A@B.test>\r\n", true, "A@b.test"},
	    {"null", "Return-Path: <>\r\n", true, ""},
	    {"no address", "Return-Path: <nobody>\r\n", false, ""},
	    {"no brackets", "Return-Path: a@b.test\r\n", false, ""},
	    {"folded", "Return-Path: <a@b.test>\r\n x\r\n", false, ""},
	    {"not first", "X: y\r\nReturn-Path: <a@b.test>\r\n", false, ""},
	    {"none", "", false, ""},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer block = buffer_make(LIMIT);
		char sender[ADDRESS_SIZE];
		struct fault fault = {0};
		bool has_sender;

		unit_case(cases[i].name);
		assert_int_equal(headers_read(span_string("\r\n"),
		    span_string(cases[i].others), &block, sender, &has_sender,
		    &fault), 0);
		assert_int_equal(has_sender, cases[i].has_sender);
		assert_string_equal(sender, cases[i].sender);
		buffer_free(&block);
	}
}

static void
bad_senders_are_not_written(void **state)
{
	static const char *const cases[] = {
	    "nobody", "a@b.test>\r\nX: y", "a b@c.test", "@b.test"};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer common = buffer_make(LIMIT);
		struct buffer others = buffer_make(LIMIT);
		struct fault fault = {0};

		unit_case(cases[i]);
		assert_int_equal(headers_write(span_string("\r\n"), cases[i],
		    &common, &others, &fault), ERR_FORMAT);
		buffer_free(&common);
		buffer_free(&others);
	}
}

#define PATH "Return-Path: <a@b.test>\r\n"

/* What other implementations may write. */
static void
foreign_table(void **state)
{
	static const struct {
		const char *name, *common, *others;
		const char *block; /* NULL: refused */
	} cases[] = {
	    {"no chunk 34", "Date: d\r\nSubject: s\r\n", "",
	        "Date: d\r\nSubject: s\r\n\r\n"},
	    {"nothing", "\r\n", "", "\r\n"},
	    {"no layout", "Subject: s\r\n", PATH "X: y\r\n z\r\n",
	        "Subject: s\r\nX: y\r\n z\r\n\r\n"},
	    {"no return path", "Subject: s\r\n", "X: y\r\n",
	        "Subject: s\r\nX: y\r\n\r\n"},
	    {"layout without return path", "Subject: s\r\n",
	        "DIME-Layout: z\r\n", "Subject: s\r\nDIME-Layout: z\r\n\r\n"},
	    {"bare LF", "\r\n", "X: y\nZ: a\n", "X: y\r\nZ: a\r\n\r\n"},
	    {"no line end", "\r\n", "X: y", "X: y\r\n\r\n"},
	    {"closed by an empty line", "\r\n", "X: y\r\n\r\n",
	        "X: y\r\n\r\n"},
	    {"empty value", "Subject: \r\n", "", "Subject: \r\n\r\n"},
	    {"empty value without space", "Subject:\r\n", "",
	        "Subject: \r\n\r\n"},
	    {"body in chunk 34", "\r\n", "X: y\r\n\r\nbody", NULL},
	    {"no field in chunk 34", "\r\n", "hello\r\n", NULL},
	    {"empty chunk 33", "", "", NULL},
	    {"unknown label", "X: y\r\n", "", NULL},
	    {"label in other case", "subject: y\r\n", "", NULL},
	    {"wrong order", "Subject: s\r\nDate: d\r\n", "", NULL},
	    {"twice", "Date: s\r\nDate: d\r\n", "", NULL},
	    {"no colon", "Date\r\n", "", NULL},
	    {"no space", "Date:x\r\n", "", NULL},
	    {"no line end in 33", "Date: d", "", NULL},
	    {"bare LF in 33", "Date: d\n", "", NULL},
	    {"LF in a value", "Date: d\nX: y\r\n", "", NULL},
	    {"CR in a value", "Date: d\rX: y\r\n", "", NULL},
	    {"empty line after", "Date: d\r\n\r\n", "", NULL},
	    {"two empty lines", "\r\n\r\n", "", NULL},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer block = buffer_make(LIMIT);
		char sender[ADDRESS_SIZE];
		struct fault fault = {0};
		bool has_sender;
		int err;

		unit_case(cases[i].name);
		err = headers_read(span_string(cases[i].common),
		    span_string(cases[i].others), &block, sender, &has_sender,
		    &fault);
		assert_int_equal(err, cases[i].block == NULL ? ERR_CORRUPT : 0);
		if (err == 0)
			assert_true(span_equal_string(buffer_span(&block),
			    cases[i].block));
		else
			assert_int_equal(block.length, 0);
		buffer_free(&block);
	}
}

static const struct layout_case {
	const char *name, *common, *layout, *others;
	bool good;
} layout_cases[] = {
    {"good", "Subject: s\r\n", "end=crlf; Subject@0", "", true},
    {"after another", "Subject: s\r\n", "end=lf; Subject@1", "X: y\r\n",
        true},
    {"raw", "Subject: s\r\n", "end=crlf; Subject@0=c3ViamVjdDogcwo", "",
        true},
    {"raw, folded", "Subject: s\r\n",
        "end=crlf;\r\n Subject@0=\r\n c3Vi\r\n amVjdDogcwo", "", true},
    {"raw, padded", "Subject: s\r\n",
        "end=crlf; Subject@0=c3ViamVjdDogcwo=", "", true},
    {"raw without need", "Subject: s\r\n",
        "end=crlf; Subject@0=U3ViamVjdDogcw0K", "", true},
    {"other text", "Subject: s\r\n",
        "end=crlf; Subject@0=U3ViamVjdDogZXZpbA0K", "", false},
    {"two fields in one", "Subject: s\r\n",
        "end=crlf; Subject@0=U3ViamVjdDogcw0KWDogeQ0K", "", false},
    {"other field", "Subject: s\r\n", "end=crlf; Subject@0=WDogeQ0K",
        "", false},
    {"no line end", "Subject: s\r\n",
        "end=crlf; Subject@0=U3ViamVjdDogcw", "", false},
    {"no line end before another", "Subject: s\r\n",
        "end=none; Subject@0=U3ViamVjdDogcw", "X: y\r\n", false},
    {"no line end, at the end", "Subject: s\r\n",
        "end=none; Subject@1=U3ViamVjdDogcw", "X: y\r\n", true},
    {"no base64", "Subject: s\r\n", "end=crlf; Subject@0=???", "",
        false},
    {"empty base64", "Subject: s\r\n", "end=crlf; Subject@0=", "",
        false},
    {"empty", "\r\n", "", "", false},
    {"no end", "Subject: s\r\n", "Subject@0", "", false},
    {"unknown end", "\r\n", "end=cr", "", false},
    {"end twice", "\r\n", "end=lf; end=lf", "", false},
    {"missing field", "Subject: s\r\n", "end=crlf", "", false},
    {"field that 33 has not", "Subject: s\r\n",
        "end=crlf; Subject@0; To@0", "", false},
    {"field twice", "Subject: s\r\n", "end=crlf; Subject@0; Subject@0",
        "", false},
    {"unknown field", "\r\n", "end=crlf; X@0", "X: y\r\n", false},
    {"label in other case", "Subject: s\r\n", "end=crlf; subject@0", "",
        false},
    {"too far", "Subject: s\r\n", "end=crlf; Subject@2", "X: y\r\n",
        false},
    {"huge", "Subject: s\r\n", "end=crlf; Subject@99999999999999999",
        "", false},
    {"no number", "Subject: s\r\n", "end=crlf; Subject@", "", false},
    {"negative", "Subject: s\r\n", "end=crlf; Subject@-1", "", false},
    {"back", "To: t\r\nSubject: s\r\n", "end=crlf; Subject@1; To@0",
        "X: y\r\n", false},
    {"semicolon at the end", "Subject: s\r\n", "end=crlf; Subject@0;",
        "", false},
    {"another one before", "Subject: s\r\n", "end=crlf; Subject@1",
        "Subject: evil\r\n", false},
    {"another one behind", "Subject: s\r\n", "end=crlf; Subject@0",
        "Subject: more\r\n", true},
    {"one that 33 hides", "\r\n", "end=crlf", "Subject: evil\r\n",
        false},
    {"body in 34", "\r\n", "end=crlf", "X: y\r\n\r\nbody\r\n", false},
};

/* Layouts that nobody but an attacker, or a broken writer, makes. */
static void
layout_table(void **state)
{
	for (size_t i = 0; i < COUNT(layout_cases); i++) {
		const struct layout_case *test = &layout_cases[i];
		struct buffer block = buffer_make(LIMIT);
		struct buffer others = buffer_make(LIMIT);
		char sender[ADDRESS_SIZE];
		struct fault fault = {0};
		bool has_sender;

		unit_case(test->name);
		buffer_printf(&others, PATH "DIME-Layout: %s\r\n%s",
		    test->layout, test->others);
		assert_int_equal(headers_read(span_string(test->common),
		    buffer_span(&others), &block, sender, &has_sender, &fault),
		    test->good ? 0 : ERR_CORRUPT);
		if (!test->good)
			assert_true(fault.text[0] != '\0' && block.length == 0);
		buffer_free(&block);
		buffer_free(&others);
	}
}

/* Every cut and every flipped bit of chunk 34 is refused or gives a block that
 * says the same as chunk 33. */
static void
damaged_layouts_fail_cleanly(void **state)
{
	static const struct span mime = OCTETS("X: 1\r\nsubject: a\r\n b\r\n"
	    "From: f\nTo: t\r\nY: 2\r\n\r\n");
	struct chunks chunks;
	struct buffer block = buffer_make(LIMIT);
	char sender[ADDRESS_SIZE];
	struct fault fault = {0};
	bool has_sender;

	write_chunks(&chunks, mime, "a@b.test");
	for (size_t i = 0; i < chunks.others.length * 8; i++) {
		struct chunks again;

		chunks.others.data[i / 8] ^= (uint8_t)(1 << i % 8);
		if (headers_read(buffer_span(&chunks.common),
		    buffer_span(&chunks.others), &block, sender, &has_sender,
		    &fault) == 0 && has_sender &&
		    memcmp(chunks.others.data + strlen(PATH), "DIME", 4) == 0) {
			write_chunks(&again, buffer_span(&block), "");
			assert_true(span_equal(buffer_span(&again.common),
			    buffer_span(&chunks.common)));
			free_chunks(&again);
		}
		buffer_reset(&block);
		headers_read(buffer_span(&chunks.common),
		    span_slice(buffer_span(&chunks.others), 0, i / 8), &block,
		    sender, &has_sender, &fault);
		buffer_reset(&block);
		chunks.others.data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	free_chunks(&chunks);
	buffer_free(&block);
}

static void
limits_hold(void **state)
{
	struct buffer common = buffer_make(8), others = buffer_make(LIMIT);
	struct buffer block = buffer_make(10);
	char sender[ADDRESS_SIZE];
	struct fault fault = {0};
	bool has_sender;

	assert_int_equal(headers_write(span_string("Subject: long one\r\n"), "",
	    &common, &others, &fault), ERR_TOO_LARGE);
	assert_int_equal(headers_read(span_string("Subject: long one\r\n"),
	    span_string(""), &block, sender, &has_sender, &fault),
	    ERR_TOO_LARGE);
	buffer_free(&common);
	buffer_free(&others);
	buffer_free(&block);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(awkward_blocks_come_back),
	    cmocka_unit_test(random_blocks_come_back),
	    cmocka_unit_test(long_fields_come_back),
	    cmocka_unit_test(sender_table),
	    cmocka_unit_test(bad_senders_are_not_written),
	    cmocka_unit_test(foreign_table),
	    cmocka_unit_test(layout_table),
	    cmocka_unit_test(damaged_layouts_fail_cleanly),
	    cmocka_unit_test(limits_hold),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
