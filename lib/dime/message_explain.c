/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "dime/message_private.h"

enum {
	MAGIC_LENGTH = 2,
	TRACING_SIZE_LENGTH = 2,
	SIZE_LENGTH = 4,
	LINES_MOST = 1000, /* of one chunk that are told of one by one */
};

struct explaining {
	const struct message *message;
	const struct explainer *explainer;
	struct explanation out;
	struct fault *fault;
};

/* ---- inside of payloads ---- */

/* What the lines of the data are. */
static const char *
line_words(uint8_t type, const char **rule)
{
	switch (type) {
	case MESSAGE_ORIGIN_CHUNK:
		*rule = "M13";
		return "line of the envelope";
	case MESSAGE_DESTINATION_CHUNK:
		*rule = "M14";
		return "line of the envelope";
	case MESSAGE_COMMON:
		*rule = "M15";
		return "common header field";
	case MESSAGE_HEADERS:
		*rule = "M16";
		return "line of the other header fields";
	default:
		*rule = "M17";
		return "line of the body";
	}
}

static void
explain_lines(struct explanation *out, size_t length, uint8_t type)
{
	struct span data = span_slice(out->rest, 0, length), line;
	size_t end = out->offset + length;
	const char *rule, *words = line_words(type, &rule);

	for (int i = 0; i < LINES_MOST && data.length > 0; i++) {
		const uint8_t *start = data.data;

		span_next_line(&data, &line);
		explain_readable(out, (size_t)(data.length > 0
		    ? data.data - start
		    : (ptrdiff_t)(end - out->offset)), rule, words);
	}
	explain_readable(out, end - out->offset, rule, "further lines");
}

static void
explain_flags(struct explanation *out, uint8_t flags)
{
	const unsigned int known = PAYLOAD_ALTERNATE_PADDING |
	    PAYLOAD_ALTERNATE_KEY | PAYLOAD_GZIP | PAYLOAD_CONTINUES;

	explain_next(out, 1, "M8", "flags %u%s%s%s%s%s", flags,
	    flags & PAYLOAD_ALTERNATE_PADDING ? " alternate-padding" : "",
	    flags & PAYLOAD_ALTERNATE_KEY ? " alternate-key" : "",
	    flags & PAYLOAD_GZIP ? " gzip" : "",
	    flags & PAYLOAD_CONTINUES ? " continues" : "",
	    flags & ~known ? " and reserved ones" : "");
}

static void
explain_plaintext(struct explanation *out, uint8_t type)
{
	struct cursor cursor = cursor_start(out->rest);
	size_t length;
	uint8_t flags, pad;

	cursor_take(&cursor, CRYPTO_SIGNATURE);
	length = cursor_u24(&cursor);
	flags = cursor_u8(&cursor);
	pad = cursor_u8(&cursor);
	explain_next(out, CRYPTO_SIGNATURE, "M6",
	    "Ed25519 signature by the author over the %zu octets behind it",
	    out->rest.length - CRYPTO_SIGNATURE);
	explain_next(out, PAYLOAD_FLAGS_AT - PAYLOAD_LENGTH_AT, "M6",
	    "length of the data: %zu", length);
	explain_flags(out, flags);
	explain_next(out, 1, "M7", "pad %u", pad);
	if (length > out->rest.length)
		explain_next(out, out->rest.length, "M19",
		    "not read: the data would pass the payload");
	else if (flags & PAYLOAD_ALTERNATE_KEY)
		explain_next(out, length, "M12",
		    "data, encrypted once more for the alternate key");
	else if (flags & PAYLOAD_GZIP)
		explain_next(out, length, "M8", "data, compressed (RFC 1952)");
	else
		explain_lines(out, length, type);
	explain_next(out, out->rest.length, "M7", "padding");
}

