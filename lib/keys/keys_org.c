/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "keys/keys_store.h"

/* The columns of KEYS_GET_ORG... */
enum {
	ID,
	DOMAIN,
	SIGNET,
	LIBDIME,
	MASTER_ID,
	SIGNING,
	TRANSPORT_ID,
	ENCRYPTION,
	CREATED,
	RETIRED,
};

static int
load_signet(struct statement *row, const char *domain, struct org_signet **out,
    struct fault *fault)
{
	const struct {
		uint8_t keys[1][CRYPTO_SIGN_PUBLIC];
	} *pok;
	struct signet *signet;
	int err;

	if ((err = signet_parse(statement_get_blob(row, SIGNET), &signet,
	    fault)) != 0)
		return err;
	/* That the signet is ours, POK and all, is told by the sealed keys. */
	pok = (const void *)signet_key(
	    signet_find(signet, SIGNET_ORG_POK)->value);
	err = signet_verify_org(signet, pok->keys, 1, domain, out, fault);
	if (err != 0)
		signet_free(signet);
	return err;
}

static int
load_secrets(struct keys *keys, struct statement *row, struct keys_org *org,
    const struct keys_place *place, struct fault *fault)
{
	struct keys_pair *pair = ((struct keys_owner *)org->owner)->pair;
	int err;

	if ((err = keys_open_signer(&keys->master, *place, row, SIGNING,
	    org->signet->pok, pair->seed, &org->signer, fault)) != 0)
		return err;
	return keys_open_agreer(&keys->transport, *place, row, ENCRYPTION,
	    org->signet->encryption, pair->scalar, &org->agreer, fault);
}

int
keys_org_load(struct keys *keys, struct statement *row, struct keys_org **out,
    struct fault *fault)
{
	char domain[DOMAIN_SIZE];
	struct keys_place place = {.table = "org", .identifier = domain};
	struct keys_org *org = calloc(1, sizeof(*org));
	int err;

	*out = NULL;
	statement_get_text(row, DOMAIN, domain, sizeof(domain));
	if (row->err != 0)
		err = row->err;
	else if (org == NULL || (org->owner = keys_owner_new()) == NULL)
		err = fault_set(fault, ERR_MEMORY, "out of memory");
	else if ((err = load_signet(row, domain, &org->signet, fault)) == 0) {
		place.fingerprint = org->signet->fingerprint;
		org->created = statement_get_number(row, CREATED);
		org->retired = statement_get_number(row, RETIRED);
		org->id = statement_get_number(row, ID);
		err = load_secrets(keys, row, org, &place, fault);
	}
	if (err != 0) {
		keys_org_free(org);
		return keys_broken(keys, &place, err, fault);
	}
	*out = org;
	return 0;
}

void
keys_org_free(struct keys_org *org)
{
	if (org == NULL || !keys_owner_leave(org->owner))
		return;
	org_signet_free(org->signet);
	free(org);
}

/* Puts the row's signet in the libdime layout in the place of the other, whose
 * keys it must have. */
static int
turn(struct keys *keys, struct statement *row, struct keys_org *org,
    struct fault *fault)
{
	const struct keys_place place = {.table = "org",
	    .identifier = org->signet->domain};
	const struct {
		uint8_t keys[1][CRYPTO_SIGN_PUBLIC];
	} *pok = (const void *)org->signet->pok;
	struct org_signet *turned = NULL;
	struct signet *signet;
	int err;

	if ((err = signet_parse(statement_get_blob(row, LIBDIME), &signet,
	    fault)) == 0 &&
	    (err = signet_verify_org(signet, pok->keys, 1, org->signet->domain,
	    &turned, fault)) != 0)
		signet_free(signet);
	if (err == 0 && (signet->layout != LAYOUT_LIBDIME ||
	    memcmp(turned->encryption, org->signet->encryption,
	    sizeof(turned->encryption)) != 0))
		err = fault_set(fault, ERR_DATABASE,
		    "its signet in the libdime layout is another one");
	if (err != 0) {
		org_signet_free(turned);
		return keys_broken(keys, &place, err, fault);
	}
	org_signet_free(org->signet);
	org->signet = turned;
	return 0;
}

/* Ends `row`, with its organization in *out when there is one, in the layout
 * that has the fingerprint unless that is NULL. */
static int
finish(struct keys *keys, struct statement *row, const char *domain,
    enum layout layout, const char *fingerprint, struct keys_org **out,
    struct fault *fault)
{
	int err = 0;

