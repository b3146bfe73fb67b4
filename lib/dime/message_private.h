/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIME_MESSAGE_PRIVATE_H
#define DIME_DIME_MESSAGE_PRIVATE_H

#include "dime/message.h"

/* What the message_*.c files share. Nothing else includes this. */

enum {
	MESSAGE_MAGIC = 1847,
	MESSAGE_TRACING_MAGIC = 1837,
	MESSAGE_HEADER = 6, /* magic and size */
	CHUNK_HEADER = 4,   /* type and payload length */
	CHUNK_SLOT = 64,
	/* What stands before the data of an encrypted payload: signature, data
	 * length, flags, pad. */
	PAYLOAD_LENGTH_AT = CRYPTO_SIGNATURE,
	PAYLOAD_FLAGS_AT = PAYLOAD_LENGTH_AT + 3,
	PAYLOAD_PAD_AT = PAYLOAD_FLAGS_AT + 1,
	PAYLOAD_DATA_AT = PAYLOAD_PAD_AT + 1,
	PAYLOAD_LEAST = 80,       /* one octet of data, padded to a block */
	PAYLOAD_MOST = 16777200,  /* the last multiple of 16 in 3 octets */
	PAYLOAD_SHORT = 256,      /* writers do not make shorter ones */
	DATA_MOST = PAYLOAD_MOST - PAYLOAD_DATA_AT,
	SEGMENT_PIECES = 4, /* more only for data that 4 cannot hold */
};

enum payload_flag {
	PAYLOAD_ALTERNATE_PADDING = 1,
	PAYLOAD_ALTERNATE_KEY = 2,
	PAYLOAD_GZIP = 4,
	PAYLOAD_CONTINUES = 128,
};

enum chunk_section {
	SECTION_TRACING,
	SECTION_ENVELOPE,
	SECTION_METADATA,
	SECTION_DISPLAY,
	SECTION_ATTACHMENTS,
	SECTION_SIGNATURES,
};

/* A row of chunk.def. */
struct chunk_row {
	const char *name;
	unsigned int access; /* bit 1 << actor */
	bool required;
	bool repeats;
	bool continues;
	enum chunk_section section;
};

/* NULL for an unknown type. */
const struct chunk_row *chunk_row(uint8_t type);

/* How many slots chunks of the type have, and which of them is the actor's. */
size_t chunk_slot_count(const struct chunk_row *row);
size_t chunk_slot_of(const struct chunk_row *row, enum message_actor actor);

/* The first chunk of the type, or NULL. */
const struct message_chunk *chunk_find(const struct message *message,
    uint8_t type);

/* The octets of the chunks from number 2 up to the last with a type of at most
 * `last`: neighbours on the wire. */
struct span chunk_range(const struct message *message, uint8_t last);

/* Sets the fault with the chunk's number, name and offset in front. Returns
 * `err`. */
int chunk_fault(const struct message *message,
    const struct message_chunk *chunk, struct fault *fault, int err,
    const char *what);

/* With whose slots chunks are decrypted, and what is checked on the way. */
struct access {
	const struct message *message;
	enum message_actor actor;
	const uint8_t *author; /* signing key; NULL: plaintext signatures are
	                          not checked */
	struct fault *fault;
	enum layout layout; /* of the signets */
	bool layout_unknown; /* no signets: what either dialect has is taken */
};

/* The layout of the signets that are given. ERR_MISMATCH where they differ. */
int parties_layout(const struct message_parties *parties, enum layout *layout,
    struct fault *fault);

/* The decrypted payload of one chunk, checked. */
struct payload {
	uint8_t *plain; /* wiped by payload_free(), and freed unless lent */
	size_t length;
	bool lent;
	uint8_t flags;
	struct span data;
};

/* Decrypts the actor's slot of a chunk, to be wiped: R, R xor the chunk's IV,
 * the chunk's key (M5). ERR_NO_ACCESS, ERR_INTERNAL. */
int slot_read(const struct access *access, const struct message_chunk *chunk,
    uint8_t slot[static CHUNK_SLOT]);

