/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIMECTL_STORE_H
#define DIME_DIMECTL_STORE_H

#include "base/config.h"
#include "dimectl/dimectl.h"
#include "keys/keys.h"

/* What a verb wants of keys.db. */
enum store_use {
	STORE_LIST,   /* names and fingerprints: no secrets, no key files */
	STORE_READ,   /* with both sealing keys */
	STORE_CREATE, /* likewise; makes the database and the key files */
};

/* The configuration and the key store that it names. */
struct store {
	struct config *config;
	struct keys *keys;
};

/* On failure there is nothing to close. */
int store_open(struct dimectl *ctl, enum store_use use, struct store *store);
void store_close(struct store *store);

/* The domain, or address, that a word on the command line means; ERR_USAGE. */
int store_domain(struct dimectl *ctl, const char *word,
    char out[static DOMAIN_SIZE]);
int store_address(struct dimectl *ctl, const char *word,
    char out[static ADDRESS_SIZE]);

enum { STORE_TIME_SIZE = 32 };

/* A time as 2026-01-31T12:00:00Z. */
void store_time(int64_t seconds, char out[static STORE_TIME_SIZE]);

/* A listing: a line, or with --json an object, for each row. store_list_row()
 * is what keys_list_...() call for each; store_list_end() gets what they
 * answered. */
struct store_listing {
	struct dimectl *ctl;
	const char *only; /* NULL: all */
	const char *name_key, *fingerprint_key;
	json_t *array;
};
int store_list_row(void *listing, const struct keys_listing *row);
int store_list_end(struct store_listing *listing, int err);

#endif
