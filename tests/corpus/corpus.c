/* SPDX-License-Identifier: BSD-2-Clause */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/corpus/corpus.h"

#include "base/file.h"

enum {
	LEAST = 200,           /* messages, or it is not the corpus */
	MAIL_LIMIT = 80 << 20, /* the largest is 64 MiB and a little */
};

static char corpus_directory[] = "/tmp/dimegate-corpus-XXXXXX";

/* Runs python3 with the words behind it; its exit status. */
static int
run_python(const char *script, const char *argument)
{
	char *words[] = {strdup("python3"), strdup(script), strdup(argument),
	    NULL};
	int status = -1;
	pid_t child;

	if (posix_spawnp(&child, words[0], NULL, NULL, words, environ) != 0 ||
	    waitpid(child, &status, 0) != child)
		status = -1;
	for (size_t i = 0; words[i] != NULL; i++)
		free(words[i]);
	return status;
}

bool
corpus_can_be_made(void)
{
	if (run_python("-c", "import hashlib") == 0)
		return true;
	puts("SKIP: python3 is not installed");
	return false;
}

void
corpus_make(void)
{
	unit_directory(corpus_directory);
	assert_int_equal(run_python(TEST_SRCDIR "/tests/corpus/make",
	    corpus_directory), 0);
}

static struct buffer
read_file(const char *name)
{
	struct buffer out = buffer_make(MAIL_LIMIT);
	struct fault fault = {0};
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", corpus_directory, name);
	if (file_read(path, &out, &fault) != 0)
		fail_msg("%s", fault.text);
	return out;
}

/* Reads one line of the index: NAME, TYPES or "same", REASON. */
static struct corpus_message
read_line(char *line)
{
	struct corpus_message message = {.name = strtok(line, "\t")};
	const char *types = strtok(NULL, "\t");

	assert_non_null(types);
	if (strcmp(types, "same") != 0) {
		message.types = types;
		message.reason = strtok(NULL, "\t");
		assert_non_null(message.reason);
	}
	return message;
}

void
corpus_each(bool (*check)(const struct corpus_message *message))
{
	struct buffer index = read_file("index");
	size_t count = 0, failed = 0;
	struct span rest = buffer_span(&index), text;

	while (span_next_line(&rest, &text)) {
		char line[1000];
		struct corpus_message message;
		struct buffer mail;

		assert_true(span_copy_string(text, line, sizeof(line)));
		message = read_line(line);
		mail = read_file(message.name);
		message.mail = buffer_span(&mail);
		count++;
		if (!check(&message))
			failed++;
		buffer_free(&mail);
	}
	buffer_free(&index);
	print_message("%zu messages, %zu failed\n", count, failed);
	assert_in_range(count, LEAST, SIZE_MAX);
	assert_int_equal(failed, 0);
}
