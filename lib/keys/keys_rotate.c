/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "keys/keys_store.h"

int64_t
keys_grace_start(const struct keys *keys, int64_t grace)
{
	const int64_t now = clock_wall(keys->clock);

	return grace < now ? now - grace : 0;
}

bool
keys_takes_mail(const struct keys *keys, int64_t retired, int64_t grace)
{
	return retired == 0 || retired > keys_grace_start(keys, grace);
}

/* Runs an UPDATE of one row's column. */
static int
set_number(struct transaction *transaction, enum keys_statement number,
    int64_t id, int64_t value)
{
	struct statement row;

	transaction_statement(transaction, &row, number);
	statement_number(&row, id);
	statement_number(&row, value);
	return statement_run(&row);
}

/* ---- users ---- */

/* The user of an address, in the transaction and in one layout. */
static int
take_user(struct keys *keys, struct transaction *transaction,
    enum layout layout, const char *address, struct keys_user **out)
{
	struct statement row;
	int err = 0;

	*out = NULL;
	transaction_statement(transaction, &row, KEYS_GET_USER);
	statement_text(&row, address);
	if (statement_next(&row))
		err = keys_user_load(keys, &row, layout, address, out,
		    transaction->fault);
	else if (row.err == 0)
		err = fault_set(transaction->fault, ERR_UNKNOWN_ADDRESS,
		    "%s: there is no such user in %s", address,
		    database_path(keys->database));
	return statement_end(&row) != 0 ? row.err : err;
}

/* The addresses of a row, for free(). */
static int
take_addresses(struct transaction *transaction, int64_t user,
    struct keys_plan *plan)
{
	char (*grown)[ADDRESS_SIZE];
	struct statement row;
	int err = 0;

	transaction_statement(transaction, &row, KEYS_LIST_ADDRESSES);
	statement_number(&row, user);
	while (err == 0 && statement_next(&row)) {
		grown = realloc(plan->addresses,
		    (plan->address_count + 1) * sizeof(*grown));
		if (grown == NULL) {
			err = fault_set(transaction->fault, ERR_MEMORY,
			    "out of memory");
			break;
		}
		plan->addresses = grown;
		statement_get_text(&row, 0, grown[plan->address_count++],
		    ADDRESS_SIZE);
	}
	return statement_end(&row) != 0 ? row.err : err;
}

/* The row that follows that of `user`, whose addresses it takes over. */
static int
replace_user(struct keys *keys, struct transaction *transaction, int64_t user,
    const struct keys_org *org)
{
	const int64_t now = clock_wall(keys->clock);
	struct keys_plan plan = {.org = org->id, .org_signer = org->signer};
	struct keys_user *before[LAYOUTS] = {NULL};
	int err;

	err = take_addresses(transaction, user, &plan);
	for (int i = 0; i < LAYOUTS && err == 0; i++)
		err = take_user(keys, transaction, (enum layout)i,
		    plan.addresses[0], &before[i]);
	plan.before = before;
	if (err == 0 &&
	    (err = set_number(transaction, KEYS_RETIRE_USER, user, now)) ==
	    0 &&
	    (err = set_number(transaction, KEYS_RETIRE_ADDRESSES, user,
	    now)) == 0)
		err = keys_add_user(keys, transaction, &plan);
	for (int i = 0; i < LAYOUTS; i++)
		keys_user_free(before[i]);
	free(plan.addresses);
	return err;
}

int
keys_rotate_user(struct keys *keys, const char *address, struct fault *fault)
{
	struct transaction transaction;
	struct keys_user *user = NULL;
	struct keys_org *org = NULL;
	int err;

	if ((err = keys_check_sealers(keys, fault)) != 0 ||
	    (err = transaction_begin(&transaction, keys->database, fault)) != 0)
		return err;
	if ((err = take_user(keys, &transaction, LAYOUT_STANDARD, address,
	    &user)) == 0 &&
	    (err = keys_take_org(keys, &transaction, address_domain(address),
	    &org)) == 0)
		err = replace_user(keys, &transaction, user->id, org);
	err = transaction_end(&transaction, err);
	keys_user_free(user);
	keys_org_free(org);
	return err;
}

/* Without relay@ a domain could not answer for mail without a proven author,
 * and mailer-daemon@ is the envelope sender of all that is sealed. */
static bool
is_own_user(const char *address)
{
	return strncmp(address, "relay@", strlen("relay@")) == 0 ||
	    strncmp(address, "mailer-daemon@", strlen("mailer-daemon@")) == 0;
}

int
keys_disable_user(struct keys *keys, const char *address, bool disabled,
    struct fault *fault)
{
	struct transaction transaction;
	struct keys_user *user = NULL;
	int err;

