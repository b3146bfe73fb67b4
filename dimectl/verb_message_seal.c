/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "dime/armor.h"
#include "dimectl/parties.h"
#include "dimectl/verbs.h"

enum { MAIL_LIMIT = 512 << 20 };

struct words {
	const char *author_key, *origin_key, *sender, *bounce;
	struct parties_paths paths;
	bool binary;
};

struct secrets {
	struct keyfile *author, *origin;
};

static int
read_bounce(struct dimectl *ctl, const char *word, unsigned int *bounce)
{
	static const struct {
		const char *word;
		unsigned int bounce;
	} words[] = {
	    {"none", MESSAGE_BOUNCE_NONE},
	    {"metadata", MESSAGE_BOUNCE_METADATA},
	    {"display", MESSAGE_BOUNCE_DISPLAY},
	    {"both", MESSAGE_BOUNCE_METADATA | MESSAGE_BOUNCE_DISPLAY},
	};

	*bounce = MESSAGE_BOUNCE_NONE;
	if (word == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, word) == 0) {
			*bounce = words[i].bounce;
			return 0;
		}
	return fault_set(&ctl->fault, ERR_USAGE,
	    "--bounce %s: not none, metadata, display or both", word);
}

/* --sender as an address; "" and <> are the null sender. */
static int
read_sender(struct dimectl *ctl, const char *word,
    char sender[static ADDRESS_SIZE])
{
	sender[0] = '\0';
	if (word == NULL || word[0] == '\0' || strcmp(word, "<>") == 0 ||
	    address_spell(span_string(word), sender))
		return 0;
	return fault_set(&ctl->fault, ERR_USAGE, "--sender %s: not an address",
	    word);
}

static int
read_secrets(struct dimectl *ctl, const struct words *words,
    const struct parties *parties, struct secrets *secrets)
{
	uint8_t key[CRYPTO_SIGN_PUBLIC];
	int err;

	if ((err = files_read_keys(words->author_key, KEYFILE_USER,
	    &secrets->author, &ctl->fault)) != 0 ||
	    (err = files_read_keys(words->origin_key, KEYFILE_ORG,
	    &secrets->origin, &ctl->fault)) != 0)
		return err;
	crypto_ed25519_public(secrets->author->seed, key);
	if (memcmp(key, parties->author->signing, sizeof(key)) != 0)
		return fault_set(&ctl->fault, ERR_MISMATCH,
		    "%s: is not the key of the signet in %s",
		    words->author_key, words->paths.author);
	return files_check_org_key(words->origin_key, secrets->origin,
	    parties->origin, SIGNET_MAY_SIGN_MESSAGES, &ctl->fault);
}

/* Frees the mail as soon as it is sealed: three forms of it need not be
 * held. */
static int
write_sealed(struct dimectl *ctl, const struct message_seal *seal,
    struct buffer *mime, bool binary)
{
	struct buffer sealed = buffer_make(ctl->output.limit);
	int err;

	if (binary)
		return message_seal(seal, buffer_span(mime), &ctl->output,
		    &ctl->fault);
	err = message_seal(seal, buffer_span(mime), &sealed, &ctl->fault);
	buffer_free(mime);
	if (err == 0)
		armor_write(ARMOR_MESSAGE, buffer_span(&sealed), &ctl->output);
	buffer_free(&sealed);
	return err;
}

static int
run(struct dimectl *ctl, const struct words *words)
{
	struct buffer mime = buffer_make(MAIL_LIMIT);
	struct secrets secrets = {NULL, NULL};
	char sender[ADDRESS_SIZE];
	struct random_source random;
	struct message_seal seal = {.random = &random};
	struct parties parties;
	int err;

	if ((err = read_bounce(ctl, words->bounce, &seal.bounce)) != 0 ||
	    (err = read_sender(ctl, words->sender, sender)) != 0)
		return err;
	if ((err = parties_read(&words->paths, &parties, &ctl->fault)) != 0 ||
	    (err = read_secrets(ctl, words, &parties, &secrets)) != 0 ||
	    (err = file_read("-", &mime, &ctl->fault)) != 0)
		goto out;
	seal.parties = parties_view(&parties);
	seal.author_signer = signer_of_seed(secrets.author->seed);
	seal.origin_signer = signer_of_seed(secrets.origin->seed);
	seal.sender = words->sender != NULL ? sender : NULL;
	random_start(&random);
	err = write_sealed(ctl, &seal, &mime, words->binary);
	random_end(&random);
out:
	keyfile_free(secrets.author);
	keyfile_free(secrets.origin);
	parties_free(&parties);
	buffer_free(&mime);
	return err;
}

int
verb_message_seal(struct dimectl *ctl, int count, char **arguments)
{
	struct words words = {.binary = false};
	const struct option_row rows[] = {
	    {OPTION_VALUE, "--author-key", &words.author_key, true},
	    {OPTION_VALUE, "--author", &words.paths.author, true},
	    {OPTION_VALUE, "--origin-key", &words.origin_key, true},
	    {OPTION_VALUE, "--origin", &words.paths.origin, true},
	    {OPTION_VALUE, "--destination", &words.paths.destination, true},
	    {OPTION_VALUE, "--recipient", &words.paths.recipient, true},
	    {OPTION_VALUE, "--sender", &words.sender, false},
	    {OPTION_VALUE, "--bounce", &words.bounce, false},
	    {OPTION_FLAG, "--binary", &words.binary, false},
	    {OPTION_END, NULL, NULL, false},
	};
	int err = option_read(ctl, count, arguments, rows, NULL, 0, 0);

	return err != 0 ? err : run(ctl, &words);
}
