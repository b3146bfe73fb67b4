/* SPDX-License-Identifier: BSD-2-Clause */
#include <sodium.h>

#include "base/file.h"
#include "crypto/base64.h"
#include "crypto/random.h"
#include "crypto/secret.h"

enum { KEY_LENGTH = 32, KEY_FILE_LIMIT = 256 };

void *
secret_alloc(size_t length)
{
	return sodium_malloc(length);
}

void
secret_free(void *secret)
{
	sodium_free(secret);
}

void
secret_wipe(void *data, size_t length)
{
	sodium_memzero(data, length);
}

int
secret_read_key(const char *path, bool group_may_read, uint8_t **key,
    struct fault *fault)
{
	struct buffer text = buffer_make(KEY_FILE_LIMIT);
	struct span line, rest;
	int err;

	*key = NULL;
	if ((err = file_read_secret(path, group_may_read, &text, fault)) != 0)
		goto out;
	rest = buffer_span(&text);
	*key = secret_alloc(KEY_LENGTH);
	if (*key == NULL) {
		err = fault_set(fault, ERR_MEMORY, "%s: no memory for a key",
		    path);
	} else if (!span_next_line(&rest, &line) || rest.length != 0 ||
	    line.length == 0 || line.data[line.length - 1] != '=' ||
	    !base64_decode_exact(span_slice(line, 0, line.length - 1), *key,
	    KEY_LENGTH)) {
		err = fault_set(fault, ERR_CONFIG,
		    "%s: not one line of base64 for %d octets", path,
		    KEY_LENGTH);
		secret_free(*key);
		*key = NULL;
	}
out:
	buffer_free(&text);
	return err;
}

int
secret_create_key(const char *path, unsigned int mode, struct fault *fault)
{
	struct buffer text = buffer_make(KEY_FILE_LIMIT);
	uint8_t key[KEY_LENGTH];
	int err;

	randombytes_buf(key, sizeof(key));
	base64_append_lines(&text, span_of(key, sizeof(key)), true);
	err = text.error != 0
	    ? fault_set(fault, text.error, "%s: out of memory", path)
	    : file_write(path, buffer_span(&text), mode, false, fault);
	secret_wipe(key, sizeof(key));
	buffer_free(&text);
	return err;
}
