/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/relay.h"

#include <stdio.h>
#include <strings.h>

static const char prefix[] = "relay+";

static bool
has_prefix(const char *text, const char *head)
{
	return strncasecmp(text, head, strlen(head)) == 0;
}

bool
relay_wrap(const char *address, char out[static ADDRESS_SIZE])
{
	char wrapped[ADDRESS_SIZE + sizeof(prefix)];

	out[0] = '\0';
	if (has_prefix(address, prefix) || has_prefix(address, "relay@"))
		return false;
	snprintf(wrapped, sizeof(wrapped), "%s%s", prefix, address);
	return address_spell(span_string(wrapped), out);
}

/* "SRS0=" and so on: the separator may be one of three. */
static bool
is_srs(const char *address)
{
	return (has_prefix(address, "SRS0") || has_prefix(address, "SRS1")) &&
	    address[4] != '\0' && strchr("=+-", address[4]) != NULL;
}

bool
relay_unwrap(const char *address, char out[static ADDRESS_SIZE])
{
	const char *inner = address + strlen(prefix);

	out[0] = '\0';
	return has_prefix(address, prefix) && is_srs(inner) &&
	    address_spell(span_string(inner), out);
}
