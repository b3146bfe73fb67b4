/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "policy/site.h"

/* What a site is behind its header. */
struct held_site {
	struct site site; /* first */
	atomic_uint holders;
};

struct sites {
	pthread_mutex_t lock;
	struct held_site *current;
};

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

bool
site_names_has(const struct site_names *names, const char *domain)
{
	return names->count > 0 &&
	    bsearch(domain, names->items, names->count,
	        sizeof(names->items[0]), compare) != NULL;
}

/* A single label in local_domains ("localhost") is answered without looking. */
static int
read_names(const char *setting, const struct config_list *list,
    bool single_labels, struct site_names *names, struct fault *fault)
{
	names->items = calloc(list->count + 1, sizeof(names->items[0]));
	if (names->items == NULL)
		return fault_set(fault, ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < list->count; i++) {
		const char *item = list->items[i];

		if (single_labels && strchr(item, '.') == NULL)
			continue;
		if (!domain_normalize(span_string(item),
		        names->items[names->count]))
			return fault_set(fault, ERR_CONFIG,
			    "%s: \"%s\" is not a domain", setting, item);
		names->count++;
	}
	qsort(names->items, names->count, sizeof(names->items[0]), compare);
	return 0;
}

/* A policy for a domain that is not ours would never be used: a typing error.
 */
static int
check_own(const char *setting, const struct site_names *names,
    const struct site_names *own, struct fault *fault)
{
	for (size_t i = 0; i < names->count; i++)
		if (!site_names_has(own, names->items[i]))
			return fault_set(fault, ERR_CONFIG,
			    "%s: \"%s\" is not one of domains", setting,
			    names->items[i]);
	return 0;
}

static int
check_apart(const struct site *site, struct fault *fault)
{
	const struct site_names *strict = &site->strict;

	for (size_t i = 0; i < strict->count; i++)
		if (site_names_has(&site->experimental, strict->items[i]))
			return fault_set(fault, ERR_CONFIG, "strict_domains: "
			    "\"%s\" is also one of experimental_domains",
			    strict->items[i]);
	return 0;
}

/* The domains that are delivered here, as a rule names domains. */
static int
read_ours(struct site *site, struct fault *fault)
{
	const size_t count = site->domains.count + site->local.count;
	const char **texts = calloc(count + 1, sizeof(*texts));
	int err = 0;

	if (texts == NULL)
		return fault_set(fault, ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < count; i++)
		texts[i] = i < site->domains.count
		    ? site->domains.items[i]
		    : site->local.items[i - site->domains.count];
	/* No pattern would be anybody. */
	if (count > 0)
		err = pattern_set_make(texts, count, &site->ours, fault);
	free(texts);
	return err;
}

static int
read_site(const struct config *config, struct site *site, struct fault *fault)
{
	int err;

	if ((err = read_names("domains", &config->domains, false,
	         &site->domains, fault)) != 0 ||
	    (err = read_names("local_domains", &config->local_domains, true,
	         &site->local, fault)) != 0 ||
	    (err = read_names("strict_domains", &config->strict_domains, false,
	         &site->strict, fault)) != 0 ||
	    (err = read_names("experimental_domains",
	         &config->experimental_domains, false, &site->experimental,
	         fault)) != 0 ||
	    (err = check_own("strict_domains", &site->strict, &site->domains,
	         fault)) != 0 ||
	    (err = check_own("experimental_domains", &site->experimental,
	         &site->domains, fault)) != 0 ||
	    (err = check_apart(site, fault)) != 0)
		return err;
	if ((err = read_ours(site, fault)) != 0)
		return err;
	return rules_check(&config->rules, &site->ours, fault);
}

/* Senders outside our domains act through one of them. */
static enum record_policy
find_laxest_policy(const struct site *site)
{
	bool experimental = false;

	for (size_t i = 0; i < site->domains.count; i++) {
		const enum record_policy policy =
		    site_policy_of(site, site->domains.items[i]);

		if (policy == RECORD_MIXED)
			return RECORD_MIXED;
		experimental |= policy == RECORD_EXPERIMENTAL;
	}
	return experimental ? RECORD_EXPERIMENTAL : RECORD_MIXED;
}

int
site_new(struct config *config, struct site **out, struct fault *fault)
{
	struct held_site *held = calloc(1, sizeof(*held));
	int err;

	*out = NULL;
	if (held == NULL)
		return fault_set(fault, ERR_MEMORY, "out of memory");
	atomic_init(&held->holders, 1);
	err = read_site(config, &held->site, fault);
	if (err != 0) {
		site_free(&held->site);
		return err;
	}
	held->site.laxest = find_laxest_policy(&held->site);
	held->site.config = config;
	held->site.rules = &config->rules;
	held->site.shadow = strcmp(config->mode, "shadow") == 0;
	*out = &held->site;
	return 0;
}

void
site_free(struct site *site)
{
	if (site == NULL)
		return;
	free(site->domains.items);
	free(site->local.items);
	free(site->strict.items);
	free(site->experimental.items);
	pattern_set_free(&site->ours);
	config_free(site->config);
	free(site);
}

bool
site_delivers(const struct site *site, const char *domain)
{
	return site_names_has(&site->domains, domain) ||
	    site_names_has(&site->local, domain);
}

bool
site_delivers_label(const struct site *site, const char *label)
{
	return config_list_has(&site->config->local_domains, label);
}

const char *
site_acting_domain(const struct site *site, const char *domain)
{
	if (site_names_has(&site->domains, domain))
		return domain;
	if (*site->config->forward_domain != '\0')
		return site->config->forward_domain;
	return site->config->domains.count == 0
	    ? ""
	    : site->config->domains.items[0];
}

void
site_warn(const struct site *site, void (*warn)(const char *text))
{
	rules_warn(site->rules, &site->ours, warn);
}

enum record_policy
site_policy_of(const struct site *site, const char *domain)
{
	if (site_names_has(&site->strict, domain))
		return RECORD_STRICT;
	return site_names_has(&site->experimental, domain)
	    ? RECORD_EXPERIMENTAL
	    : RECORD_MIXED;
}

/* ---- the one in force ---- */

int
sites_new(struct site *site, struct sites **out)
{
	struct sites *sites = calloc(1, sizeof(*sites));

	*out = sites;
	if (sites == NULL) {
		site_free(site);
		return ERR_MEMORY;
	}
	pthread_mutex_init(&sites->lock, NULL);
	sites->current = (struct held_site *)site;
	return 0;
}

void
sites_free(struct sites *sites)
{
	if (sites == NULL)
		return;
	sites_release(&sites->current->site);
	pthread_mutex_destroy(&sites->lock);
	free(sites);
}

void
sites_replace(struct sites *sites, struct site *site)
{
	struct held_site *old;

	pthread_mutex_lock(&sites->lock);
	old = sites->current;
	sites->current = (struct held_site *)site;
	pthread_mutex_unlock(&sites->lock);
	sites_release(&old->site);
}

const struct site *
sites_hold(struct sites *sites)
{
	struct held_site *held;

	pthread_mutex_lock(&sites->lock);
	held = sites->current;
	atomic_fetch_add(&held->holders, 1);
	pthread_mutex_unlock(&sites->lock);
	return &held->site;
}

void
sites_release(const struct site *site)
{
	struct held_site *held = (struct held_site *)(uintptr_t)site;

	if (held != NULL && atomic_fetch_sub(&held->holders, 1) == 1)
		site_free(&held->site);
}
