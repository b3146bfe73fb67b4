/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/letter.h"

#include "crypto/base64.h"
#include "crypto/random.h"

enum {
	LINE_LENGTH = 72,
	BASE64_OCTETS = 57, /* lines of 76 columns, as mail programs write them */
	TEXT_SHARE = 20,    /* one part in so many of a mail with attachment */
};

static const char *const names[LETTER_KINDS] = {
    "text", "attachment", "random"};

/* Alphabetically, so that nobody looks for a meaning. */
static const char *const words[] = {
    "about", "after", "again", "and", "answer", "before", "budget", "but",
    "by", "can", "contract", "could", "customer", "day", "delivery", "draft",
    "each", "for", "from", "have", "I", "if", "in", "is", "it", "last",
    "letter", "meeting", "month", "need", "next", "not", "of", "offer", "on",
    "order", "our", "papers", "please", "price", "project", "question",
    "regards", "report", "send", "should", "so", "that", "the", "them", "then",
    "there", "this", "to", "tomorrow", "was", "we", "week", "were", "when",
    "which", "with", "would", "you", "your"};

const char *
letter_name(enum letter_kind kind)
{
	return names[kind];
}

static void
write_words(struct random_source *random, size_t end, struct buffer *out)
{
	size_t line = out->length;

	while (out->length < end && out->error == 0) {
		const char *word = words[random_below(random,
		    sizeof(words) / sizeof(words[0]))];

		if (out->length - line + strlen(word) > LINE_LENGTH) {
			buffer_append_string(out, "\r\n");
			line = out->length;
		}
		buffer_printf(out, "%s%s", out->length == line ? "" : " ",
		    word);
	}
	buffer_append_string(out, "\r\n");
}

static void
write_base64(struct random_source *random, size_t end, struct buffer *out)
{
	uint8_t octets[BASE64_OCTETS];
	char line[BASE64_LENGTH(BASE64_OCTETS) + 1];

	while (out->length < end && out->error == 0) {
		random_fill(random, octets, sizeof(octets));
		base64_encode(span_of(octets, sizeof(octets)), line);
		buffer_append_string(out, line);
		buffer_append_string(out, "\r\n");
	}
}

static void
write_octets(struct random_source *random, size_t end, struct buffer *out)
{
	size_t length = end - out->length;
	uint8_t *octets = buffer_extend(out, length);

	if (octets != NULL)
		random_fill(random, octets, length);
}

static void
write_header(const char *type, struct buffer *out)
{
	buffer_printf(out,
	    "Received: by alpha.test; Tue, 3 Mar 2026 09:14:02 +0100\r\n"
	    "Message-ID: <1772525642.8713.alice@alpha.test>\r\n"
	    "Date: Tue, 3 Mar 2026 09:14:01 +0100\r\n"
	    "User-Agent: Example Mail 128.7\r\n"
	    "Subject: The papers for the meeting\r\n"
	    "From: Alice Example <alice@alpha.test>\r\n"
	    "To: Bob Example <bob@beta.test>\r\n"
	    "Content-Language: en-GB\r\n"
	    "In-Reply-To: <20260302171133.GA2201@beta.test>\r\n"
	    "References: <20260302171133.GA2201@beta.test>\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: %s\r\n\r\n", type);
}

static void
write_parts(struct random_source *random, size_t end, struct buffer *out)
{
	size_t text_end = out->length + end / TEXT_SHARE;

	write_header("multipart/mixed; boundary=\"=_0f9c\"", out);
	buffer_append_string(out, "--=_0f9c\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n\r\n");
	write_words(random, text_end, out);
	buffer_append_string(out, "--=_0f9c\r\n"
	    "Content-Type: application/pdf; name=\"papers.pdf\"\r\n"
	    "Content-Disposition: attachment; filename=\"papers.pdf\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\n");
	write_base64(random, end, out);
	buffer_append_string(out, "--=_0f9c--\r\n");
}

void
letter_write(enum letter_kind kind, size_t length, struct buffer *out)
{
	static const uint8_t key[32] = {1};
	struct random_source random;
	size_t end = out->length + length;

	random_start_keyed(&random, key, span_string(names[kind]));
	if (kind == LETTER_ATTACHMENT) {
		write_parts(&random, end, out);
	} else {
		write_header("text/plain; charset=utf-8", out);
		if (kind == LETTER_TEXT)
			write_words(&random, end, out);
		else
			write_octets(&random, end, out);
	}
	random_end(&random);
}
