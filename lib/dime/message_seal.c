/* SPDX-License-Identifier: BSD-2-Clause */
#include "dime/headers.h"
#include "dime/message_private.h"
#include "dime/mime.h"

enum {
	EXTRA_BLOCKS = 16, /* 15 blocks and alignment fit in a pad octet */
	OVERHEAD = 16384,  /* of a message with short headers */
	SEGMENT_OVERHEAD = 512, /* what its chunk has beyond the data */
	DESTINATION_DIGEST = 2, /* in the tree: 2 and 4 come before 5 */
};

/*
 * A sealing under way. Chunks are built in place at the end of `out`, and every
 * signature over chunks is taken over them there: nothing is copied.
 *
 * All randomness is drawn here and in this order: ephemeral scalar; then for
 * each chunk padding count (not for signatures), key, IV, and R of each slot.
 */
struct sealing {
	const struct message_seal *seal;
	struct crypto_kek keks[MESSAGE_ACTORS];
	struct buffer *out;
	size_t start;        /* of the message in `out` */
	size_t metadata_end; /* what 248 covers */
	size_t display_end;  /* what 249 covers */
	struct buffer tree;  /* what 225 signs */
	enum layout layout;  /* of the signets */
	struct fault *fault;
};

static int
out_of_room(const struct sealing *sealing)
{
	int err = sealing->out->error != 0 ? sealing->out->error
	                                   : sealing->tree.error;

	return fault_set(sealing->fault, err, "message: %s",
	    error_row(err)->text);
}

/* Appends a chunk with room for payload and slots; NULL without room. */
static uint8_t *
start_chunk(struct sealing *sealing, uint8_t type, size_t length)
{
	size_t slots = chunk_slot_count(chunk_row(type)) * CHUNK_SLOT;

	buffer_u8(sealing->out, type);
	buffer_u24(sealing->out, (uint32_t)length);
	return buffer_extend(sealing->out, length + slots);
}

/* The octets from the first chunk up to `end`, an offset in `out`. */
static struct span
chunks_until(const struct sealing *sealing, size_t end)
{
	size_t from = sealing->start + MESSAGE_HEADER;

	return span_of(sealing->out->data + from, end - from);
}

static int
fill_slot(struct sealing *sealing, enum message_actor actor,
    const uint8_t key[static CRYPTO_AES_KEY],
    const uint8_t iv[static CRYPTO_AES_BLOCK], uint8_t *slot)
{
	random_fill(sealing->seal->random, slot, CRYPTO_AES_BLOCK);
	for (size_t i = 0; i < CRYPTO_AES_BLOCK; i++)
		slot[CRYPTO_AES_BLOCK + i] = slot[i] ^ iv[i];
	memcpy(slot + 2 * CRYPTO_AES_BLOCK, key, CRYPTO_AES_KEY);
	return crypto_cbc_encrypt(sealing->keks[actor].key,
	    sealing->keks[actor].iv, slot, CHUNK_SLOT);
}

/* Encrypts the payload that start_chunk() gave and fills the slots. */
static int
encrypt_chunk(struct sealing *sealing, uint8_t type, uint8_t *payload,
    size_t length)
{
	uint8_t key[CRYPTO_AES_KEY], iv[CRYPTO_AES_BLOCK];
	uint8_t *slot = payload + length;
	int err;

	random_fill(sealing->seal->random, key, sizeof(key));
	random_fill(sealing->seal->random, iv, sizeof(iv));
	err = crypto_cbc_encrypt(key, iv, payload, length);
	for (int i = 0; err == 0 && i < MESSAGE_ACTORS; i++)
		if (message_chunk_access(type, (enum message_actor)i)) {
			err = fill_slot(sealing, (enum message_actor)i, key, iv,
			    slot);
			slot += CHUNK_SLOT;
		}
	explicit_bzero(key, sizeof(key));
	if (err != 0)
		return fault_set(sealing->fault, err, "%s", "");
	return 0;
}

static void
add_to_tree(struct sealing *sealing, size_t chunk_start)
{
	uint8_t digest[CRYPTO_SHA512];

	crypto_sha512(span_slice(buffer_span(sealing->out), chunk_start,
	    SIZE_MAX), digest);
	buffer_append(&sealing->tree, digest, sizeof(digest));
}

