/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/results.h"

#include <strings.h>

/* Any host of our domains: who reads the field may trust all of them. */
static bool
is_own_name(struct span id, const char *hostname,
    const struct config_list *domains)
{
	char name[DOMAIN_SIZE];

	if (span_equal_nocase(id, span_string(hostname)))
		return true;
	if (!domain_normalize(id, name))
		return false;
	for (size_t i = 0; i < domains->count; i++)
		if (domain_is_within(name, domains->items[i]))
			return true;
	return strcasecmp(name, hostname) == 0;
}

bool
results_is_ours(struct span value, const char *hostname,
    const struct config_list *domains)
{
	struct span id;

	if (!header_skip(&value))
		return true;
	id = header_word(&value);
	/* A quoted authserv-id is allowed and never needed. */
	if (id.length == 0 || memchr(id.data, '"', id.length) != NULL)
		return true;
	return is_own_name(id, hostname, domains);
}

bool
results_are_forged(struct span value, const char *hostname,
    const struct config_list *domains)
{
	static const struct span method = {(const uint8_t *)"dime", 4};

	for (size_t i = 0; i + method.length <= value.length; i++)
		if (span_equal_nocase(span_slice(value, i, method.length),
			method))
			return results_is_ours(value, hostname, domains);
	return false;
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
