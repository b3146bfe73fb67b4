/* SPDX-License-Identifier: BSD-2-Clause */
#include "dime/headers.h"
#include "dime/message_private.h"

enum {
	/* What chunk 34 may hold beyond the header: Return-Path, and a layout
	 * with the header in base64. */
	LAYOUT_ROOM = 4096,
	/* What a header may inflate to, in a message that is no larger. */
	HEADER_INFLATES = 16 << 20,
};

/* A user's signet counts under its own organization only. */
static int
check_domain(const char *who, const struct user_signet *user,
    const struct org_signet *org, struct fault *fault)
{
	if (user->address[0] != '\0' && org->domain[0] != '\0' &&
	    domain_is_within(address_domain(user->address), org->domain))
		return 0;
	return fault_set(fault, ERR_MISMATCH,
	    "the %s's address is not of the domain of its organization", who);
}

static bool
is_headers(const struct message *message, size_t at)
{
	return at < message->chunk_count &&
	    message->chunks[at].type == MESSAGE_HEADERS;
}

/* How large the header may be: reading millions of small fields out of a few
 * octets would take seconds. */
static size_t
header_room(const struct message *message, size_t limit)
{
	size_t most = message->length < HEADER_INFLATES ? HEADER_INFLATES
	                                                : message->length;

	return (limit < most ? limit : most) + LAYOUT_ROOM;
}

int
metadata_read(const struct access *access, size_t limit, struct buffer *block,
    char sender[static ADDRESS_SIZE], bool *has_sender)
{
	const struct message *message = access->message;
	const struct message_chunk *chunk =
	    chunk_find(message, MESSAGE_COMMON);
	size_t at;
	size_t room = header_room(message, limit);
	struct buffer common = buffer_make(room);
	struct buffer others = buffer_make(room + room / 2);
	int err;

	if (chunk == NULL)
		return fault_set(access->fault, ERR_FORMAT,
		    "chunk %d (%s) is missing", MESSAGE_COMMON,
		    message_chunk_name(MESSAGE_COMMON));
	at = (size_t)(chunk - message->chunks);
	err = segment_read(access, &at, &common);
	if (err == 0 && is_headers(message, at))
		err = segment_read(access, &at, &others);
	if (err == 0 && is_headers(message, at))
		err = chunk_fault(message, &message->chunks[at], access->fault,
		    ERR_CORRUPT, "stands twice");
	if (err == 0)
		err = headers_read(buffer_span(&common), buffer_span(&others),
		    block, sender, has_sender, access->fault);
	buffer_free(&common);
	buffer_free(&others);
	return err;
}

static bool
is_content(const struct message_chunk *chunk)
{
	enum chunk_section section = chunk_row(chunk->type)->section;

	return section == SECTION_DISPLAY || section == SECTION_ATTACHMENTS;
}

static int
read_content(const struct access *access, struct buffer *mime)
{
	const struct message *message = access->message;
	size_t at = 0;
	int err = 0;

	while (err == 0 && at < message->chunk_count)
		if (is_content(&message->chunks[at]))
			err = segment_read(access, &at, mime);
		else
			at++;
	return err;
}

/* Appends the header, and sets the sender as message_open() says. */
static int
read_header(const struct access *access, const char *author, size_t limit,
    struct buffer *mime, char sender[static ADDRESS_SIZE])
{
	bool has_sender;
	int err = metadata_read(access, limit, mime, sender, &has_sender);

	if (err == 0 && !has_sender)
		span_copy_string(span_string(author), sender, ADDRESS_SIZE);
	return err;
}

/* In the libdime dialect a mail without a body has an empty line for one. */
static bool
is_no_body(const struct access *access, struct span whole, size_t header)
{
	return access->layout == LAYOUT_LIBDIME &&
	    span_equal_string(span_slice(whole, header, SIZE_MAX), "\r\n");
}

/* Appends header and content. */
static int
read_mime(const struct access *access, const char *author, size_t limit,
    struct buffer *mime, char sender[static ADDRESS_SIZE])
{
	size_t start = mime->length, header;
	struct span whole, block, body;
	int err;

	err = read_header(access, author, limit, mime, sender);
	if (err != 0)
		return err;
	header = mime->length - start;
	err = read_content(access, mime);
	if (err != 0)
		return err;
	/* No content may add to a header that does not end by itself. */
	whole = span_slice(buffer_span(mime), start, SIZE_MAX);
	headers_split(whole, &block, &body);
	if (block.length != header && !is_no_body(access, whole, header))
		return fault_set(access->fault, ERR_CORRUPT,
		    "chunk %d (%s): the header goes on in the content",
		    MESSAGE_HEADERS, message_chunk_name(MESSAGE_HEADERS));
	return 0;
}

/* Reads an envelope chunk and compares it. */
static int
check_envelope(const struct access *access,
    const struct message_parties *parties, uint8_t type,
    struct message_envelope *out)
{
	bool origin = type == MESSAGE_ORIGIN_CHUNK;
	int err;

	err = envelope_read(access, type, out);
	if (err != 0)
		return err;
	return envelope_compare(access, type, out,
	    origin ? parties->author : parties->recipient,
	    origin ? parties->destination : parties->origin);
}

