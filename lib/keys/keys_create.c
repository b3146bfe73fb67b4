/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "keys/keys_store.h"

static int
check_sealers(const struct keys *keys, struct fault *fault)
{
	if (keys->master.key != NULL && keys->transport.key != NULL)
		return 0;
	return fault_set(fault, ERR_NO_KEY,
	    "%s: the %s is needed to create keys",
	    database_path(keys->database),
	    keys->master.key == NULL ? keys->master.name
	                             : keys->transport.name);
}

/* Runs an INSERT that answers the number of its row. */
static int
insert(struct statement *statement, int64_t *id)
{
	if (statement_next(statement))
		*id = statement_get_number(statement, 0);
	return statement_run(statement);
}

/* ---- organizations ---- */

static int
make_org(enum layout layout, const struct keyfile *secrets,
    const char *domain, struct signet **out, struct fault *fault)
{
	struct buffer binary = buffer_make(SIGNET_MAX_LENGTH);
	uint8_t pok[CRYPTO_SIGN_PUBLIC], point[CRYPTO_POINT];
	int err;

	*out = NULL;
	crypto_ed25519_public(secrets->seed, pok);
	if ((err = crypto_point_public(secrets->scalar, point)) == 0 &&
	    (err = signet_make_org(layout, pok, signer_of_seed(secrets->seed),
	    NULL, 0, point, domain, NULL, 0, &binary, fault)) == 0)
		err = signet_parse(buffer_span(&binary), out, fault);
	buffer_free(&binary);
	return err;
}

static int
insert_org(struct keys *keys, struct transaction *transaction,
    const struct keyfile *secrets, const char *domain,
    struct signet *const signets[static LAYOUTS], int64_t *id)
{
	const struct signet *signet = signets[LAYOUT_STANDARD];
	const struct signet *libdime = signets[LAYOUT_LIBDIME];
	struct fault *fault = transaction->fault;
	char fingerprint[SIGNET_FINGERPRINT_SIZE];
	char core[SIGNET_FINGERPRINT_SIZE], other[SIGNET_FINGERPRINT_SIZE];
	struct keys_place place = {"org", domain, "signing", fingerprint};
	uint8_t signing[KEYS_SEALED], encryption[KEYS_SEALED];
	struct statement row;
	int err;

	signet_org_fingerprint(signet, fingerprint);
	signet_core_fingerprint(libdime, core);
	signet_org_fingerprint(libdime, other);
	if ((err = keys_seal(&keys->master, &place, secrets->seed, signing,
	    fault)) != 0)
		return err;
	place.kind = "encryption";
	if ((err = keys_seal(&keys->transport, &place, secrets->scalar,
	    encryption, fault)) != 0)
		return err;
	transaction_statement(transaction, &row, KEYS_ADD_ORG);
	statement_text(&row, domain);
	statement_text(&row, fingerprint);
	statement_number(&row, clock_wall(keys->clock));
	statement_blob(&row, signet_binary(signet));
	statement_text(&row, core);
	statement_text(&row, other);
	statement_blob(&row, signet_binary(libdime));
	statement_text(&row, keys->master.id);
	statement_blob(&row, span_of(signing, sizeof(signing)));
	statement_text(&row, keys->transport.id);
	statement_blob(&row, span_of(encryption, sizeof(encryption)));
	return insert(&row, id);
}

/* Whether the statement, with `name` bound, answers a row. */
static int
exists(struct transaction *transaction, enum keys_statement number,
    const char *name, bool *found)
{
	struct statement row;

	transaction_statement(transaction, &row, number);
	statement_text(&row, name);
	*found = statement_next(&row);
	return statement_end(&row);
}

/* ---- users ---- */

static int
make_user(enum layout layout, const struct keyfile *secrets,
    struct signer org, const char *address, struct signet **out,
    struct fault *fault)
{
	struct buffer request = buffer_make(SIGNET_MAX_LENGTH);
	struct buffer binary = buffer_make(SIGNET_MAX_LENGTH);
	uint8_t signing[CRYPTO_SIGN_PUBLIC], point[CRYPTO_POINT];
	struct signet *ssr = NULL;
	int err;

