/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "tests/unit/unit.h"

#include "base/file.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "dime/headers.h"

#define OCTETS(text) {(const uint8_t *)(text), sizeof(text) - 1}

/* doc/dmime.md has the rows of chunk.def, and the layout that it shows is what
 * is written. */
static void
document_tells_the_truth(void **state)
{
	enum { NONE = 0, A = 1, O = 2, D = 4, R = 8 };
	static const struct {
		int number, access, required, repeats, continues;
		const char *name, *section;
	} rows[] = {
#define CHUNK(number, name, access, required, repeats, continues, section)     \
	{number, access, required, repeats, continues, name, #section},
#include "dime/chunk.def"
#undef CHUNK
	};
	static const char *const words[] = {"no", "yes"};
	struct buffer text = buffer_make(1 << 20);
	const char *document;

	assert_int_equal(file_read(TEST_SRCDIR "/doc/dmime.md", &text, NULL),
	    0);
	document = buffer_string(&text);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char row[200], section[20];

		snprintf(section, sizeof(section), "%s", rows[i].section);
		text_lower_all(section);
		snprintf(row, sizeof(row),
		    "\n| %d | %s | %s%s%s%s%s | %s | %s | %s | %s |\n",
		    rows[i].number, rows[i].name,
		    rows[i].access == NONE ? "-" : "",
		    rows[i].access & A ? "A" : "",
		    rows[i].access & O ? "O" : "",
		    rows[i].access & D ? "D" : "",
		    rows[i].access & R ? "R" : "",
		    words[rows[i].required], words[rows[i].repeats],
		    words[rows[i].continues], section);
		if (strstr(document, row) == NULL)
			fail_msg("doc/dmime.md has no row %s", row);
	}
	buffer_free(&text);
}

/* The key agreement, and the layout, that doc/dmime.md works out. */
static void
document_examples_hold(void **state)
{
	static const struct span block = OCTETS("X: 1\r\nsubject: Papers\r\n"
	    "X: 2\r\nTo: bob@beta.test\r\n\r\n");
	struct buffer common = buffer_make(1000), others = buffer_make(1000);
	struct crypto_kek kek;
	uint8_t ours[CRYPTO_SCALAR], theirs[CRYPTO_SCALAR];
	uint8_t point[CRYPTO_POINT];

	memset(ours, 0x42, sizeof(ours));
	memset(theirs, 0x06, sizeof(theirs));
	assert_int_equal(crypto_point_public(theirs, point), 0);
	assert_int_equal(crypto_agree(ours, point, &kek), 0);
	assert_memory_equal(kek.iv, "\x2b\xff\xcb\x9e\xb9\xa5\x84\xe5"
	    "\x5c\x98\x17\x13\x9e\x54\xd7\x3f", sizeof(kek.iv));
	assert_memory_equal(kek.key, "\x6e\xa8\x24\x3b\xa7\xd6\x70\xeb", 8);
	assert_int_equal(headers_write(block, "alice@alpha.test", &common,
	    &others, NULL), 0);
	assert_true(span_equal_string(buffer_span(&common),
	    "To: bob@beta.test\r\nSubject: Papers\r\n"));
	assert_true(span_equal_string(buffer_span(&others),
	    "Return-Path: <alice@alpha.test>\r\n"
	    "DIME-Layout: end=crlf; Subject@1=\r\n"
	    " c3ViamVjdDogUGFwZXJzDQo; To@2\r\nX: 1\r\nX: 2\r\n"));
	buffer_free(&common);
	buffer_free(&others);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(document_tells_the_truth),
	    cmocka_unit_test(document_examples_hold),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
