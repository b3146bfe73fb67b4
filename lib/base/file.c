/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static int
open_error(const char *path, struct fault *fault)
{
	int err = ERR_SYSTEM;

	if (errno == ENOENT || errno == ENOTDIR)
		err = ERR_NO_FILE;
	else if (errno == EACCES || errno == EPERM)
		err = ERR_PERMISSION;
	return fault_set(fault, err, "%s: %s", path, strerror(errno));
}

static int
read_all(int fd, const char *path, struct buffer *out, struct fault *fault)
{
	uint8_t block[16384];
	struct stat status;
	ssize_t got;
	int failed;

	/* Growing would copy a large file several times. */
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    (uint64_t)status.st_size <= out->limit - out->length)
		buffer_reserve(out, (size_t)status.st_size);

	for (;;) {
		got = read(fd, block, sizeof(block));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		buffer_append(out, block, (size_t)got);
		if (out->error != 0) {
			got = 0;
			break;
		}
	}
	failed = errno;
	explicit_bzero(block, sizeof(block));
	if (got < 0)
		return fault_set(fault,
		    failed == EISDIR ? ERR_NO_FILE : ERR_SYSTEM, "%s: %s",
		    path, strerror(failed));
	if (out->error == ERR_TOO_LARGE)
		return fault_set(fault, ERR_TOO_LARGE,
		    "%s: more than %zu octets", path, out->limit);
	if (out->error != 0)
		return fault_set(fault, out->error, "%s: %s", path,
		    error_row(out->error)->text);
	return 0;
}

int
file_read(const char *path, struct buffer *out, struct fault *fault)
{
	int fd, err;

	if (strcmp(path, "-") == 0)
		return read_all(STDIN_FILENO, "standard input", out, fault);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return open_error(path, fault);
	err = read_all(fd, path, out, fault);
	close(fd);
	return err;
}

static int
check_mode(int fd, const char *path, bool group_may_read, struct fault *fault)
{
	const mode_t wrong = group_may_read ? S_IWGRP | S_IXGRP | S_IRWXO
	                                    : S_IRWXG | S_IRWXO;
	struct stat status;

	if (fstat(fd, &status) != 0)
		return fault_set(fault, ERR_SYSTEM, "%s: %s", path,
		    strerror(errno));
	if (!S_ISREG(status.st_mode))
		return fault_set(fault, ERR_PERMISSION,
		    "%s: not a regular file", path);
	if ((status.st_mode & wrong) != 0)
		return fault_set(fault, ERR_PERMISSION,
		    "%s: holds secrets but has mode %04o; set it to %s", path,
		    (unsigned int)(status.st_mode & 07777),
		    group_may_read ? "0640" : "0600");
	return 0;
}

int
file_read_secret(const char *path, bool group_may_read, struct buffer *out,
    struct fault *fault)
{
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return open_error(path, fault);
	err = check_mode(fd, path, group_may_read, fault);
	if (err == 0)
		err = read_all(fd, path, out, fault);
	close(fd);
	return err;
}

static int
write_all(int fd, struct span content)
{
	while (content.length > 0) {
		ssize_t put = write(fd, content.data, content.length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		content.data += put;
		content.length -= (size_t)put;
	}
	return fsync(fd);
}

static int
create_error(const char *path, struct fault *fault)
{
	int err = ERR_CREATE;

	if (errno == EACCES || errno == EPERM)
		err = ERR_PERMISSION;
	else if (errno == EEXIST)
		err = ERR_EXISTS;
	return fault_set(fault, err, "%s: %s", path, strerror(errno));
}

int
file_write(const char *path, struct span content, unsigned int mode,
    bool replace, struct fault *fault)
{
	char *temporary = NULL;
	int fd = -1, err = 0;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return fault_set(fault, ERR_MEMORY, "%s: out of memory", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		err = create_error(path, fault);
		goto out;
	}
	if (fchmod(fd, (mode_t)mode) != 0 || write_all(fd, content) != 0) {
		err = fault_set(fault, ERR_CREATE, "%s: %s", path,
		    strerror(errno));
		goto out;
	}
	/* link() refuses an existing name, rename() replaces it: both at
	 * once. */
	if (replace ? rename(temporary, path) != 0
	            : link(temporary, path) != 0)
		err = create_error(path, fault);
out:
	if (fd >= 0) {
		close(fd);
		unlink(temporary);
	}
	free(temporary);
	return err;
}
