/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <stdio.h>

#include "tests/fuzz/fuzz.h"

#include "base/file.h"

/* Runs one input in memory of its own size, so that reading past its end is
 * seen, and then what a connection or a file cut short would leave of it. */
static void
replay(struct span content)
{
	size_t step = content.length / 64 + 1;

	for (size_t length = content.length;; length -= step) {
		uint8_t *copy = malloc(length);

		FUZZ_CHECK(copy != NULL || length == 0);
		if (length > 0)
			memcpy(copy, content.data, length);
		LLVMFuzzerTestOneInput(copy, length);
		free(copy);
		if (length < step)
			return;
	}
}

static size_t
replay_directory(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	size_t count = 0;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		struct buffer content = buffer_make(FUZZ_LIMIT);
		struct fault fault = {0};
		char file[4096 + 256 + 1];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		puts(file);
		fflush(stdout);
		if (file_read(file, &content, &fault) != 0) {
			puts(fault.text);
			exit(1);
		}
		replay(buffer_span(&content));
		buffer_free(&content);
		count++;
	}
	if (directory != NULL)
		closedir(directory);
	return count;
}

/* Without arguments: the inputs of the harness that this program is called
 * after. */
int
main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	char path[4096];

	LLVMFuzzerInitialize(&argc, &argv);
	name = name == NULL ? argv[0] : name + 1;
	snprintf(path, sizeof(path), TEST_SRCDIR "/tests/fuzz/corpus/%s",
	    name);
	if (replay_directory(argc > 1 ? argv[1] : path) > 0)
		return 0;
	printf("no inputs in %s\n", argc > 1 ? argv[1] : path);
	return 1;
}
