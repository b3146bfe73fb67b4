/* SPDX-License-Identifier: BSD-2-Clause */
#include "dime/message_private.h"

enum {
	NAME_COLUMNS = 40, /* the longest of chunk.def */
	SHOW_LIMIT = 128 << 20, /* of inflated data in all */
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
	const struct access access = {
	    .message = message,
	    .actor = actor,
	    .fault = fault,
	    .layout_unknown = true,
	};
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

/* What a fault says behind the place. */
static const char *
rule_of(const struct fault *fault, int err)
{
	const char *text = fault_text(fault, err);
	const char *rule = strstr(text, ": ");

	return rule == NULL ? text : rule + 2;
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
		buffer_printf(showing->text, "finds it corrupt: %s",
		    rule_of(&fault, err));
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
	if (chunk->rule != NULL)
		buffer_printf(showing->text, "; refused: %s", chunk->rule);
	for (int i = 0; i < MESSAGE_ACTORS; i++) {
		enum message_actor actor = (enum message_actor)i;

		if (showing->message->unlocked[i] &&
		    message_chunk_access(chunk->type, actor))
			describe_access(showing, chunk, actor);
	}
	buffer_append_string(showing->text, "\n");
}

/* Adds a line that says what no chunk shows alone. */
static void
note(struct showing *showing, int err, const struct fault *fault)
{
	if (err == 0)
		return;
	buffer_append_string(showing->text, fault_text(fault, err));
	buffer_append_string(showing->text, "\n");
	refuse(showing, err, fault);
}

/* Puts every segment together that the actor can read. Returns whether all
 * were good. */
static bool
check_segments(struct showing *showing, const struct access *access)
{
	const struct message *message = access->message;
	struct buffer data = buffer_make(SHOW_LIMIT);
	size_t at = 0;
	bool good = true;

	while (at < message->chunk_count) {
		uint8_t type = message->chunks[at].type;
		int err;

		if (type == MESSAGE_ALTERNATE ||
		    chunk_row(type)->section == SECTION_SIGNATURES ||
		    !message_chunk_access(type, access->actor)) {
			at++;
			continue;
		}
		err = segment_read(access, &at, &data);
		good = good && err == 0;
		/* What the chunk shows alone stands in its own line. */
		if (message_try_chunk(message, &message->chunks[at - 1],
		    access->actor, NULL, NULL) == 0)
			note(showing, err, access->fault);
		if (data.error != 0)
			break;
	}
	buffer_free(&data);
	return good;
}

/* Reads the text of envelope and metadata. */
static void
check_texts(struct showing *showing, const struct access *access)
{
	struct buffer block = buffer_make(SHOW_LIMIT);
	struct message_envelope envelope;
	char sender[ADDRESS_SIZE];
	bool has_sender;

	if (message_chunk_access(MESSAGE_ORIGIN_CHUNK, access->actor))
		note(showing, envelope_read(access, MESSAGE_ORIGIN_CHUNK,
		    &envelope), access->fault);
	if (message_chunk_access(MESSAGE_DESTINATION_CHUNK, access->actor))
		note(showing, envelope_read(access, MESSAGE_DESTINATION_CHUNK,
		    &envelope), access->fault);
	if (message_chunk_access(MESSAGE_COMMON, access->actor))
		note(showing, metadata_read(access, SHOW_LIMIT, &block, sender,
		    &has_sender), access->fault);
	buffer_free(&block);
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
		    .message = message,
		    .actor = (enum message_actor)i,
		    .fault = &reason,
		    .layout_unknown = true,
		};

		if (message->unlocked[i] && check_segments(&showing, &access))
			check_texts(&showing, &access);
	}
	*refusal = showing.refusal;
	return text->error == 0
	    ? 0
	    : fault_set(fault, text->error, "%s", "");
}
