/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/error.h"
#include "crypto/mac.h"

/* Contexts that nobody uses now; a thread has one to itself while it does. */
enum { KEPT = 16 };

struct mac_key {
	pthread_mutex_t lock;
	EVP_MAC_CTX *keyed; /* never used but to be copied */
	EVP_MAC_CTX *kept[KEPT];
	size_t kept_count;
};

int
mac_key_new(const uint8_t key[static CRYPTO_MAC_KEY], struct mac_key **out)
{
	struct mac_key *made = calloc(1, sizeof(*made));
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	char digest[] = "SHA256";
	const OSSL_PARAM parameters[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
	    OSSL_PARAM_construct_end()};

	*out = NULL;
	if (made != NULL) {
		pthread_mutex_init(&made->lock, NULL);
		made->keyed = EVP_MAC_CTX_new(hmac);
		if (made->keyed != NULL &&
		    EVP_MAC_init(made->keyed, key, CRYPTO_MAC_KEY,
		        parameters) == 1)
			*out = made;
		else
			mac_key_free(made);
	}
	EVP_MAC_free(hmac);
	return *out == NULL ? ERR_MEMORY : 0;
}

void
mac_key_free(struct mac_key *key)
{
	if (key == NULL)
		return;
	while (key->kept_count > 0)
		EVP_MAC_CTX_free(key->kept[--key->kept_count]);
	EVP_MAC_CTX_free(key->keyed);
	pthread_mutex_destroy(&key->lock);
	free(key);
}

static EVP_MAC_CTX *
take(struct mac_key *key)
{
	EVP_MAC_CTX *context = NULL;

	pthread_mutex_lock(&key->lock);
	if (key->kept_count > 0)
		context = key->kept[--key->kept_count];
	pthread_mutex_unlock(&key->lock);
	return context != NULL ? context : EVP_MAC_CTX_dup(key->keyed);
}

static void
give(struct mac_key *key, EVP_MAC_CTX *context)
{
	pthread_mutex_lock(&key->lock);
	if (key->kept_count < KEPT) {
		key->kept[key->kept_count++] = context;
		context = NULL;
	}
	pthread_mutex_unlock(&key->lock);
	EVP_MAC_CTX_free(context);
}

bool
mac_key_make(struct mac_key *key, const struct span *parts, size_t count,
    uint8_t mac[static CRYPTO_MAC])
{
	EVP_MAC_CTX *context = take(key);
	size_t length;
	bool good;

	if (context == NULL)
		return false;
	/* Without a key: begins anew with the one it has. */
	good = EVP_MAC_init(context, NULL, 0, NULL) == 1;
	for (size_t i = 0; i < count && good; i++)
		good = EVP_MAC_update(context, parts[i].data,
		           parts[i].length) == 1;
	good = good && EVP_MAC_final(context, mac, &length, CRYPTO_MAC) == 1;
	give(key, context);
	return good;
}
