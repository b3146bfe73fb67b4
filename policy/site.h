/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_POLICY_SITE_H
#define DIME_POLICY_SITE_H

#include "base/address.h"
#include "base/config.h"
#include "dime/record.h"
#include "policy/rules.h"

/*
 * The configuration as policyd uses it. A site never changes; a reload makes a
 * new one, and whoever still holds the old one may go on with it.
 */

/* Domains in normal form, sorted, since hosters have thousands. */
struct site_names {
	size_t count;
	char (*items)[DOMAIN_SIZE];
};

struct site {
	struct config *config;
	struct site_names domains, local, strict, experimental;
	struct pattern_set ours; /* domains and local */
	const struct rules *rules;
	bool shadow; /* decide, and change nothing */
	/* The laxest policy that any sender of this site has, strict ones
	 * aside: the map does not see the sender. */
	enum record_policy laxest;
};

/* Takes over `config` when it succeeds. ERR_CONFIG names setting and value. */
int site_new(struct config *config, struct site **out, struct fault *fault);

/* True for the site's own domains and the local ones: delivered here. */
bool site_delivers(const struct site *site, const char *domain);

/* Whether a single label ("localhost") is among local_domains. */
bool site_delivers_label(const struct site *site, const char *label);

/* The policy under which one of our domains sends. */
enum record_policy site_policy_of(const struct site *site,
    const char *domain);

/* The one of our domains that acts for mail from `domain`, which may be a
 * stranger's, or "". "" when there is none. */
const char *site_acting_domain(const struct site *site, const char *domain);

/* Says with `warn` what of the configuration never has an effect. */
void site_warn(const struct site *site, void (*warn)(const char *text));

/* Whether the domain, in normal form, is one of the names. */
bool site_names_has(const struct site_names *names, const char *domain);

/* ---- the one in force ---- */

struct sites;

/* Takes over `site`. ERR_MEMORY, and `site` is freed. */
int sites_new(struct site *site, struct sites **out);
void sites_free(struct sites *sites);

/* Puts another into force, which it takes over. */
void sites_replace(struct sites *sites, struct site *site);

/* The one in force, until sites_release(). Any thread. */
const struct site *sites_hold(struct sites *sites);
void sites_release(const struct site *site);

/* Frees one that was never put into force. */
void site_free(struct site *site);

#endif
