/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "dime/armor.h"

/* "123456789", whose CRC-24 is 21CF02 in every catalogue of checksums. */
#define DIGITS "MTIzNDU2Nzg5"
#define BEGIN "-----BEGIN USER SIGNET-----\n"
#define END "-----END USER SIGNET-----\n"

static const struct reading_case {
	const char *name, *text;
	const char *complaint; /* NULL: good */
} reading_cases[] = {
    {"as written", BEGIN DIGITS "\n=Ic8C\n" END, NULL},
    {"no checksum", BEGIN DIGITS "\n" END, NULL},
    {"CRLF and blank lines",
     "\r\n-----BEGIN USER SIGNET-----\r\n\r\nMTIzNDU2\r\nNzg5\r\n"
     "=Ic8C\r\n-----END USER SIGNET-----\r\n\r\n", NULL},
    {"four dashes", "----BEGIN USER SIGNET----\n" DIGITS
     "\n-----END USER SIGNET----\n", NULL},
    {"no last line end", BEGIN DIGITS "\n-----END USER SIGNET-----",
     NULL},
    {"blanks at line ends", BEGIN DIGITS " \t\n" END "  \n", NULL},
    {"empty", "", "empty"},
    {"white space", " \n\n", "empty"},
    {"wrong checksum", BEGIN DIGITS "\n=Ic8D\n" END,
     "line 3: the checksum"},
    {"checksum not base64", BEGIN DIGITS "\n=Ic=8\n" END,
     "line 3: the checksum"},
    {"data behind the checksum", BEGIN DIGITS "\n=Ic8C\nMTIz\n" END,
     "line 4: not a line"},
    {"three dashes", "---BEGIN USER SIGNET-----\n" DIGITS "\n" END,
     "line 1: not a BEGIN"},
    {"six dashes", "------BEGIN USER SIGNET-----\n" DIGITS "\n" END,
     "line 1: not a BEGIN"},
    {"unknown label", "-----BEGIN SIGNET-----\n" DIGITS "\n" END,
     "line 1: unknown label \"SIGNET\""},
    {"other END", BEGIN DIGITS "\n-----END SIGNET-----\n",
     "line 3: END does not"},
    {"END missing", BEGIN DIGITS "\n", "END line is missing"},
    {"text in front", "hello\n" BEGIN DIGITS "\n" END, "line 1: not"},
    {"text behind", BEGIN DIGITS "\n" END "hello\n",
     "line 4: something follows"},
    {"a second object", BEGIN DIGITS "\n" END BEGIN DIGITS "\n" END,
     "line 4: something follows"},
    {"an armor header", BEGIN "Version: 1\n\n" DIGITS "\n" END,
     "line 2: not a line of base64"},
    {"half an octet", BEGIN "MTIzN\n" END,
     "up to line 2: it ends within an octet"},
    {"unused bits set", BEGIN "MTIz\nNB\n\n" END,
     "up to line 3: bits that no octet uses are set"},
    {"padding inside", BEGIN "MQ==\nMTIz\n" END,
     "up to line 3: padding stands before its end"},
    {"padding too short", BEGIN "MQ=\n" END,
     "up to line 2: its padding has the wrong length"},
    {"padding too long", BEGIN "MTIz\n====\n" END,
     "up to line 3: its padding has the wrong length"},
    {"an octet beyond base64", BEGIN "MTIz\x80\n" END, "line 2"},
};

static void
reading_table(void **state)
{
	for (size_t i = 0; i < COUNT(reading_cases); i++) {
		const struct reading_case *test = &reading_cases[i];
		struct buffer out = buffer_make(1000);
		struct fault fault = {0};
		enum armor_kind kind = ARMOR_KINDS;
		int err;

		unit_case(test->name);
		buffer_append_string(&out, "before ");
		err = armor_read(span_string(test->text), &kind, &out,
		    &fault);
		if (test->complaint == NULL) {
			assert_int_equal(err, 0);
			assert_int_equal(kind, ARMOR_USER_SIGNET);
			assert_string_equal(buffer_string(&out),
			    "before 123456789");
		} else {
			assert_int_equal(err, ERR_FORMAT);
			assert_non_null(strstr(fault.text, test->complaint));
			assert_string_equal(buffer_string(&out), "before ");
		}
		buffer_free(&out);
	}
}

static void
written_form(void **state)
{
	struct buffer out = buffer_make(1000);

	armor_write(ARMOR_USER_SIGNET, span_string("123456789"), &out);
	assert_string_equal(buffer_string(&out),
	    BEGIN DIGITS "\n=Ic8C\n" END);
	buffer_reset(&out);
	armor_write(ARMOR_ORG_KEYS, span_string("1"), &out);
	assert_non_null(strstr(buffer_string(&out), "\nMQ==\n="));
	buffer_reset(&out);
	armor_write(ARMOR_MESSAGE, span_string("1"), &out);
	assert_string_equal(buffer_string(&out),
	    "-----BEGIN ENCRYPTED MESSAGE-----\nMQ\n"
	    "-----END ENCRYPTED MESSAGE-----\n");
	buffer_free(&out);
}

static void
every_length_comes_back(void **state)
{
	uint8_t binary[200];

	for (size_t i = 0; i < sizeof(binary); i++)
		binary[i] = (uint8_t)(i * 37);
	for (size_t length = 0; length <= sizeof(binary); length++) {
		struct buffer text = buffer_make(1000);
		struct buffer back = buffer_make(1000);
		enum armor_kind kind;
		const enum armor_kind written =
		    (enum armor_kind)(length % ARMOR_KINDS);

		armor_write(written, span_of(binary, length), &text);
		assert_true(armor_is_armored(buffer_span(&text)));
		assert_int_equal(armor_read(buffer_span(&text), &kind, &back,
		    NULL), 0);
		assert_int_equal(kind, written);
		assert_true(span_equal(buffer_span(&back),
		    span_of(binary, length)));
		buffer_free(&text);
		buffer_free(&back);
	}
	assert_false(armor_is_armored(span_of("\x06\xf0---", 5)));
	assert_false(armor_is_armored(span_of("---", 3)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reading_table),
	    cmocka_unit_test(written_form),
	    cmocka_unit_test(every_length_comes_back),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
