/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/evp.h>
#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <sodium.h>

#include "crypto/crypto.h"
#include "crypto/selftest.h"

/* Set up once by crypto_start(), read-only ever after. */
static struct {
	secp256k1_context *curve;
	EVP_CIPHER *cipher;
	EVP_MD *digest;
} ready;

/*
 * libsodium is the faster one with the curve, OpenSSL with SHA-512. From these
 * lengths on the second decides (make bench prints both). To sign, OpenSSL has
 * to derive the public key again first.
 */
enum {
	SIGN_BY_OPENSSL = 50 * 1024,
	VERIFY_BY_OPENSSL = 90 * 1024,
};

_Static_assert(sizeof(crypto_hash_sha512_state) <=
    sizeof(((struct crypto_hash *)0)->state), "hash state fits");

int
crypto_start(struct fault *fault)
{
	uint8_t seed[32];

	if (ready.curve != NULL)
		return 0;
	if (sodium_init() < 0)
		return fault_set(fault, ERR_INTERNAL,
		    "libsodium cannot be set up");
	ready.curve = secp256k1_context_create(
	    SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
	randombytes_buf(seed, sizeof(seed));
	if (ready.curve == NULL ||
	    !secp256k1_context_randomize(ready.curve, seed))
		return fault_set(fault, ERR_INTERNAL,
		    "libsecp256k1 cannot be set up");
	ready.cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	if (ready.cipher == NULL)
		return fault_set(fault, ERR_INTERNAL,
		    "OpenSSL has no AES-256-CBC");
	ready.digest = EVP_MD_fetch(NULL, "SHA512", NULL);
	if (ready.digest == NULL)
		return fault_set(fault, ERR_INTERNAL, "OpenSSL has no SHA-512");
	return selftest_run(fault);
}

void
crypto_ed25519_public(const uint8_t seed[static CRYPTO_SEED],
    uint8_t public_key[static CRYPTO_SIGN_PUBLIC])
{
	uint8_t secret[crypto_sign_SECRETKEYBYTES];

	crypto_sign_seed_keypair(public_key, secret, seed);
	sodium_memzero(secret, sizeof(secret));
}

/* False where OpenSSL fails, for want of memory say. */
static bool
sign_by_openssl(const uint8_t *seed, struct span message, uint8_t *signature)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
	    seed, CRYPTO_SEED);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t length = CRYPTO_SIGNATURE;
	bool good = key != NULL && context != NULL &&
	    EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestSign(context, signature, &length, message.data,
	    message.length) == 1;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return good;
}

void
crypto_ed25519_sign(const uint8_t seed[static CRYPTO_SEED], struct span message,
    uint8_t signature[static CRYPTO_SIGNATURE])
{
	uint8_t public_key[CRYPTO_SIGN_PUBLIC];

	crypto_ed25519_public(seed, public_key);
	crypto_ed25519_sign_as(seed, public_key, message, signature);
}

void
crypto_ed25519_sign_as(const uint8_t seed[static CRYPTO_SEED],
    const uint8_t public_key[static CRYPTO_SIGN_PUBLIC], struct span message,
    uint8_t signature[static CRYPTO_SIGNATURE])
{
	/* libsodium's form of a secret key. */
	uint8_t secret[CRYPTO_SEED + CRYPTO_SIGN_PUBLIC];

	if (message.length >= SIGN_BY_OPENSSL &&
	    sign_by_openssl(seed, message, signature))
		return;
	memcpy(secret, seed, CRYPTO_SEED);
	memcpy(secret + CRYPTO_SEED, public_key, CRYPTO_SIGN_PUBLIC);
	crypto_sign_detached(signature, NULL, message.data, message.length,
	    secret);
	sodium_memzero(secret, sizeof(secret));
}

/* True when it is good; false also where OpenSSL fails, for want of memory
 * say. */
static bool
verify_by_openssl(const uint8_t *public_key, struct span message,
    const uint8_t *signature)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
	    public_key, CRYPTO_SIGN_PUBLIC);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = key != NULL && context != NULL &&
	    EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestVerify(context, signature, CRYPTO_SIGNATURE,
	    message.data, message.length) == 1;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return good;
}

/*
 * The libraries judge alike but for one thing: libsodium refuses an R of small
 * order, OpenSSL does not ask. Under a good key, which is of prime order, only
 * one such R can verify, the neutral element; it is refused for both.
 */
bool
crypto_ed25519_verify(const uint8_t public_key[static CRYPTO_SIGN_PUBLIC],
    struct span message, const uint8_t signature[static CRYPTO_SIGNATURE])
{
	static const uint8_t neutral[32] = {1};

	if (memcmp(signature, neutral, sizeof(neutral)) == 0)
		return false;
	/* That it is bad is for good, and said by the one that needs no
	 * memory. */
	return (message.length >= VERIFY_BY_OPENSSL &&
	        verify_by_openssl(public_key, message, signature)) ||
	    crypto_sign_verify_detached(signature, message.data,
	    message.length, public_key) == 0;
}

bool
crypto_ed25519_is_good(const uint8_t public_key[static CRYPTO_SIGN_PUBLIC])
{
	return crypto_core_ed25519_is_valid_point(public_key) == 1;
}

int
crypto_point_public(const uint8_t scalar[static CRYPTO_SCALAR],
    uint8_t point[static CRYPTO_POINT])
{
	secp256k1_pubkey key;
	size_t length = CRYPTO_POINT;

	if (!secp256k1_ec_pubkey_create(ready.curve, &key, scalar))
		return ERR_FORMAT;
	secp256k1_ec_pubkey_serialize(ready.curve, point, &length, &key,
	    SECP256K1_EC_COMPRESSED);
	return 0;
}

