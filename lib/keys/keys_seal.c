/* SPDX-License-Identifier: BSD-2-Clause */
#include "keys/keys_store.h"

enum { ASSOCIATED_LIMIT = 2048 };

/* Each part with its length before it, so that no two places read alike. */
static void
append_part(struct buffer *out, const char *text)
{
	buffer_u32(out, (uint32_t)strlen(text));
	buffer_append_string(out, text);
}

static int
describe(const struct keys_sealer *sealer, const struct keys_place *place,
    struct buffer *out)
{
	append_part(out, place->table);
	append_part(out, place->identifier);
	append_part(out, place->kind);
	append_part(out, place->fingerprint);
	append_part(out, sealer->id);
	return out->error;
}

int
keys_seal(const struct keys_sealer *sealer, const struct keys_place *place,
    const uint8_t secret[static KEYS_SECRET],
    uint8_t sealed[static KEYS_SEALED], struct fault *fault)
{
	struct buffer associated = buffer_make(ASSOCIATED_LIMIT);
	int err = describe(sealer, place, &associated);

	if (err != 0)
		err = fault_set(fault, err, "%s: cannot be sealed",
		    place->identifier);
	else
		crypto_seal(sealer->key, buffer_span(&associated),
		    span_of(secret, KEYS_SECRET), sealed);
	buffer_free(&associated);
	return err;
}

static int
check_id(const struct keys_sealer *sealer, struct statement *row, int column,
    struct fault *fault)
{
	char id[KEYS_ID_SIZE];

	statement_get_text(row, column, id, sizeof(id));
	if (row->err != 0)
		return fault_set(fault, ERR_DATABASE,
		    "the id of its %s is not one", sealer->name);
	if (strcmp(id, sealer->id) != 0)
		return fault_set(fault, ERR_NO_KEY,
		    "sealed with %s %s, but %s is %s", sealer->name, id,
		    sealer->file, sealer->id);
	return 0;
}

static int
unseal(const struct keys_sealer *sealer, const struct keys_place *place,
    struct statement *row, int column, uint8_t secret[static KEYS_SECRET],
    struct fault *fault)
{
	struct buffer associated = buffer_make(ASSOCIATED_LIMIT);
	struct span sealed = statement_get_blob(row, column);
	int err;

	if ((err = check_id(sealer, row, column - 1, fault)) != 0)
		return err;
	err = describe(sealer, place, &associated);
	if (err != 0)
		err = fault_set(fault, err, "out of memory");
	else if (sealed.length != KEYS_SEALED ||
	    crypto_unseal(sealer->key, buffer_span(&associated), sealed,
	    secret) != 0)
		err = fault_set(fault, ERR_DATABASE,
		    "the sealed %s key does not open here: the row was changed",
		    place->kind);
	buffer_free(&associated);
	return err;
}

int
keys_open_signer(const struct keys_sealer *sealer, struct keys_place place,
    struct statement *row, int column,
    const uint8_t public_key[static CRYPTO_SIGN_PUBLIC],
    uint8_t seed[static CRYPTO_SEED], struct signer *signer,
    struct fault *fault)
{
	struct signer found;
	int err;

	*signer = (struct signer){.sign = NULL};
	if (sealer->key == NULL)
		return 0;
	place.kind = "signing";
	if ((err = unseal(sealer, &place, row, column, seed, fault)) != 0)
		return err;
	found = signer_of_seed(seed);
	if (memcmp(found.public_key, public_key, CRYPTO_SIGN_PUBLIC) != 0)
		return fault_set(fault, ERR_DATABASE,
		    "the signing key is not the signet's");
	*signer = found;
	return 0;
}

int
keys_open_agreer(const struct keys_sealer *sealer, struct keys_place place,
    struct statement *row, int column,
    const uint8_t point[static CRYPTO_POINT],
    uint8_t scalar[static CRYPTO_SCALAR], struct agreer *agreer,
    struct fault *fault)
{
	uint8_t derived[CRYPTO_POINT];
	int err;

	*agreer = (struct agreer){NULL, NULL};
	if (sealer->key == NULL)
		return 0;
	place.kind = "encryption";
	if ((err = unseal(sealer, &place, row, column, scalar, fault)) != 0)
		return err;
	if (crypto_point_public(scalar, derived) != 0 ||
	    memcmp(derived, point, sizeof(derived)) != 0)
		return fault_set(fault, ERR_DATABASE,
		    "the encryption key is not the signet's");
	*agreer = agreer_of_scalar(scalar);
	return 0;
}

int
keys_broken(const struct keys *keys, const struct keys_place *place, int err,
    struct fault *fault)
{
	if (err != ERR_MEMORY)
		err = ERR_DATABASE;
	if (fault == NULL)
		return err;
	fault->err = err;
	return fault_wrap(fault, "%s: %s %s", database_path(keys->database),
	    place->table, place->identifier);
}
