/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_DIME_MESSAGE_H
#define DIME_DIME_MESSAGE_H

#include "crypto/random.h"
#include "dime/signet.h"

/*
 * D/MIME messages (Part 6; our readings in doc/dmime.md).
 *
 * Four actors have keys: author, origin, destination, recipient. A message is
 * sealed in one go by a site that is author and origin, and read in stages:
 *
 *	message_parse()      frame, order, slots: anybody can check these
 *	message_unlock()     one actor's key encryption key, by ECDH
 *	message_origin_envelope(), message_destination_envelope()
 *	message_verify_organization()   chunk 255
 *	message_open_header()           its header, verified, for listing
 *	message_open()                  everything, verified, as a MIME message
 */

enum message_actor {
	MESSAGE_AUTHOR,
	MESSAGE_ORIGIN,
	MESSAGE_DESTINATION,
	MESSAGE_RECIPIENT,
	MESSAGE_ACTORS
};

/* The numbers stand in chunk.def; these are the ones that code names. */
enum message_chunk_type {
	MESSAGE_TRACING = 0,
	MESSAGE_EPHEMERAL = 2,
	MESSAGE_ALTERNATE = 3,
	MESSAGE_ORIGIN_CHUNK = 4,
	MESSAGE_DESTINATION_CHUNK = 5,
	MESSAGE_COMMON = 33,
	MESSAGE_HEADERS = 34,
	MESSAGE_DISPLAY_MULTIPART = 65,
	MESSAGE_DISPLAY_ALTERNATIVE = 66,
	MESSAGE_DISPLAY_CONTENT = 67,
	MESSAGE_ATTACHMENT_CONTENT = 131,
	MESSAGE_TREE_SIGNATURE = 225,
	MESSAGE_AUTHOR_SIGNATURE = 226,
	MESSAGE_METADATA_BOUNCE = 248,
	MESSAGE_DISPLAY_BOUNCE = 249,
	MESSAGE_ORGANIZATION_SIGNATURE = 255,
};

struct message_chunk {
	uint8_t type;
	struct span whole; /* as on the wire: type, length, payload, slots */
	struct span payload;
	struct span slots; /* 64 octets each, in the order of the actors */
	const char *rule;  /* that it breaks, in a message_survey(); or NULL */
};

struct message {
	uint8_t *blob; /* owned, with a tracing block in front of it */
	size_t length;
	size_t tracing; /* octets of that block, mostly none */
	struct message_chunk *chunks;
	size_t chunk_count;
	bool unlocked[MESSAGE_ACTORS];
	struct crypto_kek kek[MESSAGE_ACTORS];
};

/* Chunks 4 (author, destination) and 5 (recipient, origin), M13 and M14. */
struct message_envelope {
	char address[ADDRESS_SIZE]; /* author or recipient */
	char spelled[ADDRESS_SIZE]; /* the local part in its own case */
	char address_fingerprint[SIGNET_FINGERPRINT_SIZE]; /* core */
	char domain[DOMAIN_SIZE]; /* destination or origin */
	char domain_fingerprint[SIGNET_FINGERPRINT_SIZE];
};

/* What an envelope calls an organization by (S11): its fingerprint, in the
 * libdime layout that of the core. */
const char *message_org_fingerprint(const struct org_signet *org);

/*
 * Parses a binary message that fills `binary` exactly (M1-M3): magic, sizes,
 * known types, order, required chunks, number of slots, payload sizes. Copies
 * it. ERR_FORMAT names chunk, offset and rule; ERR_SIGNATURE when all that is
 * wrong is that the organizational signature is missing.
 */
int message_parse(struct span binary, struct message **out,
    struct fault *fault);

/* As message_parse() for armored or binary input, at most `limit` octets of
 * binary: ERR_TOO_LARGE. */
int message_read(struct span data, size_t limit, struct message **out,
    struct fault *fault);

/* As message_read(), for listing what is wrong: on ERR_FORMAT *out may still
 * hold the chunks that can be told apart, no more than 65536 once one is bad.
 * Such a message is good for message_unlock(), message_try_chunk(),
 * message_describe() and message_explain() alone. */
int message_survey(struct span data, size_t limit, struct message **out,
    struct fault *fault);

/* Wipes and frees. */
void message_free(struct message *message);

/* The binary form that was parsed. */
struct span message_binary(const struct message *message);

/* The identifier of DMTP's 254 reply: SHA-512 of the binary in base64. */
void message_identifier(const struct message *message,
    char out[static SIGNET_FINGERPRINT_SIZE]);

/* Likewise of what 255 covers. Others' slots in 255 can be changed on the way:
 * the same message then has another identifier, but it has no other one of
 * these. */
void message_signed_identifier(const struct message *message,
    char out[static SIGNET_FINGERPRINT_SIZE]);

/* ECDH with an actor's private key; the key stays behind it. */
struct agreer {
	int (*agree)(void *context, const uint8_t point[static CRYPTO_POINT],
	    struct crypto_kek *kek);
	void *context;
};

/* An agreer over a plain scalar that outlives it. */
struct agreer agreer_of_scalar(const uint8_t scalar[static CRYPTO_SCALAR]);

/* Derives the actor's key encryption key from chunk 2. */
int message_unlock(struct message *message, enum message_actor actor,
    struct agreer agreer, struct fault *fault);

/* Read chunk 4, or 5, with the key of any unlocked actor that has access. The
 * plaintext signature is not checked here: message_open() does. ERR_NO_ACCESS,
 * ERR_CORRUPT, ERR_FORMAT. */
int message_origin_envelope(const struct message *message,
    struct message_envelope *out, struct fault *fault);
int message_destination_envelope(const struct message *message,
    struct message_envelope *out, struct fault *fault);

