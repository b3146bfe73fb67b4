/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/site.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

static void
free_site(struct site *site)
{
	if (site == NULL)
		return;
	config_free(site->config);
	free(site);
}

static void
set_hostname(struct site *site)
{
	char name[DOMAIN_SIZE] = "";

	if (site->config->hostname[0] == '\0')
		gethostname(name, sizeof(name) - 1);
	else
		span_copy_string(span_string(site->config->hostname), name,
		    sizeof(name));
	/* A host name of one label is no domain, and still a name. */
	if (!domain_normalize(span_string(name), site->hostname))
		memcpy(site->hostname, name, sizeof(name));
	text_lower_all(site->hostname);
}

static int
load(const char *path, struct site **out, struct fault *fault)
{
	struct site *site = calloc(1, sizeof(*site));
	int err;

	*out = NULL;
	if (site == NULL)
		return fault_set(fault, ERR_MEMORY, "out of memory");
	err = config_load(path, CONFIG_MILTER, &site->config, fault);
	if (err != 0) {
		free_site(site);
		return err;
	}
	set_hostname(site);
	site->users = 1;
	*out = site;
	return 0;
}

int
site_open(struct site_holder *holder, const char *path, struct fault *fault)
{
	holder->path = path;
	pthread_mutex_init(&holder->lock, NULL);
	return load(path, &holder->current, fault);
}

int
site_reload(struct site_holder *holder, struct fault *fault)
{
	struct site *fresh, *old;
	int err = load(holder->path, &fresh, fault);

	if (err != 0)
		return err;
	pthread_mutex_lock(&holder->lock);
	old = holder->current;
	holder->current = fresh;
	pthread_mutex_unlock(&holder->lock);
	site_put(holder, old);
	return 0;
}

void
site_close(struct site_holder *holder)
{
	site_put(holder, holder->current);
	holder->current = NULL;
	pthread_mutex_destroy(&holder->lock);
}

struct site *
site_get(struct site_holder *holder)
{
	struct site *site;

	pthread_mutex_lock(&holder->lock);
	site = holder->current;
	site->users++;
	pthread_mutex_unlock(&holder->lock);
	return site;
}

void
site_put(struct site_holder *holder, struct site *site)
{
	bool last;

	if (site == NULL)
		return;
	pthread_mutex_lock(&holder->lock);
	last = --site->users == 0;
	pthread_mutex_unlock(&holder->lock);
	if (last)
		free_site(site);
}

bool
site_is_shadow(const struct site *site)
{
	return strcmp(site->config->mode, "shadow") == 0;
}

bool
site_serves(const struct site *site, const char *domain)
{
	return config_list_has(&site->config->domains, domain);
}

bool
site_is_local(const struct site *site, const char *domain)
{
	return site_serves(site, domain) ||
	    config_list_has(&site->config->local_domains, domain);
}

const char *
site_forward_domain(const struct site *site)
{
	if (site->config->forward_domain[0] != '\0')
		return site->config->forward_domain;
	return site->config->domains.count == 0 ? NULL :
	    site->config->domains.items[0];
}
