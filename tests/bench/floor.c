/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "dime/headers.h"
#include "dime/mime.h"
#include "tests/bench/floor.h"
#include "tests/bench/primitive.h"

/* What doc/dmime.md says of an encrypted chunk. */
enum {
	SLOT = 64,
	RECIPIENT_SLOT_AT = SLOT, /* the second of two, in content chunks */
	LENGTH_AT = CRYPTO_SIGNATURE,
	FLAGS_AT = 67,
	DATA_AT = 69,
	GZIP = 4,
	CONTINUES = 128,
	SCALAR = 32,
	CHUNK_RANDOM = CRYPTO_AES_KEY + CRYPTO_AES_BLOCK + 4, /* with padding */
};

enum kind {
	RANDOM,
	PAIR,
	AGREE,
	SIGN,
	VERIFY,
	HASH,
	ENCRYPT,
	DECRYPT,
	DEFLATE,
	INFLATE,
};

/* One call. `data` is of the message or mail, or of the floor's copies. */
struct op {
	enum kind kind;
	struct span data;
	bool rekey;
	uint8_t signature[CRYPTO_SIGNATURE];
	primitive_sign *sign;
	primitive_verify *verify;
	primitive_hash *hash;
};

struct floor {
	struct op *ops;
	size_t count;
	size_t capacity;
	uint8_t *copy;   /* of the message: what AES works on */
	uint8_t *room;   /* where zlib writes, and random octets */
	size_t room_length;
	struct buffer packed; /* compressed segments, one behind the other */
};

static void *
must_have(void *memory)
{
	if (memory == NULL) {
		fprintf(stderr, "bench: out of memory\n");
		exit(1);
	}
	return memory;
}

static struct op *
add(struct floor *floor, enum kind kind, struct span data)
{
	if (floor->count == floor->capacity) {
		floor->capacity = floor->capacity * 2 + 64;
		floor->ops = must_have(reallocarray(floor->ops,
		    floor->capacity, sizeof(*floor->ops)));
	}
	floor->ops[floor->count] = (struct op){.kind = kind, .data = data};
	return &floor->ops[floor->count++];
}

static void
add_sign(struct floor *floor, struct span data)
{
	add(floor, SIGN, data)->sign = primitive_fastest_sign(data);
}

static void
add_verify(struct floor *floor, struct span data)
{
	struct op *op = add(floor, VERIFY, data);

	op->verify = primitive_fastest_verify(data);
	primitive_sign_sodium(data, op->signature);
}

static void
add_hash(struct floor *floor, struct span data)
{
	add(floor, HASH, data)->hash = primitive_fastest_hash(data);
}

/* The octets of the floor's copy that are those of the message. */
static struct span
copy_of(const struct floor *floor, const struct message *message,
    struct span part)
{
	return span_of(floor->copy + (part.data - message->blob), part.length);
}

/* Payload and `slots` slots; the keys of slots are scheduled once a message. */
static void
add_cipher(struct floor *floor, const struct message *message,
    const struct message_chunk *chunk, enum kind kind, size_t slots)
{
	for (size_t i = 0; i < slots; i++)
		add(floor, kind, copy_of(floor, message,
		    span_slice(chunk->slots, i * SLOT, SLOT)));
	add(floor, kind, copy_of(floor, message, chunk->payload))->rekey = true;
}

static bool
is_signature(const struct message_chunk *chunk)
{
	return chunk->type >= MESSAGE_TREE_SIGNATURE;
}

/* The chunks up to type `last`. */
static struct span
range(const struct message *message, uint8_t last)
{
	struct span all = message->chunks[0].whole;

	for (size_t i = 1; i < message->chunk_count; i++)
		if (message->chunks[i].type <= last)
			all.length += message->chunks[i].whole.length;
	return all;
}

/* What the signature in a chunk covers; 225's digests are 64 octets a chunk. */
static struct span
covered(const struct message *message, uint8_t type)
{
	size_t digests = 0;

	if (type != MESSAGE_TREE_SIGNATURE)
		return range(message, (uint8_t)(type - 1));
	while (!is_signature(&message->chunks[digests]))
		digests++;
	return span_slice(message_binary(message), 0, digests * CRYPTO_SHA512);
}

/*
 * Decrypts a content chunk into the copy and returns its data; *flags of them.
 */
static struct span
content(const struct floor *floor, const struct message *message,
    const struct message_chunk *chunk, uint8_t *flags)
{
	const struct crypto_kek *kek = &message->kek[MESSAGE_RECIPIENT];
	uint8_t *plain = floor->copy + (chunk->payload.data - message->blob);
	uint8_t slot[SLOT], iv[CRYPTO_AES_BLOCK];
	struct cursor cursor;

	crypto_cbc_decrypt(kek->key, kek->iv,
	    span_slice(chunk->slots, RECIPIENT_SLOT_AT, SLOT), slot);
	for (size_t i = 0; i < sizeof(iv); i++)
		iv[i] = slot[i] ^ slot[sizeof(iv) + i];
	crypto_cbc_decrypt(slot + 2 * sizeof(iv), iv, chunk->payload, plain);
	cursor = cursor_start(span_of(plain + LENGTH_AT, 3));
	*flags = plain[FLAGS_AT];
	return span_of(plain + DATA_AT, cursor_u24(&cursor));
}

