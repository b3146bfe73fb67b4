/* SPDX-License-Identifier: BSD-2-Clause */
#include "dimectl/output.h"
#include "dimectl/store.h"
#include "dimectl/verbs.h"

static const struct option_row no_options[] = {
    {OPTION_END, NULL, NULL, false}};

/* The one word that a verb takes, and the store. */
static int
start(struct dimectl *ctl, int count, char **argv, enum store_use use,
    char address[static ADDRESS_SIZE], struct store *store)
{
	const char *word;
	int err;

	if ((err = option_read(ctl, count, argv, no_options, &word, 1, 1)) !=
	    0 ||
	    (err = store_address(ctl, word, address)) != 0)
		return err;
	return store_open(ctl, use, store);
}

/* The user as the store has him now. */
static int
print_user(struct dimectl *ctl, const struct store *store,
    const char *address)
{
	struct keys_user *user;
	int err;

	err = keys_find_user(store->keys, address, &user, &ctl->fault);
	if (err != 0)
		return err;
	if (ctl->json)
		err = output_json(ctl, json_pack("{ss ss ss}", "address",
		    address, "core", user->signet->core, "full",
		    user->signet->full));
	else
		buffer_printf(&ctl->output, "address %s\ncore %s\nfull %s\n",
		    address, user->signet->core, user->signet->full);
	keys_user_free(user);
	return err;
}

/* No peer said so: it is our own store that lacks him. */
static int
own_fault(struct dimectl *ctl, const struct store *store, const char *address,
    int err)
{
	return err != ERR_UNKNOWN_ADDRESS ? err
	    : fault_set(&ctl->fault, ERR_NO_KEY,
		  "%s: there is no such user in %s", address,
		  store->config->keys_db);
}

int
verb_user_create(struct dimectl *ctl, int count, char **argv)
{
	char address[ADDRESS_SIZE];
	struct store store;
	int err;

	if ((err = start(ctl, count, argv, STORE_READ, address, &store)) != 0)
		return err;
	err = keys_create_user(store.keys, address, &ctl->fault);
	if (err == 0)
		err = print_user(ctl, &store, address);
	store_close(&store);
	return err;
}

int
verb_user_rotate(struct dimectl *ctl, int count, char **argv)
{
	char address[ADDRESS_SIZE];
	struct store store;
	int err;

	if ((err = start(ctl, count, argv, STORE_READ, address, &store)) != 0)
		return err;
	err = own_fault(ctl, &store, address,
	    keys_rotate_user(store.keys, address, &ctl->fault));
	if (err == 0)
		err = print_user(ctl, &store, address);
	store_close(&store);
	return err;
}

static int
set_disabled(struct dimectl *ctl, int count, char **argv, bool disabled)
{
	char address[ADDRESS_SIZE];
	struct store store;
	int err;

	if ((err = start(ctl, count, argv, STORE_READ, address, &store)) != 0)
		return err;
	err = own_fault(ctl, &store, address, keys_disable_user(store.keys,
	    address, disabled, &ctl->fault));
	store_close(&store);
	if (err != 0)
		return err;
	if (ctl->json)
		return output_json(ctl, json_pack("{ss sb}", "address",
		    address, "disabled", (int)disabled));
	buffer_printf(&ctl->output, "address %s\ndisabled %s\n", address,
	    disabled ? "yes" : "no");
	return 0;
}

int
verb_user_disable(struct dimectl *ctl, int count, char **argv)
{
	return set_disabled(ctl, count, argv, true);
}

int
verb_user_enable(struct dimectl *ctl, int count, char **argv)
{
	return set_disabled(ctl, count, argv, false);
}

static int
show(struct dimectl *ctl, const struct keys_user *user)
{
	struct buffer armor = buffer_make(ctl->output.limit);
	const struct user_signet *signet = user->signet;
	char created[STORE_TIME_SIZE];
	int err = 0;

	store_time(user->created, created);
	signet_write(signet->signet, &armor);
	if (armor.error != 0)
		err = fault_set(&ctl->fault, armor.error, "out of memory");
	else if (ctl->json)
		err = output_json(ctl, json_pack("{ss ss ss ss sb ss}",
		    "address", signet->address, "core", signet->core, "full",
		    signet->full, "created", created, "disabled",
		    (int)user->disabled, "signet", buffer_string(&armor)));
	else
		buffer_printf(&ctl->output, "address %s\ncore %s\nfull %s\n"
		    "created %s\ndisabled %s\n%s", signet->address,
		    signet->core, signet->full, created,
		    user->disabled ? "yes" : "no", buffer_string(&armor));
	buffer_free(&armor);
	return err;
}

int
verb_user_show(struct dimectl *ctl, int count, char **argv)
{
	struct keys_user *user = NULL;
	char address[ADDRESS_SIZE];
	struct store store;
	int err;

	if ((err = start(ctl, count, argv, STORE_READ, address, &store)) != 0)
		return err;
	err = keys_find_user(store.keys, address, &user, &ctl->fault);
	err = err == 0 ? show(ctl, user)
	               : own_fault(ctl, &store, address, err);
	keys_user_free(user);
	store_close(&store);
	return err;
}

/* With a domain its users, with an address that one, with nothing all. */
int
verb_user_list(struct dimectl *ctl, int count, char **argv)
{
	struct store_listing listing = {.ctl = ctl, .name_key = "address",
	    .fingerprint_key = "core"};
	char name[ADDRESS_SIZE];
	const char *word = NULL, *within = NULL;
	struct store store;
	int err;

	if ((err = option_read(ctl, count, argv, no_options, &word, 0, 1)) != 0)
		return err;
	if (word != NULL && strchr(word, '@') != NULL) {
		err = store_address(ctl, word, name);
		listing.only = name;
	} else if (word != NULL) {
		err = store_domain(ctl, word, name);
		within = name;
	}
	if (err != 0 || (err = store_open(ctl, STORE_LIST, &store)) != 0)
		return err;
	err = keys_list_users(store.keys, within, store_list_row, &listing,
	    &ctl->fault);
	err = store_list_end(&listing, err);
	store_close(&store);
	return err;
}