/* The IV that a decrypted slot holds. */
void slot_iv(const uint8_t slot[static CHUNK_SLOT],
    uint8_t iv[static CRYPTO_AES_BLOCK]);

/* Decrypts the first `length` octets of the chunk's payload to `plain`. Errors
 * as slot_read(); ERR_FORMAT where that is not a multiple of 16 octets. */
int chunk_decrypt(const struct access *access,
    const struct message_chunk *chunk, size_t length, uint8_t *plain);

/*
 * Decrypts a chunk that is neither cleartext nor a signature and checks
 * lengths, flags, padding and plaintext signature (M6-M8). *out is to be freed
 * in any case. ERR_NO_ACCESS, ERR_CORRUPT, ERR_ALTERNATE_KEY, ERR_MEMORY.
 */
int payload_open(const struct access *access,
    const struct message_chunk *chunk, struct payload *out);

void payload_free(struct payload *payload);

/*
 * Appends the data of the segment that starts at chunk *at to `out`, put
 * together from its pieces and inflated, and moves *at behind it (M8, M9). The
 * limit of `out` bounds it: ERR_TOO_LARGE. Errors as payload_open(). The free
 * end of `out` serves to decrypt: a payload that is refused is wiped from it,
 * the data of pieces before it stay.
 */
int segment_read(const struct access *access, size_t *at, struct buffer *out);

/*
 * Appends a segment of at most 4 GiB compressed, if that pays (M8): if its
 * first 64 KiB and the whole of it shrink. ERR_TOO_LARGE if not; ERR_MEMORY.
 * The same data give the same octets. On error `out` is to be freed all the
 * same.
 */
int segment_pack(struct span data, struct buffer *out);

/* Whether the parties belong together, and the signers to their signets, whose
 * layout *layout gets. ERR_MISMATCH. */
int seal_check(const struct message_seal *seal, enum layout *layout,
    struct fault *fault);

/* Decrypts a signature chunk. ERR_NO_ACCESS, ERR_INTERNAL, ERR_MEMORY. */
int signature_read(const struct access *access,
    const struct message_chunk *chunk,
    uint8_t signature[static CRYPTO_SIGNATURE]);

/* An unlocked actor with a slot in chunks of the type, or MESSAGE_ACTORS. */
enum message_actor message_reader(const struct message *message, uint8_t type);

/* The last chunk type that is covered by the signature in a chunk of `type`
 * (M11). */
uint8_t signature_reach(uint8_t type);

/* 225 and 226 by the author. ERR_SIGNATURE. */
int verify_author(const struct access *access,
    const struct user_signet *author);

/* 255, and 248 and 249 where they are there, by the origin; signatures of zeros
 * pass where `unsigned_passes`. ERR_SIGNATURE. */
int verify_origin(const struct access *access, const struct org_signet *origin,
    bool unsigned_passes);

/* Appends the header block, of at most `limit` octets and what a header may
 * inflate to (doc/dmime.md, section 9), of chunks 33 and 34.
 * `sender` and *has_sender as headers_read(). */
int metadata_read(const struct access *access, size_t limit,
    struct buffer *block, char sender[static ADDRESS_SIZE], bool *has_sender);

/* Reads chunk 4 or 5. */
int envelope_read(const struct access *access, uint8_t type,
    struct message_envelope *out);

/* Compares chunk 4 or 5 with the signets. ERR_MISMATCH. */
int envelope_compare(const struct access *access, uint8_t type,
    const struct message_envelope *envelope, const struct user_signet *user,
    const struct org_signet *org);

/* Makes of the digests that 225 signs what libdime signs instead: that of chunk
 * 5, before which there are `destination` others, is left out, and as many
 * zeros stand at the end. */
void tree_as_libdime(struct buffer *tree, size_t destination);

/* Appends the text of chunk 4 or 5. */
void envelope_write(uint8_t type, const struct message_envelope *envelope,
    struct buffer *out);

/* Whether an address is the signet's, or the signet's with a +tag (S16). */
bool envelope_address_fits(const char *address, const char *identifier);

#endif
