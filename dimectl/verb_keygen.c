/* SPDX-License-Identifier: BSD-2-Clause */
#include <unistd.h>

#include "dimectl/fields.h"
#include "dimectl/files.h"
#include "dimectl/verbs.h"

/* Writes both files or none: keys without their signet are of no use. */
static int
write_pair(struct dimectl *ctl, const char *key_path,
    const struct keyfile *keys, const char *signet_path,
    const struct buffer *binary)
{
	int err = files_write_keys(key_path, keys, &ctl->fault);

	if (err != 0)
		return err;
	err = files_write_signet(signet_path, binary, false, &ctl->fault);
	if (err != 0)
		unlink(key_path);
	return err;
}

static int
no_memory(struct dimectl *ctl)
{
	return fault_set(&ctl->fault, ERR_MEMORY, "no memory for keys");
}

/* ---- organization ---- */

struct org_words {
	const char *domain, *key_out, *signet_out, *layout_word;
	struct option_list soks, fields;
	enum layout layout;
};

/* PERM:KEYFILE. */
static int
read_sok(struct dimectl *ctl, const char *option, struct keyfile_sok *sok,
    struct signet_sok *listed)
{
	const char *colon = strchr(option, ':');
	uint8_t value[1 + CRYPTO_SIGN_PUBLIC];
	struct keyfile *keys;
	uint64_t permissions;
	int err;

	if (colon == NULL || colon[1] == '\0' ||
	    !span_number(span_of(option, (size_t)(colon - option)), UINT8_MAX,
	    &permissions))
		return fault_set(&ctl->fault, ERR_USAGE,
		    "--sok %s: must be PERM:KEYFILE, PERM a number", option);
	if ((err = files_read_keys(colon + 1, KEYFILE_ORG, &keys,
	    &ctl->fault)) != 0) {
		fault_wrap(&ctl->fault, "--sok");
		return err;
	}
	sok->permissions = listed->permissions = (uint8_t)permissions;
	memcpy(sok->seed, keys->seed, sizeof(sok->seed));
	keyfile_free(keys);
	crypto_ed25519_public(sok->seed, listed->key);
	value[0] = listed->permissions;
	memcpy(value + 1, listed->key, sizeof(listed->key));
	if (signet_sok_is_good(span_of(value, sizeof(value))))
		return 0;
	return fault_set(&ctl->fault, ERR_USAGE,
	    "--sok %s: PERM adds up 1 (users), 2 (messages), 4 (TLS), 8 "
	    "(software) and needs one of the first three", option);
}

static int
make_org(struct dimectl *ctl, const struct org_words *words,
    const char *domain, const struct fields *fields, struct keyfile *keys)
{
	struct signet_sok listed[KEYFILE_MAX_SOKS];
	struct buffer binary = buffer_make(SIGNET_MAX_LENGTH);
	uint8_t pok[CRYPTO_SIGN_PUBLIC], point[CRYPTO_POINT];
	int err = 0;

	for (size_t i = 0; i < keys->sok_count; i++)
		if ((err = read_sok(ctl, words->soks.items[i], &keys->soks[i],
		    &listed[i])) != 0)
			return err;
	keys->layout = words->layout;
	crypto_ed25519_public(keys->seed, pok);
	if ((err = crypto_point_public(keys->scalar, point)) != 0 ||
	    (err = signet_make_org(words->layout, pok,
	    signer_of_seed(keys->seed), listed, keys->sok_count, point, domain,
	    fields->extras, fields->count, &binary, &ctl->fault)) != 0)
		goto out;
	err = write_pair(ctl, words->key_out, keys, words->signet_out, &binary);
out:
	buffer_free(&binary);
	return err;
}

int
verb_keygen_org(struct dimectl *ctl, int count, char **argv)
{
	struct org_words words = {0};
	const struct option_row rows[] = {
	    {OPTION_VALUE, "--domain", &words.domain, true},
	    {OPTION_VALUE, "--key-out", &words.key_out, true},
	    {OPTION_VALUE, "--signet-out", &words.signet_out, true},
	    {OPTION_REPEATED, "--sok", &words.soks, false},
	    {OPTION_REPEATED, "--field", &words.fields, false},
	    {OPTION_VALUE, "--layout", &words.layout_word, false},
	    {OPTION_END, NULL, NULL, false},
	};
	char domain[DOMAIN_SIZE];
	struct keyfile *keys = NULL;
	struct fields fields = {0};
	int err;

	if ((err = option_read(ctl, count, argv, rows, NULL, 0, 0)) != 0 ||
	    (err = fields_read_layout(ctl, words.layout_word,
	    &words.layout)) != 0)
		return err;
	if (!domain_normalize(span_string(words.domain), domain))
		return fault_set(&ctl->fault, ERR_USAGE,
		    "--domain %s: not a domain name", words.domain);
	if ((err = fields_read(ctl, words.layout, SIGNET_ORG, &words.fields,
	    &fields)) != 0)
		goto out;
	keys = keyfile_new(KEYFILE_ORG, words.soks.count);
	err = keys == NULL ? no_memory(ctl)
	                   : make_org(ctl, &words, domain, &fields, keys);
out:
	keyfile_free(keys);
	fields_free(&fields);
	return err;
}

/* ---- user ---- */

/* In the layout of the keys. */
static int
make_ssr(struct dimectl *ctl, const struct keyfile *keys,
    const struct keyfile *previous, struct buffer *binary)
{
	uint8_t signing[CRYPTO_SIGN_PUBLIC], point[CRYPTO_POINT];
	struct signer custody;
	int err;

	if (previous != NULL)
		custody = signer_of_seed(previous->seed);
	crypto_ed25519_public(keys->seed, signing);
	if ((err = crypto_point_public(keys->scalar, point)) != 0)
		return err;
	return signet_make_ssr(keys->layout, signing,
	    signer_of_seed(keys->seed), point,
	    previous == NULL ? NULL : &custody, binary, &ctl->fault);
}

int
verb_keygen_user(struct dimectl *ctl, int count, char **argv)
{
	const char *key_out = NULL, *ssr_out = NULL, *previous_key = NULL;
	const char *layout_word = NULL;
	const struct option_row rows[] = {
	    {OPTION_VALUE, "--key-out", &key_out, true},
	    {OPTION_VALUE, "--ssr-out", &ssr_out, true},
	    {OPTION_VALUE, "--previous-key", &previous_key, false},
	    {OPTION_VALUE, "--layout", &layout_word, false},
	    {OPTION_END, NULL, NULL, false},
	};
	struct buffer binary = buffer_make(SIGNET_MAX_LENGTH);
	struct keyfile *keys = NULL, *previous = NULL;
	enum layout layout;
	int err;

	if ((err = option_read(ctl, count, argv, rows, NULL, 0, 0)) != 0 ||
	    (err = fields_read_layout(ctl, layout_word, &layout)) != 0 ||
	    (previous_key != NULL &&
	    (err = files_read_keys(previous_key, KEYFILE_USER, &previous,
	    &ctl->fault)) != 0))
		goto out;
	keys = keyfile_new(KEYFILE_USER, 0);
	if (keys == NULL) {
		err = no_memory(ctl);
		goto out;
	}
	keys->layout = layout;
	if ((err = make_ssr(ctl, keys, previous, &binary)) == 0)
		err = write_pair(ctl, key_out, keys, ssr_out, &binary);
out:
	keyfile_free(keys);
	keyfile_free(previous);
	buffer_free(&binary);
	return err;
}
