/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "dimectl/files.h"

enum {
	/* A signet of full size in armor, with room for CRLF. */
	SIGNET_FILE_LIMIT = 24 << 20,
	KEY_FILE_LIMIT = 64 << 10,
	PUBLIC_MODE = 0644,
	SECRET_MODE = 0600,
};

static int
read_signet(const char *path,
    int (*read)(struct span, struct signet **, struct fault *),
    struct signet **out, struct fault *fault)
{
	struct buffer data = buffer_make(SIGNET_FILE_LIMIT);
	int err;

	*out = NULL;
	if ((err = file_read(path, &data, fault)) != 0)
		goto out;
	if ((err = read(buffer_span(&data), out, fault)) != 0)
		fault_wrap(fault, "%s", path);
out:
	buffer_free(&data);
	return err;
}

int
files_read_signet(const char *path, struct signet **out, struct fault *fault)
{
	return read_signet(path, signet_read, out, fault);
}

int
files_survey_signet(const char *path, struct signet **out, struct fault *fault)
{
	return read_signet(path, signet_survey, out, fault);
}

int
files_read_kind(const char *path, enum signet_magic magic, struct signet **out,
    struct fault *fault)
{
	int err = files_read_signet(path, out, fault);

	if (err != 0 || (*out)->magic == magic)
		return err;
	err = fault_set(fault, ERR_FORMAT, "%s: is %s, not %s", path,
	    signet_kind_words((*out)->magic), signet_kind_words(magic));
	signet_free(*out);
	*out = NULL;
	return err;
}

int
files_read_chain(const char *path, struct signet_chain *chain,
    struct fault *fault)
{
	struct buffer data = buffer_make(SIGNET_FILE_LIMIT);
	int err;

	*chain = (struct signet_chain){NULL, 0};
	if ((err = file_read(path, &data, fault)) == 0 &&
	    (err = signet_chain_read(buffer_span(&data), chain, fault)) != 0)
		fault_wrap(fault, "%s", path);
	buffer_free(&data);
	return err;
}

/* The signet's own POK in the shape that signet_verify_org() wants. */
struct own_pok {
	uint8_t keys[1][CRYPTO_SIGN_PUBLIC];
};

int
files_verify_org(const char *path, struct signet *signet,
    const uint8_t (*poks)[CRYPTO_SIGN_PUBLIC], size_t pok_count,
    struct org_signet **out, struct fault *fault)
{
	struct own_pok copy;
	const struct own_pok *own = &copy;
	int err;

	memcpy(copy.keys[0],
	    signet_key(signet_find(signet, SIGNET_ORG_POK)->value),
	    sizeof(copy.keys[0]));
	err = signet_verify_org(signet, pok_count == 0 ? own->keys : poks,
	    pok_count == 0 ? 1 : pok_count, NULL, out, fault);
	if (err != 0)
		fault_wrap(fault, "%s", path);
	return err;
}

int
files_read_org(const char *path, const uint8_t (*poks)[CRYPTO_SIGN_PUBLIC],
    size_t pok_count, struct org_signet **out, struct fault *fault)
{
	struct signet *signet;
	int err;

	*out = NULL;
	if ((err = files_read_kind(path, SIGNET_ORG, &signet, fault)) != 0)
		return err;
	err = files_verify_org(path, signet, poks, pok_count, out, fault);
	if (err != 0)
		signet_free(signet);
	return err;
}

int
files_read_user(const char *path, const struct org_signet *org,
    struct user_signet **out, struct fault *fault)
{
	struct signet *signet;
	int err;

	*out = NULL;
	if ((err = files_read_kind(path, SIGNET_USER, &signet, fault)) != 0)
		return err;
	err = signet_verify_user(signet, org, NULL, out, fault);
	if (err != 0) {
		fault_wrap(fault, "%s", path);
		signet_free(signet);
	}
	return err;
}

int
files_read_keys(const char *path, enum keyfile_magic magic,
    struct keyfile **out, struct fault *fault)
{
	struct buffer data = buffer_make(KEY_FILE_LIMIT);
	int err;

	*out = NULL;
	if ((err = file_read(path, &data, fault)) != 0)
		goto out;
	if ((err = keyfile_read(buffer_span(&data), out, fault)) != 0) {
		fault_wrap(fault, "%s", path);
		goto out;
	}
	if ((*out)->magic != magic) {
		keyfile_free(*out);
		*out = NULL;
		err = fault_set(fault, ERR_FORMAT,
		    "%s: holds the keys of %s, not of %s", path,
		    magic == KEYFILE_ORG ? "a user" : "an organization",
		    magic == KEYFILE_ORG ? "an organization" : "a user");
	}
out:
	buffer_free(&data);
	return err;
}

int
files_check_org_key(const char *path, const struct keyfile *keys,
    const struct org_signet *org, enum signet_permission permission,
    struct fault *fault)
{
	uint8_t key[CRYPTO_SIGN_PUBLIC];
	bool listed = false;

	crypto_ed25519_public(keys->seed, key);
	if (org_signet_lists(org, permission, key))
		return 0;
	for (size_t i = 0; i < org->sok_count; i++)
		if (memcmp(key, org->soks[i].key, sizeof(key)) == 0)
			listed = true;
	return fault_set(fault, ERR_MISMATCH, listed
	    ? "%s: the organizational signet lists this key as a SOK without "
	      "permission %d"
	    : "%s: the key is not the POK nor a SOK (permission %d) of the "
	      "organizational signet", path, (int)permission);
}

int
files_write_signet(const char *path, const struct buffer *binary, bool replace,
    struct fault *fault)
{
	struct buffer text = buffer_make(SIGNET_FILE_LIMIT);
	struct signet *signet;
	int err;

	if ((err = signet_parse(buffer_span(binary), &signet, fault)) != 0)
		return err;
	signet_write(signet, &text);
	signet_free(signet);
	err = text.error != 0
	    ? fault_set(fault, text.error, "%s: %s", path,
	          error_row(text.error)->text)
	    : file_write(path, buffer_span(&text), PUBLIC_MODE, replace, fault);
	buffer_free(&text);
	return err;
}

int
files_write_keys(const char *path, const struct keyfile *keys,
    struct fault *fault)
{
	struct buffer text = buffer_make(KEY_FILE_LIMIT);
	int err;

	keyfile_write(keys, &text);
	err = text.error != 0
	    ? fault_set(fault, text.error, "%s: %s", path,
	          error_row(text.error)->text)
	    : file_write(path, buffer_span(&text), SECRET_MODE, false, fault);
	buffer_free(&text);
	return err;
}
