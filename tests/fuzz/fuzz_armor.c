/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "dime/armor.h"

/* What reads as armor is written and read again as the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer first = buffer_make(FUZZ_LIMIT);
	struct buffer armored = buffer_make(2 * FUZZ_LIMIT);
	struct buffer second = buffer_make(FUZZ_LIMIT);
	enum armor_kind kind, again;

	if (armor_read(span_of(data, size), &kind, &first, NULL) == 0) {
		FUZZ_CHECK(armor_is_armored(span_of(data, size)));
		armor_write(kind, buffer_span(&first), &armored);
		FUZZ_CHECK(armor_read(buffer_span(&armored), &again, &second,
		    NULL) == 0);
		FUZZ_CHECK(kind == again);
		FUZZ_CHECK(span_equal(buffer_span(&first),
		    buffer_span(&second)));
	}
	buffer_free(&first);
	buffer_free(&armored);
	buffer_free(&second);
	return 0;
}
