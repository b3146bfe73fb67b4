/* SPDX-License-Identifier: BSD-2-Clause */
#include "crypto/base64.h"
#include "dime/message_private.h"

/* The last chunk type that each signature covers (M11). */
enum {
	TREE_LAST = 131,
	AUTHOR_LAST = 225,
	METADATA_LAST = 34,
	DISPLAY_LAST = 67,
	ORGANIZATION_LAST = 249,
};

/* The organizational signatures and how far what each covers reaches. */
static const struct {
	uint8_t type;
	uint8_t last;
} organization_signatures[] = {
    {MESSAGE_METADATA_BOUNCE, METADATA_LAST},
    {MESSAGE_DISPLAY_BOUNCE, DISPLAY_LAST},
    {MESSAGE_ORGANIZATION_SIGNATURE, ORGANIZATION_LAST},
};

enum {
	ORGANIZATION_SIGNATURES = sizeof(organization_signatures) /
	    sizeof(organization_signatures[0]),
};

uint8_t
signature_reach(uint8_t type)
{
	for (size_t i = 0; i < ORGANIZATION_SIGNATURES; i++)
		if (organization_signatures[i].type == type)
			return organization_signatures[i].last;
	return type == MESSAGE_TREE_SIGNATURE ? TREE_LAST : AUTHOR_LAST;
}

static bool
is_zero(const uint8_t signature[static CRYPTO_SIGNATURE])
{
	static const uint8_t zero[CRYPTO_SIGNATURE];

	return crypto_equal(signature, zero, sizeof(zero));
}

/* What 225 signs: the digests of all chunks from 2 up to 131, one after the
 * other. *destination gets how many stand before that of chunk 5. */
static void
append_tree(const struct message *message, struct buffer *out,
    size_t *destination)
{
	uint8_t digest[CRYPTO_SHA512];

	for (size_t i = 0; i < message->chunk_count; i++) {
		const struct message_chunk *chunk = &message->chunks[i];

		if (chunk->type == MESSAGE_TRACING || chunk->type > TREE_LAST)
			continue;
		if (chunk->type == MESSAGE_DESTINATION_CHUNK)
			*destination = out->length / CRYPTO_SHA512;
		crypto_sha512(chunk->whole, digest);
		buffer_append(out, digest, sizeof(digest));
	}
}

static int
verify_author_signature(const struct access *access,
    const struct user_signet *author, uint8_t type, struct span signed_data)
{
	const struct message_chunk *chunk = chunk_find(access->message, type);
	uint8_t signature[CRYPTO_SIGNATURE];
	int err;

	err = signature_read(access, chunk, signature);
	if (err != 0)
		return err;
	if (!crypto_ed25519_verify(author->signing, signed_data, signature))
		return chunk_fault(access->message, chunk, access->fault,
		    ERR_SIGNATURE, "is not by the author of the signet");
	return 0;
}

/* 225. In the libdime dialect it may be as the specification has it, or as
 * libdime does. */
static int
verify_tree(const struct access *access, const struct user_signet *author)
{
	struct buffer tree = buffer_make(SIZE_MAX);
	size_t destination = 0;
	int err;

	append_tree(access->message, &tree, &destination);
	if (tree.error != 0)
		err = fault_set(access->fault, tree.error, "%s", "");
	else
		err = verify_author_signature(access, author,
		    MESSAGE_TREE_SIGNATURE, buffer_span(&tree));
	if (err == ERR_SIGNATURE && access->layout == LAYOUT_LIBDIME) {
		tree_as_libdime(&tree, destination);
		err = verify_author_signature(access, author,
		    MESSAGE_TREE_SIGNATURE, buffer_span(&tree));
	}
	buffer_free(&tree);
	return err;
}

int
verify_author(const struct access *access, const struct user_signet *author)
{
	int err;

	err = verify_author_signature(access, author, MESSAGE_AUTHOR_SIGNATURE,
	    chunk_range(access->message, AUTHOR_LAST));
	return err != 0 ? err : verify_tree(access, author);
}

static int
verify_organization_signature(const struct access *access,
    const struct org_signet *origin, bool unsigned_passes, uint8_t type,
    uint8_t last, size_t *in_vain)
{
	const struct message *message = access->message;
	const struct message_chunk *chunk = chunk_find(message, type);
	uint8_t signature[CRYPTO_SIGNATURE];
	int err;

	if (chunk == NULL)
		return 0;
	err = signature_read(access, chunk, signature);
	if (err != 0 || (unsigned_passes && is_zero(signature)))
		return err;
	if (!org_signet_check(origin, SIGNET_MAY_SIGN_MESSAGES,
	    chunk_range(message, last), signature, in_vain))
		return chunk_fault(message, chunk, access->fault,
		    ERR_SIGNATURE, "is not by the origin");
	return 0;
}

int
verify_origin(const struct access *access, const struct org_signet *origin,
    bool unsigned_passes)
{
	int err = 0;

	/* 255 first: it covers the other two. */
	for (size_t i = ORGANIZATION_SIGNATURES; i > 0 && err == 0; i--)
		err = verify_organization_signature(access, origin,
		    unsigned_passes, organization_signatures[i - 1].type,
		    organization_signatures[i - 1].last, NULL);
	return err;
}

int
message_verify_organization(const struct message *message,
    const struct org_signet *origin, size_t *in_vain, struct fault *fault)
{
	const struct access access = {
	    .message = message,
	    .actor = message_reader(message, MESSAGE_ORGANIZATION_SIGNATURE),
	    .fault = fault,
	};

	if (in_vain != NULL)
		*in_vain = 0;
	return verify_organization_signature(&access, origin, false,
	    MESSAGE_ORGANIZATION_SIGNATURE, ORGANIZATION_LAST, in_vain);
}

void
message_signed_identifier(const struct message *message,
    char out[static SIGNET_FINGERPRINT_SIZE])
{
	uint8_t digest[CRYPTO_SHA512];

	crypto_sha512(chunk_range(message, ORGANIZATION_LAST), digest);
	base64_encode(span_of(digest, sizeof(digest)), out);
}