/* Checks chunk 255 under the origin's POK, or a SOK that may sign messages.
 * Any unlocked actor. *in_vain, unless NULL: how many keys were tried that had
 * not signed, each at the cost of the one that has. ERR_SIGNATURE. */
int message_verify_organization(const struct message *message,
    const struct org_signet *origin, size_t *in_vain, struct fault *fault);

/* Signets to compare the envelope with; NULL where the actor cannot know. */
struct message_parties {
	const struct user_signet *author;
	const struct org_signet *origin;
	const struct org_signet *destination;
	const struct user_signet *recipient;
};

/*
 * Verifies everything that an unlocked author or recipient can and appends the
 * original message to `mime`: 255, 226, 225, 248 and 249 unless they are
 * absent, every plaintext signature, padding and flag, every address, domain
 * and fingerprint in 4 and 5 against `parties` (all four given, of one layout:
 * the dialect is its). For the author, zero 248, 249 and 255 (not signed yet)
 * pass; and he may leave out destination and recipient, whom the envelopes then
 * name. The envelope sender of chunk 34 goes to `sender` without angle brackets
 * ("" for <>), the author's address where the chunk has none. At most `limit`
 * octets of mail: ERR_TOO_LARGE. On error `mime` holds nothing of the message.
 * ERR_CORRUPT, ERR_SIGNATURE, ERR_MISMATCH, ERR_ALTERNATE_KEY, ERR_NO_ACCESS,
 * ERR_USAGE.
 */
int message_open(const struct message *message,
    const struct message_parties *parties, size_t limit, struct buffer *mime,
    char sender[static ADDRESS_SIZE], struct fault *fault);

/*
 * The same for the header alone, for listing: decrypts 4, 5, 33 and 34, no
 * content. Everything is verified but what lies inside of the content chunks,
 * whose octets 226 and 255 cover: message_open() may still find one of them
 * corrupt, or that it goes on with a header that has no end of its own. At most
 * `limit` octets, the empty line included, go to `block`.
 */
int message_open_header(const struct message *message,
    const struct message_parties *parties, size_t limit, struct buffer *block,
    char sender[static ADDRESS_SIZE], struct fault *fault);

/*
 * What origin and destination can verify of a message that they cannot open,
 * each with its own key unlocked; *out gets the envelope that it reads.
 *
 * Origin: 225 and 226, 248, 249 and 255 unless zero, and chunk 4 with its
 * plaintext signature, against author, origin and destination. Destination: 248
 * and 249 unless absent, 255, and chunk 5, against recipient (NULL: not
 * compared) and origin. Errors as message_open().
 */
int message_check_as_origin(const struct message *message,
    const struct message_parties *parties, struct message_envelope *out,
    struct fault *fault);
int message_check_as_destination(const struct message *message,
    const struct message_parties *parties, struct message_envelope *out,
    struct fault *fault);

enum message_bounce {
	MESSAGE_BOUNCE_NONE = 0,
	MESSAGE_BOUNCE_METADATA = 1, /* chunk 248 */
	MESSAGE_BOUNCE_DISPLAY = 2,  /* chunk 249 */
};

struct message_seal {
	struct message_parties parties; /* all four */
	struct signer author_signer;
	struct signer origin_signer;
	const char *sender; /* envelope sender; NULL: the author, "": <> */
	/* The address as it was written, the recipient's or that with a +tag,
	 * in any case; NULL: the recipient's. Only for a bounce (sender ""),
	 * with a tag, and not in the libdime layout, the case is kept. */
	const char *recipient;
	unsigned int bounce; /* MESSAGE_BOUNCE_* or-ed */
	/* Random, or keyed so that sealing again gives the same octets. */
	struct random_source *random;
};

/*
 * Appends the binary D/MIME message that carries `mime` (header, empty line,
 * body; any octets), in the dialect of the signets' layout. ERR_TOO_LARGE when
 * the format cannot hold it; ERR_MISMATCH when addresses, domains or signers do
 * not belong to the signets, or these have different layouts; ERR_FORMAT for a
 * sender that is no address, or an address that the dialect has no form for. On
 * error `out` holds nothing of it.
 */
int message_seal(const struct message_seal *seal, struct span mime,
    struct buffer *out, struct fault *fault);

/*
 * Whether an unlocked actor can read one chunk: opens it, without checking
 * whose it is. *length, which may be NULL, gets the octets of data or
 * signature. ERR_NO_ACCESS where he has no slot; ERR_CORRUPT,
 * ERR_ALTERNATE_KEY.
 */
int message_try_chunk(const struct message *message,
    const struct message_chunk *chunk, enum message_actor actor,
    size_t *length, struct fault *fault);

/*
 * One line a chunk for people: number, name, size, who has a slot. For every
 * unlocked actor the chunks that it can read are opened and checked; *refusal
 * gets 0, or why message_open() would refuse.
 */
int message_describe(const struct message *message, struct buffer *text,
    int *refusal, struct fault *fault);

/*
 * Tells what every octet of a message is (explain.h), a leading tracing block
 * included, and what is inside of the slots and payloads that its unlocked
 * actors can decrypt. A message from message_survey() will do; of what has
 * another magic number nothing is told. Checks nothing. ERR_MEMORY.
 */
int message_explain(const struct message *message,
    const struct explainer *explainer, struct fault *fault);

/* "author", "origin", "destination", "recipient". */
const char *message_actor_name(enum message_actor actor);

/* The name of chunk.def, such as "Display-Content"; NULL for an unknown
 * type. */
const char *message_chunk_name(uint8_t type);

/* Whether chunks of this type have a slot for `actor` (M3). */
bool message_chunk_access(uint8_t type, enum message_actor actor);

#endif
