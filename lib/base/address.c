/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <stdlib.h>

#include <idn2.h>

#include "base/address.h"
#include "base/text.h"

static bool
is_label_octet(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	    c == '_';
}

/* Letters, digits, inner hyphens, underscores; not all digits at the end, which
 * would be an address of the other kind. */
static bool
is_host_name(const char *name)
{
	size_t labels = 0;
	bool last_is_number = false;

	if (strlen(name) >= DOMAIN_SIZE)
		return false;
	for (;;) {
		size_t length = strcspn(name, ".");

		if (length == 0 || length > 63 || name[0] == '-' ||
		    name[length - 1] == '-')
			return false;
		for (size_t i = 0; i < length; i++)
			if (!is_label_octet(name[i]))
				return false;
		last_is_number = strspn(name, "0123456789") == length;
		labels++;
		if (name[length] == '\0')
			return labels >= 2 && !last_is_number;
		name += length + 1;
	}
}

bool
domain_normalize(struct span text, char out[static DOMAIN_SIZE])
{
	/* U-labels may be longer than what they become. */
	char given[4 * DOMAIN_SIZE];
	char *ascii = NULL;
	size_t length;
	bool good;

	out[0] = '\0';
	if (!span_copy_string(text, given, sizeof(given)))
		return false;
	length = strlen(given);
	if (length > 0 && given[length - 1] == '.')
		given[length - 1] = '\0';
	text_lower_all(given);
	if (!is_host_name(given)) {
		if (idn2_to_ascii_8z(given, &ascii,
		    IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK)
			return false;
		text_lower_all(ascii);
	}
	good = span_copy_string(span_string(ascii == NULL ? given : ascii), out,
	    DOMAIN_SIZE) && is_host_name(out);
	idn2_free(ascii);
	if (!good)
		out[0] = '\0';
	return good;
}

bool
domain_is_normal(struct span text)
{
	char normal[DOMAIN_SIZE];

	return domain_normalize(text, normal) &&
	    span_equal_string(text, normal);
}

bool
domain_is_ip_address(struct span value)
{
	static const char tag[] = "IPv6:";
	char text[INET6_ADDRSTRLEN + 2];
	uint8_t address[sizeof(struct in6_addr)];

	if (value.length > 1 && value.data[0] == '[' &&
	    value.data[value.length - 1] == ']') {
		value = span_slice(value, 1, value.length - 2);
		if (span_equal_nocase(span_slice(value, 0, strlen(tag)),
		    span_string(tag)))
			value = span_slice(value, strlen(tag), SIZE_MAX);
	}
	if (value.length > 0 && value.data[value.length - 1] == '.')
		value.length--;
	return span_copy_string(value, text, sizeof(text)) &&
	    (inet_pton(AF_INET, text, address) == 1 ||
	    inet_pton(AF_INET6, text, address) == 1);
}

bool
domain_is_within(const char *domain, const char *parent)
{
	size_t length = strlen(domain), parent_length = strlen(parent);

	if (length < parent_length ||
	    strcmp(domain + length - parent_length, parent) != 0)
		return false;
	return length == parent_length ||
	    domain[length - parent_length - 1] == '.';
}

/* RFC 5322 atext, plus UTF-8 by octet; text_is_utf8() judges the whole. */
static bool
is_atom_octet(uint8_t octet)
{
	if (octet >= 0x80)
		return true;
	return (octet >= 'a' && octet <= 'z') ||
	    (octet >= '0' && octet <= '9') ||
	    (octet != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", octet) != NULL);
}

static bool
is_dot_atom(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || text[0] == '.' || text[length - 1] == '.' ||
	    strstr(text, "..") != NULL || !text_is_utf8(text, length))
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] != '.' && !is_atom_octet((uint8_t)text[i]))
			return false;
	return true;
}

bool
address_normalize(struct span text, char out[static ADDRESS_SIZE])
{
	char local[LOCAL_PART_SIZE], domain[DOMAIN_SIZE];
	size_t at;

	out[0] = '\0';
	for (at = text.length; at > 0 && text.data[at - 1] != '@'; at--)
		;
	if (at == 0 ||
	    !span_copy_string(span_of(text.data, at - 1), local,
	    sizeof(local)) ||
	    !domain_normalize(span_slice(text, at, SIZE_MAX), domain))
		return false;
	text_lower_all(local);
	if (!is_dot_atom(local))
		return false;
	memcpy(out, local, at - 1);
	out[at - 1] = '@';
	memcpy(out + at, domain, strlen(domain) + 1);
	return true;
}

bool
address_spell(struct span text, char out[static ADDRESS_SIZE])
{
	if (!address_normalize(text, out))
		return false;
	/* Lower case has as many octets. */
	memcpy(out, text.data, strcspn(out, "@"));
	return true;
}

bool
address_is_normal(struct span text)
{
	char normal[ADDRESS_SIZE];

	return address_normalize(text, normal) &&
	    span_equal_string(text, normal);
}

const char *
address_domain(const char *address)
{
	const char *at = strrchr(address, '@');

	return at == NULL ? "" : at + 1;
}

void
address_strip_tag(const char *address, char out[static ADDRESS_SIZE])
{
	size_t local = strcspn(address, "@");
	size_t kept = strcspn(address, "+@");

	if (kept == 0)
		kept = local;
	memcpy(out, address, kept);
	memcpy(out + kept, address + local, strlen(address + local) + 1);
}

bool
address_is_ascii(const char *address)
{
	for (; *address != '\0'; address++)
		if ((uint8_t)*address >= 0x80)
			return false;
	return true;
}
