/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/evp.h>
#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

#include "tests/bench/primitive.h"

enum { LEVEL = 1, GZIP = 16 + MAX_WBITS, MEMORY = 8, TRIES = 5 };

static struct {
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
	uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
	EVP_PKEY *signer, *verifier;
	EVP_MD *digest;
	EVP_CIPHER_CTX *encrypt, *decrypt;
	secp256k1_context *curve;
	uint8_t scalar[32], point[CRYPTO_POINT];
	z_stream deflate, inflate;
} kept;

static void
must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench: %s failed\n", what);
	exit(1);
}

double
primitive_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static EVP_CIPHER_CTX *
make_cipher(const EVP_CIPHER *cipher, int encrypt)
{
	static const uint8_t key[CRYPTO_AES_KEY], iv[CRYPTO_AES_BLOCK];
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

	must(context != NULL && EVP_CipherInit_ex2(context, cipher, key, iv,
	    encrypt, NULL) == 1, "AES-256-CBC");
	EVP_CIPHER_CTX_set_padding(context, 0);
	return context;
}

void
primitive_start(void)
{
	static const uint8_t seed[CRYPTO_SEED] = {1};
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);

	must(sodium_init() >= 0, "libsodium");
	crypto_sign_seed_keypair(kept.public_key, kept.secret, seed);
	kept.signer = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
	    sizeof(seed));
	kept.verifier = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
	    kept.public_key, sizeof(kept.public_key));
	kept.digest = EVP_MD_fetch(NULL, "SHA512", NULL);
	must(kept.signer != NULL && kept.verifier != NULL &&
	    kept.digest != NULL && cipher != NULL, "OpenSSL");
	kept.encrypt = make_cipher(cipher, 1);
	kept.decrypt = make_cipher(cipher, 0);
	EVP_CIPHER_free(cipher);
	kept.curve = secp256k1_context_create(
	    SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
	must(kept.curve != NULL, "libsecp256k1");
	memset(kept.scalar, 0x42, sizeof(kept.scalar));
	primitive_pair();
	must(deflateInit2(&kept.deflate, LEVEL, Z_DEFLATED, GZIP, MEMORY,
	    Z_DEFAULT_STRATEGY) == Z_OK, "deflate");
	must(inflateInit2(&kept.inflate, GZIP) == Z_OK, "inflate");
}

void
primitive_end(void)
{
	EVP_PKEY_free(kept.signer);
	EVP_PKEY_free(kept.verifier);
	EVP_MD_free(kept.digest);
	EVP_CIPHER_CTX_free(kept.encrypt);
	EVP_CIPHER_CTX_free(kept.decrypt);
	secp256k1_context_destroy(kept.curve);
	deflateEnd(&kept.deflate);
	inflateEnd(&kept.inflate);
}

/* ---- Ed25519, SHA-512 ---- */

void
primitive_sign_sodium(struct span data,
    uint8_t signature[static CRYPTO_SIGNATURE])
{
	crypto_sign_detached(signature, NULL, data.data, data.length,
	    kept.secret);
}

void
primitive_sign_openssl(struct span data,
    uint8_t signature[static CRYPTO_SIGNATURE])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t length = CRYPTO_SIGNATURE;

	must(context != NULL &&
	    EVP_DigestSignInit(context, NULL, NULL, NULL, kept.signer) == 1 &&
	    EVP_DigestSign(context, signature, &length, data.data,
	    data.length) == 1, "OpenSSL's Ed25519");
	EVP_MD_CTX_free(context);
}

void
primitive_verify_sodium(struct span data,
    const uint8_t signature[static CRYPTO_SIGNATURE])
{
	must(crypto_sign_verify_detached(signature, data.data, data.length,
	    kept.public_key) == 0, "libsodium's Ed25519");
}

void
primitive_verify_openssl(struct span data,
    const uint8_t signature[static CRYPTO_SIGNATURE])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	must(context != NULL &&
	    EVP_DigestVerifyInit(context, NULL, NULL, NULL,
	    kept.verifier) == 1 &&
	    EVP_DigestVerify(context, signature, CRYPTO_SIGNATURE, data.data,
	    data.length) == 1, "OpenSSL's Ed25519");
	EVP_MD_CTX_free(context);
}

void
primitive_hash_sodium(struct span data, uint8_t digest[static CRYPTO_SHA512])
{
	crypto_hash_sha512(digest, data.data, data.length);
}

void
primitive_hash_openssl(struct span data, uint8_t digest[static CRYPTO_SHA512])
{
	must(EVP_Digest(data.data, data.length, digest, NULL, kept.digest,
	    NULL) == 1, "OpenSSL's SHA-512");
}

