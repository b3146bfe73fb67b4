/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/message_forge.h"

static const enum world_key actor_keys[MESSAGE_ACTORS] = {
    WORLD_ALICE, WORLD_ALPHA, WORLD_BETA, WORLD_BOB};

static const char letters[] = "aodr";

/* Who has slots, as a string of the actors' first letters. */
static const char *
slots_of(uint8_t type)
{
	switch (type) {
	case 0:
	case 2:
		return "";
	case 4:
	case 225:
	case 226:
		return "aor";
	case 5:
		return "adr";
	case 248:
	case 249:
	case 255:
		return "aodr";
	default:
		return "ar";
	}
}

void
forge_start(struct forge *forge)
{
	uint8_t scalar[CRYPTO_SCALAR], point[CRYPTO_POINT];

	memset(scalar, 0x42, sizeof(scalar));
	assert_int_equal(crypto_point_public(scalar, point), 0);
	forge->out = buffer_make(WORLD_LIMIT);
	forge->tree = buffer_make(WORLD_LIMIT);
	forge->metadata_end = forge->display_end = 0;
	forge->libdime_tree = false;
	forge->recipient = NULL;
	forge->mangle = NULL;
	forge->malleable = 0;
	for (int i = 0; i < MESSAGE_ACTORS; i++) {
		uint8_t actor_point[CRYPTO_POINT];

		assert_int_equal(crypto_point_public(
		    world.keys[actor_keys[i]], actor_point), 0);
		assert_int_equal(crypto_agree(scalar, actor_point,
		    &forge->keks[i]), 0);
	}
	buffer_u16(&forge->out, 1847);
	buffer_u32(&forge->out, 0);
	forge_raw(forge, 2, span_of(point, sizeof(point)));
}

static void
finish_chunk(struct forge *forge, uint8_t type, size_t start)
{
	uint8_t digest[CRYPTO_SHA512];

	if (forge->mangle != NULL)
		forge->mangle(forge, forge->out.data + start,
		    forge->out.length - start);
	if (type != 0 && type <= 131) {
		crypto_sha512(span_slice(buffer_span(&forge->out), start,
		    SIZE_MAX), digest);
		buffer_append(&forge->tree, digest, sizeof(digest));
	}
	if (type <= 34)
		forge->metadata_end = forge->out.length;
	if (type <= 67)
		forge->display_end = forge->out.length;
}

void
forge_raw(struct forge *forge, uint8_t type, struct span payload)
{
	size_t start = forge->out.length;

	buffer_u8(&forge->out, type);
	buffer_u24(&forge->out, (uint32_t)payload.length);
	buffer_append_span(&forge->out, payload);
	for (size_t i = 0; i < strlen(slots_of(type)) * 64; i++)
		buffer_u8(&forge->out, (uint8_t)i);
	finish_chunk(forge, type, start);
}

/* Encrypts `plain` and appends it with its slots. */
static void
append_encrypted(struct forge *forge, uint8_t type, struct buffer *plain)
{
	uint8_t key[32], iv[16];
	size_t start = forge->out.length;

	memset(key, type, sizeof(key));
	memset(iv, (int)start, sizeof(iv));
	assert_int_equal(crypto_cbc_encrypt(key, iv, plain->data,
	    plain->length), 0);
	buffer_u8(&forge->out, type);
	buffer_u24(&forge->out, (uint32_t)plain->length);
	buffer_append_span(&forge->out, buffer_span(plain));
	for (const char *slot = slots_of(type); *slot != '\0'; slot++) {
		size_t actor = (size_t)(strchr(letters, *slot) - letters);
		uint8_t octets[64];

		memset(octets, *slot, 16);
		for (int i = 0; i < 16; i++)
			octets[16 + i] = octets[i] ^ iv[i];
		memcpy(octets + 32, key, 32);
		assert_int_equal(crypto_cbc_encrypt(forge->keks[actor].key,
		    forge->keks[actor].iv, octets, sizeof(octets)), 0);
		buffer_append(&forge->out, octets, sizeof(octets));
	}
	finish_chunk(forge, type, start);
}

