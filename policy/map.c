/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "base/log.h"
#include "policy/decide.h"
#include "policy/map.h"
#include "policy/suffix.h"

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

/* What the table says of mail to a domain, whichever of our senders it is from;
 * the other map stops strict ones, and those whom a rule names. */
static struct policy_verdict
judge_domain(const struct policyd *policyd, const struct site *site,
    const struct domain_facts *domain, const struct rule *rule,
    enum signet_answer signet)
{
	struct policy_facts facts = {
	    .sender = site->laxest,
	    .signet = signet,
	};

	decide_domain_facts(policyd, domain, &facts);
	return policy_decide(&facts, rule);
}

/* The domain or what it may go by: a name above it, down from the
 * organizational domain. Not to know whether there is a pin is as good as
 * one. */
static bool
may_be_pinned(struct policyd *policyd, const char *domain)
{
	const char *last = suffixes_organization(policyd->suffixes, domain);
	bool found = false;
	int err = 0;

	while (err == 0 && !found && domain <= last) {
		struct state_pin pin;

		err = state_get_pin(policyd->state, domain, &found, &pin);
		buffer_free(&pin.record);
		domain += strcspn(domain, ".") + 1;
	}
	return err != 0 || found;
}

/*
 * DIME-OUT's note is knowledge of its own: an absence, or the peer's 476, that
 * was validated when it was written. It stands in where DNS is silent, and
 * never against a record, a pin, a rule, or an answer that somebody has
 * tampered with.
 */
static bool
note_may_count(struct policyd *policyd, const struct site *site,
    const char *name, const struct domain_facts *domain,
    const struct rule *rule)
{
	if (domain == NULL || domain->dns == DNS_UNREACHABLE)
		return policy_strictness(rule) == POLICY_AS_TABLE &&
		    !may_be_pinned(policyd, name);
	return judge_domain(policyd, site, domain, rule,
	           SIGNET_NOT_ENABLED).action == POLICY_NAKED;
}

/* Where a recipient goes, and why. */
struct route {
	bool encrypt;
	_Atomic uint64_t *counter;
	const char *reason;
};

static struct route
route_naked(struct statistics *statistics, const struct domain_facts *domain,
    const char *reason)
{
	return (struct route){false, domain->dns == DNS_ABSENT_INSECURE
	    ? &statistics->map_naked_insecure
	    : &statistics->map_naked_proven, reason};
}

static struct route
route_domain(struct policyd *policyd, const struct site *site,
    const struct decide_name *name, const struct rule *rule)
{
	struct statistics *statistics = &policyd->statistics;
	const struct domain_facts *domain =
	    find_domain(policyd, name->domain, true);
	struct route route = {true, &statistics->map_unknown,
	    "nothing is known of the domain yet"};

	if (domain != NULL) {
		const struct policy_verdict verdict = judge_domain(policyd,
		    site, domain, rule, SIGNET_NOT_ASKED);

		if (verdict.action == POLICY_NAKED)
			route = route_naked(statistics, domain, verdict.reason);
		else
			route = (struct route){true, &statistics->map_encrypt,
			    verdict.reason};
	}
	if (route.encrypt && is_noted(policyd, name->address) &&
	    note_may_count(policyd, site, name->domain, domain, rule))
		route = (struct route){false, &statistics->map_noted,
		    "DIME-OUT has found that it may go naked"};
	domain_release(domain);
	return route;
}

static struct route
route_recipient(struct policyd *policyd, const struct site *site,
    const char *recipient)
{
	struct statistics *statistics = &policyd->statistics;
	struct pattern_name pattern;
	const struct rule *rule;
	struct decide_name name;

	decide_read_name(recipient, &name);
	if (decide_is_local(site, &name))
		return (struct route){false, &statistics->map_local,
		    "it is delivered here"};
	pattern = decide_pattern_name(&name);
	rule = rules_of_recipient(site->rules, &pattern);
	if (policy_strictness(rule) == POLICY_NEVER_NAKED) {
		/* DIME-OUT will want to know. */
		if (name.domain[0] != '\0')
			domain_release(
			    find_domain(policyd, name.domain, false));
		return (struct route){true, &statistics->map_required,
		    "a rule of this site forbids naked mail to it"};
	}
	if (name.no_domain)
		return (struct route){false, &statistics->map_naked_literal,
		    "it has no domain that could publish a record"};
	if (name.domain[0] == '\0')
		return (struct route){true, &statistics->map_unknown,
		    "it is not an address that DNS could know"};
	return route_domain(policyd, site, &name, rule);
}

/* ---- the sender ---- */

static struct route
route_sender(struct policyd *policyd, const struct site *site,
    const char *sender)
{
	struct statistics *statistics = &policyd->statistics;
	struct pattern_name name;

	pattern_name_read(sender, &name);
	if (site_names_has(&site->strict, name.domain))
		return (struct route){true, &statistics->map_strict_sender,
		    "the sender's domain is strict"};
	if (policy_strictness(rules_of_sender(site->rules, &name)) ==
	    POLICY_NEVER_NAKED)
		return (struct route){true, &statistics->map_required_sender,
		    "a rule of this site forbids naked mail from it"};
	return (struct route){false, NULL, "nothing is decided by the sender"};
}

/* ---- answers ---- */

/* In shadow mode what would change the mail's way is worth a line each time. */
static void
log_route(const char *map, const char *key, const struct route *route,
    bool shadow)
{
	const int level = shadow && route->encrypt ? LOG_INFO : LOG_DEBUG;
	struct log_line line;

	if (!log_takes(level))
		return;
	log_begin(&line, level, "route");
	log_text(&line, "map", map);
	log_text(&line, "key", key);
	log_text(&line, "way", route->encrypt ? "dimeenc" : "smtp");
	if (shadow)
		log_text(&line, "mode", "shadow");
	log_text(&line, "reason", route->reason);
	log_end(&line);
}

static enum socketmap_status
follow(const struct site *site, const char *map, const char *key,
    const struct route *route, _Atomic uint64_t *shadowed)
{
	if (route->counter != NULL)
		atomic_fetch_add(route->counter, 1);
	log_route(map, key, route, site->shadow);
	if (!route->encrypt)
		return SOCKETMAP_NOTFOUND;
	if (!site->shadow)
		return SOCKETMAP_OK;
	atomic_fetch_add(shadowed, 1);
	return SOCKETMAP_NOTFOUND;
}

enum socketmap_status
map_answer(struct policyd *policyd, const struct socketmap_query *query,
    char text[static 512])
{
	struct statistics *statistics = &policyd->statistics;
	const struct site *site = sites_hold(policyd->sites);
	enum socketmap_status status = SOCKETMAP_PERM;
	char key[ADDRESS_SIZE * 2];
	struct route route;

	snprintf(text, 512, "%s", site->config->seal_transport);
	if (!span_copy_string(query->key, key, sizeof(key)))
		/* No address that could be delivered anywhere. */
		status = site->shadow ? SOCKETMAP_NOTFOUND : SOCKETMAP_OK;
	else if (span_equal_string(query->map, "transport")) {
		route = route_recipient(policyd, site, key);
		status = follow(site, "transport", key, &route,
		    &statistics->shadow_recipients);
	} else if (span_equal_string(query->map, "sender")) {
		route = route_sender(policyd, site, key);
		status = follow(site, "sender", key, &route,
		    &statistics->shadow_senders);
	} else
		snprintf(text, 512, "there are two maps: transport, sender");
	sites_release(site);
	return status;
}
