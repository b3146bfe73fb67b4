/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "dime/record.h"

/* What reads as a record is written, and read again, as the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer first = buffer_make(FUZZ_LIMIT);
	struct buffer second = buffer_make(FUZZ_LIMIT);
	struct fault warning, fault;
	struct record record, again;
	struct span text = span_of(data, size);
	size_t warnings;

	if (record_parse(text, &record, &warnings, &warning, &fault) == 0) {
		record_write(&record, &first);
		FUZZ_CHECK(record_parse(buffer_span(&first), &again, NULL,
		    NULL, NULL) == 0);
		record_write(&again, &second);
		FUZZ_CHECK(span_equal(buffer_span(&first),
		    buffer_span(&second)));
		record_write_strings(&record, &second);
	}
	record_choose(&text, 1, &record, NULL);
	buffer_free(&first);
	buffer_free(&second);
	return 0;
}
