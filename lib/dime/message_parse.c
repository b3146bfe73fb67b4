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

/* More are not listed of a message that is refused. */
enum { SURVEY_CHUNKS = 65536 };

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
	return fault_set(fault, err, "chunk %u (%s) at offset %zu: %s",
	    chunk->type, rows[chunk->type].name,
	    (size_t)(chunk->whole.data - message->blob) + message->tracing,
	    what);
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
	const struct chunk_row *row;
	const char *part;

	*chunk = (struct message_chunk){.type = cursor_u8(cursor)};
	row = chunk_row(chunk->type);
	if (row == NULL)
		return fault_set(fault, ERR_FORMAT,
		    "chunk %u at offset %zu: the type is not known",
		    chunk->type, offset);
	length = cursor_u24(cursor);
	part = cursor->failed ? "header" : "payload";
	chunk->payload = cursor_take(cursor, length);
	if (!cursor->failed)
		part = "keyslots";
	chunk->slots = cursor_take(cursor, chunk_slot_count(row) * CHUNK_SLOT);
	if (cursor->failed)
		return fault_set(fault, ERR_FORMAT, "chunk %u (%s) at offset "
		    "%zu: %s past the end of the message, payload length %zu",
		    chunk->type, row->name, offset, part, length);
	chunk->whole = span_slice(rest, 0, cursor->offset - offset);
	return 0;
}

/* Magic number and size. */
static int
read_frame(struct cursor *cursor, struct fault *fault)
{
	size_t length = cursor->rest.length, offset = cursor->offset;
	uint16_t magic = cursor_u16(cursor);
	uint32_t size = cursor_u32(cursor);

	if (cursor->failed)
		return fault_set(fault, ERR_FORMAT, "message: header at offset "
		    "%zu: runs past the end, at %zu octets", offset, length);
	if (magic != MESSAGE_MAGIC) {
		cursor->failed = true;
		return fault_set(fault, ERR_FORMAT, "message: header at offset "
		    "%zu: magic number %u is not %d", offset, magic,
		    MESSAGE_MAGIC);
	}
	if (size != cursor->rest.length)
		return fault_set(fault, ERR_FORMAT, "message: header at offset "
		    "%zu: says %u octets of chunks, %zu follow", offset + 2,
		    size, cursor->rest.length);
	return 0;
}

/*
 * Fills message->chunks from its blob. In a survey a broken rule does not end
 * the listing, where the chunks can still be told apart and there are not so
 * many that nobody would read on; the first one is what is reported.
 */
static int
scan(struct message *message, bool survey, struct fault *fault)
{
	struct cursor cursor = cursor_start(span_of(
	    message->blob - message->tracing,
	    message->tracing + message->length));
	struct message_chunk chunk;
	size_t capacity = 0;
	int err;

	/* Offsets are those in the input. */
	cursor_take(&cursor, message->tracing);
	err = read_frame(&cursor, fault);
	while (!cursor.failed && cursor.rest.length > 0 && (err == 0 ||
	    (survey && message->chunk_count < SURVEY_CHUNKS))) {
		const struct message_chunk *last = message->chunk_count == 0
		    ? NULL
		    : &message->chunks[message->chunk_count - 1];
		int chunk_err = take_chunk(&cursor, &chunk,
		    err == 0 ? fault : NULL);

		if (chunk_err != 0)
			return err == 0 ? chunk_err : err;
		chunk.rule = payload_rule(&chunk);
		if (chunk.rule == NULL)
			chunk.rule = order_rule(last, &chunk);
		if (chunk.rule != NULL && err == 0)
			err = chunk_fault(message, &chunk, fault, ERR_FORMAT,
			    chunk.rule);
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
adopt(uint8_t *blob, size_t length, bool survey, struct message **out,
    struct fault *fault)
{
	struct message *message = calloc(1, sizeof(*message));
	size_t tracing = tracing_length(span_of(blob, length));

	*out = message;
	if (message == NULL) {
		free(blob);
		return fault_set(fault, ERR_MEMORY, "%s", "");
	}
	message->blob = blob + tracing;
	message->length = length - tracing;
	message->tracing = tracing;
	return scan(message, survey, fault);
}

static int
copy(struct span binary, bool survey, struct message **out,
    struct fault *fault)
{
	uint8_t *blob = malloc(binary.length + 1);

	*out = NULL;
	if (blob == NULL)
		return fault_set(fault, ERR_MEMORY, "%s", "");
	if (binary.length > 0)
		memcpy(blob, binary.data, binary.length);
	return adopt(blob, binary.length, survey, out, fault);
}

int
message_parse(struct span binary, struct message **out, struct fault *fault)
{
	int err = copy(binary, false, out, fault);

	if (err != 0) {
		message_free(*out);
		*out = NULL;
	}
	return err;
}

static int
read_any(struct span data, size_t limit, bool survey, struct message **out,
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
			return copy(data, survey, out, fault);
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
	return adopt(binary.data, binary.length, survey, out, fault);
}

int
message_survey(struct span data, size_t limit, struct message **out,
    struct fault *fault)
{
	return read_any(data, limit, true, out, fault);
}

int
message_read(struct span data, size_t limit, struct message **out,
    struct fault *fault)
{
	int err = read_any(data, limit, false, out, fault);

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
	free(message->blob - message->tracing);
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
