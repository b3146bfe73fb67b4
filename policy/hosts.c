/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "crypto/random.h"
#include "policy/hosts.h"

enum {
	IPV4 = 4, /* octets of RDATA */
	IPV6 = 16,
	NAMES_MOST = 32, /* of a stage that are looked at */
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

/* ---- names ---- */

struct name {
	char text[DOMAIN_SIZE];
	unsigned int preference;
};

struct names {
	bool unproven; /* DNSSEC does not secure them */
	size_t count;
	struct name items[NAMES_MOST];
};

static void
shuffle(struct names *names)
{
	struct random_source random;

	random_start(&random);
	for (size_t left = names->count; left > 1; left--) {
		const uint32_t at = random_below(&random, (uint32_t)left);
		const struct name held = names->items[left - 1];

		names->items[left - 1] = names->items[at];
		names->items[at] = held;
	}
	random_end(&random);
}

static void
add_name(struct names *names, const char *text, unsigned int preference)
{
	struct name *name;

	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i].text, text) == 0)
			return;
	if (names->count == NAMES_MOST)
		return;
	name = &names->items[names->count++];
	snprintf(name->text, sizeof(name->text), "%s", text);
	name->preference = preference;
}

static void
name_dx_hosts(const struct record *record, struct names *names)
{
	for (size_t i = 0; i < record->deliver_count; i++)
		add_name(names, record->deliver[i], 0);
	shuffle(names);
}

bool
hosts_read_mx(struct span data, unsigned int *preference,
    char name[static DOMAIN_SIZE])
{
	struct cursor cursor = cursor_start(data);
	struct buffer text = buffer_make(DOMAIN_SIZE);
	unsigned int length;
	bool good;

	*preference = cursor_u16(&cursor);
	while ((length = cursor_u8(&cursor)) > 0 && length < 64) {
		if (text.length > 0)
			buffer_u8(&text, '.');
		buffer_append_span(&text, cursor_take(&cursor, length));
	}
	/* A null MX (RFC 7505) has no label at all, and is no host. */
	good = length == 0 && cursor_done(&cursor) && text.error == 0 &&
	    domain_normalize(buffer_span(&text), name);
	buffer_free(&text);
	return good;
}

/* By preference; those that are alike stay in the random order. */
static void
sort(struct names *names)
{
	for (size_t i = 1; i < names->count; i++) {
		const struct name held = names->items[i];
		size_t at = i;

		for (; at > 0 &&
		     names->items[at - 1].preference > held.preference; at--)
			names->items[at] = names->items[at - 1];
		names->items[at] = held;
	}
}

/* Then nobody knows whether there is something. */
static bool
is_unanswered(const struct dns_reply *reply)
{
	return reply == NULL || reply->answer == DNS_BOGUS ||
	    reply->answer == DNS_UNREACHABLE;
}

static int
name_mx_hosts(const struct hosts_wish *wish, struct deadline deadline,
    struct names *names, struct fault *fault)
{
	const struct dns_question question = {wish->organization, DNS_TYPE_MX};
	struct dns_reply *reply;
	char name[DOMAIN_SIZE];
	unsigned int preference;
	int err;

	err = dns_ask_all(wish->dns, &question, 1,
	    deadline_earlier(deadline, deadline_in(WAIT)), &reply);
	if (err != 0)
		return fault_set(fault, err, "%s", "");
	names->unproven = reply == NULL || reply->answer != DNS_PRESENT_SECURE;
	for (size_t i = 0; reply != NULL && i < reply->count; i++)
		if (hosts_read_mx(reply->data[i], &preference, name))
			add_name(names, name, preference);
	if (is_unanswered(reply))
		err = fault_set(fault, ERR_DNS,
		    "%s: DNS does not tell its MX hosts", wish->organization);
	dns_reply_free(reply);
	shuffle(names);
	sort(names);
	return err;
}

static int
name_hosts(const struct hosts_wish *wish, struct deadline deadline,
    struct names *names, struct fault *fault)
{
	static const char *const nobody[HOSTS_STAGES] = {
	    [HOSTS_DX] = "the record names no host (dx)",
	    [HOSTS_MX] = "the domain has no MX host",
	};
	int err = 0;

	names->count = 0;
	names->unproven = false;
	if (wish->stage == HOSTS_DX)
		name_dx_hosts(wish->record, names);
	else if (wish->stage == HOSTS_MX)
		err = name_mx_hosts(wish, deadline, names, fault);
	else if (wish->config->try_domain_itself)
		add_name(names, wish->organization, 0);
	if (err == 0 && names->count == 0 && wish->stage != HOSTS_DOMAIN)
		err = fault_set(fault, ERR_UNREACHABLE, "%s: %s",
		    wish->organization, nobody[wish->stage]);
	if (names->count > HOSTS_WANTED)
		names->count = HOSTS_WANTED;
	return err;
}

