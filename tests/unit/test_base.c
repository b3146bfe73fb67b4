/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <glob.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/address.h"
#include "base/allocator.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/cursor.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mark.h"
#include "base/periodic.h"
#include "base/text.h"

static void
domain_table(void **state)
{
	static const struct {
		const char *given, *normal;
	} cases[] = {
	    {"Example.COM", "example.com"},
	    {"example.com.", "example.com"},
	    {"a_b.example.com", "a_b.example.com"},
	    {"b\xc3\xbc" "cher.example", "xn--bcher-kva.example"},
	    {"localhost", ""},
	    {"", ""},
	    {".", ""},
	    {"a..b", ""},
	    {"-a.example", ""},
	    {"a-.example", ""},
	    {"192.0.2.1", ""},
	    {"[192.0.2.1]", ""},
	    {"a b.example", ""},
	    {"a.example\n", ""},
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	     ".example", ""},
	};
	char out[DOMAIN_SIZE];

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].given);
		assert_int_equal(
		    domain_normalize(span_string(cases[i].given), out),
		    *cases[i].normal != '\0');
		assert_string_equal(out, cases[i].normal);
	}
	assert_false(domain_normalize(span_of("a\0b.example", 11), out));
}

static void
address_table(void **state)
{
	static const struct {
		const char *given, *normal;
	} cases[] = {
	    {"Alice@Alpha.TEST", "alice@alpha.test"},
	    {"a.b+c=d@alpha.test", "a.b+c=d@alpha.test"},
	    {"j\xc3\xb6rg@alpha.test", "j\xc3\xb6rg@alpha.test"},
	    {"\"a b\"@alpha.test", ""},
	    {"a@b@alpha.test", ""},
	    {".a@alpha.test", ""},
	    {"a.@alpha.test", ""},
	    {"a..b@alpha.test", ""},
	    {"@alpha.test", ""},
	    {"alice", ""},
	    {"alice@", ""},
	    {"alice@localhost", ""},
	    {"al\xff@alpha.test", ""},
	    {"a>b@alpha.test", ""},
	    {"", ""},
	};
	char out[ADDRESS_SIZE];

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].given);
		assert_int_equal(
		    address_normalize(span_string(cases[i].given), out),
		    *cases[i].normal != '\0');
		assert_string_equal(out, cases[i].normal);
	}
}

static void
addresses_keep_their_spelling(void **state)
{
	static const struct {
		const char *given, *spelled;
	} cases[] = {
	    {"Alice@Alpha.TEST", "Alice@alpha.test"},
	    {"SRS0=aB+c=Dave@B\xc3\xbc.test", "SRS0=aB+c=Dave@xn--b-eha.test"},
	    {"A..B@alpha.test", ""},
	    {"Alice", ""},
	};
	char out[ADDRESS_SIZE];

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].given);
		assert_int_equal(
		    address_spell(span_string(cases[i].given), out),
		    *cases[i].spelled != '\0');
		assert_string_equal(out, cases[i].spelled);
	}
}

static void
address_parts(void **state)
{
	char out[ADDRESS_SIZE];

	assert_string_equal(address_domain("a@b.example"), "b.example");
	address_strip_tag("a+x+y@b.example", out);
	assert_string_equal(out, "a@b.example");
	address_strip_tag("+x@b.example", out);
	assert_string_equal(out, "+x@b.example");
	address_strip_tag("a@b.example", out);
	assert_string_equal(out, "a@b.example");
	assert_true(domain_is_within("a.b.example", "b.example"));
	assert_true(domain_is_within("b.example", "b.example"));
	assert_false(domain_is_within("ab.example", "b.example"));
	assert_false(domain_is_within("example", "b.example"));
}

static void
cursor_sticks(void **state)
{
	struct cursor cursor = cursor_start(span_of("\1\2\3\4\5\6", 6));

	assert_int_equal(cursor_u8(&cursor), 1);
	assert_int_equal(cursor_u16(&cursor), 0x0203);
	assert_int_equal(cursor_u32(&cursor), 0);
	assert_true(cursor.failed);
	assert_int_equal(cursor_u8(&cursor), 0);
	assert_int_equal(cursor.rest.length, 3);
	assert_false(cursor_done(&cursor));
	cursor = cursor_start(span_of("\1\2\3", 3));
	assert_int_equal(cursor_u24(&cursor), 0x010203);
	assert_true(cursor_done(&cursor));
	assert_int_equal(cursor_take(&cursor, SIZE_MAX).length, 0);
	assert_true(cursor.failed);
}