/* Whether the caller has the signets that the message was sealed for. */
static bool
has_addressee(const struct message_parties *parties)
{
	return parties->recipient != NULL && parties->destination != NULL;
}

/* Without them the envelopes must agree as they would. */
static int
check_addressee(const struct access *access,
    const struct message_envelope *origin,
    const struct message_envelope *destination)
{
	if (domain_is_within(address_domain(destination->address),
	    origin->domain))
		return 0;
	return fault_set(access->fault, ERR_MISMATCH,
	    "the recipient's address is not of the destination");
}

/* Everything but the data of metadata and content. */
static int
verify(const struct access *access, const struct message_parties *parties,
    bool unsigned_passes, struct message_envelope *origin)
{
	struct message_envelope destination;
	int err;

	if ((err = check_domain("author", parties->author, parties->origin,
	    access->fault)) != 0 ||
	    (has_addressee(parties) && (err = check_domain("recipient",
	    parties->recipient, parties->destination,
	    access->fault)) != 0) ||
	    (err = verify_origin(access, parties->origin,
	    unsigned_passes)) != 0 ||
	    (err = verify_author(access, parties->author)) != 0 ||
	    (err = check_envelope(access, parties, MESSAGE_ORIGIN_CHUNK,
	    origin)) != 0 ||
	    (err = check_envelope(access, parties, MESSAGE_DESTINATION_CHUNK,
	    &destination)) != 0)
		return err;
	return has_addressee(parties) ? 0 :
	    check_addressee(access, origin, &destination);
}

/* Takes back what an opening that failed has appended. */
static void
forget(struct buffer *mime, size_t start)
{
	if (mime->length > start)
		explicit_bzero(mime->data + start, mime->length - start);
	mime->length = start;
	mime->error = 0;
}

/* Verifies all that needs no data, then appends what `read` reads. */
static int
open_by(int (*read)(const struct access *, const char *, size_t,
    struct buffer *, char[static ADDRESS_SIZE]),
    const struct message *message, const struct message_parties *parties,
    size_t limit, struct buffer *mime, char sender[static ADDRESS_SIZE],
    struct fault *fault)
{
	bool recipient = message->unlocked[MESSAGE_RECIPIENT];
	struct access access = {
	    .message = message,
	    .actor = recipient ? MESSAGE_RECIPIENT : MESSAGE_AUTHOR,
	    .author = parties->author->signing,
	    .fault = fault,
	};
	size_t start = mime->length, mime_limit = mime->limit;
	struct message_envelope origin;
	int err;

	sender[0] = '\0';
	if (!message->unlocked[access.actor])
		return fault_set(fault, ERR_NO_ACCESS,
		    "only author and recipient can open a message");
	if (recipient && !has_addressee(parties))
		return fault_set(fault, ERR_USAGE,
		    "a recipient opens a message with his own signets");
	if (mime->error != 0)
		return fault_set(fault, mime->error, "%s", "");
	if (mime->limit - start > limit)
		mime->limit = start + limit;
	err = parties_layout(parties, &access.layout, fault);
	if (err == 0)
		err = verify(&access, parties, !recipient, &origin);
	if (err == 0)
		err = read(&access, origin.address, limit, mime, sender);
	mime->limit = mime_limit;
	if (err != 0) {
		forget(mime, start);
		sender[0] = '\0';
	}
	return err;
}

int
message_open(const struct message *message,
    const struct message_parties *parties, size_t limit, struct buffer *mime,
    char sender[static ADDRESS_SIZE], struct fault *fault)
{
	return open_by(read_mime, message, parties, limit, mime, sender,
	    fault);
}

int
message_open_header(const struct message *message,
    const struct message_parties *parties, size_t limit, struct buffer *block,
    char sender[static ADDRESS_SIZE], struct fault *fault)
{
	return open_by(read_header, message, parties, limit, block, sender,
	    fault);
}

int
message_check_as_origin(const struct message *message,
    const struct message_parties *parties, struct message_envelope *out,
    struct fault *fault)
{
	struct access access = {
	    .message = message,
	    .actor = MESSAGE_ORIGIN,
	    .author = parties->author->signing,
	    .fault = fault,
	};
	int err;

	if ((err = parties_layout(parties, &access.layout, fault)) != 0 ||
	    (err = check_domain("author", parties->author, parties->origin,
	    fault)) != 0 ||
	    (err = verify_origin(&access, parties->origin, true)) != 0 ||
	    (err = verify_author(&access, parties->author)) != 0 ||
	    (err = check_envelope(&access, parties, MESSAGE_ORIGIN_CHUNK,
	    out)) != 0)
		memset(out, 0, sizeof(*out));
	return err;
}

int
message_check_as_destination(const struct message *message,
    const struct message_parties *parties, struct message_envelope *out,
    struct fault *fault)
{
	struct access access = {
	    .message = message,
	    .actor = MESSAGE_DESTINATION,
	    .fault = fault,
	};
	int err;

	if ((err = parties_layout(parties, &access.layout, fault)) != 0 ||
	    (err = verify_origin(&access, parties->origin, false)) != 0 ||
	    (err = check_envelope(&access, parties, MESSAGE_DESTINATION_CHUNK,
	    out)) != 0)
		memset(out, 0, sizeof(*out));
	return err;
}