/* ---- addresses ---- */

static void
add_addresses(struct facts_host *host, const struct dns_reply *reply,
    size_t most, bool allow_private, size_t *refused)
{
	for (size_t i = 0; reply != NULL && i < reply->count; i++) {
		const struct span address = reply->data[i];

		if (host->address_count == most ||
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

/* Into `hosts`, as many as have one, or of which DNS does not tell whether they
 * have. */
static int
look_up(const struct dns_source *dns, const struct names *names,
    bool allow_private, struct deadline deadline, struct facts_host *hosts,
    size_t *count, struct fault *fault)
{
	struct dns_question questions[2 * HOSTS_WANTED];
	struct dns_reply *replies[2 * HOSTS_WANTED];
	size_t refused = 0;
	bool found = false, unanswered = false;
	int err;

	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->items[i].text;

		questions[2 * i] = (struct dns_question){name, DNS_TYPE_AAAA};
		questions[2 * i + 1] = (struct dns_question){name, DNS_TYPE_A};
	}
	err = dns_ask_all(dns, questions, 2 * names->count,
	    deadline_earlier(deadline, deadline_in(WAIT)), replies);
	if (err != 0)
		return fault_set(fault, err, "%s", "");
	for (size_t i = 0; i < names->count; i++) {
		struct facts_host *host = &hosts[*count];
		const bool unknown = is_unanswered(replies[2 * i]) ||
		    is_unanswered(replies[2 * i + 1]);

		*host = (struct facts_host){.unproven = names->unproven};
		snprintf(host->name, sizeof(host->name), "%s",
		    names->items[i].text);
		/* Many IPv6 addresses leave room for those of IPv4. */
		add_addresses(host, replies[2 * i], FACTS_ADDRESSES_MAX / 2,
		    allow_private, &refused);
		add_addresses(host, replies[2 * i + 1], FACTS_ADDRESSES_MAX,
		    allow_private, &refused);
		dns_reply_free(replies[2 * i]);
		dns_reply_free(replies[2 * i + 1]);
		found |= host->address_count > 0;
		unanswered |= unknown;
		*count += host->address_count > 0 || unknown;
	}
	if (found)
		return 0;
	*count = 0;
	if (unanswered)
		return fault_set(fault, ERR_DNS,
		    "%s%s: DNS does not tell the address",
		    names->items[0].text,
		    names->count > 1 ? " and others" : "");
	return fault_set(fault, ERR_UNREACHABLE, "%s%s: %s",
	    names->items[0].text, names->count > 1 ? " and others" : "",
	    refused > 0 ? "no public address" : "no address");
}

int
hosts_find_addresses(const struct dns_source *dns, const char *name,
    bool allow_private, struct deadline deadline, struct facts_host *out,
    struct fault *fault)
{
	struct names names = {.count = 0};
	size_t count = 0;

	add_name(&names, name, 0);
	return look_up(dns, &names, allow_private, deadline, out, &count,
	    fault);
}

/* ---- ports ---- */

/* Each of the hosts on each of the ports, port by port. */
static void
spread(struct facts_host *hosts, size_t *count, const struct config *config,
    enum hosts_stage stage)
{
	const struct {
		int64_t port;
		bool dual;
	} ports[] = {
	    {config->peer_port, false},
	    {config->peer_mx_port, true},
	    {config->peer_submission_port, true},
	};
	const size_t first = stage == HOSTS_MX ? 1 : 0;
	const size_t last = stage == HOSTS_DX ? 0 : 2;
	const size_t names = *count;

	*count = 0;
	for (size_t i = first; i <= last; i++) {
		for (size_t j = 0; j < names; j++) {
			struct facts_host *host = &hosts[(*count)++];

			*host = hosts[j];
			host->port = (unsigned int)ports[i].port;
			host->dual = ports[i].dual;
		}
	}
}

int
hosts_find(const struct hosts_wish *wish, struct deadline deadline,
    struct facts_host *hosts, size_t *count, struct fault *fault)
{
	struct names names;
	int err;

	_Static_assert(2 * (int)HOSTS_WANTED <= (int)FACTS_HOSTS_MAX, "fits");
	*count = 0;
	err = name_hosts(wish, deadline, &names, fault);
	if (err == 0 && names.count > 0)
		err = look_up(wish->dns, &names,
		    wish->config->allow_private_addresses, deadline, hosts,
		    count, fault);
	if (err == 0)
		spread(hosts, count, wish->config, wish->stage);
	return err;
}
