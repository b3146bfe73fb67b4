/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/cursor.h"
#include "dime/armor.h"
#include "dime/message_private.h"

enum {
	NONE = 0,
	A = 1 << MESSAGE_AUTHOR,
	O = 1 << MESSAGE_ORIGIN,
	D = 1 << MESSAGE_DESTINATION,
	R = 1 << MESSAGE_RECIPIENT,
};

static const struct chunk_row rows[256] = {
#define CHUNK(number, label, access_list, need, repeat, go_on, part)           \
	[number] = {label, access_list, need, repeat, go_on, SECTION_##part},
#include "dime/chunk.def"
#undef CHUNK
};

static const char *const actor_names[MESSAGE_ACTORS] = {
    "author", "origin", "destination", "recipient"};

const struct chunk_row *
chunk_row(uint8_t type)
{
	return rows[type].name == NULL ? NULL : &rows[type];
}

size_t
chunk_slot_of(const struct chunk_row *row, enum message_actor actor)
{
	size_t before = 0;

	for (unsigned int i = 0; i < actor; i++)
		before += row->access >> i & 1;
	return before;
}

size_t
chunk_slot_count(const struct chunk_row *row)
{
	return chunk_slot_of(row, MESSAGE_ACTORS);
}

const char *
message_actor_name(enum message_actor actor)
{
	return actor_names[actor];
}

const char *
message_chunk_name(uint8_t type)
{
	return rows[type].name;
}

bool
message_chunk_access(uint8_t type, enum message_actor actor)
{
	return (rows[type].access >> actor & 1) != 0;
}

const struct message_chunk *
chunk_find(const struct message *message, uint8_t type)
{
	for (size_t i = 0; i < message->chunk_count; i++)
		if (message->chunks[i].type == type)
			return &message->chunks[i];
	return NULL;
}

struct span
chunk_range(const struct message *message, uint8_t last)
{
	struct span range = {NULL, 0};

	for (size_t i = 0; i < message->chunk_count; i++) {
		const struct message_chunk *chunk = &message->chunks[i];

		if (chunk->type == MESSAGE_TRACING)
			continue;
		if (chunk->type > last)
			break;
		if (range.data == NULL)
			range.data = chunk->whole.data;
		range.length += chunk->whole.length;
	}
	return range;
}

int
chunk_fault(const struct message *message, const struct message_chunk *chunk,
    struct fault *fault, int err, const char *what)
{
	return fault_set(fault, err, "chunk %u (%s) at octet %zu: %s",
	    chunk->type, rows[chunk->type].name,
	    (size_t)(chunk->whole.data - message->blob), what);
}

/* ---- parsing ---- */

static const char *
payload_rule(const struct message_chunk *chunk)
{
	size_t length = chunk->payload.length;

	if (chunk->type == MESSAGE_TRACING || chunk->type == MESSAGE_ALTERNATE)
		return NULL;
	if (chunk->type == MESSAGE_EPHEMERAL) {
		if (length != CRYPTO_POINT ||
		    !crypto_point_is_good(chunk->payload.data))
			return "not a compressed secp256k1 point";
		return NULL;
	}
	if (rows[chunk->type].section == SECTION_SIGNATURES)
		return length == CRYPTO_SIGNATURE
		    ? NULL
		    : "payload is not the 64 octets of a signature";
	return length >= PAYLOAD_LEAST && length % CRYPTO_AES_BLOCK == 0
	    ? NULL
	    : "payload is not a multiple of 16 from 80 octets on";
}

/* Why `next` must not follow `previous` (NULL: stand first). */
static const char *
order_rule(const struct message_chunk *previous,
    const struct message_chunk *next)
{
	const struct chunk_row *before, *row = &rows[next->type];

	if (previous == NULL)
		return NULL;
	before = &rows[previous->type];
	if (row->section > before->section)
		return NULL;
	if (row->section < before->section)
		return "out of order: its section is over";
	if (row->repeats || next->type > previous->type)
		return NULL;
	if (next->type < previous->type)
		return "out of order";
	return row->continues ? NULL : "stands twice";
}

/* The last one, 255, may be all that is missing: to DMTP a message that is not
 * signed is another thing than one that is malformed. */
static int
check_required(const struct message *message, struct fault *fault)
{
	for (unsigned int i = 0; i < 256; i++)
		if (rows[i].required &&
		    chunk_find(message, (uint8_t)i) == NULL)
			return fault_set(fault,
			    i == MESSAGE_ORGANIZATION_SIGNATURE
			        ? ERR_SIGNATURE : ERR_FORMAT,
			    "chunk %u (%s) is missing", i, rows[i].name);
	return 0;
}

static int
add_chunk(struct message *message, size_t *capacity,
    const struct message_chunk *chunk)
{
	if (message->chunk_count == *capacity) {
		size_t wanted = *capacity == 0 ? 16 : *capacity * 2;
		struct message_chunk *chunks = reallocarray(message->chunks,
		    wanted, sizeof(*chunks));

		if (chunks == NULL)
			return ERR_MEMORY;
		message->chunks = chunks;
		*capacity = wanted;
	}
	message->chunks[message->chunk_count++] = *chunk;
	return 0;
}

/* Cuts the next chunk off. */
static int
take_chunk(struct cursor *cursor, struct message_chunk *chunk,
    struct fault *fault)
{
	struct span rest = cursor->rest;
	size_t offset = cursor->offset, length;

	chunk->type = cursor_u8(cursor);
	length = cursor_u24(cursor);
	if (cursor->failed)
		return fault_set(fault, ERR_FORMAT,
		    "chunk header at octet %zu passes the end", offset);
	if (chunk_row(chunk->type) == NULL)
		return fault_set(fault, ERR_FORMAT,
		    "unknown chunk type %u at octet %zu", chunk->type, offset);
	chunk->payload = cursor_take(cursor, length);
	chunk->slots = cursor_take(cursor,
	    chunk_slot_count(&rows[chunk->type]) * CHUNK_SLOT);
	if (cursor->failed)
		return fault_set(fault, ERR_FORMAT,
		    "chunk %u (%s) at octet %zu: %zu octets of payload and its "
		    "slots pass the end", chunk->type, rows[chunk->type].name,
		    offset, length);
	chunk->whole = span_slice(rest, 0, cursor->offset - offset);
	return 0;
}

/*
 * Fills message->chunks from its blob. A broken rule does not end the listing
 * where the chunks can still be told apart; the first one is what is reported.
 */
static int
scan(struct message *message, struct fault *fault)
{
	struct cursor cursor = cursor_start(
	    span_of(message->blob, message->length));
	uint16_t magic = cursor_u16(&cursor);
	uint32_t size = cursor_u32(&cursor);
	struct message_chunk chunk;
	size_t capacity = 0;
	const char *rule;
	int err = 0;

	if (cursor.failed || magic != MESSAGE_MAGIC)
		return fault_set(fault, ERR_FORMAT,
		    "not a D/MIME message: the magic number is not %d",
		    MESSAGE_MAGIC);
	if (size != cursor.rest.length)
		err = fault_set(fault, ERR_FORMAT,
		    "message size says %u octets, %zu follow", size,
		    cursor.rest.length);
	while (cursor.rest.length > 0) {
		int chunk_err = take_chunk(&cursor, &chunk,
		    err == 0 ? fault : NULL);

		if (chunk_err != 0)
			return err == 0 ? chunk_err : err;
		rule = payload_rule(&chunk);
		if (rule == NULL)
			rule = order_rule(message->chunk_count == 0
			        ? NULL
			        : &message->chunks[message->chunk_count - 1],
			    &chunk);
		if (rule != NULL && err == 0)
			err = chunk_fault(message, &chunk, fault, ERR_FORMAT,
			    rule);
		if (add_chunk(message, &capacity, &chunk) != 0)
			return fault_set(fault, ERR_MEMORY, "%s", "");
	}
	return err != 0 ? err : check_required(message, fault);
}

/* The length of a leading tracing block, which is no part of the message. */
static size_t
tracing_length(struct span binary)
{
	struct cursor cursor = cursor_start(binary);

	if (cursor_u16(&cursor) != MESSAGE_TRACING_MAGIC)
		return 0;
	cursor_take(&cursor, cursor_u16(&cursor));
	return cursor.failed ? 0 : cursor.offset;
}

/*
 * Makes a message of `blob`, from malloc(), which it takes over in any case.
 * *out is set, for what could be read, unless memory failed.
 */
static int
adopt(uint8_t *blob, size_t length, struct message **out, struct fault *fault)
{
	struct message *message = calloc(1, sizeof(*message));
	size_t tracing = tracing_length(span_of(blob, length));

	*out = message;
	if (message == NULL) {
		free(blob);
		return fault_set(fault, ERR_MEMORY, "%s", "");
	}
	message->blob = blob;
	message->length = length - tracing;
	if (tracing > 0)
		memmove(blob, blob + tracing, message->length);
	return scan(message, fault);
}

static int
copy(struct span binary, struct message **out, struct fault *fault)
{
	uint8_t *blob = malloc(binary.length + 1);

	*out = NULL;
	if (blob == NULL)
		return fault_set(fault, ERR_MEMORY, "%s", "");
	if (binary.length > 0)
		memcpy(blob, binary.data, binary.length);
	return adopt(blob, binary.length, out, fault);
}

int
message_parse(struct span binary, struct message **out, struct fault *fault)
{
	int err = copy(binary, out, fault);

	if (err != 0) {
		message_free(*out);
		*out = NULL;
	}
	return err;
}

int
message_survey(struct span data, size_t limit, struct message **out,
    struct fault *fault)
{
	/* While armor is read, white space counts as if it held octets. */
	struct buffer binary = buffer_make(
	    limit < SIZE_MAX / 4 ? limit + limit / 16 + 4096 : limit);
	enum armor_kind kind = ARMOR_MESSAGE;
	int err = 0;

	*out = NULL;
	if (!armor_is_armored(data)) {
		if (data.length <= limit)
			return copy(data, out, fault);
		err = ERR_TOO_LARGE;
	} else {
		err = armor_read(data, &kind, &binary, fault);
		if (err == 0 && binary.length > limit)
			err = ERR_TOO_LARGE;
	}
	if (err == ERR_TOO_LARGE)
		err = fault_set(fault, err,
		    "message is larger than %zu octets", limit);
	else if (err == 0 && kind != ARMOR_MESSAGE)
		err = fault_set(fault, ERR_FORMAT, "armor of %s, not of %s",
		    armor_label(kind), armor_label(ARMOR_MESSAGE));
	else if (err == 0 && binary.length == 0)
		err = fault_set(fault, ERR_FORMAT, "armor is empty");
	if (err != 0) {
		buffer_free(&binary);
		return err;
	}
	/* The message owns the octets from here on. */
	return adopt(binary.data, binary.length, out, fault);
}

int
message_read(struct span data, size_t limit, struct message **out,
    struct fault *fault)
{
	int err = message_survey(data, limit, out, fault);

	if (err != 0) {
		message_free(*out);
		*out = NULL;
	}
	return err;
}

void
message_free(struct message *message)
{
	if (message == NULL)
		return;
	explicit_bzero(message->kek, sizeof(message->kek));
	free(message->chunks);
	free(message->blob);
	free(message);
}

struct span
message_binary(const struct message *message)
{
	return span_of(message->blob, message->length);
}

void
message_identifier(const struct message *message,
    char out[static SIGNET_FINGERPRINT_SIZE])
{
	uint8_t digest[CRYPTO_SHA512];

	crypto_sha512(message_binary(message), digest);
	base64_encode(span_of(digest, sizeof(digest)), out);
}