/* How many octets of padding `length` octets of data get (M7). */
static uint8_t
choose_padding(struct sealing *sealing, size_t length)
{
	size_t bare = PAYLOAD_DATA_AT + length;
	size_t align = (CRYPTO_AES_BLOCK - bare % CRYPTO_AES_BLOCK) %
	    CRYPTO_AES_BLOCK;
	size_t least = 0, most = EXTRA_BLOCKS - 1;

	bare += align;
	if (bare < PAYLOAD_SHORT)
		least = (PAYLOAD_SHORT - bare) / CRYPTO_AES_BLOCK;
	if (most > (PAYLOAD_MOST - bare) / CRYPTO_AES_BLOCK)
		most = (PAYLOAD_MOST - bare) / CRYPTO_AES_BLOCK;
	least += random_below(sealing->seal->random,
	    (uint32_t)(most - least) + 1);
	return (uint8_t)(align + least * CRYPTO_AES_BLOCK);
}

static int
sign(const struct sealing *sealing, const struct signer *signer,
    struct span data, uint8_t signature[static CRYPTO_SIGNATURE])
{
	int err = signer->sign(signer, data, signature);

	if (err != 0)
		return fault_set(sealing->fault, err, "cannot sign: %s",
		    error_row(err)->text);
	return 0;
}

/* One chunk with a piece of data that fits. */
static int
seal_piece(struct sealing *sealing, uint8_t type, uint8_t flags,
    struct span data)
{
	uint8_t pad = choose_padding(sealing, data.length);
	size_t length = PAYLOAD_DATA_AT + data.length + pad;
	size_t chunk_start = sealing->out->length;
	uint8_t *payload = start_chunk(sealing, type, length);
	int err;

	if (payload == NULL)
		return out_of_room(sealing);
	payload[PAYLOAD_LENGTH_AT] = (uint8_t)(data.length >> 16);
	payload[PAYLOAD_LENGTH_AT + 1] = (uint8_t)(data.length >> 8);
	payload[PAYLOAD_LENGTH_AT + 2] = (uint8_t)data.length;
	payload[PAYLOAD_FLAGS_AT] = flags;
	payload[PAYLOAD_PAD_AT] = pad;
	memcpy(payload + PAYLOAD_DATA_AT, data.data, data.length);
	memset(payload + PAYLOAD_DATA_AT + data.length, pad, pad);
	err = sign(sealing, &sealing->seal->author_signer,
	    span_of(payload + PAYLOAD_LENGTH_AT, length - PAYLOAD_LENGTH_AT),
	    payload);
	if (err == 0)
		err = encrypt_chunk(sealing, type, payload, length);
	if (err == 0)
		add_to_tree(sealing, chunk_start);
	return err;
}

/* A data segment, in as many chunks as it needs (M9); none for no data. */
static int
seal_segment(struct sealing *sealing, uint8_t type, uint8_t flags,
    struct span data)
{
	int err = 0;

	if (data.length > DATA_MOST && (!chunk_row(type)->continues ||
	    sealing->layout == LAYOUT_LIBDIME))
		return fault_set(sealing->fault, ERR_TOO_LARGE,
		    "chunk %u (%s): its %zu octets do not fit in one chunk",
		    type, chunk_row(type)->name, data.length);
	while (err == 0 && data.length > 0) {
		struct span piece = span_slice(data, 0, DATA_MOST);

		data = span_slice(data, piece.length, SIZE_MAX);
		err = seal_piece(sealing, type, data.length > 0
		    ? flags | PAYLOAD_CONTINUES
		    : flags, piece);
	}
	return err;
}

static int
seal_signature(struct sealing *sealing, uint8_t type,
    const struct signer *signer, struct span data, size_t data_end)
{
	uint8_t *payload = start_chunk(sealing, type, CRYPTO_SIGNATURE);
	int err;

	if (payload == NULL)
		return out_of_room(sealing);
	if (data.data == NULL)
		data = chunks_until(sealing, data_end);
	err = sign(sealing, signer, data, payload);
	if (err == 0)
		err = encrypt_chunk(sealing, type, payload, CRYPTO_SIGNATURE);
	return err;
}

/* ---- the chunks in their order ---- */