static void
explain_signature(struct explaining *explaining, struct explanation *out,
    uint8_t type)
{
	static const uint8_t zero[CRYPTO_SIGNATURE];
	const struct message *message = explaining->message;
	uint8_t reach = signature_reach(type);
	struct span range = chunk_range(message, reach);

	if (span_equal(out->rest, span_of(zero, sizeof(zero))))
		explain_next(out, CRYPTO_SIGNATURE, "M11",
		    "zeros: not signed yet");
	else if (type == MESSAGE_TREE_SIGNATURE)
		explain_next(out, CRYPTO_SIGNATURE, "M11", "Ed25519 signature "
		    "by the author over the SHA-512 of each chunk from 2 up to "
		    "%u, one after the other", reach);
	else
		explain_next(out, CRYPTO_SIGNATURE, "M11", "Ed25519 signature "
		    "by the %s over chunks 2 up to %u: %zu octets from %zu on",
		    type == MESSAGE_AUTHOR_SIGNATURE ? "author" : "origin",
		    reach, range.length, range.data == NULL
		        ? (size_t)0
		        : (size_t)(range.data - message->blob) +
		              message->tracing);
}

/* Whether somebody's key is at hand, and there is something that it could
 * decrypt. */
static bool
is_open(const struct explaining *explaining, const struct message_chunk *chunk)
{
	bool signature = chunk_row(chunk->type)->section == SECTION_SIGNATURES;
	size_t length = chunk->payload.length;

	return message_reader(explaining->message, chunk->type) <
	    MESSAGE_ACTORS && chunk->type != MESSAGE_ALTERNATE &&
	    (signature ? length == CRYPTO_SIGNATURE
	               : length >= PAYLOAD_LEAST &&
	                     length % CRYPTO_AES_BLOCK == 0);
}

static int
explain_inside(struct explaining *explaining, const struct message_chunk *chunk)
{
	const struct access access = {
	    .message = explaining->message,
	    .actor = message_reader(explaining->message, chunk->type),
	    .fault = explaining->fault,
	};
	struct span payload = chunk->payload;
	struct explanation inside;
	uint8_t *plain;
	int err;

	if (!is_open(explaining, chunk))
		return 0;
	plain = malloc(payload.length);
	if (plain == NULL)
		return fault_set(explaining->fault, ERR_MEMORY, "%s", "");
	err = chunk_decrypt(&access, chunk, payload.length, plain);
	inside = explain_start(explaining->explainer,
	    span_of(plain, payload.length), true);
	if (err == 0 &&
	    chunk_row(chunk->type)->section == SECTION_SIGNATURES)
		explain_signature(explaining, &inside, chunk->type);
	else if (err == 0)
		explain_plaintext(&inside, chunk->type);
	explicit_bzero(plain, payload.length);
	free(plain);
	return err;
}

/* ---- slots ---- */

static int
explain_slot_inside(struct explaining *explaining,
    const struct message_chunk *chunk, enum message_actor actor)
{
	const struct access access = {
	    .message = explaining->message,
	    .actor = actor,
	    .fault = explaining->fault,
	};
	uint8_t slot[CHUNK_SLOT], iv[CRYPTO_AES_BLOCK];
	char hex[2 * CRYPTO_AES_BLOCK + 1];
	struct explanation inside;
	int err = slot_read(&access, chunk, slot);

	if (err != 0)
		return err;
	slot_iv(slot, iv);
	for (size_t i = 0; i < sizeof(iv); i++)
		snprintf(hex + 2 * i, 3, "%02x", iv[i]);
	inside = explain_start(explaining->explainer,
	    span_of(slot, sizeof(slot)), true);
	explain_next(&inside, CRYPTO_AES_BLOCK, "M5", "R, random");
	explain_next(&inside, CRYPTO_AES_BLOCK, "M5",
	    "R xor the payload's IV, which is %s", hex);
	explain_next(&inside, CRYPTO_AES_KEY, "M5",
	    "the payload's AES-256 key");
	explicit_bzero(slot, sizeof(slot));
	return 0;
}

