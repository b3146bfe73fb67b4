/* SPDX-License-Identifier: BSD-2-Clause */
#include <unistd.h>

#include "dimectl/files.h"
#include "dimectl/issuer.h"

static int
find_in_store(struct dimectl *ctl, const char *domain, struct issuer *issuer)
{
	int err;

	if ((err = store_open(ctl, STORE_READ, &issuer->store)) == 0 &&
	    (err = keys_find_org(issuer->store.keys, domain, &issuer->org,
	    &ctl->fault)) != 0)
		store_close(&issuer->store);
	if (err == ERR_NO_FILE || err == ERR_NO_KEY)
		fault_wrap(&ctl->fault, "%s: no such file, nor an organization",
		    issuer->name);
	if (err != 0)
		return err;
	issuer->signet = issuer->org->signet;
	issuer->signer = issuer->org->signer;
	return 0;
}

int
issuer_find(struct dimectl *ctl, const char *name, struct issuer *issuer)
{
	char domain[DOMAIN_SIZE];

	*issuer = (struct issuer){.name = name};
	if (access(name, F_OK) != 0 &&
	    domain_normalize(span_string(name), domain))
		return find_in_store(ctl, domain, issuer);
	return files_read_org(name, NULL, 0, &issuer->signet, &ctl->fault);
}

void
issuer_free(struct issuer *issuer)
{
	if (issuer->org == NULL)
		org_signet_free(issuer->signet);
	keys_org_free(issuer->org);
	store_close(&issuer->store);
	*issuer = (struct issuer){.name = NULL};
}