void
forge_chunk(struct forge *forge, uint8_t type, struct span data,
    const struct forge_payload *how)
{
	struct buffer plain = buffer_make(WORLD_LIMIT);
	struct forge_payload common = {.padding =
	    (16 - (69 + data.length) % 16) % 16};

	common.pad = common.fill = (uint8_t)common.padding;
	if (how == NULL)
		how = &common;
	memset(buffer_extend(&plain, 64), 0, 64);
	buffer_u24(&plain, (uint32_t)((int64_t)data.length + how->length_by));
	buffer_u8(&plain, how->flags);
	buffer_u8(&plain, how->pad);
	buffer_append_span(&plain, data);
	for (size_t i = 0; i < how->padding; i++)
		buffer_u8(&plain, how->fill);
	crypto_ed25519_sign(world.keys[how->signer == 0 ? WORLD_ALICE
	                                                : how->signer],
	    span_slice(buffer_span(&plain), 64, SIZE_MAX), plain.data);
	if (type == forge->malleable)
		unit_malleate(plain.data);
	append_encrypted(forge, type, &plain);
	buffer_free(&plain);
}

/* What envelopes call an organization by. */
static const char *
domain_print(const struct org_signet *org)
{
	return org->core[0] != '\0' ? org->core : org->fingerprint;
}

void
forge_envelope(struct forge *forge)
{
	struct buffer text = buffer_make(WORLD_LIMIT);

	buffer_printf(&text, "Author: <alice@alpha.test>\r\n"
	    "Author-Signet: [%s]\r\nDestination: <beta.test>\r\n"
	    "Destination-Signet: [%s]\r\n", world.alice->core,
	    domain_print(world.beta));
	forge_chunk(forge, 4, buffer_span(&text), NULL);
	buffer_reset(&text);
	buffer_printf(&text, "Recipient: <%s>\r\n"
	    "Recipient-Signet: [%s]\r\nOrigin: <alpha.test>\r\n"
	    "Origin-Signet: [%s]\r\n", forge->recipient == NULL
		? "bob@beta.test" : forge->recipient, world.bob->core,
	    domain_print(world.alpha));
	forge_chunk(forge, 5, buffer_span(&text), NULL);
	buffer_free(&text);
}

void
forge_common(struct forge *forge)
{
	forge_chunk(forge, 33, span_string("\r\n"), NULL);
}

void
forge_sign_over(struct forge *forge, uint8_t type, int signer,
    struct span data)
{
	struct buffer plain = buffer_make(64);
	uint8_t *signature = buffer_extend(&plain, 64);

	memset(signature, 0, 64);
	if (signer > 0)
		crypto_ed25519_sign(world.keys[signer], data, signature);
	if (type == forge->malleable)
		unit_malleate(signature);
	if (signer >= 0)
		append_encrypted(forge, type, &plain);
	buffer_free(&plain);
}

void
forge_sign(struct forge *forge, const struct forge_signers *how)
{
	static const struct forge_signers common = {
	    WORLD_ALICE, WORLD_ALICE, -1, -1, WORLD_ALPHA};

	if (how == NULL)
		how = &common;
	if (forge->libdime_tree) {
		memmove(forge->tree.data + 128, forge->tree.data + 192,
		    forge->tree.length - 192);
		memset(forge->tree.data + forge->tree.length - 64, 0, 64);
	}
	forge_sign_over(forge, 225, how->tree, buffer_span(&forge->tree));
	forge_sign_over(forge, 226, how->author, forge_chunks(forge));
	forge_sign_over(forge, 248, how->metadata,
	    span_slice(forge_chunks(forge), 0, forge->metadata_end - 6));
	forge_sign_over(forge, 249, how->display,
	    span_slice(forge_chunks(forge), 0, forge->display_end - 6));
	forge_sign_over(forge, 255, how->organization, forge_chunks(forge));
}

struct span
forge_chunks(const struct forge *forge)
{
	return span_slice(buffer_span(&forge->out), 6, SIZE_MAX);
}

size_t
forge_slots(uint8_t type)
{
	return strlen(slots_of(type));
}

size_t
forge_slot_of(uint8_t type, enum message_actor actor)
{
	return strcspn(slots_of(type), (const char[]){letters[actor], '\0'});
}

struct span
forge_end(struct forge *forge)
{
	size_t size = forge->out.length - 6;

	for (int i = 0; i < 4; i++)
		forge->out.data[2 + i] = (uint8_t)(size >> (24 - 8 * i));
	return buffer_span(&forge->out);
}

void
forge_free(struct forge *forge)
{
	buffer_free(&forge->out);
	buffer_free(&forge->tree);
}
