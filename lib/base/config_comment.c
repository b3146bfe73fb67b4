/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/config_private.h"

/* As libConfuse reads them: behind a word a '/' belongs to the word, a '#' does
 * not. */
static bool
ends_word(uint8_t octet)
{
	return octet <= ' ' || strchr("={}(),", octet) != NULL;
}

/* The octet behind what is quoted from `at` on. */
static size_t
skip_quoted(struct span text, size_t at)
{
	const uint8_t quote = text.data[at++];

	while (at < text.length && text.data[at] != quote)
		at += text.data[at] == '\\' ? 2 : 1;
	return at < text.length ? at + 1 : text.length;
}

/* The octet behind what ends with `end`, or behind all. */
static size_t
skip_past(struct span text, size_t at, const char *end)
{
	while (at < text.length &&
	    !span_equal_string(span_slice(text, at, strlen(end)), end))
		at++;
	return at < text.length ? at + strlen(end) : text.length;
}

/* The octet behind the comment that begins at `at`; `at` when none does. */
static size_t
skip_comment(struct span text, size_t at)
{
	const bool fresh = at == 0 || ends_word(text.data[at - 1]);
	const struct span mark = span_slice(text, at, 2);

	if (mark.data[0] == '#' || (fresh && span_equal_string(mark, "//")))
		return skip_past(text, at, "\n");
	if (fresh && span_equal_string(mark, "/*"))
		return skip_past(text, at + 2, "*/");
	return at;
}

void
config_blank_comments(struct buffer *text)
{
	const struct span span = buffer_span(text);

	for (size_t at = 0; at < span.length;) {
		const size_t end = skip_comment(span, at);

		if (end == at) {
			at = span.data[at] == '"' || span.data[at] == '\''
			    ? skip_quoted(span, at)
			    : at + 1;
			continue;
		}
		for (; at < end; at++)
			if (text->data[at] != '\n')
				text->data[at] = ' ';
	}
}
