/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "dime/armor.h"
#include "dime/keyfile.h"
#include "dime/message.h"

/*
 * Makes the files of doc/example.md in the working directory, always the same:
 * everybody's seed and scalar are one octet repeated, and the randomness of the
 * message is a stream with a fixed key.
 *
 * usage: make_example
 */
enum { LIMIT = 1 << 20, MODE = 0600 };

enum person { ALPHA = 1, BETA, ALICE, ALICE_BEFORE, BOB, SOK, PEOPLE };

static const char mail[] =
    "Date: Tue, 24 Nov 2026 12:00:00 +0000\r\n"
    "From: Alice <alice@alpha.test>\r\n"
    "To: bob@beta.test\r\n"
    "Message-ID: <1@alpha.test>\r\n"
    "Subject: Papers\r\n"
    "\r\n"
    "Bring the papers.\r\n";

static uint8_t seeds[PEOPLE][CRYPTO_SEED];
static uint8_t signing[PEOPLE][CRYPTO_SIGN_PUBLIC];
static uint8_t points[PEOPLE][CRYPTO_POINT];

static void
must(int err, const struct fault *fault)
{
	if (err == 0)
		return;
	fprintf(stderr, "make_example: %s\n", fault_text(fault, err));
	exit(EXIT_FAILURE);
}

static void
write_file(const char *name, const struct buffer *content)
{
	struct fault fault = {0};

	must(content->error, &fault);
	must(file_write(name, buffer_span(content), MODE, false, &fault),
	    &fault);
}

static void
make_keys(void)
{
	struct fault fault = {0};

	for (int i = 1; i < PEOPLE; i++) {
		memset(seeds[i], i, CRYPTO_SEED);
		crypto_ed25519_public(seeds[i], signing[i]);
		must(crypto_point_public(seeds[i], points[i]), &fault);
	}
}

static void
write_keys(const char *name, enum person person, enum keyfile_magic magic,
    size_t sok_count)
{
	struct keyfile *keys = keyfile_new(magic, sok_count);
	struct buffer text = buffer_make(LIMIT);

	if (keys == NULL)
		must(ERR_MEMORY, NULL);
	memcpy(keys->seed, seeds[person], CRYPTO_SEED);
	memcpy(keys->scalar, seeds[person], CRYPTO_SCALAR);
	if (sok_count > 0) {
		keys->soks[0].permissions = SIGNET_MAY_SIGN_MESSAGES;
		memcpy(keys->soks[0].seed, seeds[SOK], CRYPTO_SEED);
	}
	keyfile_write(keys, &text);
	write_file(name, &text);
	keyfile_free(keys);
	buffer_free(&text);
}

/* Parses what was made, and writes it down. */
static struct signet *
finish_signet(const char *name, struct buffer *binary)
{
	struct buffer text = buffer_make(LIMIT);
	struct fault fault = {0};
	struct signet *signet;

	must(signet_parse(buffer_span(binary), &signet, &fault), &fault);
	signet_write(signet, &text);
	write_file(name, &text);
	buffer_free(&text);
	buffer_free(binary);
	return signet;
}

static struct org_signet *
make_org(const char *name, enum person person, const char *domain,
    const struct signet_sok *soks, size_t sok_count,
    const struct signet_extra *extras, size_t extra_count)
{
	struct buffer binary = buffer_make(LIMIT);
	struct fault fault = {0};
	struct org_signet *org;

	must(signet_make_org(LAYOUT_STANDARD, signing[person],
	    signer_of_seed(seeds[person]), soks, sok_count, points[person],
	    domain, extras, extra_count, &binary, &fault), &fault);
	must(signet_verify_org(finish_signet(name, &binary),
	    (const uint8_t (*)[CRYPTO_SIGN_PUBLIC])&signing[person], 1, domain,
	    &org, &fault), &fault);
	return org;
}

static struct signet *
make_request(const char *name, enum person person, enum person before)
{
	struct signer signer = signer_of_seed(seeds[before]);
	struct buffer binary = buffer_make(LIMIT);
	struct fault fault = {0};

	must(signet_make_ssr(LAYOUT_STANDARD, signing[person],
	    signer_of_seed(seeds[person]), points[person],
	    before == 0 ? NULL : &signer, &binary, &fault), &fault);
	return finish_signet(name, &binary);
}

/* Frees the request and the signet before this one. */
static struct signet *
sign(const char *name, struct signet *request, struct signet *before,
    enum person org, const char *address, const struct signet_extra *extras,
    size_t extra_count)
{
	struct buffer binary = buffer_make(LIMIT);
	struct fault fault = {0};

	must(signet_make_user(request, before, signer_of_seed(seeds[org]),
	    address, extras, extra_count, &binary, &fault), &fault);
	signet_free(request);
	signet_free(before);
	return finish_signet(name, &binary);
}

static struct user_signet *
verify_user(struct signet *signet, const struct org_signet *org)
{
	struct fault fault = {0};
	struct user_signet *user;

	must(signet_verify_user(signet, org, NULL, &user, &fault), &fault);
	return user;
}

