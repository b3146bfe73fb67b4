/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/random.h"
#include "policy/hosts.h"

enum {
	IPV4 = 4, /* octets of RDATA */
	IPV6 = 16,
	WAIT = 10000, /* milliseconds for all addresses together */
};

struct network {
	uint8_t prefix[IPV6];
	unsigned int bits;
};

/* IANA's special-purpose registries, and what is no unicast address. */
static const struct network special4[] = {
    {{0}, 8},
    {{10}, 8},
    {{100, 64}, 10},
    {{127}, 8},
    {{169, 254}, 16},
    {{172, 16}, 12},
    {{192, 0, 0}, 24},
    {{192, 0, 2}, 24},
    {{192, 88, 99}, 24},
    {{192, 168}, 16},
    {{198, 18}, 15},
    {{198, 51, 100}, 24},
    {{203, 0, 113}, 24},
    {{224}, 4},
    {{240}, 4},
};

/* All that is global so far; and what in there is not, or holds an IPv4 address
 * that would have to be judged in its turn. */
static const struct network global6 = {{0x20}, 3};
static const struct network special6[] = {
    {{0x20, 0x01, 0x00}, 23},
    {{0x20, 0x01, 0x0d, 0xb8}, 32},
    {{0x20, 0x02}, 16},
    {{0x3f, 0xff}, 20},
};

static bool
is_within(const uint8_t *address, const struct network *network)
{
	const unsigned int octets = network->bits / 8;
	const unsigned int rest = network->bits % 8;

	if (memcmp(address, network->prefix, octets) != 0)
		return false;
	return rest == 0 ||
	    (address[octets] ^ network->prefix[octets]) >> (8 - rest) == 0;
}

bool
hosts_is_public(struct span address)
{
	if (address.length == IPV4) {
		for (size_t i = 0; i < sizeof(special4) / sizeof(special4[0]);
		     i++)
			if (is_within(address.data, &special4[i]))
				return false;
		return true;
	}
	if (address.length != IPV6 || !is_within(address.data, &global6))
		return false;
	for (size_t i = 0; i < sizeof(special6) / sizeof(special6[0]); i++)
		if (is_within(address.data, &special6[i]))
			return false;
	return true;
}

/* Some of the record's hosts, in random order. */
static size_t
draw(const struct record *record, const char **names)
{
	uint8_t order[RECORD_VALUES];
	size_t left = record->deliver_count, count = 0;
	struct random_source random;

	for (size_t i = 0; i < left; i++)
		order[i] = (uint8_t)i;
	random_start(&random);
	while (left > 0 && count < HOSTS_WANTED) {
		const uint32_t at = random_below(&random, (uint32_t)left);

		names[count++] = record->deliver[order[at]];
		order[at] = order[--left];
	}
	random_end(&random);
	return count;
}

static void
add_addresses(struct facts_host *host, const struct dns_reply *reply,
    bool allow_private, size_t *refused)
{
	for (size_t i = 0; reply != NULL && i < reply->count; i++) {
		const struct span address = reply->data[i];

		if (host->address_count == FACTS_ADDRESSES_MAX ||
		    (address.length != IPV4 && address.length != IPV6))
			continue;
		if (!allow_private && !hosts_is_public(address)) {
			++*refused;
			continue;
		}
		inet_ntop(address.length == IPV4 ? AF_INET : AF_INET6,
		    address.data, host->addresses[host->address_count++],
		    sizeof(host->addresses[0]));
	}
}

int
hosts_find(const struct dns_source *dns, const struct record *record,
    bool allow_private, struct deadline deadline, struct facts_host *hosts,
    size_t *count, struct fault *fault)
{
	struct dns_question questions[2 * HOSTS_WANTED];
	struct dns_reply *replies[2 * HOSTS_WANTED];
	const char *names[HOSTS_WANTED];
	const size_t wanted = draw(record, names);
	size_t refused = 0;
	int err;

	*count = 0;
	if (wanted == 0)
		return fault_set(fault, ERR_UNREACHABLE,
		    "the record names no host (dx)");
	for (size_t i = 0; i < wanted; i++) {
		questions[2 * i] =
		    (struct dns_question){names[i], DNS_TYPE_AAAA};
		questions[2 * i + 1] =
		    (struct dns_question){names[i], DNS_TYPE_A};
	}
	err = dns_ask_all(dns, questions, 2 * wanted,
	    deadline_earlier(deadline, deadline_in(WAIT)), replies);
	if (err != 0)
		return fault_set(fault, err, "out of memory");
	for (size_t i = 0; i < wanted; i++) {
		struct facts_host *host = &hosts[*count];

		host->address_count = 0;
		snprintf(host->name, sizeof(host->name), "%s", names[i]);
		add_addresses(host, replies[2 * i], allow_private, &refused);
		add_addresses(host, replies[2 * i + 1], allow_private,
		    &refused);
		dns_reply_free(replies[2 * i]);
		dns_reply_free(replies[2 * i + 1]);
		*count += host->address_count > 0;
	}
	if (*count > 0)
		return 0;
	return fault_set(fault, ERR_UNREACHABLE,
	    refused > 0 ? "the record's hosts have only addresses that are "
	                  "not public"
	                : "no host of the record has an address");
}
