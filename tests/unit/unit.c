/* SPDX-License-Identifier: BSD-2-Clause */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#include "crypto/crypto.h"

enum { DIRECTORIES = 64 };

static char directories[DIRECTORIES][256];
static size_t directory_count;

void
unit_case(const char *name)
{
	print_message("             case: %s\n", name);
}

void
unit_directory(char *template_path)
{
	assert_non_null(mkdtemp(template_path));
	assert_true(directory_count < DIRECTORIES);
	snprintf(directories[directory_count++], sizeof(directories[0]), "%s",
	    template_path);
}

static int
remove_entry(const char *path, const struct stat *status, int type,
    struct FTW *position)
{
	return remove(path);
}

int
unit_start(void **state)
{
	struct fault fault;

	return crypto_start(&fault);
}

int
unit_end(void **state)
{
	while (directory_count > 0)
		nftw(directories[--directory_count], remove_entry, 16,
		    FTW_DEPTH | FTW_PHYS);
	return 0;
}