/*
 * Finds the content segments that are compressed: seals compress those of the
 * mail, openings inflate those of the message.
 */
static void
add_gzip(struct floor *floor, const struct message *message, enum kind kind,
    const struct mime_segment *segments)
{
	size_t start = 0, segment = 0;
	uint8_t flags;

	for (size_t i = 0; i < message->chunk_count; i++) {
		const struct message_chunk *chunk = &message->chunks[i];

		if (is_signature(chunk) ||
		    chunk->type < MESSAGE_DISPLAY_MULTIPART)
			continue;
		buffer_append_span(&floor->packed,
		    content(floor, message, chunk, &flags));
		if (flags & CONTINUES)
			continue;
		if ((flags & GZIP) && kind == DEFLATE)
			add(floor, kind, segments[segment].data);
		else if (flags & GZIP)
			add(floor, kind, span_slice(buffer_span(&floor->packed),
			    start, SIZE_MAX));
		segment++;
		start = floor->packed.length;
	}
}

static struct floor *
make(const struct message *message, size_t room_length)
{
	struct floor *floor = must_have(calloc(1, sizeof(*floor)));

	floor->copy = must_have(malloc(message->length));
	memcpy(floor->copy, message->blob, message->length);
	floor->room = must_have(malloc(room_length));
	memset(floor->room, 0, room_length);
	floor->room_length = room_length;
	floor->packed = buffer_make(SIZE_MAX);
	/* Views into it must hold. */
	must_have(buffer_extend(&floor->packed, message->length));
	floor->packed.length = 0;
	return floor;
}

struct floor *
floor_of_seal(const struct message *message, struct span mime)
{
	struct floor *floor = make(message, mime.length + (1 << 20));
	struct mime_segment *segments = must_have(calloc(MIME_SEGMENTS,
	    sizeof(*segments)));
	struct span block, body;
	size_t random = SCALAR;

	headers_split(mime, &block, &body);
	mime_cut(block, body, segments);
	add_gzip(floor, message, DEFLATE, segments);
	free(segments);
	add(floor, PAIR, body);
	for (int i = 0; i < MESSAGE_ACTORS; i++)
		add(floor, AGREE, body);
	for (size_t i = 0; i < message->chunk_count; i++) {
		const struct message_chunk *chunk = &message->chunks[i];
		size_t slots = chunk->slots.length / SLOT;

		if (!is_signature(chunk))
			add_hash(floor, chunk->whole);
		if (chunk->type == MESSAGE_EPHEMERAL)
			continue;
		add_sign(floor, is_signature(chunk)
		    ? covered(message, chunk->type)
		    : span_slice(chunk->payload, CRYPTO_SIGNATURE, SIZE_MAX));
		add_cipher(floor, message, chunk, ENCRYPT, slots);
		random += CHUNK_RANDOM + slots * CRYPTO_AES_BLOCK;
	}
	add(floor, RANDOM, span_of(floor->room, random));
	return floor;
}

struct floor *
floor_of_open(const struct message *message)
{
	struct floor *floor = make(message, (size_t)64 << 20);

	add_gzip(floor, message, INFLATE, NULL);
	add(floor, AGREE, message_binary(message));
	for (size_t i = 0; i < message->chunk_count; i++) {
		const struct message_chunk *chunk = &message->chunks[i];

		if (!is_signature(chunk))
			add_hash(floor, chunk->whole);
		if (chunk->type == MESSAGE_EPHEMERAL)
			continue;
		add_verify(floor, is_signature(chunk)
		    ? covered(message, chunk->type)
		    : span_slice(chunk->payload, CRYPTO_SIGNATURE, SIZE_MAX));
		add_cipher(floor, message, chunk, DECRYPT, 1);
	}
	return floor;
}

static void
run_op(struct floor *floor, struct op *op)
{
	uint8_t digest[CRYPTO_SHA512];
	uint8_t *data = (uint8_t *)(uintptr_t)op->data.data;

	switch (op->kind) {
	case RANDOM:
		primitive_random(data, op->data.length);
		break;
	case PAIR:
		primitive_pair();
		break;
	case AGREE:
		primitive_agree();
		break;
	case SIGN:
		op->sign(op->data, op->signature);
		break;
	case VERIFY:
		op->verify(op->data, op->signature);
		break;
	case HASH:
		op->hash(op->data, digest);
		break;
	case ENCRYPT:
		primitive_encrypt(data, op->data.length, op->rekey);
		break;
	case DECRYPT:
		primitive_decrypt(data, op->data.length, op->rekey);
		break;
	case DEFLATE:
		primitive_deflate(op->data, floor->room, floor->room_length);
		break;
	case INFLATE:
		primitive_inflate(op->data, floor->room, floor->room_length);
		break;
	}
}

void
floor_run(struct floor *floor)
{
	for (size_t i = 0; i < floor->count; i++)
		run_op(floor, &floor->ops[i]);
}

void
floor_free(struct floor *floor)
{
	if (floor == NULL)
		return;
	free(floor->ops);
	free(floor->copy);
	free(floor->room);
	buffer_free(&floor->packed);
	free(floor);
}
