/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/message_world.h"

#include "base/file.h"
#include "dime/armor.h"
#include "dime/keyfile.h"

static const char *directory;

static void
put(const char *harness, const char *name, struct span content)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, harness);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/%s", directory, harness, name);
	assert_int_equal(file_write(path, content, 0644, true, NULL), 0);
}

static void
put_signets(void)
{
	struct buffer armored = buffer_make(1 << 20);

	put("fuzz_signet", "org", signet_binary(world.alpha->signet));
	put("fuzz_signet", "user", signet_binary(world.alice->signet));
	put("fuzz_signet", "user-by-sok", signet_binary(world.mallory->signet));
	signet_write(world.alice->signet, &armored);
	put("fuzz_signet", "user-armored", buffer_span(&armored));
	put("fuzz_armor", "user-signet", buffer_span(&armored));
	buffer_append_span(&armored, signet_binary(world.alice->signet));
	signet_write(world.mallory->signet, &armored);
	put("fuzz_signet", "chain", buffer_span(&armored));
	buffer_free(&armored);
}

static void
put_keys(enum keyfile_magic magic, size_t soks, const char *name)
{
	struct keyfile *keys = keyfile_new(magic, soks);
	struct buffer armored = buffer_make(1 << 20);

	assert_non_null(keys);
	memcpy(keys->seed, world.keys[WORLD_ALICE], CRYPTO_SEED);
	memcpy(keys->scalar, world.keys[WORLD_ALICE], CRYPTO_SCALAR);
	for (size_t i = 0; i < soks; i++) {
		keys->soks[i].permissions = SIGNET_MAY_SIGN_USERS;
		memcpy(keys->soks[i].seed, world.keys[WORLD_SOK_USERS],
		    CRYPTO_SEED);
	}
	keyfile_write(keys, &armored);
	put("fuzz_keyfile", name, buffer_span(&armored));
	put("fuzz_armor", name, buffer_span(&armored));
	buffer_free(&armored);
	keyfile_free(keys);
}

static void
put_message(const char *mime, const char *name, unsigned int bounce)
{
	struct buffer message = world_sealed(span_string(mime), name, bounce);
	struct buffer armored = buffer_make(1 << 20);

	put("fuzz_message", name, buffer_span(&message));
	put("fuzz_open", name, buffer_span(&message));
	armor_write(ARMOR_MESSAGE, buffer_span(&message), &armored);
	put("fuzz_armor", name, buffer_span(&armored));
	buffer_free(&armored);
	buffer_free(&message);
}

int
main(int argc, char **argv)
{
	void *state = NULL;

	if (argc != 2) {
		fprintf(stderr, "usage: seeds DIRECTORY\n");
		return 2;
	}
	directory = argv[1];
	assert_int_equal(world_start(&state), 0);
	put_signets();
	put_keys(KEYFILE_USER, 0, "user-keys");
	put_keys(KEYFILE_ORG, 2, "org-keys");
	put_message("Subject: a\r\n\r\nbody\r\n", "plain", 0);
	put_message("\r\n", "empty", 0);
	put_message("From: alice@alpha.test\r\nX: y\r\n\r\nbody\r\n", "bounce",
	    MESSAGE_BOUNCE_METADATA | MESSAGE_BOUNCE_DISPLAY);
	world_choose(LAYOUT_LIBDIME);
	put_message("From: alice@alpha.test\r\nX: y\r\n\r\nbody\r\n", "libdime",
	    MESSAGE_BOUNCE_METADATA);
	return world_end(&state);
}
