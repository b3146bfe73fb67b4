/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <zlib.h>

#include "base/cursor.h"
#include "crypto/verified.h"
#include "dime/message_private.h"

/* ---- slots ---- */

static int
agree_by_scalar(void *context, const uint8_t point[static CRYPTO_POINT],
    struct crypto_kek *kek)
{
	return crypto_agree(context, point, kek);
}

struct agreer
agreer_of_scalar(const uint8_t scalar[static CRYPTO_SCALAR])
{
	/* The context is only read. */
	return (struct agreer){agree_by_scalar, (void *)(uintptr_t)scalar};
}

int
message_unlock(struct message *message, enum message_actor actor,
    struct agreer agreer, struct fault *fault)
{
	const struct message_chunk *ephemeral =
	    chunk_find(message, MESSAGE_EPHEMERAL);
	int err;

	if (ephemeral == NULL || ephemeral->payload.length != CRYPTO_POINT)
		return fault_set(fault, ERR_FORMAT,
		    "chunk %d (%s) is missing or holds no key",
		    MESSAGE_EPHEMERAL, message_chunk_name(MESSAGE_EPHEMERAL));
	err = agreer.agree(agreer.context, ephemeral->payload.data,
	    &message->kek[actor]);
	if (err != 0)
		return fault_set(fault, err, "the %s's key: %s",
		    message_actor_name(actor), error_row(err)->text);
	message->unlocked[actor] = true;
	return 0;
}

enum message_actor
message_reader(const struct message *message, uint8_t type)
{
	enum message_actor actor = MESSAGE_AUTHOR;

	while (actor < MESSAGE_ACTORS && !(message->unlocked[actor] &&
	    message_chunk_access(type, actor)))
		actor++;
	return actor;
}

int
slot_read(const struct access *access, const struct message_chunk *chunk,
    uint8_t slot[static CHUNK_SLOT])
{
	const struct message *message = access->message;
	const struct chunk_row *row = chunk_row(chunk->type);
	enum message_actor actor = access->actor;
	int err;

	if (actor >= MESSAGE_ACTORS || !message->unlocked[actor] ||
	    !message_chunk_access(chunk->type, actor))
		return chunk_fault(message, chunk, access->fault, ERR_NO_ACCESS,
		    "no key at hand has a slot");
	err = crypto_cbc_decrypt(message->kek[actor].key,
	    message->kek[actor].iv, span_slice(chunk->slots,
	    chunk_slot_of(row, actor) * CHUNK_SLOT, CHUNK_SLOT), slot);
	if (err != 0)
		return chunk_fault(message, chunk, access->fault, err,
		    error_row(err)->text);
	return 0;
}

void
slot_iv(const uint8_t slot[static CHUNK_SLOT],
    uint8_t iv[static CRYPTO_AES_BLOCK])
{
	for (size_t i = 0; i < CRYPTO_AES_BLOCK; i++)
		iv[i] = slot[i] ^ slot[CRYPTO_AES_BLOCK + i];
}

int
chunk_decrypt(const struct access *access, const struct message_chunk *chunk,
    size_t length, uint8_t *plain)
{
	uint8_t slot[CHUNK_SLOT], iv[CRYPTO_AES_BLOCK];
	int err = slot_read(access, chunk, slot);

	if (err != 0)
		return err;
	slot_iv(slot, iv);
	err = crypto_cbc_decrypt(slot + 2 * CRYPTO_AES_BLOCK, iv,
	    span_slice(chunk->payload, 0, length), plain);
	explicit_bzero(slot, sizeof(slot));
	if (err != 0)
		return chunk_fault(access->message, chunk, access->fault, err,
		    error_row(err)->text);
	return 0;
}

int
signature_read(const struct access *access, const struct message_chunk *chunk,
    uint8_t signature[static CRYPTO_SIGNATURE])
{
	if (chunk->payload.length != CRYPTO_SIGNATURE)
		return chunk_fault(access->message, chunk, access->fault,
		    ERR_CORRUPT, "holds no signature");
	return chunk_decrypt(access, chunk, CRYPTO_SIGNATURE, signature);
}

/* ---- payloads ---- */

