/* SPDX-License-Identifier: BSD-2-Clause */
#include <time.h>

#include "dimectl/output.h"
#include "dimectl/store.h"

int
store_open(struct dimectl *ctl, enum store_use use, struct store *store)
{
	struct keys_settings settings = {.clock = &clock_system,
	    .master_key_file = "", .transport_key_file = "",
	    .create = use == STORE_CREATE};
	int err;

	*store = (struct store){NULL, NULL};
	if ((err = config_load(ctl->config_path, CONFIG_DIMECTL,
	    &store->config, &ctl->fault)) != 0)
		return err;
	settings.database = store->config->keys_db;
	if (use != STORE_LIST) {
		settings.master_key_file = store->config->master_key_file;
		settings.transport_key_file =
		    store->config->transport_key_file;
	}
	err = keys_open(&settings, &store->keys, &ctl->fault);
	if (err != 0)
		store_close(store);
	return err;
}

void
store_close(struct store *store)
{
	keys_close(store->keys);
	config_free(store->config);
	*store = (struct store){NULL, NULL};
}

int
store_domain(struct dimectl *ctl, const char *word,
    char out[static DOMAIN_SIZE])
{
	if (domain_normalize(span_string(word), out))
		return 0;
	return fault_set(&ctl->fault, ERR_USAGE, "%s: not a domain", word);
}

int
store_address(struct dimectl *ctl, const char *word,
    char out[static ADDRESS_SIZE])
{
	if (address_normalize(span_string(word), out))
		return 0;
	return fault_set(&ctl->fault, ERR_USAGE, "%s: not an address", word);
}

void
store_time(int64_t seconds, char out[static STORE_TIME_SIZE])
{
	time_t time = (time_t)seconds;
	struct tm parts;

	out[0] = '\0';
	if (gmtime_r(&time, &parts) != NULL)
		strftime(out, STORE_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

int
store_list_row(void *context, const struct keys_listing *row)
{
	struct store_listing *listing = context;
	struct dimectl *ctl = listing->ctl;
	char created[STORE_TIME_SIZE];

	if (listing->only != NULL && strcmp(listing->only, row->name) != 0)
		return 0;
	store_time(row->created, created);
	if (!ctl->json) {
		buffer_printf(&ctl->output, "%s %s %s%s\n", row->name,
		    row->fingerprint, created,
		    row->disabled ? " disabled" : "");
		return 0;
	}
	if (listing->array == NULL)
		listing->array = json_array();
	json_array_append_new(listing->array, json_pack("{ss ss ss sb}",
	    listing->name_key, row->name, listing->fingerprint_key,
	    row->fingerprint, "created", created, "disabled",
	    (int)row->disabled));
	return 0;
}

int
store_list_end(struct store_listing *listing, int err)
{
	if (err == 0 && listing->ctl->json)
		return output_json(listing->ctl, listing->array == NULL
		    ? json_array()
		    : listing->array);
	json_decref(listing->array);
	return err;
}
