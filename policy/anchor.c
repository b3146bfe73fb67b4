/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/address.h"
#include "base/file.h"
#include "policy/anchor.h"

enum { FILE_LIMIT = 1 << 20, ANCHORS = 256 };

struct anchors {
	char *path;
	struct buffer text;
	size_t count;
	char names[ANCHORS][DOMAIN_SIZE]; /* "" is the root */
	char *files[ANCHORS]; /* NULL: the keys are those of `text` */
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

/* libunbound passes over an anchor whose algorithm or digest it does not know,
 * and then takes everything below for unsigned. */
static const uint8_t algorithms[] = {5, 7, 8, 10, 13, 14, 15, 16};
static const uint8_t digests[] = {1, 2, 4};

static bool
is_one_of(struct span word, const uint8_t *known, size_t count)
{
	uint64_t number;

	if (!span_number(word, UINT8_MAX, &number))
		return false;
	for (size_t i = 0; i < count; i++)
		if (known[i] == number)
			return true;
	return false;
}

/* `OWNER [TTL] [IN] DS TAG ALGORITHM DIGEST ...` or
 * `... DNSKEY FLAGS 3 ALGORITHM ...` */
static bool
read_line(struct anchors *anchors, struct span line)
{
	struct span owner, word;
	bool is_ds;
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
	is_ds = before == 1;
	while (before-- > 0)
		if (!next_word(&line, &word))
			return false;
	return next_word(&line, &word) &&
	    is_one_of(word, algorithms, sizeof(algorithms)) &&
	    (!is_ds || (next_word(&line, &word) &&
	        is_one_of(word, digests, sizeof(digests)))) &&
	    add(anchors, owner);
}

static int
read_lines(struct anchors *anchors, struct fault *fault)
{
	struct span text = buffer_span(&anchors->text);
	const char *path = anchors->path;
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
	struct anchors *anchors = calloc(1, sizeof(*anchors));
	int err;

	*out = NULL;
	if (anchors == NULL || (anchors->path = strdup(path)) == NULL) {
		free(anchors);
		return fault_set(fault, ERR_MEMORY, "%s: out of memory", path);
	}
	anchors->text = buffer_make(FILE_LIMIT);
	err = file_read(path, &anchors->text, fault);
	if (err == 0)
		err = read_lines(anchors, fault);
	if (err != 0)
		anchors_free(anchors);
	else
		*out = anchors;
	return err;
}

void
anchors_free(struct anchors *anchors)
{
	if (anchors == NULL)
		return;
	for (size_t i = 0; i < anchors->count; i++)
		free(anchors->files[i]);
	buffer_free(&anchors->text);
	free(anchors->path);
	free(anchors);
}

const char *
anchors_path(const struct anchors *anchors)
{
	return anchors->path;
}

struct span
anchors_text(const struct anchors *anchors)
{
	return buffer_span(&anchors->text);
}

/* ---- RFC 5011 ---- */

/* What was read of one name. */
static void
copy_keys(const struct anchors *anchors, const char *name, struct buffer *out)
{
	struct span text = buffer_span(&anchors->text);
	struct span line, rest, owner;
	bool ours = false;
	int depth = 0;

	while (span_next_line(&text, &line)) {
		rest = line;
		if (depth == 0) {
			ours = next_word(&rest, &owner);
			if (ours && owner.data[owner.length - 1] == '.')
				owner.length--;
			ours = ours &&
			    span_equal_nocase(owner, span_string(name));
		}
		count_parentheses(line, &depth);
		if (!ours)
			continue;
		buffer_append_span(out, line);
		buffer_u8(out, '\n');
	}
}

/* Whether a file has keys that are good for anything. libunbound takes all that
 * is below an anchor without keys for unsigned. */
static int
check_file(const char *path, struct fault *fault)
{
	struct anchors *read;
	struct span text, line;
	int err = anchors_read(path, &read, fault);

	if (err != 0)
		return err;
	text = buffer_span(&read->text);
	while (err == 0 && span_next_line(&text, &line))
		if (span_equal_string(span_slice(line, 0, 9), ";;REVOKED"))
			err = fault_set(fault, ERR_CONFIG,
			    "%s: all keys have been revoked; put new ones into "
			    "the trust_anchor_file and remove this one", path);
	anchors_free(read);
	return err;
}

static int
follow_one(struct anchors *anchors, size_t index, const char *directory,
    bool check_only, struct fault *fault)
{
	const char *name = anchors->names[index];
	struct buffer keys = buffer_make(FILE_LIMIT);
	char *path;
	int err = 0;

	if (strchr(name, '/') != NULL)
		return fault_set(fault, ERR_CONFIG,
		    "%s: \"%s\" cannot be a file's name", anchors->path, name);
	if (asprintf(&path, "%s/%s.key", directory,
	        *name == '\0' ? "root" : name) < 0)
		return fault_set(fault, ERR_MEMORY, "out of memory");
	if (access(path, F_OK) == 0) {
		err = check_file(path, fault);
	} else if (!check_only) {
		copy_keys(anchors, name, &keys);
		err = file_write(path, buffer_span(&keys), 0644, false, fault);
	}
	buffer_free(&keys);
	if (err != 0 || check_only)
		free(path);
	else
		anchors->files[index] = path;
	return err;
}

int
anchors_follow(struct anchors *anchors, const char *directory, bool check_only,
    struct fault *fault)
{
	int err = 0;

	/* libunbound would only log that it cannot, and use old keys for
	 * ever. */
	if (access(directory, W_OK | X_OK) != 0)
		return fault_set(fault,
		    errno == EACCES ? ERR_PERMISSION : ERR_CREATE,
		    "trust_anchor_directory: %s: %s", directory,
		    strerror(errno));
	for (size_t i = 0; err == 0 && i < anchors->count; i++)
		err = follow_one(anchors, i, directory, check_only, fault);
	return err;
}

const char *
anchors_file(const struct anchors *anchors, size_t index)
{
	return index < anchors->count ? anchors->files[index] : NULL;
}

/* ---- asking ---- */

static bool
is_above(const char *anchor, const char *name, size_t length)
{
	const size_t size = strlen(anchor);

	return size == 0 ||
	    (size <= length &&
	        strncasecmp(name + length - size, anchor, size) == 0 &&
	        (size == length || name[length - size - 1] == '.'));
}

bool
anchors_cover(const struct anchors *anchors, const char *name)
{
	size_t length = strlen(name);

	if (length > 0 && name[length - 1] == '.')
		length--;
	for (size_t i = 0; i < anchors->count; i++)
		if (is_above(anchors->names[i], name, length) &&
		    (anchors->files[i] == NULL ||
		        check_file(anchors->files[i], NULL) == 0))
			return true;
	return false;
}
