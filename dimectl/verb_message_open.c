/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "dime/headers.h"
#include "dimectl/output.h"
#include "dimectl/parties.h"
#include "dimectl/verbs.h"

enum {
	MAIL_PRESET = 128 << 20, /* without --max-size */
	MAIL_MOST = 1 << 30,
	INPUT_LIMIT = 1 << 30,
	FIELDS_MOST = 65536, /* that are listed: each takes much memory */
};

struct words {
	const char *role, *key, *max_size;
	struct parties_paths paths;
};

/* The signets without which a role can check nothing. */
static int
check_needs(struct dimectl *ctl, enum message_actor role,
    const struct parties_paths *paths)
{
	const struct {
		const char *option;
		const char *path;
		unsigned int roles; /* bit 1 << actor: who needs it */
	} needs[] = {
	    {"--author", paths->author, 1 << MESSAGE_AUTHOR |
	        1 << MESSAGE_ORIGIN | 1 << MESSAGE_RECIPIENT},
	    {"--origin", paths->origin, 1 << MESSAGE_AUTHOR |
	        1 << MESSAGE_ORIGIN | 1 << MESSAGE_DESTINATION |
	        1 << MESSAGE_RECIPIENT},
	    {"--destination", paths->destination, 1 << MESSAGE_AUTHOR |
	        1 << MESSAGE_ORIGIN | 1 << MESSAGE_DESTINATION |
	        1 << MESSAGE_RECIPIENT},
	    {"--recipient", paths->recipient, 1 << MESSAGE_AUTHOR |
	        1 << MESSAGE_DESTINATION | 1 << MESSAGE_RECIPIENT},
	};

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if ((needs[i].roles >> role & 1) != 0 && needs[i].path == NULL)
			return fault_set(&ctl->fault, ERR_USAGE,
			    "%s: is required to open as %s", needs[i].option,
			    message_actor_name(role));
	return 0;
}

static int
print_envelope(struct dimectl *ctl, const struct message_envelope *envelope,
    bool origin)
{
	const char *user = origin ? "Author" : "Recipient";
	const char *org = origin ? "Destination" : "Origin";

	if (ctl->json)
		return output_json(ctl, json_pack("{ss ss ss ss}",
		    origin ? "author" : "recipient", envelope->address,
		    origin ? "author_signet" : "recipient_signet",
		    envelope->address_fingerprint,
		    origin ? "destination" : "origin", envelope->domain,
		    origin ? "destination_signet" : "origin_signet",
		    envelope->domain_fingerprint));
	buffer_printf(&ctl->output, "%s: <%s>\n%s-Signet: [%s]\n"
	    "%s: <%s>\n%s-Signet: [%s]\n", user, envelope->address, user,
	    envelope->address_fingerprint, org, envelope->domain, org,
	    envelope->domain_fingerprint);
	return 0;
}

static json_t *
json_escaped(struct span octets)
{
	struct buffer text = buffer_make(SIZE_MAX / 2);
	const char *string;
	json_t *value;

	output_escaped(&text, octets);
	string = buffer_string(&text);
	value = string == NULL ? NULL : json_string(string);
	buffer_free(&text);
	return value;
}

static int
check_fields(struct span rest, struct fault *fault)
{
	struct headers_field field;
	size_t count = 0;

	while (headers_next_field(&rest, &field))
		if (++count > FIELDS_MOST)
			return fault_set(fault, ERR_TOO_LARGE, "header: more "
			    "than %d fields, which are not listed",
			    FIELDS_MOST);
	return 0;
}

/* The fields of a header block. */
static json_t *
fields_json(struct span rest)
{
	struct buffer value = buffer_make(rest.length);
	json_t *list = json_array();
	struct headers_field field;

	while (headers_next_field(&rest, &field)) {
		buffer_reset(&value);
		headers_append_value(&field, &value);
		json_array_append_new(list, json_pack("{so so}", "name",
		    json_escaped(field.name), "value",
		    json_escaped(buffer_span(&value))));
	}
	buffer_free(&value);
	return list;
}

