/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/received.h"

#include <ctype.h>
#include <strings.h>

static bool
is_word(struct span word, const char *text)
{
	return span_equal_nocase(word, span_string(text));
}

/* The next word, behind comments; empty at ';' and at the end. */
static bool
next_word(struct span *text, struct span *word)
{
	if (!header_skip(text))
		return false;
	*word = header_word(text);
	return true;
}

/* The word behind a keyword: there must be one. */
static bool
argument(struct span *text, struct span *word)
{
	return next_word(text, word) && word->length > 0;
}

static bool
is_queue_id(struct span word)
{
	for (size_t i = 0; i < word.length; i++)
		if (!isalnum(word.data[i]))
			return false;
	return true;
}

/* Behind `by HOST`: the other clauses up to ';' or `for`. */
static bool
read_clauses(struct span *text, struct received *out)
{
	struct span word, id;

	for (;;) {
		if (!next_word(text, &word))
			return false;
		if (word.length == 0)
			return text->length == 0 || text->data[0] == ';';
		/* Its address may hold anything; only the date follows. */
		if (is_word(word, "for"))
			return true;
		if (is_word(word, "id")) {
			if (out->id[0] != '\0' || !argument(text, &id) ||
			    !is_queue_id(id) ||
			    !span_copy_string(id, out->id, sizeof(out->id)))
				return false;
		} else if (!is_word(word, "with") || !argument(text, &id))
			return false;
	}
}

bool
received_parse(struct span value, struct received *out)
{
	struct span text = value, word;
	size_t end = value.length;

	*out = (struct received){0};
	if (!argument(&text, &word))
		return false;
	if (is_word(word, "from") &&
	    (!argument(&text, &word) || !argument(&text, &word)))
		return false;
	if (!is_word(word, "by") || !argument(&text, &word) ||
	    !span_copy_string(word, out->by, sizeof(out->by)) ||
	    !read_clauses(&text, out)) {
		*out = (struct received){0};
		return false;
	}
	while (end > 0 && value.data[end - 1] != ';')
		end--;
	/* The date often stands on a folded line of its own. */
	while (end > 0 && end < value.length && isspace(value.data[end]))
		end++;
	if (end > 0)
		out->date = span_trim(span_slice(value, end, SIZE_MAX));
	return true;
}

bool
received_topmost(struct span block, struct received *out)
{
	struct header_field field;

	*out = (struct received){0};
	return header_find(block, "Received", &field) &&
	    received_parse(field.value, out);
}

static bool
is_own(const struct received *received, const char *top, const char *hostname,
    const struct config_list *domains)
{
	char host[DOMAIN_SIZE];

	if (strcasecmp(received->by, top) == 0 ||
	    strcasecmp(received->by, hostname) == 0)
		return true;
	if (!domain_normalize(span_string(received->by), host))
		return false;
	for (size_t i = 0; i < domains->count; i++)
		if (domain_is_within(host, domains->items[i]))
			return true;
	return false;
}

/* Whether it is of the characters of a date-time; "Thu, 1 Jan 1970 00:00:00
 * +0000 (UTC)". What is not is left out. */
static bool
is_date(struct span date)
{
	for (size_t i = 0; i < date.length; i++)
		if (!isalnum(date.data[i]) && (date.data[i] == '\0' ||
		    strchr(" ,:+-()", date.data[i]) == NULL))
			return false;
	return date.length > 0 && date.length < 80;
}

void
received_rewrite(struct span block, const char *domain, const char *hostname,
    const struct config_list *domains, struct buffer *out)
{
	struct header_field field;
	struct received received;
	char top[DOMAIN_SIZE] = "";
	bool at_top = true;

	while (header_next(&block, &field)) {
		if (!at_top || !header_is(&field, "Received")) {
			buffer_append_span(out, field.whole);
			continue;
		}
		at_top = received_parse(field.value, &received);
		if (at_top && top[0] == '\0')
			memcpy(top, received.by, sizeof(top));
		at_top = at_top && is_own(&received, top, hostname, domains);
		if (!at_top) {
			buffer_append_span(out, field.whole);
			continue;
		}
		buffer_printf(out, "Received: by %s", domain);
		if (is_date(received.date)) {
			buffer_append_string(out, "; ");
			buffer_append_span(out, received.date);
		}
		buffer_append_string(out, "\r\n");
	}
}
