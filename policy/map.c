/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "policy/decide.h"
#include "policy/map.h"

/* ---- the recipient's domain ---- */

/* What memory has or, where the answer may depend on it, what comes within the
 * time that Postfix can wait. NULL: not known yet, and being asked for. */
static const struct domain_facts *
find_domain(struct policyd *policyd, const char *name, bool may_wait)
{
	const int64_t start = clock_monotonic(&clock_system);
	const int64_t last = policyd->dns.last_answer(policyd->dns.context);
	const struct domain_facts *domain;
	int64_t allowed;
	bool hit;

	/* With no time at all this only looks, and starts the asking. */
	if (domains_find(policyd->domains, name, (struct deadline){start},
	        &domain, &hit) == 0 || !may_wait)
		return domain;
	allowed = patience_take(policyd->patience,
	    start - last <= MAP_ALIVE ? MAP_WAIT : MAP_WAIT_BRIEF);
	if (allowed > 0) {
		atomic_fetch_add(&policyd->statistics.map_waited, 1);
		domains_find(policyd->domains, name, deadline_in(allowed),
		    &domain, &hit);
	}
	patience_give(policyd->patience, allowed,
	    clock_monotonic(&clock_system) - start);
	return domain;
}

static bool
is_noted(struct policyd *policyd, const char *address)
{
	bool found = false;

	return *address != '\0' &&
	    state_get_naked(policyd->state, address, &found) == 0 && found;
}

/* Whether the table lets it go naked, whichever of our senders it is from;
 * strict ones are stopped by the other map. */
static bool
may_be_naked(const struct policyd *policyd, const struct site *site,
    const struct domain_facts *domain, enum signet_answer signet)
{
	struct policy_facts facts = {
	    .sender = site_laxest_policy(site),
	    .signet = signet,
	};

	decide_domain_facts(policyd, site, domain, &facts);
	return policy_decide(&facts).action == POLICY_NAKED;
}

/* Not to know whether there is a pin is as good as one. */
static bool
may_be_pinned(struct policyd *policyd, const char *domain)
{
	struct state_pin pin;
	bool found;
	int err;

	err = state_get_pin(policyd->state, domain, &found, &pin);
	buffer_free(&pin.record);
	return err != 0 || found;
}

/*
 * DIME-OUT's note is knowledge of its own: an absence, or the peer's 476, that
 * was validated when it was written. It stands in where DNS is silent, and
 * never against a record, a pin, or an answer that somebody has tampered with.
 */
static bool
note_may_count(struct policyd *policyd, const struct site *site,
    const char *name, const struct domain_facts *domain)
{
	if (domain == NULL || domain->dns == DNS_UNREACHABLE)
		return !may_be_pinned(policyd, name);
	return may_be_naked(policyd, site, domain, SIGNET_NOT_ENABLED);
}

enum route {
	ROUTE_ENCRYPT,
	ROUTE_UNKNOWN,
	ROUTE_NAKED,
	ROUTE_NOTED,
	ROUTE_LOCAL,
};

static enum route
route_recipient(struct policyd *policyd, const struct site *site,
    const char *recipient)
{
	const struct domain_facts *domain;
	struct decide_name name;
	enum route route;
	bool required;

	decide_read_name(recipient, &name);
	if (name.no_domain)
		return ROUTE_LOCAL;
	if (name.domain[0] == '\0')
		return ROUTE_UNKNOWN;
	if (site_delivers(site, name.domain))
		return ROUTE_LOCAL;
	required = site_names_has(&site->required, name.domain);
	domain = find_domain(policyd, name.domain, !required);
	route = domain == NULL ? ROUTE_UNKNOWN : ROUTE_ENCRYPT;
	if (required)
		route = ROUTE_ENCRYPT;
	else if (domain != NULL &&
	    may_be_naked(policyd, site, domain, SIGNET_NOT_ASKED))
		route = ROUTE_NAKED;
	else if (is_noted(policyd, name.address) &&
	    note_may_count(policyd, site, name.domain, domain))
		route = ROUTE_NOTED;
	domain_release(domain);
	return route;
}

static enum socketmap_status
answer_recipient(struct policyd *policyd, const struct site *site,
    const char *recipient)
{
	struct statistics *statistics = &policyd->statistics;

	switch (route_recipient(policyd, site, recipient)) {
	case ROUTE_NAKED:
		atomic_fetch_add(&statistics->map_naked, 1);
		return SOCKETMAP_NOTFOUND;
	case ROUTE_NOTED:
		atomic_fetch_add(&statistics->map_noted, 1);
		return SOCKETMAP_NOTFOUND;
	case ROUTE_LOCAL:
		atomic_fetch_add(&statistics->map_local, 1);
		return SOCKETMAP_NOTFOUND;
	case ROUTE_UNKNOWN:
		atomic_fetch_add(&statistics->map_unknown, 1);
		return SOCKETMAP_OK;
	case ROUTE_ENCRYPT:
		break;
	}
	atomic_fetch_add(&statistics->map_encrypt, 1);
	return SOCKETMAP_OK;
}

/* ---- the sender ---- */

static enum socketmap_status
answer_sender(struct policyd *policyd, const struct site *site,
    const char *sender)
{
	struct decide_name name;

	decide_read_name(sender, &name);
	if (!site_names_has(&site->strict, name.domain))
		return SOCKETMAP_NOTFOUND;
	atomic_fetch_add(&policyd->statistics.map_strict_sender, 1);
	return SOCKETMAP_OK;
}

enum socketmap_status
map_answer(struct policyd *policyd, const struct socketmap_query *query,
    char text[static 512])
{
	const struct site *site = sites_hold(policyd->sites);
	enum socketmap_status status = SOCKETMAP_PERM;
	char key[ADDRESS_SIZE * 2];

	snprintf(text, 512, "%s", site->config->seal_transport);
	if (!span_copy_string(query->key, key, sizeof(key)))
		/* No address that could be delivered anywhere. */
		status = SOCKETMAP_OK;
	else if (span_equal_string(query->map, "transport"))
		status = answer_recipient(policyd, site, key);
	else if (span_equal_string(query->map, "sender"))
		status = answer_sender(policyd, site, key);
	else
		snprintf(text, 512, "there are two maps: transport, sender");
	sites_release(site);
	return status;
}