/* Sender and header; the content is not opened. */
static int
print_header(struct dimectl *ctl, const struct message *message,
    const struct message_parties *parties, size_t limit)
{
	struct buffer block = buffer_make(limit);
	char sender[ADDRESS_SIZE];
	int err;

	err = message_open_header(message, parties, limit, &block, sender,
	    &ctl->fault);
	if (err == 0)
		err = check_fields(buffer_span(&block), &ctl->fault);
	if (err == 0)
		err = output_json(ctl, json_pack("{ss so}", "sender", sender,
		    "header", fields_json(buffer_span(&block))));
	buffer_free(&block);
	return err;
}

static int
open_as(struct dimectl *ctl, const struct message *message,
    enum message_actor role, const struct parties *parties, uint64_t limit)
{
	const struct message_parties view = parties_view(parties);
	struct message_envelope envelope;
	char sender[ADDRESS_SIZE];
	int err;

	switch (role) {
	case MESSAGE_ORIGIN:
		err = message_check_as_origin(message, &view, &envelope,
		    &ctl->fault);
		break;
	case MESSAGE_DESTINATION:
		err = message_check_as_destination(message, &view, &envelope,
		    &ctl->fault);
		break;
	default:
		if (ctl->json)
			return print_header(ctl, message, &view,
			    (size_t)limit);
		return message_open(message, &view, (size_t)limit, &ctl->output,
		    sender, &ctl->fault);
	}
	return err != 0 ? err : print_envelope(ctl, &envelope,
	    role == MESSAGE_ORIGIN);
}

static int
run(struct dimectl *ctl, const struct words *words, enum message_actor role,
    uint64_t limit)
{
	struct buffer input = buffer_make(INPUT_LIMIT);
	struct message *message = NULL;
	struct parties parties;
	int err;

	if ((err = parties_read(&words->paths, &parties, &ctl->fault)) != 0 ||
	    (err = file_read("-", &input, &ctl->fault)) != 0 ||
	    (err = message_read(buffer_span(&input), INPUT_LIMIT, &message,
	    &ctl->fault)) != 0)
		goto out;
	buffer_free(&input);
	if ((err = parties_unlock(message, role, words->key, &parties,
	    &ctl->fault)) != 0)
		goto out;
	err = open_as(ctl, message, role, &parties, limit);
out:
	message_free(message);
	parties_free(&parties);
	buffer_free(&input);
	return err;
}

int
verb_message_open(struct dimectl *ctl, int count, char **arguments)
{
	struct words words = {.role = NULL};
	const struct option_row rows[] = {
	    {OPTION_VALUE, "--as", &words.role, true},
	    {OPTION_VALUE, "--key", &words.key, true},
	    {OPTION_VALUE, "--author", &words.paths.author, false},
	    {OPTION_VALUE, "--origin", &words.paths.origin, false},
	    {OPTION_VALUE, "--destination", &words.paths.destination, false},
	    {OPTION_VALUE, "--recipient", &words.paths.recipient, false},
	    {OPTION_VALUE, "--max-size", &words.max_size, false},
	    {OPTION_END, NULL, NULL, false},
	};
	uint64_t limit = MAIL_PRESET;
	enum message_actor role;
	int err;

	if ((err = option_read(ctl, count, arguments, rows, NULL, 0, 0)) != 0 ||
	    (err = parties_role(words.role, &role, &ctl->fault)) != 0 ||
	    (err = check_needs(ctl, role, &words.paths)) != 0)
		return err;
	if (words.max_size != NULL &&
	    !span_number(span_string(words.max_size), MAIL_MOST, &limit))
		return fault_set(&ctl->fault, ERR_USAGE,
		    "--max-size %s: not a number of octets up to %d",
		    words.max_size, MAIL_MOST);
	return run(ctl, &words, role, limit);
}
