/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "keys/keys_store.h"

int
keys_check_sealers(const struct keys *keys, struct fault *fault)
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
    struct signet *const signets[static LAYOUTS], const int64_t *retired,
    int64_t *id)
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
	if (retired == NULL)
		statement_text(&row, NULL);
	else
		statement_number(&row, *retired);
	return insert(&row, id);
}

int
keys_add_org(struct keys *keys, struct transaction *transaction,
    const struct keyfile *secrets, const char *domain, const int64_t *retired,
    int64_t *id)
{
	struct signet *signets[LAYOUTS] = {NULL};
	int err = 0;

	for (int i = 0; i < LAYOUTS && err == 0; i++)
		err = make_org((enum layout)i, secrets, domain, &signets[i],
		    transaction->fault);
	if (err == 0)
		err = insert_org(keys, transaction, secrets, domain, signets,
		    retired, id);
	for (int i = 0; i < LAYOUTS; i++)
		signet_free(signets[i]);
	return err;
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
    const struct keys_plan *plan, const char *address, struct signet **out,
    struct fault *fault)
{
	const struct keys_user *before =
	    plan->before == NULL ? NULL : plan->before[layout];
	struct buffer request = buffer_make(SIGNET_MAX_LENGTH);
	struct buffer binary = buffer_make(SIGNET_MAX_LENGTH);
	uint8_t signing[CRYPTO_SIGN_PUBLIC], point[CRYPTO_POINT];
	struct signet *ssr = NULL;
	int err;

