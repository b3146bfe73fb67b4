/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "keys/keys_store.h"

/* The columns of KEYS_GET_USER... */
enum {
	ORG,
	IDENTIFIER,
	SIGNET,
	LIBDIME,
	DISABLED,
	ADDRESS,
	TAIL,
	LIBDIME_TAIL,
	SIGNING_ID,
	SIGNING,
	ENCRYPTION_ID,
	ENCRYPTION,
	CREATED,
	RETIRED,
	ID,
};

enum { HEADER = 5 };

/* The organization under whose signet the row's signet was signed. */
static int
load_org(struct keys *keys, struct statement *user, struct keys_org **out,
    struct fault *fault)
{
	struct statement row;
	int err = 0;

	*out = NULL;
	statement_start_beside(&row, user, KEYS_GET_ORG_BY_ID);
	statement_number(&row, statement_get_number(user, ORG));
	if (statement_next(&row))
		err = keys_org_load(keys, &row, out, fault);
	else if (row.err == 0)
		err = fault_set(fault, ERR_DATABASE,
		    "its organization is missing");
	return statement_end(&row) != 0 ? row.err : err;
}

/* The user's fields 1 to 253 and the address's 254 and 255 under one header. */
static int
assemble(struct statement *row, enum layout layout, struct signet **out,
    struct fault *fault)
{
	bool is_libdime = layout == LAYOUT_LIBDIME;
	struct span full = statement_get_blob(row,
	    is_libdime ? LIBDIME : SIGNET);
	struct span tail = statement_get_blob(row,
	    is_libdime ? LIBDIME_TAIL : TAIL);
	struct buffer whole = buffer_make(SIGNET_MAX_LENGTH);
	int err;

	*out = NULL;
	if (full.length < HEADER)
		return fault_set(fault, ERR_DATABASE,
		    "its signet is cut short");
	buffer_u16(&whole, SIGNET_USER);
	buffer_u24(&whole, (uint32_t)(full.length - HEADER + tail.length));
	buffer_append_span(&whole,
	    span_slice(full, HEADER, full.length - HEADER));
	buffer_append_span(&whole, tail);
	err = whole.error != 0
	    ? fault_set(fault, whole.error, "its signet does not fit")
	    : signet_parse(buffer_span(&whole), out, fault);
	buffer_free(&whole);
	return err;
}

static int
load_signet(struct keys *keys, struct statement *row, enum layout layout,
    const char *address, struct user_signet **out, struct fault *fault)
{
	struct keys_org *org = NULL;
	struct signet *signet = NULL;
	int err;

	if ((err = load_org(keys, row, &org, fault)) != 0 ||
	    (err = assemble(row, layout, &signet, fault)) != 0 ||
	    (err = signet_verify_user(signet, org->signet, address, out,
	    fault)) != 0)
		goto out;
	signet = NULL;
out:
	signet_free(signet);
	keys_org_free(org);
	return err;
}

static int
load_secrets(struct keys *keys, struct statement *row, struct keys_user *user,
    const struct keys_place *place, struct fault *fault)
{
	struct keys_pair *pair =
	    ((struct keys_owner *)user->owner)->pair;
	int err;

	if ((err = keys_open_signer(&keys->master, *place, row, SIGNING,
	    user->signet->signing, pair->seed, &user->signer, fault)) != 0)
		return err;
	return keys_open_agreer(&keys->master, *place, row, ENCRYPTION,
	    user->signet->encryption, pair->scalar, &user->agreer, fault);
}

static int
load(struct keys *keys, struct statement *row, const char *address,
    struct keys_user **out, struct fault *fault)
{
	char identifier[ADDRESS_SIZE];
	struct keys_place place = {.table = "user", .identifier = address};
	struct keys_user *user = calloc(1, sizeof(*user));
	int err;

	*out = NULL;
	statement_get_text(row, IDENTIFIER, identifier, sizeof(identifier));
	if (row->err != 0)
		err = row->err;
	else if (user == NULL || (user->owner = keys_owner_new()) == NULL)
		err = fault_set(fault, ERR_MEMORY, "out of memory");
	else if ((err = load_signet(keys, row, LAYOUT_STANDARD, address,
	    &user->signet, fault)) == 0) {
		place.identifier = identifier;
		place.fingerprint = user->signet->full;
		user->created = statement_get_number(row, CREATED);
		user->disabled = statement_get_number(row, DISABLED) != 0;
		user->retired = statement_get_number(row, RETIRED);
		user->id = statement_get_number(row, ID);
		user->org = statement_get_number(row, ORG);
		err = load_secrets(keys, row, user, &place, fault);
	}
	if (err != 0) {
		keys_user_free(user);
		place.identifier = address;
		return keys_broken(keys, &place, err, fault);
	}
	*out = user;
	return 0;
}

void
keys_user_free(struct keys_user *user)
{
	if (user == NULL || !keys_owner_leave(user->owner))
		return;
	user_signet_free(user->signet);
	free(user);
}

static bool
has_fingerprint(const struct user_signet *signet, const char *fingerprint)
{
	return strcmp(signet->core, fingerprint) == 0 ||
	    strcmp(signet->full, fingerprint) == 0;
}

/* Puts the row's signet in the libdime layout in the place of the other, whose
 * keys it must have. */
static int
turn(struct keys *keys, struct statement *row, const char *address,
    struct keys_user *user, struct fault *fault)
{
	const struct keys_place place = {.table = "user",
	    .identifier = address};
	const struct user_signet *old = user->signet;
	struct user_signet *turned = NULL;
	int err;

