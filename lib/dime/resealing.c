/* SPDX-License-Identifier: BSD-2-Clause */
#include "dime/resealing.h"

const char resealing_count_field[] = "Dimegate-Resealed";
const char resealing_author_field[] = "Dimegate-Author";

bool
resealing_read_count(struct span value, unsigned int *count)
{
	uint64_t number;

	if (!span_number(span_trim(value), RESEALING_COUNT_MAX, &number) ||
	    number == 0)
		return false;
	*count = (unsigned int)number;
	return true;
}

bool
resealing_read_author(struct span value, char address[static ADDRESS_SIZE],
    char fingerprint[static SIGNET_FINGERPRINT_SIZE])
{
	struct span text = span_trim(value), name, behind;
	const uint8_t *end;

	address[0] = fingerprint[0] = '\0';
	if (text.length == 0 || text.data[0] != '<' ||
	    (end = memchr(text.data, '>', text.length)) == NULL)
		return false;
	name = span_slice(text, 1, (size_t)(end - text.data) - 1);
	behind = span_slice(text, name.length + 2, SIZE_MAX);
	if (behind.length < 3 ||
	    !span_equal_string(span_slice(behind, 0, 2), " [") ||
	    behind.data[behind.length - 1] != ']')
		return false;
	behind = span_slice(behind, 2, behind.length - 3);
	return signet_is_fingerprint(behind) &&
	    address_normalize(name, address) &&
	    span_copy_string(behind, fingerprint, SIGNET_FINGERPRINT_SIZE);
}

void
resealing_write(unsigned int count, const struct message_envelope *author,
    struct buffer *out)
{
	buffer_printf(out, "%s: %u\r\n%s: <%s> [%s]\r\n",
	    resealing_count_field, count, resealing_author_field,
	    author->address, author->address_fingerprint);
}