/* Whether there are as many octets of padding as the pad octet says (M7).
 * libdime writes 256 of them as 0, and with alternate padding aligns what is
 * aligned with a block more, which is its dialect alone. */
static bool
padding_fits(const struct access *access, uint8_t flags, uint8_t pad,
    size_t padding)
{
	const size_t block = CRYPTO_AES_BLOCK;

	if (flags & PAYLOAD_ALTERNATE_PADDING)
		return padding / block == pad ||
		    ((access->layout_unknown ||
		    access->layout == LAYOUT_LIBDIME) &&
		    padding % block == 0 && padding / block == pad + 1U);
	return padding == pad || (pad == 0 && padding == 256);
}

/* Which rule of M6-M8 the decrypted payload breaks, or NULL; sets flags and
 * data. */
static const char *
check_plain(const struct access *access, struct payload *payload)
{
	struct cursor cursor = cursor_start(
	    span_of(payload->plain, payload->length));
	size_t length, padding;
	uint8_t pad;

	cursor_take(&cursor, CRYPTO_SIGNATURE);
	length = cursor_u24(&cursor);
	payload->flags = cursor_u8(&cursor);
	pad = cursor_u8(&cursor);
	payload->data = cursor_take(&cursor, length);
	padding = cursor.rest.length;
	if (cursor.failed)
		return "data length passes the payload";
	if (length == 0)
		return "data length is 0";
	if (payload->flags & ~(PAYLOAD_ALTERNATE_PADDING |
	    PAYLOAD_ALTERNATE_KEY | PAYLOAD_GZIP | PAYLOAD_CONTINUES))
		return "a reserved flag is set";
	if (!padding_fits(access, payload->flags, pad, padding))
		return "padding has another length than it says";
	for (size_t i = 0; i < padding; i++)
		if (cursor.rest.data[i] != pad)
			return "padding holds another octet than its length";
	return NULL;
}

/* What chunks 4 and 5 say is the same in all messages of two correspondents, up
 * to how much padding there is, and so is the signature. */
static bool
is_signed(const struct access *access, const struct message_chunk *chunk,
    const struct payload *payload)
{
	const struct span message = span_of(payload->plain + PAYLOAD_LENGTH_AT,
	    payload->length - PAYLOAD_LENGTH_AT);
	const bool returns = chunk->type == MESSAGE_ORIGIN_CHUNK ||
	    chunk->type == MESSAGE_DESTINATION_CHUNK;

	return (returns ? crypto_ed25519_verify_again : crypto_ed25519_verify)(
	    access->author, message, payload->plain);
}

/* Decrypts and checks a payload that is long enough, in out->plain. */
static int
payload_fill(const struct access *access, const struct message_chunk *chunk,
    struct payload *out)
{
	const struct message *message = access->message;
	struct fault *fault = access->fault;
	const char *rule;
	int err = chunk_decrypt(access, chunk, out->length, out->plain);

	if (err != 0)
		return err == ERR_FORMAT ? chunk_fault(message, chunk, fault,
		    ERR_CORRUPT, "payload is not a multiple of 16") : err;
	rule = check_plain(access, out);
	if (rule == NULL && access->author != NULL &&
	    !is_signed(access, chunk, out))
		rule = "plaintext signature is not the author's";
	if (rule != NULL)
		return chunk_fault(message, chunk, fault, ERR_CORRUPT, rule);
	if (out->flags & PAYLOAD_ALTERNATE_KEY)
		return chunk_fault(message, chunk, fault, ERR_ALTERNATE_KEY,
		    "needs the alternate key");
	return 0;
}

int
payload_open(const struct access *access, const struct message_chunk *chunk,
    struct payload *out)
{
	*out = (struct payload){.length = chunk->payload.length};
	if (out->length < PAYLOAD_LEAST)
		return chunk_fault(access->message, chunk, access->fault,
		    ERR_CORRUPT, "payload is too short");
	out->plain = malloc(out->length);
	if (out->plain == NULL)
		return fault_set(access->fault, ERR_MEMORY, "%s", "");
	return payload_fill(access, chunk, out);
}

void
payload_free(struct payload *payload)
{
	if (payload->plain != NULL)
		explicit_bzero(payload->plain, payload->length);
	if (!payload->lent)
		free(payload->plain);
	payload->plain = NULL;
}

