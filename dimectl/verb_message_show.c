/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "dimectl/explain.h"
#include "dimectl/output.h"
#include "dimectl/parties.h"
#include "dimectl/verbs.h"

enum { INPUT_LIMIT = 1 << 30 };

struct words {
	const char *role, *key;
	bool explain;
};

/* The actors that have a slot in chunks of the type. */
static json_t *
slots_json(uint8_t type)
{
	json_t *slots = json_array();

	for (int i = 0; i < MESSAGE_ACTORS; i++)
		if (message_chunk_access(type, (enum message_actor)i))
			json_array_append_new(slots, json_string(
			    message_actor_name((enum message_actor)i)));
	return slots;
}

static json_t *
chunk_json(const struct message *message, const struct message_chunk *chunk)
{
	json_t *value = json_pack("{si ss sI so}", "type", chunk->type, "name",
	    message_chunk_name(chunk->type), "size",
	    (json_int_t)chunk->payload.length, "slots",
	    slots_json(chunk->type));

	for (int i = 0; i < MESSAGE_ACTORS; i++) {
		enum message_actor actor = (enum message_actor)i;

		if (message->unlocked[i])
			json_object_set_new(value, "readable", json_boolean(
			    message_try_chunk(message, chunk, actor, NULL,
			    NULL) == 0));
	}
	return value;
}

static int
print_json(struct dimectl *ctl, const struct message *message)
{
	json_t *chunks = json_array();

	for (size_t i = 0; i < message->chunk_count; i++)
		json_array_append_new(chunks,
		    chunk_json(message, &message->chunks[i]));
	return output_json(ctl, json_pack("{so}", "chunks", chunks));
}

/* Prints the chunks, or what every octet is. 0 or why the message would be
 * refused. */
static int
print(struct dimectl *ctl, const struct message *message, bool explain)
{
	struct buffer text = buffer_make(ctl->output.limit);
	int refusal = 0, err;

	err = message_describe(message, &text, &refusal, &ctl->fault);
	if (err == 0 && explain)
		err = explain_message(ctl, message);
	else if (err == 0 && ctl->json)
		err = print_json(ctl, message);
	else if (err == 0)
		buffer_append_span(&ctl->output, buffer_span(&text));
	buffer_free(&text);
	ctl->show_partial = err == 0;
	return err != 0 ? err : refusal;
}

static int
run(struct dimectl *ctl, const struct words *words, enum message_actor role)
{
	struct buffer input = buffer_make(INPUT_LIMIT);
	struct message *message = NULL;
	struct fault reason;
	int err, refusal;

	if ((err = file_read("-", &input, &ctl->fault)) != 0)
		goto out;
	refusal = message_survey(buffer_span(&input), INPUT_LIMIT, &message,
	    &ctl->fault);
	if (message == NULL) {
		err = refusal;
		goto out;
	}
	reason = ctl->fault;
	/* A message that is refused already may lack what unlocking needs. */
	if (words->key != NULL && (err = parties_unlock(message, role,
	    words->key, NULL, &ctl->fault)) != 0 &&
	    (refusal == 0 || err != ERR_FORMAT))
		goto out;
	err = print(ctl, message, words->explain);
	/* What was wrong first is what there is to say. */
	if (refusal != 0 && ctl->show_partial) {
		ctl->fault = reason;
		err = refusal;
	}
out:
	message_free(message);
	buffer_free(&input);
	return err;
}

int
verb_message_show(struct dimectl *ctl, int count, char **arguments)
{
	struct words words = {NULL, NULL, false};
	const struct option_row rows[] = {
	    {OPTION_VALUE, "--as", &words.role, false},
	    {OPTION_VALUE, "--key", &words.key, false},
	    {OPTION_FLAG, "--explain", &words.explain, false},
	    {OPTION_END, NULL, NULL, false},
	};
	enum message_actor role = MESSAGE_AUTHOR;
	int err;

	if ((err = option_read(ctl, count, arguments, rows, NULL, 0, 0)) != 0)
		return err;
	if ((words.role == NULL) != (words.key == NULL))
		return fault_set(&ctl->fault, ERR_USAGE,
		    "--as and --key belong together");
	if (words.role != NULL &&
	    (err = parties_role(words.role, &role, &ctl->fault)) != 0)
		return err;
	return run(ctl, &words, role);
}
