/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "crypto/base64.h"
#include "dime/armor.h"
#include "dime/resealing.h"
#include "dmtpd/transit.h"

const char transit_head[] = "MIME-Version: 1.0\r\n"
			    "Content-Type: application/vnd.dime-message\r\n"
			    "\r\n";

static const char media_type[] = "application/vnd.dime-message";

enum {
	ARMOR_COLUMNS = 64,
	ARMOR_FRAME = 256, /* both dash lines and the blanks around them */
	SEAL_ROOM = 65536, /* chunks that every message has, and then some */
	SEAL_SHARE = 64,   /* chunks of a message of many small parts */
};

static bool
is_blank(uint8_t octet)
{
	return octet == ' ' || octet == '\t';
}

/* Takes a field with its continuation lines; false at the end of the header. */
static bool
next_field(struct span *rest, struct span *field)
{
	struct span line, after = *rest;

	if (!span_next_line(&after, &line) || line.length == 0)
		return false;
	*field = line;
	while (after.length > 0 && is_blank(after.data[0]) &&
	    span_next_line(&after, &line))
		field->length =
		    (size_t)(line.data + line.length - field->data);
	*rest = after;
	return true;
}

/* The value of a field of this name. */
static bool
field_value(struct span field, const char *name, struct span *value)
{
	size_t length = strlen(name);

	if (field.length <= length || field.data[length] != ':' ||
	    !span_equal_nocase(span_slice(field, 0, length),
	        span_string(name)))
		return false;
	*value = span_trim(span_slice(field, length + 1, field.length));
	return true;
}

static bool
is_alphanumeric(uint8_t octet)
{
	return (octet >= '0' && octet <= '9') ||
	    (octet >= 'A' && octet <= 'Z') || (octet >= 'a' && octet <= 'z');
}

/* "... by host (Postfix) with ESMTP id QUEUEID[ CRLF] for <...>; date" */
static void
take_queue_id(struct span received, char queue[static TRANSIT_QUEUE_SIZE])
{
	static const char label[] = " id ";
	const uint8_t *found = memmem(received.data, received.length, label,
	    sizeof(label) - 1);
	struct span id;
	size_t length = 0;

	if (found == NULL)
		return;
	id = span_slice(received, (size_t)(found - received.data) +
	    sizeof(label) - 1, TRANSIT_QUEUE_SIZE - 1);
	while (length < id.length && is_alphanumeric(id.data[length]))
		length++;
	span_copy_string(span_slice(id, 0, length), queue,
	    TRANSIT_QUEUE_SIZE);
}

static bool
is_media_type(struct span value)
{
	size_t length = sizeof(media_type) - 1;
	struct span rest = span_trim(span_slice(value, length, value.length));

	return span_equal_nocase(span_slice(value, 0, length),
	           span_string(media_type)) &&
	    (rest.length == 0 || rest.data[0] == ';');
}

/* Takes what a field tells. */
static int
take_field(struct span field, struct transit *out, bool *sealed,
    struct fault *fault)
{
	struct span value;

	if (field_value(field, "Content-Type", &value)) {
		if (*sealed || !is_media_type(value))
			return fault_set(fault, ERR_FORMAT,
			    "not D/MIME: its Content-Type is not %s",
			    media_type);
		*sealed = true;
	} else if (field_value(field, resealing_count_field, &value)) {
		if (out->resealed != 0 ||
		    !resealing_read_count(value, &out->resealed))
			return fault_set(fault, ERR_FORMAT,
			    "its %s is malformed", resealing_count_field);
	} else if (out->queue[0] == '\0' &&
	    field_value(field, "Received", &value)) {
		take_queue_id(value, out->queue);
	}
	return 0;
}

int
transit_read(struct span mail, struct transit *out, struct fault *fault)
{
	struct span field, end;
	bool sealed = false;
	int err;

	*out = (struct transit){.armor = {NULL, 0}};
	while (next_field(&mail, &field)) {
		err = take_field(field, out, &sealed, fault);
		if (err != 0)
			return err;
	}
	if (!sealed)
		return fault_set(fault, ERR_FORMAT,
		    "not D/MIME: it has no Content-Type");
	span_next_line(&mail, &end);
	if (!armor_is_armored(mail))
		return fault_set(fault, ERR_FORMAT,
		    "not D/MIME: its body is not armored");
	out->armor = mail;
	return 0;
}

size_t
transit_binary_size(int64_t limit)
{
	return (size_t)(limit + limit / SEAL_SHARE + SEAL_ROOM);
}

size_t
transit_armor_size(size_t size)
{
	size_t characters = BASE64_LENGTH(size);

	/* Lines may end in CR LF. */
	return characters + 2 * (characters / ARMOR_COLUMNS + 1) + ARMOR_FRAME;
}
