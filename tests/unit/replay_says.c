/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/replay.h"

#include <stdio.h>

/* A signet, armored, as a reply of so many lines. */
void
replay_listing(struct signet *signet, int code, struct buffer *out)
{
	struct buffer armor = buffer_make(1 << 20);
	struct span rest, line;

	signet_write(signet, &armor);
	rest = buffer_span(&armor);
	while (span_next_line(&rest, &line))
		buffer_printf(out, "%d-%.*s\n", code, (int)line.length,
		    (const char *)line.data);
	buffer_free(&armor);
	signet_free(signet);
}

/* `key=N` of a step, or `otherwise`. */
static uint8_t
key_number(const struct replay *replay, const struct replay_step *step,
    const char *name, uint8_t otherwise)
{
	const size_t length = strlen(name);

	for (size_t i = 0; i < step->count; i++) {
		const char *word = (const char *)step->words[i].text.data;

		if (strncmp(word, name, length) == 0 && word[length] == '=')
			return (uint8_t)replay_number(replay,
			    word + length + 1);
	}
	return otherwise;
}

/* `core ADDRESS 2 3 4`: the chain of core signets, each signed for by the key
 * before. */
static void
write_history(const struct replay *replay, const struct replay_step *step,
    size_t at, struct buffer *out)
{
	const uint8_t org = key_number(replay, step, "org", 1);
	const char *address = replay_word(replay, step, at++);
	uint8_t before = 0;

	for (; at < step->count; at++) {
		const char *word = replay_word(replay, step, at);
		struct signet *signet, *core;
		struct buffer binary = buffer_make(1 << 16);

		if (strchr(word, '=') != NULL)
			continue;
		signet = world_user_signet(address, org,
		    (uint8_t)replay_number(replay, word), before);
		before = (uint8_t)replay_number(replay, word);
		assert_int_equal(signet_split(signet, SIGNET_STATE_CORE,
		                     &binary, NULL), 0);
		assert_int_equal(signet_parse(buffer_span(&binary), &core,
		                     NULL), 0);
		replay_listing(core, 290, out);
		buffer_free(&binary);
		signet_free(signet);
	}
	buffer_append_string(out, "290 OK\n");
}

/* `org DOMAIN [key=N] [sok=N [permissions=N]]` */
static struct signet *
make_org(const struct replay *replay, const struct replay_step *step,
    size_t at)
{
	const uint8_t number = key_number(replay, step, "sok", 0);
	const struct world_seed seed = world_seed(number);
	struct signet_sok sok = {.permissions = key_number(replay, step,
	                             "permissions", SIGNET_MAY_SIGN_TLS)};

	crypto_ed25519_public(seed.octets, sok.key);
	return world_org_signet_with(replay_word(replay, step, at + 1),
	    key_number(replay, step, "key", 1), number == 0 ? NULL : &sok);
}

void
replay_saying_read(const struct replay *replay,
    const struct replay_step *step, size_t at, struct replay_saying *saying)
{
	const char *kind = replay_word(replay, step, at);

	saying->text = buffer_make(1 << 20);
	if (strcmp(kind, "silence") == 0) {
		saying->silent = true;
	} else if (strcmp(kind, "close") == 0) {
		saying->closes = true;
	} else if (strcmp(kind, "org") == 0) {
		replay_listing(make_org(replay, step, at), 270, &saying->text);
		buffer_append_string(&saying->text, "270 OK\n");
	} else if (strcmp(kind, "user") == 0) {
		replay_listing(world_user_signet(replay_word(replay, step,
		                                    at + 1),
		                  key_number(replay, step, "org", 1),
		                  key_number(replay, step, "key", 2),
		                  key_number(replay, step, "previous", 0)),
		    280, &saying->text);
		buffer_append_string(&saying->text, "280 OK\n");
	} else if (strcmp(kind, "history") == 0) {
		write_history(replay, step, at + 1, &saying->text);
	} else {
		for (; at < step->count; at++)
			buffer_printf(&saying->text, "%s\n",
			    replay_word(replay, step, at));
	}
}