static int
explain_slots(struct explaining *explaining, const struct message_chunk *chunk)
{
	int err = 0;

	for (int i = 0; i < MESSAGE_ACTORS && err == 0; i++) {
		enum message_actor actor = (enum message_actor)i;

		if (!message_chunk_access(chunk->type, actor))
			continue;
		explain_next(&explaining->out, CHUNK_SLOT, "M3, M5",
		    "keyslot of the %s, encrypted", message_actor_name(actor));
		if (explaining->message->unlocked[actor])
			err = explain_slot_inside(explaining, chunk, actor);
	}
	return err;
}

/* ---- the frame ---- */

static void
explain_payload(struct explanation *out, const struct message_chunk *chunk)
{
	size_t length = chunk->payload.length;

	if (chunk->type == MESSAGE_TRACING)
		explain_next(out, length, "M1", "tracing, in clear");
	else if (chunk->type == MESSAGE_EPHEMERAL)
		explain_next(out, length, "M10",
		    "ephemeral secp256k1 key, compressed point");
	else if (chunk->type == MESSAGE_ALTERNATE)
		explain_next(out, length, "M12", "payload, stepped over");
	else if (chunk_row(chunk->type)->section == SECTION_SIGNATURES)
		explain_next(out, length, "M11", "signature, encrypted");
	else
		explain_next(out, length, "M6", "payload, encrypted");
}

static int
explain_chunk(struct explaining *explaining, const struct message_chunk *chunk)
{
	int err;

	explain_next(&explaining->out, 1, "M2", "chunk %u: %s", chunk->type,
	    chunk_row(chunk->type)->name);
	explain_next(&explaining->out, CHUNK_HEADER - 1, "M1",
	    "length of the payload: %zu", chunk->payload.length);
	explain_payload(&explaining->out, chunk);
	err = explain_inside(explaining, chunk);
	return err != 0 ? err : explain_slots(explaining, chunk);
}

static void
explain_header(struct explanation *out, size_t tracing)
{
	struct cursor cursor = cursor_start(span_slice(out->rest,
	    tracing + MAGIC_LENGTH, SIZE_MAX));
	uint32_t size = cursor_u32(&cursor);

	if (tracing > 0) {
		explain_next(out, MAGIC_LENGTH, "M1",
		    "magic number: %d, a tracing block", MESSAGE_TRACING_MAGIC);
		explain_next(out, TRACING_SIZE_LENGTH, "M1",
		    "length of the tracing: %zu",
		    tracing - MAGIC_LENGTH - TRACING_SIZE_LENGTH);
		explain_next(out, tracing - MAGIC_LENGTH - TRACING_SIZE_LENGTH,
		    "M1", "tracing, no part of the message");
	}
	explain_next(out, MAGIC_LENGTH, "M1",
	    "magic number: %d, a D/MIME message", MESSAGE_MAGIC);
	explain_next(out, SIZE_LENGTH, "M1", size == cursor.rest.length
	    ? "size of what follows: %u"
	    : "size of what follows: %u, which is not so", size);
}

int
message_explain(const struct message *message,
    const struct explainer *explainer, struct fault *fault)
{
	struct span whole = span_of(message->blob - message->tracing,
	    message->tracing + message->length);
	struct explaining explaining = {
	    .message = message,
	    .explainer = explainer,
	    .out = explain_start(explainer, whole, false),
	    .fault = fault,
	};
	struct cursor cursor = cursor_start(message_binary(message));
	int err = 0;

	if (cursor_u16(&cursor) != MESSAGE_MAGIC)
		return 0;
	explain_header(&explaining.out, message->tracing);
	for (size_t i = 0; i < message->chunk_count && err == 0; i++)
		err = explain_chunk(&explaining, &message->chunks[i]);
	if (err == 0)
		explain_next(&explaining.out, explaining.out.rest.length, "M1",
		    "not read: no further chunk can be told apart");
	return err;
}
