/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "dmtp/reply.h"

static void
table_is_sound(void **state)
{
	for (int i = 0; i < REPLIES; i++) {
		const struct reply_row *row = reply_row((enum reply)i);

		unit_case(row->text);
		assert_in_range(row->code, 214, 586);
		assert_int_equal(row->error == 0, row->code < 400);
		assert_int_equal(
		    reply_row(reply_by_code(row->code))->code, row->code);
		/* A queue asks this of the error, a person of the code. */
		if (row->error != 0)
			assert_int_equal(error_row(row->error)->temporary,
			    row->code < 500);
	}
}

static void
every_error_has_a_reply(void **state)
{
	for (int err = ERR_TABLE_START + 1; err < ERR_TABLE_END; err++) {
		unit_case(error_row(err)->name);
		assert_int_not_equal(reply_of_error(err), REPLIES);
	}
	assert_int_equal(reply_of_error(ERR_SIGNATURE), REPLY_SIGNATURE);
}

static void
codes_that_nobody_knows(void **state)
{
	assert_int_equal(reply_by_code(299), REPLIES);
	assert_int_equal(reply_error_of_code(250), 0);
	assert_int_equal(reply_error_of_code(354), 0);
	assert_int_equal(reply_error_of_code(576), ERR_DESTINATION_SIGNET);
	assert_int_equal(reply_error_of_code(599), ERR_REFUSED);
	assert_int_equal(reply_error_of_code(499), ERR_PROTOCOL);
	assert_int_equal(reply_error_of_code(299), ERR_PROTOCOL);
	assert_int_equal(reply_error_of_code(600), ERR_PROTOCOL);
	assert_int_equal(reply_error_of_code(-5), ERR_PROTOCOL);
}

static void
lines_are_clean_and_short(void **state)
{
	struct buffer out = buffer_make(10000);
	char more[2 * DMTP_LINE_LIMIT];

	reply_write(REPLY_OK, "", &out);
	reply_write(REPLY_OK, " DMTP", &out);
	reply_write(REPLY_BYE, " a\r\n250 OK\xc3", &out);
	assert_string_equal(buffer_string(&out),
	    "250 OK\n250 OK DMTP\n221 BYE a??250 OK?\n");
	buffer_reset(&out);
	memset(more, 'x', sizeof(more));
	more[sizeof(more) - 1] = '\0';
	reply_write(REPLY_ACCEPTED, more, &out);
	assert_int_equal(out.length, DMTP_LINE_LIMIT);
	assert_int_equal(out.data[DMTP_LINE_LIMIT - 1], '\n');
	buffer_free(&out);
}

static void
listings(void **state)
{
	struct buffer out = buffer_make(10000);

	reply_write_listing(REPLY_ORG_SIGNET,
	    span_string("-----BEGIN-----\r\nAAAA\n-----END-----\n"), &out);
	reply_write_listing(REPLY_USER_SIGNET, span_string(""), &out);
	assert_string_equal(buffer_string(&out),
	    "270------BEGIN-----\n270-AAAA\n270------END-----\n270 OK\n"
	    "280 OK\n");
	buffer_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(table_is_sound),
	    cmocka_unit_test(every_error_has_a_reply),
	    cmocka_unit_test(codes_that_nobody_knows),
	    cmocka_unit_test(lines_are_clean_and_short),
	    cmocka_unit_test(listings),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