static void
buffer_stops_at_its_limit(void **state)
{
	struct buffer buffer = buffer_make(5);

	buffer_append_string(&buffer, "abc");
	buffer_u16(&buffer, 0x6465);
	assert_int_equal(buffer.error, 0);
	assert_string_equal(buffer_string(&buffer), "abcde");
	buffer_u8(&buffer, 'f');
	assert_int_equal(buffer.error, ERR_TOO_LARGE);
	assert_int_equal(buffer.length, 5);
	assert_null(buffer_string(&buffer));
	buffer_reset(&buffer);
	buffer_printf(&buffer, "%d-%s", 12, "x");
	buffer_consume(&buffer, 2);
	assert_string_equal(buffer_string(&buffer), "-x");
	buffer_free(&buffer);
	assert_string_equal(buffer_string(&buffer), "");
	buffer_free(&buffer);
	/* Memory grows by doubling, but not past the limit. */
	buffer = buffer_make(300);
	for (size_t i = 0; i < 300; i++)
		buffer_u8(&buffer, 'x');
	assert_int_equal(buffer.error, 0);
	assert_int_equal(buffer.capacity, 301);
	buffer_free(&buffer);
}

static void
reserved_room_does_not_move(void **state)
{
	struct buffer buffer = buffer_make(5000);
	const uint8_t *place;
	size_t room;

	buffer_append_string(&buffer, "abc");
	room = buffer_reserve(&buffer, 1000);
	assert_true(room >= 1000 && room <= 4997);
	assert_int_equal(buffer.length, 3);
	place = buffer.data;
	assert_ptr_equal(buffer_extend(&buffer, room), place + 3);
	assert_ptr_equal(buffer.data, place);
	assert_int_equal(buffer_reserve(&buffer, 9999), 5000 - buffer.length);
	assert_int_equal(buffer.error, 0);
	assert_memory_equal(buffer.data, "abc", 3);
	buffer_extend(&buffer, 5000 - buffer.length);
	assert_int_equal(buffer_reserve(&buffer, 1), 0);
	assert_int_equal(buffer.error, 0);
	buffer_u8(&buffer, 'x');
	assert_int_equal(buffer.error, ERR_TOO_LARGE);
	assert_int_equal(buffer_reserve(&buffer, 0), 0);
	buffer_free(&buffer);
}

static void
lines_and_numbers(void **state)
{
	struct span rest = span_string("a\r\n\nb"), line;
	uint64_t number = 7;

	assert_true(span_next_line(&rest, &line));
	assert_true(span_equal_string(line, "a"));
	assert_true(span_next_line(&rest, &line));
	assert_true(span_equal_string(line, ""));
	assert_true(span_next_line(&rest, &line));
	assert_true(span_equal_string(line, "b"));
	assert_false(span_next_line(&rest, &line));
	assert_true(span_number(span_string("65535"), 65535, &number));
	assert_int_equal(number, 65535);
	assert_false(span_number(span_string("65536"), 65535, &number));
	assert_false(span_number(span_string(""), 9, &number));
	assert_false(span_number(span_string("+1"), 9, &number));
	assert_false(span_number(span_string("99999999999999999999"),
	    UINT64_MAX, &number));
	assert_int_equal(number, 65535);
}

static void
errors_have_rows(void **state)
{
	struct fault fault = {0};

	assert_string_equal(error_row(ERR_SIGNATURE)->name, "ERR_SIGNATURE");
	assert_int_equal(error_row(ERR_SIGNATURE)->dmtp, 578);
	assert_string_equal(error_row(12345)->name, "ERR_INTERNAL");
	assert_int_equal(error_by_name("ERR_BOGUS"), ERR_BOGUS);
	for (int err = ERR_TABLE_START + 1; err < ERR_TABLE_END; err++) {
		const struct error_row *row = error_row(err);

		unit_case(row->name);
		assert_int_equal(row->temporary, row->smtp / 100 == 4);
		assert_int_equal(row->smtp / 100, row->enhanced[0] - '0');
		assert_int_equal(error_by_name(row->name), err);
	}
	assert_int_equal(fault_set(&fault, ERR_FORMAT, "field %d\n", 4),
	    ERR_FORMAT);
	fault_wrap(&fault, "signet");
	assert_string_equal(fault.text, "signet: field 4?");
	assert_string_equal(fault_text(&fault, ERR_BOGUS),
	    error_row(ERR_BOGUS)->text);
}

