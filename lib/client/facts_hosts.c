/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/facts_private.h"

/* ---- stages ---- */

static const char *const stages[HOSTS_STAGES] = {
    [HOSTS_DX] = "dx",
    [HOSTS_MX] = "mx",
    [HOSTS_DOMAIN] = "domain",
};

const char *
hosts_stage_name(enum hosts_stage stage)
{
	return stages[stage];
}

int
hosts_stage_by_name(const char *name)
{
	for (int i = 0; i < HOSTS_STAGES; i++)
		if (strcmp(stages[i], name) == 0)
			return i;
	return -1;
}

/* ---- lines ---- */

void
facts_hosts_write(const struct facts_answer *answer, struct buffer *out)
{
	for (size_t i = 0; i < answer->host_count; i++) {
		const struct facts_host *host = &answer->hosts[i];

		buffer_printf(out, "host %s\n", host->name);
		if (host->port > 0)
			buffer_printf(out, "port %u\nmode %s\n", host->port,
			    host->dual ? "dual" : "single");
		for (size_t j = 0; j < host->address_count; j++)
			buffer_printf(out, "address %s\n",
			    host->addresses[j]);
	}
}

static bool
read_name(struct span value, struct facts_answer *answer)
{
	struct facts_host *host;

	if (answer->host_count == FACTS_HOSTS_MAX || !domain_is_normal(value))
		return false;
	host = &answer->hosts[answer->host_count++];
	*host = (struct facts_host){.port = 0};
	return span_copy_string(value, host->name, sizeof(host->name));
}

/* The other lines belong to the last host. */
static struct facts_host *
last_host(struct facts_answer *answer)
{
	return answer->host_count == 0
	    ? NULL
	    : &answer->hosts[answer->host_count - 1];
}

static bool
read_port(struct span value, struct facts_answer *answer)
{
	struct facts_host *host = last_host(answer);
	uint64_t number;

	if (host == NULL || !span_number(value, 65535, &number))
		return false;
	host->port = (unsigned int)number;
	return true;
}

static bool
read_mode(struct span value, struct facts_answer *answer)
{
	struct facts_host *host = last_host(answer);

	if (host == NULL)
		return false;
	host->dual = span_equal_string(value, "dual");
	return host->dual || span_equal_string(value, "single");
}

static bool
read_address(struct span value, struct facts_answer *answer)
{
	struct facts_host *host = last_host(answer);

	return host != NULL && host->address_count < FACTS_ADDRESSES_MAX &&
	    value.length > 0 &&
	    span_copy_string(value, host->addresses[host->address_count++],
	        sizeof(host->addresses[0]));
}

static const struct {
	const char *key;
	bool (*read)(struct span value, struct facts_answer *answer);
} lines[] = {
    {"host", read_name},
    {"port", read_port},
    {"mode", read_mode},
    {"address", read_address},
};

bool
facts_hosts_read(struct span key, struct span value,
    struct facts_answer *answer, bool *good)
{
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (span_equal_string(key, lines[i].key)) {
			*good = lines[i].read(value, answer);
			return true;
		}
	}
	return false;
}