	*out = NULL;
	crypto_ed25519_public(secrets->seed, signing);
	if ((err = crypto_point_public(secrets->scalar, point)) == 0 &&
	    (err = signet_make_ssr(layout, signing,
	    signer_of_seed(secrets->seed), point, NULL, &request, fault)) ==
	    0 &&
	    (err = signet_parse(buffer_span(&request), &ssr, fault)) == 0 &&
	    (err = signet_make_user(ssr, NULL, org, address, NULL, 0, &binary,
	    fault)) == 0)
		err = signet_parse(buffer_span(&binary), out, fault);
	signet_free(ssr);
	buffer_free(&request);
	buffer_free(&binary);
	return err;
}

/* A user's signet, and how much of it is not the address's own. */
struct made_user {
	struct signet *signet;
	struct buffer full;
};

static int
insert_user(struct keys *keys, struct transaction *transaction, int64_t org,
    const struct keyfile *secrets, const char *address,
    const struct made_user made[static LAYOUTS], int64_t *id)
{
	const struct made_user *libdime = &made[LAYOUT_LIBDIME];
	struct fault *fault = transaction->fault;
	char core[SIGNET_FINGERPRINT_SIZE], whole[SIGNET_FINGERPRINT_SIZE];
	char other_core[SIGNET_FINGERPRINT_SIZE];
	char other_whole[SIGNET_FINGERPRINT_SIZE];
	struct keys_place place = {"user", address, "signing", whole};
	uint8_t signing[KEYS_SEALED], encryption[KEYS_SEALED];
	struct statement row;
	int err;

	signet_core_fingerprint(made[LAYOUT_STANDARD].signet, core);
	signet_full_fingerprint(made[LAYOUT_STANDARD].signet, whole);
	signet_core_fingerprint(libdime->signet, other_core);
	signet_full_fingerprint(libdime->signet, other_whole);
	if ((err = keys_seal(&keys->master, &place, secrets->seed, signing,
	    fault)) != 0)
		return err;
	place.kind = "encryption";
	if ((err = keys_seal(&keys->master, &place, secrets->scalar,
	    encryption, fault)) != 0)
		return err;
	transaction_statement(transaction, &row, KEYS_ADD_USER);
	statement_number(&row, org);
	statement_text(&row, address);
	statement_text(&row, core);
	statement_text(&row, whole);
	statement_number(&row, clock_wall(keys->clock));
	statement_blob(&row, buffer_span(&made[LAYOUT_STANDARD].full));
	statement_text(&row, other_core);
	statement_text(&row, other_whole);
	statement_blob(&row, buffer_span(&libdime->full));
	statement_text(&row, keys->master.id);
	statement_blob(&row, span_of(signing, sizeof(signing)));
	statement_blob(&row, span_of(encryption, sizeof(encryption)));
	return insert(&row, id);
}

/* The fields follow each other as in the full signet. */
static struct span
tail_of(const struct made_user *made)
{
	return span_slice(signet_binary(made->signet), made->full.length,
	    SIZE_MAX);
}

static int
insert_address(struct keys *keys, struct transaction *transaction,
    int64_t user, const char *address,
    const struct made_user made[static LAYOUTS])
{
	struct statement row;

	transaction_statement(transaction, &row, KEYS_ADD_ADDRESS);
	statement_text(&row, address);
	statement_text(&row, address_domain(address));
	statement_number(&row, user);
	statement_number(&row, clock_wall(keys->clock));
	statement_blob(&row, tail_of(&made[LAYOUT_STANDARD]));
	statement_blob(&row, tail_of(&made[LAYOUT_LIBDIME]));
	return statement_run(&row);
}

static int
add_user(struct keys *keys, struct transaction *transaction, int64_t org,
    struct signer org_signer, const char *address)
{
	struct fault *fault = transaction->fault;
	struct keyfile *secrets = keyfile_new(KEYFILE_USER, 0);
	struct made_user made[LAYOUTS] = {0};
	int64_t user = 0;
	bool found;
	int err;

