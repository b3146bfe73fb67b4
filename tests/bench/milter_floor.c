/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <libmilter/mfapi.h>

/*
 * The least that a milter can do that replaces bodies: it puts the content of a
 * file in the place of each.
 *
 * usage: milter_floor SOCKET FILE
 */

enum { LIMIT = 16 << 20 };

static unsigned char *content;
static size_t length;

static sfsistat
end_of_message(SMFICTX *context)
{
	return smfi_replacebody(context, content, (int)length) == MI_SUCCESS
	    ? SMFIS_ACCEPT
	    : SMFIS_TEMPFAIL;
}

static int
read_content(const char *path)
{
	FILE *file = fopen(path, "re");

	content = malloc(LIMIT);
	if (file == NULL || content == NULL)
		return -1;
	length = fread(content, 1, LIMIT, file);
	fclose(file);
	return length > 0 ? 0 : -1;
}

int
main(int count, char **arguments)
{
	static char name[] = "milter_floor";
	struct smfiDesc milter = {.xxfi_name = name,
	    .xxfi_version = SMFI_VERSION, .xxfi_flags = SMFIF_CHGBODY,
	    .xxfi_eom = end_of_message};

	if (count != 3) {
		fprintf(stderr, "usage: milter_floor SOCKET FILE\n");
		return 64;
	}
	umask(0117);
	if (read_content(arguments[2]) != 0 ||
	    smfi_setconn(arguments[1]) != MI_SUCCESS ||
	    smfi_register(milter) != MI_SUCCESS) {
		fprintf(stderr, "milter_floor: cannot start\n");
		return 1;
	}
	return smfi_main() == MI_SUCCESS ? 0 : 1;
}
