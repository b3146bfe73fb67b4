/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "dime/keyfile.h"

/* What reads as a key file is written and read again as the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer first = buffer_make(FUZZ_LIMIT);
	struct buffer second = buffer_make(FUZZ_LIMIT);
	struct keyfile *keys;

	if (keyfile_read(span_of(data, size), &keys, NULL) != 0)
		return 0;
	keyfile_write(keys, &first);
	keyfile_free(keys);
	FUZZ_CHECK(keyfile_read(buffer_span(&first), &keys, NULL) == 0);
	keyfile_write(keys, &second);
	keyfile_free(keys);
	FUZZ_CHECK(span_equal(buffer_span(&first), buffer_span(&second)));
	buffer_free(&first);
	buffer_free(&second);
	return 0;
}
