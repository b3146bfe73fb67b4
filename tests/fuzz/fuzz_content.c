/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include "dime/signet_content.h"

/* The first octet is the type of a field, the second says by its lowest bit
 * whose, the rest is the value. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct signet_field_row *row;
	struct signet_image image;
	struct span value, used;
	const char *fault;

	if (size < 2)
		return 0;
	row = signet_field_row(LAYOUT_STANDARD,
	    data[1] & 1 ? SIGNET_ORG : SIGNET_USER, data[0]);
	if (row == NULL)
		return 0;
	value = span_of(data + 2, size - 2);
	fault = signet_content_fault(row->content, value, &used);
	if (fault == NULL)
		FUZZ_CHECK(span_equal(used, value));
	else
		FUZZ_CHECK(value.length > 0 && used.length < value.length);
	if (row->content == SIGNET_CONTENT_IMAGE && value.length > 0 &&
	    fault == NULL)
		FUZZ_CHECK(signet_content_image(value, &image) == NULL &&
		    image.width == image.height && image.width > 0);
	return 0;
}