/* ---- segments ---- */

enum {
	INFLATE_STEP = 8192,
	INFLATE_MOST = 1 << 30, /* in one call */
	INFLATE_GZIP_ONLY = 16 + MAX_WBITS,
	INFLATE_RATIO = 1032, /* nothing deflates to less than that part */
	GZIP_SIZE = 4,        /* a member ends with the size of what it holds */
};

/* A segment while its pieces are put together. */
struct segment {
	struct buffer *out;
	z_stream stream;
	bool inflating;
	bool inflated; /* the gzip member is over */
	uint8_t flags; /* of the first piece */
	size_t pieces;
	uint64_t total; /* octets of data in all pieces */
};

/* Inflates into the free end of the buffer as far as it goes. */
static int
inflate_step(z_stream *stream, struct buffer *out)
{
	size_t room = buffer_reserve(out, INFLATE_STEP);
	uint8_t beyond; /* the limit: nothing may come */
	int result;

	if (out->error != 0)
		return Z_MEM_ERROR;
	if (room > INFLATE_MOST)
		room = INFLATE_MOST;
	stream->next_out = room > 0 ? out->data + out->length : &beyond;
	stream->avail_out = room > 0 ? (uInt)room : 1;
	result = inflate(stream, Z_NO_FLUSH);
	if (room > 0)
		buffer_extend(out, room - stream->avail_out);
	else
		buffer_append(out, &beyond, 1 - stream->avail_out);
	return result;
}

static const char *
inflate_piece(struct segment *segment, struct span data)
{
	z_stream *stream = &segment->stream;
	int result = segment->inflated ? Z_STREAM_END : Z_OK;

	/* zlib does not write there. */
	stream->next_in = (Bytef *)(uintptr_t)data.data;
	stream->avail_in = (uInt)data.length;
	stream->avail_out = 0;
	while (result == Z_OK && stream->avail_out == 0 &&
	    segment->out->error == 0)
		result = inflate_step(stream, segment->out);
	segment->inflated = result == Z_STREAM_END;
	if (segment->out->error != 0)
		return NULL;
	if (segment->inflated)
		return stream->avail_in > 0
		    ? "something follows the gzip member"
		    : NULL;
	/* Z_BUF_ERROR: it wants the next piece. */
	return result == Z_OK || result == Z_BUF_ERROR
	    ? NULL
	    : "data is not gzip, or damaged";
}

/*
 * Makes room at once for a segment that starts with a piece of so many octets,
 * of `total` in this and later ones: growing would copy and wipe it several
 * times. A gzip member in one piece says what it holds, and may lie, but it
 * holds no more than deflate can put into it.
 */
static void
reserve(struct buffer *out, const struct payload *payload, size_t total)
{
	struct span data = payload->data;

	if ((payload->flags & PAYLOAD_GZIP) && data.length >= GZIP_SIZE &&
	    !(payload->flags & PAYLOAD_CONTINUES)) {
		const uint8_t *size = data.data + data.length - GZIP_SIZE;
		size_t most = data.length * INFLATE_RATIO;

		total = (size_t)size[0] | (size_t)size[1] << 8 |
		    (size_t)size[2] << 16 | (size_t)size[3] << 24;
		if (total > most)
			total = most;
	}
	buffer_reserve(out, total);
}

/* The octets of payload in a segment that starts with chunk `at`, as writers
 * cut it: all pieces but the last are full. */
static size_t
payload_total(const struct message *message, size_t at)
{
	const struct message_chunk *chunk = &message->chunks[at];
	const struct message_chunk *end = message->chunks +
	    message->chunk_count;
	size_t total = chunk->payload.length;

	while (chunk->payload.length == PAYLOAD_MOST && chunk + 1 < end &&
	    chunk[1].type == chunk->type)
		total += (++chunk)->payload.length;
	return total;
}

/* Whether a payload that decrypts holds its data as they are. Nothing has been
 * checked yet: this says only where to decrypt the whole of it. */
