/* SPDX-License-Identifier: BSD-2-Clause */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

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

void
unit_malleate(uint8_t signature[static 64])
{
	static const uint8_t order[32] = {
	    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
	    0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
	unsigned int carry = 0;

	for (int i = 0; i < 32; i++) {
		carry += (unsigned int)signature[32 + i] + order[i];
		signature[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
}

static int
bind_somewhere(unsigned int *port)
{
	struct sockaddr_in place = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr *at = (struct sockaddr *)&place;
	socklen_t length = sizeof(place);
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, at, length), 0);
	assert_int_equal(getsockname(fd, at, &length), 0);
	*port = ntohs(place.sin_port);
	return fd;
}

unsigned int
unit_port(void)
{
	unsigned int port;

	close(bind_somewhere(&port));
	return port;
}

int
unit_listen(unsigned int *port)
{
	const int fd = bind_somewhere(port);

	assert_int_equal(listen(fd, SOMAXCONN), 0);
	return fd;
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

void
unit_expect_end(const char *program, int status)
{
	if (status == 0)
		return;
	print_error("%s ended with status %#x\n", program,
	    (unsigned int)status);
	exit(EXIT_FAILURE);
}
