/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "base/file.h"
#include "crypto/base64.h"
#include "crypto/verified.h"
#include "crypto/crypto.h"
#include "crypto/mac.h"
#include "crypto/random.h"
#include "crypto/secret.h"

static void
selftest_passes(void **state)
{
	struct fault fault = {0};

	assert_int_equal(crypto_start(&fault), 0);
}

static void
base64_table(void **state)
{
	static const struct {
		const char *name, *text;
		int err;
		const char *octets;
	} cases[] = {
	    {"empty", "", 0, ""},
	    {"no padding", "Zg", 0, "f"},
	    {"padding", "Zg==", 0, "f"},
	    {"line ends", "Zm9v\r\nYmFy\n", 0, "foobar"},
	    {"unused bits set", "Zh", ERR_FORMAT, ""},
	    {"one symbol", "Z", ERR_FORMAT, ""},
	    {"padding inside", "Zg==Zg==", ERR_FORMAT, ""},
	    {"too much padding", "Zg===", ERR_FORMAT, ""},
	    {"wrong padding", "Zm8==", ERR_FORMAT, ""},
	    {"other alphabet", "Zm-_", ERR_FORMAT, ""},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buffer out = buffer_make(100);

		unit_case(cases[i].name);
		assert_int_equal(
		    base64_decode(span_string(cases[i].text), &out),
		    cases[i].err);
		assert_true(span_equal_string(buffer_span(&out),
		    cases[i].octets));
		buffer_free(&out);
	}
}

/* Both ways of decoding say the same of anything. */
static void
base64_twice(void **state)
{
	static const char some[] = "ABCxyz019+/=  \t\r\n\n-_\0\xff";
	uint32_t random = 1;
	char text[24];

	for (int i = 0; i < 200000; i++) {
		struct buffer one = buffer_make(100), other = buffer_make(100);
		struct span span;
		int err;

		for (size_t k = 0; k < sizeof(text); k++) {
			random = random * 1664525 + 1013904223;
			/* Mostly what can be decoded. */
			text[k] = some[(random >> 16) %
			    (i % 3 == 0 ? sizeof(some) : i % 3 == 1 ? 11 : 17)];
		}
		span = span_of(text, (random >> 8) % sizeof(text));
		err = base64_decode(span, &one);
		assert_int_equal(base64_decode_secret(span, &other), err);
		assert_true(span_equal(buffer_span(&one), buffer_span(&other)));
		buffer_free(&one);
		buffer_free(&other);
	}
}

static void
base64_exact_wants_the_length(void **state)
{
	uint8_t out[4];

	assert_true(base64_decode_exact(span_string("Zm9v"), out, 3));
	assert_false(base64_decode_exact(span_string("Zm9"), out, 3));
	assert_false(base64_decode_exact(span_string("Zm9vYg"), out, 3));
	assert_false(base64_decode_exact(span_string("Zm9 "), out, 3));
	assert_false(base64_decode_exact(span_string("Zh"), out, 1));
	assert_false(base64_decode_exact(span_string("\xffm9v"), out, 3));
	assert_false(base64_decode_exact(span_string("Zm9\xff"), out, 3));
	assert_false(base64_decode_exact(span_of("Zm\0v", 4), out, 3));
}

static void
keyed_stream_repeats(void **state)
{
	const uint8_t key[32] = {7};
	struct random_source a, b, c;
	uint8_t from_a[3000], from_b[3000], from_c[3000];

	random_start_keyed(&a, key, span_string("one"));
	random_start_keyed(&b, key, span_string("one"));
	random_start_keyed(&c, key, span_string("two"));
	random_fill(&a, from_a, sizeof(from_a));
	random_fill(&b, from_b, 1);
	random_fill(&b, from_b + 1, sizeof(from_b) - 1);
	random_fill(&c, from_c, sizeof(from_c));
	assert_memory_equal(from_a, from_b, sizeof(from_a));
	assert_memory_not_equal(from_a, from_c, sizeof(from_a));
	assert_memory_not_equal(from_a, from_a + 1024, 1024);
}

static void
random_below_stays_below(void **state)
{
	struct random_source source;
	unsigned int seen = 0;

	random_start(&source);
	for (int i = 0; i < 1000; i++) {
		uint32_t value = random_below(&source, 15);

		assert_true(value < 15);
		seen |= 1U << value;
	}
	assert_int_equal(seen, 0x7fff);
	assert_int_equal(random_below(&source, 1), 0);
}

static void
bad_keys_are_refused(void **state)
{
	uint8_t small_order[32] = {1}, not_canonical[32], scalar[32];
	uint8_t point[33] = {2};

	assert_false(crypto_ed25519_is_good(small_order));
	memset(not_canonical, 0xff, sizeof(not_canonical));
	assert_false(crypto_ed25519_is_good(not_canonical));
	memset(scalar, 0xff, sizeof(scalar));
	assert_int_equal(crypto_point_public(scalar, point), ERR_FORMAT);
	memset(point, 0xff, sizeof(point));
	assert_false(crypto_point_is_good(point));
}

