/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cursor.h"
#include "crypto/secret.h"
#include "keys/keys_store.h"

enum {
	DATABASE_MODE = 0660, /* dmtpd only reads, but SQLite's readers lock */
	MASTER_MODE = 0600,
	TRANSPORT_MODE = 0640,
	ID_OCTETS = (KEYS_ID_SIZE - 1) / 2,
	LISTING_LIMIT = 1 << 30,
};

/* The id by which rows name the key that sealed them; it tells nothing of the
 * key. */
static void
set_id(struct keys_sealer *sealer)
{
	uint8_t mac[CRYPTO_MAC];

	crypto_mac(sealer->key, span_string("dimegate key id"), mac);
	for (size_t i = 0; i < ID_OCTETS; i++)
		snprintf(sealer->id + 2 * i, sizeof(sealer->id) - 2 * i, "%02x",
		    mac[i]);
}

/* The id of a key that sealed rows, one that is not ours if there is such a
 * row; "" when there are no rows. */
static int
used_id(struct keys *keys, enum keys_statement number, const char *ours,
    char out[static KEYS_ID_SIZE], struct fault *fault)
{
	struct statement row;

	out[0] = '\0';
	statement_start(&row, keys->database, number, fault);
	statement_text(&row, ours);
	if (statement_next(&row))
		statement_get_text(&row, 0, out, KEYS_ID_SIZE);
	return statement_end(&row);
}

/* A key may only be made while nothing is sealed with the one that is gone. */
static int
create_key_file(struct keys *keys, const struct keys_sealer *sealer,
    enum keys_statement number, unsigned int mode, struct fault *fault)
{
	char id[KEYS_ID_SIZE];
	int err;

	if (access(sealer->file, F_OK) == 0)
		return 0;
	if ((err = used_id(keys, number, "", id, fault)) != 0)
		return err;
	if (id[0] != '\0')
		return fault_set(fault, ERR_NO_KEY,
		    "%s: is missing, and %s holds rows sealed with %s %s",
		    sealer->file, database_path(keys->database), sealer->name,
		    id);
	err = secret_create_key(sealer->file, mode, fault);
	return err == ERR_EXISTS ? 0 : err;
}

static int
open_sealer(struct keys *keys, struct keys_sealer *sealer, const char *file,
    enum keys_statement number, unsigned int mode, bool create,
    struct fault *fault)
{
	char id[KEYS_ID_SIZE];
	int err;

	if (*file == '\0')
		return 0;
	sealer->file = strdup(file);
	if (sealer->file == NULL)
		return fault_set(fault, ERR_MEMORY, "%s: out of memory", file);
	if ((create && (err = create_key_file(keys, sealer, number, mode,
	    fault)) != 0) ||
	    (err = secret_read_key(file, mode == TRANSPORT_MODE, &sealer->key,
	    fault)) != 0)
		return err;
	set_id(sealer);
	if ((err = used_id(keys, number, sealer->id, id, fault)) != 0)
		return err;
	if (id[0] != '\0' && strcmp(id, sealer->id) != 0)
		return fault_set(fault, ERR_NO_KEY,
		    "%s: is %s %s, but %s holds rows sealed with %s", file,
		    sealer->name, sealer->id, database_path(keys->database),
		    id);
	return 0;
}

int
keys_open(const struct keys_settings *settings, struct keys **out,
    struct fault *fault)
{
	struct keys *keys = calloc(1, sizeof(*keys));
	int err;

	*out = NULL;
	if (keys == NULL || (keys->kept = keys_kept_new()) == NULL) {
		free(keys);
		return fault_set(fault, ERR_MEMORY, "%s: out of memory",
		    settings->database);
	}
	keys->clock = settings->clock;
	keys->master.name = "master key";
	keys->transport.name = "transport key";
	if ((err = database_open(&keys_schema, settings->database,
	    settings->create ? DATABASE_MODE : 0, &keys->database, fault)) !=
	    0 ||
	    (err = open_sealer(keys, &keys->master, settings->master_key_file,
	    KEYS_GET_MASTER_ID, MASTER_MODE, settings->create, fault)) != 0 ||
	    (err = open_sealer(keys, &keys->transport,
	    settings->transport_key_file, KEYS_GET_TRANSPORT_ID,
	    TRANSPORT_MODE, settings->create, fault)) != 0)
		keys_close(keys);
	else
		*out = keys;
	return err;
}

static void
close_sealer(struct keys_sealer *sealer)
{
	secret_free(sealer->key);
	free(sealer->file);
}

void
keys_close(struct keys *keys)
{
	if (keys == NULL)
		return;
	keys_kept_free(keys->kept);
	close_sealer(&keys->master);
	close_sealer(&keys->transport);
	database_close(keys->database);
	free(keys);
}

/* ---- listings ---- */

/* Appends each row as two C strings, a number and a flag. */
static int
collect(struct statement *row, struct buffer *out)
{
	char name[ADDRESS_SIZE], fingerprint[SIGNET_FINGERPRINT_SIZE];
	int err;

	while (statement_next(row)) {
		statement_get_text(row, 0, name, sizeof(name));
		statement_get_text(row, 1, fingerprint, sizeof(fingerprint));
		buffer_append(out, name, strlen(name) + 1);
		buffer_append(out, fingerprint, strlen(fingerprint) + 1);
		buffer_u64(out, (uint64_t)statement_get_number(row, 2));
		buffer_u8(out, statement_get_number(row, 3) != 0);
	}
	if ((err = statement_end(row)) == 0 && out->error != 0)
		err = fault_set(row->fault, out->error,
		    "too much to be listed");
	return err;
}

static const char *
take_string(struct cursor *cursor)
{
	const char *text = (const char *)cursor->rest.data;

	cursor_take(cursor, strlen(text) + 1);
	return text;
}

/* The rows are shown when the handle has been given back: `each` may ask the
 * store for more, and nobody may hold one handle and wait for another. */
static int
list(struct statement *row,
    int (*each)(void *context, const struct keys_listing *listing),
    void *context)
{
	struct buffer rows = buffer_make(LISTING_LIMIT);
	struct keys_listing listing;
	struct cursor cursor;
	int err = collect(row, &rows);

	cursor = cursor_start(buffer_span(&rows));
	while (err == 0 && cursor.rest.length > 0) {
		listing.name = take_string(&cursor);
		listing.fingerprint = take_string(&cursor);
		listing.created = (int64_t)cursor_u64(&cursor);
		listing.disabled = cursor_u8(&cursor) != 0;
		err = each(context, &listing);
	}
	buffer_free(&rows);
	return err;
}

int
keys_list_orgs(struct keys *keys,
    int (*each)(void *context, const struct keys_listing *row), void *context,
    struct fault *fault)
{
	struct statement row;

	statement_start(&row, keys->database, KEYS_LIST_ORGS, fault);
	return list(&row, each, context);
}

int
keys_list_users(struct keys *keys, const char *within,
    int (*each)(void *context, const struct keys_listing *row), void *context,
    struct fault *fault)
{
	struct statement row;

	statement_start(&row, keys->database, KEYS_LIST_USERS, fault);
	statement_text(&row, within);
	return list(&row, each, context);
}
