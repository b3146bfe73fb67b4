/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIMECTL_ISSUER_H
#define DIME_DIMECTL_ISSUER_H

#include "dimectl/store.h"

/*
 * An organization that a verb is told to act for: the signet in a file, or,
 * where there is no file of that name, the organization of that name in
 * keys.db, whose keys then are at hand without leaving the store.
 */
struct issuer {
	const char *name; /* as given */
	struct org_signet *signet;
	struct signer signer; /* .sign NULL for a file */
	struct keys_org *org; /* NULL for a file */
	struct store store;
};

/* On failure there is nothing to free. */
int issuer_find(struct dimectl *ctl, const char *name, struct issuer *issuer);
void issuer_free(struct issuer *issuer);

#endif