/* Each is tried a few times in turn, and its best time counts. */
#define FASTER(a, b, call_a, call_b)                                           \
	double best_a = 1e9, best_b = 1e9;                                     \
	for (int i = 0; i < TRIES; i++) {                                      \
		double start = primitive_now(), middle, end;                   \
		call_a;                                                        \
		middle = primitive_now();                                      \
		call_b;                                                        \
		end = primitive_now();                                         \
		if (middle - start < best_a)                                   \
			best_a = middle - start;                               \
		if (end - middle < best_b)                                     \
			best_b = end - middle;                                 \
	}                                                                      \
	return best_a < best_b ? (a) : (b)

primitive_sign *
primitive_fastest_sign(struct span data)
{
	uint8_t signature[CRYPTO_SIGNATURE];

	FASTER(primitive_sign_sodium, primitive_sign_openssl,
	    primitive_sign_sodium(data, signature),
	    primitive_sign_openssl(data, signature));
}

primitive_verify *
primitive_fastest_verify(struct span data)
{
	uint8_t signature[CRYPTO_SIGNATURE];

	primitive_sign_sodium(data, signature);
	FASTER(primitive_verify_sodium, primitive_verify_openssl,
	    primitive_verify_sodium(data, signature),
	    primitive_verify_openssl(data, signature));
}

primitive_hash *
primitive_fastest_hash(struct span data)
{
	uint8_t digest[CRYPTO_SHA512];

	FASTER(primitive_hash_sodium, primitive_hash_openssl,
	    primitive_hash_sodium(data, digest),
	    primitive_hash_openssl(data, digest));
}

/* ---- secp256k1 ---- */

void
primitive_pair(void)
{
	secp256k1_pubkey key;
	size_t length = sizeof(kept.point);

	must(secp256k1_ec_pubkey_create(kept.curve, &key, kept.scalar) == 1,
	    "secp256k1");
	secp256k1_ec_pubkey_serialize(kept.curve, kept.point, &length, &key,
	    SECP256K1_EC_COMPRESSED);
}

static int
take_x(unsigned char *output, const unsigned char *x32,
    const unsigned char *y32, void *data)
{
	memcpy(output, x32, 32);
	return 1;
}

void
primitive_agree(void)
{
	uint8_t x[32], digest[CRYPTO_SHA512];
	secp256k1_pubkey key;

	must(secp256k1_ec_pubkey_parse(kept.curve, &key, kept.point,
	    sizeof(kept.point)) == 1 && secp256k1_ecdh(kept.curve, x, &key,
	    kept.scalar, take_x, NULL) == 1, "ECDH");
	crypto_hash_sha512(digest, x, sizeof(x));
}

/* ---- AES-256-CBC ---- */

static void
cbc(EVP_CIPHER_CTX *context, uint8_t *data, size_t length, bool rekey)
{
	static const uint8_t key[CRYPTO_AES_KEY], iv[CRYPTO_AES_BLOCK];
	int done;

	must(EVP_CipherInit_ex2(context, NULL, rekey ? key : NULL, iv, -1,
	    NULL) == 1 && EVP_CipherUpdate(context, data, &done, data,
	    (int)length) == 1, "AES-256-CBC");
}

void
primitive_encrypt(uint8_t *data, size_t length, bool rekey)
{
	cbc(kept.encrypt, data, length, rekey);
}

void
primitive_decrypt(uint8_t *data, size_t length, bool rekey)
{
	cbc(kept.decrypt, data, length, rekey);
}

/* ---- gzip ---- */

size_t
primitive_deflate(struct span data, uint8_t *out, size_t room)
{
	z_stream *stream = &kept.deflate;

	deflateReset(stream);
	stream->next_in = (Bytef *)(uintptr_t)data.data;
	stream->avail_in = (uInt)data.length;
	stream->next_out = out;
	stream->avail_out = (uInt)room;
	must(deflate(stream, Z_FINISH) == Z_STREAM_END, "deflate");
	return stream->total_out;
}

size_t
primitive_inflate(struct span packed, uint8_t *out, size_t room)
{
	z_stream *stream = &kept.inflate;

	inflateReset(stream);
	stream->next_in = (Bytef *)(uintptr_t)packed.data;
	stream->avail_in = (uInt)packed.length;
	stream->next_out = out;
	stream->avail_out = (uInt)room;
	must(inflate(stream, Z_FINISH) == Z_STREAM_END, "inflate");
	return stream->total_out;
}

void
primitive_random(uint8_t *out, size_t length)
{
	randombytes_buf(out, length);
}