	if (secrets == NULL) {
		err = fault_set(fault, ERR_MEMORY, "%s: out of memory",
		    address);
		goto out;
	}
	err = exists(transaction, KEYS_GET_USER, address, &found);
	if (err == 0 && found)
		err = fault_set(fault, ERR_EXISTS,
		    "%s: this user exists already", address);
	for (int i = 0; i < LAYOUTS && err == 0; i++) {
		made[i].full = buffer_make(SIGNET_MAX_LENGTH);
		if ((err = make_user((enum layout)i, secrets, org_signer,
		    address, &made[i].signet, fault)) == 0)
			err = signet_split(made[i].signet, SIGNET_STATE_FULL,
			    &made[i].full, fault);
	}
	if (err == 0 && (err = insert_user(keys, transaction, org, secrets,
	    address, made, &user)) == 0)
		err = insert_address(keys, transaction, user, address, made);
out:
	for (int i = 0; i < LAYOUTS; i++) {
		signet_free(made[i].signet);
		buffer_free(&made[i].full);
	}
	keyfile_free(secrets);
	return err;
}

/* ---- what dimectl calls ---- */

/* The users that a domain needs: who signs mail without a proven author, and who
 * is the envelope sender until the inner one is known. */
static int
add_own_users(struct keys *keys, struct transaction *transaction, int64_t org,
    struct signer signer, const char *domain)
{
	static const char *const names[] = {"relay", "mailer-daemon"};
	char address[ADDRESS_SIZE];
	int err = 0;

	for (size_t i = 0; i < 2 && err == 0; i++) {
		snprintf(address, sizeof(address), "%s@%s", names[i], domain);
		err = add_user(keys, transaction, org, signer, address);
	}
	return err;
}

int
keys_create_org(struct keys *keys, const char *domain, struct fault *fault)
{
	struct keyfile *secrets = NULL;
	struct signet *signets[LAYOUTS] = {NULL};
	struct transaction transaction;
	bool found;
	int64_t id = 0;
	int err;

	if (!domain_is_normal(span_string(domain)))
		return fault_set(fault, ERR_USAGE, "%s: not a domain", domain);
	if ((err = check_sealers(keys, fault)) != 0 ||
	    (err = transaction_begin(&transaction, keys->database, fault)) != 0)
		return err;
	err = exists(&transaction, KEYS_GET_ORG, domain, &found);
	if (err == 0 && found)
		err = fault_set(fault, ERR_EXISTS,
		    "%s: this organization exists already", domain);
	if (err != 0)
		goto out;
	secrets = keyfile_new(KEYFILE_ORG, 0);
	if (secrets == NULL) {
		err = fault_set(fault, ERR_MEMORY, "%s: out of memory", domain);
		goto out;
	}
	for (int i = 0; i < LAYOUTS && err == 0; i++)
		err = make_org((enum layout)i, secrets, domain, &signets[i],
		    fault);
	if (err == 0 && (err = insert_org(keys, &transaction, secrets, domain,
	    signets, &id)) == 0)
		err = add_own_users(keys, &transaction, id,
		    signer_of_seed(secrets->seed), domain);
out:
	err = transaction_end(&transaction, err);
	for (int i = 0; i < LAYOUTS; i++)
		signet_free(signets[i]);
	keyfile_free(secrets);
	return err;
}

/* The current organization of an address, inside the transaction. */
static int
find_org(struct keys *keys, struct transaction *transaction,
    const char *address, struct keys_org **out, int64_t *id)
{
	const char *domain = address_domain(address);
	struct statement row;
	int err = 0;

	*out = NULL;
	transaction_statement(transaction, &row, KEYS_GET_ORG);
	statement_text(&row, domain);
	if (statement_next(&row))
		err = keys_org_load(keys, &row, out, id, transaction->fault);
	else if (row.err == 0)
		err = fault_set(transaction->fault, ERR_NO_KEY,
		    "%s: there is no organization %s in %s", address, domain,
		    database_path(keys->database));
	return statement_end(&row) != 0 ? row.err : err;
}

int
keys_create_user(struct keys *keys, const char *address, struct fault *fault)
{
	struct transaction transaction;
	struct keys_org *org = NULL;
	int64_t id;
	int err;

	if (!address_is_normal(span_string(address)))
		return fault_set(fault, ERR_USAGE, "%s: not an address",
		    address);
	if ((err = check_sealers(keys, fault)) != 0 ||
	    (err = transaction_begin(&transaction, keys->database, fault)) != 0)
		return err;
	if ((err = find_org(keys, &transaction, address, &org, &id)) == 0)
		err = add_user(keys, &transaction, id, org->signer, address);
	err = transaction_end(&transaction, err);
	keys_org_free(org);
	return err;
}
