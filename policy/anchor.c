/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <strings.h>

#include "base/address.h"
#include "base/file.h"
#include "policy/anchor.h"

enum { FILE_LIMIT = 1 << 20, ANCHORS = 256 };

struct anchors {
	size_t count;
	char names[ANCHORS][DOMAIN_SIZE]; /* "" is the root */
};

/* The next word of a zone-file line; false at its end or at a comment. */
static bool
next_word(struct span *line, struct span *word)
{
	size_t length = 0;

	*line = span_trim(*line);
	if (line->length == 0 || line->data[0] == ';')
		return false;
	while (length < line->length &&
	    strchr(" \t;", line->data[length]) == NULL)
		length++;
	*word = span_slice(*line, 0, length);
	*line = span_slice(*line, length, line->length);
	return true;
}

/* Keys may go over several lines, held together by parentheses. */
static void
count_parentheses(struct span line, int *depth)
{
	for (size_t i = 0; i < line.length && line.data[i] != ';'; i++)
		*depth += (line.data[i] == '(') - (line.data[i] == ')');
}

static bool
add(struct anchors *anchors, struct span owner)
{
	char *name = anchors->names[anchors->count];

	if (owner.length > 0 && owner.data[owner.length - 1] == '.')
		owner.length--;
	if (anchors->count == ANCHORS ||
	    !span_copy_string(owner, name, DOMAIN_SIZE))
		return false;
	for (size_t i = 0; i < anchors->count; i++)
		if (strcasecmp(anchors->names[i], name) == 0)
			return true;
	anchors->count++;
	return true;
}

/* libunbound passes over an anchor whose algorithm it does not know, and then
 * takes everything below for unsigned. */
static bool
is_known_algorithm(struct span word)
{
	static const uint64_t known[] = {5, 7, 8, 10, 13, 14, 15, 16};
	uint64_t algorithm;

	if (!span_number(word, UINT8_MAX, &algorithm))
		return false;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i] == algorithm)
			return true;
	return false;
}

/* `OWNER [TTL] [IN] DS TAG ALGORITHM ...` or `... DNSKEY FLAGS 3 ALGORITHM ...`
 */
static bool
read_line(struct anchors *anchors, struct span line)
{
	struct span owner, word;
	int before = 0; /* words between the type and the algorithm */

	if (line.data[0] == ' ' || line.data[0] == '\t')
		return !next_word(&line, &word);
	if (!next_word(&line, &owner))
		return true;
	while (before == 0 && next_word(&line, &word)) {
		if (span_equal_nocase(word, span_string("DS")))
			before = 1;
		else if (span_equal_nocase(word, span_string("DNSKEY")))
			before = 2;
	}
	if (before == 0)
		return false;
	while (before-- > 0)
		if (!next_word(&line, &word))
			return false;
	return next_word(&line, &word) && is_known_algorithm(word) &&
	    add(anchors, owner);
}

static int
read_lines(const char *path, struct span text, struct anchors *anchors,
    struct fault *fault)
{
	struct span line;
	int number = 0, depth = 0;

	while (span_next_line(&text, &line)) {
		bool inside = depth > 0;

		number++;
		count_parentheses(line, &depth);
		if (!inside && line.length > 0 && !read_line(anchors, line))
			return fault_set(fault, ERR_CONFIG,
			    "%s:%d: not a DS or DNSKEY record that can "
			    "be used", path, number);
	}
	if (anchors->count == 0)
		return fault_set(fault, ERR_CONFIG,
		    "%s: holds no trust anchor", path);
	return 0;
}

int
anchors_read(const char *path, struct anchors **out, struct fault *fault)
{
	struct buffer text = buffer_make(FILE_LIMIT);
	struct anchors *anchors = calloc(1, sizeof(*anchors));
	int err;

	*out = NULL;
	if (anchors == NULL)
		return fault_set(fault, ERR_MEMORY, "%s: out of memory", path);
	err = file_read(path, &text, fault);
	if (err == 0)
		err = read_lines(path, buffer_span(&text), anchors, fault);
	buffer_free(&text);
	if (err != 0)
		anchors_free(anchors);
	else
		*out = anchors;
	return err;
}

void
anchors_free(struct anchors *anchors)
{
	free(anchors);
}

bool
anchors_cover(const struct anchors *anchors, const char *name)
{
	const size_t length = strlen(name);

	for (size_t i = 0; i < anchors->count; i++) {
		const size_t anchor = strlen(anchors->names[i]);

		if (anchor == 0)
			return true;
		if (anchor <= length &&
		    strcasecmp(name + length - anchor, anchors->names[i]) ==
		        0 &&
		    (anchor == length || name[length - anchor - 1] == '.'))
			return true;
	}
	return false;
}