	*out = NULL;
	crypto_ed25519_public(secrets->seed, signing);
	if ((err = crypto_point_public(secrets->scalar, point)) == 0 &&
	    (err = signet_make_ssr(layout, signing,
	    signer_of_seed(secrets->seed), point,
	    before == NULL ? NULL : &before->signer, &request, fault)) == 0 &&
	    (err = signet_parse(buffer_span(&request), &ssr, fault)) == 0 &&
	    (err = signet_make_user(ssr,
	    before == NULL ? NULL : before->signet->signet, plan->org_signer,
	    address, NULL, 0, &binary, fault)) == 0)
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
insert_user(struct keys *keys, struct transaction *transaction,
    const struct keys_plan *plan, const struct keyfile *secrets,
    const struct made_user made[static LAYOUTS], int64_t *id)
{
	const struct keys_user *before =
	    plan->before == NULL ? NULL : plan->before[LAYOUT_STANDARD];
	const char *address = plan->addresses[0];
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
	statement_number(&row, plan->org);
	statement_text(&row, address);
	statement_text(&row, core);
	statement_text(&row, whole);
	statement_number(&row, clock_wall(keys->clock));
	statement_number(&row, before != NULL && before->disabled);
	if (before == NULL)
		statement_text(&row, NULL);
	else
		statement_number(&row, before->id);
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

/* The signets for one of the addresses: they differ in nothing but its
 * fields. */
static int
make_both(const struct keys_plan *plan, const struct keyfile *secrets,
    const char *address, struct made_user made[static LAYOUTS],
    struct fault *fault)
{
	int err = 0;

	for (int i = 0; i < LAYOUTS && err == 0; i++) {
		made[i].full = buffer_make(SIGNET_MAX_LENGTH);
		if ((err = make_user((enum layout)i, secrets, plan, address,
		    &made[i].signet, fault)) == 0)
			err = signet_split(made[i].signet, SIGNET_STATE_FULL,
			    &made[i].full, fault);
	}
	return err;
}

static int
add_address(struct keys *keys, struct transaction *transaction,
    const struct keys_plan *plan, const struct keyfile *secrets, size_t at,
    int64_t *user)
{
	const char *address = plan->addresses[at];
	struct fault *fault = transaction->fault;
	struct made_user made[LAYOUTS] = {0};
	bool found;
	int err;

	err = exists(transaction, KEYS_GET_USER, address, &found);
	if (err == 0 && found)
		err = fault_set(fault, ERR_EXISTS,
		    "%s: this user exists already", address);
	if (err == 0)
		err = make_both(plan, secrets, address, made, fault);
	if (err == 0 && at == 0)
		err = insert_user(keys, transaction, plan, secrets, made,
		    user);
	if (err == 0)
		err = insert_address(keys, transaction, *user, address, made);
	for (int i = 0; i < LAYOUTS; i++) {
		signet_free(made[i].signet);
		buffer_free(&made[i].full);
	}
	return err;
}

int
keys_add_user(struct keys *keys, struct transaction *transaction,
    const struct keys_plan *plan)
{
	struct keyfile *secrets = keyfile_new(KEYFILE_USER, 0);
	int64_t user = 0;
	int err = 0;

	if (secrets == NULL)
		return fault_set(transaction->fault, ERR_MEMORY,
		    "%s: out of memory", plan->addresses[0]);
	for (size_t i = 0; i < plan->address_count && err == 0; i++)
		err = add_address(keys, transaction, plan, secrets, i, &user);
	keyfile_free(secrets);
	return err;
}

/* ---- what dimectl calls ---- */

/* The users that a domain needs: who signs mail without a proven author, and
 * who is the envelope sender until the inner one is known. */
static int
add_own_users(struct keys *keys, struct transaction *transaction, int64_t org,
    struct signer signer, const char *domain)
{
	static const char *const names[] = {"relay", "mailer-daemon"};
	char address[1][ADDRESS_SIZE];
	const struct keys_plan plan = {org, signer, address, 1, NULL};
	int err = 0;

	for (size_t i = 0; i < 2 && err == 0; i++) {
		snprintf(address[0], sizeof(address[0]), "%s@%s", names[i],
		    domain);
		err = keys_add_user(keys, transaction, &plan);
	}
	return err;
}

int
keys_create_org(struct keys *keys, const char *domain, struct fault *fault)
{
	struct keyfile *secrets = NULL;
	struct transaction transaction;
	bool found;
	int64_t id = 0;
	int err;

	if (!domain_is_normal(span_string(domain)))
		return fault_set(fault, ERR_USAGE, "%s: not a domain", domain);
	if ((err = keys_check_sealers(keys, fault)) != 0 ||
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
	err = keys_add_org(keys, &transaction, secrets, domain, NULL, &id);
	if (err == 0)
		err = add_own_users(keys, &transaction, id,
		    signer_of_seed(secrets->seed), domain);
out:
	err = transaction_end(&transaction, err);
	keyfile_free(secrets);
	return err;
}

int
keys_take_org(struct keys *keys, struct transaction *transaction,
    const char *domain, struct keys_org **out)
{
	struct statement row;
	int err = 0;

	*out = NULL;
	transaction_statement(transaction, &row, KEYS_GET_ORG);
	statement_text(&row, domain);
	if (statement_next(&row))
		err = keys_org_load(keys, &row, out, transaction->fault);
	else if (row.err == 0)
		err = fault_set(transaction->fault, ERR_NO_KEY,
		    "there is no organization %s in %s", domain,
		    database_path(keys->database));
	return statement_end(&row) != 0 ? row.err : err;
}

int
keys_create_user(struct keys *keys, const char *address, struct fault *fault)
{
	char addresses[1][ADDRESS_SIZE];
	struct transaction transaction;
	struct keys_plan plan = {.addresses = addresses, .address_count = 1};
	struct keys_org *org = NULL;
	int err;

	if (!address_is_normal(span_string(address)))
		return fault_set(fault, ERR_USAGE, "%s: not an address",
		    address);
	snprintf(addresses[0], sizeof(addresses[0]), "%s", address);
	if ((err = keys_check_sealers(keys, fault)) != 0 ||
	    (err = transaction_begin(&transaction, keys->database, fault)) != 0)
		return err;
	err = keys_take_org(keys, &transaction, address_domain(address), &org);
	if (err == 0) {
		plan.org = org->id;
		plan.org_signer = org->signer;
		err = keys_add_user(keys, &transaction, &plan);
	} else
		fault_wrap(fault, "%s", address);
	err = transaction_end(&transaction, err);
	keys_org_free(org);
	return err;
}
