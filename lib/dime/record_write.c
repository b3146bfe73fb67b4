/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "crypto/base64.h"
#include "dime/record.h"

enum {
	STRING_LIMIT = 255,     /* of one TXT string */
	FIELD_SIZE = 4 + DOMAIN_SIZE,
};

/* Takes the fields of a record one by one. */
struct writer {
	void (*put)(struct writer *writer, const char *field);
	struct buffer *out;
	size_t count;  /* fields so far */
	size_t length; /* of the open TXT string */
};

static void
put_number(struct writer *writer, const char *name, unsigned int value)
{
	char field[FIELD_SIZE];

	snprintf(field, sizeof(field), "%s=%u", name, value);
	writer->put(writer, field);
}

static void
put_text(struct writer *writer, const char *name, const char *value)
{
	char field[FIELD_SIZE];

	snprintf(field, sizeof(field), "%s=%s", name, value);
	writer->put(writer, field);
}

static void
put_octets(struct writer *writer, const char *name, struct span octets)
{
	char text[BASE64_LENGTH(CRYPTO_SIGNATURE) + 1];

	base64_encode(octets, text);
	put_text(writer, name, text);
}

/* Version and policy always, so that nobody's default matters; the other two
 * where they are not the default, to keep within 512 octets. */
static void
put_all(struct writer *writer, const struct record *record)
{
	put_number(writer, "ver", record->version);
	for (size_t i = 0; i < record->pok_count; i++)
		put_octets(writer, "pok", span_of(record->poks[i],
		    sizeof(record->poks[i])));
	for (size_t i = 0; i < record->tls_count; i++)
		put_octets(writer, "tls", span_of(record->tls[i],
		    sizeof(record->tls[i])));
	put_text(writer, "pol", record_policy_name(record->policy));
	if (record->subdomain != RECORD_SUB_MIXED)
		put_text(writer, "sub",
		    record_subdomain_name(record->subdomain));
	if (record->expiry != RECORD_EXPIRY_DEFAULT)
		put_number(writer, "exp", record->expiry);
	for (size_t i = 0; i < record->deliver_count; i++)
		put_text(writer, "dx", record->deliver[i]);
	for (size_t i = 0; i < record->syndicate_count; i++)
		put_text(writer, "syn", record->syndicates[i]);
}

static void
put_plain(struct writer *writer, const char *field)
{
	buffer_printf(writer->out, writer->count++ == 0 ? "%s" : " %s", field);
}

void
record_write(const struct record *record, struct buffer *out)
{
	struct writer writer = {.put = put_plain, .out = out};

	put_all(&writer, record);
}

/* There must be room for a space behind every field: it ends a string that is
 * not the last, and the last field is not known yet. */
static void
put_in_string(struct writer *writer, const char *field)
{
	size_t needed = strlen(field) + 1;

	if (needed > STRING_LIMIT) {
		writer->out->error = ERR_TOO_LARGE;
		return;
	}
	if (writer->count++ == 0) {
		buffer_u8(writer->out, '"');
	} else if (writer->length + needed > STRING_LIMIT) {
		buffer_append_string(writer->out, " \" \"");
		writer->length = 0;
	} else {
		buffer_u8(writer->out, ' ');
	}
	buffer_append_string(writer->out, field);
	writer->length += needed;
}

void
record_write_strings(const struct record *record, struct buffer *out)
{
	struct writer writer = {.put = put_in_string, .out = out};

	put_all(&writer, record);
	buffer_u8(out, '"');
}