static int
seal_ephemeral(struct sealing *sealing)
{
	const struct message_parties *parties = &sealing->seal->parties;
	const uint8_t *points[MESSAGE_ACTORS] = {
	    [MESSAGE_AUTHOR] = parties->author->encryption,
	    [MESSAGE_ORIGIN] = parties->origin->encryption,
	    [MESSAGE_DESTINATION] = parties->destination->encryption,
	    [MESSAGE_RECIPIENT] = parties->recipient->encryption,
	};
	uint8_t scalar[CRYPTO_SCALAR], point[CRYPTO_POINT], *payload;
	size_t chunk_start = sealing->out->length;
	int err = 0;

	do
		random_fill(sealing->seal->random, scalar, sizeof(scalar));
	while (crypto_point_public(scalar, point) != 0);
	for (int i = 0; err == 0 && i < MESSAGE_ACTORS; i++)
		if (crypto_agree(scalar, points[i], &sealing->keks[i]) != 0)
			err = fault_set(sealing->fault, ERR_FORMAT,
			    "the %s's encryption key is no point",
			    message_actor_name((enum message_actor)i));
	explicit_bzero(scalar, sizeof(scalar));
	if (err != 0)
		return err;
	payload = start_chunk(sealing, MESSAGE_EPHEMERAL, sizeof(point));
	if (payload == NULL)
		return out_of_room(sealing);
	memcpy(payload, point, sizeof(point));
	add_to_tree(sealing, chunk_start);
	return 0;
}

/* The address of chunk 5, in lower case (S16). A bounce goes to what somebody's
 * program made of an address: behind a tag it keeps its case, but in the
 * libdime dialect, whose readers may compare it as it stands. */
static void
spell_recipient(const struct sealing *sealing, char out[static ADDRESS_SIZE])
{
	const struct message_seal *seal = sealing->seal;
	const char *signet = seal->parties.recipient->address;
	const bool bounce = seal->sender != NULL && seal->sender[0] == '\0';
	struct span given = span_string(seal->recipient != NULL ?
	    seal->recipient : signet);

	address_normalize(given, out);
	if (bounce && sealing->layout == LAYOUT_STANDARD &&
	    strcmp(out, signet) != 0)
		address_spell(given, out);
}

static int
seal_envelope(struct sealing *sealing, uint8_t type, const char *address,
    const struct user_signet *user, const struct org_signet *org)
{
	struct message_envelope envelope;
	struct buffer text = buffer_make(SIZE_MAX);
	int err;

	span_copy_string(span_string(address), envelope.spelled,
	    sizeof(envelope.spelled));
	memcpy(envelope.address_fingerprint, user->core, sizeof(user->core));
	memcpy(envelope.domain, org->domain, sizeof(org->domain));
	span_copy_string(span_string(message_org_fingerprint(org)),
	    envelope.domain_fingerprint, sizeof(envelope.domain_fingerprint));
	envelope_write(type, &envelope, &text);
	err = text.error != 0 ? fault_set(sealing->fault, text.error, "%s", "")
	                      : seal_segment(sealing, type, 0,
	                            buffer_span(&text));
	buffer_free(&text);
	return err;
}

static int
seal_envelopes(struct sealing *sealing)
{
	const struct message_parties *parties = &sealing->seal->parties;
	char recipient[ADDRESS_SIZE];
	int err;

	err = seal_envelope(sealing, MESSAGE_ORIGIN_CHUNK,
	    parties->author->address, parties->author, parties->destination);
	if (err != 0)
		return err;
	spell_recipient(sealing, recipient);
	return seal_envelope(sealing, MESSAGE_DESTINATION_CHUNK, recipient,
	    parties->recipient, parties->origin);
}

static int
seal_headers(struct sealing *sealing, struct span block)
{
	const struct message_seal *seal = sealing->seal;
	struct buffer common = buffer_make(SIZE_MAX);
	struct buffer others = buffer_make(SIZE_MAX);
	int err;

	err = headers_write(block, seal->sender != NULL
	        ? seal->sender
	        : seal->parties.author->address,
	    &common, &others, sealing->fault);
	if (err == 0)
		err = seal_segment(sealing, MESSAGE_COMMON, 0,
		    buffer_span(&common));
	if (err == 0)
		err = seal_segment(sealing, MESSAGE_HEADERS, 0,
		    buffer_span(&others));
	sealing->metadata_end = sealing->out->length;
	buffer_free(&common);
	buffer_free(&others);
	return err;
}

/* A content segment, compressed where that pays. */
static int
seal_content(struct sealing *sealing, const struct mime_segment *segment)
{
	struct buffer packed = buffer_make(SIZE_MAX);
	int err = segment_pack(segment->data, &packed);

	if (err == 0)
		err = seal_segment(sealing, segment->type, PAYLOAD_GZIP,
		    buffer_span(&packed));
	else if (err == ERR_TOO_LARGE)
		err = seal_segment(sealing, segment->type, 0, segment->data);
	else
		fault_set(sealing->fault, err, "%s", "");
	buffer_free(&packed);
	return err;
}

/* The body in the libdime dialect: one chunk that is never empty. */
static int
seal_whole_body(struct sealing *sealing, struct span body)
{
	int err;

	if (body.length == 0)
		body = span_string("\r\n");
	err = seal_segment(sealing, MESSAGE_DISPLAY_CONTENT, 0, body);
	sealing->display_end = sealing->out->length;
	return err;
}