	*out = NULL;
	if (statement_next(row)) {
		err = keys_org_load(keys, row, out, fault);
		if (err == 0 && fingerprint != NULL &&
		    strcmp((*out)->signet->fingerprint, fingerprint) != 0)
			layout = LAYOUT_LIBDIME;
		if (err == 0 && layout == LAYOUT_LIBDIME)
			err = turn(keys, row, *out, fault);
	} else if (row->err == 0)
		err = fault_set(fault, ERR_NO_KEY,
		    "%s: there is no such organization in %s", domain,
		    database_path(keys->database));
	if (statement_end(row) != 0)
		err = row->err;
	if (err != 0) {
		keys_org_free(*out);
		*out = NULL;
	}
	return err;
}

int
keys_find_org_in(struct keys *keys, enum layout layout, const char *domain,
    struct keys_org **out, struct fault *fault)
{
	const struct keys_question question = {KEPT_ORG, layout, domain, ""};
	struct statement row;
	uint64_t version;
	int err;

	if ((*out = keys_kept_find(keys, &question, &version)) != NULL)
		return 0;
	statement_start(&row, keys->database, KEYS_GET_ORG, fault);
	statement_text(&row, domain);
	err = finish(keys, &row, domain, layout, NULL, out, fault);
	if (err == 0)
		keys_kept_keep(keys, &question, version, *out);
	return err;
}

int
keys_find_org(struct keys *keys, const char *domain, struct keys_org **out,
    struct fault *fault)
{
	return keys_find_org_in(keys, LAYOUT_STANDARD, domain, out, fault);
}

int
keys_org_in(struct keys *keys, enum layout layout, const struct keys_org *org,
    struct keys_org **out, struct fault *fault)
{
	struct statement row;

	statement_start(&row, keys->database, KEYS_GET_ORG_BY_ID, fault);
	statement_number(&row, org->id);
	return finish(keys, &row, org->signet->domain, layout, NULL, out,
	    fault);
}

int
keys_find_org_prepared(struct keys *keys, const char *domain,
    struct keys_org **out, struct fault *fault)
{
	struct statement row;

	statement_start(&row, keys->database, KEYS_GET_ORG_PREPARED, fault);
	statement_text(&row, domain);
	return finish(keys, &row, domain, LAYOUT_STANDARD, NULL, out, fault);
}

int
keys_find_org_before(struct keys *keys, const struct keys_org *org,
    int64_t grace, struct keys_org **out, struct fault *fault)
{
	const char *domain = org->signet->domain;
	struct statement row;

	statement_start(&row, keys->database, KEYS_GET_ORG_BEFORE, fault);
	statement_text(&row, domain);
	statement_number(&row, keys_grace_start(keys, grace));
	statement_number(&row, org->id);
	return finish(keys, &row, domain, LAYOUT_STANDARD, NULL, out, fault);
}

/* The row may have been tampered with: what it is found by must be its
 * signet's. */
static int
read_by(enum keys_statement number,
    const char *(*name)(const struct org_signet *signet), struct keys *keys,
    const char *domain, const char *fingerprint, struct keys_org **out,
    struct fault *fault)
{
	struct statement row;
	int err;

	statement_start(&row, keys->database, number, fault);
	statement_text(&row, domain);
	statement_text(&row, fingerprint);
	err = finish(keys, &row, domain, LAYOUT_STANDARD, fingerprint, out,
	    fault);
	if (err != 0 || strcmp(name((*out)->signet), fingerprint) == 0)
		return err;
	keys_org_free(*out);
	*out = NULL;
	return fault_set(fault, ERR_DATABASE,
	    "%s: org %s: its fingerprint is not its signet's",
	    database_path(keys->database), domain);
}

static const char *
fingerprint_of(const struct org_signet *signet)
{
	return signet->fingerprint;
}

int
keys_find_org_by_fingerprint(struct keys *keys, const char *domain,
    const char *fingerprint, struct keys_org **out, struct fault *fault)
{
	const struct keys_question question = {KEPT_ORG_BY_FINGERPRINT,
	    LAYOUT_STANDARD, domain, fingerprint};
	uint64_t version;
	int err;

	if ((*out = keys_kept_find(keys, &question, &version)) != NULL)
		return 0;
	err = read_by(KEYS_GET_ORG_BY_FINGERPRINT, fingerprint_of, keys,
	    domain, fingerprint, out, fault);
	if (err == 0)
		keys_kept_keep(keys, &question, version, *out);
	return err;
}

int
keys_find_org_by_envelope(struct keys *keys, const char *domain,
    const char *fingerprint, struct keys_org **out, struct fault *fault)
{
	const struct keys_question question = {KEPT_ORG_BY_ENVELOPE,
	    LAYOUT_STANDARD, domain, fingerprint};
	uint64_t version;
	int err;

	if ((*out = keys_kept_find(keys, &question, &version)) != NULL)
		return 0;
	err = read_by(KEYS_GET_ORG_BY_ENVELOPE, message_org_fingerprint, keys,
	    domain, fingerprint, out, fault);
	if (err == 0)
		keys_kept_keep(keys, &question, version, *out);
	return err;
}