static bool
is_stored(const struct access *access, const struct message_chunk *chunk)
{
	uint8_t start[PAYLOAD_LEAST];
	bool stored = chunk->payload.length >= sizeof(start) &&
	    chunk_decrypt(access, chunk, sizeof(start), start) == 0 &&
	    !(start[PAYLOAD_FLAGS_AT] & PAYLOAD_GZIP);

	explicit_bzero(start, sizeof(start));
	return stored;
}

/*
 * Opens chunk `at`, the next piece: in the free end of the buffer if its data
 * are to stay there and the whole payload has room. A buffer of its own would
 * be new memory for the kernel to clear, and to be wiped.
 */
static int
open_piece(const struct access *access, size_t at,
    const struct segment *segment, struct payload *out)
{
	const struct message_chunk *chunk = &access->message->chunks[at];
	struct buffer *buffer = segment->out;
	size_t length = chunk->payload.length;
	size_t total = segment->pieces == 0
	    ? payload_total(access->message, at)
	    : length;
	int err;

	if (is_stored(access, chunk) &&
	    buffer_reserve(buffer, total) >= length) {
		*out = (struct payload){buffer->data + buffer->length, length,
		    true, 0, {NULL, 0}};
		return payload_fill(access, chunk, out);
	}
	err = payload_open(access, chunk, out);
	if (err == 0 && segment->pieces == 0)
		reserve(buffer, out, total);
	return err;
}

/* Appends what was opened in the free end of the buffer; the payload is then
 * what is left behind its data. */
static void
keep(struct buffer *buffer, struct payload *payload)
{
	size_t length = payload->data.length;

	memmove(payload->plain, payload->data.data, length);
	buffer_extend(buffer, length);
	payload->plain += length;
	payload->length -= length;
}

/* Adds the data of the next piece; the rule it breaks, or NULL. */
static const char *
add_piece(struct segment *segment, struct payload *payload)
{
	uint8_t flags = payload->flags & (uint8_t)~PAYLOAD_CONTINUES;

	if (segment->pieces == 0) {
		segment->flags = flags;
		segment->inflating = (flags & PAYLOAD_GZIP) != 0;
		if (segment->inflating && inflateInit2(&segment->stream,
		    INFLATE_GZIP_ONLY) != Z_OK) {
			segment->inflating = false;
			segment->out->error = ERR_MEMORY;
			return NULL;
		}
	} else if (flags != segment->flags) {
		return "pieces of one segment have different flags";
	}
	segment->pieces++;
	segment->total += payload->data.length;
	if (segment->inflating)
		return inflate_piece(segment, payload->data);
	if (payload->lent)
		keep(segment->out, payload);
	else
		buffer_append_span(segment->out, payload->data);
	return NULL;
}

static const char *
check_end(const struct segment *segment)
{
	if (segment->inflating && !segment->inflated)
		return "gzip data is cut off";
	if (segment->pieces > SEGMENT_PIECES &&
	    segment->total <= (uint64_t)SEGMENT_PIECES * DATA_MOST)
		return "split into more pieces than its data needs";
	return NULL;
}

int
segment_read(const struct access *access, size_t *at, struct buffer *out)
{
	const struct message *message = access->message;
	const struct message_chunk *chunk;
	struct segment segment = {.out = out};
	struct payload payload;
	const char *rule;
	bool more;
	int err;

	do {
		chunk = &message->chunks[*at];
		err = open_piece(access, (*at)++, &segment, &payload);
		rule = err == 0 ? add_piece(&segment, &payload) : NULL;
		more = (payload.flags & PAYLOAD_CONTINUES) != 0;
		payload_free(&payload);
		if (rule == NULL && more && (*at == message->chunk_count ||
		    message->chunks[*at].type != chunk->type))
			rule = "is not continued by the next chunk";
	} while (err == 0 && rule == NULL && out->error == 0 && more);
	if (err == 0 && rule == NULL && out->error == 0)
		rule = check_end(&segment);
	if (segment.inflating)
		inflateEnd(&segment.stream);
	if (err != 0)
		return err;
	if (out->error == ERR_TOO_LARGE)
		rule = "content is larger than allowed";
	if (out->error != 0)
		return chunk_fault(message, chunk, access->fault, out->error,
		    rule == NULL ? "out of memory" : rule);
	return rule == NULL
	    ? 0
	    : chunk_fault(message, chunk, access->fault, ERR_CORRUPT, rule);
}
