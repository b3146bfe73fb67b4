/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>

#include "dmtp/argument.h"

enum { FINGERPRINT_LENGTH = 86 };

/* Takes what stands between `open` and `close`, which must be all there is. */
static bool
unwrap(struct span *value, char open, char close)
{
	if (value->length < 2 || value->data[0] != open ||
	    value->data[value->length - 1] != close)
		return false;
	value->data++;
	value->length -= 2;
	return true;
}

static bool
read_domain(struct span value, struct dmtp_argument *out)
{
	return unwrap(&value, '<', '>') && domain_normalize(value, out->text);
}

static bool
read_address(struct span value, struct dmtp_argument *out)
{
	return unwrap(&value, '<', '>') && address_normalize(value, out->text);
}

static bool
read_name(struct span value, struct dmtp_argument *out)
{
	return memchr(value.data, '@', value.length) != NULL
	    ? read_address(value, out) : read_domain(value, out);
}

/* "192.0.2.1", "2001:db8::1", "IPv6:2001:db8::1". */
static bool
read_literal(struct span value, struct dmtp_argument *out)
{
	static const char prefix[] = "IPv6:";
	struct in6_addr address;
	struct span head = span_slice(value, 0, sizeof(prefix) - 1);

	if (span_equal_nocase(head, span_string(prefix)))
		value = span_slice(value, head.length, value.length);
	return span_copy_string(value, out->text, sizeof(out->text)) &&
	    (inet_pton(AF_INET, out->text, &address) == 1 ||
	        inet_pton(AF_INET6, out->text, &address) == 1);
}

static bool
read_host(struct span value, struct dmtp_argument *out)
{
	if (!unwrap(&value, '<', '>'))
		return false;
	if (unwrap(&value, '[', ']'))
		return read_literal(value, out);
	return domain_normalize(value, out->text);
}

static bool
is_base64(uint8_t octet)
{
	return (octet >= 'A' && octet <= 'Z') ||
	    (octet >= 'a' && octet <= 'z') || (octet >= '0' && octet <= '9') ||
	    octet == '+' || octet == '/';
}

/* 86 characters carry 516 bits, of which the last four must be zero. */
static bool
read_print(struct span value, struct dmtp_argument *out)
{
	if (!unwrap(&value, '[', ']') || value.length != FINGERPRINT_LENGTH ||
	    memchr("AQgw", value.data[value.length - 1], 4) == NULL)
		return false;
	for (size_t i = 0; i < value.length; i++)
		if (!is_base64(value.data[i]))
			return false;
	return span_copy_string(value, out->text, sizeof(out->text));
}

static bool
read_number(struct span value, struct dmtp_argument *out)
{
	return span_number(value, UINT64_MAX, &out->number);
}

static bool
read_value(struct span kind, struct span value, struct dmtp_argument *out)
{
	static const struct {
		const char *kind;
		bool (*read)(struct span value, struct dmtp_argument *out);
	} kinds[] = {{"<host>", read_host}, {"<domain>", read_domain},
	    {"<address>", read_address}, {"<name>", read_name},
	    {"[print]", read_print}, {"number", read_number}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (span_equal_string(kind, kinds[i].kind))
			return kinds[i].read(value, out);
	return false;
}

/* What stands before the next space. */
static struct span
first_word(struct span text)
{
	const uint8_t *space =
	    text.length == 0 ? NULL : memchr(text.data, ' ', text.length);

	return space == NULL ? text
	    : span_of(text.data, (size_t)(space - text.data));
}

/* The label of a place of the grammar, "FOR=", which may be empty. */
static struct span
take_label(struct span *place)
{
	const uint8_t *equals = memchr(place->data, '=', place->length);
	size_t length =
	    equals == NULL ? 0 : (size_t)(equals - place->data) + 1;
	struct span label = span_of(place->data, length);

	*place = span_slice(*place, length, place->length);
	return label;
}

/* Whether text is a space and then a word that begins with the label; the word
 * without it goes to *value. */
static bool
take_word(struct span text, struct span label, struct span *value)
{
	if (text.length == 0 || text.data[0] != ' ')
		return false;
	*value = first_word(span_slice(text, 1, text.length));
	if (!span_equal_nocase(span_slice(*value, 0, label.length), label))
		return false;
	*value = span_slice(*value, label.length, value->length);
	return true;
}

bool
dmtp_arguments_read(const char *grammar, struct span text,
    struct dmtp_argument arguments[static ARGUMENTS_MAX])
{
	struct span places = span_string(grammar), place, label, value;

	memset(arguments, 0, ARGUMENTS_MAX * sizeof(arguments[0]));
	if (span_equal_string(places, "*"))
		return true;
	for (size_t i = 0; places.length > 0; i++) {
		bool optional;

		place = first_word(places);
		places = span_slice(places, place.length + 1, places.length);
		optional = place.data[place.length - 1] == '?';
		if (optional)
			place.length--;
		label = take_label(&place);
		if (!take_word(text, label, &value)) {
			if (!optional)
				return false;
			continue;
		}
		if (value.length == 0 ||
		    !read_value(place, value, &arguments[i]))
			return false;
		arguments[i].given = true;
		text = span_slice(text, 1 + label.length + value.length,
		    text.length);
	}
	return text.length == 0;
}
