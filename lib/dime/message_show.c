/* SPDX-License-Identifier: BSD-2-Clause */
#include "dime/message_private.h"

enum {
	NAME_COLUMNS = 40, /* the longest of chunk.def */
	SHOW_LIMIT = 128 << 20, /* of inflated content */
};

/* Remembers the first reason to refuse. */
struct showing {
	const struct message *message;
	struct buffer *text;
	int refusal;
	struct fault *fault;
};

static void
refuse(struct showing *showing, int err, const struct fault *fault)
{
	if (showing->refusal != 0)
		return;
	showing->refusal = err;
	fault_set(showing->fault, err, "%s", fault_text(fault, err));
}

int
message_try_chunk(const struct message *message,
    const struct message_chunk *chunk, enum message_actor actor,
    size_t *length, struct fault *fault)
{
	const struct access access = {message, actor, NULL, fault};
	uint8_t signature[CRYPTO_SIGNATURE];
	struct payload payload;
	size_t found = CRYPTO_SIGNATURE;
	int err;

	if (!message_chunk_access(chunk->type, actor)) {
		err = chunk_fault(message, chunk, fault, ERR_NO_ACCESS,
		    "has no slot for this actor");
	} else if (chunk_row(chunk->type)->section == SECTION_SIGNATURES) {
		err = signature_read(&access, chunk, signature);
	} else if (chunk->type == MESSAGE_ALTERNATE) {
		err = chunk_fault(message, chunk, fault, ERR_ALTERNATE_KEY,
		    "its form is not known");
	} else {
		err = payload_open(&access, chunk, &payload);
		found = payload.data.length;
		payload_free(&payload);
	}
	if (length != NULL)
		*length = err == 0 ? found : 0;
	return err;
}

/* Opens one chunk by itself and says what became of it. */
static void
describe_access(struct showing *showing, const struct message_chunk *chunk,
    enum message_actor actor)
{
	struct fault fault = {0};
	size_t length;
	int err = message_try_chunk(showing->message, chunk, actor, &length,
	    &fault);

	buffer_printf(showing->text, "; %s ", message_actor_name(actor));
	if (err == ERR_ALTERNATE_KEY)
		buffer_append_string(showing->text, "needs the alternate key");
	else if (err != 0)
		buffer_append_string(showing->text, "finds it corrupt");
	else
		buffer_printf(showing->text, "reads %zu octets", length);
	/* A chunk 3 is stepped over. */
	if (err != 0 && chunk->type != MESSAGE_ALTERNATE)
		refuse(showing, err, &fault);
}

static void
describe_chunk(struct showing *showing, const struct message_chunk *chunk)
{
	const char *separator = "";

	buffer_printf(showing->text, "%3u  %-*s  %8zu  ", chunk->type,
	    NAME_COLUMNS, chunk_row(chunk->type)->name, chunk->payload.length);
	for (int i = 0; i < MESSAGE_ACTORS; i++) {
		enum message_actor actor = (enum message_actor)i;

		if (!message_chunk_access(chunk->type, actor))
			continue;
		buffer_printf(showing->text, "%s%s", separator,
		    message_actor_name(actor));
		separator = " ";
	}
	if (separator[0] == '\0')
		buffer_append_string(showing->text, "clear");
	for (int i = 0; i < MESSAGE_ACTORS; i++) {
		enum message_actor actor = (enum message_actor)i;

		if (showing->message->unlocked[i] &&
		    message_chunk_access(chunk->type, actor))
			describe_access(showing, chunk, actor);
	}
	buffer_append_string(showing->text, "\n");
}

/* Puts every segment together that the actor can read, to find what no chunk
 * shows alone. */
static int
check_segments(const struct access *access)
{
	const struct message *message = access->message;
	size_t at = 0;
	int err = 0;

	while (at < message->chunk_count && err == 0) {
		uint8_t type = message->chunks[at].type;
		struct buffer data = buffer_make(SHOW_LIMIT);

		if (type == MESSAGE_ALTERNATE ||
		    chunk_row(type)->section == SECTION_SIGNATURES ||
		    !message_chunk_access(type, access->actor))
			at++;
		else
			err = segment_read(access, &at, &data);
		buffer_free(&data);
	}
	return err;
}

/* Reads the text of envelope and metadata. */
static int
check_texts(const struct access *access)
{
	struct buffer block = buffer_make(SHOW_LIMIT);
	struct message_envelope envelope;
	char sender[ADDRESS_SIZE];
	bool has_sender;
	int err = 0;

	if (message_chunk_access(MESSAGE_ORIGIN_CHUNK, access->actor))
		err = envelope_read(access, MESSAGE_ORIGIN_CHUNK, &envelope);
	if (err == 0 &&
	    message_chunk_access(MESSAGE_DESTINATION_CHUNK, access->actor))
		err = envelope_read(access, MESSAGE_DESTINATION_CHUNK,
		    &envelope);
	if (err == 0 && message_chunk_access(MESSAGE_COMMON, access->actor))
		err = metadata_read(access, SHOW_LIMIT, &block, sender,
		    &has_sender);
	buffer_free(&block);
	return err;
}

int
message_describe(const struct message *message, struct buffer *text,
    int *refusal, struct fault *fault)
{
	struct showing showing = {message, text, 0, fault};

	for (size_t i = 0; i < message->chunk_count; i++)
		describe_chunk(&showing, &message->chunks[i]);
	for (int i = 0; i < MESSAGE_ACTORS; i++) {
		struct fault reason = {0};
		const struct access access = {
		    message, (enum message_actor)i, NULL, &reason};
		int err;

		if (!message->unlocked[i])
			continue;
		err = check_segments(&access);
		if (err == 0)
			err = check_texts(&access);
		if (err != 0)
			refuse(&showing, err, &reason);
	}
	*refusal = showing.refusal;
	return text->error == 0
	    ? 0
	    : fault_set(fault, text->error, "%s", "");
}
