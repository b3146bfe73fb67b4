/* SPDX-License-Identifier: BSD-2-Clause */
#include <sodium.h>

#include "crypto/random.h"

void
random_start(struct random_source *source)
{
	source->keyed = false;
	source->used = sizeof(source->pool);
}

void
random_start_keyed(struct random_source *source,
    const uint8_t key[static 32], struct span label)
{
	source->keyed = true;
	source->block = 0;
	source->used = sizeof(source->pool);
	crypto_mac(key, label, source->key);
}

static void
refill(struct random_source *source)
{
	static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];

	if (!source->keyed) {
		randombytes_buf(source->pool, sizeof(source->pool));
	} else {
		sodium_memzero(source->pool, sizeof(source->pool));
		crypto_stream_chacha20_xor_ic(source->pool, source->pool,
		    sizeof(source->pool), nonce, source->block, source->key);
		source->block += sizeof(source->pool) / 64;
	}
	source->used = 0;
}

void
random_fill(struct random_source *source, void *out, size_t length)
{
	uint8_t *next = out;

	while (length > 0) {
		size_t left = sizeof(source->pool) - source->used;
		size_t piece = length < left ? length : left;

		memcpy(next, source->pool + source->used, piece);
		/* What was given out must not be found here later. */
		sodium_memzero(source->pool + source->used, piece);
		source->used += piece;
		next += piece;
		length -= piece;
		if (length > 0)
			refill(source);
	}
}

uint32_t
random_below(struct random_source *source, uint32_t limit)
{
	/* Values from the incomplete last run would favour small results. */
	uint32_t reject = (0U - limit) % limit;
	uint32_t value;

	do
		random_fill(source, &value, sizeof(value));
	while (value < reject);
	return value % limit;
}

void
random_end(struct random_source *source)
{
	sodium_memzero(source, sizeof(*source));
}
