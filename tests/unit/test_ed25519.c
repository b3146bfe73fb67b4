/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "crypto/verified.h"

/*
 * lib/crypto takes one of two libraries by the length of the message. That must
 * not be seen: both make the same signatures, and judge those alike that
 * somebody made up (doc/dmime.md, RFC 8032).
 */

enum { LONG = 200000 }; /* long enough for OpenSSL */

static const uint8_t seed[CRYPTO_SEED] = {9};
static uint8_t public_key[CRYPTO_SIGN_PUBLIC];
static uint8_t secret[crypto_sign_SECRETKEYBYTES];
static uint8_t message[LONG];

static const uint8_t neutral[32] = {1};

/* p + 1: the neutral element, spelled otherwise. */
static const uint8_t neutral_not_canonical[32] = {
    0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};

/* Points of order 4 and 8. */
static const uint8_t order_4[32] = {0};
static const uint8_t order_8[32] = {
    0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89,
    0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39,
    0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05};

/* y = 2 is on no point. */
static const uint8_t off_the_curve[32] = {2};

/* The order of the group, little endian. */
static const uint8_t group_order[32] = {
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2,
    0xde, 0xf9, 0xde, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10};

static int
start(void **state)
{
	int err = unit_start(state);

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * i >> 7);
	crypto_sign_seed_keypair(public_key, secret, seed);
	return err;
}

/* S = r + SHA-512(R | A | M) a: with the key at hand, R may be anything. */
static void
make_signature(const uint8_t point[32], const uint8_t r[32], struct span data,
    uint8_t signature[CRYPTO_SIGNATURE])
{
	uint8_t wide[64], hash[32], a[32], product[32];
	crypto_hash_sha512_state state;

	crypto_hash_sha512(wide, seed, sizeof(seed));
	wide[0] &= 248;
	wide[31] = (wide[31] & 127) | 64;
	memset(wide + 32, 0, 32);
	crypto_core_ed25519_scalar_reduce(a, wide);
	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, point, 32);
	crypto_hash_sha512_update(&state, public_key, sizeof(public_key));
	crypto_hash_sha512_update(&state, data.data, data.length);
	crypto_hash_sha512_final(&state, wide);
	crypto_core_ed25519_scalar_reduce(hash, wide);
	crypto_core_ed25519_scalar_mul(product, hash, a);
	memcpy(signature, point, 32);
	crypto_core_ed25519_scalar_add(signature + 32, r, product);
}

static bool
openssl_verifies(struct span data, const uint8_t *signature)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
	    public_key, sizeof(public_key));
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int good;

	assert_int_equal(EVP_DigestVerifyInit(context, NULL, NULL, NULL, key),
	    1);
	good = EVP_DigestVerify(context, signature, CRYPTO_SIGNATURE, data.data,
	    data.length);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return good == 1;
}

enum change { NOTHING, MESSAGE, BIT_OF_R, BIT_OF_S, ADD_ORDER, HIGH_BIT };

static void
change_signature(enum change change, uint8_t *signature)
{
	if (change == BIT_OF_R)
		signature[5] ^= 8;
	if (change == BIT_OF_S)
		signature[40] ^= 8;
	if (change == ADD_ORDER)
		sodium_add(signature + 32, group_order, sizeof(group_order));
	if (change == HIGH_BIT)
		signature[63] |= 0x80;
}

static void
both_libraries_judge_alike(void **state)
{
	static const uint8_t zero[32], seven[32] = {7};
	uint8_t good[32], mixed[32];
	const struct {
		const char *name;
		const uint8_t *point, *r;
		enum change change;
		bool verifies;
		bool openssl_alone; /* takes it, so that it must not be asked */
	} cases[] = {
	    {"good", good, seven, NOTHING, true, false},
	    {"over another message", good, seven, MESSAGE, false, false},
	    {"a bit of R", good, seven, BIT_OF_R, false, false},
	    {"a bit of S", good, seven, BIT_OF_S, false, false},
	    {"S that is not canonical", good, seven, ADD_ORDER, false, false},
	    {"S with its highest bit", good, seven, HIGH_BIT, false, false},
	    {"R neutral", neutral, zero, NOTHING, false, true},
	    {"R neutral, not canonical", neutral_not_canonical, zero, NOTHING,
	        false, false},
	    {"R of order 4", order_4, zero, NOTHING, false, false},
	    {"R of order 8", order_8, zero, NOTHING, false, false},
	    {"R of mixed order", mixed, seven, NOTHING, false, false},
	    {"R off the curve", off_the_curve, zero, NOTHING, false, false},
	};
	const size_t lengths[] = {0, 3, LONG - 1};

	assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(good, seven),
	    0);
	assert_int_equal(crypto_core_ed25519_add(mixed, good, order_8), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		for (size_t j = 0; j < COUNT(lengths); j++) {
			struct span data = span_of(message, lengths[j]);
			uint8_t signature[CRYPTO_SIGNATURE];

			make_signature(cases[i].point, cases[i].r, data,
			    signature);
			change_signature(cases[i].change, signature);
			if (cases[i].change == MESSAGE)
				data.length++;
			assert_int_equal(crypto_ed25519_verify(public_key, data,
			    signature), cases[i].verifies);
			assert_int_equal(crypto_sign_verify_detached(signature,
			    data.data, data.length, public_key) == 0,
			    cases[i].verifies);
			assert_int_equal(openssl_verifies(data, signature),
			    cases[i].verifies || cases[i].openssl_alone);
		}
	}
}

static void
either_library_makes_the_same(void **state)
{
	uint8_t expected[CRYPTO_SIGNATURE], signature[CRYPTO_SIGNATURE];
	uint8_t digest[CRYPTO_SHA512], other[CRYPTO_SHA512];

	for (size_t length = 0; length < LONG; length = length * 3 + 1) {
		struct span data = span_of(message, length);

		crypto_sign_detached(expected, NULL, message, length, secret);
		crypto_ed25519_sign(seed, data, signature);
		assert_memory_equal(signature, expected, sizeof(signature));
		assert_true(crypto_ed25519_verify(public_key, data,
		    signature));
		crypto_hash_sha512(other, message, length);
		crypto_sha512(data, digest);
		assert_memory_equal(digest, other, sizeof(digest));
	}
}

static void
keys_that_are_not_good(void **state)
{
	static const uint8_t not_reduced[32] = {
	    0xf0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
	uint8_t mixed[32];
	const struct {
		const char *name;
		const uint8_t *key;
		bool good;
	} cases[] = {
	    {"good", public_key, true},
	    {"neutral", neutral, false},
	    {"neutral, not canonical", neutral_not_canonical, false},
	    {"of order 4", order_4, false},
	    {"of order 8", order_8, false},
	    {"of mixed order", mixed, false},
	    {"off the curve", off_the_curve, false},
	    {"not canonical", not_reduced, false},
	};

	assert_int_equal(crypto_core_ed25519_add(mixed, public_key, order_8),
	    0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_case(cases[i].name);
		assert_int_equal(crypto_ed25519_is_good(cases[i].key),
		    cases[i].good);
		for (int round = 0; round < 2; round++)
			assert_int_equal(crypto_ed25519_is_good_again(
			    cases[i].key), cases[i].good);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_libraries_judge_alike),
	    cmocka_unit_test(either_library_makes_the_same),
	    cmocka_unit_test(keys_that_are_not_good),
	};

	return cmocka_run_group_tests(tests, start, unit_end);
}
