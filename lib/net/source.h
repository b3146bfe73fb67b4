/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_NET_SOURCE_H
#define DIME_NET_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * Where a connection comes from, for limits: the leading bits of its address.
 * One customer of a provider has one IPv4 address but a whole IPv6 network.
 */

/* How many bits count; 0 stands for the usual 32 and 64. */
struct source_prefixes {
	unsigned int ipv4, ipv6;
};

struct source {
	int family; /* AF_INET, AF_INET6, or 0: not counted */
	uint8_t octets[16];
};

/* Of a socket's address; not counted when it is another family's. */
struct source source_of_address(const struct sockaddr *address,
    const struct source_prefixes *prefixes);

/* Of a numeric address, as stream_peer() gives it; not counted when it is
 * none. */
struct source source_of_text(const char *address,
    const struct source_prefixes *prefixes);

enum { SOURCE_KEY = 17 };

/* Octets that stand for it and for no other one that is counted. */
void source_key(const struct source *source, uint8_t key[static SOURCE_KEY]);

/* False for two that are not counted. */
bool source_is_same(const struct source *a, const struct source *b);

#endif
