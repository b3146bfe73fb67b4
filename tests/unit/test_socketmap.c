/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "dmtp/socketmap.h"

static void
query_table(void **state)
{
	static const struct {
		const char *text, *map, *key;
	} cases[] = {
	    {"transport bob@beta.test", "transport", "bob@beta.test"},
	    {"transport *", "transport", "*"},
	    {"sender \"a b\"@beta.test", "sender", "\"a b\"@beta.test"},
	    {"m  two", "m", " two"},
	    {"m ", "m", ""},
	    {"transport", NULL, NULL},
	    {" key", NULL, NULL},
	    {"", NULL, NULL},
	    {"tr\tansport key", NULL, NULL},
	    {"tr\xc3\xa4ns key", NULL, NULL},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct socketmap_query query;
		struct fault fault = {0};
		int err;

		unit_case(cases[i].text);
		err = socketmap_read(span_string(cases[i].text), &query,
		    &fault);
		if (cases[i].map == NULL) {
			assert_int_equal(err, ERR_FORMAT);
			assert_non_null(strstr(fault.text, "map's name"));
			continue;
		}
		assert_int_equal(err, 0);
		assert_true(span_equal_string(query.map, cases[i].map));
		assert_true(span_equal_string(query.key, cases[i].key));
	}
}

static void
reply_table(void **state)
{
	static const struct {
		enum socketmap_status status;
		const char *text, *octets;
	} cases[] = {
	    {SOCKETMAP_OK, "dimeenc:", "11:OK dimeenc:,"},
	    {SOCKETMAP_NOTFOUND, "ignored", "9:NOTFOUND ,"},
	    {SOCKETMAP_TEMP, "no DNS", "11:TEMP no DNS,"},
	    {SOCKETMAP_TIMEOUT, "", "8:TIMEOUT ,"},
	    {SOCKETMAP_PERM, "policy", "11:PERM policy,"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer out = buffer_make(1000);

		unit_case(cases[i].octets);
		socketmap_write(cases[i].status, cases[i].text, &out);
		assert_string_equal(buffer_string(&out), cases[i].octets);
		buffer_free(&out);
	}
}

static void
a_reply_stays_within_the_limit(void **state)
{
	struct buffer out = buffer_make(2 * SOCKETMAP_REPLY_LIMIT);
	char *text = calloc(1, SOCKETMAP_REPLY_LIMIT);

	assert_non_null(text);
	memset(text, 'x', SOCKETMAP_REPLY_LIMIT - 3);
	socketmap_write(SOCKETMAP_OK, text, &out);
	assert_int_equal(out.length, SOCKETMAP_REPLY_LIMIT + 8);
	buffer_reset(&out);
	text[SOCKETMAP_REPLY_LIMIT - 3] = 'x';
	socketmap_write(SOCKETMAP_OK, text, &out);
	assert_string_equal(buffer_string(&out), "20:TEMP answer too long,");
	free(text);
	buffer_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(query_table),
	    cmocka_unit_test(reply_table),
	    cmocka_unit_test(a_reply_stays_within_the_limit),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