	err = load_signet(keys, row, LAYOUT_LIBDIME, address, &turned, fault);
	if (err == 0 && (turned->signet->layout != LAYOUT_LIBDIME ||
	    memcmp(turned->signing, old->signing, sizeof(old->signing)) != 0 ||
	    memcmp(turned->encryption, old->encryption,
	    sizeof(old->encryption)) != 0))
		err = fault_set(fault, ERR_DATABASE,
		    "its signet in the libdime layout is another one");
	if (err != 0) {
		user_signet_free(turned);
		return keys_broken(keys, &place, err, fault);
	}
	user_signet_free(user->signet);
	user->signet = turned;
	return 0;
}

int
keys_user_load(struct keys *keys, struct statement *row, enum layout layout,
    const char *address, struct keys_user **out, struct fault *fault)
{
	int err = load(keys, row, address, out, fault);

	if (err == 0 && layout == LAYOUT_LIBDIME)
		err = turn(keys, row, address, *out, fault);
	if (err != 0) {
		keys_user_free(*out);
		*out = NULL;
	}
	return err;
}

/* Without a row *out is NULL and there is no error. With a fingerprint the
 * layout is the one that has it. */
static int
read_exact(struct keys *keys, enum layout layout, const char *address,
    const char *fingerprint, struct keys_user **out, struct fault *fault)
{
	struct statement row;
	int err = 0;

	*out = NULL;
	statement_start(&row, keys->database,
	    fingerprint == NULL ? KEYS_GET_USER : KEYS_GET_USER_BY_FINGERPRINT,
	    fault);
	statement_text(&row, address);
	if (fingerprint != NULL)
		statement_text(&row, fingerprint);
	if (statement_next(&row)) {
		err = load(keys, &row, address, out, fault);
		if (err == 0 && fingerprint != NULL &&
		    !has_fingerprint((*out)->signet, fingerprint))
			layout = LAYOUT_LIBDIME;
		if (err == 0 && layout == LAYOUT_LIBDIME)
			err = turn(keys, &row, address, *out, fault);
	}
	if (statement_end(&row) != 0)
		err = row.err;
	if (err == 0 && (*out == NULL || fingerprint == NULL ||
	    has_fingerprint((*out)->signet, fingerprint)))
		return 0;
	keys_user_free(*out);
	*out = NULL;
	return err != 0 ? err : fault_set(fault, ERR_DATABASE,
	    "%s: user %s: its fingerprints are not its signet's",
	    database_path(keys->database), address);
}

/* Likewise, unless it was read before. */
static int
find_exact(struct keys *keys, enum layout layout, const char *address,
    const char *fingerprint, struct keys_user **out, struct fault *fault)
{
	const struct keys_question question = {
	    fingerprint == NULL ? KEPT_USER : KEPT_USER_BY_FINGERPRINT, layout,
	    address, fingerprint == NULL ? "" : fingerprint};
	uint64_t version;
	int err;

	if ((*out = keys_kept_find(keys, &question, &version)) != NULL)
		return 0;
	err = read_exact(keys, layout, address, fingerprint, out, fault);
	if (err == 0 && *out != NULL)
		keys_kept_keep(keys, &question, version, *out);
	return err;
}

static int
find(struct keys *keys, enum layout layout, const char *address,
    const char *fingerprint, struct keys_user **out, struct fault *fault)
{
	char untagged[ADDRESS_SIZE];
	int err;

	err = find_exact(keys, layout, address, fingerprint, out, fault);
	if (err != 0 || *out != NULL)
		return err;
	address_strip_tag(address, untagged);
	if (strcmp(untagged, address) != 0)
		err = find_exact(keys, layout, untagged, fingerprint, out,
		    fault);
	if (err != 0 || *out != NULL)
		return err;
	return fault_set(fault, ERR_UNKNOWN_ADDRESS,
	    "%s: there is no such user%s", address,
	    fingerprint == NULL ? "" : " with that fingerprint");
}

int
keys_find_user(struct keys *keys, const char *address, struct keys_user **out,
    struct fault *fault)
{
	return find(keys, LAYOUT_STANDARD, address, NULL, out, fault);
}

int
keys_find_user_in(struct keys *keys, enum layout layout, const char *address,
    struct keys_user **out, struct fault *fault)
{
	return find(keys, layout, address, NULL, out, fault);
}

int
keys_find_user_by_fingerprint(struct keys *keys, const char *address,
    const char *fingerprint, struct keys_user **out, struct fault *fault)
{
	return find(keys, LAYOUT_STANDARD, address, fingerprint, out, fault);
}

int
keys_find_user_before(struct keys *keys, const struct keys_user *user,
    int64_t grace, struct keys_user **out, struct fault *fault)
{
	const char *address = user->signet->address;
	struct statement row;
	int err = 0;

	*out = NULL;
	statement_start(&row, keys->database, KEYS_GET_USER_BEFORE, fault);
	statement_text(&row, address);
	statement_number(&row, keys_grace_start(keys, grace));
	statement_number(&row, user->id);
	if (statement_next(&row))
		err = keys_user_load(keys, &row, LAYOUT_STANDARD, address, out,
		    fault);
	else if (row.err == 0)
		err = fault_set(fault, ERR_UNKNOWN_ADDRESS,
		    "%s: had no other signet within %lld seconds", address,
		    (long long)grace);
	return statement_end(&row) != 0 ? row.err : err;
}