/* The body, cut into its parts (M17). */
static int
seal_parts(struct sealing *sealing, const struct mime_segment *segments,
    size_t count)
{
	int err = 0;

	sealing->display_end = sealing->out->length;
	for (size_t i = 0; i < count && err == 0; i++) {
		err = seal_content(sealing, &segments[i]);
		if (segments[i].type <= MESSAGE_DISPLAY_CONTENT)
			sealing->display_end = sealing->out->length;
	}
	return err;
}

static int
seal_signatures(struct sealing *sealing)
{
	const struct message_seal *seal = sealing->seal;
	const struct span chunks = {NULL, 0};
	unsigned int bounce = seal->bounce;
	int err;

	if (sealing->tree.error != 0)
		return out_of_room(sealing);
	if (sealing->layout == LAYOUT_LIBDIME) {
		tree_as_libdime(&sealing->tree, DESTINATION_DIGEST);
		bounce |= MESSAGE_BOUNCE_DISPLAY;
	}
	if ((err = seal_signature(sealing, MESSAGE_TREE_SIGNATURE,
	    &seal->author_signer, buffer_span(&sealing->tree), 0)) != 0 ||
	    (err = seal_signature(sealing, MESSAGE_AUTHOR_SIGNATURE,
	    &seal->author_signer, chunks, sealing->out->length)) != 0)
		return err;
	if (bounce & MESSAGE_BOUNCE_METADATA)
		err = seal_signature(sealing, MESSAGE_METADATA_BOUNCE,
		    &seal->origin_signer, chunks, sealing->metadata_end);
	if (err == 0 && (bounce & MESSAGE_BOUNCE_DISPLAY))
		err = seal_signature(sealing, MESSAGE_DISPLAY_BOUNCE,
		    &seal->origin_signer, chunks, sealing->display_end);
	if (err == 0)
		err = seal_signature(sealing, MESSAGE_ORGANIZATION_SIGNATURE,
		    &seal->origin_signer, chunks, sealing->out->length);
	return err;
}

static int
write_size(const struct sealing *sealing)
{
	size_t size = sealing->out->length - sealing->start - MESSAGE_HEADER;
	uint8_t *at = sealing->out->data + sealing->start + 2;

	if (size > UINT32_MAX)
		return fault_set(sealing->fault, ERR_TOO_LARGE,
		    "message is larger than the format can hold");
	for (size_t i = 0; i < 4; i++)
		at[i] = (uint8_t)(size >> (24 - 8 * i));
	return 0;
}

static int
seal_chunks(struct sealing *sealing, struct span mime)
{
	struct mime_segment segments[MIME_SEGMENTS];
	struct span block, body;
	size_t count;
	int err;

	headers_split(mime, &block, &body);
	count = mime_cut(block, body, segments);
	/* Room at once: growing would copy a large message several times. */
	buffer_reserve(sealing->out, mime.length + OVERHEAD +
	    count * SEGMENT_OVERHEAD);
	buffer_u16(sealing->out, MESSAGE_MAGIC);
	buffer_u32(sealing->out, 0);
	if ((err = seal_ephemeral(sealing)) != 0 ||
	    (err = seal_envelopes(sealing)) != 0 ||
	    (err = seal_headers(sealing, block)) != 0 ||
	    (err = sealing->layout == LAYOUT_LIBDIME
	        ? seal_whole_body(sealing, body)
	        : seal_parts(sealing, segments, count)) != 0)
		return err;
	err = seal_signatures(sealing);
	return err != 0 ? err : write_size(sealing);
}

int
message_seal(const struct message_seal *seal, struct span mime,
    struct buffer *out, struct fault *fault)
{
	struct sealing sealing = {
	    .seal = seal,
	    .out = out,
	    .start = out->length,
	    .tree = buffer_make(SIZE_MAX),
	    .fault = fault,
	};
	int err;

	if ((err = seal_check(seal, &sealing.layout, fault)) != 0)
		return err;
	if (mime.length > UINT32_MAX)
		return fault_set(fault, ERR_TOO_LARGE,
		    "message is larger than the format can hold");
	err = seal_chunks(&sealing, mime);
	if (err != 0 && out->length > sealing.start) {
		/* Some of it may not be encrypted yet. */
		explicit_bzero(out->data + sealing.start,
		    out->length - sealing.start);
		out->length = sealing.start;
	}
	explicit_bzero(sealing.keks, sizeof(sealing.keks));
	buffer_free(&sealing.tree);
	return err;
}