bool
crypto_point_is_good(const uint8_t point[static CRYPTO_POINT])
{
	secp256k1_pubkey key;

	return secp256k1_ec_pubkey_parse(ready.curve, &key, point,
	    CRYPTO_POINT) == 1;
}

static int
take_x(unsigned char *output, const unsigned char *x32,
    const unsigned char *y32, void *data)
{
	memcpy(output, x32, 32);
	return 1;
}

int
crypto_agree(const uint8_t scalar[static CRYPTO_SCALAR],
    const uint8_t point[static CRYPTO_POINT], struct crypto_kek *kek)
{
	uint8_t x[32], h[CRYPTO_SHA512];
	secp256k1_pubkey key;

	if (!secp256k1_ec_pubkey_parse(ready.curve, &key, point,
	    CRYPTO_POINT) ||
	    !secp256k1_ecdh(ready.curve, x, &key, scalar, take_x, NULL))
		return ERR_FORMAT;
	crypto_hash_sha512(h, x, sizeof(x));
	for (size_t i = 0; i < sizeof(kek->iv); i++)
		kek->iv[i] = h[i] ^ h[16 + i];
	memcpy(kek->key, h + 32, sizeof(kek->key));
	sodium_memzero(x, sizeof(x));
	sodium_memzero(h, sizeof(h));
	return 0;
}

void
crypto_sha512(struct span data, uint8_t digest[static CRYPTO_SHA512])
{
	if (EVP_Digest(data.data, data.length, digest, NULL, ready.digest,
	    NULL) != 1)
		crypto_hash_sha512(digest, data.data, data.length);
}

void
crypto_hash_start(struct crypto_hash *hash)
{
	crypto_hash_sha512_init((void *)hash->state);
}

void
crypto_hash_add(struct crypto_hash *hash, struct span data)
{
	crypto_hash_sha512_update((void *)hash->state,
	    data.data, data.length);
}

void
crypto_hash_end(struct crypto_hash *hash, uint8_t digest[static CRYPTO_SHA512])
{
	crypto_hash_sha512_final((void *)hash->state,
	    digest);
}

void
crypto_mac(const uint8_t key[static CRYPTO_MAC_KEY], struct span data,
    uint8_t mac[static CRYPTO_MAC])
{
	crypto_auth_hmacsha256(mac, data.data, data.length, key);
}

_Static_assert(crypto_shorthash_BYTES == sizeof(uint64_t) &&
    crypto_shorthash_KEYBYTES == CRYPTO_SHORT_KEY, "SipHash-2-4");

uint64_t
crypto_short_hash(const uint8_t key[static CRYPTO_SHORT_KEY], struct span data)
{
	uint64_t hash;

	crypto_shorthash((uint8_t *)&hash, data.data, data.length, key);
	return hash;
}

bool
crypto_equal(const void *a, const void *b, size_t length)
{
	return sodium_memcmp(a, b, length) == 0;
}

/* Lengths beyond INT_MAX go in pieces. */
static int
cbc(const uint8_t *key, const uint8_t *iv, struct span in, uint8_t *out,
    int encrypt)
{
	const size_t piece_limit = (size_t)1 << 30;
	EVP_CIPHER_CTX *context;
	int err = ERR_INTERNAL, done;

	if (in.length % CRYPTO_AES_BLOCK != 0)
		return ERR_FORMAT;
	context = EVP_CIPHER_CTX_new();
	if (context == NULL)
		return ERR_MEMORY;
	if (!EVP_CipherInit_ex2(context, ready.cipher, key, iv, encrypt, NULL))
		goto end;
	EVP_CIPHER_CTX_set_padding(context, 0);
	while (in.length > 0) {
		struct span piece = span_slice(in, 0, piece_limit);

		if (!EVP_CipherUpdate(context, out, &done, piece.data,
		    (int)piece.length) || (size_t)done != piece.length)
			goto end;
		out += piece.length;
		in = span_slice(in, piece.length, SIZE_MAX);
	}
	err = 0;
end:
	EVP_CIPHER_CTX_free(context);
	return err;
}

int
crypto_cbc_encrypt(const uint8_t key[static CRYPTO_AES_KEY],
    const uint8_t iv[static CRYPTO_AES_BLOCK], uint8_t *data, size_t length)
{
	return cbc(key, iv, span_of(data, length), data, 1);
}

int
crypto_cbc_decrypt(const uint8_t key[static CRYPTO_AES_KEY],
    const uint8_t iv[static CRYPTO_AES_BLOCK], struct span sealed,
    uint8_t *plain)
{
	return cbc(key, iv, sealed, plain, 0);
}

void
crypto_seal(const uint8_t key[static CRYPTO_AEAD_KEY],
    struct span associated, struct span plain, uint8_t *sealed)
{
	randombytes_buf(sealed, CRYPTO_AEAD_NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + CRYPTO_AEAD_NONCE,
	    NULL, plain.data, plain.length, associated.data, associated.length,
	    NULL, sealed, key);
}

int
crypto_unseal(const uint8_t key[static CRYPTO_AEAD_KEY],
    struct span associated, struct span sealed, uint8_t *plain)
{
	if (sealed.length < CRYPTO_AEAD_NONCE + CRYPTO_AEAD_TAG)
		return ERR_CORRUPT;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL,
	    sealed.data + CRYPTO_AEAD_NONCE, sealed.length - CRYPTO_AEAD_NONCE,
	    associated.data, associated.length, sealed.data, key) != 0)
		return ERR_CORRUPT;
	return 0;
}
