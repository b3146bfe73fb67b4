/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_CRYPTO_SECRET_H
#define DIME_CRYPTO_SECRET_H

#include "crypto/crypto.h"

/* Memory for long-lived keys: guarded, locked, kept out of core dumps. NULL
 * when there is none. */
void *secret_alloc(size_t length);

/* Wipes and frees; NULL is fine. */
void secret_free(void *secret);

void secret_wipe(void *data, size_t length);

/*
 * Reads a file that holds one base64 value of exactly 32 octets, refusing loose
 * modes as file_read_secret() does. *key is from secret_alloc().
 */
int secret_read_key(const char *path, bool group_may_read, uint8_t **key,
    struct fault *fault);

/* Creates such a file with a fresh random key. ERR_EXISTS when it is there. */
int secret_create_key(const char *path, unsigned int mode,
    struct fault *fault);

#endif
