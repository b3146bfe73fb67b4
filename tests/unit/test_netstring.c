/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "dmtp/netstring.h"

enum { LIMIT = 12 };

/*
 * Feeds `text` in pieces of `piece` octets and writes what came of it: each
 * content in brackets, then how it ended.
 */
static void
run(struct span text, size_t piece, struct buffer *out)
{
	struct netstring_reader reader;
	int err = 0;

	netstring_start(&reader, LIMIT);
	for (size_t at = 0; at < text.length && err == 0; at += piece) {
		struct span input = span_slice(text, at, piece);

		while (input.length > 0 && err == 0) {
			bool complete;

			err = netstring_feed(&reader, &input, &complete);
			if (!complete)
				continue;
			buffer_append_string(out, "[");
			buffer_append_span(out, netstring_content(&reader));
			buffer_append_string(out, "]");
			netstring_next(&reader);
		}
	}
	if (err != 0)
		buffer_append_string(out, error_row(err)->name);
	else if (reader.state == NETSTRING_LENGTH && reader.digits == 0)
		buffer_append_string(out, "idle");
	else
		buffer_append_string(out, "cut short");
	netstring_free(&reader);
}

static void
reading_table(void **state)
{
	static const struct {
		const char *name, *text, *outcome;
	} cases[] = {
	    {"nothing", "", "idle"},
	    {"one", "5:hello,", "[hello]idle"},
	    {"empty content", "0:,", "[]idle"},
	    {"several", "1:a,0:,2:,:,3:d,e,", "[a][][,:][d,e]idle"},
	    {"at the limit", "12:abcdefghijkl,", "[abcdefghijkl]idle"},
	    {"over the limit", "13:abcdefghijklm,", "ERR_TOO_LARGE"},
	    {"far over", "99999999999999999999999999:", "ERR_TOO_LARGE"},
	    {"wraps 64 bits", "18446744073709551617:a,", "ERR_TOO_LARGE"},
	    {"leading zero", "01:a,", "ERR_FORMAT"},
	    {"two zeros", "00:,", "ERR_FORMAT"},
	    {"no length", ":a,", "ERR_FORMAT"},
	    {"sign", "+1:a,", "ERR_FORMAT"},
	    {"negative", "-1:a,", "ERR_FORMAT"},
	    {"space", " 1:a,", "ERR_FORMAT"},
	    {"text", "hello", "ERR_FORMAT"},
	    {"longer than it says", "1:ab,", "ERR_FORMAT"},
	    {"shorter than it says", "3:ab,", "cut short"},
	    {"line end between", "1:a,\n1:b,", "[a]ERR_FORMAT"},
	    {"only digits", "12", "cut short"},
	    {"no comma yet", "1:a", "cut short"},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t piece = 1; piece <= 20; piece++) {
			struct buffer out = buffer_make(1000);

			unit_case(cases[i].name);
			run(span_string(cases[i].text), piece, &out);
			assert_string_equal(buffer_string(&out),
			    cases[i].outcome);
			buffer_free(&out);
		}
}

static void
an_error_stays(void **state)
{
	struct netstring_reader reader;
	struct span input = span_string("x"), good = span_string("1:a,");
	bool complete = true;

	netstring_start(&reader, LIMIT);
	assert_int_equal(netstring_feed(&reader, &input, &complete),
	    ERR_FORMAT);
	assert_false(complete);
	netstring_next(&reader);
	assert_int_equal(netstring_feed(&reader, &good, &complete), ERR_FORMAT);
	assert_int_equal(good.length, 4);
	netstring_free(&reader);
}

static void
memory_follows_what_came(void **state)
{
	struct netstring_reader reader;
	struct span input = span_string("900000000:only this");
	bool complete;

	netstring_start(&reader, 1000000000);
	assert_int_equal(netstring_feed(&reader, &input, &complete), 0);
	assert_false(complete);
	assert_true(reader.content.capacity < 4096);
	netstring_free(&reader);
}

static void
writing_is_read_again(void **state)
{
	struct buffer out = buffer_make(100);
	struct buffer outcome = buffer_make(100);

	netstring_write(span_string(""), &out);
	netstring_write(span_of("a\0b", 3), &out);
	assert_int_equal(out.length, 9);
	assert_memory_equal(out.data, "0:,3:a\0b,", 9);
	run(buffer_span(&out), 1, &outcome);
	assert_int_equal(outcome.length, 11);
	assert_memory_equal(outcome.data, "[][a\0b]idle", 11);
	buffer_free(&out);
	buffer_free(&outcome);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reading_table),
	    cmocka_unit_test(an_error_stays),
	    cmocka_unit_test(memory_follows_what_came),
	    cmocka_unit_test(writing_is_read_again),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
