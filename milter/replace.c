/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/replace.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct present {
	char *name;
	int occurrence; /* among the fields of this name, from 1 */
	bool dropped;
};

static void
free_present(struct present *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(fields[i].name);
	free(fields);
}

/* Counts the field among the earlier ones of its name. */
static int
occurrence_of(const struct present *fields, size_t index)
{
	int occurrence = 1;

	for (size_t i = 0; i < index; i++)
		if (strcasecmp(fields[i].name, fields[index].name) == 0)
			occurrence++;
	return occurrence;
}

static int
list_present(struct session *session, replace_choice *choice,
    struct present **out, size_t *count)
{
	struct span block = buffer_span(&session->letter.header);
	struct header_field field;
	struct span rest = block;
	size_t total = 0;

	*out = NULL;
	*count = 0;
	while (header_next(&rest, &field))
		total++;
	*out = calloc(total + 1, sizeof(**out));
	if (*out == NULL)
		return ERR_MEMORY;
	for (rest = block; header_next(&rest, &field); (*count)++) {
		struct span name = span_trim(field.name);

		(*out)[*count].name = strndup((const char *)name.data,
		    name.length);
		if ((*out)[*count].name == NULL) {
			free_present(*out, *count);
			return ERR_MEMORY;
		}
		(*out)[*count].occurrence = occurrence_of(*out, *count);
		(*out)[*count].dropped = choice(session->site, &field);
	}
	return 0;
}

int
replace_drop_fields(struct session *session, replace_choice *choice,
    struct fault *fault)
{
	struct present *fields;
	size_t count;
	int err;

	err = list_present(session, choice, &fields, &count);
	if (err != 0)
		return fault_set(fault, err, "out of memory");
	for (size_t i = count; i-- > 0 && err == 0;)
		if (fields[i].dropped && smfi_chgheader(session->ctx,
		    fields[i].name, fields[i].occurrence, NULL) != MI_SUCCESS)
			err = fault_set(fault, ERR_SYSTEM,
			    "Postfix did not take the removal of a field");
	free_present(fields, count);
	return err;
}

static bool
every_field(const struct site *site, const struct header_field *field)
{
	return true;
}

int
replace_drop_header(struct session *session, struct fault *fault)
{
	return replace_drop_fields(session, every_field, fault);
}

int
replace_append(struct session *session, const char *name, const char *value,
    struct fault *fault)
{
	char *copies[2] = {strdup(name), strdup(value)};
	int err = 0;

	/* libmilter asks for arguments that it could write to. */
	if (copies[0] == NULL || copies[1] == NULL)
		err = fault_set(fault, ERR_MEMORY, "out of memory");
	else if (smfi_addheader(session->ctx, copies[0], copies[1]) !=
	    MI_SUCCESS)
		err = fault_set(fault, ERR_SYSTEM,
		    "Postfix did not take a header field");
	free(copies[0]);
	free(copies[1]);
	return err;
}

int
replace_body(struct session *session, struct span body, struct fault *fault)
{
	enum { PIECE = 1 << 20 };
	uint8_t *copy = malloc(body.length < PIECE ? body.length + 1 : PIECE);
	size_t at = 0;
	int err = 0;

	if (copy == NULL)
		return fault_set(fault, ERR_MEMORY, "out of memory");
	do {
		struct span piece = span_slice(body, at, PIECE);

		if (piece.length > 0)
			memcpy(copy, piece.data, piece.length);
		at += piece.length;
		if (smfi_replacebody(session->ctx, copy,
		    (int)piece.length) != MI_SUCCESS)
			err = fault_set(fault, ERR_SYSTEM,
			    "Postfix did not take the body");
	} while (err == 0 && at < body.length);
	free(copy);
	return err;
}

int
replace_body_lines(struct session *session, struct span text,
    struct fault *fault)
{
	enum { FULL = 1 << 20 };
	struct buffer piece = buffer_make(2 * FULL);
	struct span line;
	int err = 0;

	while (err == 0 && span_next_line(&text, &line)) {
		buffer_append_span(&piece, line);
		buffer_append_string(&piece, "\r\n");
		if (piece.error != 0)
			err = fault_set(fault, piece.error, "sealed body");
		else if (piece.length >= FULL || text.length == 0) {
			err = replace_body(session, buffer_span(&piece),
			    fault);
			buffer_reset(&piece);
		}
	}
	buffer_free(&piece);
	return err;
}

int
replace_sender(struct session *session, const char *sender,
    struct fault *fault)
{
	char path[sizeof(session->letter.sender_given) + 3];
	char arguments[] = "RET=HDRS";

	snprintf(path, sizeof(path), "<%s>", sender);
	if (smfi_chgfrom(session->ctx, path, arguments) != MI_SUCCESS)
		return fault_set(fault, ERR_SYSTEM,
		    "Postfix did not take the envelope sender");
	return 0;
}

int
replace_recipient(struct session *session, const char *given,
    const char *recipient, struct fault *fault)
{
	char old[ADDRESS_SIZE + 2], new[ADDRESS_SIZE + 2];

	snprintf(old, sizeof(old), "<%s>", given);
	snprintf(new, sizeof(new), "<%s>", recipient);
	if (smfi_addrcpt(session->ctx, new) != MI_SUCCESS ||
	    smfi_delrcpt(session->ctx, old) != MI_SUCCESS)
		return fault_set(fault, ERR_SYSTEM,
		    "Postfix did not take the recipient");
	return 0;
}