	if (is_own_user(address))
		return fault_set(fault, ERR_USAGE,
		    "%s: the gateway itself needs this user", address);
	if ((err = transaction_begin(&transaction, keys->database, fault)) != 0)
		return err;
	err = take_user(keys, &transaction, LAYOUT_STANDARD, address, &user);
	if (err == 0)
		err = set_number(&transaction, KEYS_SET_DISABLED, user->id,
		    disabled);
	keys_user_free(user);
	return transaction_end(&transaction, err);
}

/* ---- organizations ---- */

static int
take_prepared(struct keys *keys, struct transaction *transaction,
    const char *domain, struct keys_org **out)
{
	struct statement row;
	int err = 0;

	*out = NULL;
	transaction_statement(transaction, &row, KEYS_GET_ORG_PREPARED);
	statement_text(&row, domain);
	if (statement_next(&row))
		err = keys_org_load(keys, &row, out, transaction->fault);
	return statement_end(&row) != 0 ? row.err : err;
}

/* Within the transaction, which is not ended here. */
static int
prepare(struct keys *keys, struct transaction *transaction,
    const char *domain, const struct keyfile *secrets)
{
	static const int64_t retired = KEYS_PREPARED;
	struct keys_org *org = NULL, *prepared = NULL;
	int64_t id;
	int err;

	if ((err = keys_take_org(keys, transaction, domain, &org)) == 0 &&
	    (err = take_prepared(keys, transaction, domain, &prepared)) == 0)
		err = prepared != NULL
		    ? fault_set(transaction->fault, ERR_EXISTS,
		          "%s: a signet to follow is there already", domain)
		    : keys_add_org(keys, transaction, secrets, domain,
		          &retired, &id);
	keys_org_free(org);
	keys_org_free(prepared);
	return err;
}

int
keys_prepare_org(struct keys *keys, const char *domain, struct fault *fault)
{
	struct transaction transaction;
	struct keyfile *secrets = NULL;
	int err;

	if ((err = keys_check_sealers(keys, fault)) != 0)
		return err;
	if ((secrets = keyfile_new(KEYFILE_ORG, 0)) == NULL)
		return fault_set(fault, ERR_MEMORY, "%s: out of memory",
		    domain);
	err = transaction_begin(&transaction, keys->database, fault);
	if (err == 0)
		err = transaction_end(&transaction,
		    prepare(keys, &transaction, domain, secrets));
	keyfile_free(secrets);
	return err;
}

/* The rows of the domain's users, for free(): read before any is changed. */
static int
take_users(struct transaction *transaction, const char *domain,
    int64_t **users, size_t *count)
{
	struct statement row;
	int64_t *grown;
	int err = 0;

	transaction_statement(transaction, &row, KEYS_LIST_USER_IDS);
	statement_text(&row, domain);
	while (err == 0 && statement_next(&row)) {
		grown = realloc(*users, (*count + 1) * sizeof(*grown));
		if (grown == NULL) {
			err = fault_set(transaction->fault, ERR_MEMORY,
			    "out of memory");
			break;
		}
		*users = grown;
		grown[(*count)++] = statement_get_number(&row, 0);
	}
	return statement_end(&row) != 0 ? row.err : err;
}

static int
put_into_force(struct transaction *transaction, const struct keys_org *old,
    const struct keys_org *next, int64_t now)
{
	struct statement row;
	int err;

	err = set_number(transaction, KEYS_RETIRE_ORG, old->id, now);
	if (err != 0)
		return err;
	transaction_statement(transaction, &row, KEYS_RETIRE_ORG);
	statement_number(&row, next->id);
	statement_text(&row, NULL);
	return statement_run(&row);
}

static int
rotate(struct keys *keys, struct transaction *transaction, const char *domain)
{
	struct keys_org *old = NULL, *next = NULL;
	int64_t *users = NULL;
	size_t count = 0;
	int err;

	if ((err = keys_take_org(keys, transaction, domain, &old)) != 0 ||
	    (err = take_prepared(keys, transaction, domain, &next)) != 0)
		goto out;
	if (next == NULL) {
		err = fault_set(transaction->fault, ERR_NO_KEY,
		    "%s: no signet to follow is prepared", domain);
		goto out;
	}
	if ((err = put_into_force(transaction, old, next,
	    clock_wall(keys->clock))) == 0)
		err = take_users(transaction, domain, &users, &count);
	for (size_t i = 0; i < count && err == 0; i++)
		err = replace_user(keys, transaction, users[i], next);
out:
	keys_org_free(old);
	keys_org_free(next);
	free(users);
	return err;
}

int
keys_rotate_org(struct keys *keys, const char *domain, struct fault *fault)
{
	struct transaction transaction;
	int err;

	if ((err = keys_check_sealers(keys, fault)) != 0 ||
	    (err = transaction_begin(&transaction, keys->database, fault)) != 0)
		return err;
	return transaction_end(&transaction,
	    rotate(keys, &transaction, domain));
}
