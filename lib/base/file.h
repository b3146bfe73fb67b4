/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DIME_BASE_FILE_H
#define DIME_BASE_FILE_H

#include "base/buffer.h"
#include "base/error.h"

/*
 * Appends the content of the file at `path`, or of standard input for "-", to
 * `out`. The buffer's limit is the size limit. Errors: ERR_NO_FILE,
 * ERR_PERMISSION, ERR_SYSTEM, ERR_TOO_LARGE, ERR_MEMORY, each named in `fault`.
 */
int file_read(const char *path, struct buffer *out, struct fault *fault);

/*
 * As file_read(), but refuses a file that others than its owner (and, where
 * `group_may_read`, its group) can read or write, and one that is not regular:
 * ERR_PERMISSION.
 */
int file_read_secret(const char *path, bool group_may_read, struct buffer *out,
    struct fault *fault);

/*
 * Writes `content` to a new file at `path` with `mode`, through a temporary
 * file beside it that is synced and renamed, so that a reader sees the old
 * content or all of the new. Without `replace` an existing file is ERR_EXISTS.
 * Other errors: ERR_CREATE, ERR_PERMISSION, ERR_SYSTEM.
 */
int file_write(const char *path, struct span content, unsigned int mode,
    bool replace, struct fault *fault);

#endif
