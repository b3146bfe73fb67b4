/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/cursor.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "dime/armor.h"
#include "dime/keyfile.h"

enum {
	FIELD_SEED = 1,
	FIELD_USER_SCALAR = 2,
	FIELD_ORG_SOK = 2,
	FIELD_ORG_SCALAR = 3,
	HEADER_LENGTH = 5,
	SOK_LENGTH = 1 + CRYPTO_SEED,
	/* Without SOKs. In the libdime layout there are never any, and a length
	 * of one octet for the seed and of two for the scalar. */
	STANDARD_LENGTH = 1 + CRYPTO_SEED + 1 + CRYPTO_SCALAR,
	LIBDIME_LENGTH = 2 + CRYPTO_SEED + 3 + CRYPTO_SCALAR,
	/* secret_alloc() aligns the end of what it gives, not the start. */
	ALIGNMENT = 16,
};

/* How many length octets stand before seed and scalar. */
static const struct {
	int seed;
	int scalar;
} length_octets[LAYOUTS] = {
    [LAYOUT_STANDARD] = {0, 0},
    [LAYOUT_LIBDIME] = {1, 2},
};

static struct keyfile *
allocate(enum keyfile_magic magic, size_t sok_count)
{
	size_t length = sizeof(struct keyfile) +
	    sok_count * sizeof(struct keyfile_sok);
	struct keyfile *keys;

	if (sok_count > KEYFILE_MAX_SOKS)
		return NULL;
	length = (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	keys = secret_alloc(length);
	if (keys == NULL)
		return NULL;
	memset(keys, 0, length);
	keys->magic = magic;
	keys->sok_count = sok_count;
	return keys;
}

struct keyfile *
keyfile_new(enum keyfile_magic magic, size_t sok_count)
{
	struct keyfile *keys = allocate(magic, sok_count);
	struct random_source random;
	uint8_t point[CRYPTO_POINT];

	if (keys == NULL)
		return NULL;
	random_start(&random);
	random_fill(&random, keys->seed, sizeof(keys->seed));
	do
		random_fill(&random, keys->scalar, sizeof(keys->scalar));
	while (crypto_point_public(keys->scalar, point) != 0);
	random_end(&random);
	return keys;
}

void
keyfile_free(struct keyfile *keys)
{
	secret_free(keys);
}

/* How many SOKs stand in `length` octets of fields; -1 where that cannot be. No
 * number of them makes a file of the standard layout as long as one of
 * libdime's. */
static long
count_soks(enum keyfile_magic magic, size_t length)
{
	if (length == LIBDIME_LENGTH)
		return 0;
	if (length < STANDARD_LENGTH ||
	    (length - STANDARD_LENGTH) % (1 + SOK_LENGTH) != 0)
		return -1;
	length = (length - STANDARD_LENGTH) / (1 + SOK_LENGTH);
	if (length > KEYFILE_MAX_SOKS || (magic == KEYFILE_USER && length > 0))
		return -1;
	return (long)length;
}

/* Takes a field of that type and length, with a length parameter of
 * `octets`. */
static int
take(struct cursor *cursor, uint8_t type, int octets, void *out, size_t length,
    struct fault *fault)
{
	size_t offset = cursor->offset, given = length;
	uint8_t found = cursor_u8(cursor);
	struct span value;

	if (octets > 0)
		given = octets == 1 ? cursor_u8(cursor) : cursor_u16(cursor);
	value = cursor_take(cursor, length);
	if (found != type)
		return fault_set(fault, ERR_FORMAT,
		    "key file: field %u at offset %zu where field %u belongs",
		    found, offset, type);
	if (given != length)
		return fault_set(fault, ERR_FORMAT,
		    "key file: field %u at offset %zu: %zu octets, not %zu",
		    type, offset, given, length);
	if (cursor->failed)
		return fault_set(fault, ERR_FORMAT,
		    "key file: field %u at offset %zu runs past the end", type,
		    offset);
	memcpy(out, value.data, length);
	return 0;
}

static int
take_fields(struct cursor *cursor, struct keyfile *keys, struct fault *fault)
{
	bool is_org = keys->magic == KEYFILE_ORG;
	uint8_t point[CRYPTO_POINT];
	uint8_t sok[SOK_LENGTH];
	size_t offset;
	int err;

	if ((err = take(cursor, FIELD_SEED, length_octets[keys->layout].seed,
	    keys->seed, sizeof(keys->seed), fault)) != 0)
		return err;
	for (size_t i = 0; i < keys->sok_count; i++) {
		if ((err = take(cursor, FIELD_ORG_SOK, 0, sok, sizeof(sok),
		    fault)) != 0)
			return err;
		keys->soks[i].permissions = sok[0];
		memcpy(keys->soks[i].seed, sok + 1, CRYPTO_SEED);
		secret_wipe(sok, sizeof(sok));
	}
	offset = cursor->offset;
	if ((err = take(cursor, is_org ? FIELD_ORG_SCALAR : FIELD_USER_SCALAR,
	    length_octets[keys->layout].scalar, keys->scalar,
	    sizeof(keys->scalar), fault)) != 0)
		return err;
	if (crypto_point_public(keys->scalar, point) != 0)
		return fault_set(fault, ERR_FORMAT,
		    "key file: field %u at offset %zu: not a private key of "
		    "secp256k1", is_org ? FIELD_ORG_SCALAR : FIELD_USER_SCALAR,
		    offset);
	return 0;
}

static int
parse(struct span binary, struct keyfile **out, struct fault *fault)
{
	struct cursor cursor = cursor_start(binary);
	unsigned int magic = cursor_u16(&cursor);
	uint32_t length = cursor_u24(&cursor);
	struct keyfile *keys;
	long soks;
	int err;

	if (cursor.failed)
		return fault_set(fault, ERR_FORMAT,
		    "key file: header at offset 0: runs past the end, at %zu "
		    "octets", binary.length);
	if (magic != KEYFILE_ORG && magic != KEYFILE_USER)
		return fault_set(fault, ERR_FORMAT,
		    "key file: header at offset 0: magic number %u is neither "
		    "1952 nor 2013", magic);
	if (length != cursor.rest.length)
		return fault_set(fault, ERR_FORMAT,
		    "key file: header at offset 2: says %u octets of fields, "
		    "%zu follow", length, cursor.rest.length);
	soks = count_soks((enum keyfile_magic)magic, length);
	if (soks < 0)
		return fault_set(fault, ERR_FORMAT,
		    "key file: header at offset 2: %u octets of fields do not "
		    "fit the layout of %u", length, magic);
	keys = allocate((enum keyfile_magic)magic, (size_t)soks);
	if (keys == NULL)
		return fault_set(fault, ERR_MEMORY,
		    "key file: no memory for keys");
	if (length == LIBDIME_LENGTH)
		keys->layout = LAYOUT_LIBDIME;
	if ((err = take_fields(&cursor, keys, fault)) != 0) {
		keyfile_free(keys);
		return err;
	}
	*out = keys;
	return 0;
}

static enum armor_kind
armor_of(const struct keyfile *keys)
{
	if (keys->layout == LAYOUT_LIBDIME)
		return keys->magic == KEYFILE_ORG ? ARMOR_ORG_KEY
		                                  : ARMOR_USER_KEY;
	return keys->magic == KEYFILE_ORG ? ARMOR_ORG_KEYS : ARMOR_USER_KEYS;
}

int
keyfile_read(struct span data, struct keyfile **out, struct fault *fault)
{
	struct buffer binary = buffer_make(data.length);
	enum armor_kind kind;
	int err;

	*out = NULL;
	if (!armor_is_armored(data))
		return parse(data, out, fault);
	if ((err = armor_read(data, &kind, &binary, fault)) != 0 ||
	    (err = parse(buffer_span(&binary), out, fault)) != 0)
		goto out;
	if (kind != armor_of(*out)) {
		err = fault_set(fault, ERR_FORMAT,
		    "armor: the label is %s, the content's magic number %d",
		    armor_label(kind), (int)(*out)->magic);
		keyfile_free(*out);
		*out = NULL;
	}
out:
	buffer_free(&binary);
	return err;
}

static void
append_key(struct buffer *binary, uint8_t type, int octets, const uint8_t *key,
    size_t length)
{
	buffer_u8(binary, type);
	if (octets == 1)
		buffer_u8(binary, (uint8_t)length);
	else if (octets == 2)
		buffer_u16(binary, (uint16_t)length);
	buffer_append(binary, key, length);
}

void
keyfile_write(const struct keyfile *keys, struct buffer *out)
{
	bool is_org = keys->magic == KEYFILE_ORG;
	bool is_libdime = keys->layout == LAYOUT_LIBDIME;
	size_t sok_count = is_libdime ? 0 : keys->sok_count;
	size_t length = is_libdime
	    ? LIBDIME_LENGTH
	    : STANDARD_LENGTH + sok_count * (1 + SOK_LENGTH);
	struct buffer binary = buffer_make(HEADER_LENGTH + length);

	buffer_u16(&binary, (uint16_t)keys->magic);
	buffer_u24(&binary, (uint32_t)length);
	append_key(&binary, FIELD_SEED, length_octets[keys->layout].seed,
	    keys->seed, sizeof(keys->seed));
	for (size_t i = 0; i < sok_count; i++) {
		buffer_u8(&binary, FIELD_ORG_SOK);
		buffer_u8(&binary, keys->soks[i].permissions);
		buffer_append(&binary, keys->soks[i].seed, CRYPTO_SEED);
	}
	append_key(&binary, is_org ? FIELD_ORG_SCALAR : FIELD_USER_SCALAR,
	    length_octets[keys->layout].scalar, keys->scalar,
	    sizeof(keys->scalar));
	if (binary.error != 0)
		out->error = binary.error;
	else
		armor_write(armor_of(keys), buffer_span(&binary), out);
	buffer_free(&binary);
}
