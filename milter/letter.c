/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/letter.h"

/* Headers come on top of the limit that the whole message has. */
enum { HEADER_LIMIT = 16 << 20 };

void
letter_start(struct letter *letter, size_t limit, bool keep_body)
{
	letter_clear(letter);
	letter->header = buffer_make(HEADER_LIMIT);
	letter->body = buffer_make(limit);
	letter->keep_body = keep_body;
	crypto_hash_start(&letter->hash);
}

void
letter_clear(struct letter *letter)
{
	buffer_free(&letter->header);
	buffer_free(&letter->body);
	*letter = (struct letter){0};
}

/* The path without angle brackets. */
static struct span
inside(const char *path)
{
	struct span text = span_trim(span_string(path));

	if (text.length >= 2 && text.data[0] == '<' &&
	    text.data[text.length - 1] == '>')
		text = span_slice(text, 1, text.length - 2);
	return text;
}

bool
letter_read_path(const char *path, char out[static ADDRESS_SIZE])
{
	return address_normalize(inside(path), out);
}

bool
letter_read_domain(const char *path, char out[static DOMAIN_SIZE])
{
	struct span text = inside(path);
	size_t at = text.length;

	while (at > 0 && text.data[at - 1] != '@')
		at--;
	out[0] = '\0';
	return at > 0 && domain_normalize(span_slice(text, at, SIZE_MAX), out);
}

void
letter_set_sender(struct letter *letter, const char *path)
{
	struct span text = inside(path);

	if (!span_copy_string(text, letter->sender_given,
	    sizeof(letter->sender_given)))
		letter->err = ERR_TOO_LARGE;
	address_normalize(text, letter->sender);
}

void
letter_add_recipient(struct letter *letter, const char *path)
{
	if (letter->recipients++ > 0)
		return;
	letter_read_path(path, letter->recipient);
	address_spell(inside(path), letter->recipient_spelled);
}

void
letter_add_field(struct letter *letter, const char *name, const char *value)
{
	struct buffer *out = &letter->header;

	if (letter->fields++ >= LETTER_FIELDS_MAX) {
		letter->err = ERR_TOO_LARGE;
		return;
	}
	buffer_append_string(out, name);
	buffer_u8(out, ':');
	for (char last = '\0'; *value != '\0'; last = *value++) {
		if (*value == '\n' && last != '\r')
			buffer_u8(out, '\r');
		buffer_u8(out, (uint8_t)*value);
	}
	buffer_append_string(out, "\r\n");
	if (out->error != 0)
		letter->err = out->error;
}

void
letter_add_body(struct letter *letter, struct span piece)
{
	crypto_hash_add(&letter->hash, piece);
	if (!letter->keep_body)
		return;
	buffer_append_span(&letter->body, piece);
	if (letter->body.error != 0)
		letter->err = letter->body.error;
}

bool
letter_is_bounce(const struct letter *letter)
{
	return letter->sender_given[0] == '\0';
}
