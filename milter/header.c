/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/header.h"

static bool
is_blank(uint8_t octet)
{
	return octet == ' ' || octet == '\t';
}

static bool
is_space(uint8_t octet)
{
	return is_blank(octet) || octet == '\r' || octet == '\n';
}

/* Octets up to and with the next LF, or all. */
static size_t
line_length(struct span text)
{
	const uint8_t *end = text.length == 0 ? NULL :
	    memchr(text.data, '\n', text.length);

	return end == NULL ? text.length : (size_t)(end - text.data) + 1;
}

static struct span
without_line_end(struct span text)
{
	if (text.length > 0 && text.data[text.length - 1] == '\n')
		text.length--;
	if (text.length > 0 && text.data[text.length - 1] == '\r')
		text.length--;
	return text;
}

bool
header_next(struct span *rest, struct header_field *field)
{
	size_t length = line_length(*rest);
	const uint8_t *colon;

	if (rest->length == 0)
		return false;
	while (length < rest->length && is_blank(rest->data[length]))
		length += line_length(span_slice(*rest, length, SIZE_MAX));
	field->whole = span_slice(*rest, 0, length);
	*rest = span_slice(*rest, length, SIZE_MAX);
	field->name = field->value = span_of(NULL, 0);
	colon = memchr(field->whole.data, ':', line_length(field->whole));
	if (colon == NULL || is_blank(field->whole.data[0]))
		return true;
	field->name = span_slice(field->whole, 0,
	    (size_t)(colon - field->whole.data));
	field->value = without_line_end(span_slice(field->whole,
	    field->name.length + 1, SIZE_MAX));
	return true;
}

bool
header_is(const struct header_field *field, const char *name)
{
	return field->name.length > 0 &&
	    span_equal_nocase(span_trim(field->name), span_string(name));
}

bool
header_find(struct span block, const char *name, struct header_field *field)
{
	while (header_next(&block, field))
		if (header_is(field, name))
			return true;
	return false;
}

size_t
header_count(struct span block, const char *name)
{
	struct header_field field;
	size_t count = 0;

	while (header_next(&block, &field))
		count += header_is(&field, name);
	return count;
}

/* Takes a comment, whose '(' is next, off the front. */
static bool
skip_comment(struct span *text)
{
	size_t depth = 0, at = 0;

	for (; at < text->length; at++) {
		if (text->data[at] == '\\')
			at++;
		else if (text->data[at] == '(')
			depth++;
		else if (text->data[at] == ')' && --depth == 0)
			break;
	}
	if (at >= text->length)
		return false;
	*text = span_slice(*text, at + 1, SIZE_MAX);
	return true;
}

bool
header_skip(struct span *text)
{
	while (text->length > 0) {
		if (is_space(text->data[0]))
			*text = span_slice(*text, 1, SIZE_MAX);
		else if (text->data[0] != '(')
			return true;
		else if (!skip_comment(text))
			return false;
	}
	return true;
}

struct span
header_word(struct span *text)
{
	size_t length = 0;
	struct span word;

	while (length < text->length && !is_space(text->data[length]) &&
	    strchr(";()", text->data[length]) == NULL)
		length++;
	word = span_slice(*text, 0, length);
	*text = span_slice(*text, length, SIZE_MAX);
	return word;
}

bool
header_is_sealed(struct span block)
{
	struct header_field field;

	return header_find(block, "Content-Type", &field) &&
	    header_skip(&field.value) &&
	    span_equal_nocase(header_word(&field.value),
		span_string("application/vnd.dime-message"));
}

/* Takes a quoted string off the front; its '"' is next. */
static bool
skip_quoted(struct span *text)
{
	for (size_t at = 1; at < text->length; at++) {
		if (text->data[at] == '\\')
			at++;
		else if (text->data[at] == '"') {
			*text = span_slice(*text, at + 1, SIZE_MAX);
			return true;
		}
	}
	return false;
}

/* The octets between '<', which is next, and '>', and nothing behind it. */
static bool
angle_address(struct span text, struct span *address)
{
	const uint8_t *end = memchr(text.data, '>', text.length);
	struct span behind;

	if (end == NULL)
		return false;
	*address = span_slice(text, 1, (size_t)(end - text.data) - 1);
	behind = span_slice(text, address->length + 2, SIZE_MAX);
	return header_skip(&behind) && behind.length == 0;
}

/*
 * The address of a field that holds one mailbox: `phrase <address>` or just
 * `address`. Separators of lists and groups outside quotes and comments, and
 * words beside a bare address, make it something else.
 */
static bool
single_mailbox(struct span text, struct span *address)
{
	struct span bare = span_of(NULL, 0);
	size_t words = 0;

	for (;;) {
		size_t length = 0;

		if (!header_skip(&text))
			return false;
		if (text.length == 0)
			break;
		if (text.data[0] == '<')
			return angle_address(text, address);
		words++;
		if (text.data[0] == '"') {
			if (!skip_quoted(&text))
				return false;
			words++; /* a quoted string is no bare address */
			continue;
		}
		while (length < text.length && !is_space(text.data[length]) &&
		    strchr("()<>\",;:", text.data[length]) == NULL)
			length++;
		if (length == 0)
			return false;
		bare = span_slice(text, 0, length);
		text = span_slice(text, length, SIZE_MAX);
	}
	*address = bare;
	return words == 1;
}

bool
header_from_domain(struct span block, char out[static DOMAIN_SIZE])
{
	struct header_field field;
	struct span mailbox;
	char address[ADDRESS_SIZE];

	out[0] = '\0';
	if (header_count(block, "From") != 1 ||
	    !header_find(block, "From", &field) ||
	    !single_mailbox(field.value, &mailbox) ||
	    !address_normalize(span_trim(mailbox), address))
		return false;
	memcpy(out, address_domain(address),
	    strlen(address_domain(address)) + 1);
	return true;
}
