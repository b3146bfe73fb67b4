/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/results.h"

#include <strings.h>

static bool
is_own_name(const char *name, const char *hostname,
    const struct config_list *domains)
{
	return strcasecmp(name, hostname) == 0 ||
	    config_list_has(domains, name);
}

bool
results_is_ours(struct span value, const char *hostname,
    const struct config_list *domains)
{
	char name[DOMAIN_SIZE];
	struct span id;

	if (!header_skip(&value))
		return true;
	id = header_word(&value);
	/* A quoted authserv-id is allowed and never needed. */
	if (id.length == 0 || memchr(id.data, '"', id.length) != NULL)
		return true;
	return !span_copy_string(id, name, sizeof(name)) ||
	    is_own_name(name, hostname, domains);
}

const char *
results_verdict(const struct results *results, struct span block)
{
	char domain[DOMAIN_SIZE];

	if (!header_from_domain(block, domain) ||
	    !domain_is_within(domain, results->origin))
		return "fail";
	return strncmp(results->author, "relay@", 6) == 0 ? "neutral" : "pass";
}

void
results_write(const struct results *results, struct span block,
    struct buffer *out)
{
	char domain[DOMAIN_SIZE];

	buffer_printf(out, " %s;\n\tdime=%s", results->hostname,
	    results_verdict(results, block));
	if (header_from_domain(block, domain))
		buffer_printf(out, " header.from=%s", domain);
	buffer_printf(out, "\n\tpolicy.author=%s policy.origin=%s",
	    results->author, results->origin);
}
