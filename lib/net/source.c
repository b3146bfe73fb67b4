/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "net/source.h"

enum { USUAL_IPV4 = 32, USUAL_IPV6 = 64 };

/* Clears all but the first `bits` of `size` octets. */
static void
mask(uint8_t *octets, size_t size, unsigned int bits)
{
	for (size_t i = 0; i < size; i++) {
		unsigned int before = (unsigned int)i * 8;

		if (before >= bits)
			octets[i] = 0;
		else if (bits - before < 8)
			octets[i] &= (uint8_t)(0xff << (8 - (bits - before)));
	}
}

static struct source
make(int family, const void *address, size_t size, unsigned int bits)
{
	struct source source = {.family = family};

	memcpy(source.octets, address, size);
	mask(source.octets, size, bits);
	return source;
}

static struct source
make_ipv4(const struct in_addr *address,
    const struct source_prefixes *prefixes)
{
	return make(AF_INET, address, sizeof(*address),
	    prefixes->ipv4 != 0 ? prefixes->ipv4 : USUAL_IPV4);
}

static struct source
make_ipv6(const struct in6_addr *address,
    const struct source_prefixes *prefixes)
{
	return make(AF_INET6, address, sizeof(*address),
	    prefixes->ipv6 != 0 ? prefixes->ipv6 : USUAL_IPV6);
}

struct source
source_of_address(const struct sockaddr *address,
    const struct source_prefixes *prefixes)
{
	const void *whole = address; /* it is aligned for what it is */

	if (address->sa_family == AF_INET)
		return make_ipv4(
		    &((const struct sockaddr_in *)whole)->sin_addr, prefixes);
	if (address->sa_family == AF_INET6)
		return make_ipv6(
		    &((const struct sockaddr_in6 *)whole)->sin6_addr, prefixes);
	return (struct source){.family = 0};
}

struct source
source_of_text(const char *address, const struct source_prefixes *prefixes)
{
	struct in6_addr ipv6;
	struct in_addr ipv4;

	if (inet_pton(AF_INET, address, &ipv4) == 1)
		return make_ipv4(&ipv4, prefixes);
	if (inet_pton(AF_INET6, address, &ipv6) == 1)
		return make_ipv6(&ipv6, prefixes);
	return (struct source){.family = 0};
}

void
source_key(const struct source *source, uint8_t key[static SOURCE_KEY])
{
	key[0] = source->family == AF_INET ? 4 : source->family == AF_INET6 ? 6
	                                                                    : 0;
	memcpy(key + 1, source->octets, SOURCE_KEY - 1);
}

bool
source_is_same(const struct source *a, const struct source *b)
{
	return a->family != 0 && a->family == b->family &&
	    memcmp(a->octets, b->octets, sizeof(a->octets)) == 0;
}