static void
utf8_table(void **state)
{
	static const struct {
		const char *name, *text;
		bool good;
	} cases[] = {
	    {"ascii", "Name", true},
	    {"two octets", "\xc3\xa9", true},
	    {"four octets", "\xf0\x9f\x98\x80", true},
	    {"overlong", "\xc0\xaf", false},
	    {"overlong three", "\xe0\x80\xaf", false},
	    {"surrogate", "\xed\xa0\x80", false},
	    {"beyond the last", "\xf4\x90\x80\x80", false},
	    {"cut short", "\xe2\x82", false},
	    {"control", "a\tb", false},
	    {"C1 control", "\xc2\x85", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		assert_int_equal(text_is_utf8(cases[i].text,
		    strlen(cases[i].text)), cases[i].good);
	}
}

/* What a terminal must not be shown, and what it may. */
static void
invisible_table(void **state)
{
	static const struct {
		const char *name;
		uint32_t point;
		bool invisible, white;
	} cases[] = {
	    {"escape", 0x1b, true, false},
	    {"line feed", '\n', true, true},
	    {"C1 control", 0x9b, true, false},
	    {"next line", 0x85, true, true},
	    {"right-to-left override", 0x202e, true, false},
	    {"left-to-right isolate", 0x2066, true, false},
	    {"Arabic letter mark", 0x61c, true, false},
	    {"line separator", 0x2028, true, true},
	    {"zero-width space", 0x200b, true, false},
	    {"byte order mark", 0xfeff, true, false},
	    {"tag", 0xe0041, true, false},
	    {"non-character", 0x1ffff, true, false},
	    {"space", ' ', false, true},
	    {"wide space", 0x3000, false, true},
	    {"letter", 'a', false, false},
	    {"tilde", '~', false, false},
	    {"Arabic letter", 0x628, false, false},
	    {"face", 0x1f600, false, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		assert_int_equal(text_is_invisible(cases[i].point),
		    cases[i].invisible);
		assert_int_equal(text_is_white_space(cases[i].point),
		    cases[i].white);
	}
}

static void
config_table(void **state)
{
	static const struct {
		const char *name, *text, *complaint;
	} cases[] = {
	    {"defaults", "", NULL},
	    {"values", "domains = {\"a.test\", \"b.test\"}\ndns_timeout = 7\n",
	     NULL},
	    {"unknown level", "log_level = \"loud\"\n",
	     ":1: log_level: \"loud\" is not one of info|error|warning|debug"},
	    {"part of a word", "log_level = \"inf\"\n", ":1: log_level: "},
	    {"two words", "log_level = \"info|error\"\n", ":1: log_level: "},
	    {"no word", "mode = \"\"\n",
	     ":1: mode: \"\" is not one of enforce|shadow"},
	    {"unknown key", "\ncolour = \"red\"\n",
	     ":2: no such option 'colour'"},
	    {"out of range", "dns_timeout = 999\n",
	     ":1: dns_timeout: 999 is not between 1 and 120"},
	    {"wrong type", "dns_timeout = \"soon\"\n", ":1: invalid integer"},
	    {"empty", "state_db = \"\"\n", ":1: state_db: must not be empty"},
	    {"unreadable", "tls_certificate = \"/nowhere/x\"\n",
	     "tls_certificate: /nowhere/x: No such file"},
	    {"list for a string", "log_level = {\"info\"}\n", ":1: "},
	};
	char path[64] = "/tmp/dimegate-unit-XXXXXX";
	struct config *config;

	unit_directory(path);
	strcat(path, "/c");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = {0};
		struct buffer text = buffer_make(1000);
		int err;

		unit_case(cases[i].name);
		buffer_printf(&text, "%s", cases[i].text);
		if (strstr(cases[i].text, "tls_certificate") == NULL)
			buffer_append_string(&text,
			    "tls_certificate = \"/etc/passwd\"\n");
		buffer_append_string(&text, "ca_file = \"\"\n");
		assert_int_equal(file_write(path, buffer_span(&text), 0600,
		    true, &fault), 0);
		buffer_free(&text);
		err = config_load(path, CONFIG_DMTPD, &config, &fault);
		if (cases[i].complaint == NULL) {
			assert_int_equal(err, 0);
			assert_int_equal(config->listen_port, 26);
			assert_string_equal(config->log_level, "info");
			assert_string_equal(config->mode, "enforce");
		} else {
			assert_int_equal(err, ERR_CONFIG);
			assert_non_null(strstr(fault.text, path));
			assert_non_null(strstr(fault.text, cases[i].complaint));
		}
		config_free(config);
	}
	assert_int_equal(config_load("/tmp", CONFIG_DMTPD, &config, NULL),
	    ERR_CONFIG);
	assert_int_equal(config_load("/nowhere/x", CONFIG_DMTPD, &config, NULL),
	    ERR_NO_FILE);
}

/* ---- the allocator ---- */

static size_t
held_apart(void)
{
	return mallinfo2().hblkhd;
}

/* A second large block is one of its own, too, and not a part of what the first
 * has left. */
static void
large_blocks_go_back(void **state)
{
	enum { LARGE = 8 << 20, SMALLER = 4 << 20 };
	void *volatile block = malloc(16);
	size_t before;

	if (mallinfo2().uordblks == 0) {
		free(block);
		skip(); /* a sanitizer's allocator */
	}
	free(block);
	allocator_start();
	before = held_apart();
	block = malloc(LARGE);
	assert_in_range(held_apart() - before, LARGE, 2 * LARGE);
	free(block);
	assert_int_equal(held_apart(), before);
	block = malloc(SMALLER);
	assert_in_range(held_apart() - before, SMALLER, LARGE);
	free(block);
}

/* ---- marks ---- */

#ifdef DIME_TEST_HOOKS
static void *
come_to_the_mark(void *context)
{
	MARK("held");
	return NULL;
}

static bool
somebody_waits(const char *pattern)
{
	struct deadline deadline = deadline_in(20000);
	int missing = 1;
	glob_t found;

	while (missing != 0 && deadline_left(deadline) > 0) {
		missing = glob(pattern, 0, NULL, &found);
		globfree(&found);
	}
	return missing == 0;
}
#endif

static void
marks_hold(void **state)
{
#ifdef DIME_TEST_HOOKS
	char directory[] = "/tmp/test_base.XXXXXX";
	char mark[200], reached[200];
	pthread_t thread;

	MARK("held"); /* no directory of marks: not held */
	unit_directory(directory);
	setenv("DIME_MARKS", directory, 1);
	MARK("held"); /* no such mark */
	snprintf(mark, sizeof(mark), "%s/held", directory);
	snprintf(reached, sizeof(reached), "%s/held.reached.*", directory);
	assert_int_equal(file_write(mark, span_string(""), 0600, false, NULL),
	    0);
	assert_int_equal(pthread_create(&thread, NULL, come_to_the_mark,
	    NULL), 0);
	assert_true(somebody_waits(reached));
	assert_int_equal(pthread_tryjoin_np(thread, NULL), EBUSY);
	assert_int_equal(unlink(mark), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	unsetenv("DIME_MARKS");
#else
	skip();
#endif
}

/* ---- again and again ---- */

struct rounds {
	_Atomic int count;
};

static int64_t
count_rounds(void *context)
{
	struct rounds *rounds = context;

	return ++rounds->count < 3 ? 0 : 3600 * 1000;
}

/* The third pause is an hour, which nobody waits for. */
static void
rounds_come_until_the_end(void **state)
{
	const struct deadline patience = deadline_in(20000);
	struct periodic *periodic;
	struct rounds rounds = {0};

	assert_int_equal(periodic_new(count_rounds, &rounds, &periodic), 0);
	while (rounds.count < 3 && deadline_left(patience) > 0)
		sched_yield();
	periodic_free(periodic);
	periodic_free(NULL);
	assert_int_equal(rounds.count, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(domain_table),
	    cmocka_unit_test(address_table),
	    cmocka_unit_test(addresses_keep_their_spelling),
	    cmocka_unit_test(address_parts),
	    cmocka_unit_test(cursor_sticks),
	    cmocka_unit_test(buffer_stops_at_its_limit),
	    cmocka_unit_test(reserved_room_does_not_move),
	    cmocka_unit_test(lines_and_numbers),
	    cmocka_unit_test(errors_have_rows),
	    cmocka_unit_test(utf8_table),
	    cmocka_unit_test(invisible_table),
	    cmocka_unit_test(config_table),
	    cmocka_unit_test(large_blocks_go_back),
	    cmocka_unit_test(marks_hold),
	    cmocka_unit_test(rounds_come_until_the_end),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