static void
points_again(void **state)
{
	uint8_t scalar[CRYPTO_SCALAR] = {1}, point[CRYPTO_POINT];

	assert_int_equal(crypto_point_public(scalar, point), 0);
	for (int round = 0; round < 2; round++)
		assert_true(crypto_point_is_good_again(point));
	point[0] = 4;
	for (int round = 0; round < 2; round++)
		assert_false(crypto_point_is_good_again(point));
}

static void
key_files_keep_their_rules(void **state)
{
	char path[64] = "/tmp/dimegate-unit-XXXXXX";
	struct fault fault = {0};
	uint8_t *key;

	unit_directory(path);
	strcat(path, "/k");
	assert_int_equal(secret_create_key(path, 0600, &fault), 0);
	assert_int_equal(secret_create_key(path, 0600, &fault), ERR_EXISTS);
	assert_int_equal(secret_read_key(path, false, &key, &fault), 0);
	secret_free(key);
	assert_int_equal(file_write(path, span_string("Zm9v\n"), 0600, true,
	    &fault), 0);
	assert_int_equal(secret_read_key(path, false, &key, &fault),
	    ERR_CONFIG);
	assert_int_equal(file_write(path, span_string("Zm9v\n"), 0644, true,
	    &fault), 0);
	assert_int_equal(secret_read_key(path, false, &key, &fault),
	    ERR_PERMISSION);
	assert_non_null(strstr(fault.text, "0644"));
}

/* libsodium and OpenSSL agree, however the octets are cut, and a context that
 * was used is as good as a new one. */
static void
a_key_that_is_kept_makes_the_same_macs(void **state)
{
	const uint8_t key[CRYPTO_MAC_KEY] = {7};
	uint8_t octets[300], one[CRYPTO_MAC], other[CRYPTO_MAC];
	struct mac_key *kept;

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)i;
	assert_int_equal(mac_key_new(key, &kept), 0);
	for (size_t length = 0; length <= sizeof(octets); length++) {
		const struct span parts[] = {span_of(octets, length / 3),
		    {NULL, 0}, span_of(octets + length / 3,
		    length - length / 3)};

		crypto_mac(key, span_of(octets, length), one);
		assert_true(mac_key_make(kept, parts, COUNT(parts), other));
		assert_memory_equal(one, other, sizeof(one));
	}
	mac_key_free(kept);
	mac_key_free(NULL);
}

/* What was found good is good again, and nothing else is. */
static void
verified_again(void **state)
{
	const uint8_t seed[CRYPTO_SEED] = {3};
	uint8_t key[CRYPTO_SIGN_PUBLIC], other[CRYPTO_SIGN_PUBLIC];
	uint8_t signature[CRYPTO_SIGNATURE], octets[100] = {0};
	const struct span message = span_of(octets, sizeof(octets));

	crypto_ed25519_public(seed, key);
	memcpy(other, key, sizeof(other));
	other[0] ^= 1;
	/* More of them than are remembered. */
	for (unsigned int i = 0; i < 6000; i++) {
		octets[0] = (uint8_t)i;
		octets[1] = (uint8_t)(i >> 8);
		crypto_ed25519_sign(seed, message, signature);
		for (int round = 0; round < 2; round++)
			assert_true(crypto_ed25519_verify_again(key, message,
			    signature));
		if (i % 100 != 0)
			continue;
		assert_false(crypto_ed25519_verify_again(other, message,
		    signature));
		assert_false(crypto_ed25519_verify_again(key,
		    span_slice(message, 0, sizeof(octets) - 1), signature));
		for (size_t k = 0; k < sizeof(signature) * 8; k += 7) {
			signature[k / 8] ^= (uint8_t)(1 << k % 8);
			assert_false(crypto_ed25519_verify_again(key, message,
			    signature));
			signature[k / 8] ^= (uint8_t)(1 << k % 8);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_key_that_is_kept_makes_the_same_macs),
	    cmocka_unit_test(selftest_passes),
	    cmocka_unit_test(base64_table),
	    cmocka_unit_test(base64_twice),
	    cmocka_unit_test(base64_exact_wants_the_length),
	    cmocka_unit_test(verified_again),
	    cmocka_unit_test(keyed_stream_repeats),
	    cmocka_unit_test(random_below_stays_below),
	    cmocka_unit_test(bad_keys_are_refused),
	    cmocka_unit_test(points_again),
	    cmocka_unit_test(key_files_keep_their_rules),
	};

	return cmocka_run_group_tests(tests, unit_start, unit_end);
}
