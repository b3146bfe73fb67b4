/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>

#include "dime/signet_content.h"

static bool
is_in(uint8_t octet, const char *set)
{
	return octet != '\0' && strchr(set, octet) != NULL;
}

/* The characters of RFC 3986, an escape being '%' and two hexadecimal digits.
 * Brackets may stand in the host only, '#' once. */
static bool
is_spelled_well(struct span url, size_t host_end)
{
	const char *hexadecimal = "0123456789ABCDEFabcdef";
	int fragments = 0;

	for (size_t i = 0; i < url.length; i++) {
		uint8_t octet = url.data[i];

		if (octet == '%' && (i + 2 >= url.length ||
		    !is_in(url.data[i + 1], hexadecimal) ||
		    !is_in(url.data[i + 2], hexadecimal)))
			return false;
		if (is_in(octet, "[]") && i >= host_end)
			return false;
		if (!is_in(octet, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "abcdefghijklmnopqrstuvwxyz0123456789"
		    "-._~%:/?#[]@!$&'()*+,;="))
			return false;
		fragments += octet == '#';
	}
	return fragments <= 1;
}

/* Takes the scheme off. */
static bool
take_scheme(struct span *rest, bool only_https)
{
	static const char *const schemes[] = {"https://", "http://"};

	for (size_t i = 0; i < (only_https ? 1 : 2); i++) {
		struct span scheme = span_string(schemes[i]);

		if (!span_equal_nocase(span_slice(*rest, 0, scheme.length),
		    scheme))
			continue;
		*rest = span_slice(*rest, scheme.length, SIZE_MAX);
		return true;
	}
	return false;
}

static size_t
length_before(struct span text, const char *set)
{
	size_t length = 0;

	while (length < text.length && !is_in(text.data[length], set))
		length++;
	return length;
}

static bool
is_host(struct span host)
{
	char name[DOMAIN_SIZE], address[INET6_ADDRSTRLEN];
	uint8_t binary[sizeof(struct in6_addr)];

	if (host.length >= 2 && host.data[0] == '[')
		return host.data[host.length - 1] == ']' &&
		    span_copy_string(span_slice(host, 1, host.length - 2),
		    address, sizeof(address)) &&
		    inet_pton(AF_INET6, address, binary) == 1;
	if (span_copy_string(host, address, sizeof(address)) &&
	    inet_pton(AF_INET, address, binary) == 1)
		return true;
	return domain_normalize(host, name);
}

/* host, host:port; no user name, which is for deceiving only. */
static bool
is_authority(struct span authority)
{
	size_t bracket = length_before(authority, "]");
	size_t from = bracket < authority.length ? bracket : 0;
	size_t host = from + length_before(span_slice(authority, from,
	    SIZE_MAX), ":");
	uint64_t port;

	if (host < authority.length &&
	    (!span_number(span_slice(authority, host + 1, SIZE_MAX),
	    UINT16_MAX, &port) || port == 0))
		return false;
	return is_host(span_slice(authority, 0, host));
}

const char *
signet_content_url(struct span value, bool only_https)
{
	struct span rest = value;
	size_t authority;

	if (!take_scheme(&rest, only_https))
		return only_https ? "not a URL of https"
		                  : "not a URL of http or https";
	authority = length_before(rest, "/?#");
	if (!is_authority(span_slice(rest, 0, authority)))
		return "the URL names no host by its domain or address";
	if (!is_spelled_well(value, value.length - rest.length + authority))
		return "the URL has characters that none may have";
	return NULL;
}
