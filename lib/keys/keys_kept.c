/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "keys/keys_store.h"

enum {
	SETS = 128, /* a power of two */
	WAYS = 4,
	NAME_SIZE = ADDRESS_SIZE + SIGNET_FINGERPRINT_SIZE + 4,
	SIGNET_LIMIT = 16384, /* octets: those with pictures are larger */
	NO_VERSION = 0,
};

struct place {
	void *found; /* NULL: a free place */
	bool is_org;
	uint64_t used; /* when, in uses of all places */
	char name[NAME_SIZE];
};

struct keys_kept {
	uint8_t hash_key[CRYPTO_SHORT_KEY];
	pthread_mutex_t lock; /* guards what follows */
	/* A handle of its own: SQLite's version is one handle's. */
	struct database_handle *handle;
	uint64_t opened; /* how many it is the last of */
	uint64_t version;
	uint64_t uses;
	struct place sets[SETS][WAYS];
};

struct keys_owner *
keys_owner_new(void)
{
	struct keys_owner *owner = calloc(1, sizeof(*owner));

	if (owner == NULL)
		return NULL;
	owner->pair = secret_alloc(sizeof(*owner->pair));
	if (owner->pair == NULL) {
		free(owner);
		return NULL;
	}
	atomic_init(&owner->holders, 1);
	return owner;
}

bool
keys_owner_leave(struct keys_owner *owner)
{
	if (owner == NULL)
		return true;
	if (atomic_fetch_sub(&owner->holders, 1) != 1)
		return false;
	secret_free(owner->pair);
	free(owner);
	return true;
}

struct keys_kept *
keys_kept_new(void)
{
	struct keys_kept *kept = calloc(1, sizeof(*kept));
	struct random_source random;

	if (kept == NULL)
		return NULL;
	pthread_mutex_init(&kept->lock, NULL);
	random_start(&random);
	random_fill(&random, kept->hash_key, sizeof(kept->hash_key));
	random_end(&random);
	return kept;
}

static void
clear(struct place *place)
{
	if (place->is_org)
		keys_org_free(place->found);
	else
		keys_user_free(place->found);
	place->found = NULL;
}

static void
clear_all(struct keys_kept *kept)
{
	for (size_t i = 0; i < SETS; i++)
		for (size_t k = 0; k < WAYS; k++)
			clear(&kept->sets[i][k]);
}

void
keys_kept_free(struct keys_kept *kept)
{
	if (kept == NULL)
		return;
	clear_all(kept);
	if (kept->handle != NULL)
		database_give(kept->handle);
	pthread_mutex_destroy(&kept->lock);
	free(kept);
}

/* ---- versions ---- */

/* A handle that failed is not asked again: another one counts anew. */
static void
give_up(struct keys_kept *kept)
{
	kept->handle->broken = true;
	database_give(kept->handle);
	kept->handle = NULL;
}

/*
 * A number that is another one after each change of the store, NO_VERSION when
 * it cannot be told. Of one handle SQLite's number changes when somebody else
 * has committed; this handle never writes.
 */
static uint64_t
version_of_store(struct keys_kept *kept, struct database *database)
{
	sqlite3_stmt *prepared;
	struct fault fault;
	uint64_t version;

	if (kept->handle != NULL && database_has_moved(kept->handle))
		give_up(kept);
	if (kept->handle == NULL) {
		if (database_take(database, &kept->handle, &fault) != 0)
			return NO_VERSION;
		kept->opened++;
	}
	prepared = database_prepare(kept->handle, KEYS_GET_VERSION);
	if (prepared == NULL || sqlite3_step(prepared) != SQLITE_ROW) {
		sqlite3_reset(prepared);
		give_up(kept);
		return NO_VERSION;
	}
	version = (kept->opened << 32) |
	    (uint32_t)sqlite3_column_int(prepared, 0);
	sqlite3_reset(prepared);
	return version;
}

/* ---- places ---- */

/* False when it does not fit: no such name, or fingerprint, is in the store. */
static bool
name_of(const struct keys_question *question, char out[static NAME_SIZE])
{
	return snprintf(out, NAME_SIZE, "%c%c%s %s",
	    '0' + (char)question->kind, '0' + (char)question->layout,
	    question->name, question->fingerprint) < NAME_SIZE;
}

/* Where the name stands, or else that which makes room for it. */
static struct place *
find(struct keys_kept *kept, const char *name)
{
	const uint64_t hash = crypto_short_hash(kept->hash_key,
	    span_string(name));
	struct place *set = kept->sets[hash % SETS], *oldest = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].found != NULL && strcmp(set[i].name, name) == 0)
			return &set[i];
		if (set[i].found == NULL)
			oldest = &set[i];
		else if (oldest->found != NULL && set[i].used < oldest->used)
			oldest = &set[i];
	}
	return oldest;
}

static bool
is_org(const struct keys_question *question)
{
	return question->kind <= KEPT_ORG_BY_ENVELOPE;
}

static void
hold(void *found, bool org)
{
	struct keys_owner *owner = org ? ((struct keys_org *)found)->owner
	                               : ((struct keys_user *)found)->owner;

	atomic_fetch_add(&owner->holders, 1);
}

void *
keys_kept_find(struct keys *keys, const struct keys_question *question,
    uint64_t *version)
{
	struct keys_kept *kept = keys->kept;
	char name[NAME_SIZE];
	struct place *place;
	void *found = NULL;

	*version = NO_VERSION;
	if (!name_of(question, name))
		return NULL;
	pthread_mutex_lock(&kept->lock);
	*version = version_of_store(kept, keys->database);
	if (*version != kept->version) {
		clear_all(kept);
		kept->version = *version;
	}
	place = find(kept, name);
	if (*version != NO_VERSION && place->found != NULL &&
	    strcmp(place->name, name) == 0) {
		found = place->found;
		place->used = ++kept->uses;
		hold(found, place->is_org);
	}
	pthread_mutex_unlock(&kept->lock);
	return found;
}

static size_t
length_of(void *found, bool org)
{
	const struct signet *signet = org
	    ? ((struct keys_org *)found)->signet->signet
	    : ((struct keys_user *)found)->signet->signet;

	return signet_binary(signet).length;
}

void
keys_kept_keep(struct keys *keys, const struct keys_question *question,
    uint64_t version, void *found)
{
	struct keys_kept *kept = keys->kept;
	const bool org = is_org(question);
	struct place *place;
	char name[NAME_SIZE];

	if (version == NO_VERSION || !name_of(question, name) ||
	    length_of(found, org) > SIGNET_LIMIT)
		return;
	pthread_mutex_lock(&kept->lock);
	/* Read since, it is at least as new as the version. */
	if (version == kept->version) {
		place = find(kept, name);
		clear(place);
		place->found = found;
		place->is_org = org;
		place->used = ++kept->uses;
		strcpy(place->name, name);
		hold(found, org);
	}
	pthread_mutex_unlock(&kept->lock);
}
