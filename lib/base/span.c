/* SPDX-License-Identifier: BSD-2-Clause */
#include <strings.h>

#include "base/span.h"
#include "base/text.h"

bool
span_equal_nocase(struct span a, struct span b)
{
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++)
		if (text_lower((char)a.data[i]) != text_lower((char)b.data[i]))
			return false;
	return true;
}

struct span
span_slice(struct span whole, size_t from, size_t length)
{
	if (from >= whole.length)
		return (struct span){NULL, 0};
	if (length > whole.length - from)
		length = whole.length - from;
	return (struct span){whole.data + from, length};
}

static bool
is_blank(uint8_t octet)
{
	return octet == ' ' || octet == '\t';
}

struct span
span_trim(struct span text)
{
	while (text.length > 0 && is_blank(text.data[0])) {
		text.data++;
		text.length--;
	}
	while (text.length > 0 && is_blank(text.data[text.length - 1]))
		text.length--;
	return text;
}

bool
span_next_line(struct span *rest, struct span *line)
{
	const uint8_t *end;
	size_t taken;

	if (rest->length == 0)
		return false;
	end = memchr(rest->data, '\n', rest->length);
	taken = end == NULL ? rest->length : (size_t)(end - rest->data) + 1;
	*line = span_of(rest->data, end == NULL ? taken : taken - 1);
	if (end != NULL && line->length > 0 &&
	    line->data[line->length - 1] == '\r')
		line->length--;
	rest->data += taken;
	rest->length -= taken;
	return true;
}

bool
span_number(struct span text, uint64_t max, uint64_t *value)
{
	uint64_t number = 0;

	if (text.length == 0 || text.length > 18)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		number = number * 10 + (text.data[i] - '0');
	}
	if (number > max)
		return false;
	*value = number;
	return true;
}

bool
span_copy_string(struct span text, char *out, size_t size)
{
	out[0] = '\0';
	if (text.length >= size ||
	    (text.length > 0 && memchr(text.data, '\0', text.length) != NULL))
		return false;
	if (text.length > 0)
		memcpy(out, text.data, text.length);
	out[text.length] = '\0';
	return true;
}
