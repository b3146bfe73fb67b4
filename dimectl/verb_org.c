/* SPDX-License-Identifier: BSD-2-Clause */
#include "dimectl/output.h"
#include "dimectl/store.h"
#include "dimectl/verbs.h"

static const struct option_row no_options[] = {
    {OPTION_END, NULL, NULL, false}};

/* The one word that a verb takes, and the store. */
static int
start(struct dimectl *ctl, int count, char **argv, enum store_use use,
    char domain[static DOMAIN_SIZE], struct store *store)
{
	const char *word;
	int err;

	if ((err = option_read(ctl, count, argv, no_options, &word, 1, 1)) !=
	    0 ||
	    (err = store_domain(ctl, word, domain)) != 0)
		return err;
	return store_open(ctl, use, store);
}

/* What a new organization still needs before peers find it. */
static void
print_next_steps(struct dimectl *ctl, const struct config *config,
    const char *domain)
{
	if (!config_list_has(&config->domains, domain))
		buffer_printf(&ctl->output,
		    "next add \"%s\" to domains in %s\n", domain,
		    ctl->config_path);
	buffer_printf(&ctl->output,
	    "next dimectl user create ADDRESS, for each user of %s\n"
	    "next publish, in the zone of %s, what this prints: "
	    "dimectl record make --zone --org %s --tls-cert %s --dx HOST\n",
	    domain, domain, domain, config->tls_certificate);
}

int
verb_org_create(struct dimectl *ctl, int count, char **argv)
{
	struct keys_org *org = NULL;
	char domain[DOMAIN_SIZE];
	struct store store;
	int err;

	if ((err = start(ctl, count, argv, STORE_CREATE, domain, &store)) != 0)
		return err;
	if ((err = keys_create_org(store.keys, domain, &ctl->fault)) != 0 ||
	    (err = keys_find_org(store.keys, domain, &org, &ctl->fault)) != 0)
		goto out;
	if (ctl->json) {
		err = output_json(ctl, json_pack("{ss ss}", "domain", domain,
		    "fingerprint", org->signet->fingerprint));
	} else {
		buffer_printf(&ctl->output, "domain %s\nfingerprint %s\n",
		    domain, org->signet->fingerprint);
		print_next_steps(ctl, store.config, domain);
	}
out:
	keys_org_free(org);
	store_close(&store);
	return err;
}

static int
show(struct dimectl *ctl, const struct keys_org *org)
{
	struct buffer armor = buffer_make(ctl->output.limit);
	char created[STORE_TIME_SIZE];
	int err = 0;

	store_time(org->created, created);
	signet_write(org->signet->signet, &armor);
	if (armor.error != 0)
		err = fault_set(&ctl->fault, armor.error, "out of memory");
	else if (ctl->json)
		err = output_json(ctl, json_pack("{ss ss ss ss}", "domain",
		    org->signet->domain, "fingerprint",
		    org->signet->fingerprint, "created", created, "signet",
		    buffer_string(&armor)));
	else
		buffer_printf(&ctl->output,
		    "domain %s\nfingerprint %s\ncreated %s\n%s",
		    org->signet->domain, org->signet->fingerprint, created,
		    buffer_string(&armor));
	buffer_free(&armor);
	return err;
}

int
verb_org_show(struct dimectl *ctl, int count, char **argv)
{
	struct keys_org *org = NULL;
	char domain[DOMAIN_SIZE];
	struct store store;
	int err;

	if ((err = start(ctl, count, argv, STORE_READ, domain, &store)) != 0)
		return err;
	if ((err = keys_find_org(store.keys, domain, &org, &ctl->fault)) == 0)
		err = show(ctl, org);
	keys_org_free(org);
	store_close(&store);
	return err;
}

int
verb_org_list(struct dimectl *ctl, int count, char **argv)
{
	struct store_listing listing = {.ctl = ctl, .name_key = "domain",
	    .fingerprint_key = "fingerprint"};
	char domain[DOMAIN_SIZE];
	const char *word = NULL;
	struct store store;
	int err;

	if ((err = option_read(ctl, count, argv, no_options, &word, 0, 1)) !=
	    0 ||
	    (word != NULL && (err = store_domain(ctl, word, domain)) != 0) ||
	    (err = store_open(ctl, STORE_LIST, &store)) != 0)
		return err;
	listing.only = word == NULL ? NULL : domain;
	err = keys_list_orgs(store.keys, store_list_row, &listing,
	    &ctl->fault);
	err = store_list_end(&listing, err);
	store_close(&store);
	return err;
}