#define TEXT(text) {(const uint8_t *)(text), sizeof(text) - 1}

static void
make_parties(struct message_parties *parties)
{
	static const struct signet_extra of_alpha[] = {
	    {16, {NULL, 0}, TEXT("Alpha")},
	    {160, {NULL, 0}, TEXT("https://alpha.test/")},
	    {SIGNET_UNDEFINED, TEXT("Motto-of-the-day"), TEXT("Caf\xc3\xa9")},
	};
	static const struct signet_extra of_alice[] = {
	    {94, {NULL, 0}, TEXT("Keeper of papers")},
	};
	struct signet_sok sok = {.permissions = SIGNET_MAY_SIGN_MESSAGES};
	struct signet *before;
	struct org_signet *alpha, *beta;

	memcpy(sok.key, signing[SOK], sizeof(sok.key));
	alpha = make_org("alpha.signet", ALPHA, "alpha.test", &sok, 1,
	    of_alpha, sizeof(of_alpha) / sizeof(of_alpha[0]));
	beta = make_org("beta.signet", BETA, "beta.test", NULL, 0, NULL, 0);
	before = sign("alice-before.signet",
	    make_request("alice-before.request", ALICE_BEFORE, 0), NULL, ALPHA,
	    "alice@alpha.test", NULL, 0);
	parties->author = verify_user(sign("alice.signet",
	    make_request("alice.request", ALICE, ALICE_BEFORE), before, ALPHA,
	    "alice@alpha.test", of_alice, 1), alpha);
	parties->recipient = verify_user(sign("bob.signet",
	    make_request("bob.request", BOB, 0), NULL, BETA, "bob@beta.test",
	    NULL, 0), beta);
	parties->origin = alpha;
	parties->destination = beta;
}

/* What each actor gets from the ephemeral key. */
static void
write_agreements(struct span binary)
{
	static const enum person actors[MESSAGE_ACTORS] = {
	    ALICE, ALPHA, BETA, BOB};
	struct buffer text = buffer_make(LIMIT);
	struct fault fault = {0};
	struct message *message;

	must(message_parse(binary, &message, &fault), &fault);
	for (int i = 0; i < MESSAGE_ACTORS; i++) {
		const struct crypto_kek *kek = &message->kek[i];

		must(message_unlock(message, (enum message_actor)i,
		    agreer_of_scalar(seeds[actors[i]]), &fault), &fault);
		buffer_printf(&text, "%-12sIV ", message_actor_name(
		    (enum message_actor)i));
		for (size_t j = 0; j < sizeof(kek->iv); j++)
			buffer_printf(&text, "%02x", kek->iv[j]);
		buffer_append_string(&text, " key ");
		for (size_t j = 0; j < sizeof(kek->key); j++)
			buffer_printf(&text, "%02x", kek->key[j]);
		buffer_u8(&text, '\n');
	}
	write_file("key-encryption-keys", &text);
	message_free(message);
	buffer_free(&text);
}

static void
make_message(const struct message_parties *parties)
{
	static const uint8_t key[32] = {1};
	struct buffer binary = buffer_make(LIMIT), text = buffer_make(LIMIT);
	struct fault fault = {0};
	struct random_source random;
	const struct message_seal seal = {
	    .parties = *parties,
	    .author_signer = signer_of_seed(seeds[ALICE]),
	    .origin_signer = signer_of_seed(seeds[SOK]),
	    .bounce = MESSAGE_BOUNCE_METADATA | MESSAGE_BOUNCE_DISPLAY,
	    .random = &random,
	};

	random_start_keyed(&random, key, span_string("example"));
	must(message_seal(&seal, span_string(mail), &binary, &fault), &fault);
	random_end(&random);
	armor_write(ARMOR_MESSAGE, buffer_span(&binary), &text);
	write_file("message", &text);
	write_agreements(buffer_span(&binary));
	buffer_free(&binary);
	buffer_free(&text);
}

int
main(void)
{
	struct buffer text = buffer_make(LIMIT);
	struct message_parties parties;
	struct fault fault = {0};

	must(crypto_start(&fault), &fault);
	make_keys();
	write_keys("alpha.key", ALPHA, KEYFILE_ORG, 1);
	write_keys("beta.key", BETA, KEYFILE_ORG, 0);
	write_keys("alice.key", ALICE, KEYFILE_USER, 0);
	write_keys("bob.key", BOB, KEYFILE_USER, 0);
	make_parties(&parties);
	make_message(&parties);
	buffer_append_string(&text, mail);
	write_file("mail", &text);
	buffer_free(&text);
	org_signet_free((struct org_signet *)(uintptr_t)parties.origin);
	org_signet_free((struct org_signet *)(uintptr_t)parties.destination);
	user_signet_free((struct user_signet *)(uintptr_t)parties.author);
	user_signet_free((struct user_signet *)(uintptr_t)parties.recipient);
	return EXIT_SUCCESS;
}
